//! The byte rate: one bucket for all workers, small quanta, changed at run time.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A bucket holds at most this much of a second, so that there are no bursts.
const BURST: f64 = 0.05;
/// The least that one read may take, or a slow rate would cost more in calls than in bytes.
const QUANTUM_BYTES_MIN: usize = 4 << 10;
/// A waiting worker looks up this often whether it was cancelled.
const LOOK: Duration = Duration::from_millis(50);

/// Shared by all workers.
pub(super) struct Rate {
    bucket: Mutex<Bucket>,
    changed: Condvar,
}

struct Bucket {
    bytes_per_s: u64,
    /// May be below zero: what was taken ahead.
    tokens: f64,
    filled: Instant,
}

impl Rate {
    pub(super) fn new(bytes_per_s: u64) -> Rate {
        Rate {
            bucket: Mutex::new(Bucket { bytes_per_s, tokens: 0.0, filled: Instant::now() }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on; 0 is no limit.
    pub(super) fn set(&self, bytes_per_s: u64) {
        let mut bucket = self.lock();
        bucket.bytes_per_s = bytes_per_s;
        bucket.tokens = 0.0;
        bucket.filled = Instant::now();
        drop(bucket);
        self.changed.notify_all();
    }

    /// True when there is a limit now.
    pub(super) fn is_limited(&self) -> bool {
        self.lock().bytes_per_s > 0
    }

    /// The most that one read may take of `wanted`.
    pub(super) fn quantum(&self, wanted: usize) -> usize {
        match self.lock().bytes_per_s {
            0 => wanted,
            rate => wanted.min(((rate as f64 * BURST) as usize).max(QUANTUM_BYTES_MIN)),
        }
    }

    /// Waits until `bytes` may go; `false` if `stop` said so first.
    pub(super) fn take(&self, bytes: usize, stop: impl Fn() -> bool) -> bool {
        let mut bucket = self.lock();
        if bucket.bytes_per_s == 0 {
            return true;
        }
        bucket.fill();
        bucket.tokens -= bytes as f64;
        loop {
            if bucket.bytes_per_s == 0 || bucket.tokens >= 0.0 {
                return true;
            }
            if stop() {
                return false;
            }
            let wait = Duration::from_secs_f64(-bucket.tokens / bucket.bytes_per_s as f64).min(LOOK);
            bucket = self.changed.wait_timeout(bucket, wait).unwrap_or_else(PoisonError::into_inner).0;
            bucket.fill();
        }
    }
}

impl Bucket {
    fn fill(&mut self) {
        let now = Instant::now();
        let rate = self.bytes_per_s as f64;
        self.tokens = (self.tokens + now.duration_since(self.filled).as_secs_f64() * rate).min(rate * BURST);
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_a_seconds_worth() {
        let rate = Rate::new(1_000_000);
        let began = Instant::now();
        let mut taken = 0;
        while taken < 300_000 {
            let quantum = rate.quantum(64 << 10);
            assert!(quantum <= 50_000);
            assert!(rate.take(quantum, || false));
            taken += quantum;
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!((0.2..0.6).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_wait_ends_when_told_or_when_the_limit_goes() {
        let rate = Rate::new(1);
        assert!(!rate.take(1_000, || true));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(rate.take(1_000, || false)));
            rate.set(0);
        });
        assert_eq!(rate.quantum(9), 9);
    }
}
