//! Requests that the host signs.

use std::{
    ffi::c_char,
    sync::{Mutex, PoisonError},
};

use super::{
    error::partway_error_t,
    kept::Keep,
    pointer::{Opaque, free, held},
    status::{attempt, harmless, partway_status_t},
    text::{partway_text_t, required},
    word,
};
use crate::{
    client::SignAsk,
    error::{Code, ErrorInfo},
};

/// A request to be signed in an application's name. Answer it once, from any thread; free it with partway_sign_ask_free. Freed without an answer it counts
/// as refused. Without an answer for 60 seconds the upload waits, named so. It may outlive the client.
pub struct partway_sign_ask_t {
    ask: Mutex<Option<SignAsk>>,
    account: partway_text_t,
    service: u32,
    app_id: partway_text_t,
    canonical_request: partway_text_t,
    string_to_sign: partway_text_t,
    _keep: Keep,
}

impl Opaque for partway_sign_ask_t {
    const NAME: &'static str = "ask";
}

impl partway_sign_ask_t {
    pub(super) fn of(ask: SignAsk) -> partway_sign_ask_t {
        let mut keep = Keep::default();
        partway_sign_ask_t {
            account: keep.text(ask.account()),
            service: word::number(word::SERVICES, &ask.service(), 0),
            app_id: keep.text(ask.app_id()),
            canonical_request: keep.text(ask.canonical_request()),
            string_to_sign: keep.text(ask.string_to_sign()),
            ask: Mutex::new(Some(ask)),
            _keep: keep,
        }
    }

    fn take(&self) -> Result<SignAsk, ErrorInfo> {
        let taken = self.ask.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| ErrorInfo::new(Code::WrongState, "the ask is answered already"))
    }
}

/// # Safety
/// As [`held`].
unsafe fn look(
    ask: *const partway_sign_ask_t,
    at: impl FnOnce(&partway_sign_ask_t) -> partway_text_t,
) -> partway_text_t {
    // SAFETY: passed on.
    harmless(partway_text_t::NONE, || unsafe { held(ask) }.map_or(partway_text_t::NONE, at))
}

/// Whose account it is; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_account(ask: *const partway_sign_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    unsafe { look(ask, |ask| ask.account) }
}

/// For which service, PARTWAY_SERVICE_…; 0 for NULL.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_service(ask: *const partway_sign_ask_t) -> u32 {
    // SAFETY: passed on.
    harmless(0, || unsafe { held(ask) }.map_or(0, |ask| ask.service))
}

/// In which application's name; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_app_id(ask: *const partway_sign_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    unsafe { look(ask, |ask| ask.app_id) }
}

/// The request in its canonical form, for a signer that wants to see what it signs; it names the user. NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_canonical_request(ask: *const partway_sign_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    unsafe { look(ask, |ask| ask.canonical_request) }
}

/// What the application's secret is applied to. KooDrive: the signature is the lower-case hex of HMAC-SHA256 over these bytes, the secret being the key.
/// NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_string_to_sign(ask: *const partway_sign_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    unsafe { look(ask, |ask| ask.string_to_sign) }
}

/// Answers with the signature, as it goes into the header: 1 to 1,024 visible ASCII characters without a comma.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; wrong_state when the ask is answered already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_supply(
    ask: *const partway_sign_ask_t,
    signature: *const c_char,
    signature_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (ask, signature) = unsafe { (held(ask)?, required(signature, signature_len)?) };
        ask.take()?.supply(signature);
        Ok(())
    })
}

/// Answers that it is not signed: the upload waits for a credential.
///
/// Threads: any. Never blocks. Errors: as partway_sign_ask_supply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_refuse(
    ask: *const partway_sign_ask_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.take()?.refuse();
        Ok(())
    })
}

/// Frees an ask; without an answer it counts as refused. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_sign_ask_free(ask: *mut partway_sign_ask_t) {
    // SAFETY: passed on.
    unsafe { free(ask) }
}
