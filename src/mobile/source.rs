//! The bytes to upload, and the question for them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use super::{ErrorInfo, HostError};
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

impl From<Source> for client::Source {
    fn from(source: Source) -> client::Source {
        let what = match source.what {
            SourceWhat::Path { path, delete_at_end } => {
                client::SourceWhat::Path { path: PathBuf::from(path), delete_at_end }
            }
            SourceWhat::Memory { bytes } => client::SourceWhat::Memory { bytes },
            SourceWhat::Reader { reader } => client::SourceWhat::Reader { reader: Arc::new(Reader(reader)) },
            SourceWhat::Later => client::SourceWhat::Later,
        };
        client::Source { what, token: source.token }
    }
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
    upload_id: String,
    key: String,
    token: Vec<u8>,
    why: ErrorInfo,
    ask: Mutex<Option<client::SourceAsk>>,
}

impl SourceAsk {
    fn take(&self) -> Option<client::SourceAsk> {
        self.ask.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[uniffi::export]
impl SourceAsk {
    /// Of which upload. No I/O.
    pub fn upload_id(&self) -> String {
        self.upload_id.clone()
    }

    /// The host's own name for it. No I/O.
    pub fn key(&self) -> String {
        self.key.clone()
    }

    /// The host's own word for the source. No I/O.
    pub fn token(&self) -> Vec<u8> {
        self.token.clone()
    }

    /// Why it could not be opened without the host. No I/O.
    pub fn why(&self) -> ErrorInfo {
        self.why.clone()
    }

    /// Here it is. Another identity with the same bytes goes on where the upload was. No I/O.
    pub fn supply(&self, source: Source) {
        if let Some(ask) = self.take() {
            ask.supply(source.into());
        }
    }

    /// It can't be had: the upload waits until a source is attached or it is resumed. No I/O.
    pub fn gone(&self) {
        if let Some(ask) = self.take() {
            ask.gone();
        }
    }
}

/// The host's provider as the facade sees it.
pub(super) struct Provider(pub(super) Arc<dyn SourceProvider>);

impl client::SourceProvider for Provider {
    fn open(&self, ask: client::SourceAsk) {
        let ask = Arc::new(SourceAsk {
            upload_id: ask.upload_id().to_owned(),
            key: ask.key().to_owned(),
            token: ask.token().to_vec(),
            why: ask.why().clone().into(),
            ask: Mutex::new(Some(ask)),
        });
        if self.0.open(ask.clone()).is_err() {
            ask.gone();
        }
    }
}
