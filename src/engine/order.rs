//! What comes next: the ladder of everything that must be so before something may start. Each rung either starts something or says why not.

use super::{
    OpKind, Record, Slots, Step, Work,
    answers::LINKS_REFUSED_MAX,
    backoff::{EXHAUSTED_RETRY_MS, Purpose},
    digest::carries_whole,
    finish::Finish,
    machine::{DISK_RETRY_MS, Machine, Why, planned},
    record::{Ending, RestartReason, Wish},
    spent::SPENT_RETRY_MS,
    view::{Phase, WaitReason},
};
use crate::{
    error::{Code, ErrorInfo},
    model::{Now, Part},
    service::{Content, Session},
};

/// Sessions that may be lost in a row before help is needed.
const RESTARTS_MAX: u32 = 3;

/// What finds out whether an object was made: never stopped for what depends on that.
fn settles(kind: OpKind) -> bool {
    matches!(kind, OpKind::Inspect | OpKind::Probe | OpKind::Discard)
}

/// A step, or why there is none.
pub(super) type Next = Result<Step, Why>;

impl Machine {
    pub(super) fn next(&mut self, now: Now, slots: &mut Slots) -> Next {
        // Held is held: also while the disk fails, and for what a cancel still has to do.
        if self.held {
            self.stop_ops(|_| true);
            let paused = self.facts.wish == Wish::Pause;
            let why = if paused { Why::Paused } else { Why::waiting(WaitReason::Held, None, None) };
            return self.outbox.pop_front().ok_or(why);
        }
        if let Some(next) = self.disk_first(now) {
            return next;
        }
        if self.barrier() {
            return Err(Why::Working(self.phase()));
        }
        if self.facts.ending.is_some() {
            return self.after_ending(now, slots);
        }
        if self.facts.wish == Wish::Cancel {
            return self.cancel(now, slots);
        }
        if let Some(step) = self.give_up(now) {
            return Ok(step);
        }
        if self.facts.wish == Wish::Pause {
            self.stop_ops(|_| true);
            return self.outbox.pop_front().ok_or(Why::Paused);
        }
        if self.network.is_offline() {
            return Err(Why::waiting(
                WaitReason::Network,
                None,
                Some(ErrorInfo::new(Code::Offline, "the device is offline")),
            ));
        }
        self.within_policy()?;
        self.give_up_for_now(now)?;
        self.run(now, slots)
    }

    /// Nothing stands above what must be kept: a disk that fails holds everything, until it has all that it owes.
    fn disk_first(&mut self, now: Now) -> Option<Next> {
        let (error, retry) = self.disk_error.clone()?;
        // The disk still has some of a round, of the one that failed or of the next. What becomes of them belongs before what comes after.
        if now.tick < retry || !self.commits.is_empty() {
            // Only a spent budget puts the next try so far off.
            let spent = self.disk_since.is_some_and(|since| retry.since_ms(since) >= EXHAUSTED_RETRY_MS);
            let why = if spent { Why::needs_host } else { Why::waiting };
            let until = if now.tick < retry { retry } else { now.tick.after_ms(DISK_RETRY_MS) };
            return Some(Err(why(WaitReason::Disk, Some(until), Some(error))));
        }
        if self.failed_commits.is_empty() {
            (self.disk_error, self.disk_since) = (None, None);
            return None;
        }
        self.commit_round += 1;
        for record in std::mem::take(&mut self.failed_commits) {
            self.commit_soon(record);
        }
        self.outbox.pop_front().map(Ok)
    }

    /// A spent budget, or something that only a person can mend.
    pub(super) fn give_up_for_now(&mut self, now: Now) -> Result<(), Why> {
        if self.stuck.is_none()
            && let Some(row) = self.backoff.exhausted()
        {
            self.stuck = Some((WaitReason::Retry, row.error.clone(), now.tick.after_ms(EXHAUSTED_RETRY_MS)));
        }
        if self.stuck.is_none()
            && let Some(error) = self.spent.exhausted(self.facts.plan)
        {
            self.stop_ops(|_| true);
            self.stuck = Some((WaitReason::Retry, error, now.tick.after_ms(SPENT_RETRY_MS)));
        }
        match &self.stuck {
            Some((_, _, until)) if *until <= now.tick => {
                self.stuck = None;
                if self.spent.exhausted(self.facts.plan).is_some() {
                    self.spent.again();
                }
                self.backoff.reset();
                Ok(())
            }
            Some((reason, error, until)) => Err(Why::needs_host(*reason, Some(*until), Some(error.clone()))),
            None => Ok(()),
        }
    }

    /// The upload's own way from the source to the object.
    fn run(&mut self, now: Now, slots: &mut Slots) -> Next {
        // What may have made the object is settled before anything else, also when the source is gone.
        if self.facts.intent.is_some() && !self.complete_may_go() {
            return self.reconcile(now, slots);
        }
        // It left, and whatever becomes of the source or the session now: stopping it would only lose its answer.
        if self.in_flight(OpKind::Complete) {
            return Err(Why::Working(Phase::Completing));
        }
        if self.begin_unsettled() {
            return self.reconcile_begin(now, slots);
        }
        // Its own time is over, and it may have made the object all the same.
        if self.time_is_over(now) && self.doubt_can_be_settled() {
            self.stop_ops(|kind| !settles(kind));
            return match self.outbox.pop_front() {
                Some(step) => Ok(step),
                None => self.settle_doubt(now, slots),
            };
        }
        if let Some((why, error)) = self.restart_wanted.clone() {
            let next = self.restart(now, slots, why, error);
            if matches!(next, Ok(Step::Commit { record: Record::Restart { .. }, .. })) {
                self.restart_wanted = None;
            }
            return next;
        }
        if self.session_is_old(now) {
            let error = ErrorInfo::new(Code::SessionGone, "nothing was heard of the upload for too long");
            self.restart_wanted = Some((RestartReason::TooOld, error));
            return self.run(now, slots);
        }
        if let Some(next) = self.check_source(now, slots)? {
            return Ok(next);
        }
        if self.facts.conflict_asked {
            // Only what a begin may have made keeps it from giving up, and without an answer nothing tells.
            if self.time_is_over(now) {
                return Ok(self.unknown(now));
            }
            return Err(self.conflict_wait(None));
        }
        if self.parent_wanted {
            return self.create_parent(now, slots);
        }
        let Some(session) = self.facts.session.clone() else {
            return self.begin(now, slots);
        };
        if let Some(next) = self.discard_old_session(now, slots) {
            return Ok(next);
        }
        if !self.inspected && self.service.capabilities().lists_parts {
            return self.inspect(now, slots, Phase::Starting);
        }
        if let Some(next) = self.adopt(now, slots)? {
            return Ok(next);
        }
        if self.facts.all_proven() && !self.any_part_committing() {
            if let Some(step) = self.hash_ahead(now, slots) {
                return Ok(step);
            }
            if self.hashes_all() && !self.facts.all_hashed() {
                return Err(Why::Working(Phase::Hashing));
            }
            return self.finish(now, slots, &session);
        }
        self.parts(now, slots, &session)
    }

    // ---- rungs

    fn begin(&mut self, now: Now, slots: &mut Slots) -> Next {
        let Some(plan) = self.facts.plan else { return Err(Why::Working(Phase::Starting)) };
        if self.in_flight(OpKind::Begin) {
            return Err(Why::Working(Phase::Starting));
        }
        if let Some(step) = self.hash_first(now, slots)? {
            return Ok(step);
        }
        if let Some(step) = self.want_credential(now)? {
            return Ok(step);
        }
        if carries_whole(&self.content())
            && let Some(step) = self.proof_bytes(now, slots)?
        {
            return Ok(step);
        }
        let content = self.content();
        // A begin with the whole digest may make the object: journalled before it is sent, settled before another one.
        let lost = self.facts.begin_intent.is_some() && !self.begin_armed;
        if lost && self.facts.begin_taken {
            return Ok(self.unknown(now));
        }
        // What is refused to this one says nothing of the one that was lost.
        let again = self.facts.begin_again || self.facts.begin_taken || lost;
        let taken = self.facts.begin_taken;
        if carries_whole(&content) && self.facts.begin_intent.is_none() {
            // What was hashed is made the object: the source is looked at one last time, as before a complete.
            if self.finish != Finish::CheckingToBegin {
                self.finish = Finish::CheckingToBegin;
                self.source.look_again();
                return self.check_source(now, slots)?.ok_or(Why::Working(Phase::Starting));
            }
            let Some(proof) = self.begin_proof(now, &content) else { return Err(Why::Working(Phase::Starting)) };
            return Ok(self.commit(Record::BeginIntent { proof }));
        }
        let next = self.control(now, slots, OpKind::Begin, Phase::Starting, |machine, credential| {
            let caller = machine.caller(credential, now);
            machine.service.begin(caller, &plan, &machine.facts.conflict, &content, taken)
        });
        if let Ok(Step::Start { op, .. }) = &next {
            self.begin_armed = false;
            if let Some(state) = self.ops.get_mut(op) {
                state.again = again;
                state.parts_named = content.parts_named_max.unwrap_or(usize::MAX).min(content.midstates.len() + 1);
            }
        }
        next
    }

    fn create_parent(&mut self, now: Now, slots: &mut Slots) -> Next {
        self.control(now, slots, OpKind::CreateParent, Phase::Starting, |machine, credential| {
            machine.service.create_parent(machine.caller(credential, now))
        })
    }

    pub(super) fn inspect(&mut self, now: Now, slots: &mut Slots, phase: Phase) -> Next {
        let Some(session) = self.facts.session.clone() else { return Err(Why::Working(phase)) };
        self.control(now, slots, OpKind::Inspect, phase, |machine, credential| {
            machine.service.inspect(machine.caller(credential, now), &session)
        })
    }

    /// A control request: one of its kind at a time, with a credential, when its gate is open and a slot is free.
    pub(super) fn control(
        &mut self,
        now: Now,
        slots: &mut Slots,
        kind: OpKind,
        phase: Phase,
        build: impl FnOnce(&Machine, &crate::model::Credential) -> crate::model::http::Request,
    ) -> Next {
        if self.in_flight(kind) {
            return Err(Why::Working(phase));
        }
        self.gates(now, kind)?;
        if let Some(step) = self.want_credential(now)? {
            return Ok(step);
        }
        if slots.controls == 0 {
            return Err(self.without_a_slot(now, slots, phase));
        }
        let Some(credential) = self.credential.value.clone() else { return Err(Why::Line) };
        slots.controls -= 1;
        let request = build(self, &credential);
        self.progress.requests += 1;
        Ok(Step::Start { op: self.begin_op(now, kind), work: Work::Send(request) })
    }

    /// Nothing is lent. What waits for a host to open says so, and gives its place to one that waits for no such thing.
    fn without_a_slot(&self, now: Now, slots: &Slots, phase: Phase) -> Why {
        let opens = slots.opens_at.filter(|at| *at > now.tick);
        match opens {
            _ if !self.ops.is_empty() => Why::Working(phase),
            None => Why::Line,
            Some(_) => {
                let error = self.backoff.worst().map(|row| row.error.clone());
                let closed = || ErrorInfo::new(Code::ServiceBusy, "the service asked for time, and gets it");
                Why::waiting(WaitReason::Retry, opens, Some(error.unwrap_or_else(closed)))
            }
        }
    }

    /// The gates before an operation of a kind.
    fn gates(&self, now: Now, kind: OpKind) -> Result<(), Why> {
        let lost = if kind == OpKind::Begin { Purpose::Session } else { Purpose::Reach };
        for purpose in [Purpose::Reach, lost, Purpose::Op(kind)] {
            if !self.backoff.open(purpose, now.tick) {
                let error = self.backoff.reason(purpose, now.tick).cloned();
                if self.ops.keys().any(|op| matches!(op.kind, OpKind::Part(_))) {
                    return Err(Why::Working(self.phase()));
                }
                return Err(Why::waiting(WaitReason::Retry, self.backoff.next_open(now.tick), error));
            }
        }
        Ok(())
    }

    /// A credential that was not refused, or a step to get one.
    pub(super) fn want_credential(&mut self, now: Now) -> Result<Option<Step>, Why> {
        /// Fresh credentials refused in a row before only a person can help.
        const REFUSALS_MAX: u32 = 3;
        let state = &mut self.credential;
        if state.value.is_some() && state.error.is_none() {
            return Ok(None);
        }
        if state.again_at.is_some_and(|at| at <= now.tick) {
            state.again_at = None;
            state.none_now = false;
        }
        let spent = state.refusals >= REFUSALS_MAX;
        if spent || state.none_now {
            let error = state
                .error
                .clone()
                .unwrap_or_else(|| ErrorInfo::new(Code::CredentialRefused, "there is no credential for the account"));
            return Err(Why::needs_host(WaitReason::Credential, state.again_at.filter(|_| !spent), Some(error)));
        }
        if !state.asked {
            state.asked = true;
            let refused = state.error.is_some().then_some(state.generation);
            return Ok(Some(Step::AskCredential { refused }));
        }
        Err(Why::waiting(WaitReason::Credential, None, state.error.clone()))
    }

    /// Sends parts while slots, lease and source allow.
    fn parts(&mut self, now: Now, slots: &mut Slots, session: &Session) -> Next {
        self.finish = Finish::No;
        let flying = self.parts_in_flight();
        if flying == 0 && self.todo.is_empty() && !self.any_part_committing() {
            self.refill_todo();
        }
        let phase = if flying == 0 && self.in_flight(OpKind::Sign) { Phase::Renewing } else { Phase::Uploading };
        // Also while every place is taken: that is when there is time to get ahead, and one sign then names several parts.
        if let Some(step) = self.hash_ahead(now, slots) {
            return Ok(step);
        }
        if flying >= self.parallel_parts() {
            return Err(Why::Working(phase));
        }
        let mut wanted = None;
        for number in self.todo.keys().copied().take(64) {
            if self.backoff.open(Purpose::Op(OpKind::Part(number)), now.tick)
                && !self.part_committing(number)
                && self.may_sign(number)
            {
                wanted = planned(self.facts.plan, number);
                break;
            }
        }
        let Some(part) = wanted else {
            if self.ops.keys().any(|op| matches!(op.kind, OpKind::Hash(_))) && flying == 0 {
                return Err(Why::Working(Phase::Hashing));
            }
            if flying == 0 && !self.any_part_committing() && !self.todo.is_empty() {
                let error = self.backoff.reason(Purpose::Reach, now.tick).cloned();
                return Err(Why::waiting(WaitReason::Retry, self.backoff.next_open(now.tick), error));
            }
            return Err(Why::Working(phase));
        };
        self.gates(now, OpKind::Part(part.part_number))?;
        let suspect = self.trouble.get(&part.part_number).is_some_and(|trouble| trouble.suspect);
        if !self.lease.serves(&part, suspect, now.tick) {
            return self.sign(now, slots, session, part, phase);
        }
        if slots.parts == 0 {
            return Err(self.without_a_slot(now, slots, phase));
        }
        self.put(now, slots, session, part, suspect)
    }

    fn sign(&mut self, now: Now, slots: &mut Slots, session: &Session, first: Part, phase: Phase) -> Next {
        if !self.service.renews(session) {
            if self.parts_in_flight() > 0 {
                return Err(Why::Working(phase));
            }
            let error = ErrorInfo::new(Code::LinkRefused, "the upload's links are over and can't be renewed");
            // Wanted until it is done: what it waits for must not be begun again.
            self.restart_wanted = Some((RestartReason::LeaseOver, error));
            return self.run(now, slots);
        }
        let most = self.service.capabilities().sign_parts_max.min(self.parts_named_max.unwrap_or(usize::MAX)).max(1);
        // No further ahead than one sign reaches: as many links are held at most, however often one has to be asked for again.
        let ready = self.todo.keys().copied().skip_while(|number| *number < first.part_number).take(most);
        let ready = ready.take_while(|number| self.may_sign(*number));
        let lacking = ready
            .filter_map(|number| planned(self.facts.plan, number))
            .filter(|part| part.part_number == first.part_number || !self.lease.serves(part, false, now.tick));
        let parts: Vec<Part> = lacking.collect();
        let content = self.with_midstates(Content::default(), parts.iter().copied());
        self.sign_wanted = parts.iter().map(|part| part.part_number).collect();
        let phase = if self.parts_in_flight() == 0 { Phase::Renewing } else { phase };
        let next = self.control(now, slots, OpKind::Sign, phase, |machine, credential| {
            machine.service.sign(machine.caller(credential, now), session, &parts, &content)
        });
        if let Ok(Step::Start { op, .. }) = &next
            && let Some(state) = self.ops.get_mut(op)
        {
            state.parts_named = parts.len();
        }
        next
    }

    fn put(&mut self, now: Now, slots: &mut Slots, session: &Session, part: Part, suspect: bool) -> Next {
        let Some(mut request) = self.service.put(session, &self.lease.lease, &part) else {
            self.lease.refuse(part.part_number, self.lease.generation_of(part.part_number));
            let error = ErrorInfo::new(Code::AnswerMalformed, "the service's links lack one that was asked for");
            self.backoff.failed(Purpose::Op(OpKind::Part(part.part_number)), now.tick, now.tick, error, false);
            return self.parts(now, slots, session);
        };
        let trouble = self.trouble.get_mut(&part.part_number);
        let in_vain = trouble.is_some_and(|trouble| std::mem::take(&mut trouble.asked_in_vain));
        let doubtful = suspect || self.links_refused >= LINKS_REFUSED_MAX;
        request.expect_continue = doubtful && !in_vain && !self.expect_refused;
        slots.parts -= 1;
        self.progress.requests += 1;
        self.todo.remove(&part.part_number);
        let op = self.begin_op(now, OpKind::Part(part.part_number));
        if let Some(state) = self.ops.get_mut(&op) {
            state.expects = request.expect_continue;
        }
        if !self.facts.tried.contains_key(&part.part_number) {
            // Kept before the bytes can leave: the disk thread carries it out before a socket is even open, and nothing waits for it.
            self.facts.tried.insert(part.part_number, ());
            let try_first = self.commit(Record::Try { part_number: part.part_number });
            self.outbox.push_back(Step::Start { op, work: Work::Send(request) });
            return Ok(try_first);
        }
        Ok(Step::Start { op, work: Work::Send(request) })
    }

    /// Ends the upload.
    pub(super) fn end(&mut self, now: Now, ending: Ending) -> Step {
        self.commit(Record::Ending { ending, unix_ms: now.unix_ms })
    }

    /// All that was sent is void. Nothing of the old session may be under way any more when that is written.
    pub(super) fn restart(&mut self, now: Now, slots: &mut Slots, why: RestartReason, error: ErrorInfo) -> Next {
        let doubt = self.facts.doubt.is_some();
        let looks = |kind| doubt && settles(kind);
        self.stop_ops(|kind| !looks(kind));
        if let Some(step) = self.outbox.pop_front() {
            return Ok(step);
        }
        // Nor a part of it on its way to the journal: behind this it would count for the new one.
        if self.ops.keys().any(|op| !looks(op.kind)) || self.any_part_committing() {
            return Err(Why::Working(Phase::Starting));
        }
        if doubt {
            return self.settle_doubt(now, slots);
        }
        // A begin that may have made the object can be settled only with the bytes that it spoke of.
        if self.begin_in_doubt() {
            return Ok(self.unknown(now));
        }
        // A link that was over because its part was cut off, or because nobody answered there, says nothing of the session: a row of failures bounds it.
        let away = self.backoff.row(Purpose::Storage).is_some();
        let cut_off = why == RestartReason::LeaseOver && (away || self.trouble.values().any(|trouble| trouble.suspect));
        self.restarts += u32::from(!cut_off);
        // The first one is at once; a service that loses whatever it is given is given it ever more slowly.
        if !cut_off && self.restarts > 1 {
            self.backoff.failed(Purpose::Session, now.tick, now.tick, error.clone(), false);
        } else {
            self.backoff.retries += u64::from(why != RestartReason::Changed);
        }
        if self.restarts > RESTARTS_MAX {
            self.restarts = 0;
            self.stuck = Some((WaitReason::Retry, error.clone(), now.tick.after_ms(EXHAUSTED_RETRY_MS)));
        }
        if why != RestartReason::SessionGone {
            self.discard = self.facts.session.clone();
        }
        Ok(self.commit(Record::Restart { why }))
    }

    /// A session that a restart left behind is aborted once, if it goes.
    fn discard_old_session(&mut self, now: Now, slots: &mut Slots) -> Option<Step> {
        if !self.service.capabilities().aborts {
            self.discard = None;
        }
        let old = self.discard.clone()?;
        let step = self
            .control(now, slots, OpKind::Discard, Phase::Starting, |machine, credential| {
                machine.service.abort(machine.caller(credential, now), &old)
            })
            .ok()?;
        if matches!(step, Step::Start { .. }) {
            self.discard = None;
        }
        Some(step)
    }

    /// What it is at, from what is under way.
    pub(super) fn phase(&self) -> Phase {
        for op in self.ops.keys() {
            match op.kind {
                OpKind::Complete => return Phase::Completing,
                OpKind::Probe => return Phase::Reconciling,
                OpKind::Part(_) => return Phase::Uploading,
                OpKind::Read(_) => return Phase::Verifying,
                OpKind::Beginning | OpKind::Hash(_) if self.facts.session.is_none() => return Phase::Hashing,
                OpKind::Sign => return Phase::Renewing,
                _ => {}
            }
        }
        match (&self.facts.session, &self.facts.intent) {
            (_, Some(_)) => Phase::Completing,
            (Some(_), None) if self.facts.all_proven() => Phase::Completing,
            (Some(_), None) if self.inspected => Phase::Uploading,
            _ => Phase::Starting,
        }
    }
}
