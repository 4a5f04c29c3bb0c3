//! The clocks of this device.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::{Now, Tick};

/// Reads the present. The tick goes on while the device sleeps, which `std::time::Instant` does not on phones.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    origin_ms: u64,
    /// So much later it is for a test.
    #[cfg(test)]
    pub(super) ahead_ms: u64,
    /// So far has the wall clock jumped beside that.
    #[cfg(test)]
    pub(super) jumped_ms: i64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        // Never 0: a tick of 0 stands for "long ago".
        Clock {
            origin_ms: boot_ms().saturating_sub(1),
            #[cfg(test)]
            ahead_ms: 0,
            #[cfg(test)]
            jumped_ms: 0,
        }
    }

    pub(super) fn tick(&self) -> Tick {
        let since_ms = boot_ms().saturating_sub(self.origin_ms);
        #[cfg(test)]
        let since_ms = since_ms + self.ahead_ms;
        Tick(since_ms)
    }

    pub(super) fn now(&self) -> Now {
        let now = Now { tick: self.tick(), unix_ms: unix_ms() };
        #[cfg(test)]
        let now = Now { unix_ms: now.unix_ms + self.jumped_ms, ..now };
        now
    }
}

/// The phone's wall clock; it may be wrong.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn boot_ms() -> u64 {
    ms_of(rustix::time::clock_gettime(rustix::time::ClockId::Boottime))
}

/// On Apple systems CLOCK_MONOTONIC is the one that goes on during sleep.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn boot_ms() -> u64 {
    ms_of(rustix::time::clock_gettime(rustix::time::ClockId::Monotonic))
}

#[cfg(unix)]
fn ms_of(time: rustix::time::Timespec) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}

#[cfg(not(unix))]
fn boot_ms() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(ORIGIN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_never_go_back_and_are_never_zero() {
        let clock = Clock::new();
        let first = clock.tick();
        assert!(first > Tick(0) && clock.tick() >= first);
    }
}
