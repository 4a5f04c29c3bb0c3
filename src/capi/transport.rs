//! A transport that the host brings.

use std::{ffi::c_void, sync::Arc};

use super::{
    call::partway_call_t,
    callback::calling,
    pointer::given,
    sized::{Sized_, no_padding, read},
    status::misuse,
};
use crate::{
    client::{Transport, TransportCall},
    error::ErrorInfo,
};

/// Carries requests in the place of the library. Set struct_size to sizeof(partway_transport_t). It is copied; what context points to must live until
/// release is called.
///
/// It uses the URL as it is, byte for byte, and the headers as they are; Host, Content-Length (exactly the body's length, never chunked) and User-Agent are
/// its own. It follows no redirect, keeps no cache and no cookies, and sends nothing again on its own. Any status is an answer, also one that comes
/// before the whole body was sent. It must not throw, longjmp or end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_transport_t {
    /// sizeof(partway_transport_t).
    pub struct_size: usize,
    /// Given to each function.
    pub context: *mut c_void,
    /// Called once, after the last call of any other function has returned, when nothing of the library holds the context any more: on any thread, also within
    /// the call of yours that lets go of it, such as partway_config_free, partway_config_set_transport or partway_client_free. It may free, and calls nothing
    /// else. What execute uses beside the context must live until then too.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// Carries one request. The call is yours: answer it here or later, from any thread, once, and free it. Called on threads of its own, several at
    /// once, never within a call of yours; it may block. It may call the library: a time-out counts as 0 there, and partway_upload_look_remote is refused.
    /// A call that is silent for as long as its request has patience is over; one that is freed unanswered counts as a connection that broke.
    pub execute: Option<unsafe extern "C" fn(context: *mut c_void, call: *mut partway_call_t)>,
}

no_padding!(partway_transport_t { struct_size, context, release, execute });

// SAFETY: repr(C), begins with its size; all else are pointers and optional functions, for which zero is NULL.
unsafe impl Sized_ for partway_transport_t {
    const NAME: &'static str = "partway_transport_t";
    const FIRST_SIZE: usize = size_of::<partway_transport_t>();
}

/// The functions and their context; released when the last holder is gone.
pub(super) struct HostTransport {
    table: partway_transport_t,
}

// SAFETY: the functions and the context may be used from any thread, by several at once: the header says so to whoever gives them.
unsafe impl Send for HostTransport {}
// SAFETY: as above.
unsafe impl Sync for HostTransport {}

impl HostTransport {
    /// # Safety
    /// `table` is NULL or a table as the header says.
    pub(super) unsafe fn read(table: *const partway_transport_t) -> Result<Arc<HostTransport>, ErrorInfo> {
        // SAFETY: passed on.
        let table = unsafe { read(table) }?;
        if table.execute.is_none() {
            return Err(misuse("a transport has execute"));
        }
        Ok(Arc::new(HostTransport { table }))
    }
}

impl Drop for HostTransport {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: as the header says; this is the last holder, so it is the last call.
            calling(|| unsafe { release(self.table.context) });
        }
    }
}

impl Transport for HostTransport {
    fn execute(&self, call: Arc<TransportCall>) {
        if let Some(execute) = self.table.execute {
            // SAFETY: as the header says; the call is C's from here on.
            calling(|| unsafe { execute(self.table.context, given(partway_call_t::of(call))) });
        }
    }
}
