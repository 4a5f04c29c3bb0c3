//! What an answer, or its absence, changes.

use super::{
    OpId, OpKind, Record, RestartReason,
    backoff::{EXHAUSTED_RETRY_MS, Purpose},
    finish::{Closing, DOUBT_MS_MAX, Finish},
    machine::{Machine, Op, bug, planned},
    record::{Ending, Remote, Wish},
    view::WaitReason,
};
use crate::{
    error::{Code, ErrorInfo},
    model::{
        Conflict, Now, PartPlan, Receipt,
        http::{Answer, Sent, TransportFault},
    },
    service::{Begin, Complete, Fault, Inspected, Lease, ListedPart, Offer, Probed, Stored},
};

/// A fresh link refused this often in a row is a failure like any other, no longer a matter of renewing (smh §17.10).
const FRESH_REFUSALS_MAX: u32 = 2;
/// So many refusals of links in a row, of whatever parts, are not for want of a renewal: the storage takes none.
pub(super) const LINKS_REFUSED_MAX: u32 = 6;
/// Up to here a body may have gone into socket buffers without the service having taken a byte.
const UNTAKEN_BYTES_MAX: u64 = 256 << 10;
/// How often what the service put together may be wrong before that is the end.
const INTEGRITY_RESTARTS_MAX: u32 = 1;
/// Tries of creating the parent directory.
const PARENTS_MAX: u32 = 2;

impl Machine {
    pub(super) fn on_answered(&mut self, now: Now, op: OpId, result: Result<Answer, TransportFault>, sent: Sent) {
        let Some(state) = self.ops.remove(&op) else { return };
        if let OpKind::Part(number) = op.kind {
            if sent.bytes > state.bytes {
                self.count_sent(number, state.bytes, sent.bytes);
            }
            self.settle_sent(number, sent.bytes);
            if !self.facts.proven.contains_key(&number) {
                self.todo.insert(number, ());
            }
        }
        let left = result.as_ref().err().is_none_or(TransportFault::left);
        match left {
            true => self.spent.asked(),
            // Counted where it started, and there was none.
            false => self.progress.requests = self.progress.requests.saturating_sub(u64::from(op.kind.is_request())),
        }
        if let OpKind::Part(number) = op.kind
            && left
            && self.service.capabilities().links_serve_once
        {
            self.lease.refuse(number, state.lease_generation);
        }
        match result {
            Ok(answer) => {
                if let Some(date) = answer.date_unix_ms()
                    && !matches!(op.kind, OpKind::Part(_))
                {
                    self.clock.observe(date, state.started, now.tick);
                }
                self.backoff.succeeded(Purpose::Reach);
                if matches!(op.kind, OpKind::Part(_)) {
                    self.backoff.succeeded(Purpose::Storage);
                }
                self.read_answer(now, op, &state, &answer, sent);
            }
            Err(fault) => self.no_answer(now, op, &state, fault, sent),
        }
    }

    fn read_answer(&mut self, now: Now, op: OpId, state: &Op, answer: &Answer, sent: Sent) {
        let failures = self.backoff.retries;
        let outcome = match op.kind {
            OpKind::Begin => {
                self.service.read_begin(self.offer(), answer).and_then(|begin| self.begun(now, answer, begin))
            }
            OpKind::CreateParent => self.service.read_create_parent(answer).map(|()| self.parent_wanted = false),
            OpKind::Sign => {
                let lease = self
                    .with_session(|machine, session| machine.service.read_sign(session, &machine.sign_wanted, answer));
                lease.and_then(|lease| self.signed(now, answer, lease))
            }
            OpKind::Part(number) => {
                self.service.read_put(answer, &sent).and_then(|stored| self.stored(number, &stored, sent))
            }
            OpKind::Inspect => self
                .with_session(|machine, session| match machine.facts.plan.or_else(|| machine.cut_by_default()) {
                    Some(plan) => {
                        let proof = machine.facts.unsettled();
                        machine.service.read_inspect(session, &plan, proof, answer)
                    }
                    None => Err(Fault::Final(bug("an inspection without a plan"))),
                })
                .map(|inspected| self.inspected(now, answer, inspected)),
            OpKind::Probe => match self.facts.unsettled().cloned() {
                Some(proof) => self.service.read_probe(&proof, answer).map(|probed| self.probed(now, probed)),
                None => Ok(()),
            },
            OpKind::Complete => match self.facts.intent.clone() {
                Some(proof) => self
                    .with_session(|machine, session| machine.service.read_complete(session, &proof, answer))
                    .map(|complete| self.completed(now, op, state, complete)),
                None => Ok(()),
            },
            OpKind::Abort => self.service.read_abort(answer).map(|()| self.aborted(now)),
            OpKind::Discard => self.service.read_abort(answer).map(|()| self.dropped()),
            OpKind::Read(_) | OpKind::Beginning | OpKind::Hash(_) | OpKind::Proof => Ok(()),
        };
        match outcome {
            Ok(()) => {
                // An answer that was read may still be a failure (parts are missing): that one counts.
                if self.backoff.retries == failures {
                    self.backoff.succeeded(Purpose::Op(op.kind));
                }
                if !matches!(op.kind, OpKind::Part(_)) {
                    self.credential.refusals = 0;
                    self.dates.accept(state.dated_unix_ms, state.started);
                    self.blamed = None;
                }
            }
            Err(fault) => {
                let fault = self.blame_date(now, op, state, answer, fault);
                self.refused(now, op, state, fault);
            }
        }
    }

    /// The whole of a session that is not cut yet.
    fn cut_by_default(&self) -> Option<PartPlan> {
        self.service.plan(self.source.identity()?.size_bytes, None).ok()
    }

    fn with_session<T>(
        &self,
        read: impl FnOnce(&Machine, &crate::service::Session) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match &self.facts.session {
            Some(session) => read(self, session),
            None => Err(Fault::Retry(bug("an answer for a session that is gone"))),
        }
    }

    // ---- what went well

    fn begun(&mut self, now: Now, answer: &Answer, begin: Begin) -> Result<(), Fault> {
        match begin {
            Begin::Session { session, lease } => {
                self.inspected = true;
                // The service did not recognise the content, as far as it was told: now bytes are sent. Another session may find it under the name.
                self.digest.missed = !self.keeps_same();
                if self.facts.ending.is_none() {
                    self.commit_soon(Record::Session { session });
                    self.note_alive(now);
                }
                if let Some(lease) = lease {
                    self.take_lease(now, answer, lease);
                }
            }
            // Only a begin that is never repeated takes another name.
            Begin::Done(receipt) | Begin::Renamed(receipt) => {
                if self.facts.begin_intent.is_none() && !self.beginning_is_all(&receipt) {
                    let error = ErrorInfo::new(
                        Code::AnswerMalformed,
                        "the service says that it has the content, and none was offered",
                    );
                    return Err(Fault::Retry(error));
                }
                self.complete_with(now, receipt);
            }
            Begin::NeedDigest => {
                if self.facts.begin_intent.is_some() {
                    self.commit_soon(Record::BeginNo { looked: false });
                }
                if self.digest.missed {
                    // Asked at once again, with nothing more to offer, this would go on for ever.
                    let error =
                        ErrorInfo::new(Code::AnswerMalformed, "the service asked for a digest that was not offered");
                    return Err(Fault::Retry(error));
                }
                // It has all that there is and still wants more: bytes are sent.
                self.digest.missed = self.digest.wanted || !self.asks_for_content();
                self.digest.wanted = true;
            }
        }
        Ok(())
    }

    fn signed(&mut self, now: Now, answer: &Answer, lease: Lease) -> Result<(), Fault> {
        let covers = self.sign_wanted.first().is_some_and(|wanted| lease.covers(*wanted));
        self.note_alive(now);
        self.take_lease(now, answer, lease);
        // Asked again at once this would go on for ever.
        covers.then_some(()).ok_or_else(|| {
            Fault::Retry(ErrorInfo::new(Code::AnswerMalformed, "the service's links lack the one that was asked for"))
        })
    }

    fn take_lease(&mut self, now: Now, answer: &Answer, lease: Lease) {
        // The answer's own Date says best what the service's clock was when it wrote the expiry.
        let service_unix_ms = answer.date_unix_ms().unwrap_or_else(|| self.clock.unix_ms(now));
        self.lease.take(lease, now.tick, service_unix_ms);
    }

    fn stored(&mut self, number: u32, stored: &Stored, sent: Sent) -> Result<(), Fault> {
        let Some(part) = planned(self.facts.plan, number) else { return Ok(()) };
        if sent.bytes != part.size_bytes {
            return Err(Fault::Retry(ErrorInfo::new(
                Code::ConnectionCut,
                "the service answered before it had the whole part",
            )));
        }
        if stored.crc64.is_some_and(|crc64| crc64 != sent.crc64) {
            return Err(Fault::Retry(ErrorInfo::new(
                Code::IntegrityFailed,
                "the service stored other bytes of a part than were sent",
            )));
        }
        self.todo.remove(&number);
        self.trouble.remove(&number);
        self.links_refused = 0;
        self.source_was_read();
        self.lease.forget(number);
        if self.facts.ending.is_none() && !self.facts.proven.contains_key(&number) && !self.part_committing(number) {
            self.commit_soon(Record::Part { part_number: number, crc64: sent.crc64 });
        }
        Ok(())
    }

    fn inspected(&mut self, now: Now, answer: &Answer, inspected: Inspected) {
        match inspected {
            Inspected::Done(receipt) => self.complete_with(now, receipt),
            Inspected::Likely(receipt) => self.looks_done(now, receipt),
            // Only how it is cut was asked; what it has is looked at once there is a plan.
            Inspected::Open { parts, .. } if self.facts.plan.is_none() => {
                self.see_cut(parts.as_deref().unwrap_or_default());
            }
            Inspected::Open { parts, lease } => {
                self.inspected = true;
                if let Some(lease) = lease {
                    self.take_lease(now, answer, lease);
                }
                if self.facts.intent.is_some() {
                    self.finish = Finish::No;
                    self.seen_open = true;
                    // Said to be completed, and the object is not there: neither it nor the session is.
                    let gone = self.seen_already && !self.seen_done && !self.service.capabilities().probes;
                    self.commit_soon(Record::CompleteNo { looked: !gone });
                    self.doubt_until = Some(now.tick.after_ms(DOUBT_MS_MAX));
                    if gone {
                        let error =
                            ErrorInfo::new(Code::SessionGone, "neither the upload nor its object is to be found");
                        self.restart_wanted = Some((RestartReason::Unsettled, error));
                    }
                } else if self.facts.doubt.is_some() && self.closing == Closing::Look {
                    self.closing = Closing::Drop;
                }
                if std::mem::take(&mut self.find_missing) {
                    // A service that lists nothing has nothing that could be pointed at: all of it is sent again.
                    self.drop_missing(parts.as_deref().unwrap_or_default());
                }
                let last = self.facts.plan.map_or(0, |plan| plan.parts_total());
                if parts.iter().flatten().any(|part| part.part_number > last) {
                    let error =
                        ErrorInfo::new(Code::PartsMissing, "the session holds parts that the file does not have");
                    self.restart_wanted.get_or_insert((RestartReason::Unfit, error));
                }
                if let Some(parts) = parts {
                    self.plan_adoption(parts);
                }
            }
        }
    }

    /// After the service said that parts are missing: which proven ones it does not list.
    fn drop_missing(&mut self, listed: &[ListedPart]) {
        let has = |number: u32| {
            let size = planned(self.facts.plan, number).map(|part| part.size_bytes);
            listed.iter().any(|part| part.part_number == number && Some(part.size_bytes) == size)
        };
        let part_numbers: Vec<u32> = self.facts.proven.keys().copied().filter(|number| !has(*number)).collect();
        if !part_numbers.is_empty() {
            self.commit_soon(Record::Missing { part_numbers });
        }
    }

    fn probed(&mut self, now: Now, probed: Probed) {
        match probed {
            Probed::Done(receipt) => {
                // No complete left: then it was the begin.
                let completed = self.facts.intent.is_some() || self.facts.doubt.is_some();
                self.complete_with(now, Receipt { instant: receipt.instant || !completed, ..receipt });
            }
            Probed::NotDone if self.facts.intent.is_none() && self.facts.doubt.is_some() => {
                self.commit_soon(Record::Settled);
            }
            Probed::NotDone if self.facts.intent.is_none() => self.commit_soon(Record::BeginNo { looked: true }),
            Probed::NotDone => {
                self.finish = Finish::No;
                self.commit_soon(Record::CompleteNo { looked: false });
                self.restart_wanted = Some((
                    RestartReason::SessionGone,
                    ErrorInfo::new(Code::SessionGone, "the service forgot the upload before it was completed"),
                ));
            }
            Probed::CannotTell => {
                let ending = self.unknown_ending();
                self.end_soon(now, ending);
            }
        }
    }

    fn completed(&mut self, now: Now, op: OpId, state: &Op, complete: Complete) {
        match complete {
            Complete::Done(receipt) => self.complete_with(now, receipt),
            // The outcome is looked up; the intent stands until then.
            Complete::Already => {
                let error = ErrorInfo::new(Code::ServiceError, "the service says that it was completed before");
                self.seen_already = true;
                self.complete_failed(now, state, error);
            }
            Complete::Conflict => self.ask_about_conflict(op, state),
            Complete::Incomplete => {
                let error = ErrorInfo::new(Code::PartsMissing, "the service misses parts that it acknowledged");
                self.complete_failed(now, state, error);
                self.complete_did_nothing(op, state);
                self.inspected = false;
                self.find_missing = true;
            }
            Complete::IntegrityFailed => {
                self.complete_did_nothing(op, state);
                let error =
                    ErrorInfo::new(Code::IntegrityFailed, "the service put together something else than was sent");
                if self.facts.integrity_restarts >= INTEGRITY_RESTARTS_MAX {
                    self.end_soon(now, Ending::Failed(error));
                } else {
                    self.restart_wanted = Some((RestartReason::Integrity, error));
                }
            }
        }
    }

    fn complete_failed(&mut self, now: Now, state: &Op, error: ErrorInfo) {
        self.finish = Finish::No;
        self.backoff.failed(Purpose::Op(OpKind::Complete), state.started, now.tick, error, false);
    }

    /// The object exists: unless what the service says of it contradicts what was sent, that is the end.
    pub(super) fn complete_with(&mut self, now: Now, mut receipt: Receipt) {
        let ours = self.facts.unsettled().map(|proof| (proof.size_bytes, proof.crc64.to_string()));
        let mut ending = None;
        if let Some((size_bytes, crc64)) = ours {
            let other =
                receipt.size_bytes != size_bytes || receipt.crc64.as_ref().is_some_and(|theirs| *theirs != crc64);
            if other {
                ending = Some(Ending::Failed(ErrorInfo::new(
                    Code::IntegrityFailed,
                    "the object exists, but it is not what was sent",
                )));
            }
            receipt.crc64.get_or_insert(crc64);
        }
        self.end_soon(now, ending.unwrap_or(Ending::Completed(receipt)));
    }

    /// A session that was to be left is gone.
    fn dropped(&mut self) {
        if self.closing == Closing::Drop {
            self.closing = Closing::Probe;
        }
    }

    fn aborted(&mut self, now: Now) {
        self.session_dropped = true;
        let cancelled =
            self.facts.wish == Wish::Cancel && matches!(self.facts.ending, None | Some(Ending::Cancelled(_)));
        if cancelled {
            self.end_soon(now, Ending::Cancelled(Remote::Aborted));
        }
    }

    // ---- what the service refused

    fn refused(&mut self, now: Now, op: OpId, state: &Op, fault: Fault) {
        let purpose = Purpose::Op(op.kind);
        match fault {
            // Nothing depends on it. Each try is counted where it starts.
            Fault::Final(_) if op.kind == OpKind::Abort => self.aborts = u32::MAX,
            Fault::Ask(error) | Fault::ParentMissing(error) | Fault::LeaseStale(error) if op.kind == OpKind::Abort => {
                self.backoff.failed(purpose, state.started, now.tick, error, false);
            }
            Fault::Ask(error) | Fault::ParentMissing(error) if op.kind == OpKind::Discard => {
                if self.facts.doubt.is_some() {
                    self.stick(now, WaitReason::Retry, error);
                }
            }
            Fault::Retry(error) => {
                // Something on the way does not know what it means to ask first.
                self.expect_refused |= state.expects && error.http_status == Some(417);
                let wide = error.code == Code::ServiceBusy;
                self.backoff.failed(purpose, state.started, now.tick, error, wide);
            }
            Fault::LeaseStale(error) => self.lease_refused(now, op, state, error),
            // Said again at once, dated anew: the service looked at the date and did nothing else.
            Fault::Misdated(_) => {
                self.backoff.retries += 1;
                self.begin_did_nothing(op, state);
                self.complete_did_nothing(op, state);
            }
            Fault::CredentialRefused(error) => {
                self.credential_refused(state, error);
                // The service looked at the credential and did nothing else.
                self.begin_did_nothing(op, state);
                self.complete_did_nothing(op, state);
            }
            Fault::SessionGone(error) => self.session_gone(now, op, error),
            Fault::ParentMissing(error) => {
                self.begin_did_nothing(op, state);
                self.complete_did_nothing(op, state);
                if self.service.capabilities().creates_parents && self.parents_created < PARENTS_MAX {
                    self.parents_created += 1;
                    self.parent_wanted = true;
                } else {
                    self.stick(now, WaitReason::Retry, error);
                }
            }
            Fault::Ask(error) => {
                if op.kind == OpKind::Complete {
                    self.finish = Finish::No;
                }
                let may_make = op.kind == OpKind::Begin && self.facts.begin_intent.is_some();
                match error.code {
                    // What may make the object makes it under no other name, as long as it is not known to be taken.
                    Code::NameConflict if may_make && self.name_taken(state) => {}
                    Code::NameConflict
                        if op.kind == OpKind::Complete
                            && self.facts.conflict == Conflict::Rename
                            && self.service.capabilities().fixes_conflict =>
                    {
                        // The session was begun before that was said, or by a begin that renames nothing.
                        self.digest.missed = true;
                        self.complete_did_nothing(op, state);
                        self.restart_wanted = Some((RestartReason::SessionGone, error));
                    }
                    Code::NameConflict | Code::VersionConflict => self.ask_about_conflict(op, state),
                    code => {
                        self.begin_did_nothing(op, state);
                        self.complete_did_nothing(op, state);
                        let reason =
                            if code == Code::PermissionDenied { WaitReason::Credential } else { WaitReason::Retry };
                        self.stick(now, reason, error);
                    }
                }
            }
            // The digest may be what it takes offence at: the upload goes on without (koodrive §14.13, smh §9.2).
            Fault::Final(error)
                if error.code == Code::RequestRefused
                    && op.kind == OpKind::Begin
                    && !state.again
                    && self.asks_for_content() =>
            {
                self.digest.missed = true;
                self.begin_did_nothing(op, state);
            }
            Fault::Final(error) if error.code == Code::RequestRefused && self.name_fewer(op, state) => {}
            Fault::Final(error) => {
                if op.kind == OpKind::Discard {
                    if self.facts.doubt.is_some() {
                        let ending = self.unknown_ending();
                        self.end_soon(now, ending);
                    }
                    return;
                }
                if self.facts.ending.is_none() {
                    let complete = self.facts.intent.is_some() && (op.kind != OpKind::Complete || state.again);
                    let begin = self.facts.begin_intent.is_some() && (op.kind != OpKind::Begin || state.again);
                    let unsettled = complete || begin;
                    let ending = if unsettled { self.unknown_ending() } else { Ending::Failed(error) };
                    self.end_soon(now, ending);
                }
            }
        }
    }

    /// The name is taken, and a begin that may make the object makes it under its own name only. True when it is known how to go on.
    fn name_taken(&mut self, state: &Op) -> bool {
        let may_be_ours = state.again;
        match self.facts.conflict {
            // Asked for the second time for another name, and refused that too: a person decides.
            _ if self.facts.begin_taken => return false,
            // Looked up: what lies there may be what an earlier begin made after we looked.
            Conflict::Rename if self.facts.begin_doubted => self.digest.missed = true,
            Conflict::Rename if self.service.capabilities().probes => self.begin_taken(may_be_ours),
            // The bytes are sent, and complete takes another name: that can't come twice.
            Conflict::Rename if !may_be_ours => {
                self.digest.missed = true;
                self.commit_soon(Record::BeginNo { looked: false });
            }
            Conflict::Rename | Conflict::KeepIfSame => self.begin_taken(may_be_ours),
            // Who may not take another name can't ask whose it is either: that takes another one if it is not ours (koodrive §3.3).
            Conflict::Ask | Conflict::Refuse | Conflict::Overwrite { .. } => return false,
        }
        true
    }

    /// The next begin knows that the name is taken; perhaps by what an earlier one made, of which nobody told.
    fn begin_taken(&mut self, may_be_ours: bool) {
        self.begin_lost = may_be_ours;
        self.commit_soon(Record::BeginTaken);
    }

    /// A complete was refused. One that was sent to learn what became of an earlier one says nothing of that one.
    fn complete_did_nothing(&mut self, op: OpId, state: &Op) {
        if op.kind == OpKind::Complete {
            self.finish = Finish::No;
            self.commit_soon(Record::CompleteNo { looked: state.again });
        }
    }

    fn ask_about_conflict(&mut self, op: OpId, state: &Op) {
        if state.again {
            self.complete_did_nothing(op, state);
        }
        let in_doubt = op.kind == OpKind::Begin && state.again && self.facts.begin_intent.is_some();
        self.commit_soon(Record::ConflictAsked { in_doubt });
    }

    /// A begin that might have made the object was refused outright. What was refused to a repeat says nothing about the first one.
    pub(super) fn begin_did_nothing(&mut self, op: OpId, state: &Op) {
        if op.kind == OpKind::Begin && self.facts.begin_taken {
            self.commit_soon(Record::BeginRefused);
        }
        if op.kind == OpKind::Begin && self.facts.begin_intent.is_some() && !state.again {
            self.commit_soon(Record::BeginNo { looked: false });
        }
    }

    fn stick(&mut self, now: Now, reason: WaitReason, error: ErrorInfo) {
        self.stuck = Some((reason, error, now.tick.after_ms(EXHAUSTED_RETRY_MS)));
    }

    fn credential_refused(&mut self, state: &Op, error: ErrorInfo) {
        if state.credential_generation == self.credential.generation && self.credential.error.is_none() {
            self.credential.refusals += 1;
            self.credential.error = Some(error);
        }
        self.backoff.retries += 1;
    }

    fn lease_refused(&mut self, now: Now, op: OpId, state: &Op, error: ErrorInfo) {
        if let OpKind::Part(number) = op.kind {
            self.lease.refuse(number, state.lease_generation);
            self.links_refused += 1;
            let all = self.links_refused > LINKS_REFUSED_MAX;
            let trouble = self.trouble.entry(number).or_default();
            trouble.refused += 1;
            // Two fresh links were refused after the whole body: from here on it is asked first whether that is wanted.
            trouble.suspect = trouble.refused >= FRESH_REFUSALS_MAX;
            if all || trouble.refused > FRESH_REFUSALS_MAX {
                self.backoff.failed(Purpose::Op(op.kind), state.started, now.tick, error, all);
                return;
            }
        }
        self.backoff.retries += 1;
    }

    /// Nobody answers where a link leads. Every other time the service is asked for others: it names the domain anew each time, and only the newest
    /// counts (smh §5, §14).
    fn storage_unreached(&mut self, now: Now, number: u32, state: &Op, error: ErrorInfo) {
        self.backoff.failed(Purpose::Storage, state.started, now.tick, error, true);
        if self.backoff.row(Purpose::Storage).is_some_and(|row| row.count % 2 == 0) {
            self.lease.refuse_host(number, state.lease_generation);
        }
    }

    fn session_gone(&mut self, now: Now, op: OpId, error: ErrorInfo) {
        match op.kind {
            OpKind::Abort => self.aborted(now),
            OpKind::Discard => self.dropped(),
            OpKind::Inspect if self.facts.intent.is_none() && self.facts.doubt.is_some() => {
                self.closing = Closing::Probe;
                self.restart_wanted = Some((RestartReason::SessionGone, error));
            }
            // Whether it is done, open or gone is what the service says of the session itself.
            OpKind::Part(_) | OpKind::Sign if self.service.capabilities().lists_parts => {
                self.inspected = false;
                self.lease.clear();
                self.backoff.failed(Purpose::Op(op.kind), now.tick, now.tick, error, false);
            }
            _ if self.facts.intent.is_some() && self.service.capabilities().probes => self.finish = Finish::Probing,
            // Looked at in between and not done: then it is gone.
            OpKind::Complete if !std::mem::take(&mut self.seen_open) => self.finish = Finish::No,
            _ if self.facts.intent.is_some() => {
                self.commit_soon(Record::CompleteNo { looked: self.seen_done });
                self.restart_wanted = Some((RestartReason::SessionGone, error));
            }
            _ => self.restart_wanted = Some((RestartReason::SessionGone, error)),
        }
    }

    // ---- what was not answered

    fn no_answer(&mut self, now: Now, op: OpId, state: &Op, fault: TransportFault, sent: Sent) {
        // First of all, also where it was asked to stop: what did not leave made nothing.
        if fault.left() {
            self.begin_cut |= op.kind == OpKind::Begin;
        } else {
            self.did_not_leave(op, state);
        }
        match fault {
            TransportFault::Cancelled { .. } => {}
            // Asked to stop: however it ended, nothing went wrong.
            _ if state.stopping => {}
            TransportFault::Source(error) => match error.code {
                Code::SourceChanged => self.doubt_source(),
                _ => self.source.lost(error),
            },
            TransportFault::Unreached(error) => match op.kind {
                // What HTTP can't carry is the link's doing: as if it had been refused.
                OpKind::Part(_) if error.code == Code::RequestRefused => self.lease_refused(now, op, state, error),
                OpKind::Part(number) => self.storage_unreached(now, number, state, error),
                _ if error.code == Code::RequestRefused
                    && self.credential.value.as_ref().is_some_and(|credential| !credential.is_sendable()) =>
                {
                    let detail = "the credential is too long, or holds what HTTP can't carry";
                    self.credential_refused(state, ErrorInfo::new(Code::CredentialRefused, detail));
                }
                _ => self.backoff.failed(Purpose::Reach, state.started, now.tick, error, true),
            },
            TransportFault::Unsigned(error) => self.stick(now, WaitReason::Credential, error),
            TransportFault::Cut { error, reused } => {
                if reused && self.repeat_at_once(op, sent) {
                    self.backoff.retries += 1;
                    return;
                }
                self.suspect(op, state, sent);
                self.backoff.failed(Purpose::Op(op.kind), state.started, now.tick, error, false);
            }
            TransportFault::Stalled(error) | TransportFault::Malformed(error) => {
                self.suspect(op, state, sent);
                self.backoff.failed(Purpose::Op(op.kind), state.started, now.tick, error, false);
            }
        }
    }

    fn did_not_leave(&mut self, op: OpId, state: &Op) {
        match op.kind {
            OpKind::Complete => self.finish = if state.again { Finish::Repeating } else { Finish::Armed },
            OpKind::Begin => {
                self.begin_armed = self.facts.begin_intent.is_some() && (!state.again || self.facts.begin_taken);
            }
            _ => {}
        }
    }

    /// A kept connection that the service had closed for idleness: the same again, once, and it spends nothing.
    fn repeat_at_once(&mut self, op: OpId, sent: Sent) -> bool {
        match op.kind {
            OpKind::Part(number) => {
                let trouble = self.trouble.entry(number).or_default();
                sent.bytes <= UNTAKEN_BYTES_MAX && !std::mem::replace(&mut trouble.repeated, true)
            }
            // The outcome of these is looked up anyway, or asking again is harmless; their own row must count or nothing ends a loop.
            _ => false,
        }
    }

    /// A cut while a body is being sent tells nothing: an early refusal looks the same. The next try asks first, under a young lease; unless asking
    /// is what nobody on the way understood.
    fn suspect(&mut self, op: OpId, state: &Op, sent: Sent) {
        let OpKind::Part(number) = op.kind else { return };
        if sent.bytes > 0 {
            self.trouble.entry(number).or_default().suspect = true;
        } else if state.expects {
            self.trouble.entry(number).or_default().asked_in_vain = true;
        }
    }

    /// What the begin under way, or the last one, had said.
    fn offer(&self) -> Offer<'_> {
        Offer {
            proof: self.facts.begin_intent.as_ref(),
            taken: self.facts.begin_taken,
            conflict: Some(&self.facts.conflict),
        }
    }
}
