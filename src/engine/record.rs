//! What of an upload is kept on disk: one record a line, in the order in which things became true.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Tuning, WaitReason};
use crate::{
    error::ErrorInfo,
    from_json::{FromJson, Object, field, field_or_default, from_json, object, variant},
    hash::Digester,
    model::{Conflict, Identity, InstantMode, NetworkPolicy, Now, OnChange, PartPlan, Receipt, Target, Tick},
    service::{Proof, Session},
};

/// A clock that shows less was never set: this library is younger than that. Devices without a battery for theirs begin at 1970.
const CLOCK_IS_SET_UNIX_MS: i64 = 1_700_000_000_000;

/// How durable a record must be before what depends on it may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The write returned: it survives a killed process.
    Process,
    /// It is on the disk: it survives a lost battery.
    Power,
}

/// The upload as it was asked for; the first record of every journal.
#[derive(Clone, PartialEq, Serialize)]
pub struct UploadRecord {
    /// 26 characters.
    pub id: String,
    /// The host's own name for it.
    pub key: String,
    /// By the phone's clock.
    pub created_unix_ms: i64,
    /// Where to.
    pub target: Target,
    /// What.
    pub source: SourceRecord,
    /// The host's own grouping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The host's own notes, at most 1 KiB.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Higher first.
    pub priority: i8,
    /// When the name is taken.
    pub conflict: Conflict,
    /// When the bytes changed.
    pub on_change: OnChange,
    /// Whether to try to have the content recognised.
    pub instant: InstantMode,
    /// A session that exists already: something else began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Session>,
    /// What is sent is compared with a digest pass, also where the service needs none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verify_source: bool,
    /// The wanted part size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size_bytes: Option<u64>,
    /// At most so many parts at once; the client's limit without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_parts: Option<u32>,
    /// Which networks it may use.
    pub network: NetworkPolicy,
    /// Body bytes a second, of this upload; the client's limit alone without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_bytes_per_s: Option<u64>,
    /// So long after it was made it fails, if it has not ended by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub give_up_after_ms: Option<u64>,
    /// The ended upload whose proof this one took over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

from_json!(struct UploadRecord {
    id,
    key,
    created_unix_ms,
    target,
    source,
    group,
    tags = default,
    priority = default,
    conflict = default,
    on_change = default,
    instant = default,
    adopted,
    verify_source = default,
    part_size_bytes,
    parallel_parts,
    network = default,
    rate_bytes_per_s,
    give_up_after_ms,
    continues,
});

impl UploadRecord {
    /// When it gives up, by the clock of the process that `seen` is the first sight of it in.
    ///
    /// From there on the process's own clock counts, which nobody can set. What passed before is what the phone's clock says, as far as that can be
    /// believed: one that was not set yet, then or now, says nothing, nor one that went back. Then its time begins anew.
    pub fn gives_up_at(&self, seen: Now) -> Option<Tick> {
        let set = self.created_unix_ms.min(seen.unix_ms) >= CLOCK_IS_SET_UNIX_MS;
        let passed_ms = if set { seen.unix_ms.saturating_sub(self.created_unix_ms) } else { 0 };
        let left_ms = self.give_up_after_ms?.saturating_sub(u64::try_from(passed_ms).unwrap_or(0));
        Some(seen.tick.after_ms(left_ms))
    }

    /// When it gives up, by the phone's clock.
    pub fn gives_up_unix_ms(&self) -> Option<i64> {
        self.give_up_after_ms.map(|ms| self.created_unix_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }
}

/// How to come by the bytes again.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceRecord {
    /// A file of this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host's own word for it, at most 16 KiB.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token: Vec<u8>,
    /// The file is a copy made for this upload: removed at the end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delete_at_end: bool,
}

from_json!(struct SourceRecord { path, token = default, delete_at_end = default });

impl SourceRecord {
    /// What is to be kept of this in the place of `old`: without a token the old one stays. `None`: it is the same.
    pub(super) fn news_to(&self, old: &SourceRecord) -> Option<SourceRecord> {
        let token = if self.token.is_empty() { &old.token } else { &self.token };
        let new = SourceRecord { token: token.clone(), ..self.clone() };
        (new != *old).then_some(new)
    }
}

/// Why an upload began over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartReason {
    /// The service forgot the session.
    SessionGone,
    /// Neither the session nor the object is to be found after a complete: the next begin must not make a second object.
    Unsettled,
    /// Its links are over and it can't be renewed: begun again.
    LeaseOver,
    /// The session holds parts that the file does not have: something else began it for another file or another cut.
    Unfit,
    /// Nothing was heard of it for longer than the service can be trusted to keep it.
    TooOld,
    /// What the service put together was not what was sent.
    Integrity,
    /// The source's bytes changed, and the policy says so.
    Changed,
}

from_json!(enum RestartReason {
    "session_gone" = SessionGone,
    "unsettled" = Unsettled,
    "lease_over" = LeaseOver,
    "unfit" = Unfit,
    "too_old" = TooOld,
    "integrity" = Integrity,
    "changed" = Changed,
});

/// What a cancel could undo at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remote {
    /// The session is gone.
    Aborted,
    /// Not reached yet; it is tried again.
    AbortPending,
    /// There was none.
    NothingThere,
    /// The service has no way to do it.
    CannotAbort,
}

from_json!(enum Remote {
    "aborted" = Aborted,
    "abort_pending" = AbortPending,
    "nothing_there" = NothingThere,
    "cannot_abort" = CannotAbort,
});

/// The one ending of an upload.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The object exists.
    Completed(Receipt),
    /// It will not.
    Failed(ErrorInfo),
    /// The host did not want it any more.
    Cancelled(Remote),
}

impl FromJson for Ending {
    fn from_json(value: Value) -> Option<Self> {
        let (word, held) = variant(value)?;
        match word.as_str() {
            "completed" => Receipt::from_json(held).map(Ending::Completed),
            "failed" => ErrorInfo::from_json(held).map(Ending::Failed),
            "cancelled" => Remote::from_json(held).map(Ending::Cancelled),
            _ => None,
        }
    }
}

from_json!(serde Ending);

/// What the host wants of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Go on.
    #[default]
    Run,
    /// Stay.
    Pause,
    /// End, and undo what can be undone.
    Cancel,
}

from_json!(enum Wish { "run" = Run, "pause" = Pause, "cancel" = Cancel });

/// What an upload waited for when it last had to: for whoever looks at it when the process is gone.
///
/// A journal of an unknown record is refused, an unknown field is skipped; so this rides on a `tuned` that tunes nothing, which is what a version reads of it
/// that does not know the rest. It decides nothing: the next process tries at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wait {
    pub(super) tuning: Tuning,
    /// For what.
    pub waits: WaitReason,
    /// Since when, by the phone's clock.
    pub since_unix_ms: i64,
    /// When it would have been tried again, by the same clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_unix_ms: Option<i64>,
    /// Failures in a row that led to it.
    pub attempts: u32,
    /// Waiting alone would hardly have helped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_host: bool,
    /// What led to it: as clean as an ending's.
    pub error: ErrorInfo,
}

from_json!(struct Wait {
    tuning,
    waits,
    since_unix_ms,
    next_try_unix_ms,
    attempts = default,
    needs_host = default,
    error,
});

impl Wait {
    /// A wait for `waits` that began at `since_unix_ms`. Of a detail that is not short only the beginning is kept.
    pub(super) fn new(waits: WaitReason, since_unix_ms: i64, error: &ErrorInfo) -> Wait {
        /// Characters of the detail.
        const DETAIL_CHARS_MAX: usize = 256;
        let mut error = error.clone();
        if let Some((at, _)) = error.detail.char_indices().nth(DETAIL_CHARS_MAX) {
            error.detail.truncate(at);
        }
        Wait {
            tuning: Tuning::default(),
            waits,
            since_unix_ms,
            next_try_unix_ms: None,
            attempts: 0,
            needs_host: false,
            error,
        }
    }

    /// True when the other one says nothing new, but for how often it failed and since when.
    pub(super) fn is_like(&self, other: &Wait) -> bool {
        let said = |wait: &Wait| (wait.waits, wait.needs_host, wait.next_try_unix_ms.is_some(), wait.error.code);
        said(self) == said(other) && self.error.detail == other.error.detail
    }
}

/// One line of a journal. Variants and fields are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "r", rename_all = "snake_case")]
pub enum Record {
    /// What was asked for.
    Upload(Box<UploadRecord>),
    /// The cut, frozen, and the source that it was made for.
    Plan {
        /// The cut.
        plan: PartPlan,
        /// The source then.
        identity: Identity,
    },
    /// The service knows of the upload.
    Session {
        /// Its own words.
        session: Session,
    },
    /// The service still knew of the session.
    Alive {
        /// Then, by the phone's clock.
        unix_ms: i64,
    },
    /// Bytes of a part may have left.
    Try {
        /// Which.
        part_number: u32,
    },
    /// A part is proven.
    Part {
        /// Which.
        part_number: u32,
        /// CRC-64/XZ of what was sent, or of what was read to adopt it.
        #[serde(serialize_with = "decimal")]
        crc64: u64,
    },
    /// The service does not have these parts after all.
    Missing {
        /// Which.
        part_numbers: Vec<u32>,
    },
    /// The source is another one with the same bytes.
    Identity {
        /// As it is now.
        identity: Identity,
    },
    /// The digest pass has taken a part, all before it included.
    Hashed {
        /// Which.
        part_number: u32,
        /// CRC-64/XZ of the part: what is sent of it must be this.
        #[serde(serialize_with = "decimal")]
        crc64: u64,
        /// SHA-256's state words at its end, when the service signs parts with them.
        #[serde(skip_serializing_if = "Option::is_none")]
        midstate: Option<[u32; 8]>,
        /// The pass, to go on from.
        digester: Box<Digester>,
    },
    /// A begin that carries the whole digest is about to be sent: it may make the object.
    BeginIntent {
        /// What a probe looks for.
        proof: Proof,
    },
    /// It did not.
    BeginNo {
        /// A look at the object's place said so: the begin may still be on its way.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        looked: bool,
    },
    /// The name is taken, by what a lost begin made or by something else: the next begin keeps what is there if it is the same, else takes another name.
    BeginTaken,
    /// That begin was refused outright: as far as it goes nothing was made.
    BeginRefused,
    /// A complete is about to be sent: from here on its outcome is unknown until something below says otherwise.
    CompleteIntent {
        /// What it says.
        proof: Proof,
    },
    /// The complete did not make the object.
    CompleteNo {
        /// A look at the session said so, not the complete's own answer: the complete may still be on its way.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        looked: bool,
    },
    /// Nothing that was sent for the session can make the object any more.
    Settled,
    /// The name is taken; an answer is needed.
    ConflictAsked {
        /// A begin that repeats one of which nobody told was refused: perhaps it is that one's object that has the name.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
    },
    /// What to do when the name is taken, from here on.
    Conflict {
        /// That.
        conflict: Conflict,
    },
    /// What to do when the bytes changed, from here on.
    OnChange {
        /// That.
        on_change: OnChange,
    },
    /// The host's wish.
    Wish {
        /// That.
        wish: Wish,
    },
    /// What is given holds from here on.
    Tuned {
        /// That.
        tuning: Tuning,
    },
    /// It waits, and not just for a moment. Whatever is kept behind it, but a `tuned`, is progress: then it waits no more.
    #[serde(rename = "tuned")]
    Waits(Box<Wait>),
    /// The host gave the source anew: how to come by it from here on.
    Source {
        /// That.
        source: SourceRecord,
    },
    /// The operating system sends these parts from here on. Reserved: this version reads it, and waits; it does not write it.
    HandedOff {
        /// The host's and our name for what was handed over.
        item: String,
        /// Its parts.
        part_numbers: Vec<u32>,
    },
    /// What was handed over came back: what of it was stored is told by records of its own.
    HandedBack {
        /// Which.
        item: String,
    },
    /// All that was sent is void.
    Restart {
        /// Why.
        why: RestartReason,
    },
    /// The end. A later one only refines what a cancel could undo.
    Ending {
        /// Which.
        ending: Ending,
        /// By the phone's clock.
        unix_ms: i64,
    },
}

impl Record {
    /// How durable it must be. What asks the service to change the world, and what ends, goes to the disk; the rest can be found out again.
    pub fn sync(&self) -> Sync {
        match self {
            Record::Upload(_)
            | Record::Plan { .. }
            | Record::Session { .. }
            | Record::HandedOff { .. }
            | Record::BeginIntent { .. }
            | Record::BeginTaken
            | Record::CompleteIntent { .. }
            | Record::Restart { .. }
            | Record::Ending { .. } => Sync::Power,
            Record::Try { .. }
            | Record::Alive { .. }
            | Record::Part { .. }
            | Record::Missing { .. }
            | Record::Identity { .. }
            | Record::Hashed { .. }
            | Record::BeginNo { .. }
            | Record::BeginRefused
            | Record::CompleteNo { .. }
            | Record::Settled
            | Record::ConflictAsked { .. }
            | Record::Conflict { .. }
            | Record::OnChange { .. }
            | Record::Tuned { .. }
            | Record::Waits(_)
            | Record::Source { .. }
            | Record::HandedBack { .. }
            | Record::Wish { .. } => Sync::Process,
        }
    }

    /// True when nothing new may start before it is kept. A part's own records hold up nothing but that part.
    pub fn is_barrier(&self) -> bool {
        !matches!(
            self,
            Record::Try { .. }
                | Record::Alive { .. }
                | Record::Part { .. }
                | Record::Hashed { .. }
                | Record::Tuned { .. }
                | Record::Waits(_)
                | Record::Source { .. }
        )
    }
}

/// 64-bit checksums as decimal text: JSON readers in other languages round numbers above 2^53.
fn decimal<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl FromJson for Record {
    fn from_json(value: Value) -> Option<Self> {
        let mut fields = object(value)?;
        let which = field::<String>(&mut fields, "r")?;
        let all = &mut fields;
        let crc64 = |all: &mut Object| field::<String>(all, "crc64")?.parse().ok();
        Some(match which.as_str() {
            "upload" => Record::Upload(FromJson::from_json(Value::Object(fields))?),
            "plan" => Record::Plan { plan: field(all, "plan")?, identity: field(all, "identity")? },
            "session" => Record::Session { session: field(all, "session")? },
            "alive" => Record::Alive { unix_ms: field(all, "unix_ms")? },
            "try" => Record::Try { part_number: field(all, "part_number")? },
            "part" => Record::Part { part_number: field(all, "part_number")?, crc64: crc64(all)? },
            "missing" => Record::Missing { part_numbers: field(all, "part_numbers")? },
            "identity" => Record::Identity { identity: field(all, "identity")? },
            "hashed" => Record::Hashed {
                part_number: field(all, "part_number")?,
                crc64: crc64(all)?,
                midstate: field(all, "midstate")?,
                digester: field(all, "digester")?,
            },
            "begin_intent" => Record::BeginIntent { proof: field(all, "proof")? },
            "begin_no" => Record::BeginNo { looked: field_or_default(all, "looked")? },
            "begin_taken" => Record::BeginTaken,
            "begin_refused" => Record::BeginRefused,
            "complete_intent" => Record::CompleteIntent { proof: field(all, "proof")? },
            "complete_no" => Record::CompleteNo { looked: field_or_default(all, "looked")? },
            "settled" => Record::Settled,
            "conflict_asked" => Record::ConflictAsked { in_doubt: field_or_default(all, "in_doubt")? },
            "conflict" => Record::Conflict { conflict: field(all, "conflict")? },
            "on_change" => Record::OnChange { on_change: field(all, "on_change")? },
            "wish" => Record::Wish { wish: field(all, "wish")? },
            // One whose words are of a later version tells nothing, and harms nothing.
            "tuned" => match all.contains_key("waits").then(|| Wait::from_json(Value::Object(all.clone()))).flatten() {
                Some(wait) => Record::Waits(Box::new(wait)),
                None => Record::Tuned { tuning: field(all, "tuning")? },
            },
            "source" => Record::Source { source: field(all, "source")? },
            "handed_off" => Record::HandedOff { item: field(all, "item")?, part_numbers: field(all, "part_numbers")? },
            "handed_back" => Record::HandedBack { item: field(all, "item")? },
            "restart" => Record::Restart { why: field(all, "why")? },
            "ending" => Record::Ending { ending: field(all, "ending")?, unix_ms: field(all, "unix_ms")? },
            _ => return None,
        })
    }
}

from_json!(serde Record);

/// The id alone: the rest names a person's things.
impl std::fmt::Debug for UploadRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadRecord").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Paths and tokens are not printed.
impl std::fmt::Debug for SourceRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceRecord").field("delete_at_end", &self.delete_at_end).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::{
        engine::Facts,
        error::Code,
        hash::Wants,
        model::{KooDriveEdition, KooDriveTarget, SmhMode, SmhTarget},
    };

    /// Reads what it wrote.
    fn survives<T: Serialize + DeserializeOwned>(all: impl IntoIterator<Item = T>) {
        for one in all {
            let line = serde_json::to_string(&one).expect("JSON");
            let read = serde_json::from_str::<T>(&line).ok().map(|read| serde_json::to_string(&read).expect("JSON"));
            assert_eq!(read, Some(line));
        }
    }

    fn text() -> String {
        "é".to_owned()
    }

    /// One with every field.
    fn upload(target: Target) -> UploadRecord {
        UploadRecord {
            id: text(),
            key: text(),
            created_unix_ms: -1,
            target,
            source: SourceRecord { path: Some(text()), token: vec![0, 255], delete_at_end: true },
            group: Some(text()),
            tags: BTreeMap::from([(text(), text())]),
            priority: -128,
            conflict: Conflict::Refuse,
            on_change: OnChange::Restart,
            instant: InstantMode::Off,
            adopted: Some(Session(serde_json::json!({ "a": [1] }))),
            verify_source: true,
            part_size_bytes: Some(u64::MAX),
            parallel_parts: Some(u32::MAX),
            network: NetworkPolicy::Unmetered,
            rate_bytes_per_s: Some(1),
            give_up_after_ms: Some(2),
            continues: Some(text()),
        }
    }

    fn smh() -> SmhTarget {
        SmhTarget {
            endpoint: text(),
            account: text(),
            library: text(),
            space: text(),
            path: text(),
            mode: SmhMode::Form,
            user_id: Some(text()),
            create_parents: true,
            meta: BTreeMap::from([(text(), text())]),
            labels: vec![text()],
            category: Some(text()),
            created_unix_ms: Some(1),
            modified_unix_ms: Some(2),
            traffic_limit_bytes_per_s: Some(3),
            prefer_same_origin: true,
            private: true,
        }
    }

    fn koodrive() -> KooDriveTarget {
        KooDriveTarget {
            endpoint: text(),
            account: text(),
            container: text(),
            parent: text(),
            name: text(),
            user_id: Some(text()),
            file_type: Some(1),
            shared_folder: Some(text()),
            language: Some(text()),
            created_unix_ms: Some(1),
            edition: KooDriveEdition::Carrier,
        }
    }

    /// A table of fields (`from_json!`) that forgets one is found here.
    #[test]
    fn every_record_is_read_as_it_was_written() {
        let mut digester = Digester::new(Wants {
            sha256: true,
            part_size_bytes: Some(1 << 19),
            chain: true,
            crc64: true,
            pre_hash: true,
        })
        .expect("a pass");
        digester.update(&vec![7; (1 << 20) + 77]);
        let receipt = Receipt {
            name: text(),
            path: Some(vec![text()]),
            file_id: Some(text()),
            size_bytes: 1,
            sha256: Some(text()),
            crc64: Some(text()),
            version: Some(text()),
            instant: true,
            overwritten: true,
            request_id: Some(text()),
            service_json: Some(text()),
        };
        let error = ErrorInfo {
            code: Code::Bug,
            detail: text(),
            http_status: Some(500),
            service_code: Some(text()),
            request_id: Some(text()),
            retry_after_ms: Some(1),
        };
        let identity =
            Identity { size_bytes: 1, mtime_ns: Some(-2), ctime_ns: Some(3), inode: Some(4), device: Some(5) };
        let conflict = Conflict::Overwrite { if_version: Some(text()) };
        let proof = Proof {
            size_bytes: 1,
            crc64: u64::MAX,
            sha256: Some(text()),
            conflict: conflict.clone(),
            service_unix_ms: -1,
        };
        let tuning = Tuning {
            priority: Some(1),
            network: Some(NetworkPolicy::NoRoaming),
            rate_bytes_per_s: Some(2),
            parallel_parts: Some(3),
        };
        let session = upload(Target::Smh(smh())).adopted.expect("one");
        let source = upload(Target::Smh(smh())).source;
        let ending = |ending| Record::Ending { ending, unix_ms: 1 };
        survives([
            Record::Upload(Box::new(upload(Target::Smh(smh())))),
            Record::Upload(Box::new(upload(Target::KooDrive(koodrive())))),
            Record::Plan { plan: PartPlan { size_bytes: 3, part_size_bytes: 2 }, identity: identity.clone() },
            Record::Session { session },
            Record::Alive { unix_ms: -1 },
            Record::Try { part_number: 1 },
            Record::Part { part_number: 2, crc64: u64::MAX },
            Record::Missing { part_numbers: vec![1, 2] },
            Record::Identity { identity },
            Record::Hashed {
                part_number: 3,
                crc64: u64::MAX - 1,
                midstate: Some([u32::MAX; 8]),
                digester: Box::new(digester),
            },
            Record::BeginIntent { proof: proof.clone() },
            Record::BeginNo { looked: true },
            Record::BeginTaken,
            Record::BeginRefused,
            Record::CompleteIntent { proof },
            Record::CompleteNo { looked: true },
            Record::Settled,
            Record::ConflictAsked { in_doubt: false },
            Record::ConflictAsked { in_doubt: true },
            Record::Conflict { conflict },
            Record::OnChange { on_change: OnChange::Fail },
            Record::Wish { wish: Wish::Cancel },
            Record::Tuned { tuning },
            Record::Waits(Box::new(Wait {
                next_try_unix_ms: Some(-1),
                attempts: u32::MAX,
                needs_host: true,
                ..Wait::new(WaitReason::Retry, -1, &error)
            })),
            Record::Waits(Box::new(Wait::new(WaitReason::Source, 0, &ErrorInfo::new(Code::Bug, "")))),
            Record::Source { source },
            Record::HandedOff { item: text(), part_numbers: vec![3] },
            Record::HandedBack { item: text() },
            Record::Restart { why: RestartReason::Unfit },
            ending(Ending::Completed(receipt)),
            ending(Ending::Failed(error)),
            ending(Ending::Cancelled(Remote::Aborted)),
        ]);
    }

    #[test]
    fn every_word_is_read_as_it_was_written() {
        use {InstantMode as I, KooDriveEdition as K, NetworkPolicy as N, RestartReason as R};
        survives([Conflict::Ask, Conflict::Rename, Conflict::Refuse, Conflict::KeepIfSame]);
        survives([Conflict::Overwrite { if_version: None }]);
        survives([OnChange::Fail, OnChange::Restart]);
        survives([I::Auto, I::Always, I::Off]);
        survives([N::Any, N::NoRoaming, N::Unmetered]);
        survives([R::SessionGone, R::Unsettled, R::LeaseOver, R::Unfit, R::TooOld, R::Integrity, R::Changed]);
        survives([Remote::Aborted, Remote::AbortPending, Remote::NothingThere, Remote::CannotAbort]);
        survives([Wish::Run, Wish::Pause, Wish::Cancel]);
        survives([SmhMode::Auto, SmhMode::Simple, SmhMode::Form, SmhMode::Multipart]);
        survives([K::Current, K::International2024, K::Carrier]);
        use WaitReason as W;
        survives([W::Network, W::NetworkPolicy, W::Retry, W::Credential, W::Source]);
        survives([W::Conflict, W::HandedOff, W::Disk, W::Held, W::Elsewhere]);
    }

    /// What is refused of a record is skipped of a field: a version that does not know waits reads a `tuned` that tunes nothing, and so does this one of a wait
    /// whose words are of a later version.
    #[test]
    fn a_wait_is_nothing_to_who_does_not_know_it() {
        let error = ErrorInfo::new(Code::QuotaExceeded, "é".repeat(9_000));
        let wait = Wait { attempts: 3, ..Wait::new(WaitReason::Retry, 7, &error) };
        let line = serde_json::to_string(&Record::Waits(Box::new(wait))).expect("JSON");
        assert!(
            line.starts_with(r#"{"r":"tuned","tuning":{},"waits":"retry","since_unix_ms":7,"attempts":3,"error":{"#),
            "{line}"
        );
        assert!(line.len() < 1_024, "however long the detail is: {}", line.len());
        let read = |line: &str| serde_json::from_str::<Record>(line).ok();
        assert!(
            matches!(read(&line), Some(Record::Waits(wait)) if (wait.waits, wait.attempts) == (WaitReason::Retry, 3))
        );
        let nothing = Some(Record::Tuned { tuning: Tuning::default() });
        for (word, later) in [("\"waits\"", "\"waits_2\""), ("\"retry\"", "\"later\""), ("\"error\"", "\"error_2\"")] {
            assert_eq!(read(&line.replace(word, later)), nothing, "{later}");
        }
        // A journal of before has none.
        assert_eq!(read(r#"{"r":"tuned","tuning":{}}"#), nothing);
    }

    #[test]
    fn whatever_comes_of_an_upload_ends_what_it_waited_for() {
        let waits =
            || Record::Waits(Box::new(Wait::new(WaitReason::Retry, 7, &ErrorInfo::new(Code::ServiceBusy, "no"))));
        let begun = || [Record::Upload(Box::new(upload(Target::Smh(smh())))), waits()];
        let facts = |more: Vec<Record>| Facts::new(begun().into_iter().chain(more)).expect("facts");
        assert!(facts(vec![]).wait.is_some());
        assert!(facts(vec![Record::Tuned { tuning: Tuning::default() }]).wait.is_some(), "nothing came of it");
        let later = [
            Record::Session { session: upload(Target::Smh(smh())).adopted.expect("one") },
            Record::Part { part_number: 1, crc64: 7 },
            Record::Try { part_number: 1 },
            Record::Wish { wish: Wish::Run },
            Record::Restart { why: RestartReason::Unfit },
        ];
        for record in later {
            let comes = matches!(record, Record::Session { .. } | Record::Part { .. });
            let facts = facts(vec![waits(), record]);
            assert_eq!((facts.wait, facts.waits_kept), (None, if comes { 0 } else { 2 }));
        }
    }

    /// What older versions did not write, and newer ones may.
    #[test]
    fn what_need_not_be_there_has_a_default() {
        let line =
            r#"{"r":"upload","id":"1","key":"k","created_unix_ms":1,"target":{"service":"smh"},"source":{},"later":1}"#;
        let Ok(Record::Upload(upload)) = serde_json::from_str(line) else { panic!("no upload") };
        assert_eq!(upload.target, Target::Smh(SmhTarget::default()));
        assert_eq!((upload.conflict, upload.priority, upload.tags.len()), (Conflict::Rename, 0, 0));
        let later = |line: &str| serde_json::from_str::<Record>(line).is_err();
        assert!(later(r#"{"r":"later"}"#) && later(r#"{"part_number":1}"#) && later(r#"{"r":"try"}"#));
    }

    #[test]
    fn its_own_time_is_counted_by_the_clock_that_can_be_believed() {
        const DAY_MS: i64 = 86_400_000;
        const MADE_UNIX_MS: i64 = 1_790_000_000_000;
        let gives_up = |created_unix_ms: i64, unix_ms: i64| {
            let upload = UploadRecord {
                created_unix_ms,
                give_up_after_ms: Some(3 * DAY_MS as u64),
                ..upload(Target::Smh(smh()))
            };
            let at = upload.gives_up_at(Now { tick: Tick(500), unix_ms }).expect("a time");
            at.since_ms(Tick(500)) as i64
        };
        assert_eq!(gives_up(MADE_UNIX_MS, MADE_UNIX_MS), 3 * DAY_MS);
        assert_eq!(gives_up(MADE_UNIX_MS, MADE_UNIX_MS + DAY_MS), 2 * DAY_MS);
        assert_eq!(gives_up(MADE_UNIX_MS, MADE_UNIX_MS + 4 * DAY_MS), 0, "over while no process was there");
        assert_eq!(gives_up(MADE_UNIX_MS, MADE_UNIX_MS - DAY_MS), 3 * DAY_MS, "it can't have been longer");
        // A device that begins at 1970 until the network tells it the time; made, or found again, before that.
        assert_eq!(gives_up(DAY_MS, MADE_UNIX_MS), 3 * DAY_MS);
        assert_eq!(gives_up(DAY_MS, 9 * DAY_MS), 3 * DAY_MS);
        assert_eq!(gives_up(MADE_UNIX_MS, DAY_MS), 3 * DAY_MS);
        let never = UploadRecord { give_up_after_ms: None, ..upload(Target::Smh(smh())) };
        assert_eq!(never.gives_up_at(Now::default()), None);
    }

    #[test]
    fn nothing_of_a_persons_is_printed() {
        let canary = || "canary".to_owned();
        let smh = SmhTarget { path: canary(), library: canary(), user_id: Some(canary()), ..SmhTarget::default() };
        let koo = KooDriveTarget { name: canary(), container: canary(), ..KooDriveTarget::default() };
        for target in [Target::Smh(smh), Target::KooDrive(koo)] {
            let upload = UploadRecord {
                key: canary(),
                source: SourceRecord { path: Some(canary()), token: b"canary".to_vec(), delete_at_end: false },
                group: Some(canary()),
                tags: BTreeMap::from([(canary(), canary())]),
                ..upload(target)
            };
            let printed =
                format!("{:?} {:?} {:?}", upload.target, upload.source, Record::Upload(Box::new(upload.clone())));
            assert!(!printed.contains("canary") && !printed.contains("99, 97, 110"), "{printed}");
        }
    }
}
