//! What a host sees of an upload: one value.

use std::collections::BTreeMap;

use crate::{
    engine::{Progress, State},
    model::{NetworkPolicy, ServiceName},
};

/// Everything about one upload at one moment.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    /// 26 characters.
    pub id: String,
    /// The host's own name for it.
    pub key: String,
    /// The host's own grouping.
    pub group: Option<String>,
    /// The host's own notes.
    pub tags: BTreeMap<String, String>,
    /// Which service it goes to.
    pub service: ServiceName,
    /// The account whose credential it uses.
    pub account: String,
    /// Where to, for people: never for a log.
    pub destination: String,
    /// Which networks it may use.
    pub network: NetworkPolicy,
    /// Grows with every change within one process: a late callback can be told from a new one.
    pub revision: u64,
    /// Where it stands.
    pub state: State,
    /// How far it is.
    pub progress: Progress,
    /// When it was started, by the phone's clock.
    pub created_unix_ms: i64,
    /// When its state changed last, by the phone's clock.
    pub changed_unix_ms: i64,
}

/// What a scheduler needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle {
    /// Nothing works, and no upload has a lock or a connection.
    pub at_rest: bool,
    /// Uploads that work, or will by themselves soon.
    pub active: u32,
    /// Uploads in line.
    pub queued: u32,
    /// What is left to send of all that are not ended, as far as it is known.
    pub bytes_remaining: u64,
    /// When something will be tried again, at the earliest.
    pub next_wake_ms: Option<u64>,
    /// The mildest policy that would let something go on by itself: what network a scheduler should ask for.
    pub wants: NetworkPolicy,
    /// Uploads that only the host or a person can move.
    pub waiting_for_person: u32,
}

/// Key, tags, account and destination are the host's and a person's own: not printed.
impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("id", &self.id)
            .field("service", &self.service)
            .field("revision", &self.revision)
            .field("state", &self.state)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
