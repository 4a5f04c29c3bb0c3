//! How a host names the bytes: what the facade calls a source.

#[cfg(unix)]
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::{path::PathBuf, sync::Arc};

#[cfg(unix)]
use super::FdSource;
use super::{HostReader, MemorySource, PathSource, ReaderSource, Source};
use crate::error::{Code, ErrorInfo};

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
        SourceOffer { what: SourceWhat::Memory { bytes: bytes.into() }, token: vec![] }
    }

    /// What the host reads itself.
    pub fn reader(reader: Arc<dyn HostReader>) -> SourceOffer {
        SourceOffer { what: SourceWhat::Reader { reader }, token: vec![] }
    }

    /// What the host opens when its turn comes; `token` is the host's own word for it.
    pub fn later(token: impl Into<Vec<u8>>) -> SourceOffer {
        SourceOffer { what: SourceWhat::Later, token: token.into() }
    }

    /// The whole of a regular file that is open for reading. The descriptor is ours from here on, and closed when the upload ends.
    #[cfg(unix)]
    pub fn fd(fd: OwnedFd) -> SourceOffer {
        SourceOffer { what: SourceWhat::Fd { fd: Arc::new(fd), offset: 0, len_bytes: None }, token: vec![] }
    }

    /// The same with a duplicate (close-on-exec): the caller's own stays the caller's and may be closed at any time.
    #[cfg(unix)]
    pub fn duplicate(fd: BorrowedFd<'_>) -> Result<SourceOffer, ErrorInfo> {
        fd.try_clone_to_owned().map(SourceOffer::fd).map_err(|error| super::file::fault("duplicating", &error))
    }

    /// The same by its number, for the faces of other languages. `owned`: it is ours from here on, also when this fails; else it is duplicated.
    ///
    /// # Safety
    ///
    /// `fd` is open, and when `owned` nobody else closes it.
    #[cfg(unix)]
    #[allow(unsafe_code)]
    pub unsafe fn raw_fd(fd: i32, owned: bool) -> Result<SourceOffer, ErrorInfo> {
        if fd < 0 {
            return Err(ErrorInfo::new(Code::InvalidArgument, "that is no descriptor"));
        }
        if owned {
            // SAFETY: the caller promises that it is open and that nobody else will close it.
            return Ok(SourceOffer::fd(unsafe { OwnedFd::from_raw_fd(fd) }));
        }
        // SAFETY: the caller promises that it is open; it is borrowed for this call alone.
        SourceOffer::duplicate(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Whether the next process finds it by what the journal keeps, or asks for it when its turn comes.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self.what, SourceWhat::Path { .. } | SourceWhat::Later)
    }

    /// Keeps the host's own word with it.
    #[must_use]
    pub fn with_token(self, token: impl Into<Vec<u8>>) -> SourceOffer {
        SourceOffer { token: token.into(), ..self }
    }
}

impl SourceWhat {
    /// Opens it. What the host has to open first is `source_not_found`.
    pub fn open(&self) -> Result<Arc<dyn Source>, ErrorInfo> {
        Ok(match self {
            SourceWhat::Path { path, .. } => Arc::new(PathSource::open(path)?),
            #[cfg(unix)]
            SourceWhat::Fd { fd, offset, len_bytes } => Arc::new(FdSource::duplicate(fd.as_fd(), *offset, *len_bytes)?),
            SourceWhat::Memory { bytes } => Arc::new(MemorySource::new(bytes.clone())?),
            SourceWhat::Reader { reader } => Arc::new(ReaderSource::new(reader.clone())?),
            SourceWhat::Later => {
                return Err(ErrorInfo::new(Code::SourceNotFound, "the source has to be opened by the host"));
            }
        })
    }
}

/// The kinds of sources.
#[derive(Clone)]
pub enum SourceWhat {
    /// A regular file.
    Path {
        /// Absolute, or it is made so when the upload starts.
        path: PathBuf,
        /// It is a copy made for this upload: removed at the end, also after a kill, as long as no other file has taken its place. That of a failed upload
        /// goes when the upload is forgotten, for it may be begun again.
        delete_at_end: bool,
    },
    /// A regular file that the host opened, or a range of it. It does not outlive the process: after a kill the host is asked. A queued upload holds it.
    #[cfg(unix)]
    Fd {
        /// It; closed when the last upload that holds it has ended.
        fd: Arc<OwnedFd>,
        /// Where the range begins.
        offset: u64,
        /// How long it is; to the file's end without it.
        len_bytes: Option<u64>,
    },
    /// Bytes in memory, at most 8 MiB. They do not outlive the process: after a kill the host is asked. A queued upload holds them.
    Memory {
        /// Them.
        bytes: Arc<[u8]>,
    },
    /// The host reads. It does not outlive the process: after a kill the host is asked.
    Reader {
        /// It.
        reader: Arc<dyn HostReader>,
    },
    /// The host is asked when its turn comes.
    Later,
}
