//! One bit that another thread may set, and what to do at that moment.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

type Hook = Box<dyn FnOnce() + Send>;

/// Cancels one request from another thread. Cheap to clone; all clones are the same token.
#[derive(Clone, Default)]
pub struct CancelToken {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

impl CancelToken {
    /// Sets the bit and runs the hook, on this thread. Again is harmless.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::SeqCst);
        let hook = self.inner.hook.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hook) = hook {
            hook();
        }
    }

    /// True once cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    /// What `cancel` runs; at once, if it was called already. A later hook replaces an earlier one.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) {
        *self.inner.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
        if self.is_cancelled() {
            self.cancel();
        }
    }

    /// Takes the hook away: the request is over.
    pub fn clear(&self) {
        self.inner.hook.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn the_hook_runs_once_whichever_comes_first() {
        for cancel_first in [true, false] {
            let (token, runs) = (CancelToken::default(), Arc::new(AtomicU32::new(0)));
            if cancel_first {
                token.cancel();
            }
            let counter = runs.clone();
            token.on_cancel(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            });
            token.cancel();
            token.cancel();
            assert_eq!(runs.load(Ordering::SeqCst), 1);
        }
    }

    #[test]
    fn a_cleared_hook_never_runs() {
        let token = CancelToken::default();
        token.on_cancel(|| panic!("the request is over"));
        token.clear();
        token.cancel();
        assert!(token.is_cancelled());
    }
}
