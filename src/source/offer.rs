//! How a host names the bytes: what the facade calls a source.

use std::{path::PathBuf, sync::Arc};

use super::HostReader;

/// The greatest size of a source's token.
pub const TOKEN_BYTES_MAX: usize = 16 << 10;

/// The bytes to upload, and the host's own word for them.
#[derive(Clone)]
pub struct SourceOffer {
    /// How to come by them now.
    pub what: SourceWhat,
    /// URI text, bookmark, asset id: given back when the source must be opened again. At most [`TOKEN_BYTES_MAX`]; kept, never logged.
    pub token: Vec<u8>,
}

impl SourceOffer {
    /// A file of this device.
    pub fn path(path: impl Into<PathBuf>) -> SourceOffer {
        SourceOffer { what: SourceWhat::Path { path: path.into(), delete_at_end: false }, token: vec![] }
    }

    /// Bytes in memory, at most 8 MiB.
    pub fn memory(bytes: Vec<u8>) -> SourceOffer {
        SourceOffer { what: SourceWhat::Memory { bytes }, token: vec![] }
    }
}

/// The kinds of sources.
#[derive(Clone)]
pub enum SourceWhat {
    /// A regular file.
    Path {
        /// Absolute, or it is made so when the upload starts.
        path: PathBuf,
        /// It is a copy made for this upload: removed at the end, also after a kill.
        delete_at_end: bool,
    },
    /// Bytes in memory, at most 8 MiB. They do not outlive the process: after a kill the host is asked.
    Memory {
        /// Them.
        bytes: Vec<u8>,
    },
    /// The host reads. It does not outlive the process: after a kill the host is asked.
    Reader {
        /// It.
        reader: Arc<dyn HostReader>,
    },
    /// The host is asked when its turn comes.
    Later,
}
