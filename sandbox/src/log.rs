//! What was asked of the sandbox, without secrets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::faults::{Plane, Service, Step};

/// The oldest entries go when there are more.
const ENTRIES_MAX: usize = 100_000;

/// One request, without secrets: credentials in the path and the query are replaced by `…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Counts requests from 1.
    pub seq: u64,
    /// Milliseconds from the start of the sandbox to the head of the request.
    pub ms: u64,
    /// Milliseconds from the start of the sandbox to the end of the request; `None` while it goes on, or stands still by a rule and its sender waits.
    pub ended_ms: Option<u64>,
    /// The service that was asked, by the path.
    pub service: Service,
    /// The listener.
    pub plane: Plane,
    /// Which request of the protocol.
    pub step: Step,
    /// The HTTP method.
    pub method: String,
    /// The path as it came.
    pub path: String,
    /// The query as it came.
    pub query: String,
    /// The part number.
    pub part: Option<u32>,
    /// The status that was answered; `None` when nothing was, or not yet.
    pub status: Option<u16>,
    /// Bytes of the request body that were read.
    pub body_bytes: u64,
    /// The rule that hit.
    pub rule: Option<u64>,
    /// Whether it came to where its rule lets it stand still.
    pub stands: bool,
    /// The connection, so that reuse can be seen.
    pub connection: u64,
    /// Where the connection came from; a proxy's own end, if there is one between.
    pub peer: Option<SocketAddr>,
    /// Whether the client waited for `100 Continue`.
    pub expect: bool,
    /// Names of the request's headers, without their values.
    pub headers: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Log {
    start: Instant,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<LogEntry>,
    last_seq: u64,
    /// Counts changes, those elsewhere that waiters were woken for included.
    version: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), inner: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change and wakes those who wait for one.
    fn change<T>(&self, make: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        inner.version += 1;
        let made = make(&mut inner);
        drop(inner);
        self.changed.notify_all();
        made
    }

    /// Adds an entry; its `seq` is given here.
    pub(crate) fn begin(&self, mut entry: LogEntry) -> u64 {
        self.change(|inner| {
            inner.last_seq += 1;
            entry.seq = inner.last_seq;
            if inner.entries.len() == ENTRIES_MAX {
                inner.entries.pop_front();
            }
            inner.entries.push_back(entry);
            inner.last_seq
        })
    }

    pub(crate) fn end(&self, seq: u64, status: Option<u16>, body_bytes: u64) {
        let ended_ms = self.elapsed_ms();
        self.change(|inner| {
            if let Ok(at) = inner.entries.binary_search_by_key(&seq, |e| e.seq)
                && let Some(entry) = inner.entries.get_mut(at)
            {
                entry.status = status;
                entry.body_bytes = body_bytes;
                entry.ended_ms = Some(ended_ms);
            }
        });
    }

    /// A rule lets it stand still now.
    pub(crate) fn stand(&self, seq: u64, body_bytes: Option<u64>) {
        self.change(|inner| {
            if let Ok(at) = inner.entries.binary_search_by_key(&seq, |e| e.seq)
                && let Some(entry) = inner.entries.get_mut(at)
            {
                entry.stands = true;
                entry.body_bytes = body_bytes.unwrap_or(entry.body_bytes);
            }
        });
    }

    pub(crate) fn list(&self, after_seq: u64) -> Vec<LogEntry> {
        self.lock().entries.iter().filter(|e| e.seq > after_seq).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.change(|inner| inner.entries.clear());
    }

    /// Wakes those who wait for something that is not in the log.
    pub(crate) fn wake(&self) {
        self.change(|_| ());
    }

    /// Waits until `found` gives something about the log. It is asked with nothing locked, so it may look at the rest of
    /// the sandbox too.
    pub(crate) fn wait<T>(&self, timeout: Duration, mut found: impl FnMut(&[LogEntry]) -> Option<T>) -> Option<T> {
        let until = Instant::now() + timeout;
        loop {
            let (version, entries) = {
                let inner = self.lock();
                (inner.version, inner.entries.iter().cloned().collect::<Vec<_>>())
            };
            if let Some(it) = found(&entries) {
                return Some(it);
            }
            let left = until.checked_duration_since(Instant::now())?;
            let inner = self.lock();
            let same = |inner: &mut Inner| inner.version == version;
            drop(self.changed.wait_timeout_while(inner, left, same).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// The query with the values of credentials replaced.
pub(crate) fn redacted_query(query: &str) -> String {
    let redact = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    };
    query.split('&').map(redact).collect::<Vec<_>>().join("&")
}

fn is_secret(name: &str) -> bool {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    ["token", "secret", "sign", "credential", "authorization", "policy"].iter().any(|s| name.contains(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_replaced_however_they_are_spelt() {
        assert_eq!(redacted_query("multipart&access_token=abc&x=1"), "multipart&access_token=…&x=1");
        assert_eq!(redacted_query("access%5Ftoken=abc"), "access%5Ftoken=…");
        assert_eq!(redacted_query("X-Amz-Signature=ab&LIBRARY_SECRET=q"), "X-Amz-Signature=…&LIBRARY_SECRET=…");
    }
}
