//! What a host asks for.

use std::collections::BTreeMap;

use super::Source;
use crate::model::{Conflict, InstantMode, NetworkPolicy, OnChange, Target};

/// One file to one place. Durable once [`Client::start`](super::Client::start) returned.
#[derive(Clone)]
pub struct UploadRequest {
    /// The host's own name for it: the same key again is the same upload (a double tap, a retried worker, an app started again).
    pub key: String,
    /// Where to.
    pub target: Target,
    /// What.
    pub source: Source,
    /// The host's own grouping, such as an album.
    pub group: Option<String>,
    /// Comes back in every snapshot, is never logged; at most [`TAGS_BYTES_MAX`].
    pub tags: BTreeMap<String, String>,
    /// Higher first; 0 by default.
    pub priority: i8,
    /// When the name is taken.
    pub conflict: Conflict,
    /// When the bytes changed since the upload began.
    pub on_change: OnChange,
    /// Whether to try to have the content recognised.
    pub instant: InstantMode,
    /// An upload that another SDK began is continued: what the service has of it is read and compared, the rest is sent.
    pub adopt: Option<Adopt>,
    /// Compares what is sent with a digest pass: a second read of the file, for sources whose changes leave no trace.
    pub verify_source: bool,
    /// Every part but the last; refused if it can't work. The service's default, grown to fit, without it.
    pub part_size_bytes: Option<u64>,
    /// At most so many parts at once; the client's limit without it.
    pub parallel_parts: Option<u32>,
    /// Which networks it may use. Refused, unless it is `Any`, by a client that was never told of a network: it would wait for ever.
    pub network: NetworkPolicy,
    /// Body bytes a second, of this upload; beside the client's own limit. 0, or without it: no limit of its own.
    pub rate_bytes_per_s: Option<u64>,
    /// So long after the start it fails (`gave_up`), if it has not ended by then; without it, it waits for ever, explained.
    pub give_up_after_ms: Option<u64>,
}

impl UploadRequest {
    /// With everything else as by default.
    pub fn new(key: impl Into<String>, target: Target, source: Source) -> Self {
        UploadRequest {
            key: key.into(),
            target,
            source,
            group: None,
            tags: BTreeMap::new(),
            priority: 0,
            conflict: Conflict::default(),
            on_change: OnChange::default(),
            instant: InstantMode::default(),
            verify_source: false,
            adopt: None,
            part_size_bytes: None,
            parallel_parts: None,
            network: NetworkPolicy::default(),
            rate_bytes_per_s: None,
            give_up_after_ms: None,
        }
    }
}

/// An upload that something else began.
#[derive(Clone, PartialEq, Eq)]
pub struct Adopt {
    /// The service's own handle of it (SMH).
    pub confirm_key: String,
    /// How it is cut, if that is known; else it is seen in what the service has.
    pub part_size_bytes: Option<u64>,
}

/// The greatest size of an upload's tags, keys and values together.
pub const TAGS_BYTES_MAX: usize = 1 << 10;
/// The greatest size of a key.
pub const KEY_BYTES_MAX: usize = 1 << 10;

/// What a start led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// 26 characters.
    pub id: String,
    /// New, or there already.
    pub how: How,
}

/// Whether a start made something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// A new upload.
    New,
    /// The key was known: nothing was made, the upload that there is goes on. Its ending may be waiting to be taken.
    AlreadyThere,
    /// A new upload that took over what an ended one had proven.
    Continued {
        /// That one; it is gone.
        from: String,
    },
}

/// Which uploads a verb is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Select {
    /// One.
    One {
        /// Its id.
        id: String,
    },
    /// One.
    Key {
        /// The host's name for it.
        key: String,
    },
    /// Those of a group.
    Group {
        /// Which.
        group: String,
    },
    /// Those of an account.
    Account {
        /// Which.
        account: String,
    },
    /// All.
    All,
}

/// What may be changed of an upload under way; only what is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Higher first.
    pub priority: Option<i8>,
    /// Which networks it may use; a part that breaks it is stopped at once.
    pub network: Option<NetworkPolicy>,
    /// Body bytes a second; 0: no limit of its own.
    pub rate_bytes_per_s: Option<u64>,
    /// At most so many parts at once.
    pub parallel_parts: Option<u32>,
    /// When the name is taken; answers an open conflict.
    pub conflict: Option<Conflict>,
    /// When the bytes changed.
    pub on_change: Option<OnChange>,
}

/// What becomes of the uploads of an account that is signed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOut {
    /// They wait for the next credential of the account.
    Hold,
    /// They are cancelled.
    Cancel,
}
