//! Errors, given out.

use super::{
    kept::{Keep, free_view, view},
    pointer::Out,
    sized::no_padding,
    text::partway_text_t,
    word,
};
use crate::error::{Category, Code, Disposition, ErrorInfo, Remedy};

/// What went wrong. It holds no token, URL, path or user's name. Read only; free it with partway_error_free, unless it was found in something else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_error_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// The stable number, PARTWAY_ERROR_….
    pub code: u32,
    /// Which part of the world it comes from, PARTWAY_CATEGORY_….
    pub category: u32,
    /// What a program should do, PARTWAY_DISPOSITION_….
    pub disposition: u32,
    /// What a person should do, PARTWAY_REMEDY_…: a key for your translations.
    pub remedy: u32,
    /// The HTTP status behind it; 0: none.
    pub http_status: u32,
    /// Not used.
    pub reserved: u32,
    /// When the service asked to come back, in milliseconds; PARTWAY_NONE: it did not say.
    pub retry_after_ms: u64,
    /// The stable name, such as quota_exceeded.
    pub name: partway_text_t,
    /// For developers: what happened, in one sentence.
    pub detail: partway_text_t,
    /// The service's own word for it.
    pub service_code: partway_text_t,
    /// The service's id of the request, for its support.
    pub request_id: partway_text_t,
    /// One line for a log: PW-number name and what else is known.
    pub log_line: partway_text_t,
}

no_padding!(partway_error_t {
    struct_size,
    code,
    category,
    disposition,
    remedy,
    http_status,
    reserved,
    retry_after_ms,
    name,
    detail,
    service_code,
    request_id,
    log_line
});

pub(super) fn error_view(error: &ErrorInfo, keep: &mut Keep) -> partway_error_t {
    partway_error_t {
        struct_size: size_of::<partway_error_t>(),
        code: error.code.number(),
        category: word::place(Category::ALL, error.category()),
        disposition: word::place(Disposition::ALL, error.disposition()),
        remedy: word::place(Remedy::ALL, error.remedy()),
        http_status: error.http_status.unwrap_or(0).into(),
        reserved: 0,
        retry_after_ms: word::or_none(error.retry_after_ms),
        name: keep.text(error.name()),
        detail: keep.text(&error.detail),
        service_code: keep.some_text(error.service_code.as_deref()),
        request_id: keep.some_text(error.request_id.as_deref()),
        log_line: keep.text(&error.log_line()),
    }
}

/// Puts an error, or NULL for none, where C wants it.
pub(super) fn error_out(out_error: *mut *mut partway_error_t, error: Option<ErrorInfo>) {
    // SAFETY: the header asks for NULL or a place that may be written to.
    let out = unsafe { Out::optional(out_error) };
    if !out_error.is_null() {
        out.put(error.map_or(std::ptr::null_mut(), |error| error_given(&error)));
    }
}

/// Hands an error over to C.
pub(super) fn error_given(error: &ErrorInfo) -> *mut partway_error_t {
    view(|keep| error_view(error, keep))
}

/// Frees an error. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_error_free(error: *mut partway_error_t) {
    // SAFETY: passed on.
    unsafe { free_view(error) }
}

/// What an error number means, in one English sentence for developers; NULL for a number that this version does not know.
///
/// Memory: static, NUL-terminated. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_error_meaning(code: u32) -> *const std::ffi::c_char {
    word::known_code(code).map_or(std::ptr::null(), |code| word::terminated(code.meaning()))
}

/// The stable name of an error number, such as quota_exceeded; NULL for a number that this version does not know.
///
/// Memory: static, NUL-terminated. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_error_name(code: u32) -> *const std::ffi::c_char {
    word::known_code(code).map_or(std::ptr::null(), |code: Code| word::terminated(code.name()))
}
