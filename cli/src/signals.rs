//! SIGINT and SIGTERM.

use std::{
    process,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use partway::error::{Code, ErrorInfo};

use crate::{exit::Exit, shell};

static SEEN: AtomicBool = AtomicBool::new(false);
/// timeout(1) and some shells signal the process and its group: so soon it is the same wish.
const SAME_WISH: Duration = Duration::from_millis(300);

/// Calls `first` at the first signal, once; a second one ends the process at once. What is proven is in the journal either way.
pub(crate) fn on_first(first: impl Fn() + Send + 'static) -> Result<(), ErrorInfo> {
    let mut seen_at = None;
    ctrlc::set_handler(move || match seen_at {
        None => {
            seen_at = Some(Instant::now());
            SEEN.store(true, Ordering::SeqCst);
            first();
        }
        Some(at) if at.elapsed() < SAME_WISH => {}
        Some(_) => end(),
    })
    .map_err(|_| ErrorInfo::new(Code::Bug, "signals can't be handled"))
}

/// Ends the process here and now.
pub(crate) fn end() {
    shell::end_all();
    process::exit(Exit::Interrupted.number().into());
}

/// Whether a signal came.
pub(crate) fn seen() -> bool {
    SEEN.load(Ordering::SeqCst)
}
