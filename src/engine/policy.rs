//! What bounds an upload from outside: the networks that it may use, the credential that is taken away, its own time.

use super::{
    OpKind, Record, Step, Tuning,
    machine::{Machine, Why},
    record::Ending,
    view::WaitReason,
};
use crate::{
    error::{Code, ErrorInfo},
    model::{NetworkPolicy, Now, Tick},
};

impl Machine {
    /// Which networks it may use.
    pub(super) fn network_policy(&self) -> NetworkPolicy {
        self.tuning.network.unwrap_or(self.facts.upload.network)
    }

    /// The rung: nothing new starts over a network that it may not use, nor while the operating system sends.
    pub(super) fn within_policy(&self) -> Result<(), Why> {
        if !self.network_policy().allows(&self.network) {
            return Err(Why::waiting(WaitReason::NetworkPolicy, None, Some(policy_error())));
        }
        if self.credential.signed_out {
            return Err(Why::needs_host(WaitReason::Credential, None, self.credential.error.clone()));
        }
        if !self.facts.handed_off.is_empty() {
            return Err(Why::waiting(WaitReason::HandedOff, None, None));
        }
        Ok(())
    }

    /// A part stops at once. A request without a body is left to its answer: it costs next to nothing, and its outcome would have to be found out.
    pub(super) fn stop_what_breaks_the_policy(&mut self) {
        if !self.network_policy().allows(&self.network) {
            self.stop_ops(|kind| matches!(kind, OpKind::Part(_)));
        }
    }

    /// What is given holds at once; it is kept as well.
    pub(super) fn tune(&mut self, tuning: Tuning) {
        if self.facts.ending.is_some() || tuning.is_empty() {
            return;
        }
        self.tuning = Tuning {
            priority: tuning.priority.or(self.tuning.priority),
            network: tuning.network.or(self.tuning.network),
            rate_bytes_per_s: tuning.rate_bytes_per_s.or(self.tuning.rate_bytes_per_s),
            parallel_parts: tuning.parallel_parts.or(self.tuning.parallel_parts),
        };
        self.commit_soon(Record::Tuned { tuning });
        self.stop_what_breaks_the_policy();
    }

    pub(super) fn on_no_credential(&mut self, now: Now, retry_in_ms: Option<u64>) {
        let state = &mut self.credential;
        state.asked = false;
        state.none_now = state.value.is_none() || state.error.is_some();
        state.again_at = retry_in_ms.map(|ms| now.tick.after_ms(ms));
    }

    /// Nothing goes out in the name of who is gone. The credential is wiped with its last copy.
    pub(super) fn on_signed_out(&mut self) {
        let state = &mut self.credential;
        state.value = None;
        state.asked = false;
        state.none_now = true;
        state.signed_out = true;
        state.again_at = None;
        state.error = Some(ErrorInfo::new(Code::CredentialRefused, "the account was signed out"));
        self.stop_ops(|_| true);
    }

    /// When its own time is over, by this process's clock.
    pub(super) fn gives_up_at(&self) -> Option<Tick> {
        self.facts.upload.gives_up_at(self.seen).filter(|_| self.facts.ending.is_none())
    }

    /// True when it is.
    pub(super) fn time_is_over(&self, now: Now) -> bool {
        self.gives_up_at().is_some_and(|at| at <= now.tick)
    }

    /// Its own time is over: that is the end, unless it may have made the object. Then that is found out first.
    pub(super) fn give_up(&mut self, now: Now) -> Option<Step> {
        let settling = self.facts.intent.is_some() && !self.complete_may_go()
            || self.begin_in_doubt()
            || self.doubt_can_be_settled();
        let asking = self.in_flight(OpKind::Complete) || self.in_flight(OpKind::Begin);
        if !self.time_is_over(now) || settling || asking {
            return None;
        }
        let error = ErrorInfo::new(Code::GaveUp, "the time that the host gave the upload is over");
        Some(self.end(now, Ending::Failed(error)))
    }
}

/// What a network that may not be used is to an upload.
pub(crate) fn policy_error() -> ErrorInfo {
    ErrorInfo::new(Code::NetworkNotAllowed, "the network that there is may not be used for this upload")
}
