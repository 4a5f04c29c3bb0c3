//! What can go wrong with a journal, and what was done about it.

use std::io::{self, ErrorKind};

use crate::error::{Code, ErrorInfo};

/// Why a journal could not be opened for appending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenFault {
    /// Another handle, of this process or of another, has it open.
    InUse {
        /// The process that holds it, when it said so.
        pid: Option<u32>,
    },
    /// It is damaged before its last line. It was renamed, never deleted, and is no longer listed.
    Corrupt {
        /// The name that it has now, in the state directory.
        kept_as: String,
    },
    /// A newer version wrote it. It was left as it is.
    Version {
        /// The version that its header names; our own when the header is ours and a record is of a kind that we don't know.
        found: u32,
    },
    /// There is no such journal.
    Gone,
    /// The disk refused.
    Io(ErrorInfo),
}

/// Why a journal could not be read. Reading changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// It is damaged before its last line.
    Corrupt,
    /// A newer version wrote it.
    Version {
        /// As in [`OpenFault::Version`].
        found: u32,
    },
    /// There is no such journal.
    Gone,
    /// The disk refused.
    Io(ErrorInfo),
}

/// What opening had to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes after the last good line that were cut off; 0 after a clean end.
    pub cut_bytes: u64,
    /// True when this file system knows no locks: nothing keeps a second process away.
    pub unlocked: bool,
}

impl From<OpenFault> for ErrorInfo {
    fn from(fault: OpenFault) -> ErrorInfo {
        match fault {
            OpenFault::InUse { pid: Some(pid) } => {
                ErrorInfo::new(Code::InUse, format!("process {pid} has the journal open"))
            }
            OpenFault::InUse { pid: None } => ErrorInfo::new(Code::InUse, "another handle has the journal open"),
            OpenFault::Corrupt { kept_as } => {
                ErrorInfo::new(Code::JournalCorrupt, format!("the journal is damaged; it is kept as {kept_as}"))
            }
            OpenFault::Version { found } => ReadFault::Version { found }.into(),
            OpenFault::Gone => ReadFault::Gone.into(),
            OpenFault::Io(error) => error,
        }
    }
}

impl From<ReadFault> for ErrorInfo {
    fn from(fault: ReadFault) -> ErrorInfo {
        match fault {
            ReadFault::Corrupt => ErrorInfo::new(Code::JournalCorrupt, "the journal is damaged"),
            ReadFault::Version { found } => {
                ErrorInfo::new(Code::JournalVersion, format!("the journal is of version {found} or newer"))
            }
            ReadFault::Gone => ErrorInfo::new(Code::UnknownUpload, "there is no journal of that id"),
            ReadFault::Io(error) => error,
        }
    }
}

impl From<ErrorInfo> for OpenFault {
    fn from(error: ErrorInfo) -> OpenFault {
        OpenFault::Io(error)
    }
}

/// The error of a failed call on a file of the state directory. By kind and number: the text of a system's error may hold a path.
pub(super) fn io_error(what: &'static str, error: &io::Error) -> ErrorInfo {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
        ErrorKind::ReadOnlyFilesystem
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => Code::StateDirUnusable,
        _ => Code::JournalUnwritable,
    };
    let number = error.raw_os_error().map(|number| format!(", error {number}")).unwrap_or_default();
    ErrorInfo::new(code, format!("{what} failed: {}{number}", error.kind()))
}
