//! One request in the hands of the host's transport.

use std::{ffi::c_void, sync::Arc};

use super::{
    callback::calling,
    error::partway_error_t,
    kept::Keep,
    pointer::{Opaque, Out, free, held},
    sized::{Fill, Sized_, no_padding},
    snapshot::partway_pair_t,
    status::{attempt, harmless, misuse, partway_status_t},
    text::{bytes, partway_text_t, required},
    word,
};
use crate::{
    client::{HttpResponse, READ_BYTES_MAX, TransportCall, TransportFault},
    error::{Code, ErrorInfo},
};

/// Why there is no answer: the name was not found. This and the next three say that nothing of the request left the device.
pub const PARTWAY_FAULT_RESOLVE: u32 = 1;
/// Why there is no answer: no connection came about, or the device is offline.
pub const PARTWAY_FAULT_CONNECT: u32 = 2;
/// Why there is no answer: the connection could not be secured.
pub const PARTWAY_FAULT_TLS: u32 = 3;
/// Why there is no answer: the proxy could not be reached, or refused.
pub const PARTWAY_FAULT_PROXY: u32 = 4;
/// Why there is no answer: the connection broke. When in doubt, this.
pub const PARTWAY_FAULT_CUT: u32 = 5;
/// Why there is no answer: nothing moved for too long.
pub const PARTWAY_FAULT_TIMED_OUT: u32 = 6;
/// Why there is no answer: what came is no HTTP answer.
pub const PARTWAY_FAULT_MALFORMED: u32 = 7;

const FAULTS: &[(u32, TransportFault)] = &[
    (PARTWAY_FAULT_RESOLVE, TransportFault::Resolve),
    (PARTWAY_FAULT_CONNECT, TransportFault::Connect),
    (PARTWAY_FAULT_TLS, TransportFault::Tls),
    (PARTWAY_FAULT_PROXY, TransportFault::Proxy),
    (PARTWAY_FAULT_CUT, TransportFault::Cut),
    (PARTWAY_FAULT_TIMED_OUT, TransportFault::TimedOut),
    (PARTWAY_FAULT_MALFORMED, TransportFault::Malformed),
];

/// A request to carry, and the place for its answer. Its functions may be called from any thread. Free it with partway_call_free.
pub struct partway_call_t {
    call: Arc<TransportCall>,
    request: partway_http_request_t,
    _keep: Keep,
}

impl Opaque for partway_call_t {
    const NAME: &'static str = "call";
}

/// What to send. It holds secrets: never log it. Found in a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_http_request_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// GET, HEAD, POST, PUT or DELETE.
    pub method: partway_text_t,
    /// To be used byte for byte: a signature covers it.
    pub url: partway_text_t,
    /// In their order. Host, Content-Length and User-Agent are not among them.
    pub headers: *const partway_pair_t,
    /// How many.
    pub headers_count: usize,
    /// The Content-Length; 0 without a body.
    pub body_bytes: u64,
    /// A longer answer will be refused: no need to take more of it.
    pub answer_bytes_max: u64,
    /// The longest silence: nothing read of the body, nothing told as sent, no answer.
    pub patience_ms: u64,
    /// True: "Expect: 100-continue" would help, because the last try of this body was cut.
    pub expect_continue: bool,
    /// Not used.
    pub reserved: [u8; 7],
}

no_padding!(partway_http_request_t {
    struct_size,
    method,
    url,
    headers,
    headers_count,
    body_bytes,
    answer_bytes_max,
    patience_ms,
    expect_continue,
    reserved
});

/// Where the bytes of a body lie in a file.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_body_range_t {
    /// sizeof(partway_body_range_t).
    pub struct_size: usize,
    /// A descriptor that stays the library's, open until the call is freed. Its position is not to be used or moved: pread, mmap.
    pub fd: i32,
    /// Not used.
    pub reserved: u32,
    /// Of the first byte, from the beginning of the file.
    pub offset: u64,
    /// How many bytes.
    pub size_bytes: u64,
}

no_padding!(partway_body_range_t { struct_size, fd, reserved, offset, size_bytes });

// SAFETY: repr(C), begins with its size; all else are numbers.
unsafe impl Sized_ for partway_body_range_t {
    const NAME: &'static str = "partway_body_range_t";
    const FIRST_SIZE: usize = size_of::<partway_body_range_t>();
}

impl partway_call_t {
    pub(super) fn of(call: Arc<TransportCall>) -> partway_call_t {
        let mut keep = Keep::default();
        let told = call.request();
        let headers: Vec<partway_pair_t> = told
            .headers
            .iter()
            .map(|(name, value)| partway_pair_t { name: keep.text(name), value: keep.text(value) })
            .collect();
        let request = partway_http_request_t {
            struct_size: size_of::<partway_http_request_t>(),
            method: keep.text(told.method.name()),
            url: keep.text(&told.url),
            headers_count: headers.len(),
            headers: keep.all(headers),
            body_bytes: call.body_len(),
            answer_bytes_max: told.answer_bytes_max,
            patience_ms: told.patience_ms,
            expect_continue: told.expect_continue,
            reserved: [0; 7],
        };
        partway_call_t { call, request, _keep: keep }
    }
}

fn too_late() -> ErrorInfo {
    ErrorInfo::new(Code::WrongState, "the call is answered already, or over")
}

/// What to send; NULL for NULL.
///
/// Memory: valid until the call is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_request(call: *const partway_call_t) -> *const partway_http_request_t {
    // SAFETY: passed on.
    harmless(std::ptr::null(), || unsafe { held(call) }.map_or(std::ptr::null(), |call| &raw const call.request))
}

/// Reads the next bytes of the body: at most size, at most 256 KiB; *out_count is 0 at its end.
///
/// Blocks until the source and the byte rate give some; several wait for each other. Threads: any but the main one, that of execute too.
/// Errors: invalid_argument; cancelled and others when the call is over: there is nothing left to answer then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_read_body(
    call: *const partway_call_t,
    buffer: *mut u8,
    size: usize,
    out_count: *mut usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (call, out) = unsafe { (held(call)?, Out::required(out_count, "out_count")?) };
        if buffer.is_null() || size == 0 {
            return Err(misuse("there is no room in the buffer"));
        }
        let most = u32::try_from(size).unwrap_or(READ_BYTES_MAX).min(READ_BYTES_MAX);
        let bytes = call.call.read_body(most)?;
        let count = bytes.len().min(size);
        // SAFETY: the buffer has room for `size` bytes by the header, which is no less than `count`; a fresh `Vec` does not overlap it.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, count) };
        out.put(count);
        Ok(())
    })
}

/// Back to the first byte, for a body that must be sent once more.
///
/// Blocks until the library's worker, which may be reading the source, has done it. Threads: any but the main one, that of execute too.
/// Errors: invalid_argument; cancelled and others when the call is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_rewind_body(
    call: *const partway_call_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(call)? }.call.rewind_body()
    })
}

/// Where the bytes of the body lie, when they are those of a file and nothing limits their rate: you may read them there instead, and then say with
/// partway_call_sent how far you are. False: read them with partway_call_read_body.
///
/// Blocks until the library's worker has answered. Threads: any but the main one, that of execute too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_body_range(
    call: *const partway_call_t,
    out_range: *mut partway_body_range_t,
) -> bool {
    harmless(false, || {
        // SAFETY: passed on.
        let (Ok(call), Ok(out)) = (unsafe { (held(call), Fill::optional(out_range)) }) else {
            return false;
        };
        let Some(range) = call.call.body_range() else { return false };
        let struct_size = size_of::<partway_body_range_t>();
        out.put(partway_body_range_t {
            struct_size,
            fd: range.fd,
            reserved: 0,
            offset: range.offset,
            size_bytes: range.len,
        });
        true
    })
}

/// So many bytes of the body, from its first one, are on their way. Only needed of bodies that you read from their range.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_sent(call: *const partway_call_t, bytes: u64) {
    // SAFETY: passed on.
    harmless((), || {
        if let Ok(call) = unsafe { held(call) } {
            call.call.sent(bytes);
        }
    });
}

/// True once nobody wants the answer any more; also for NULL.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_is_cancelled(call: *const partway_call_t) -> bool {
    // SAFETY: passed on.
    harmless(true, || unsafe { held(call) }.map_or(true, |call| call.call.is_cancelled()))
}

/// What to do when the call is cancelled, and what is called afterwards, or instead, to release its context.
struct Hook {
    hook: unsafe extern "C" fn(context: *mut c_void),
    release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    context: *mut c_void,
}

// SAFETY: the functions and the context may be used from any thread: the header says so to whoever gives them.
unsafe impl Send for Hook {}

impl Hook {
    fn run(self) {
        // SAFETY: as the header says; it runs once.
        calling(|| unsafe { (self.hook)(self.context) });
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as the header says; nothing uses the context any more.
            calling(|| unsafe { release(self.context) });
        }
    }
}

/// What to do at the moment when nobody wants the answer any more; a later hook replaces an earlier one. It comes on a thread of the library, or within
/// partway_upload_look_remote where the call is one of that, or within this call when that moment is past. It must not block, and calls nothing of the
/// library. release may be NULL; else it is called once, in the same places: after the hook ran, or when it is certain that it never will, unless this call
/// fails.
///
/// Threads: any. Never blocks, beside what a hook and a release do that come within it. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_on_cancel(
    call: *const partway_call_t,
    hook: Option<unsafe extern "C" fn(context: *mut c_void)>,
    context: *mut c_void,
    release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let call = unsafe { held(call)? };
        let hook = Hook { hook: hook.ok_or_else(|| misuse("hook is NULL"))?, release, context };
        call.call.on_cancel(move || hook.run());
        Ok(())
    })
}

/// The answer: a status from 200 to 599, its headers, and its body without any transfer or content encoding. headers may be NULL when there are none.
///
/// Memory: all is copied. Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the call is answered already, or over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_respond(
    call: *const partway_call_t,
    status: u32,
    headers: *const partway_pair_t,
    headers_count: usize,
    body: *const u8,
    body_size: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (call, body) = unsafe { (held(call)?, bytes(body, body_size)?) };
        if headers.is_null() && headers_count > 0 {
            return Err(misuse("headers is NULL"));
        }
        let one = |at: usize| {
            // SAFETY: not NULL when there is one, and the header asks for `headers_count` of them, each text as long as it says.
            unsafe {
                let pair = headers.add(at).read();
                let name = required(pair.name.data, pair.name.len)?.to_owned();
                let value = String::from_utf8_lossy(bytes(pair.value.data.cast(), pair.value.len)?.unwrap_or_default());
                Ok((name, value.into_owned()))
            }
        };
        let response = HttpResponse {
            status: u16::try_from(status).map_err(|_| misuse("a status has three digits"))?,
            headers: (0..headers_count).map(one).collect::<Result<_, ErrorInfo>>()?,
            body: body.unwrap_or_default().to_vec(),
        };
        if call.call.respond(response) { Ok(()) } else { Err(too_late()) }
    })
}

/// There is no answer: PARTWAY_FAULT_….
///
/// Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the call is answered already, or over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_fail(
    call: *const partway_call_t,
    fault: u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let call = unsafe { held(call)? };
        let fault = word::value(FAULTS, fault.into(), "PARTWAY_FAULT_…")?;
        if call.call.fail(fault) { Ok(()) } else { Err(too_late()) }
    })
}

/// Frees a call; without an answer it counts as a connection that broke. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_call_free(call: *mut partway_call_t) {
    // SAFETY: passed on.
    unsafe { free(call) }
}
