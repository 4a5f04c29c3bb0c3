//! What a machine that gives its place hands on to the next one over the same upload: a wait forgets nothing.

use super::{Record, backoff::Backoff, machine::Machine, record::RestartReason, spent::Spent, view::WaitReason};
use crate::{
    error::ErrorInfo,
    model::{Now, Tick},
};

/// Counts and gates; of a bounded size, and nothing that the journal has.
#[derive(Debug)]
pub struct Memory {
    backoff: Backoff,
    spent: Spent,
    stuck: Option<(WaitReason, ErrorInfo, Tick)>,
    disk_error: Option<(ErrorInfo, Tick)>,
    disk_since: Option<Tick>,
    restarts: u32,
    restart_wanted: Option<(RestartReason, ErrorInfo)>,
    aborts: u32,
    doubt_until: Option<Tick>,
    network_generation: u64,
    source_touches: u32,
    source_rested: u32,
    seen: Now,
}

impl Memory {
    /// The host ended, or may have ended, what is waited for: gates open, as a machine's would.
    pub fn try_now(&mut self) {
        self.backoff.reset();
        self.spent.again();
        self.stuck = None;
        if let Some((_, retry)) = &mut self.disk_error {
            (*retry, self.disk_since) = (Tick(0), None);
        }
        (self.source_touches, self.source_rested) = (0, 0);
    }
}

impl Machine {
    /// The machine is over; its counts are not.
    pub fn hand_on(&mut self) -> Memory {
        Memory {
            backoff: std::mem::replace(&mut self.backoff, Backoff::new(0)).shortened(),
            spent: self.spent,
            stuck: self.stuck.take(),
            disk_error: self.disk_error.take(),
            disk_since: self.disk_since,
            restarts: self.restarts,
            restart_wanted: self.restart_wanted.take(),
            aborts: self.aborts,
            doubt_until: self.doubt_until,
            network_generation: self.network.generation,
            source_touches: self.source_touches,
            source_rested: self.source_rested,
            seen: self.seen,
        }
    }

    /// Goes on with what an earlier machine of this process counted.
    pub fn recall(&mut self, memory: Memory) {
        self.backoff = memory.backoff;
        self.spent = memory.spent;
        self.stuck = memory.stuck;
        (self.disk_error, self.disk_since) = (memory.disk_error, memory.disk_since);
        if let (Some(_), Some(identity), None) = (&self.disk_error, self.facts.identity.clone(), &self.facts.ending) {
            // What it could not keep went with the machine. The disk is asked with what it has before bytes are sent again for the rest.
            self.failed_commits.push_back(Record::Identity { identity });
        }
        self.restarts = memory.restarts;
        self.restart_wanted = memory.restart_wanted;
        self.aborts = memory.aborts;
        self.doubt_until = memory.doubt_until;
        self.network.generation = memory.network_generation;
        self.source_touches = memory.source_touches;
        self.source_rested = memory.source_rested;
        self.seen = memory.seen;
    }
}
