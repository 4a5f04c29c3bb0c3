//! Who may start what now: pure, so that the simulator runs the same one.
//!
//! Parts go to the upload with the highest priority, then to the oldest: one is finished before the next begins to hurry. Control requests always find a
//! place. A host that asked to slow down, or that keeps failing, gets nothing more until its time has come.

use std::collections::HashMap;

use crate::{engine::Slots, model::Tick};

/// Requests beyond the parts, so that control requests always find a thread.
pub const CONTROLS_BESIDE_PARTS: u32 = 2;
/// Failures that one host may cause in a row of uploads before it gets only one try a second.
const HOST_FAILURES_MAX: u32 = 50;
/// The pace at which a host's failures are forgiven.
const HOST_FORGIVE_MS: u64 = 1_000;

/// One host's standing.
#[derive(Clone, Copy, Debug, Default)]
struct Host {
    gate: Tick,
    failures: u32,
    forgiven: Tick,
}

/// What is lent, and to whom.
#[derive(Debug)]
pub struct Schedule {
    parallel_parts: u32,
    hosts: HashMap<String, Host>,
}

impl Schedule {
    /// At most so many parts at once.
    pub fn new(parallel_parts: u32) -> Schedule {
        Schedule { parallel_parts: parallel_parts.max(1), hosts: HashMap::new() }
    }

    /// Changes the bound; what is under way stays.
    pub fn set_parallel_parts(&mut self, parallel_parts: u32) {
        self.parallel_parts = parallel_parts.max(1);
    }

    /// The threads that requests need at most.
    pub fn threads_max(&self) -> usize {
        (self.parallel_parts + CONTROLS_BESIDE_PARTS) as usize
    }

    /// When all of these are open again; none when they are.
    pub fn opens_at<'a>(&self, now: Tick, hosts: impl IntoIterator<Item = &'a str>) -> Option<Tick> {
        hosts.into_iter().filter_map(|host| self.hosts.get(host)).map(|host| host.gate).filter(|gate| *gate > now).max()
    }

    /// What an upload that speaks to `hosts` may start, while so many parts and controls are under way in all.
    pub fn lend<'a>(&self, now: Tick, hosts: impl IntoIterator<Item = &'a str>, parts: u32, controls: u32) -> Slots {
        let opens_at = self.opens_at(now, hosts);
        if opens_at.is_some() {
            return Slots { parts: 0, controls: 0, reads: 1, opens_at };
        }
        let free = (self.parallel_parts + CONTROLS_BESIDE_PARTS).saturating_sub(parts + controls);
        Slots { parts: self.parallel_parts.saturating_sub(parts).min(free), controls: free, reads: 1, opens_at: None }
    }

    /// A host answered: with what it asked for, if it asked to slow down.
    pub fn answered(&mut self, now: Tick, host: &str, status: u16, retry_after_ms: Option<u64>) {
        let busy = matches!(status, 429 | 503);
        if status >= 500 || busy {
            self.failed(now, host);
        } else if let Some(host) = self.hosts.get_mut(host) {
            host.failures = 0;
        }
        if let (true, Some(ms)) = (busy, retry_after_ms) {
            let host = self.hosts.entry(host.to_owned()).or_default();
            host.gate = host.gate.max(now.after_ms(ms));
        }
    }

    /// A host did not answer.
    pub fn failed(&mut self, now: Tick, host: &str) {
        let host = self.hosts.entry(host.to_owned()).or_default();
        let forgiven = u32::try_from(now.since_ms(host.forgiven) / HOST_FORGIVE_MS).unwrap_or(u32::MAX);
        host.failures = host.failures.saturating_sub(forgiven) + 1;
        host.forgiven = now;
        if host.failures > HOST_FAILURES_MAX {
            host.gate = host.gate.max(now.after_ms(HOST_FORGIVE_MS));
        }
    }

    /// A person says "now": what these hosts asked for before is over.
    pub fn open<'a>(&mut self, hosts: impl IntoIterator<Item = &'a str>) {
        for host in hosts {
            self.hosts.remove(host);
        }
    }

    /// The network changed: what hosts did before says nothing.
    pub fn reset(&mut self) {
        self.hosts.clear();
    }

    /// When the next closed host opens.
    pub fn next_open(&self, now: Tick) -> Option<Tick> {
        self.hosts.values().map(|host| host.gate).filter(|gate| *gate > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_find_a_place_while_all_parts_are_out() {
        let schedule = Schedule::new(4);
        assert_eq!(schedule.lend(Tick(1), ["a"], 0, 0), Slots { parts: 4, controls: 6, reads: 1, opens_at: None });
        assert_eq!(schedule.lend(Tick(1), ["a"], 4, 0), Slots { parts: 0, controls: 2, reads: 1, opens_at: None });
        assert_eq!(schedule.lend(Tick(1), ["a"], 1, 4), Slots { parts: 1, controls: 1, reads: 1, opens_at: None });
    }

    #[test]
    fn a_host_that_asked_to_slow_down_gets_nothing_from_any_upload() {
        let mut schedule = Schedule::new(4);
        schedule.answered(Tick(10), "a", 503, Some(2_000));
        let closed = schedule.lend(Tick(2_009), ["b", "a"], 0, 0);
        assert_eq!((closed.parts, closed.opens_at), (0, Some(Tick(2_010))));
        assert_eq!(schedule.lend(Tick(2_009), ["b"], 0, 0).parts, 4);
        assert_eq!(schedule.next_open(Tick(11)), Some(Tick(2_010)));
        assert_eq!(schedule.opens_at(Tick(11), ["b", "a"]), Some(Tick(2_010)));
        assert_eq!(schedule.opens_at(Tick(11), ["b"]), None);
        assert_eq!(schedule.lend(Tick(2_010), ["a"], 0, 0).parts, 4);
    }

    #[test]
    fn a_host_that_keeps_failing_gets_one_try_a_second() {
        let mut schedule = Schedule::new(4);
        (0..=HOST_FAILURES_MAX).for_each(|_| schedule.failed(Tick(10), "a"));
        assert_eq!(schedule.lend(Tick(11), ["a"], 0, 0).controls, 0);
        assert_ne!(schedule.lend(Tick(1_010), ["a"], 0, 0).controls, 0);
        schedule.answered(Tick(1_020), "a", 200, None);
        schedule.failed(Tick(1_030), "a");
        assert_ne!(schedule.lend(Tick(1_030), ["a"], 0, 0).controls, 0, "a success forgives");
    }
}
