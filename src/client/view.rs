//! Looking at uploads. Cancelling a wait never cancels an upload.

use std::{sync::Arc, time::Duration};

use super::{Client, Explanation, Select, Snapshot};
use crate::{
    error::{Code, ErrorInfo},
    runtime::Board,
};

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
        self.watch().wait(id, timeout_ms)
    }

    /// Waits for a snapshot that is newer than `revision`; none at time-out. **waits**
    pub fn wait_change(&self, id: &str, revision: u64, timeout_ms: u64) -> Option<Snapshot> {
        self.watch().wait_change(id, revision, Some(timeout_ms))
    }

    /// That another process works on it, if one does. A client that is held has not tried. For a command line; a client that goes finds out as it tries to
    /// open it. **disk**, without a sync
    #[doc(hidden)]
    pub fn in_use(&self, id: &str) -> Option<ErrorInfo> {
        self.inner.runtime.in_use(id)
    }

    /// The same looks, without keeping the client open.
    pub(crate) fn watch(&self) -> Watch {
        Watch { board: self.inner.runtime.board().clone() }
    }

    /// What blocks it, when it is tried next, how often it was, what a person should do. **now**
    pub fn explain(&self, id: &str) -> Option<Explanation> {
        let snapshot = self.snapshot(id)?;
        let board = self.inner.runtime.board();
        let (held, network) = board.world();
        let told = board.explain(id).filter(|told| told.state.is_like(&snapshot.state));
        Some(told.unwrap_or_else(|| {
            Explanation::at_rest(&snapshot.state, snapshot.changed_unix_ms, held, &network, snapshot.network)
                .after(board.attempts(id))
        }))
    }
}

/// What waits by this does not keep the client from ending: when its last holder drops it, or it is closed, each wait is over.
pub(crate) struct Watch {
    board: Arc<Board>,
}

impl Watch {
    pub(crate) fn wait(&self, id: &str, timeout_ms: Option<u64>) -> Result<Snapshot, ErrorInfo> {
        let ended = self.board.wait(timeout_ms.map(Duration::from_millis), |rows, _| match rows.get(id) {
            None => Some(None),
            Some(snapshot) => snapshot.state.ended().then(|| Some(snapshot.clone())),
        });
        match ended {
            Some(Some(snapshot)) => Ok(*snapshot),
            Some(None) | None => self.known(id),
        }
    }

    pub(crate) fn wait_change(&self, id: &str, revision: u64, timeout_ms: Option<u64>) -> Option<Snapshot> {
        self.board.wait(timeout_ms.map(Duration::from_millis), |rows, _| {
            rows.get(id).filter(|snapshot| snapshot.revision > revision).map(|snapshot| (**snapshot).clone())
        })
    }

    pub(crate) fn known(&self, id: &str) -> Result<Snapshot, ErrorInfo> {
        self.board.snapshot(id).ok_or_else(unknown_upload)
    }

    #[cfg(feature = "capi")]
    pub(crate) fn is_closed(&self) -> bool {
        self.board.is_closed()
    }
}

pub(super) fn unknown_upload() -> ErrorInfo {
    ErrorInfo::new(Code::UnknownUpload, "there is no upload of that id")
}
