//! What of an upload is kept on disk: one record a line, in the order in which things became true.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Tuning;
use crate::{
    error::ErrorInfo,
    hash::Digester,
    model::{Conflict, Identity, InstantMode, NetworkPolicy, OnChange, PartPlan, Receipt, Target},
    service::{Proof, Session},
};

/// How durable a record must be before what depends on it may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// The write returned: it survives a killed process.
    Process,
    /// It is on the disk: it survives a lost battery.
    Power,
}

/// The upload as it was asked for; the first record of every journal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The host's own notes, at most 1 KiB.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Higher first.
    #[serde(default)]
    pub priority: i8,
    /// When the name is taken.
    #[serde(default)]
    pub conflict: Conflict,
    /// When the bytes changed.
    #[serde(default)]
    pub on_change: OnChange,
    /// Whether to try to have the content recognised.
    #[serde(default)]
    pub instant: InstantMode,
    /// A session that exists already: something else began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Session>,
    /// What is sent is compared with a digest pass, also where the service needs none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verify_source: bool,
    /// The wanted part size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_size_bytes: Option<u64>,
    /// At most so many parts at once; the client's limit without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_parts: Option<u32>,
    /// Which networks it may use.
    #[serde(default)]
    pub network: NetworkPolicy,
    /// Body bytes a second, of this upload; the client's limit alone without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_bytes_per_s: Option<u64>,
    /// So long after it was made it fails, if it has not ended by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give_up_after_ms: Option<u64>,
    /// The ended upload whose proof this one took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

impl UploadRecord {
    /// When it gives up, by the phone's clock.
    pub fn gives_up_unix_ms(&self) -> Option<i64> {
        self.give_up_after_ms.map(|ms| self.created_unix_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }
}

/// How to come by the bytes again.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// A file of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host's own word for it, at most 16 KiB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token: Vec<u8>,
    /// The file is a copy made for this upload: removed at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delete_at_end: bool,
}

impl SourceRecord {
    /// What is to be kept of this in the place of `old`: without a token the old one stays. `None`: it is the same.
    pub(super) fn news_to(&self, old: &SourceRecord) -> Option<SourceRecord> {
        let token = if self.token.is_empty() { &old.token } else { &self.token };
        let new = SourceRecord { token: token.clone(), ..self.clone() };
        (new != *old).then_some(new)
    }
}

/// Why an upload began over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What a cancel could undo at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// The one ending of an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The object exists.
    Completed(Receipt),
    /// It will not.
    Failed(ErrorInfo),
    /// The host did not want it any more.
    Cancelled(Remote),
}

/// What the host wants of an upload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// One line of a journal. Variants and fields are only ever added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        #[serde(with = "decimal")]
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
        #[serde(with = "decimal")]
        crc64: u64,
        /// SHA-256's state words at its end, when the service signs parts with them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
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
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        looked: bool,
    },
    /// Nothing that was sent for the session can make the object any more.
    Settled,
    /// The name is taken; an answer is needed.
    ConflictAsked,
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
            | Record::ConflictAsked
            | Record::Conflict { .. }
            | Record::OnChange { .. }
            | Record::Tuned { .. }
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
                | Record::Source { .. }
        )
    }
}

/// 64-bit checksums as decimal text: JSON readers in other languages round numbers above 2^53.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

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
    use super::*;
    use crate::model::{KooDriveTarget, SmhTarget};

    #[test]
    fn nothing_of_a_persons_is_printed() {
        let canary = || "canary".to_owned();
        let smh = SmhTarget { path: canary(), library: canary(), user_id: Some(canary()), ..SmhTarget::default() };
        let koo = KooDriveTarget { name: canary(), container: canary(), ..KooDriveTarget::default() };
        for target in [Target::Smh(smh), Target::KooDrive(koo)] {
            let upload = UploadRecord {
                id: "1".into(),
                key: canary(),
                created_unix_ms: 0,
                target,
                source: SourceRecord { path: Some(canary()), token: b"canary".to_vec(), delete_at_end: false },
                group: Some(canary()),
                tags: BTreeMap::from([(canary(), canary())]),
                priority: 0,
                conflict: Conflict::default(),
                on_change: OnChange::default(),
                instant: InstantMode::default(),
                verify_source: false,
                part_size_bytes: None,
                adopted: None,
                parallel_parts: None,
                network: NetworkPolicy::default(),
                rate_bytes_per_s: None,
                give_up_after_ms: None,
                continues: None,
            };
            let printed =
                format!("{:?} {:?} {:?}", upload.target, upload.source, Record::Upload(Box::new(upload.clone())));
            assert!(!printed.contains("canary") && !printed.contains("99, 97, 110"), "{printed}");
        }
    }
}
