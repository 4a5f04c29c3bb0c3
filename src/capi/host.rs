//! What a host gives to a client: functions that are called back.

use std::{ffi::c_void, sync::Arc};

use super::{
    ask::{partway_credential_ask_t, partway_source_ask_t},
    callback::calling,
    idle::{idle_view, partway_idle_t},
    kept::Keep,
    list::partway_list_t,
    pointer::given,
    sign::partway_sign_ask_t,
    sized::{Sized_, no_padding, read},
    snapshot::partway_snapshot_t,
    text::partway_text_t,
    word,
};
use crate::{
    client::{
        CredentialAsk, CredentialProvider, Idle, Listener, LogLevel, LogSink, SignAsk, Signer, Snapshot, SourceAsk,
        SourceProvider,
    },
    error::ErrorInfo,
};

/// What you give to a client. Set struct_size to sizeof(partway_host_t), and what you do not provide to NULL. It is copied; what context points to must live
/// until release is called.
///
/// All functions but on_log are called on one thread of the library, in order, none of them within a call of yours. They may call the library, and free what
/// it gave them; a time-out counts as 0 there, and partway_upload_look_remote is refused. They must not throw, longjmp or end the thread. One that takes long
/// delays the others and nothing else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_host_t {
    /// sizeof(partway_host_t).
    pub struct_size: usize,
    /// Given to each function.
    pub context: *mut c_void,
    /// Called once, after the last call of any other function, when nothing of the library holds the context any more: on any thread, also within the call of
    /// yours that lets go of it, such as partway_config_free, partway_config_set_host or partway_client_free. It may free, and calls nothing else.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// These uploads changed. Of one upload the latest wins, but no change of state is skipped; at most ten calls a second. The first call is the
    /// present. The snapshots are valid during the call; keep one with partway_snapshot_copy.
    pub on_changes:
        Option<unsafe extern "C" fn(context: *mut c_void, snapshots: *const *const partway_snapshot_t, count: usize)>,
    /// Nothing works any more. Valid during the call.
    pub on_idle: Option<unsafe extern "C" fn(context: *mut c_void, idle: *const partway_idle_t)>,
    /// A credential is needed. The ask is yours: answer it here or later, from any thread, and free it. One ask an account at a time. Without this
    /// function uploads wait for partway_client_set_token.
    pub on_credential: Option<unsafe extern "C" fn(context: *mut c_void, ask: *mut partway_credential_ask_t)>,
    /// A source must be opened again. The ask is yours: answer it here or later, from any thread, and free it. Without this function uploads wait for
    /// partway_upload_attach_source.
    pub on_source: Option<unsafe extern "C" fn(context: *mut c_void, ask: *mut partway_source_ask_t)>,
    /// A request is to be signed, for credentials whose secret stays with you (partway_credential_ask_supply_app_signer). The ask is yours: answer it here
    /// or later, from any thread, and free it.
    pub on_sign: Option<unsafe extern "C" fn(context: *mut c_void, ask: *mut partway_sign_ask_t)>,
    /// A line for your log: how much it matters, PARTWAY_LOG_…, the part of the library that speaks, and the line, without its end. Valid during the call.
    /// It holds no token, URL, path, name, key or tag. Called on a thread of its own, in order; while it blocks, later lines are dropped and counted.
    pub on_log:
        Option<unsafe extern "C" fn(context: *mut c_void, level: u32, target: partway_text_t, line: partway_text_t)>,
    /// The uploads of these ids were forgotten, on demand, by a retry or by their age: after the last of their changes, and nothing of them follows. Valid
    /// during the call.
    pub on_forgotten: Option<unsafe extern "C" fn(context: *mut c_void, ids: *const partway_text_t, count: usize)>,
}

no_padding!(partway_host_t {
    struct_size,
    context,
    release,
    on_changes,
    on_idle,
    on_credential,
    on_source,
    on_sign,
    on_log,
    on_forgotten
});

// SAFETY: repr(C), begins with its size; all else are pointers and optional functions, for which zero is NULL.
unsafe impl Sized_ for partway_host_t {
    const NAME: &'static str = "partway_host_t";
    const FIRST_SIZE: usize = size_of::<partway_host_t>();
}

/// The functions and their context; released when the last holder is gone.
pub(super) struct Host {
    table: partway_host_t,
}

// SAFETY: the functions and the context may be used from any thread: the header says so to whoever gives them.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

impl Host {
    /// # Safety
    /// `table` is NULL or a table as the header says.
    pub(super) unsafe fn read(table: *const partway_host_t) -> Result<Arc<Host>, ErrorInfo> {
        // SAFETY: passed on.
        Ok(Arc::new(Host { table: unsafe { read(table) }? }))
    }

    pub(super) fn opens_sources(&self) -> bool {
        self.table.on_source.is_some()
    }

    pub(super) fn signs(&self) -> bool {
        self.table.on_sign.is_some()
    }

    pub(super) fn logs(&self) -> bool {
        self.table.on_log.is_some()
    }

    pub(super) fn listens(&self) -> bool {
        self.table.on_changes.is_some() || self.table.on_forgotten.is_some() || self.table.on_idle.is_some()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: as the header says; this is the last holder, so it is the last call.
            calling(|| unsafe { release(self.table.context) });
        }
    }
}

impl Listener for Host {
    fn on_changes(&self, changes: &[Snapshot]) {
        if let Some(on_changes) = self.table.on_changes {
            let list = partway_list_t::of(changes);
            let (snapshots, count) = list.array();
            // SAFETY: as the header says; the array lives until the call is over.
            calling(|| unsafe { on_changes(self.table.context, snapshots, count) });
        }
    }

    fn on_forgotten(&self, ids: &[String]) {
        if let Some(on_forgotten) = self.table.on_forgotten {
            let mut keep = Keep::default();
            let ids: Vec<partway_text_t> = ids.iter().map(|id| keep.text(id)).collect();
            // SAFETY: as the header says; the array and its texts live until the call is over.
            calling(|| unsafe { on_forgotten(self.table.context, ids.as_ptr(), ids.len()) });
        }
    }

    fn on_idle(&self, idle: &Idle) {
        if let Some(on_idle) = self.table.on_idle {
            let view = idle_view(idle);
            // SAFETY: as the header says; the view lives until the call is over.
            calling(|| unsafe { on_idle(self.table.context, &raw const view) });
        }
    }
}

impl CredentialProvider for Host {
    fn provide(&self, ask: CredentialAsk) {
        match self.table.on_credential {
            // SAFETY: as the header says; the ask is C's from here on.
            Some(on_credential) => calling(|| unsafe {
                on_credential(self.table.context, given(partway_credential_ask_t::of(ask)));
            }),
            None => ask.later(None),
        }
    }
}

impl LogSink for Host {
    fn log(&self, level: LogLevel, target: &str, line: &str) {
        if let Some(on_log) = self.table.on_log {
            let mut keep = Keep::default();
            let (target, line) = (keep.text(target), keep.text(line));
            let level = word::number(word::LOG_LEVELS, &level, word::PARTWAY_LOG_ERROR);
            // SAFETY: as the header says; the texts live until the call is over.
            calling(|| unsafe { on_log(self.table.context, level, target, line) });
        }
    }
}

impl Signer for Host {
    fn sign(&self, ask: SignAsk) {
        match self.table.on_sign {
            // SAFETY: as the header says; the ask is C's from here on.
            Some(on_sign) => calling(|| unsafe { on_sign(self.table.context, given(partway_sign_ask_t::of(ask))) }),
            None => ask.refuse(),
        }
    }
}

impl SourceProvider for Host {
    fn open(&self, ask: SourceAsk) {
        match self.table.on_source {
            // SAFETY: as the header says; the ask is C's from here on.
            Some(on_source) => calling(|| unsafe {
                on_source(self.table.context, given(partway_source_ask_t::of(ask)));
            }),
            None => ask.gone(),
        }
    }
}
