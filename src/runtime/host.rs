//! What the host gives. Asks are answered now or later, from any thread, once.

mod credential_ask;
mod limits;
mod log;
mod source_ask;

pub(crate) use credential_ask::CredentialAnswer;
pub use credential_ask::{CredentialAsk, CredentialProvider, Why};
pub use limits::Limits;
pub use log::{LogLevel, LogSink};
pub use source_ask::{SourceAsk, SourceProvider};
pub(crate) use source_ask::{SourceNews, SourceQuestion};

use super::{Idle, Snapshot};
use crate::error::ErrorInfo;
pub use crate::model::{Credential, Network, NetworkPolicy, Online};

/// Is told of changes. Called on one thread of ours, in order, never re-entrantly, at most ten times a second; the first call is the present. It may
/// call the client, except what waits.
pub trait Listener: Send + Sync {
    /// These changed. Of one upload the latest wins, but no change of state is skipped. While an upload works it is told at least once a minute, also
    /// when nothing changed.
    fn on_changes(&self, changes: &[Snapshot]);
    /// These were forgotten, on demand, by a retry or by their age: after the last of their changes, and nothing of them follows.
    fn on_forgotten(&self, _ids: &[String]) {}
    /// Nothing works any more.
    fn on_idle(&self, _idle: &Idle) {}
}

/// A journal that could not be read at open. It was left as it is, or set aside if it was damaged; no other upload is harmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose.
    pub id: String,
    /// Why.
    pub error: ErrorInfo,
}
