//! Running, and being stopped by the system.

use std::time::{Duration, Instant};

use super::{Client, Idle};

impl Client {
    /// Goes on after `hold`, or after an open without autostart. **now**
    pub fn go(&self) {
        self.inner.runtime.go(None);
    }

    /// The same for these alone: the others stay as they are until [`go`](Client::go). For a command line or a job that serves one upload. **now**
    pub fn go_only(&self, ids: &[String]) {
        self.inner.runtime.go(Some(ids.to_vec()));
    }

    /// No request in flight, all durable, no lock, no socket when it returns [`Idle::at_rest`]; a second does as a rule. Otherwise `timeout_ms` was too
    /// short: nothing new begins, and what still works comes to rest behind it. What a host says meanwhile is kept, and nothing else happens. A host that
    /// carries requests itself keeps its own sockets. **waits**
    pub fn hold(&self, timeout_ms: u64) -> Idle {
        let (began, timeout) = (Instant::now(), Duration::from_millis(timeout_ms));
        self.inner.runtime.hold();
        let mut idle = self.wait_idle(Some(timeout_ms));
        idle.at_rest &= self.inner.runtime.drop_connections(timeout.saturating_sub(began.elapsed()));
        idle
    }

    /// Waits until nothing works, [`Idle::at_rest`], or until the time is over. **waits**
    pub fn wait_idle(&self, timeout_ms: Option<u64>) -> Idle {
        self.rest(timeout_ms).unwrap_or_else(|| self.idle())
    }

    /// What a scheduler needs to know. **now**
    pub fn idle(&self) -> Idle {
        self.inner.runtime.board().idle()
    }

    /// Threads of the pools that live now: none a few seconds after the last work. **now**
    #[doc(hidden)]
    pub fn threads(&self) -> usize {
        self.inner.runtime.threads()
    }

    /// `None`: it worked until the end of the time.
    pub(super) fn rest(&self, timeout_ms: Option<u64>) -> Option<Idle> {
        self.inner
            .runtime
            .board()
            .wait(timeout_ms.map(Duration::from_millis), |_, idle| idle.at_rest.then(|| idle.clone()))
    }
}
