//! What is said otherwise the second time: dated by the refusal's own date, with fewer parts named, or on a session of its own when the old one has not
//! been heard of for too long; and what may only be believed the second time.

use super::{
    OpId, OpKind, Record,
    finish::Finish,
    machine::{Machine, Op},
    record::Wish,
};
use crate::{
    model::{Now, Receipt, http::Answer},
    service::Fault,
};

/// Our date may lie so far from the service's without being at fault: dates have whole seconds.
const DATE_SLACK_MS: i64 = 1_000;
/// A session that is known is noted no more often.
const ALIVE_EVERY_MS: i64 = 3_600_000;

impl Machine {
    /// A refusal that our date may have caused is answered by the date that the refusal itself carries, once in a row; it spends nothing.
    pub(super) fn blame_date(&mut self, now: Now, state: &Op, answer: &Answer, fault: Fault) -> Fault {
        let date = answer.date_unix_ms().filter(|_| !self.redated);
        let off = |date: i64| {
            let took_ms = i64::try_from(now.tick.since_ms(state.started)).unwrap_or(i64::MAX);
            date + DATE_SLACK_MS < state.dated_unix_ms
                || date > state.dated_unix_ms.saturating_add(took_ms).saturating_add(DATE_SLACK_MS)
        };
        match (fault, date) {
            (Fault::Misdated(error), None) => Fault::Retry(error),
            (Fault::Misdated(error), Some(date)) => self.date_anew(now, state, date, Fault::Misdated(error)),
            (Fault::CredentialRefused(error), Some(date))
                if self.service.capabilities().dates_requests && off(date) =>
            {
                self.date_anew(now, state, date, Fault::Misdated(error))
            }
            (fault, _) => fault,
        }
    }

    fn date_anew(&mut self, now: Now, state: &Op, date_unix_ms: i64, fault: Fault) -> Fault {
        self.redated = true;
        self.clock.correct(date_unix_ms, state.started, now.tick);
        fault
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
