//! The disk thread: journal writes and reads of sources, in order. Long reads are cut into slices so that no write waits for a whole part.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use crossbeam_channel::Sender;

use super::{
    board::Board,
    journal::{Id, Journal, OpenFault, StateDir, Sync},
    mailbox::Mailbox,
    message::{Loaded, Message, Said},
    outlet::Outlet,
    pool::Pool,
    unix_ms,
};
use crate::{
    engine::{Command, CommitId, Event, Facts, OpId, ReadDigest, Record, at_rest},
    error::{Code, ErrorInfo},
    hash::{Crc64, Digester, Md5},
    model::{Identity, http::ByteRange},
    source::{Source, SourceWhat},
    transport::CancelToken,
};

/// So much of a source is read before whoever waits gets a turn.
const SLICE_BYTES: u64 = 8 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// One thing to do on the disk.
pub(super) enum Job {
    /// Locks and reads a journal.
    Load { row: usize, id: Id },
    /// Appends a record.
    Append { row: usize, id: Id, commit: CommitId, record: Box<Record> },
    /// Closes a journal and drops its lock.
    Close { row: usize, id: Id },
    /// Keeps what was said of uploads at rest, one after the other, without a machine.
    Say { all: Vec<(usize, Id, Vec<Command>)> },
    /// Removes a journal that is closed, and takes its snapshot down; `copy`: the host's temporary copy goes as well.
    Remove { id: Id, board: Arc<Board>, outlet: Arc<Outlet>, gone: Sender<()>, copy: bool },
    /// Removes a host's temporary copy.
    RemoveCopy { path: PathBuf },
    /// Opens a source.
    Open { row: usize, ask: u64, what: SourceWhat },
    /// Looks at a source that is open.
    Look { row: usize, ask: u64, source: Arc<dyn Source> },
    /// Reads and hashes a stretch of a source.
    Read(ReadJob),
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

/// A journal at work.
struct Open {
    journal: Journal,
    /// After a failure nothing of that round is appended any more: the machine sends it all again, in order, in the next one.
    failed_round: Option<u32>,
}

/// The journals that are open, whichever thread serves them.
type Journals = Arc<Mutex<HashMap<Id, Open>>>;

/// The pool of one.
pub(super) fn pool(dir: Arc<StateDir>, mailbox: Arc<Mailbox>) -> Arc<Pool<Job>> {
    let journals = Journals::default();
    Arc::new_cyclic(|pool: &std::sync::Weak<Pool<Job>>| {
        let again = pool.clone();
        Pool::new("partway-disk", 1, move || {
            let (dir, mailbox, journals, again) = (dir.clone(), mailbox.clone(), journals.clone(), again.clone());
            let mut buffer = vec![];
            Box::new(move |job| {
                let later = serve(job, &dir, &mailbox, &journals, &mut buffer);
                if let (Some(later), Some(pool)) = (later, again.upgrade()) {
                    pool.submit(later);
                }
            })
        })
    })
}

fn serve(job: Job, dir: &StateDir, mailbox: &Mailbox, journals: &Journals, buffer: &mut Vec<u8>) -> Option<Job> {
    let open = || journals.lock().unwrap_or_else(PoisonError::into_inner);
    match job {
        Job::Load { row, id } => {
            let loaded = match dir.open_journal::<Record>(id) {
                Ok((journal, records, _)) => match Facts::new(records) {
                    Ok(facts) => {
                        open().insert(id, Open { journal, failed_round: None });
                        Loaded::Ready(Box::new(facts))
                    }
                    Err(error) => Loaded::Lost(error),
                },
                Err(fault) => not_loaded(fault),
            };
            mailbox.post(Message::Loaded { row, loaded });
        }
        Job::Append { row, id, commit, record } => {
            let result = append(&mut open(), dir, id, commit, &record);
            let event = match result {
                Ok(()) => Event::Committed(commit),
                Err(error) => Event::CommitFailed(commit, error),
            };
            mailbox.post(Message::Event { row, event });
        }
        Job::Close { row, id } => {
            let journal = open().remove(&id);
            drop(journal);
            mailbox.post(Message::Closed { row });
        }
        Job::Say { mut all } => {
            let rest = all.split_off(all.len().min(SAY_AT_ONCE));
            say_all(dir, mailbox, all);
            // Behind what came meanwhile: what uploads at work write does not wait for all of these.
            return (!rest.is_empty()).then_some(Job::Say { all: rest });
        }
        Job::Remove { id, board, outlet, gone, copy } => {
            let path = if copy { copy_of(dir, id) } else { None };
            // A journal that can't be removed is found again at the next start: the ending is told once more, never lost.
            if dir.remove(id).is_ok() {
                board.remove(id.as_str());
                outlet.forgotten(id.as_str());
                if let Some(path) = path {
                    let _ = std::fs::remove_file(path);
                }
                let _ = gone.send(());
            }
        }
        Job::RemoveCopy { path } => {
            let _ = std::fs::remove_file(path);
        }
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
    }
    None
}

/// Journals that are open at once while what was said is kept.
const SAY_AT_ONCE: usize = 32;

/// Keeps what was said of several uploads. All of it is written before any of it is synced: a disk brings the whole to rest at the price of one.
fn say_all(dir: &StateDir, mailbox: &Mailbox, all: Vec<(usize, Id, Vec<Command>)>) {
    let written: Vec<_> = all
        .into_iter()
        .map(|(row, id, commands)| {
            let said = say(dir, id, &commands);
            (row, id, commands, said)
        })
        .collect();
    for (row, id, commands, said) in written {
        let said = match said {
            Ok((facts, journal)) => {
                // An ending is told only when it outlives the power.
                let kept = if facts.ending.is_some() { dir.settle(id) } else { Ok(()) };
                drop(journal);
                kept.map_or_else(|error| Said::Not(Loaded::Refused(error)), |()| Said::Kept(facts))
            }
            Err(said) => said,
        };
        mailbox.post(Message::Said { row, commands, said });
    }
}

/// Locks a journal and appends what was said; nothing of it is synced.
fn say(dir: &StateDir, id: Id, commands: &[Command]) -> Result<(Box<Facts>, Journal), Said> {
    let (mut journal, records, _) = dir.open_journal::<Record>(id).map_err(|fault| Said::Not(not_loaded(fault)))?;
    let mut facts = Facts::new(records).map_err(|error| Said::Not(Loaded::Lost(error)))?;
    for command in commands {
        for record in at_rest(&facts, command, unix_ms()).ok_or(Said::NeedsMachine)? {
            // What is kept already stays: to say it again does no harm.
            journal.append(&record, Sync::Process).map_err(|error| Said::Not(Loaded::Refused(error)))?;
            facts.apply(record);
        }
    }
    Ok((Box::new(facts), journal))
}

fn not_loaded(fault: OpenFault) -> Loaded {
    match fault {
        fault @ OpenFault::InUse { .. } => Loaded::Elsewhere(fault.into()),
        OpenFault::Io(error) => Loaded::Refused(error),
        fault => Loaded::Lost(fault.into()),
    }
}

/// The host's temporary copy that an upload was made of.
fn copy_of(dir: &StateDir, id: Id) -> Option<PathBuf> {
    let source = Facts::new(dir.read::<Record>(id).ok()?).ok()?.upload.source;
    source.path.filter(|_| source.delete_at_end).map(PathBuf::from)
}

fn append(
    journals: &mut HashMap<Id, Open>,
    dir: &StateDir,
    id: Id,
    commit: CommitId,
    record: &Record,
) -> Result<(), ErrorInfo> {
    // After a failed sync a journal is worth nothing any more: it is opened anew.
    let failed_round = journals.get(&id).and_then(|open| open.failed_round);
    if journals.get(&id).is_none_or(|open| open.journal.is_poisoned()) {
        journals.remove(&id);
        let (journal, _, _) = dir.open_journal::<Record>(id).map_err(ErrorInfo::from)?;
        journals.insert(id, Open { journal, failed_round });
    }
    let open =
        journals.get_mut(&id).ok_or_else(|| ErrorInfo::new(Code::Bug, "a record for a journal that is not open"))?;
    if open.failed_round == Some(commit.round) {
        return Err(ErrorInfo::new(Code::JournalUnwritable, "a record before this one could not be kept"));
    }
    let result = open.journal.append(record, record.sync());
    if result.is_err() {
        open.failed_round = Some(commit.round);
    }
    result
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
