//! Exactly one object: a complete is journalled before it is sent, and an outcome that nobody told is found out before a second one.

use super::{
    OpKind, Record, Slots, Step,
    machine::{Machine, Why},
    order::Next,
    record::{Ending, Wish},
    view::{Phase, WaitReason},
};
use crate::{
    error::{Code, ErrorInfo},
    hash,
    model::Now,
    service::{Proof, Session},
};

/// How far this run is with making the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Finish {
    /// Not there yet, or the outcome of an earlier complete is unknown.
    #[default]
    No,
    /// The source is looked at one last time, before a begin that may make the object.
    CheckingToBegin,
    /// The source is looked at one last time, before the complete.
    Checking,
    /// The intent was journalled in this run and the request has not left: it may go.
    Armed,
    /// The session can't tell: the object is looked for at its place.
    Probing,
    /// The object looks made, and may look so before it is: the same complete once more, on the same session, tells.
    Repeating,
}

/// How far the closing of a session is whose complete may still be on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Closing {
    /// The session is looked at once more.
    #[default]
    Look,
    /// It is open: it is dropped, so that nothing can make the object of it any more.
    Drop,
    /// It is gone: the object is looked for at its place.
    Probe,
}

/// So long after a complete was given up it is taken to have arrived, or to be lost: what a complete may take, and two minutes.
pub(super) const DOUBT_MS_MAX: u64 = 5 * 60_000;

impl Machine {
    /// True when the journalled complete has certainly not been sent yet, or is under way.
    pub(super) fn complete_may_go(&self) -> bool {
        self.finish == Finish::Armed || self.in_flight(OpKind::Complete)
    }

    /// All parts are proven: check, intend, complete.
    pub(super) fn finish(&mut self, now: Now, slots: &mut Slots, session: &Session) -> Next {
        if self.parts_in_flight() > 0 {
            return Err(Why::Working(Phase::Uploading));
        }
        match (&self.facts.intent, self.finish) {
            (None, Finish::Checking) => {
                if self.sent_unlike_hashed().is_some() {
                    self.finish = Finish::No;
                    self.source.differs("a part was sent with other bytes than were hashed");
                    return self.check_source(now, slots)?.ok_or(Why::Working(Phase::Verifying));
                }
                let Some(proof) = self.proof(now) else { return Err(Why::Working(Phase::Completing)) };
                Ok(self.commit(Record::CompleteIntent { proof }))
            }
            (None, _) => {
                self.finish = Finish::Checking;
                self.source.look_again();
                self.check_source(now, slots)?.ok_or(Why::Working(Phase::Completing))
            }
            (Some(proof), _) => {
                let proof = proof.clone();
                self.send_complete(now, slots, session, &proof, Phase::Completing)
            }
        }
    }

    fn send_complete(&mut self, now: Now, slots: &mut Slots, session: &Session, proof: &Proof, phase: Phase) -> Next {
        let next = self.control(now, slots, OpKind::Complete, phase, |machine, credential| {
            machine.service.complete(machine.caller(credential, now), session, proof)
        });
        if let Ok(Step::Start { op, .. }) = &next {
            let again = std::mem::take(&mut self.finish) == Finish::Repeating;
            if let Some(state) = self.ops.get_mut(op) {
                state.again = again;
            }
        }
        next
    }

    fn proof(&self, now: Now) -> Option<Proof> {
        let plan = self.facts.plan?;
        let mut whole = 0;
        for part in plan.parts() {
            whole = hash::combine(whole, *self.facts.proven.get(&part.part_number)?, part.size_bytes);
        }
        let service_unix_ms = self.clock.unix_ms(now);
        Some(Proof {
            size_bytes: plan.size_bytes,
            crc64: whole,
            sha256: self.whole_sha256(),
            conflict: self.facts.conflict.clone(),
            service_unix_ms,
        })
    }

    /// A complete left and nobody told what became of it.
    pub(super) fn reconcile(&mut self, now: Now, slots: &mut Slots) -> Next {
        // What is not wanted any more is not completed once more.
        if let (Finish::Repeating, Some(proof), Some(session)) =
            (self.finish, self.facts.intent.clone(), self.facts.session.clone())
            && self.facts.wish != Wish::Cancel
        {
            return self.send_complete(now, slots, &session, &proof, Phase::Reconciling);
        }
        if self.facts.session.is_none() || self.finish == Finish::Probing {
            if !self.service.capabilities().probes {
                return Ok(self.unknown(now));
            }
            return self.control(now, slots, OpKind::Probe, Phase::Reconciling, |machine, credential| {
                machine.service.probe(machine.caller(credential, now))
            });
        }
        self.inspect(now, slots, Phase::Reconciling)
    }

    /// A session is to be left of which only a look said that its complete had made nothing: the complete may still be on its way, and what is begun
    /// next must not become a second object. Where the service drops sessions it is dropped and the object is looked for; else time tells.
    pub(super) fn settle_doubt(&mut self, now: Now, slots: &mut Slots) -> Next {
        let capabilities = *self.service.capabilities();
        let until = *self.doubt_until.get_or_insert(now.tick.after_ms(DOUBT_MS_MAX));
        match self.closing {
            _ if self.in_flight(OpKind::Inspect)
                || self.in_flight(OpKind::Probe)
                || self.in_flight(OpKind::Discard) =>
            {
                Err(Why::Working(Phase::Reconciling))
            }
            Closing::Look if capabilities.aborts || now.tick >= until => self.inspect(now, slots, Phase::Reconciling),
            Closing::Look => {
                let detail = "a complete that was given up may still be carried out; a second object is not risked";
                let error = ErrorInfo::new(Code::ServiceError, detail);
                Err(Why::waiting(WaitReason::Retry, Some(until), Some(error)))
            }
            Closing::Drop if capabilities.aborts => {
                let Some(session) = self.facts.session.clone() else { return Ok(self.commit(Record::Settled)) };
                self.control(now, slots, OpKind::Discard, Phase::Reconciling, |machine, credential| {
                    machine.service.abort(machine.caller(credential, now), &session)
                })
            }
            Closing::Probe if capabilities.probes => {
                self.control(now, slots, OpKind::Probe, Phase::Reconciling, |machine, credential| {
                    machine.service.probe(machine.caller(credential, now))
                })
            }
            // Looked at after its time, and not there.
            Closing::Drop | Closing::Probe => Ok(self.commit(Record::Settled)),
        }
    }

    /// True when a complete of which only a look said that it had made nothing is to be settled before an end that says so.
    pub(super) fn doubt_can_be_settled(&self) -> bool {
        self.facts.doubt.is_some() && self.service.capabilities().aborts
    }

    /// True when a begin may have made the object, as far as is known.
    pub(super) fn begin_in_doubt(&self) -> bool {
        self.facts.begin_intent.is_some() && (!self.begin_armed || self.begin_lost)
    }

    /// True when a begin that may have made the object left, nobody told what became of it, and the object can be looked for. Where it can't, the begin
    /// is said again: under its own name it makes no second one.
    pub(super) fn begin_unsettled(&self) -> bool {
        self.facts.begin_intent.is_some()
            && !self.begin_armed
            && !self.in_flight(OpKind::Begin)
            && self.service.capabilities().probes
    }

    /// Looks for the object that a begin may have made.
    pub(super) fn reconcile_begin(&mut self, now: Now, slots: &mut Slots) -> Next {
        self.control(now, slots, OpKind::Probe, Phase::Reconciling, |machine, credential| {
            machine.service.probe(machine.caller(credential, now))
        })
    }

    /// Nothing proves whether the object exists: said so, never guessed.
    pub(super) fn unknown(&mut self, now: Now) -> Step {
        let ending = self.unknown_ending();
        self.end(now, ending)
    }

    pub(super) fn unknown_ending(&self) -> Ending {
        let detail = match self.facts.intent.as_ref().or(self.facts.doubt.as_ref()) {
            Some(_) => {
                "the answer to the complete was lost, and the service gives no proof of its outcome: \
                 the object may lie at its place, or beside it under another name"
            }
            None => {
                "the answer to the begin of an instant upload was lost, and the service gives no proof of its outcome: \
                 the object may lie at its place, or beside it under another name"
            }
        };
        Ending::Failed(ErrorInfo::new(Code::OutcomeUnknown, detail))
    }

    /// The name is taken and a person must say what to do; the bytes are kept.
    pub(super) fn conflict_wait(&self, error: Option<ErrorInfo>) -> Why {
        let error = error.unwrap_or_else(|| {
            ErrorInfo::new(Code::NameConflict, "the name is taken; nothing has to be sent again once that is answered")
        });
        Why::Waiting {
            reason: WaitReason::Conflict,
            until: None,
            error: Some(error),
            choices: self.service.capabilities().conflict_choices.to_vec(),
            needs_host: true,
        }
    }
}
