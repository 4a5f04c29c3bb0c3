//! The bytes to upload.

use std::{ffi::c_char, sync::Arc};

use super::{
    error::partway_error_t,
    pointer::{Opaque, Out, free, given, held_mut},
    reader::{Reader, partway_reader_t},
    status::{attempt, misuse, partway_status_t},
    text::{bytes, required},
    word,
};
use crate::{
    client::{Source, SourceWhat, TOKEN_BYTES_MAX},
    error::ErrorInfo,
};

/// The bytes to upload, and your own word for them. Free it with partway_source_free; what was made with it does not need it any more.
pub struct partway_source_t {
    source: Source,
}

impl Opaque for partway_source_t {
    const NAME: &'static str = "source";
}

impl partway_source_t {
    pub(super) fn offer(&self) -> Result<Source, ErrorInfo> {
        Ok(self.source.clone())
    }
}

fn source_out(
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
    what: impl FnOnce() -> Result<SourceWhat, ErrorInfo>,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: the header asks for NULL or a place that may be written to.
        let out = unsafe { Out::required(out_source, "out_source")? };
        out.put(given(partway_source_t { source: Source { what: what()?, token: vec![] } }));
        Ok(())
    })
}

/// A regular file. It is opened when its turn comes. With delete_at_end it is a copy that was made for this upload, and is removed at its end, also
/// after a kill.
///
/// Memory: the path is copied; free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_new_path(
    path: *const c_char,
    path_len: usize,
    delete_at_end: bool,
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    source_out(out_source, out_error, || {
        // SAFETY: passed on.
        let path = unsafe { required(path, path_len)? };
        Ok(SourceWhat::Path { path: path.into(), delete_at_end })
    })
}

/// A regular file that you opened, or a range of it: size_bytes from offset, or all to its end with PARTWAY_NONE. Its own position is neither used nor
/// moved. It does not outlive the process: after a kill you are asked. owned: the descriptor is the library's once this call returned PARTWAY_OK; else it is
/// duplicated and stays yours. Something that can't be read from the middle, such as a pipe, is refused at the start: PARTWAY_ERROR_SOURCE_NOT_SEEKABLE.
///
/// Memory: free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument, source_unreadable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_new_fd(
    fd: i32,
    owned: bool,
    offset: u64,
    size_bytes: u64,
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    source_out(out_source, out_error, || {
        // SAFETY: the header asks for a descriptor that is open and, when owned, that nobody else closes. It fails for an owned one only before it is taken.
        let offer = unsafe { Source::raw_fd(fd, owned)? };
        Ok(match offer.what {
            SourceWhat::Fd { fd, .. } => SourceWhat::Fd { fd, offset, len_bytes: word::some(size_bytes) },
            other => other,
        })
    })
}

/// Bytes in memory, at most 8 MiB. They do not outlive the process: after a kill you are asked.
///
/// Memory: the bytes are copied; free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_new_memory(
    data: *const u8,
    size: usize,
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    source_out(out_source, out_error, || {
        if size > isize::MAX as usize {
            return Err(misuse("the size can't be"));
        }
        // SAFETY: passed on.
        let bytes = unsafe { bytes(data, size)? };
        Ok(SourceWhat::Memory { bytes: bytes.unwrap_or_default().into() })
    })
}

/// Bytes that you read. The reader does not outlive the process: after a kill you are asked.
///
/// Memory: the table is copied. Its release is called when nothing needs the reader any more, but never when this call fails. Free the source with
/// partway_source_free. Threads: any. Never blocks. Errors: invalid_argument; unsupported for a table of a later version that uses more than this one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_new_reader(
    reader: *const partway_reader_t,
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    source_out(out_source, out_error, || {
        // SAFETY: passed on.
        let reader = unsafe { Reader::read(reader)? };
        Ok(SourceWhat::Reader { reader: Arc::new(reader) })
    })
}

/// Nothing yet: on_source is called when the upload's turn comes. Give it a token.
///
/// Memory: free the source with partway_source_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_new_later(
    out_source: *mut *mut partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    source_out(out_source, out_error, || Ok(SourceWhat::Later))
}

/// Your own word for the source, any bytes, at most 16 KiB: a URI, a bookmark, an id. It comes back when the source must be opened again; it is kept on
/// disk and never logged.
///
/// Memory: the bytes are copied. Threads: nothing else may use the source meanwhile. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_set_token(
    source: *mut partway_source_t,
    token: *const u8,
    token_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (source, token) = unsafe { (held_mut(source)?, bytes(token, token_len)?) };
        let token = token.unwrap_or_default();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(misuse("a source's token has at most 16 KiB"));
        }
        source.source.token = token.to_vec();
        Ok(())
    })
}

/// Frees a source. Uploads that it was given to keep what they need. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_free(source: *mut partway_source_t) {
    // SAFETY: passed on.
    unsafe { free(source) }
}
