//! What a host asks for.

use std::collections::HashMap;

use super::{ErrorInfo, NativeError, NetworkPolicy, Source, Target, number::unsigned_or_none};
use crate::{client, model};

/// One file to one place. Durable once it is started.
#[derive(Clone, uniffi::Record)]
pub struct UploadRequest {
    /// The host's own name for it: the same key again is the same upload (a double tap, a retried worker, an app started again).
    pub key: String,
    /// Where to.
    pub target: Target,
    /// What.
    pub source: Source,
    /// The host's own grouping, such as an album.
    #[uniffi(default = None)]
    pub group: Option<String>,
    /// Comes back in every snapshot, is never logged; at most 1 KiB.
    #[uniffi(default)]
    pub tags: HashMap<String, String>,
    /// Higher first.
    #[uniffi(default)]
    pub priority: i8,
    /// When the name is taken; another name without it.
    #[uniffi(default = None)]
    pub conflict: Option<Conflict>,
    /// When the bytes changed since the upload began; it waits without it.
    #[uniffi(default = None)]
    pub on_change: Option<OnChange>,
    /// Whether to try to have the content recognised; where that is quick without it.
    #[uniffi(default = None)]
    pub instant: Option<InstantMode>,
    /// An upload that another SDK began is continued: what the service has of it is read and compared, the rest is sent.
    #[uniffi(default = None)]
    pub adopt: Option<Adopt>,
    /// Compares what is sent with a digest pass: a second read of the file, for sources whose changes leave no trace.
    #[uniffi(default)]
    pub verify_source: bool,
    /// Every part but the last; refused if it can't work. The service's default, grown to fit, without it.
    #[uniffi(default = None)]
    pub part_size_bytes: Option<i64>,
    /// At most so many parts at once; the client's limit without it.
    #[uniffi(default = None)]
    pub parallel_parts: Option<i32>,
    /// Which networks it may use; every one without it. Refused, unless it is `Any`, by a client that was never told of a network: it would wait for ever.
    #[uniffi(default = None)]
    pub network: Option<NetworkPolicy>,
    /// Body bytes a second, of this upload; beside the client's own limit. 0, or without it: no limit of its own.
    #[uniffi(default = None)]
    pub rate_bytes_per_s: Option<i64>,
    /// So long after the start it fails, if it has not ended by then; without it, it waits for ever, explained.
    #[uniffi(default = None)]
    pub give_up_after_ms: Option<i64>,
}

impl TryFrom<UploadRequest> for client::UploadRequest {
    type Error = NativeError;

    fn try_from(request: UploadRequest) -> Result<client::UploadRequest, NativeError> {
        let standard = client::UploadRequest::new(request.key, request.target.try_into()?, request.source.try_into()?);
        Ok(client::UploadRequest {
            group: request.group,
            tags: request.tags.into_iter().collect(),
            priority: request.priority,
            conflict: request.conflict.map_or(standard.conflict, Into::into),
            on_change: request.on_change.map_or(standard.on_change, Into::into),
            instant: request.instant.map_or(standard.instant, Into::into),
            adopt: request.adopt.map(TryInto::try_into).transpose()?,
            verify_source: request.verify_source,
            part_size_bytes: unsigned_or_none("part_size_bytes", request.part_size_bytes)?,
            parallel_parts: unsigned_or_none("parallel_parts", request.parallel_parts)?,
            network: request.network.map_or(standard.network, Into::into),
            rate_bytes_per_s: unsigned_or_none("rate_bytes_per_s", request.rate_bytes_per_s)?,
            give_up_after_ms: unsigned_or_none("give_up_after_ms", request.give_up_after_ms)?,
            key: standard.key,
            target: standard.target,
            source: standard.source,
        })
    }
}

/// What to do when the name is taken.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Conflict {
    /// Wait for an answer; bytes are not sent again.
    Ask,
    /// Take another name.
    Rename,
    /// Replace the file.
    Overwrite {
        /// Only if it is still this version (SMH: the content CAS tag).
        #[uniffi(default = None)]
        if_version: Option<String>,
    },
    /// Make nothing beside or over what is there: the upload waits for an answer, as with `Ask`. The services' own words for the two differ.
    Refuse,
    /// Keep what is there if it has the same content, else take another name.
    KeepIfSame,
}

impl From<Conflict> for model::Conflict {
    fn from(conflict: Conflict) -> model::Conflict {
        match conflict {
            Conflict::Ask => model::Conflict::Ask,
            Conflict::Rename => model::Conflict::Rename,
            Conflict::Overwrite { if_version } => model::Conflict::Overwrite { if_version },
            Conflict::Refuse => model::Conflict::Refuse,
            Conflict::KeepIfSame => model::Conflict::KeepIfSame,
        }
    }
}

mirror! {
    /// A person's answer to a conflict.
    ConflictChoice of model::ConflictChoice: both {
        /// Take another name.
        Rename,
        /// Replace the file.
        Overwrite,
        /// Keep what is there if it has the same content.
        KeepIfSame,
        /// Cancel the upload.
        Cancel,
    }
}

mirror! {
    /// What to do when the source's bytes changed since the upload began. A changed identity alone means: prove again, keep what is equal.
    OnChange of model::OnChange: into {
        /// Wait for the old bytes, or for another policy; what was sent is kept.
        Fail,
        /// Begin over with the new bytes.
        Restart,
    }
}

mirror! {
    /// Whether to try to have the service recognise the content.
    InstantMode of model::InstantMode: into {
        /// Hash first only when that is quick.
        Auto,
        /// Hash first if a hit needs it.
        Always,
        /// Never.
        Off,
    }
}

/// An upload that something else began.
#[derive(Clone, uniffi::Record)]
pub struct Adopt {
    /// The service's own handle of it (SMH).
    pub confirm_key: String,
    /// How it is cut, if that is known; else it is seen in what the service has.
    #[uniffi(default = None)]
    pub part_size_bytes: Option<i64>,
}

impl TryFrom<Adopt> for client::Adopt {
    type Error = NativeError;

    fn try_from(adopt: Adopt) -> Result<client::Adopt, NativeError> {
        Ok(client::Adopt {
            confirm_key: adopt.confirm_key,
            part_size_bytes: unsigned_or_none("part_size_bytes", adopt.part_size_bytes)?,
        })
    }
}

/// What a start led to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Started {
    /// 26 characters.
    pub id: String,
    /// New, or there already.
    pub how: How,
}

impl From<client::Started> for Started {
    fn from(started: client::Started) -> Started {
        Started { id: started.id, how: started.how.into() }
    }
}

/// Whether a start made something.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
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

impl From<client::How> for How {
    fn from(how: client::How) -> How {
        match how {
            client::How::New => How::New,
            client::How::AlreadyThere => How::AlreadyThere,
            client::How::Continued { from } => How::Continued { from },
        }
    }
}

/// One of many starts.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StartResult {
    /// It is there.
    Started {
        /// It.
        started: Started,
    },
    /// It was refused; the others were not harmed.
    Refused {
        /// Why.
        error: ErrorInfo,
    },
}

/// Which uploads a verb is for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
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

impl From<Select> for client::Select {
    fn from(which: Select) -> client::Select {
        match which {
            Select::One { id } => client::Select::One { id },
            Select::Key { key } => client::Select::Key { key },
            Select::Group { group } => client::Select::Group { group },
            Select::Account { account } => client::Select::Account { account },
            Select::All => client::Select::All,
        }
    }
}

/// What may be changed of an upload under way; only what is given.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Change {
    /// Higher first.
    #[uniffi(default = None)]
    pub priority: Option<i8>,
    /// Which networks it may use; a part that breaks it is stopped at once.
    #[uniffi(default = None)]
    pub network: Option<NetworkPolicy>,
    /// Body bytes a second; 0: no limit of its own.
    #[uniffi(default = None)]
    pub rate_bytes_per_s: Option<i64>,
    /// At most so many parts at once.
    #[uniffi(default = None)]
    pub parallel_parts: Option<i32>,
    /// When the name is taken; answers an open conflict.
    #[uniffi(default = None)]
    pub conflict: Option<Conflict>,
    /// When the bytes changed.
    #[uniffi(default = None)]
    pub on_change: Option<OnChange>,
}

impl TryFrom<Change> for client::Change {
    type Error = NativeError;

    fn try_from(change: Change) -> Result<client::Change, NativeError> {
        Ok(client::Change {
            priority: change.priority,
            network: change.network.map(Into::into),
            rate_bytes_per_s: unsigned_or_none("rate_bytes_per_s", change.rate_bytes_per_s)?,
            parallel_parts: unsigned_or_none("parallel_parts", change.parallel_parts)?,
            conflict: change.conflict.map(Into::into),
            on_change: change.on_change.map(Into::into),
        })
    }
}

mirror! {
    /// What becomes of the uploads of an account that is signed out.
    SignOut of client::SignOut: into {
        /// They wait for the next credential of the account.
        Hold,
        /// They are cancelled.
        Cancel,
    }
}
