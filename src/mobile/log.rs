//! Lines for the host's log.

use std::sync::Arc;

use super::{HostError, error::heard};
use crate::client;

mirror! {
    /// How much a line matters.
    LogLevel of client::LogLevel: both {
        /// Something is broken: a journal, a callback of the host.
        Error,
        /// Something needs somebody, or an upload failed.
        Warn,
        /// Uploads come, change and end.
        Info,
        /// Asks and their answers, the network, limits.
        Debug,
    }
}

/// Takes lines. Called on one thread of the library, in order; it may block, then later lines are dropped and counted. No line holds a token, a URL, a path, a name, a
/// key or a tag.
#[uniffi::export(foreign)]
pub trait LogSink: Send + Sync {
    /// One line, without its end. `target` is the part of the library that speaks.
    fn log(&self, level: LogLevel, target: String, line: String) -> Result<(), HostError>;
}

/// The host's log as the facade sees it.
pub(super) struct Sink(pub(super) Arc<dyn LogSink>);

impl client::LogSink for Sink {
    fn log(&self, level: client::LogLevel, target: &str, line: &str) {
        heard(self.0.log(level.into(), target.to_owned(), line.to_owned()));
    }
}
