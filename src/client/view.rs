//! Looking at uploads. Cancelling a wait never cancels an upload.

use std::time::Duration;

use super::{Client, Explanation, Select, Snapshot};
use crate::error::ErrorInfo;

impl Client {
    /// One upload. **now**
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.inner.runtime.board().snapshot(id)
    }

    /// The upload of a key. **now**
    pub fn find(&self, key: &str) -> Option<Snapshot> {
        self.inner.runtime.board().find(key)
    }

    /// Those that fit, oldest id first; ended ones that were not forgotten too. **now**
    pub fn list(&self, which: &Select) -> Vec<Snapshot> {
        match which {
            Select::One { id } => self.snapshot(id).into_iter().collect(),
            Select::Key { key } => self.find(key).into_iter().collect(),
            _ => self.inner.runtime.board().matching(|snapshot| which.fits(snapshot)),
        }
    }

    /// Waits for the ending; the present snapshot at time-out, or when the client is closed. Cancelling a wait never cancels the upload. **waits**
    pub fn wait(&self, id: &str, timeout_ms: Option<u64>) -> Result<Snapshot, ErrorInfo> {
        let board = self.inner.runtime.board();
        let ended = board.wait(timeout_ms.map(Duration::from_millis), |rows, _, _| match rows.get(id) {
            None => Some(None),
            Some(snapshot) => snapshot.state.ended().then(|| Some(snapshot.clone())),
        });
        match ended {
            Some(Some(snapshot)) => Ok(*snapshot),
            Some(None) | None => self.known(id),
        }
    }

    /// Waits for a snapshot that is newer than `revision`; none at time-out. **waits**
    pub fn wait_change(&self, id: &str, revision: u64, timeout_ms: u64) -> Option<Snapshot> {
        let board = self.inner.runtime.board();
        board.wait(Some(Duration::from_millis(timeout_ms)), |rows, _, _| {
            rows.get(id).filter(|snapshot| snapshot.revision > revision).map(|snapshot| (**snapshot).clone())
        })
    }

    /// What blocks it, when it is tried next, how often it was, what a person should do. **now**
    pub fn explain(&self, id: &str) -> Option<Explanation> {
        let snapshot = self.snapshot(id)?;
        let board = self.inner.runtime.board();
        let (held, network) = board.world();
        let told = board.explain(id).filter(|told| told.state.is_like(&snapshot.state));
        Some(told.unwrap_or_else(|| {
            Explanation::at_rest(&snapshot.state, snapshot.changed_unix_ms, held, &network, snapshot.network)
        }))
    }
}
