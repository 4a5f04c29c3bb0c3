//! What the service itself knows of an upload.

use super::number::{int, long};
use crate::client;

/// What a look at the service led to.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum RemoteLook {
    /// There is nothing to ask for: the upload was not begun there, or was made in one request.
    NoSession,
    /// The service does not know it (any more).
    Gone,
    /// This is what it tells.
    Found {
        /// That.
        task: RemoteTask,
    },
}

impl From<client::RemoteLook> for RemoteLook {
    fn from(look: client::RemoteLook) -> RemoteLook {
        match look {
            client::RemoteLook::NoSession => RemoteLook::NoSession,
            client::RemoteLook::Gone => RemoteLook::Gone,
            client::RemoteLook::Found(task) => RemoteLook::Found { task: task.into() },
        }
    }
}

/// What a service tells of an upload, for people. What it does not tell is `null`.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct RemoteTask {
    /// The object was made.
    pub complete: Option<bool>,
    /// When it was begun, by the service's clock.
    pub created_unix_ms: Option<i64>,
    /// The service's own word for the kind of file.
    pub kind: Option<String>,
    /// The service's own word for what happens when the name is taken.
    pub conflict_strategy: Option<String>,
    /// Where the object is or will be, its name last; `null` also when the parent directory is gone.
    pub path: Option<Vec<String>>,
    /// The object's size, where it is told of a finished one.
    pub size_bytes: Option<i64>,
    /// SHA-256 of its content, lower-case hex.
    pub sha256: Option<String>,
    /// The parts that the service has, by number; `null` when it does not list them.
    pub parts: Option<Vec<ListedPart>>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

impl From<client::RemoteTask> for RemoteTask {
    fn from(task: client::RemoteTask) -> RemoteTask {
        let client::RemoteTask {
            complete,
            created_unix_ms,
            kind,
            conflict_strategy,
            path,
            size_bytes,
            sha256,
            parts,
            request_id,
        } = task;
        RemoteTask {
            complete,
            created_unix_ms,
            kind,
            conflict_strategy,
            path,
            size_bytes: size_bytes.map(long),
            sha256,
            parts: parts.map(|parts| parts.into_iter().map(Into::into).collect()),
            request_id,
        }
    }
}

/// A part that the service has.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ListedPart {
    /// From 1.
    pub part_number: i32,
    /// Its size there.
    pub size_bytes: i64,
    /// MD5 of its content in lower-case hex, when the service's tag is one.
    pub md5: Option<String>,
}

impl From<client::ListedPart> for ListedPart {
    fn from(part: client::ListedPart) -> ListedPart {
        let client::ListedPart { part_number, size_bytes, md5 } = part;
        ListedPart { part_number: int(part_number), size_bytes: long(size_bytes), md5 }
    }
}
