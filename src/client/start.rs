//! Starting: refused at once, or durable on return.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    Client, How, KEY_BYTES_MAX, NetworkPolicy, Online, Source, SourceWhat, Started, TAGS_BYTES_MAX, TOKEN_BYTES_MAX,
    UploadRequest,
};
use crate::{
    engine::{Record, SourceRecord, State, UploadRecord, asked_again},
    error::{Code, ErrorInfo},
    model::{Conflict, ConflictChoice, InstantMode},
    runtime::unix_ms,
    source::MEMORY_BYTES_MAX,
};

impl Client {
    /// True once the host told of a network.
    pub(super) fn network_is_told(&self) -> bool {
        self.inner.runtime.board().world().1.state != Online::Unreported
    }

    /// Starts an upload, or finds the one of that key; one that failed or was cancelled is begun again with what it had proven, as the request says now.
    /// Whatever can be refused without a request is refused here. When it returns the upload survives a kill. **disk**
    pub fn start(&self, request: UploadRequest) -> Result<Started, ErrorInfo> {
        self.start_all(vec![request]).pop().unwrap_or_else(|| Err(ErrorInfo::new(Code::Bug, "one request, one result")))
    }

    /// The same for many: each journal is synced, their directory once for the lot. One that is refused harms no other. **disk**
    pub fn start_all(&self, requests: Vec<UploadRequest>) -> Vec<Result<Started, ErrorInfo>> {
        let told = self.network_is_told();
        let checked: Vec<Result<(UploadRecord, Option<Source>), ErrorInfo>> = requests
            .into_iter()
            .map(|request| policy_can_be_met(request.network, told).and_then(|()| check(request)))
            .collect();
        let started = self.inner.runtime.with_start_lock(|| self.start_checked(&checked));
        match started {
            Ok((results, from)) => {
                // A kill before this finds both, and the new one says which one it took over. Others may start meanwhile: they find the new one.
                self.inner.runtime.supersede(from);
                results
            }
            Err(error) => {
                checked.into_iter().map(|result| Err(result.err().unwrap_or_else(|| error.clone()))).collect()
            }
        }
    }

    /// What became of each, and the ended uploads whose place others have taken.
    fn start_checked(
        &self,
        checked: &[Result<(UploadRecord, Option<Source>), ErrorInfo>],
    ) -> (Vec<Result<Started, ErrorInfo>>, Vec<String>) {
        let mut fresh: Vec<Fresh> = vec![];
        let results = checked
            .iter()
            .map(|result| {
                let (upload, offer) = result.as_ref().map_err(Clone::clone)?;
                if let Some(twin) = fresh.iter().find(|other| other.key == upload.key) {
                    return Ok(Started { id: twin.id.clone(), how: How::AlreadyThere });
                }
                let known = self.find(&upload.key);
                if let Some(known) = known.as_ref().filter(|known| !may_be_begun_again(&known.state)) {
                    // A source that does not outlive a process is taken again.
                    if let Some(offer) = offer.as_ref().filter(|offer| !offer.is_lasting() && !known.state.ended()) {
                        self.inner.runtime.attach(known.id.clone(), offer.clone());
                    }
                    return Ok(Started { id: known.id.clone(), how: How::AlreadyThere });
                }
                let old = match &known {
                    Some(known) => match self.inner.runtime.records(&known.id) {
                        // Forgotten at this moment: there is nothing to take over.
                        Err(error) if error.code == Code::UnknownUpload => None,
                        records => Some(records?),
                    },
                    None => None,
                };
                let from = known.filter(|_| old.is_some()).map(|known| known.id);
                let records = match old {
                    Some(old) => asked_again(old, upload.clone()),
                    None => vec![Record::Upload(Box::new(upload.clone()))],
                };
                let (key, id) = (upload.key.clone(), upload.id.clone());
                fresh.push(Fresh { key, id, records, offer: offer.clone(), from: from.clone() });
                Ok(Started { id: upload.id.clone(), how: from.map_or(How::New, |from| How::Continued { from }) })
            })
            .collect::<Vec<_>>();
        if fresh.is_empty() {
            return (results, vec![]);
        }
        let made: Vec<String> = fresh.iter().map(|fresh| fresh.id.clone()).collect();
        let from: Vec<String> = fresh.iter().filter_map(|fresh| fresh.from.clone()).collect();
        let journals = fresh.into_iter().map(|fresh| (fresh.records, fresh.offer.map(|offer| offer.what))).collect();
        match self.inner.runtime.add(journals) {
            Ok(()) => (results, from),
            // A twin of one that could not be made is there as little as that one.
            Err(error) => {
                let refused = |started: Started| {
                    if made.contains(&started.id) { Err(error.clone()) } else { Ok(started) }
                };
                (results.into_iter().map(|result| result.and_then(refused)).collect(), vec![])
            }
        }
    }
}

/// An upload that is to be made.
struct Fresh {
    key: String,
    id: String,
    records: Vec<Record>,
    offer: Option<Source>,
    /// The ended one that it takes the place of.
    from: Option<String>,
}

/// What is asked for again after these is wanted, and not there.
fn may_be_begun_again(state: &State) -> bool {
    matches!(state, State::Failed { .. } | State::Cancelled { .. })
}

/// Everything that can be wrong with a request, found before anything is kept or sent.
fn check(request: UploadRequest) -> Result<(UploadRecord, Option<Source>), ErrorInfo> {
    let usage = |detail: &str| Err(ErrorInfo::new(Code::InvalidArgument, detail));
    if request.key.is_empty() || request.key.len() > KEY_BYTES_MAX {
        return usage("a key has 1 to 1024 bytes");
    }
    if request.source.token.len() > TOKEN_BYTES_MAX {
        return usage("a source's token has at most 16 KiB");
    }
    if request.tags.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > TAGS_BYTES_MAX {
        return usage("tags have at most 1 KiB together");
    }
    if request.group.as_ref().is_some_and(|group| group.len() > KEY_BYTES_MAX) {
        return usage("a group has at most 1024 bytes");
    }
    if request.parallel_parts == Some(0) {
        return usage("at least one part at a time");
    }
    let service = crate::service::open(&request.target)?;
    let keeps_same = request.conflict == Conflict::KeepIfSame
        && service.capabilities().conflict_choices.contains(&ConflictChoice::KeepIfSame);
    if keeps_same && request.instant == InstantMode::Off {
        return Err(ErrorInfo::new(
            Code::Unsupported,
            "what is the same is told by the digest that an instant upload says: `KeepIfSame` goes with instant `Auto` or `Always`, `Rename` and `Ask` with `Off`",
        ));
    }
    let (adopted, part_size_bytes) = match &request.adopt {
        None => (None, request.part_size_bytes),
        Some(adopt) => match service.adopt(&adopt.confirm_key) {
            None => return usage("the service has no uploads of that name that could be continued"),
            session => (session, adopt.part_size_bytes.or(request.part_size_bytes)),
        },
    };
    let (path, size_bytes, delete_at_end) = match &request.source.what {
        SourceWhat::Path { path, delete_at_end } => {
            (Some(absolute(path)?), size_now(&request.source.what)?, *delete_at_end)
        }
        SourceWhat::Memory { bytes } if bytes.len() > MEMORY_BYTES_MAX => {
            return usage("a source in memory has at most 8 MiB; more belongs into a file");
        }
        SourceWhat::Later => (None, None, false),
        what => (None, Some(what.open()?.identity()?.size_bytes), false),
    };
    // A part size that can't work is refused now, not when the source is opened.
    if let Some(size_bytes) = size_bytes {
        service.plan(size_bytes, part_size_bytes)?;
    }
    let record = UploadRecord {
        id: new_id(),
        key: request.key,
        created_unix_ms: unix_ms(),
        target: request.target,
        source: SourceRecord { path, token: request.source.token.clone(), delete_at_end },
        group: request.group,
        tags: request.tags,
        priority: request.priority,
        conflict: request.conflict,
        on_change: request.on_change,
        instant: request.instant,
        verify_source: request.verify_source,
        adopted,
        part_size_bytes,
        parallel_parts: request.parallel_parts,
        network: request.network,
        rate_bytes_per_s: request.rate_bytes_per_s,
        give_up_after_ms: request.give_up_after_ms,
        continues: None,
    };
    let lasting = request.source.is_lasting();
    Ok((record, (!lasting).then_some(request.source)))
}

/// Nobody knows whether the policy is met: the upload would wait for ever.
pub(super) fn policy_can_be_met(policy: NetworkPolicy, told: bool) -> Result<(), ErrorInfo> {
    if policy == NetworkPolicy::Any || told {
        return Ok(());
    }
    Err(ErrorInfo::new(
        Code::InvalidArgument,
        "a network policy, and the client was never told of a network: call `set_network`",
    ))
}

/// The size of a file as it is now; `None` when it is not there or may not be read yet, which the upload waits for. What can't be read from the middle
/// is refused.
fn size_now(what: &SourceWhat) -> Result<Option<u64>, ErrorInfo> {
    match what.open().and_then(|source| source.identity()) {
        Ok(identity) => Ok(Some(identity.size_bytes)),
        Err(error) if matches!(error.code, Code::SourceNotFound | Code::SourceDenied) => Ok(None),
        Err(error) => Err(error),
    }
}

fn absolute(path: &Path) -> Result<String, ErrorInfo> {
    let path: PathBuf =
        std::path::absolute(path).map_err(|_| ErrorInfo::new(Code::InvalidArgument, "the path can't be used"))?;
    // A journal is text; a name that is none can still be uploaded as a descriptor.
    path.into_os_string()
        .into_string()
        .map_err(|_| ErrorInfo::new(Code::InvalidArgument, "the path is not Unicode text"))
}

/// A fresh id. Those of one process sort in the order in which they were made, also within a millisecond: what is started together goes in that order.
pub(super) fn new_id() -> String {
    static LAST: Mutex<u128> = Mutex::new(0);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    *last = value_of(unix_ms(), fastrand::u128(..)).max(*last + 1);
    text_of(*last)
}

/// What sorts by time: 48 bits of milliseconds and 80 of chance.
fn value_of(unix_ms: i64, chance: u128) -> u128 {
    let time = u128::from(u64::try_from(unix_ms).unwrap_or(0) & ((1 << 48) - 1)) << 80;
    time | (chance >> 48)
}

/// 26 characters in Crockford's base 32.
fn text_of(value: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..26).rev().map(|at| char::from(DIGITS[(value >> (5 * at)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_differ() {
        let id_of = |unix_ms, chance| text_of(value_of(unix_ms, chance));
        assert!(id_of(1_000, u128::MAX) < id_of(1_001, 0), "the time goes first");
        assert_eq!(id_of(0, 0), "0".repeat(26));
        let ids: Vec<String> = (0..100).map(|_| new_id()).collect();
        assert!(ids.iter().all(|id| id.len() == 26));
        assert!(ids.is_sorted_by(|one, next| one < next), "in the order in which they were made");
    }
}
