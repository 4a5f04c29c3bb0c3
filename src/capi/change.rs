//! What may be changed of uploads under way.

use std::ffi::c_char;

use super::{
    error::partway_error_t,
    pointer::{Opaque, free, given, held_mut},
    status::{attempt, misuse, partway_status_t},
    target::fit,
    text::text,
    word,
};
use crate::{
    client::Change,
    error::{Code, ErrorInfo},
    model::Conflict,
};

/// Change, number: -128 to 127, higher first.
pub const PARTWAY_CHANGE_PRIORITY: u32 = 1;
/// Change, number: at most so many parts at once.
pub const PARTWAY_CHANGE_PARALLEL_PARTS: u32 = 2;
/// Change, number: when the name is taken, PARTWAY_CONFLICT_…; answers an open conflict.
pub const PARTWAY_CHANGE_CONFLICT: u32 = 3;
/// Change, text: beside PARTWAY_CONFLICT_OVERWRITE: only if it is still this version.
pub const PARTWAY_CHANGE_IF_VERSION: u32 = 4;
/// Change, number: when the bytes changed, PARTWAY_ON_CHANGE_….
pub const PARTWAY_CHANGE_ON_CHANGE: u32 = 5;
/// Change, number: which networks it may use, PARTWAY_NETWORK_POLICY_…; a part that breaks it is stopped at once.
pub const PARTWAY_CHANGE_NETWORK_POLICY: u32 = 6;
/// Change, number: bytes a second; 0: no limit of its own.
pub const PARTWAY_CHANGE_RATE_BYTES_PER_S: u32 = 7;

/// What to change of uploads under way: only what is set. Free it with partway_change_free. As a request it remembers the first field that was refused.
#[derive(Default)]
pub struct partway_change_t {
    change: Change,
    if_version: Option<String>,
    fault: Option<ErrorInfo>,
}

impl Opaque for partway_change_t {
    const NAME: &'static str = "change";
}

impl partway_change_t {
    pub(super) fn build(&self) -> Result<Change, ErrorInfo> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut change = self.change.clone();
        if let Some(version) = &self.if_version {
            match &mut change.conflict {
                Some(Conflict::Overwrite { if_version }) => *if_version = Some(version.clone()),
                _ => return Err(misuse("a version to replace needs PARTWAY_CONFLICT_OVERWRITE")),
            }
        }
        Ok(change)
    }

    fn set_number(&mut self, field: u32, number: i64) -> Result<(), ErrorInfo> {
        let change = &mut self.change;
        match field {
            PARTWAY_CHANGE_PRIORITY => change.priority = Some(fit(number)?),
            PARTWAY_CHANGE_PARALLEL_PARTS => change.parallel_parts = Some(fit(number)?),
            PARTWAY_CHANGE_CONFLICT => {
                change.conflict = Some(word::value(word::CONFLICTS, number, "PARTWAY_CONFLICT_…")?);
            }
            PARTWAY_CHANGE_ON_CHANGE => {
                change.on_change = Some(word::value(word::ON_CHANGES, number, "PARTWAY_ON_CHANGE_…")?);
            }
            PARTWAY_CHANGE_NETWORK_POLICY => {
                change.network = Some(word::value(word::POLICIES, number, "PARTWAY_NETWORK_POLICY_…")?);
            }
            PARTWAY_CHANGE_RATE_BYTES_PER_S => change.rate_bytes_per_s = Some(fit(number)?),
            other => return Err(unknown(other)),
        }
        Ok(())
    }

    fn set_text(&mut self, field: u32, text: Option<&str>) -> Result<(), ErrorInfo> {
        match field {
            PARTWAY_CHANGE_IF_VERSION => self.if_version = text.map(str::to_owned),
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

fn unknown(field: u32) -> ErrorInfo {
    ErrorInfo::new(Code::Unsupported, format!("field {field} is none of a change, or of another kind"))
}

/// # Safety
/// As [`held_mut`].
unsafe fn set(
    change: *mut partway_change_t,
    out_error: *mut *mut partway_error_t,
    how: impl FnOnce(&mut partway_change_t) -> Result<(), ErrorInfo>,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let change = unsafe { held_mut(change)? };
        how(change).inspect_err(|error| {
            change.fault.get_or_insert_with(|| error.clone());
        })
    })
}

/// A change of nothing yet; never NULL.
///
/// Memory: free it with partway_change_free. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub extern "C" fn partway_change_new() -> *mut partway_change_t {
    given(partway_change_t::default())
}

/// Sets a field that is a number or a word of a list.
///
/// Threads: nothing else may use the change meanwhile. Never blocks. Errors: invalid_argument; unsupported for a field that is not known or no number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_change_set_number(
    change: *mut partway_change_t,
    field: u32,
    number: i64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(change, out_error, |change| change.set_number(field, number)) }
}

/// Sets a field that is a text. NULL is none.
///
/// Memory: the text is copied. Threads: nothing else may use the change meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a field that is not known or no text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_change_set_text(
    change: *mut partway_change_t,
    field: u32,
    data: *const c_char,
    len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(change, out_error, |change| change.set_text(field, text(data, len)?)) }
}

/// Frees a change. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_change_free(change: *mut partway_change_t) {
    // SAFETY: passed on.
    unsafe { free(change) }
}
