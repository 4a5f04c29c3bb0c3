//! What is said otherwise the second time: dated by another clock, with fewer parts named, or on a session of its own when the old one has not
//! been heard of for too long; and what may only be believed the second time.

use super::{
    OpId, OpKind, Record,
    clock::Dating,
    finish::Finish,
    machine::{Machine, Op},
    record::Wish,
};
use crate::{
    error::Code,
    model::{Now, Receipt, http::Answer},
    service::Fault,
};

/// A session that is known is noted no more often.
const ALIVE_EVERY_MS: i64 = 3_600_000;

impl Machine {
    /// A refusal that our date may have caused is answered by another clock; it spends nothing. Some services say no more than "refused" (koodrive §9).
    pub(super) fn blame_date(&mut self, now: Now, op: OpId, state: &Op, answer: &Answer, fault: Fault) -> Fault {
        let dated = self.service.capabilities().dates_requests && !matches!(op.kind, OpKind::Part(_));
        let blamed = match &fault {
            Fault::Misdated(_) => true,
            Fault::CredentialRefused(_) => dated,
            Fault::Final(error) => dated && error.code == Code::RequestRefused && (400..=403).contains(&answer.status),
            _ => false,
        };
        let other = blamed && self.dates.change(now, state.dated_unix_ms, state.started, answer.date_unix_ms());
        let error = fault.error().clone();
        if blamed && self.blamed.is_none() && !matches!(fault, Fault::Misdated(_)) {
            self.blamed = Some((op.kind, fault.clone(), Dating { unix_ms: state.dated_unix_ms, tick: state.started }));
        }
        if other {
            return Fault::Misdated(error);
        }
        // What the other clocks were refused for says nothing of why the first one was that was not refused as a date.
        match (fault, self.blamed.take().filter(|(kind, ..)| blamed && *kind == op.kind)) {
            (_, Some((_, first, dating))) => {
                self.dates.try_first(dating);
                first
            }
            (Fault::Misdated(error), None) => Fault::Retry(error),
            (fault, None) => fault,
        }
    }

    /// The clock that requests are dated by.
    pub(super) fn dating_unix_ms(&self, now: Now) -> i64 {
        match self.service.capabilities().dates_requests {
            true => self.dates.unix_ms(now),
            false => self.clock.unix_ms(now),
        }
    }

    /// After a refusal that gives no reason: fewer parts are named from here on, in a begin none at last (koodrive §14.6); `false` when that can't be
    /// the reason. An empty file has no bytes to send: where its one part is refused it stands as it is (koodrive §14.16).
    pub(super) fn name_fewer(&mut self, op: OpId, state: &Op) -> bool {
        if !self.service.capabilities().names_parts {
            return false;
        }
        let empty = self.facts.plan.is_some_and(|plan| plan.size_bytes == 0);
        match op.kind {
            OpKind::Begin if state.parts_named > 0 => self.begin_did_nothing(op, state),
            OpKind::Sign if state.parts_named > 1 => {}
            OpKind::Sign if empty => {
                self.todo.clear();
                self.commit_soon(Record::Part { part_number: 1, crc64: 0 });
                return true;
            }
            _ => return false,
        }
        self.parts_named_max = Some(state.parts_named / 2);
        self.backoff.retries += 1;
        true
    }

    /// The object looks made. Where the service has said that a complete came before, it is.
    pub(super) fn looks_done(&mut self, now: Now, receipt: Receipt) {
        if self.facts.intent.is_none() {
            // A session that is to be left: nothing but a complete could tell, and that might make what is not wanted any more.
            if self.facts.doubt.is_some() {
                let ending = self.unknown_ending();
                self.end_soon(now, ending);
            }
            return;
        }
        if self.seen_already {
            self.complete_with(now, receipt);
        } else if self.facts.wish == Wish::Cancel {
            // To complete it once more might make what is not wanted any more.
            let ending = self.unknown_ending();
            self.end_soon(now, ending);
        } else {
            self.seen_done = true;
            self.finish = Finish::Repeating;
        }
    }

    /// The service knows of the session at this moment.
    pub(super) fn note_alive(&mut self, now: Now) {
        self.heard_of = true;
        if self.service.capabilities().session_idle_ms_max.is_none() || self.facts.ending.is_some() {
            return;
        }
        let noted = self.facts.alive_unix_ms;
        if noted.is_none_or(|at| !(at..at.saturating_add(ALIVE_EVERY_MS)).contains(&now.unix_ms)) {
            self.commit_soon(Record::Alive { unix_ms: now.unix_ms });
        }
    }

    /// True when an earlier run left a session of which nothing was heard for longer than the service can be trusted to keep it (koodrive §14.11). Both
    /// times are the phone's own: one that is wrong all the time counts the same.
    pub(super) fn session_is_old(&self, now: Now) -> bool {
        let most = self.service.capabilities().session_idle_ms_max.and_then(|ms| i64::try_from(ms).ok());
        let (Some(most), Some(alive), Some(_), false) =
            (most, self.facts.alive_unix_ms, &self.facts.session, self.heard_of)
        else {
            return false;
        };
        now.unix_ms.saturating_sub(alive) > most
    }
}
