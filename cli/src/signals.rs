//! SIGINT and SIGTERM.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use partway::error::{Code, ErrorInfo};

use crate::exit::Exit;

static SEEN: AtomicBool = AtomicBool::new(false);

/// Calls `first` at the first signal, once; a second one ends the process at once. What is proven is in the journal either way.
pub(crate) fn on_first(first: impl Fn() + Send + 'static) -> Result<(), ErrorInfo> {
    ctrlc::set_handler(move || {
        if SEEN.swap(true, Ordering::SeqCst) {
            process::exit(Exit::Interrupted.number().into());
        }
        first();
    })
    .map_err(|_| ErrorInfo::new(Code::Bug, "signals can't be handled"))
}

/// Whether a signal came.
pub(crate) fn seen() -> bool {
    SEEN.load(Ordering::SeqCst)
}
