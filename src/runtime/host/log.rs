//! Where lines for a log go.

/// How much a line matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Something is broken: a journal, a callback of the host.
    Error,
    /// Something needs somebody, or an upload failed.
    #[default]
    Warn,
    /// Uploads come, change and end.
    Info,
    /// Asks and their answers, the network, limits.
    Debug,
}

/// Takes lines. Called on one thread of ours of its own, in order; it may block, then later lines are dropped and counted. No line holds a token, a URL,
/// a path, a name, a key or a tag: ids, states, codes and numbers alone.
pub trait LogSink: Send + Sync {
    /// One line, without its end. `target` is the part of the library that speaks.
    fn log(&self, level: LogLevel, target: &str, line: &str);
}
