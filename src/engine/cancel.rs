//! A cancel is a wish: what is under way ends, what may have made the object is settled, what can be undone at the service is undone.

use super::{
    OpKind, Slots, Step,
    machine::{Machine, Why},
    order::Next,
    record::{Ending, Remote},
    view::{Phase, WaitReason},
};
use crate::{
    error::{Code, ErrorInfo},
    model::Now,
};

/// The host is told within this; the abort itself may take longer and goes on behind the ending.
const TOLD_MS_MAX: u64 = 150;
/// Tries of an abort in one run.
const ABORTS_MAX: u32 = 6;

impl Machine {
    pub(super) fn cancel(&mut self, now: Now, slots: &mut Slots) -> Next {
        let by = *self.abort_by.get_or_insert(now.tick.after_ms(TOLD_MS_MAX));
        let late = by <= now.tick;
        // A begin may be about to name the session that has to go: it gets the time that there is.
        self.stop_ops(|kind| match kind {
            OpKind::Abort | OpKind::Inspect | OpKind::Probe | OpKind::Discard => false,
            OpKind::Begin => late,
            _ => true,
        });
        if let Some(step) = self.outbox.pop_front() {
            return Ok(step);
        }
        if self.in_flight(OpKind::Complete) {
            return Err(Why::Working(Phase::Reconciling));
        }
        if self.facts.intent.is_some() && !self.complete_may_go() {
            self.wait_to_settle(now)?;
            return self.reconcile(now, slots);
        }
        if self.doubt_can_be_settled() {
            self.wait_to_settle(now)?;
            return self.settle_doubt(now, slots);
        }
        if self.begin_unsettled() {
            self.wait_to_settle(now)?;
            return self.reconcile_begin(now, slots);
        }
        if self.facts.session.is_none() {
            if self.in_flight(OpKind::Begin) {
                return Err(Why::Working(Phase::Starting));
            }
            // It may have made the object, and there is no way to look.
            if self.begin_in_doubt() {
                return Ok(self.unknown(now));
            }
            // A session that a cut begin may have left can't be named, so it can't be dropped.
            let remote = if self.begin_cut { Remote::CannotAbort } else { Remote::NothingThere };
            return Ok(self.end(now, Ending::Cancelled(remote)));
        }
        if !self.service.capabilities().aborts {
            return Ok(self.end(now, Ending::Cancelled(Remote::CannotAbort)));
        }
        let failed = self.aborts > 0 && !self.in_flight(OpKind::Abort);
        if late || failed || self.network.is_offline() {
            return Ok(self.end(now, Ending::Cancelled(Remote::AbortPending)));
        }
        match self.abort(now, slots) {
            Err(Why::Working(phase)) => Err(Why::Working(phase)),
            // No slot, no credential, no way: it is tried again behind the ending.
            Err(_) => Ok(self.end(now, Ending::Cancelled(Remote::AbortPending))),
            step => step,
        }
    }

    /// What may have made the object is looked up as long as it takes: a cancel is no reason to guess.
    fn wait_to_settle(&mut self, now: Now) -> Result<(), Why> {
        if self.network.is_offline() {
            let error =
                ErrorInfo::new(Code::Offline, "the device is offline, and whether the object exists is not known yet");
            return Err(Why::waiting(WaitReason::Network, None, Some(error)));
        }
        self.give_up_for_now(now)
    }

    fn abort(&mut self, now: Now, slots: &mut Slots) -> Next {
        let Some(session) = self.facts.session.clone() else { return Err(Why::Line) };
        let next = self.control(now, slots, OpKind::Abort, Phase::Completing, |machine, credential| {
            machine.service.abort(machine.caller(credential, now), &session)
        });
        // Counted here, whatever comes of it: however it is answered, there is an end to it.
        if matches!(next, Ok(Step::Start { .. })) {
            self.aborts = self.aborts.saturating_add(1);
        }
        next
    }

    /// The host has its ending. What is left under way ends; a pending abort is tried while that costs little.
    pub(super) fn after_ending(&mut self, now: Now, slots: &mut Slots) -> Next {
        self.stop_ops(|kind| kind != OpKind::Abort);
        if let Some(step) = self.outbox.pop_front() {
            return Ok(step);
        }
        let pending = match &self.facts.ending {
            Some(Ending::Cancelled(remote)) => *remote == Remote::AbortPending,
            // Nobody waits for it any more. What failed otherwise may be begun again with what it has.
            Some(Ending::Failed(error)) => {
                let there = self.facts.session.is_some() && !self.session_dropped;
                error.code == Code::GaveUp && there && self.service.capabilities().aborts
            }
            Some(Ending::Completed(_)) | None => false,
        };
        if pending && !self.held && !self.network.is_offline() && self.aborts < ABORTS_MAX {
            match self.abort(now, slots) {
                Ok(step) => return Ok(step),
                // Only a person could help: not worth waiting for.
                Err(Why::Waiting { needs_host: true, .. }) => {}
                Err(why) => return Err(why),
            }
        }
        if self.ops.is_empty() && self.commits.is_empty() {
            Ok(Step::Done)
        } else {
            Err(Why::Working(Phase::Completing))
        }
    }
}
