//! Moments at which a process may be killed, told to whoever wants to kill it there: a testing aid, of no use to a host.
//!
//! What a kill can leave behind is decided by what reached the disk and the network before it, so these are the moments around every change of the
//! state directory and around every request. Nobody is told unless [`Config::checkpoint`](crate::client::Config) names somebody.

use std::{fmt, sync::Arc};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A directory is made.
    MakeDir,
    /// A file is made.
    Create,
    /// A lock is taken; its file is made if need be.
    Lock,
    /// Bytes are written to a journal. Within: the first half of them is.
    Write,
    /// A file's bytes are brought to the disk.
    Sync,
    /// A file's end is cut off.
    Truncate,
    /// A file gets another name.
    Rename,
    /// A file is removed.
    Remove,
    /// The names of a directory are brought to the disk.
    SyncDir,
    /// A request. Within, by the built-in transport: all of it was given to the network, and nothing of its answer is known. After: its answer is here,
    /// and nothing came of it yet.
    Request,
}

/// Where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// Nothing of it is done.
    Before,
    /// Some of it is: only of [`Act::Write`] and [`Act::Request`].
    Within,
    /// All of it is done or has failed, and nobody knows yet.
    After,
}

/// Who is told. Called on whichever thread does it, which goes on when the call returns.
pub trait Checkpoint: Send + Sync {
    /// It is at that moment.
    fn reached(&self, act: Act, at: At);
}

/// Nobody, or somebody. Cheap to clone.
#[derive(Clone, Default)]
pub struct Checkpoints(Option<Arc<dyn Checkpoint>>);

impl Checkpoints {
    /// These are told.
    pub fn new(told: Option<Arc<dyn Checkpoint>>) -> Checkpoints {
        Checkpoints(told)
    }

    /// True when somebody listens.
    pub(crate) fn any(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn at(&self, act: Act, at: At) {
        if let Some(told) = &self.0 {
            told.reached(act, at);
        }
    }

    /// Does it, and tells before and after.
    pub(crate) fn around<T>(&self, act: Act, work: impl FnOnce() -> T) -> T {
        self.at(act, At::Before);
        let done = work();
        self.at(act, At::After);
        done
    }
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checkpoints").field(&self.any()).finish()
    }
}
