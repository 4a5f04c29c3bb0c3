//! What a host asks for.

use std::ffi::c_char;

use super::{
    error::partway_error_t,
    pointer::{Opaque, Out, free, given, held, held_mut},
    source::partway_source_t,
    status::{attempt, misuse, partway_status_t},
    target::{add_pair, fit, new_target, set_number, set_text},
    text::{required, text},
    word,
};
use crate::{
    client::{Adopt, Source, SourceWhat, UploadRequest},
    error::ErrorInfo,
    model::Conflict,
};

/// Request, text: your own name for the upload, 1 to 1024 bytes. The same key again is the same upload, also in the next process.
pub const PARTWAY_REQUEST_KEY: u32 = 1;
/// Request, text: your own grouping, such as an album.
pub const PARTWAY_REQUEST_GROUP: u32 = 2;
/// Request, pair: your own notes, at most 1 KiB in all; each call adds one. They come back in every snapshot and are never logged.
pub const PARTWAY_REQUEST_TAG: u32 = 3;
/// Request, number: -128 to 127, higher first; 0 by default.
pub const PARTWAY_REQUEST_PRIORITY: u32 = 4;
/// Request, number: when the name is taken, PARTWAY_CONFLICT_….
pub const PARTWAY_REQUEST_CONFLICT: u32 = 5;
/// Request, text: beside PARTWAY_CONFLICT_OVERWRITE: only if it is still this version.
pub const PARTWAY_REQUEST_IF_VERSION: u32 = 6;
/// Request, number: when the bytes changed since the upload began, PARTWAY_ON_CHANGE_….
pub const PARTWAY_REQUEST_ON_CHANGE: u32 = 7;
/// Request, number: whether the service may recognise the content, PARTWAY_INSTANT_….
pub const PARTWAY_REQUEST_INSTANT: u32 = 8;
/// Request, number: not 0: compares what is sent with a second read of the file, for sources whose changes leave no trace.
pub const PARTWAY_REQUEST_VERIFY_SOURCE: u32 = 9;
/// Request, number: bytes of every part but the last; refused if it can't work.
pub const PARTWAY_REQUEST_PART_SIZE_BYTES: u32 = 10;
/// Request, number: at most so many parts at once.
pub const PARTWAY_REQUEST_PARALLEL_PARTS: u32 = 11;
/// Request, text: the confirm key of an upload that another SDK began: it is continued.
pub const PARTWAY_REQUEST_ADOPT_CONFIRM_KEY: u32 = 12;
/// Request, number: which networks it may use, PARTWAY_NETWORK_POLICY_…. Refused, unless it is any, by a client that was never told of a network.
pub const PARTWAY_REQUEST_NETWORK_POLICY: u32 = 13;
/// Request, number: bytes a second of this upload, beside the client's own limit; 0: no limit of its own.
pub const PARTWAY_REQUEST_RATE_BYTES_PER_S: u32 = 14;
/// Request, number: so many milliseconds after the start it fails, if it has not ended by then; else it waits for ever, explained.
pub const PARTWAY_REQUEST_GIVE_UP_AFTER_MS: u32 = 15;

/// One file to one place. Free it with partway_request_free; an upload that was started with it does not need it any more.
///
/// A request remembers the first field that was refused, and partway_client_start refuses it then: no upload is started with less than you asked for,
/// whether you look at each result or not.
pub struct partway_request_t {
    request: UploadRequest,
    has_source: bool,
    if_version: Option<String>,
    fault: Option<ErrorInfo>,
}

impl Opaque for partway_request_t {
    const NAME: &'static str = "request";
}

impl partway_request_t {
    fn new(service: u32) -> Result<partway_request_t, ErrorInfo> {
        let later = Source { what: SourceWhat::Later, token: vec![] };
        let request = UploadRequest::new("", new_target(service)?, later);
        Ok(partway_request_t { request, has_source: false, if_version: None, fault: None })
    }

    /// As the client takes it.
    pub(super) fn build(&self) -> Result<UploadRequest, ErrorInfo> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if !self.has_source {
            return Err(misuse("the request has no source"));
        }
        let mut request = self.request.clone();
        if let Some(version) = &self.if_version {
            match &mut request.conflict {
                Conflict::Overwrite { if_version } => *if_version = Some(version.clone()),
                _ => return Err(misuse("a version to replace needs PARTWAY_CONFLICT_OVERWRITE")),
            }
        }
        Ok(request)
    }

    fn set_text(&mut self, field: u32, text: Option<&str>) -> Result<(), ErrorInfo> {
        let some = || text.map(str::to_owned);
        match field {
            PARTWAY_REQUEST_KEY => self.request.key = some().unwrap_or_default(),
            PARTWAY_REQUEST_GROUP => self.request.group = some(),
            PARTWAY_REQUEST_IF_VERSION => self.if_version = some(),
            PARTWAY_REQUEST_ADOPT_CONFIRM_KEY => {
                self.request.adopt = some().map(|confirm_key| Adopt { confirm_key, part_size_bytes: None });
            }
            _ => set_text(&mut self.request.target, field, text)?,
        }
        Ok(())
    }

    fn set_number(&mut self, field: u32, number: i64) -> Result<(), ErrorInfo> {
        let request = &mut self.request;
        match field {
            PARTWAY_REQUEST_PRIORITY => request.priority = fit(number)?,
            PARTWAY_REQUEST_CONFLICT => {
                request.conflict = word::value(word::CONFLICTS, number, "PARTWAY_CONFLICT_…")?;
            }
            PARTWAY_REQUEST_ON_CHANGE => {
                request.on_change = word::value(word::ON_CHANGES, number, "PARTWAY_ON_CHANGE_…")?;
            }
            PARTWAY_REQUEST_INSTANT => request.instant = word::value(word::INSTANTS, number, "PARTWAY_INSTANT_…")?,
            PARTWAY_REQUEST_VERIFY_SOURCE => request.verify_source = number != 0,
            PARTWAY_REQUEST_PART_SIZE_BYTES => request.part_size_bytes = Some(fit(number)?),
            PARTWAY_REQUEST_NETWORK_POLICY => {
                request.network = word::value(word::POLICIES, number, "PARTWAY_NETWORK_POLICY_…")?;
            }
            PARTWAY_REQUEST_RATE_BYTES_PER_S => request.rate_bytes_per_s = Some(fit(number)?),
            PARTWAY_REQUEST_GIVE_UP_AFTER_MS => request.give_up_after_ms = Some(fit(number)?),
            PARTWAY_REQUEST_PARALLEL_PARTS => request.parallel_parts = Some(fit(number)?),
            _ => set_number(&mut request.target, field, number)?,
        }
        Ok(())
    }

    fn add_pair(&mut self, field: u32, name: &str, value: &str) -> Result<(), ErrorInfo> {
        match field {
            PARTWAY_REQUEST_TAG => {
                self.request.tags.insert(name.to_owned(), value.to_owned());
            }
            _ => add_pair(&mut self.request.target, field, name, value)?,
        }
        Ok(())
    }
}

/// Changes a request, and remembers what was refused.
///
/// # Safety
/// As [`held_mut`].
unsafe fn set(
    request: *mut partway_request_t,
    out_error: *mut *mut partway_error_t,
    change: impl FnOnce(&mut partway_request_t) -> Result<(), ErrorInfo>,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let request = unsafe { held_mut(request)? };
        change(request).inspect_err(|error| {
            request.fault.get_or_insert_with(|| error.clone());
        })
    })
}

/// A request to one service, PARTWAY_SERVICE_….
///
/// Memory: free it with partway_request_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_new(
    service: u32,
    out_request: *mut *mut partway_request_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let out = unsafe { Out::required(out_request, "out_request")? };
        out.put(given(partway_request_t::new(service)?));
        Ok(())
    })
}

/// Sets a field that is a text. NULL is none.
///
/// Memory: the text is copied. Threads: nothing else may use the request meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a field that is not known, not a text, or not one of this service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_set_text(
    request: *mut partway_request_t,
    field: u32,
    data: *const c_char,
    len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(request, out_error, |request| request.set_text(field, text(data, len)?)) }
}

/// Sets a field that is a number, a word of a list, or yes (not 0) and no (0).
///
/// Threads: nothing else may use the request meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a field that is not known, not a number, or not one of this service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_set_number(
    request: *mut partway_request_t,
    field: u32,
    number: i64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { set(request, out_error, |request| request.set_number(field, number)) }
}

/// Adds a name and its value to a field that has several.
///
/// Memory: both are copied. Threads: nothing else may use the request meanwhile. Never blocks.
/// Errors: invalid_argument; unsupported for a field that is not known, has no pairs, or is not one of this service.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_add_pair(
    request: *mut partway_request_t,
    field: u32,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(request, out_error, |request| {
            request.add_pair(field, required(name, name_len)?, required(value, value_len)?)
        })
    }
}

/// Sets what to upload.
///
/// Memory: the source stays yours. Threads: nothing else may use the request meanwhile. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_set_source(
    request: *mut partway_request_t,
    source: *const partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        set(request, out_error, |request| {
            request.request.source = held(source)?.offer()?;
            request.has_source = true;
            Ok(())
        })
    }
}

/// Frees a request. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_request_free(request: *mut partway_request_t) {
    // SAFETY: passed on.
    unsafe { free(request) }
}

#[cfg(test)]
mod tests {
    use super::{super::word::PARTWAY_SERVICE_SMH, *};
    use crate::error::Code;

    #[test]
    fn every_number_names_one_field_of_one_kind() {
        for field in 0..1000 {
            let kinds = [1, 2].map(|service| {
                let mut request = partway_request_t::new(service).expect("a service");
                let kinds = [
                    request.set_text(field, Some("x")).is_ok(),
                    request.set_number(field, 1).is_ok(),
                    request.add_pair(field, "a", "b").is_ok(),
                ];
                kinds.iter().filter(|kind| **kind).count()
            });
            assert!(kinds.iter().all(|count| *count <= 1), "{field}: {kinds:?}");
        }
    }

    #[test]
    fn a_refused_field_refuses_the_request() {
        let mut request = partway_request_t::new(PARTWAY_SERVICE_SMH).expect("a request");
        let source = Source::memory(vec![1]);
        request.request.source = source;
        request.has_source = true;
        assert!(request.build().is_ok());
        // SAFETY: a live request that nothing else uses.
        let status =
            unsafe { partway_request_set_number(&raw mut request, PARTWAY_REQUEST_CONFLICT, 77, std::ptr::null_mut()) };
        assert_eq!(status, Code::InvalidArgument.number());
        assert_eq!(request.build().map(|_| ()).expect_err("remembered").code, Code::InvalidArgument);
    }

    #[test]
    fn a_version_needs_overwrite() {
        let mut request = partway_request_t::new(PARTWAY_SERVICE_SMH).expect("a request");
        request.has_source = true;
        request.set_text(PARTWAY_REQUEST_IF_VERSION, Some("v1")).expect("set");
        assert!(request.build().is_err());
        request.set_number(PARTWAY_REQUEST_CONFLICT, word::PARTWAY_CONFLICT_OVERWRITE.into()).expect("set");
        let conflict = request.build().expect("built").conflict;
        assert_eq!(conflict, Conflict::Overwrite { if_version: Some("v1".into()) });
    }
}
