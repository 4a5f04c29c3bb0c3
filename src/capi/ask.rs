//! What the library asks the host for: answered once, now or later, from any thread, and freed.

use std::{
    ffi::c_char,
    sync::{Mutex, PoisonError},
};

use super::{
    error::{error_view, partway_error_t},
    kept::Keep,
    pointer::{Opaque, Out, free, held},
    snapshot::{pairs, partway_pair_t},
    source::partway_source_t,
    status::{attempt, harmless, partway_status_t},
    text::{partway_text_t, required},
    word,
};
use crate::{
    client::{Credential, CredentialAsk, SourceAsk},
    error::{Code, ErrorInfo},
};

/// The question, until it is answered.
struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    fn take(&self) -> Result<T, ErrorInfo> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(answered)
    }

    /// Before the answer.
    fn look(&self, at: impl FnOnce(&T)) -> Result<(), ErrorInfo> {
        let question = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        question.as_ref().map(at).ok_or_else(answered)
    }
}

fn answered() -> ErrorInfo {
    ErrorInfo::new(Code::WrongState, "the ask is answered already")
}

/// A question for a credential. Answer it once, from any thread; free it with partway_credential_ask_free. Freed without an answer it counts as "not
/// now". Without an answer for 60 seconds the uploads wait, named so; a later answer still counts. It may outlive the client.
pub struct partway_credential_ask_t {
    ask: Once<CredentialAsk>,
    account: partway_text_t,
    service: u32,
    why: u32,
    _keep: Keep,
}

impl Opaque for partway_credential_ask_t {
    const NAME: &'static str = "ask";
}

impl partway_credential_ask_t {
    pub(super) fn of(ask: CredentialAsk) -> partway_credential_ask_t {
        let mut keep = Keep::default();
        partway_credential_ask_t {
            account: keep.text(ask.account()),
            service: word::number(word::SERVICES, &ask.service(), 0),
            why: word::number(word::WHYS, &ask.why(), word::PARTWAY_WHY_FIRST),
            ask: Once(Mutex::new(Some(ask))),
            _keep: keep,
        }
    }
}

/// Whose credential it is; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_account(ask: *const partway_credential_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    harmless(partway_text_t::NONE, || unsafe { held(ask) }.map_or(partway_text_t::NONE, |ask| ask.account))
}

/// For which service, PARTWAY_SERVICE_…; 0 for NULL.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_service(ask: *const partway_credential_ask_t) -> u32 {
    // SAFETY: passed on.
    harmless(0, || unsafe { held(ask) }.map_or(0, |ask| ask.service))
}

/// Why, PARTWAY_WHY_…; 0 for NULL. After a refusal the same credential once more is no answer.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_why(ask: *const partway_credential_ask_t) -> u32 {
    // SAFETY: passed on.
    harmless(0, || unsafe { held(ask) }.map_or(0, |ask| ask.why))
}

/// Answers with a token. SMH: the access token. KooDrive: the whole Authorization value, such as "Bearer …". expires_in_ms: how
/// long it will do from now, so that you are asked for the next one in time; PARTWAY_NONE: you do not know.
///
/// Memory: the token is copied, and wiped when it is not needed any more. Threads: any. Never blocks.
/// Errors: invalid_argument; wrong_state when the ask is answered already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_supply_token(
    ask: *const partway_credential_ask_t,
    token: *const c_char,
    token_len: usize,
    expires_in_ms: u64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (ask, credential) = unsafe { (held(ask)?, token_of((token, token_len), expires_in_ms)?) };
        ask.ask.take()?.supply(credential);
        Ok(())
    })
}

/// Answers with KooDrive's application authentication. For servers and desktops: an application secret inside an app is no secret.
///
/// Memory: all is copied. Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_supply_app_key(
    ask: *const partway_credential_ask_t,
    app_id: *const c_char,
    app_id_len: usize,
    app_secret: *const c_char,
    app_secret_len: usize,
    user_id: *const c_char,
    user_id_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (ask, credential) = unsafe {
            (held(ask)?, app_key((app_id, app_id_len), (app_secret, app_secret_len), (user_id, user_id_len))?)
        };
        ask.ask.take()?.supply(credential);
        Ok(())
    })
}

/// Answers with KooDrive's application authentication where the secret stays with you: on_sign is asked for every request.
///
/// Memory: all is copied. Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_supply_app_signer(
    ask: *const partway_credential_ask_t,
    app_id: *const c_char,
    app_id_len: usize,
    user_id: *const c_char,
    user_id_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (ask, credential) = unsafe { (held(ask)?, app_signer((app_id, app_id_len), (user_id, user_id_len))?) };
        ask.ask.take()?.supply(credential);
        Ok(())
    })
}

/// Answers "not now": the uploads of the account wait, to be asked for again after retry_in_ms, or, with PARTWAY_NONE, until partway_client_set_token or a
/// resume.
///
/// Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_later(
    ask: *const partway_credential_ask_t,
    retry_in_ms: u64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.ask.take()?.later(word::some(retry_in_ms));
        Ok(())
    })
}

/// Answers that nobody is signed in to that account: as partway_client_sign_out with PARTWAY_SIGN_OUT_HOLD.
///
/// Threads: any. Never blocks. Errors: as partway_credential_ask_supply_token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_signed_out(
    ask: *const partway_credential_ask_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.ask.take()?.signed_out();
        Ok(())
    })
}

/// Frees an ask; without an answer it counts as "not now". NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_credential_ask_free(ask: *mut partway_credential_ask_t) {
    // SAFETY: passed on.
    unsafe { free(ask) }
}

type Text = (*const c_char, usize);

/// # Safety
/// The text as in [`required`].
pub(super) unsafe fn token_of(token: Text, expires_in_ms: u64) -> Result<Credential, ErrorInfo> {
    // SAFETY: passed on.
    let value = unsafe { required(token.0, token.1) }?.into();
    Ok(Credential::Token { value, expires_in_ms: word::some(expires_in_ms) })
}

/// # Safety
/// Each text as in [`required`].
pub(super) unsafe fn app_key(app_id: Text, app_secret: Text, user_id: Text) -> Result<Credential, ErrorInfo> {
    // SAFETY: passed on.
    let (app_id, app_secret, user_id) = unsafe {
        (required(app_id.0, app_id.1)?, required(app_secret.0, app_secret.1)?, required(user_id.0, user_id.1)?)
    };
    Ok(Credential::AppKey { app_id: app_id.to_owned(), app_secret: app_secret.into(), user_id: user_id.to_owned() })
}

/// # Safety
/// Each text as in [`required`].
pub(super) unsafe fn app_signer(app_id: Text, user_id: Text) -> Result<Credential, ErrorInfo> {
    // SAFETY: passed on.
    let (app_id, user_id) = unsafe { (required(app_id.0, app_id.1)?, required(user_id.0, user_id.1)?) };
    Ok(Credential::AppSigner { app_id: app_id.to_owned(), user_id: user_id.to_owned() })
}

/// A question for a source. Answer it once, from any thread; free it with partway_source_ask_free. Freed without an answer it counts as "gone". It may
/// outlive the client.
pub struct partway_source_ask_t {
    ask: Once<SourceAsk>,
    upload_id: partway_text_t,
    key: partway_text_t,
    token: partway_text_t,
    tags: *const partway_pair_t,
    tags_count: usize,
    why: *const partway_error_t,
    _keep: Keep,
}

impl Opaque for partway_source_ask_t {
    const NAME: &'static str = "ask";
}

impl partway_source_ask_t {
    pub(super) fn of(ask: SourceAsk) -> partway_source_ask_t {
        let mut keep = Keep::default();
        let why = error_view(ask.why(), &mut keep);
        let tags = pairs(ask.tags(), &mut keep);
        partway_source_ask_t {
            upload_id: keep.text(ask.upload_id()),
            key: keep.text(ask.key()),
            token: keep.bytes(ask.token()),
            tags_count: tags.len(),
            tags: keep.all(tags),
            why: keep.one(why),
            ask: Once(Mutex::new(Some(ask))),
            _keep: keep,
        }
    }
}

/// The id of the upload; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_upload_id(ask: *const partway_source_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    harmless(partway_text_t::NONE, || unsafe { held(ask) }.map_or(partway_text_t::NONE, |ask| ask.upload_id))
}

/// Your own name for the upload; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_key(ask: *const partway_source_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    harmless(partway_text_t::NONE, || unsafe { held(ask) }.map_or(partway_text_t::NONE, |ask| ask.key))
}

/// Your own word for the source, any bytes, as partway_source_set_token was given them; NULL inside for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_token(ask: *const partway_source_ask_t) -> partway_text_t {
    // SAFETY: passed on.
    harmless(partway_text_t::NONE, || unsafe { held(ask) }.map_or(partway_text_t::NONE, |ask| ask.token))
}

/// Your own notes of the upload; *out_count receives how many. NULL for NULL.
///
/// Memory: valid until the ask is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_tags(
    ask: *const partway_source_ask_t,
    out_count: *mut usize,
) -> *const partway_pair_t {
    // SAFETY: passed on.
    harmless(std::ptr::null(), || unsafe {
        let (tags, count) = held(ask).map_or((std::ptr::null(), 0), |ask| (ask.tags, ask.tags_count));
        Out::optional(out_count).put(count);
        tags
    })
}

/// Why it could not be opened without you; NULL for NULL.
///
/// Memory: valid until the ask is freed; not to be freed by itself. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_why(ask: *const partway_source_ask_t) -> *const partway_error_t {
    // SAFETY: passed on.
    harmless(std::ptr::null(), || unsafe { held(ask) }.map_or(std::ptr::null(), |ask| ask.why))
}

/// Answers with a source. Another file with the same bytes goes on where the upload was.
///
/// Memory: the source stays yours. Threads: any. Never blocks.
/// Errors: invalid_argument; wrong_state when the ask is answered already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_supply(
    ask: *const partway_source_ask_t,
    source: *const partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (ask, source) = unsafe { (held(ask)?, held(source)?) };
        ask.ask.take()?.supply(source.offer()?);
        Ok(())
    })
}

/// Says, before the answer, that it comes, such as from the cloud: so much of it is here, 0 to 1. Shown in snapshots; you have another 60 seconds.
///
/// Threads: any. Never blocks. Errors: as partway_source_ask_supply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_preparing(
    ask: *const partway_source_ask_t,
    fraction: f64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.ask.look(|ask| ask.preparing(fraction as f32))
    })
}

/// Answers "not now": the upload waits, to be asked for again after retry_in_ms, or, with PARTWAY_NONE, until partway_upload_attach_source or a resume.
///
/// Threads: any. Never blocks. Errors: as partway_source_ask_supply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_later(
    ask: *const partway_source_ask_t,
    retry_in_ms: u64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.ask.take()?.later(word::some(retry_in_ms));
        Ok(())
    })
}

/// Answers that it can't be had: the upload waits for partway_upload_attach_source or a resume.
///
/// Threads: any. Never blocks. Errors: as partway_source_ask_supply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_gone(
    ask: *const partway_source_ask_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { held(ask)? }.ask.take()?.gone();
        Ok(())
    })
}

/// Frees an ask; without an answer it counts as "gone". NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_ask_free(ask: *mut partway_source_ask_t) {
    // SAFETY: passed on.
    unsafe { free(ask) }
}
