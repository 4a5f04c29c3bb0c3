//! The client: everything that is not about one upload.

use std::{
    ffi::c_char,
    ops::Deref,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    ask::{app_key, app_signer, token_of},
    callback::patience_ms,
    change::partway_change_t,
    config::partway_config_t,
    error::{error_given, partway_error_t},
    idle::{idle_view, partway_idle_t},
    limits::{limits, partway_limits_t},
    list::{list_given, partway_list_t},
    network::{network, partway_network_t},
    pointer::{Opaque, Out, free, given, held},
    request::partway_request_t,
    select::select,
    sized::{Fill, read},
    snapshot::{partway_snapshot_t, snapshot_given},
    status::{PARTWAY_NONE, attempt, attempt_in_time, harmless, misuse, partway_status_t},
    text::{required, text},
    upload::{PARTWAY_ID_SIZE, partway_upload_t, write_id},
    word,
};
use crate::{
    client::{Client, Idle, Select, Started},
    error::{Code, ErrorInfo},
};

/// A client: one a state directory and process. All its functions may be called by several threads at once. Close it with partway_client_free.
pub struct partway_client_t {
    client: Arc<Open>,
}

/// The client behind one reference to it. A call with an upload keeps it for as long as it takes; only the reference keeps it open.
pub(super) struct Open {
    client: Client,
    /// The reference was freed.
    gone: AtomicBool,
}

impl Deref for Open {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for partway_client_t {
    fn drop(&mut self) {
        self.client.gone.store(true, Ordering::SeqCst);
        self.client.release();
    }
}

impl Opaque for partway_client_t {
    const NAME: &'static str = "client";
}

/// # Safety
/// As [`held`].
unsafe fn open<'a>(client: *const partway_client_t) -> Result<&'a Arc<Open>, ErrorInfo> {
    // SAFETY: passed on.
    Ok(&unsafe { held(client)? }.client)
}

/// Opens the state directory, recovers what is in it and, unless told otherwise, goes on with it. A directory that this process has open already gives the
/// same client once more, as it is: nothing else of the config is looked at then, and its host's callbacks are not called.
///
/// Blocks while the disk is read and written. Memory: the config stays yours; free the client with partway_client_free.
/// Threads: any but the main one. Errors: invalid_argument, state_dir_unusable and others; nothing is open then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_open(
    config: *const partway_config_t,
    out_client: *mut *mut partway_client_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (out, config) = unsafe { (Out::required(out_client, "out_client")?, held(config)?) };
        let client = Open { client: Client::open(config.build()?)?, gone: AtomicBool::new(false) };
        out.put(given(partway_client_t { client: Arc::new(client) }));
        Ok(())
    })
}

/// Ends the client well: as partway_client_hold, and nothing starts any more. When it returns PARTWAY_OK no callback runs any more either. Call
/// partway_client_free afterwards.
///
/// Blocks until all is at rest or timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
/// Returns PARTWAY_TIMED_OUT when something was cut off, or a callback has not returned; what is on disk is whole either way. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_close(
    client: *const partway_client_t,
    timeout_ms: u64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt_in_time(out_error, || {
        // SAFETY: passed on.
        let client = unsafe { open(client)? };
        Ok(client.close(patience_ms(timeout_ms).unwrap_or(u64::from(u32::MAX))))
    })
}

/// Frees a client. What is under way is cut off, nothing is cancelled, and the next client of this directory goes on with it. Uploads that you still hold
/// answer "closed" from then on, a partway_upload_wait that is under way too. No call with the client itself may be under way. NULL is nothing.
///
/// Threads: any, in a callback too. Never blocks: callbacks may still be running when it returns; release tells you when the last one is over, and not before
/// then may you free what they use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_free(client: *mut partway_client_t) {
    // SAFETY: passed on.
    unsafe { free(client) }
}

fn upload_of(client: &Arc<Open>, started: &Started) -> *mut partway_upload_t {
    given(partway_upload_t::started(Arc::downgrade(client), started))
}

/// Starts an upload, or finds the one of that key; one that failed or was cancelled is begun again with what it had proven, as the request says now
/// (PARTWAY_HOW_CONTINUED; the old one is forgotten). What can be refused without a request to the service is refused here. When it returns PARTWAY_OK the
/// upload survives a kill.
///
/// out_upload may be NULL; else free what it receives with partway_upload_free, which never touches the upload itself.
/// out_how may be NULL; else it receives PARTWAY_HOW_….
///
/// Blocks while the disk is written; the length of a source that you read is asked for within this call (partway_reader_t). Memory: the request stays yours.
/// Threads: any but the main one. Errors: invalid_argument and others of the categories usage, source and state; closed. Nothing was started then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_start(
    client: *const partway_client_t,
    request: *const partway_request_t,
    out_upload: *mut *mut partway_upload_t,
    out_how: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, request, how) = unsafe { (open(client)?, held(request)?, Out::optional(out_how)) };
        let started = client.start(request.build()?)?;
        how.put(word::how_number(&started.how));
        if !out_upload.is_null() {
            // SAFETY: not NULL, and the header asks for a place that may be written to.
            unsafe { Out::required(out_upload, "out_upload")? }.put(upload_of(client, &started));
        }
        Ok(())
    })
}

/// Starts many uploads together: each journal is synced, their directory once for the lot. One that is refused harms no other.
///
/// requests has count requests. out_uploads, out_hows and out_errors may be NULL; else each has room for count, and receives in each place the upload or
/// NULL, PARTWAY_HOW_… or 0, the error or NULL. Free uploads with partway_upload_free and errors with partway_error_free.
///
/// Blocks while the disk is written; lengths are asked for as in partway_client_start. Memory: the requests stay yours. Threads: any but the main one.
/// Returns PARTWAY_OK when all were started. Errors: that of the first one that was not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_start_all(
    client: *const partway_client_t,
    requests: *const *const partway_request_t,
    count: usize,
    out_uploads: *mut *mut partway_upload_t,
    out_hows: *mut u32,
    out_errors: *mut *mut partway_error_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let client = unsafe { open(client)? };
        if requests.is_null() && count > 0 {
            return Err(misuse("requests is NULL"));
        }
        // SAFETY: not NULL where it is read, and the header asks for `count` of them.
        let one = |at: usize| unsafe { held(requests.add(at).read())?.build() };
        let built: Vec<Result<_, ErrorInfo>> = (0..count).map(one).collect();
        let good = built.iter().filter_map(|request| request.as_ref().ok().cloned()).collect();
        let mut started = client.start_all(good).into_iter();
        let mut first = None;
        for (at, built) in built.into_iter().enumerate() {
            let result = built.and_then(|_| {
                started.next().unwrap_or_else(|| Err(ErrorInfo::new(Code::Bug, "a request without a result")))
            });
            // SAFETY: NULL, or the header asks for room for `count`.
            let (upload, how, error) = unsafe {
                let place = |all: *mut u32| if all.is_null() { all } else { all.add(at) };
                let uploads = if out_uploads.is_null() { out_uploads } else { out_uploads.add(at) };
                let errors = if out_errors.is_null() { out_errors } else { out_errors.add(at) };
                (Out::optional(uploads), Out::optional(place(out_hows)), Out::optional(errors))
            };
            how.put(result.as_ref().map_or(0, |started| word::how_number(&started.how)));
            if !out_uploads.is_null() {
                upload.put(result.as_ref().map_or(std::ptr::null_mut(), |started| upload_of(client, started)));
            }
            if !out_errors.is_null() {
                error.put(result.as_ref().err().map_or(std::ptr::null_mut(), error_given));
            }
            first = first.or(result.err());
        }
        first.map_or(Ok(()), Err)
    })
}

/// A reference to an upload that is known by its id.
///
/// Memory: free it with partway_upload_free. Threads: any. Never blocks. Errors: invalid_argument; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_upload(
    client: *const partway_client_t,
    id: *const c_char,
    id_len: usize,
    out_upload: *mut *mut partway_upload_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, id, out) =
            unsafe { (open(client)?, required(id, id_len)?, Out::required(out_upload, "out_upload")?) };
        let snapshot = client.snapshot(id).ok_or_else(unknown_upload)?;
        out.put(given(partway_upload_t::new(Arc::downgrade(client), snapshot.id)));
        Ok(())
    })
}

pub(super) fn unknown_upload() -> ErrorInfo {
    ErrorInfo::new(Code::UnknownUpload, "there is no such upload")
}

/// The upload of a key, now.
///
/// Memory: free the snapshot with partway_snapshot_free. Threads: any. Never blocks. Errors: invalid_argument; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_find(
    client: *const partway_client_t,
    key: *const c_char,
    key_len: usize,
    out_snapshot: *mut *mut partway_snapshot_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, key, out) =
            unsafe { (open(client)?, required(key, key_len)?, Out::required(out_snapshot, "out_snapshot")?) };
        out.put(snapshot_given(&client.find(key).ok_or_else(unknown_upload)?));
        Ok(())
    })
}

/// Those that fit, the oldest first, also those that ended and were not forgotten.
///
/// Memory: free the list with partway_list_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_list(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    out_list: *mut *mut partway_list_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, which, out) =
            unsafe { (open(client)?, select(which, which_text, which_len)?, Out::required(out_list, "out_list")?) };
        out.put(list_given(&client.list(&which)));
        Ok(())
    })
}

/// Says one thing to those that fit, and how many there were.
///
/// # Safety
/// As the header says of each pointer.
unsafe fn verb(
    client: *const partway_client_t,
    which: (u32, *const c_char, usize),
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
    say: impl FnOnce(&Client, &Select) -> Result<u32, ErrorInfo>,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, which, out) =
            unsafe { (open(client)?, select(which.0, which.1, which.2)?, Out::optional(out_count)) };
        out.put(say(client, &which)?);
        Ok(())
    })
}

/// They stay until resumed, also over restarts; idempotent in every state. out_count may be NULL; else it receives how many were told.
///
/// Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_pause(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        verb(client, (which, which_text, which_len), out_count, out_error, |client, which| Ok(client.pause(which)))
    }
}

/// They go on; also "try now" for those that wait. out_count may be NULL; else it receives how many were told.
///
/// Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_resume(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        verb(client, (which, which_text, which_len), out_count, out_error, |client, which| Ok(client.resume(which)))
    }
}

/// They end; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes the upload completed. out_count may be
/// NULL; else it receives how many were told.
///
/// Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_cancel(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        verb(client, (which, which_text, which_len), out_count, out_error, |client, which| Ok(client.cancel(which)))
    }
}

/// "I have stored how they ended": removes those that ended, and leaves the others. out_count may be NULL; else it receives how many are gone.
///
/// Blocks while the disk is written. Threads: any but the main one. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_forget(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        verb(client, (which, which_text, which_len), out_count, out_error, |client, which| Ok(client.forget(which)))
    }
}

/// Changes what is set in the change. out_count may be NULL; else it receives how many were told.
///
/// Memory: the change stays yours. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_change(
    client: *const partway_client_t,
    which: u32,
    which_text: *const c_char,
    which_len: usize,
    change: *const partway_change_t,
    out_count: *mut u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        verb(client, (which, which_text, which_len), out_count, out_error, |client, which| {
            client.change(which, &held(change)?.build()?)
        })
    }
}

/// A token, unasked, such as after a log-in; ends the waits for it. expires_in_ms as in partway_credential_ask_supply_token.
///
/// Memory: copied; the token is wiped when it is not needed any more. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_token(
    client: *const partway_client_t,
    account: *const c_char,
    account_len: usize,
    token: *const c_char,
    token_len: usize,
    expires_in_ms: u64,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, account, credential) =
            unsafe { (open(client)?, required(account, account_len)?, token_of((token, token_len), expires_in_ms)?) };
        client.set_credential(account, credential);
        Ok(())
    })
}

/// KooDrive's application authentication, unasked; see partway_credential_ask_supply_app_key.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_app_key(
    client: *const partway_client_t,
    account: *const c_char,
    account_len: usize,
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
        let (client, account, credential) = unsafe {
            let credential = app_key((app_id, app_id_len), (app_secret, app_secret_len), (user_id, user_id_len))?;
            (open(client)?, required(account, account_len)?, credential)
        };
        client.set_credential(account, credential);
        Ok(())
    })
}

/// KooDrive's application authentication where the secret stays with you, unasked; see partway_credential_ask_supply_app_signer.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_app_signer(
    client: *const partway_client_t,
    account: *const c_char,
    account_len: usize,
    app_id: *const c_char,
    app_id_len: usize,
    user_id: *const c_char,
    user_id_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, account, credential) = unsafe {
            let credential = app_signer((app_id, app_id_len), (user_id, user_id_len))?;
            (open(client)?, required(account, account_len)?, credential)
        };
        client.set_credential(account, credential);
        Ok(())
    })
}

/// Nobody is signed in to the account any more: before this returns its credential is wiped from where it was kept for further requests, nothing new
/// starts, and what is under way for it is told to end. A request that is on its way still carries the credential until it has ended, and the service may
/// still carry it out; partway_client_hold returns when none is left. Its uploads wait for the next credential that you set, or are cancelled:
/// PARTWAY_SIGN_OUT_….
///
/// Blocks for up to a second while cancels are told to the service. Threads: any but the main one. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_sign_out(
    client: *const partway_client_t,
    account: *const c_char,
    account_len: usize,
    then: u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, account) = unsafe { (open(client)?, required(account, account_len)?) };
        client.sign_out(account, word::value(word::SIGN_OUTS, then.into(), "PARTWAY_SIGN_OUT_…")?);
        Ok(())
    })
}

/// Another proxy, http://[user:password@]host:port, or none with NULL, for every connection from here on.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported when you carry the requests yourself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_proxy(
    client: *const partway_client_t,
    proxy: *const c_char,
    proxy_len: usize,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, proxy) = unsafe { (open(client)?, text(proxy, proxy_len)?) };
        client.set_proxy(proxy)
    })
}

/// What you know of the network. An upload whose policy it breaks stops at once and waits.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_network(
    client: *const partway_client_t,
    state: *const partway_network_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, state) = unsafe { (open(client)?, read(state)?) };
        client.set_network(network(&state)?);
        Ok(())
    })
}

/// New bounds: what begins from here on keeps to them, what is under way is not stopped. A rate holds at once.
///
/// Memory: copied. Threads: any. Never blocks. Errors: invalid_argument; unsupported.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_set_limits(
    client: *const partway_client_t,
    bounds: *const partway_limits_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, bounds) = unsafe { (open(client)?, read(bounds)?) };
        client.set_limits(limits(&bounds));
        Ok(())
    })
}

/// Goes on after partway_client_hold, or after an open without autostart.
///
/// Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_go(
    client: *const partway_client_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        unsafe { open(client)? }.go();
        Ok(())
    })
}

/// # Safety
/// As the header says of each pointer.
unsafe fn rest(
    client: *const partway_client_t,
    out_idle: *mut partway_idle_t,
    out_error: *mut *mut partway_error_t,
    wait: impl FnOnce(&Client) -> Idle,
) -> partway_status_t {
    attempt_in_time(out_error, || {
        // SAFETY: passed on.
        let (client, out) = unsafe { (open(client)?, Fill::optional(out_idle)?) };
        let idle = wait(client);
        out.put(idle_view(&idle));
        Ok(idle.at_rest)
    })
}

/// Nothing is sent any more: when it returns PARTWAY_OK no request is in flight, all is durable, and no lock and no connection is held. For a system that is
/// about to stop the process. out_idle may be NULL; else it is filled.
///
/// Blocks until then or until timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
/// Returns PARTWAY_TIMED_OUT when something still works. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_hold(
    client: *const partway_client_t,
    timeout_ms: u64,
    out_idle: *mut partway_idle_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe {
        rest(client, out_idle, out_error, |client| client.hold(patience_ms(timeout_ms).unwrap_or(u64::from(u32::MAX))))
    }
}

/// Waits until nothing works. out_idle may be NULL; else it is filled.
///
/// Blocks until then or until timeout_ms is over; in a callback it does not wait. Threads: any but the main one.
/// Returns PARTWAY_TIMED_OUT when something still works. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_wait_idle(
    client: *const partway_client_t,
    timeout_ms: u64,
    out_idle: *mut partway_idle_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    // SAFETY: passed on.
    unsafe { rest(client, out_idle, out_error, |client| client.wait_idle(patience_ms(timeout_ms))) }
}

/// What a scheduler needs to know, now.
///
/// Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_idle(
    client: *const partway_client_t,
    out_idle: *mut partway_idle_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, out) = unsafe { (open(client)?, Fill::optional(out_idle)?) };
        out.put(idle_view(&client.idle()));
        Ok(())
    })
}

/// How many journals could not be read at open; 0 for NULL. They were left as they are, or set aside; no other upload is harmed.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_problem_count(client: *const partway_client_t) -> usize {
    // SAFETY: passed on.
    harmless(0, || unsafe { open(client) }.map_or(0, |client| client.problems().len()))
}

/// One of them, from 0: whose it is, and what is wrong. out_id may be NULL; else it has room for PARTWAY_ID_SIZE bytes and receives the id with a NUL.
///
/// Memory: free out_problem with partway_error_free. Threads: any. Never blocks. Errors: invalid_argument.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_client_problem(
    client: *const partway_client_t,
    index: usize,
    out_id: *mut c_char,
    out_problem: *mut *mut partway_error_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (client, out) = unsafe { (open(client)?, Out::required(out_problem, "out_problem")?) };
        let problem = client.problems().get(index).ok_or_else(|| misuse("there is no problem of that index"))?;
        // SAFETY: NULL, or the header asks for room for an id.
        unsafe { write_id(out_id, &problem.id) };
        out.put(error_given(&problem.error));
        Ok(())
    })
}

/// The client of an upload, unless the reference that the upload is from was freed; it may still be there then, in a call that is under way.
pub(super) fn still_open(client: &Weak<Open>) -> Result<Arc<Open>, ErrorInfo> {
    client.upgrade().filter(|client| !client.gone.load(Ordering::SeqCst)).ok_or_else(closed)
}

pub(super) fn closed() -> ErrorInfo {
    ErrorInfo::new(Code::Closed, "the client is closed")
}

const _: () = assert!(PARTWAY_NONE == u64::MAX && PARTWAY_ID_SIZE == 27);
