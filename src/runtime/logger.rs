//! The way to the host's log: a thread of its own, so that a slow log slows nothing else.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{LogLevel, LogSink, pool::Pool};

/// Lines that wait for a log that blocks; more are dropped, and how many is said.
const LINES_MAX: usize = 1_000;

struct Line {
    level: LogLevel,
    target: &'static str,
    text: String,
}

/// Writes lines, if the host takes any.
#[derive(Clone)]
pub(super) struct Logger {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    level: LogLevel,
    pool: Pool<Line>,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

impl Logger {
    pub(super) fn new(sink: Option<Arc<dyn LogSink>>, level: LogLevel) -> Logger {
        let Some(sink) = sink else { return Logger { inner: None } };
        let (waiting, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (written, lost) = (waiting.clone(), dropped.clone());
        let pool = Pool::new("partway-log", 1, move || {
            let (sink, written, lost) = (sink.clone(), written.clone(), lost.clone());
            Box::new(move |line: Line| {
                written.fetch_sub(1, Ordering::Relaxed);
                // A log that panics loses its line, and nothing else.
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    let lost = lost.swap(0, Ordering::Relaxed);
                    if lost > 0 {
                        sink.log(LogLevel::Warn, "log", &format!("{lost} lines were dropped: the log is too slow"));
                    }
                    sink.log(line.level, line.target, &line.text);
                }));
            })
        });
        Logger { inner: Some(Arc::new(Inner { level, pool, waiting, dropped })) }
    }

    /// One line; `text` is made only when it is wanted.
    pub(super) fn log(&self, level: LogLevel, target: &'static str, text: impl FnOnce() -> String) {
        let Some(inner) = self.inner.as_ref().filter(|inner| level <= inner.level) else { return };
        if inner.waiting.fetch_add(1, Ordering::Relaxed) >= LINES_MAX {
            inner.waiting.fetch_sub(1, Ordering::Relaxed);
            inner.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        inner.pool.submit(Line { level, target, text: text() });
    }

    /// Nothing more is written.
    pub(super) fn close(&self) {
        if let Some(inner) = &self.inner {
            inner.pool.close();
        }
    }

    /// True when no line is being written any more, after at most so long.
    pub(super) fn drain(&self, timeout: Duration) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.pool.drain(timeout))
    }

    pub(super) fn alive(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.pool.alive())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;

    struct Slow {
        gate: Mutex<mpsc::Receiver<()>>,
        lines: mpsc::Sender<String>,
    }

    impl LogSink for Slow {
        fn log(&self, _: LogLevel, _: &str, line: &str) {
            let _ = self.gate.lock().expect("a gate").recv();
            self.lines.send(line.to_owned()).expect("the test listens");
        }
    }

    #[test]
    fn a_slow_log_loses_lines_and_is_told_how_many() {
        let (open, gate) = mpsc::channel();
        let (lines, written) = mpsc::channel();
        let logger = Logger::new(Some(Arc::new(Slow { gate: Mutex::new(gate), lines })), LogLevel::Info);
        logger.log(LogLevel::Debug, "test", || panic!("nobody wants it"));
        // One may be at the sink already; the rest waits.
        for number in 0..LINES_MAX + 50 {
            logger.log(LogLevel::Info, "test", || number.to_string());
        }
        drop(open);
        let all: Vec<String> = written.iter().take(LINES_MAX).collect();
        assert!(all.iter().any(|line| line.contains("lines were dropped")), "{:?}", &all[..3]);
        assert!(all.contains(&"0".to_owned()));
    }
}
