//! One upload, by a reference to it.

use std::{
    ffi::c_char,
    sync::{Arc, Weak},
};

use super::{
    callback::patience_ms,
    change::partway_change_t,
    client::{Open, closed, still_open, unknown_upload},
    error::partway_error_t,
    explanation::{explanation_given, partway_explanation_t},
    pointer::{Opaque, Out, free, given, held},
    remote::{PARTWAY_LOOK_FOUND, PARTWAY_LOOK_GONE, PARTWAY_LOOK_NO_SESSION, partway_remote_task_t, task_given},
    snapshot::{partway_snapshot_t, snapshot_given},
    source::partway_source_t,
    status::{attempt, attempt_in_time, harmless, partway_status_t},
    string::{partway_string_t, string_given},
    word,
};
use crate::{
    client::{How, RemoteLook, Select, Started},
    error::{Code, ErrorInfo},
};

/// Room for an id and its NUL.
pub const PARTWAY_ID_SIZE: usize = 27;

/// A reference to an upload: its client and its id. The upload does not depend on it: freeing it touches nothing, and there may be many of the same
/// upload. All its functions may be called by several threads at once.
pub struct partway_upload_t {
    client: Weak<Open>,
    id: String,
    id_terminated: Box<[u8]>,
    /// The id of the upload that it took over, with its NUL.
    continues: Option<Box<[u8]>>,
}

impl Opaque for partway_upload_t {
    const NAME: &'static str = "upload";
}

impl partway_upload_t {
    pub(super) fn new(client: Weak<Open>, id: String) -> partway_upload_t {
        let id_terminated = terminated(&id);
        partway_upload_t { client, id, id_terminated, continues: None }
    }

    /// The one that a start led to.
    pub(super) fn started(client: Weak<Open>, started: &Started) -> partway_upload_t {
        let continues = match &started.how {
            How::Continued { from } => Some(terminated(from)),
            How::New | How::AlreadyThere => None,
        };
        partway_upload_t { continues, ..partway_upload_t::new(client, started.id.clone()) }
    }

    fn select(&self) -> Select {
        Select::one(&self.id)
    }
}

fn terminated(id: &str) -> Box<[u8]> {
    [id.as_bytes(), &[0]].concat().into()
}

/// # Safety
/// `place` is NULL or has room for [`PARTWAY_ID_SIZE`] bytes.
pub(super) unsafe fn write_id(place: *mut c_char, id: &str) {
    if !place.is_null() {
        let id = &id.as_bytes()[..id.len().min(PARTWAY_ID_SIZE - 1)];
        // SAFETY: by the contract there is room for the id, cut if need be, and its NUL.
        unsafe {
            std::ptr::copy_nonoverlapping(id.as_ptr(), place.cast(), id.len());
            place.add(id.len()).write(0);
        }
    }
}

/// # Safety
/// As [`held`].
unsafe fn open<'a>(upload: *const partway_upload_t) -> Result<(&'a partway_upload_t, Arc<Open>), ErrorInfo> {
    // SAFETY: passed on.
    let upload = unsafe { held(upload)? };
    Ok((upload, still_open(&upload.client)?))
}

/// Frees the reference; the upload goes on. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_free(upload: *mut partway_upload_t) {
    // SAFETY: passed on.
    unsafe { free(upload) }
}

/// The id: 26 characters and a NUL. NULL for NULL.
///
/// Memory: valid until the reference is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_id(upload: *const partway_upload_t) -> *const c_char {
    // SAFETY: passed on.
    harmless(std::ptr::null(), || {
        unsafe { held(upload) }.map_or(std::ptr::null(), |upload| upload.id_terminated.as_ptr().cast())
    })
}

/// The id of the upload whose proof this one took over: 26 characters and a NUL. That one is gone. NULL when the call that gave you this reference made
/// no upload of an older one (partway_client_start, partway_client_start_all or partway_upload_retry does: PARTWAY_HOW_CONTINUED), and for NULL.
///
/// Memory: valid until the reference is freed. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_continued_from(upload: *const partway_upload_t) -> *const c_char {
    // SAFETY: passed on.
    let continues = || unsafe { held(upload) }.ok().and_then(|upload| upload.continues.as_deref());
    harmless(std::ptr::null(), || continues().map_or(std::ptr::null(), |id| id.as_ptr().cast()))
}

/// It stays until resumed, also over restarts; idempotent in every state.
///
/// Threads: any. Never blocks. Errors: invalid_argument; closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_pause(
    upload: *const partway_upload_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (upload, client) = unsafe { open(upload)? };
        client.pause(&upload.select());
        Ok(())
    })
}

/// It goes on; also "try now" when it waits.
///
/// Threads: any. Never blocks. Errors: invalid_argument; closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_resume(
    upload: *const partway_upload_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (upload, client) = unsafe { open(upload)? };
        client.resume(&upload.select());
        Ok(())
    })
}

/// It ends; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes the upload completed.
///
/// Threads: any. Never blocks. Errors: invalid_argument; closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_cancel(
    upload: *const partway_upload_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (upload, client) = unsafe { open(upload)? };
        client.cancel(&upload.select());
        Ok(())
    })
}

/// "I have stored how it ended": removes it if it ended, and leaves it if it did not. out_gone may be NULL; else it receives which.
///
/// Blocks while the disk is written. Threads: any but the main one. Errors: invalid_argument; closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_forget(
    upload: *const partway_upload_t,
    out_gone: *mut bool,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::optional(out_gone)) };
        out.put(client.forget(&upload.select()) > 0);
        Ok(())
    })
}

/// Changes what is set in the change.
///
/// Memory: the change stays yours. Threads: any. Never blocks. Errors: invalid_argument; closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_change(
    upload: *const partway_upload_t,
    change: *const partway_change_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), change) = unsafe { (open(upload)?, held(change)?) };
        client.change(&upload.select(), &change.build()?).map(|_| ())
    })
}

/// Answers an open conflict with one of its choices, PARTWAY_CHOICE_…. No byte is sent again.
///
/// Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload; wrong_state when there is no such choice now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_answer_conflict(
    upload: *const partway_upload_t,
    choice: u32,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (upload, client) = unsafe { open(upload)? };
        client.answer_conflict(&upload.id, word::value(word::CHOICES, choice.into(), "PARTWAY_CHOICE_…")?)
    })
}

/// Gives the upload its source again. The same bytes go on where it was.
///
/// Memory: the source stays yours. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_attach_source(
    upload: *const partway_upload_t,
    source: *const partway_source_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), source) = unsafe { (open(upload)?, held(source)?) };
        client.attach_source(&upload.id, source.offer()?)
    })
}

/// The upload, now.
///
/// Memory: free the snapshot with partway_snapshot_free. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_snapshot(
    upload: *const partway_upload_t,
    out_snapshot: *mut *mut partway_snapshot_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::required(out_snapshot, "out_snapshot")?) };
        out.put(snapshot_given(&client.snapshot(&upload.id).ok_or_else(unknown_upload)?));
        Ok(())
    })
}

/// Waits for the ending. out_snapshot may be NULL; else it receives the ending, or how things are when the time is over. To stop waiting never cancels.
///
/// Blocks until then or until timeout_ms is over; in a callback it does not wait. Memory: free the snapshot with partway_snapshot_free.
/// Threads: any but the main one. Returns PARTWAY_TIMED_OUT when it has not ended. Errors: invalid_argument; closed; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_wait(
    upload: *const partway_upload_t,
    timeout_ms: u64,
    out_snapshot: *mut *mut partway_snapshot_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt_in_time(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::optional(out_snapshot)) };
        // Whoever waits keeps nobody from freeing the client.
        let watch = client.watch();
        drop(client);
        let snapshot = watch.wait(&upload.id, patience_ms(timeout_ms))?;
        if !snapshot.state.ended() && watch.is_closed() {
            return Err(closed());
        }
        if !out_snapshot.is_null() {
            out.put(snapshot_given(&snapshot));
        }
        Ok(snapshot.state.ended())
    })
}

/// Waits for a snapshot that is newer than a revision; 0 for any. out_snapshot receives it, or how things are when the time is over.
///
/// Blocks until then or until timeout_ms is over; in a callback it does not wait. Memory: free the snapshot with partway_snapshot_free.
/// Threads: any but the main one. Returns PARTWAY_TIMED_OUT when there is none. Errors: invalid_argument; closed; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_wait_change(
    upload: *const partway_upload_t,
    revision: u64,
    timeout_ms: u64,
    out_snapshot: *mut *mut partway_snapshot_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt_in_time(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::required(out_snapshot, "out_snapshot")?) };
        // As above.
        let watch = client.watch();
        drop(client);
        let newer = watch.wait_change(&upload.id, revision, patience_ms(timeout_ms));
        let in_time = newer.is_some();
        if !in_time && watch.is_closed() {
            return Err(closed());
        }
        out.put(snapshot_given(&newer.map_or_else(|| watch.known(&upload.id), Ok)?));
        Ok(in_time)
    })
}

/// Begins a failed or cancelled upload again: a new id, the same key, everything that was proven. The old one is gone, as if it had been forgotten.
///
/// Blocks while the disk is written. Memory: out_upload may be NULL; else free what it receives with partway_upload_free. Threads: any but the main one.
/// Errors: invalid_argument; closed; unknown_upload; wrong_state for any other upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_retry(
    upload: *const partway_upload_t,
    out_upload: *mut *mut partway_upload_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::optional(out_upload)) };
        let started = client.retry(&upload.id)?;
        if !out_upload.is_null() {
            out.put(given(partway_upload_t::started(upload.client.clone(), &started)));
        }
        Ok(())
    })
}

/// What its journal says, in order, and where it stands: JSON for a bug report. It holds no name, path, key, tag, token, URL or handle of the service.
///
/// Blocks while the disk is read. Memory: free the text with partway_string_free. Threads: any but the main one. Errors: invalid_argument; closed;
/// unknown_upload when there is no such upload or its journal can't be read now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_timeline_json(
    upload: *const partway_upload_t,
    out_json: *mut *mut partway_string_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::required(out_json, "out_json")?) };
        out.put(string_given(&client.timeline_json(&upload.id).ok_or_else(unknown_upload)?));
        Ok(())
    })
}

/// Asks the service for its own view of the upload, in whatever state that is; nothing of the upload changes. out_look may be NULL; else it receives
/// PARTWAY_LOOK_…. *out_task is NULL unless that is PARTWAY_LOOK_FOUND.
///
/// Blocks: for a credential, 60 seconds at most, and for up to three requests. Memory: free the task with partway_remote_task_free. Threads: any but the main
/// one; refused in a callback. Errors: invalid_argument; closed; unknown_upload; credential_refused; wrong_state in a callback; what the service or the way
/// to it refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_look_remote(
    upload: *const partway_upload_t,
    out_look: *mut u32,
    out_task: *mut *mut partway_remote_task_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::required(out_task, "out_task")?) };
        // SAFETY: the header asks for NULL or a place that may be written to.
        let out_look = unsafe { Out::optional(out_look) };
        if patience_ms(1) != Some(1) {
            return Err(ErrorInfo::new(
                Code::WrongState,
                "not in a callback: what it waits for could not be told there",
            ));
        }
        let (look, task) = match client.look_remote(&upload.id)? {
            RemoteLook::NoSession => (PARTWAY_LOOK_NO_SESSION, std::ptr::null_mut()),
            RemoteLook::Gone => (PARTWAY_LOOK_GONE, std::ptr::null_mut()),
            RemoteLook::Found(task) => (PARTWAY_LOOK_FOUND, task_given(&task)),
        };
        out_look.put(look);
        out.put(task);
        Ok(())
    })
}

/// Why it does not move, when it is tried next, how often it was.
///
/// Memory: free the explanation with partway_explanation_free. Threads: any. Never blocks. Errors: invalid_argument; closed; unknown_upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_upload_explain(
    upload: *const partway_upload_t,
    out_explanation: *mut *mut partway_explanation_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let ((upload, client), out) = unsafe { (open(upload)?, Out::required(out_explanation, "out_explanation")?) };
        out.put(explanation_given(&client.explain(&upload.id).ok_or_else(unknown_upload)?));
        Ok(())
    })
}
