//! Threads, which the system may refuse.

use std::sync::{Arc, Mutex, PoisonError};

/// Runs `work` with `with` on a new thread of that name. Where there is none to be had, `with` comes back.
pub(super) fn start<T: Send + 'static>(name: &str, with: T, work: impl FnOnce(T) + Send + 'static) -> Result<(), T> {
    #[cfg(test)]
    if REFUSED.with(|refused| refused.replace(refused.get().saturating_sub(1))) > 0 {
        return Err(with);
    }
    // A closure that could not be started is dropped: what it would need is kept beside it.
    let kept = Arc::new(Mutex::new(Some(with)));
    let its = kept.clone();
    let take = |kept: &Mutex<Option<T>>| kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    let run = move || {
        if let Some(with) = take(&its) {
            drop(its);
            work(with);
        }
    };
    match std::thread::Builder::new().name(name.to_owned()).spawn(run) {
        Ok(_) => Ok(()),
        Err(_) => take(&kept).map_or(Ok(()), Err),
    }
}

#[cfg(test)]
thread_local! {
    static REFUSED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// The next threads that the caller's own wants are refused.
#[cfg(test)]
pub(super) fn refuse(count: u32) {
    REFUSED.with(|refused| refused.set(count));
}
