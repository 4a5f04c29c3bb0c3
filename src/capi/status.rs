//! How a call ended.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{error_out, partway_error_t};
use crate::error::{Code, ErrorInfo};

/// How a call ended: PARTWAY_OK, PARTWAY_TIMED_OUT, or the number of an error, PARTWAY_ERROR_….
pub type partway_status_t = u32;

/// It was done.
pub const PARTWAY_OK: u32 = 0;
/// The time was over first. This is no error; what the call gives out is there, and says how things are.
pub const PARTWAY_TIMED_OUT: u32 = 1;

/// For a time-out in milliseconds: none.
pub const PARTWAY_FOREVER: u64 = u64::MAX;
/// For a number that is given out: it is not known, or there is none.
pub const PARTWAY_NONE: u64 = u64::MAX;

/// Runs the body of a function: an error is given out, a panic becomes one.
pub(super) fn attempt(
    out_error: *mut *mut partway_error_t,
    body: impl FnOnce() -> Result<(), ErrorInfo>,
) -> partway_status_t {
    attempt_in_time(out_error, || body().map(|()| true))
}

/// The same; `false`: the time was over first.
pub(super) fn attempt_in_time(
    out_error: *mut *mut partway_error_t,
    body: impl FnOnce() -> Result<bool, ErrorInfo>,
) -> partway_status_t {
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(ErrorInfo::new(Code::Bug, "the library panicked inside of this call")));
    let (status, error) = match result {
        Ok(true) => (PARTWAY_OK, None),
        Ok(false) => (PARTWAY_TIMED_OUT, None),
        Err(error) => (error.code.number(), Some(error)),
    };
    error_out(out_error, error);
    status
}

/// For what can't fail: runs it, and lets no panic out.
pub(super) fn harmless<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// What a caller did wrong.
pub(super) fn misuse(detail: &str) -> ErrorInfo {
    ErrorInfo::new(Code::InvalidArgument, detail)
}
