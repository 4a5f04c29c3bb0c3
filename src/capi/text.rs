//! Texts, both ways.

use std::ffi::c_char;

use super::{sized::no_padding, status::misuse};
use crate::error::ErrorInfo;

/// A text or bytes that are given out. `data` is NULL when there is none. After the last byte there is a NUL that `len` does not count.
/// Valid as long as what it was found in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_text_t {
    /// The bytes: UTF-8, unless the comment says otherwise.
    pub data: *const c_char,
    /// How many.
    pub len: usize,
}

no_padding!(partway_text_t { data, len });

impl partway_text_t {
    pub(super) const NONE: partway_text_t = partway_text_t { data: std::ptr::null(), len: 0 };
}

/// As a length: the text ends at its NUL.
pub(super) const NUL_TERMINATED: usize = usize::MAX;

/// A text that C gave; NULL is none.
///
/// # Safety
/// `data` is NULL, or `len` bytes from it may be read, or up to a NUL when `len` is [`NUL_TERMINATED`], until `'a` ends.
pub(super) unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<Option<&'a str>, ErrorInfo> {
    // SAFETY: passed on.
    let Some(bytes) = (unsafe { bytes(data.cast(), len) })? else { return Ok(None) };
    std::str::from_utf8(bytes).map(Some).map_err(|_| misuse("the text is not UTF-8"))
}

/// A text that must be there.
///
/// # Safety
/// As [`text`].
pub(super) unsafe fn required<'a>(data: *const c_char, len: usize) -> Result<&'a str, ErrorInfo> {
    // SAFETY: passed on.
    unsafe { text(data, len) }?.ok_or_else(|| misuse("the text is NULL"))
}

/// Bytes that C gave; NULL is none.
///
/// # Safety
/// As [`text`].
pub(super) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<Option<&'a [u8]>, ErrorInfo> {
    if data.is_null() {
        return if len == 0 || len == NUL_TERMINATED { Ok(None) } else { Err(misuse("NULL with a length")) };
    }
    if len == NUL_TERMINATED {
        // SAFETY: not NULL, and by the contract it ends with a NUL.
        return Ok(Some(unsafe { std::ffi::CStr::from_ptr(data.cast()) }.to_bytes()));
    }
    if isize::try_from(len).is_err() {
        return Err(misuse("the length can't be"));
    }
    // SAFETY: not NULL, `len` bytes may be read by the contract, and no object is larger than `isize::MAX`.
    Ok(Some(unsafe { std::slice::from_raw_parts(data, len) }))
}
