//! The threads of sources: they open, look at and read them, and remove temporary copies. What a host's reader or a mount does not answer holds one of them,
//! of which there are as many as uploads at work, and no journal. Long reads are cut into slices so that whoever waits gets a turn.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{mailbox::Mailbox, message::Message, pool::Pool};
use crate::{
    engine::{Ending, Event, Facts, OpId, ReadDigest},
    error::{Code, ErrorInfo},
    hash::{Crc64, Digester, Md5},
    model::{Identity, http::ByteRange},
    source::{Source, SourceWhat},
    transport::CancelToken,
};

/// So much of a source is read before whoever waits gets a turn.
const SLICE_BYTES: u64 = 8 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// One thing to do with a source.
pub(super) enum Job {
    /// Opens it.
    Open { row: usize, ask: u64, what: SourceWhat },
    /// Looks at one that is open.
    Look { row: usize, ask: u64, source: Arc<dyn Source> },
    /// Reads and hashes a stretch of it.
    Read(ReadJob),
    /// Removes a host's temporary copy.
    Remove(TempCopy),
}

/// A read under way.
pub(super) struct ReadJob {
    pub(super) row: usize,
    pub(super) op: OpId,
    pub(super) source: Arc<dyn Source>,
    pub(super) left: ByteRange,
    pub(super) crc64: Crc64,
    pub(super) md5: Option<Md5>,
    pub(super) keep: Option<Vec<u8>>,
    pub(super) digester: Option<Box<Digester>>,
    pub(super) identity: Identity,
    pub(super) cancel: CancelToken,
}

/// A host's temporary copy that is not needed any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TempCopy {
    path: PathBuf,
    /// As the journal knows it. Without that the upload ended just now and never looked: whatever lies there is what it was given.
    identity: Option<Identity>,
}

/// When a copy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Its upload has ended at this moment.
    Ended,
    /// Some time ago, perhaps in another process, which may have been killed before it removed anything.
    Long,
    /// The host has taken the ending, so that nothing will begin it again.
    Forgotten,
}

impl TempCopy {
    /// That of an upload, if it goes now. Once is enough: a failed upload may be begun again, so its copy goes when it is forgotten; any other's at its end.
    pub(super) fn of(facts: &Facts, seen: Option<&Identity>, when: When) -> Option<TempCopy> {
        let source = &facts.upload.source;
        let path = source.path.as_ref().filter(|_| source.delete_at_end)?;
        let failed = matches!(facts.ending.as_ref()?, Ending::Failed(_));
        let identity = facts.identity.as_ref().or(seen).cloned();
        // What the host put in its place since is not ours, and nothing but the file itself tells.
        let known = identity.as_ref().is_some_and(|identity| identity.inode.is_some());
        let goes = match when {
            When::Ended => !failed,
            When::Long => !failed && known,
            When::Forgotten => failed && known,
        };
        goes.then(|| TempCopy { path: PathBuf::from(path), identity })
    }
}

/// The pool of them. Nothing depends on the order of what they do: an upload waits for one thing before it asks for the next, or does not wait for it at all.
pub(super) fn pool(threads_max: usize, mailbox: Arc<Mailbox>) -> Arc<Pool<Job>> {
    Arc::new_cyclic(|pool: &std::sync::Weak<Pool<Job>>| {
        let again = pool.clone();
        Pool::new("partway-source", threads_max, move || {
            let (mailbox, again) = (mailbox.clone(), again.clone());
            let mut buffer = vec![];
            Box::new(move |job| {
                let later = serve(job, &mailbox, &mut buffer);
                if let (Some(later), Some(pool)) = (later, again.upgrade()) {
                    pool.submit(later);
                }
            })
        })
    })
}

fn serve(job: Job, mailbox: &Mailbox, buffer: &mut Vec<u8>) -> Option<Job> {
    match job {
        Job::Open { row, ask, what } => {
            // A host's own reader runs in here: what it breaks is its own upload's.
            let result = harmless(|| what.open().and_then(look));
            mailbox.post(Message::Opened { row, ask, result });
        }
        Job::Look { row, ask, source } => {
            let result = harmless(|| look(source));
            mailbox.post(Message::Opened { row, ask, result });
        }
        Job::Read(job) => {
            let (row, op) = (job.row, job.op);
            return match harmless(|| Ok(read_slice(job, mailbox, buffer))) {
                Ok(later) => later,
                Err(error) => {
                    mailbox.post(Message::Event { row, event: Event::Read { op, result: Err(error) } });
                    None
                }
            };
        }
        Job::Remove(copy) => {
            if copy.identity.is_none_or(|identity| is_still(&copy.path, &identity)) {
                let _ = std::fs::remove_file(&copy.path);
            }
        }
    }
    None
}

/// True while that file lies there. An inode alone would not tell: it is given to the next file once it is free.
fn is_still(path: &Path, identity: &Identity) -> bool {
    let what = SourceWhat::Path { path: path.to_owned(), delete_at_end: false };
    what.open().and_then(|source| source.identity()).is_ok_and(|now| now.same_as(identity))
}

type Opened = (Arc<dyn Source>, Identity);

fn look(source: Arc<dyn Source>) -> Result<Opened, ErrorInfo> {
    let identity = source.identity()?;
    Ok((source, identity))
}

/// Runs what may be a host's code: a panic of its is an unreadable source.
fn harmless<T>(work: impl FnOnce() -> Result<T, ErrorInfo>) -> Result<T, ErrorInfo> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(ErrorInfo::new(Code::SourceUnreadable, "reading the source panicked")))
}

fn read_slice(mut job: ReadJob, mailbox: &Mailbox, buffer: &mut Vec<u8>) -> Option<Job> {
    buffer.resize(BUFFER_BYTES, 0);
    let slice_end = job.left.offset + job.left.len.min(SLICE_BYTES);
    while job.left.offset < slice_end {
        if job.cancel.is_cancelled() {
            let error = ErrorInfo::new(Code::Cancelled, "the read was stopped");
            mailbox.post(Message::Event { row: job.row, event: Event::Read { op: job.op, result: Err(error) } });
            return None;
        }
        let most = usize::try_from(slice_end - job.left.offset).unwrap_or(BUFFER_BYTES).min(BUFFER_BYTES);
        match job.source.read_at(job.left.offset, &mut buffer[..most]) {
            Ok(0) => {
                let error = ErrorInfo::new(Code::SourceChanged, "the file ends before the part does");
                mailbox.post(Message::Event { row: job.row, event: Event::Read { op: job.op, result: Err(error) } });
                return None;
            }
            Ok(n) => {
                job.crc64.update(&buffer[..n]);
                if let Some(md5) = &mut job.md5 {
                    md5.update(&buffer[..n]);
                }
                if let Some(digester) = &mut job.digester {
                    digester.update(&buffer[..n]);
                }
                if let Some(kept) = &mut job.keep {
                    kept.extend_from_slice(&buffer[..n]);
                }
                job.left.offset += n as u64;
                job.left.len -= n as u64;
            }
            Err(error) => {
                mailbox.post(Message::Event { row: job.row, event: Event::Read { op: job.op, result: Err(error) } });
                return None;
            }
        }
    }
    if job.left.len > 0 {
        return Some(Job::Read(job));
    }
    // What was read counts only if it was read from the source that was opened.
    let result = job.source.identity().and_then(|now| {
        if now.same_as(&job.identity) {
            Ok(())
        } else {
            Err(ErrorInfo::new(Code::SourceChanged, "the file was touched while it was being read"))
        }
    });
    let digest = ReadDigest {
        crc64: job.crc64.value(),
        md5: job.md5.map(Md5::finish_hex),
        bytes: job.keep,
        digester: job.digester,
    };
    mailbox.post(Message::Event { row: job.row, event: Event::Read { op: job.op, result: result.map(|()| digest) } });
    None
}
