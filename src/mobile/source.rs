//! The bytes to upload, and the question for them.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::{
    ErrorInfo, HostError, NativeError,
    error::heard,
    number::{floored, unsigned, unsigned_or_none},
};
use crate::{
    client,
    error::{Code, ErrorInfo as Error},
};

/// The bytes to upload, and the host's own word for them.
#[derive(Clone, uniffi::Record)]
pub struct Source {
    /// How to come by them now.
    pub what: SourceWhat,
    /// URI text, bookmark, asset id: given back when the source must be opened again. At most 16 KiB; kept on the device, never logged.
    #[uniffi(default)]
    pub token: Vec<u8>,
}

/// The kinds of sources.
#[derive(Clone, uniffi::Enum)]
pub enum SourceWhat {
    /// A regular file.
    Path {
        /// Absolute, or it is made so when the upload starts.
        path: String,
        /// It is a copy made for this upload: removed at the end, also after a kill.
        #[uniffi(default)]
        delete_at_end: bool,
    },
    /// A regular file that the host opened, or a range of it. It does not outlive the process: after a kill the host is asked.
    Fd {
        /// Its descriptor, open for reading; not seekable is refused.
        fd: i32,
        /// The library's from here on, and closed by it; else it is duplicated at once.
        #[uniffi(default)]
        owned: bool,
        /// Where the range begins.
        #[uniffi(default)]
        offset: i64,
        /// How long it is; to the file's end without it.
        #[uniffi(default = None)]
        size_bytes: Option<i64>,
    },
    /// Bytes in memory, at most 8 MiB. They do not outlive the process: after a kill the host is asked.
    Memory {
        /// Them.
        bytes: Vec<u8>,
    },
    /// The host reads. It does not outlive the process: after a kill the host is asked.
    Reader {
        /// It.
        reader: Arc<dyn SourceReader>,
    },
    /// The host is asked when its turn comes.
    Later,
}

impl TryFrom<Source> for client::Source {
    type Error = NativeError;

    fn try_from(source: Source) -> Result<client::Source, NativeError> {
        let what = match source.what {
            SourceWhat::Path { path, delete_at_end } => {
                client::SourceWhat::Path { path: PathBuf::from(path), delete_at_end }
            }
            SourceWhat::Fd { fd, owned, offset, size_bytes } => open_file(fd, owned, offset, size_bytes)?,
            SourceWhat::Memory { bytes } => client::SourceWhat::Memory { bytes: bytes.into() },
            SourceWhat::Reader { reader } => client::SourceWhat::Reader { reader: Arc::new(Reader(reader)) },
            SourceWhat::Later => client::SourceWhat::Later,
        };
        Ok(client::Source { what, token: source.token })
    }
}

#[cfg(unix)]
fn open_file(fd: i32, owned: bool, from: i64, size_bytes: Option<i64>) -> Result<client::SourceWhat, NativeError> {
    // Taken first: an owned one is closed also when the rest is refused.
    // SAFETY: a number is all that these languages have of a descriptor. That it is open, and ours alone when `owned`, is what the host promises in
    // `SourceWhat::Fd`; a wrong number reads another file of the host's or none, and no memory.
    let source = unsafe { client::Source::raw_fd(fd, owned) }?;
    Ok(match source.what {
        client::SourceWhat::Fd { fd, .. } => client::SourceWhat::Fd {
            fd,
            offset: unsigned("offset", from)?,
            len_bytes: unsigned_or_none("size_bytes", size_bytes)?,
        },
        other => other,
    })
}

#[cfg(not(unix))]
fn open_file(_: i32, _: bool, _: i64, _: Option<i64>) -> Result<client::SourceWhat, NativeError> {
    Err(Error::new(Code::Unsupported, "this system has no descriptors").into())
}

/// What a host implements when its bytes are no file. Called on threads of the library.
#[uniffi::export(foreign)]
pub trait SourceReader: Send + Sync {
    /// The whole length in bytes, now.
    fn length_bytes(&self) -> Result<i64, HostError>;

    /// At most `bytes_max` bytes from `offset`. Fewer are normal, none means that the source has become shorter than its length. The same offset may be asked
    /// for again.
    fn read_at(&self, offset: i64, bytes_max: i32) -> Result<Vec<u8>, HostError>;

    /// True when several threads may read at once; else they wait for each other.
    fn concurrent(&self) -> Result<bool, HostError>;
}

/// The host's reader as the facade sees it.
struct Reader(Arc<dyn SourceReader>);

impl Reader {
    fn unreadable(error: HostError) -> Error {
        let HostError::Failed { detail } = error;
        Error::new(Code::SourceUnreadable, detail)
    }
}

impl client::HostReader for Reader {
    fn len(&self) -> Result<u64, Error> {
        let length = self.0.length_bytes().map_err(Reader::unreadable)?;
        u64::try_from(length).map_err(|_| Error::new(Code::SourceUnreadable, "the host's reader has a negative length"))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, Error> {
        let offset =
            i64::try_from(offset).map_err(|_| Error::new(Code::SourceTooLarge, "the offset is past 2^63 bytes"))?;
        let bytes_max = i32::try_from(buf.len()).unwrap_or(i32::MAX);
        let bytes = self.0.read_at(offset, bytes_max).map_err(Reader::unreadable)?;
        match buf.get_mut(..bytes.len()) {
            Some(room) => {
                room.copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            None => Err(Error::new(Code::SourceUnreadable, "the host's reader gave more than was asked for")),
        }
    }

    fn concurrent(&self) -> bool {
        self.0.concurrent().unwrap_or(false)
    }
}

/// Opens sources. Called on a thread of the library.
#[uniffi::export(foreign)]
pub trait SourceProvider: Send + Sync {
    /// Answer `ask` now or later, from any thread. Throwing is "it can't be had".
    fn open(&self, ask: Arc<SourceAsk>) -> Result<(), HostError>;
}

/// A question for a source. The first answer counts, the others are ignored; freed unanswered it is "it can't be had".
#[derive(uniffi::Object)]
pub struct SourceAsk {
    ask: client::SourceAsk,
}

#[uniffi::export]
impl SourceAsk {
    /// Of which upload. No I/O.
    pub fn upload_id(&self) -> String {
        self.ask.upload_id().to_owned()
    }

    /// The host's own name for it. No I/O.
    pub fn key(&self) -> String {
        self.ask.key().to_owned()
    }

    /// The host's own word for the source. No I/O.
    pub fn token(&self) -> Vec<u8> {
        self.ask.token().to_vec()
    }

    /// The host's own notes of the upload. No I/O.
    pub fn tags(&self) -> HashMap<String, String> {
        self.ask.tags().clone().into_iter().collect()
    }

    /// Why it could not be opened without the host. No I/O.
    pub fn why(&self) -> ErrorInfo {
        self.ask.why().clone().into()
    }

    /// Here it is. Another identity with the same bytes goes on where the upload was. No I/O.
    pub fn supply(&self, source: Source) -> Result<(), NativeError> {
        self.ask.supply(source.try_into()?);
        Ok(())
    }

    /// It comes, such as from the cloud: so much of it is here, 0 to 1. Shown in snapshots; the next 60 s begin. No I/O.
    pub fn preparing(&self, fraction: f32) {
        self.ask.preparing(fraction);
    }

    /// Not now: the upload waits, to be asked for again after so long, or else until a source is attached or it is resumed. No I/O.
    #[uniffi::method(default(retry_in_ms = None))]
    pub fn later(&self, retry_in_ms: Option<i64>) {
        self.ask.later(retry_in_ms.map(floored));
    }

    /// It can't be had: the upload waits until a source is attached or it is resumed. No I/O.
    pub fn gone(&self) {
        self.ask.gone();
    }
}

/// The host's provider as the facade sees it.
pub(super) struct Provider(pub(super) Arc<dyn SourceProvider>);

impl client::SourceProvider for Provider {
    fn open(&self, ask: client::SourceAsk) {
        heard(self.0.open(Arc::new(SourceAsk { ask })));
    }
}
