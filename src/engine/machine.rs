//! The machine itself: what it holds, and how events reach it.

use std::collections::VecDeque;

use super::{
    Command, CommitId, Event, OpId, OpKind, Record, Slots, Step, Tuning,
    backoff::{BUDGET_MS_MIN, Backoff, EXHAUSTED_RETRY_MS, Purpose},
    clock::{Dates, Dating, ServiceClock},
    digest::DigestState,
    facts::Facts,
    finish::{Closing, Finish},
    lease::HeldLease,
    record::{Ending, Remote, RestartReason, Wait, Wish},
    source_check::SourceState,
    spent::Spent,
    view::{Phase, Progress, State, WaitReason, Waiting},
};
use crate::{
    error::{Code, ErrorInfo},
    model::{ConflictChoice, Credential, Identity, Network, Now, Part, PartPlan, SortedMap, SortedSet, Tick},
    service::{Caller, Fault, ListedPart, Service, Session},
};

/// A wait that nobody has to end is kept only when it is longer than this.
const WAIT_KEPT_MS_MIN: u64 = 20_000;
/// Waits that are kept while nothing comes of the upload: what is written of them is bounded, however long that goes on.
const WAITS_KEPT_MAX: u32 = 200;
/// A disk that could not keep something is asked again after so long.
pub(super) const DISK_RETRY_MS: u64 = 5_000;

/// What the runtime grants one machine over its life.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At most so many parts at once.
    pub parallel_parts: u32,
}

/// An operation under way.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) started: Tick,
    /// Parts: the lease that it went out with.
    pub(super) lease_generation: u32,
    /// The credential that it went out with.
    pub(super) credential_generation: u64,
    /// A begin or a complete that repeats one whose outcome nobody told.
    pub(super) again: bool,
    /// How it is dated: the service's clock, as it was believed to be.
    pub(super) dated_unix_ms: i64,
    /// Begins and signs: parts that it names.
    pub(super) parts_named: usize,
    /// Parts: bytes given to the socket by now.
    pub(super) bytes: u64,
    /// Parts: it asks first whether its body is wanted.
    pub(super) expects: bool,
    pub(super) stopping: bool,
}

/// What is known of a part that did not go well.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartTrouble {
    /// A cut came while its body was being sent: it may hide an early refusal.
    pub(super) suspect: bool,
    /// The last try asked first whether its body is wanted, and heard nothing of use: the next one does not ask.
    pub(super) asked_in_vain: bool,
    /// Refusals of fresh links in a row.
    pub(super) refused: u32,
    /// A cut on a reused connection was repeated at once already.
    pub(super) repeated: bool,
}

/// Why the machine does not move by itself.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// Something is under way.
    Working(Phase),
    /// In line for a slot.
    Line,
    /// The host said so.
    Paused,
    /// A named wait.
    Waiting {
        reason: WaitReason,
        until: Option<Tick>,
        error: Option<ErrorInfo>,
        choices: Vec<ConflictChoice>,
        needs_host: bool,
    },
}

impl Why {
    pub(super) fn waiting(reason: WaitReason, until: Option<Tick>, error: Option<ErrorInfo>) -> Why {
        Why::Waiting { reason, until, error, choices: vec![], needs_host: false }
    }

    /// Waiting alone will hardly help.
    pub(super) fn needs_host(reason: WaitReason, until: Option<Tick>, error: Option<ErrorInfo>) -> Why {
        Why::Waiting { reason, until, error, choices: vec![], needs_host: true }
    }
}

/// The credential in hand.
#[derive(Debug, Default)]
pub(super) struct CredentialState {
    pub(super) value: Option<Credential>,
    pub(super) generation: u64,
    pub(super) asked: bool,
    /// The host answered that it has none now.
    pub(super) none_now: bool,
    /// When it may be asked again all the same.
    pub(super) again_at: Option<Tick>,
    /// Nobody is signed in: links that are still good are not used either.
    pub(super) signed_out: bool,
    /// Refused credentials in a row.
    pub(super) refusals: u32,
    pub(super) error: Option<ErrorInfo>,
}

/// One upload. See the [module](super) for the contract.
pub struct Machine {
    pub(super) facts: Facts,
    pub(super) service: Box<dyn Service>,
    pub(super) limits: Limits,
    /// What was said of it and may not be kept yet.
    pub(super) tuning: Tuning,
    pub(super) outbox: VecDeque<Step>,
    pub(super) ops: SortedMap<OpId, Op>,
    attempts: u32,
    // Commits on their way, in order, and those that failed and must go again.
    pub(super) commits: VecDeque<(CommitId, Record)>,
    pub(super) failed_commits: VecDeque<Record>,
    /// Stands until the disk has all that it owes; asked again at that tick.
    pub(super) disk_error: Option<(ErrorInfo, Tick)>,
    /// When it first refused something, of all that it owes.
    pub(super) disk_since: Option<Tick>,
    commit_ids: u64,
    /// Grows when what could not be kept goes again.
    pub(super) commit_round: u32,
    // What the host said of the world.
    pub(super) held: bool,
    pub(super) network: Network,
    pub(super) credential: CredentialState,
    // The source.
    pub(super) source: SourceState,
    /// Reads in a row that said that it changed, while it looks as it did.
    pub(super) source_doubts: u32,
    /// Reads in a row that it was touched under.
    pub(super) source_touches: u32,
    /// After so many of them it was let rest before it was read again.
    pub(super) source_rested: u32,
    /// What was left to compare of a source that is looked at again: it goes on there if that stayed as it was.
    pub(super) compared: Option<(Identity, VecDeque<u32>)>,
    // Sending.
    pub(super) lease: HeldLease,
    /// The parts that the last sign named; the first one is waited for.
    pub(super) sign_wanted: Vec<u32>,
    /// Something on the way does not understand a part that asks first.
    pub(super) expect_refused: bool,
    pub(super) todo: SortedSet<u32>,
    pub(super) trouble: SortedMap<u32, PartTrouble>,
    /// Refusals of links since a part was stored.
    pub(super) links_refused: u32,
    pub(super) digest: DigestState,
    pub(super) adoptable: VecDeque<ListedPart>,
    pub(super) adopting: Option<ListedPart>,
    /// How a session that something else began is cut, as far as its list shows; `None` before that was looked at.
    pub(super) adopted_cut: Option<Option<u64>>,
    // Order.
    pub(super) backoff: Backoff,
    pub(super) spent: Spent,
    pub(super) clock: ServiceClock,
    /// The service's own view of the session was taken in this run, or the session is of this run.
    pub(super) inspected: bool,
    /// The inspection under way is to find out which proven parts the service misses.
    pub(super) find_missing: bool,
    pub(super) parents_created: u32,
    pub(super) parent_wanted: bool,
    pub(super) restarts: u32,
    pub(super) finish: Finish,
    /// The begin that may make the object was journalled in this run and has not left.
    pub(super) begin_armed: bool,
    /// Nobody told what became of the one before it, and the name is taken: perhaps by what that one made.
    pub(super) begin_lost: bool,
    /// The service said after the last complete that the session is open.
    pub(super) seen_open: bool,
    /// A session whose complete may still be on its way is being closed.
    pub(super) closing: Closing,
    /// When a complete that was given up is taken to have arrived or to be lost.
    pub(super) doubt_until: Option<Tick>,
    /// The service said in this run that a complete came before.
    pub(super) seen_already: bool,
    /// The object looked made in this run.
    pub(super) seen_done: bool,
    /// How requests are dated, where they are.
    pub(super) dates: Dates,
    /// Of the refusals in a row that another clock is tried for: the first that does not name the date, and how its request was dated.
    pub(super) blamed: Option<(OpKind, Fault, Dating)>,
    /// The service takes no longer lists of parts than this.
    pub(super) parts_named_max: Option<usize>,
    /// The service knew of the session in this run.
    pub(super) heard_of: bool,
    /// A begin was not answered: there may be a session that nobody knows.
    pub(super) begin_cut: bool,
    /// All that was sent is to be dropped, once nothing of it is under way.
    pub(super) restart_wanted: Option<(RestartReason, ErrorInfo)>,
    /// A session that a restart left behind, to be aborted if that is easy.
    pub(super) discard: Option<Session>,
    pub(super) abort_by: Option<Tick>,
    /// Aborts that were started; none is of any use any more at the greatest number.
    pub(super) aborts: u32,
    /// The service dropped the session at our word.
    pub(super) session_dropped: bool,
    /// When this process first knew of it.
    pub(super) seen: Now,
    /// A person can mend it; tried again at that tick.
    pub(super) stuck: Option<(WaitReason, ErrorInfo, Tick)>,
    // What one sees.
    /// How far each part was sent, in this run or an earlier one, whatever the file held then.
    sent_high: SortedMap<u32, u64>,
    pub(super) progress: Progress,
    pub(super) why: Why,
    pub(super) why_since_unix_ms: i64,
}

impl Machine {
    /// A machine over what is true. The same for a new upload and after a restart.
    pub fn new(facts: Facts, service: Box<dyn Service>, limits: Limits, seed: u64, now: Now) -> Machine {
        let mut machine = Machine {
            service,
            limits,
            tuning: Tuning::default(),
            outbox: VecDeque::new(),
            ops: SortedMap::new(),
            attempts: 0,
            commits: VecDeque::new(),
            failed_commits: VecDeque::new(),
            disk_error: None,
            disk_since: None,
            commit_ids: 0,
            commit_round: 0,
            held: false,
            network: Network::default(),
            credential: CredentialState::default(),
            source: SourceState::default(),
            source_doubts: 0,
            source_touches: 0,
            source_rested: 0,
            compared: None,
            lease: HeldLease::default(),
            sign_wanted: vec![],
            expect_refused: false,
            todo: SortedSet::new(),
            trouble: SortedMap::new(),
            links_refused: 0,
            digest: DigestState::default(),
            adoptable: VecDeque::new(),
            adopting: None,
            adopted_cut: None,
            backoff: Backoff::new(seed),
            spent: Spent::default(),
            clock: ServiceClock::default(),
            inspected: false,
            find_missing: false,
            parents_created: 0,
            parent_wanted: false,
            restarts: 0,
            finish: Finish::default(),
            begin_armed: false,
            begin_lost: false,
            seen_open: false,
            closing: Closing::default(),
            doubt_until: None,
            seen_already: false,
            seen_done: false,
            dates: Dates::default(),
            blamed: None,
            parts_named_max: None,
            heard_of: false,
            begin_cut: false,
            restart_wanted: None,
            discard: None,
            abort_by: None,
            aborts: 0,
            session_dropped: false,
            seen: now,
            stuck: None,
            sent_high: SortedMap::new(),
            progress: Progress::default(),
            why: Why::Line,
            why_since_unix_ms: now.unix_ms,
            facts,
        };
        machine.recall_sent();
        machine.refill_todo();
        machine.count_progress();
        machine
    }

    /// What is true of it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// At most so many parts at once.
    pub(super) fn parallel_parts(&self) -> u32 {
        let own = self.tuning.parallel_parts.or(self.facts.upload.parallel_parts);
        own.map_or(self.limits.parallel_parts, |own| own.min(self.limits.parallel_parts)).max(1)
    }

    /// True when it waits for so long, or for somebody, that its place is better given to another.
    pub fn gives_place(&self, now: Now, long_ms: u64) -> bool {
        // Who has not long to go stays for its end.
        if self.gives_up_at().is_some_and(|at| at > now.tick && at.since_ms(now.tick) <= long_ms) {
            return false;
        }
        match &self.why {
            Why::Paused => true,
            Why::Waiting { reason, until, needs_host, .. } => {
                *needs_host || reason.is_of_the_world() || until.is_some_and(|at| at.since_ms(now.tick) > long_ms)
            }
            Why::Working(_) | Why::Line => false,
        }
    }

    /// The process knew of it before it had this machine: since then its own time is counted by ticks, whatever the phone's clock is set to.
    pub fn seen_since(&mut self, seen: Now) {
        self.seen = seen;
    }

    /// True when operations or commits are under way.
    pub fn is_busy(&self) -> bool {
        !self.ops.is_empty() || !self.commits.is_empty() || !self.outbox.is_empty()
    }

    /// What a host said that could not be kept: whoever lets this machine go says it again to the next one.
    pub fn unkept(&self) -> Vec<Command> {
        super::commands_of(&self.failed_commits)
    }

    /// Takes one event in.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Command(command) => self.on_command(command),
            Event::Committed(id) => self.on_committed(id),
            Event::CommitFailed(id, error) => self.on_commit_failed(now, id, error),
            Event::Answered { op, result, sent } => self.on_answered(now, op, result, sent),
            Event::Read { op, result } => match op.kind {
                OpKind::Hash(_) => self.on_hashed(now, op, result),
                OpKind::Beginning => self.on_beginning(op, result),
                OpKind::Proof => self.on_proof(op, result),
                _ => self.on_read(now, op, result),
            },
            Event::Bytes { op, bytes } => self.on_bytes(op, bytes),
            Event::Credential { credential, generation } => self.on_credential(credential, generation),
            Event::Source(result) => self.on_source(now, result),
            Event::NoCredential { retry_in_ms } => self.on_no_credential(now, retry_in_ms),
            Event::SignedOut => self.on_signed_out(),
            Event::Network(network) => self.on_network(network),
        }
        self.count_progress();
    }

    /// The next step. Takes from `slots` what it starts.
    pub fn poll(&mut self, now: Now, slots: &mut Slots) -> Step {
        if let Some(step) = self.outbox.pop_front() {
            return step;
        }
        match self.next(now, slots) {
            Ok(step) => step,
            Err(why) => {
                let until = match &why {
                    Why::Waiting { until, .. } => *until,
                    Why::Working(_) | Why::Line | Why::Paused => None,
                };
                // What only the host can mend is tried again at its own time, not when some gate opens behind it.
                let gate = match &why {
                    Why::Waiting { needs_host: true, .. } => None,
                    _ => self.backoff.next_open(now.tick),
                };
                let until = [until, gate, self.abort_by, self.gives_up_at()];
                let wait = self.wait_to_keep(now, &why);
                if !same_kind(&why, &self.why) {
                    self.why_since_unix_ms = now.unix_ms;
                }
                self.why = why;
                if let Some(wait) = wait {
                    return self.commit(Record::Waits(Box::new(wait)));
                }
                Step::Wait { until: until.into_iter().flatten().filter(|at| *at > now.tick).min() }
            }
        }
    }

    // ---- what it keeps

    /// Sends a record to the journal.
    pub(super) fn commit(&mut self, record: Record) -> Step {
        self.commit_ids += 1;
        let id = CommitId { round: self.commit_round, number: self.commit_ids };
        self.commits.push_back((id, record.clone()));
        Step::Commit { id, record }
    }

    /// What the next process, or whoever looks before there is one, is to know of a wait: that it needs somebody, that it is long, or that this machine is let
    /// go while it lasts. What the world or the disk holds up, each process finds out for itself.
    fn wait_to_keep(&self, now: Now, next: &Why) -> Option<Wait> {
        let why = if self.held { &self.why } else { next };
        let Why::Waiting { reason, until, error: Some(error), needs_host, .. } = why else { return None };
        let left_ms = until.map(|at| at.since_ms(now.tick)).filter(|ms| *ms > 0);
        let lasts = self.held || *needs_host || left_ms.is_some_and(|ms| ms > WAIT_KEPT_MS_MIN);
        let own = !reason.is_of_the_world() && !matches!(reason, WaitReason::Disk | WaitReason::Elsewhere);
        if !lasts || !own || self.facts.ending.is_some() || self.facts.waits_kept >= WAITS_KEPT_MAX {
            return None;
        }
        let mut on_its_way = self.commits.iter().map(|(_, record)| record).chain(&self.failed_commits);
        if on_its_way.any(|record| matches!(record, Record::Waits(_))) {
            return None;
        }
        let since_unix_ms = if same_kind(why, &self.why) { self.why_since_unix_ms } else { now.unix_ms };
        let wait = Wait {
            next_try_unix_ms: left_ms.map(|ms| now.unix_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))),
            attempts: self.backoff.worst().map_or(0, |row| row.count),
            needs_host: *needs_host,
            ..Wait::new(*reason, since_unix_ms, error)
        };
        // Said again only when it is another one, or its time was over and it goes on.
        let is_known = |known: &Wait| known.is_like(&wait) && known.next_try_unix_ms.is_none_or(|at| at > now.unix_ms);
        (!self.facts.wait.as_deref().is_some_and(is_known)).then_some(wait)
    }

    /// The same, later in this poll.
    pub(super) fn commit_soon(&mut self, record: Record) {
        // Behind a record that could not be kept: the order of the journal is the order in which things became true.
        if !self.failed_commits.is_empty() {
            self.failed_commits.push_back(record);
            return;
        }
        let step = self.commit(record);
        self.outbox.push_back(step);
    }

    /// True while something is on its way to the disk that everything else depends on.
    pub(super) fn barrier(&self) -> bool {
        self.commits.iter().any(|(_, record)| record.is_barrier())
    }

    /// An ending that an answer brought: the first one stands, and a later one only refines what a cancel could undo.
    pub(super) fn end_soon(&mut self, now: Now, ending: Ending) {
        let refines = ending == Ending::Cancelled(Remote::Aborted);
        let on_its_way = self.commits.iter().map(|(_, record)| record).chain(&self.failed_commits);
        let mut earlier = on_its_way.filter_map(|record| match record {
            Record::Ending { ending, .. } => Some(ending),
            _ => None,
        });
        let stands = earlier.next_back().or(self.facts.ending.as_ref());
        let open = stands.is_none_or(|stands| refines && *stands == Ending::Cancelled(Remote::AbortPending));
        if open {
            self.commit_soon(Record::Ending { ending, unix_ms: now.unix_ms });
        }
    }

    fn on_committed(&mut self, id: CommitId) {
        let Some(at) = self.commits.iter().position(|(commit, _)| *commit == id) else { return };
        let Some((_, record)) = self.commits.remove(at) else { return };
        let restarts = matches!(record, Record::Restart { .. });
        let plans = matches!(record, Record::Plan { .. } | Record::Missing { .. });
        let intends = matches!(record, Record::CompleteIntent { .. });
        let begins = matches!(record, Record::BeginIntent { .. } | Record::BeginTaken);
        // With other content, or after a look, it is the first one.
        self.begin_lost &= !matches!(record, Record::BeginIntent { .. });
        let settles = matches!(record, Record::Settled);
        let began_anew = matches!(record, Record::Restart { why: RestartReason::Changed });
        self.facts.apply(record);
        if began_anew {
            self.spent = Spent::default();
        }
        // A session that only takes again what others took may be lost like those.
        if self.spent.proven(self.facts.bytes_proven) {
            self.restarts = 0;
            self.backoff.succeeded(Purpose::Session);
        }
        if settles || restarts {
            (self.closing, self.doubt_until) = (Closing::default(), None);
        }
        if restarts {
            self.forget_session();
        }
        if plans {
            self.recall_sent();
        }
        if restarts || plans {
            self.refill_todo();
        }
        if begins {
            self.begin_armed = true;
            self.finish = Finish::No;
        }
        if intends {
            self.finish = Finish::Armed;
        }
    }

    fn on_commit_failed(&mut self, now: Now, id: CommitId, error: ErrorInfo) {
        let Some(at) = self.commits.iter().position(|(commit, _)| *commit == id) else { return };
        let Some((_, record)) = self.commits.remove(at) else { return };
        self.failed_commits.push_back(record);
        let since = *self.disk_since.get_or_insert(now.tick);
        let spent = now.tick.since_ms(since) >= BUDGET_MS_MIN;
        let delay_ms = if spent { EXHAUSTED_RETRY_MS } else { DISK_RETRY_MS };
        self.disk_error = Some((error, now.tick.after_ms(delay_ms)));
    }

    // ---- what the host says

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Pause => self.wish(Wish::Pause),
            Command::Resume => {
                self.wish(Wish::Run);
                self.try_now();
            }
            Command::Cancel => self.wish(Wish::Cancel),
            Command::Hold => self.held = true,
            Command::Go => {
                if std::mem::take(&mut self.held) {
                    self.try_now();
                }
            }
            Command::Conflict(conflict) => {
                if self.facts.ending.is_none() && (self.facts.conflict != conflict || self.facts.conflict_asked) {
                    self.stuck = None;
                    // It may be the digest that is to be told now.
                    self.digest.missed = false;
                    // The session stands by what it was begun with.
                    if self.facts.conflict_asked
                        && self.facts.session.is_some()
                        && self.service.capabilities().fixes_conflict
                    {
                        let error = ErrorInfo::new(Code::NameConflict, "the name was taken while the upload was sent");
                        self.restart_wanted = Some((RestartReason::SessionGone, error));
                    }
                    self.commit_soon(Record::Conflict { conflict });
                }
            }
            Command::OnChange(on_change) => {
                if self.facts.ending.is_none() && self.facts.on_change != on_change {
                    self.source.look_again_if_lost();
                    self.commit_soon(Record::OnChange { on_change });
                }
            }
            Command::LookAgain => {
                self.source = SourceState::Unknown;
                self.compared = None;
            }
            Command::SourceIs(source) => {
                if let Some(source) = source.news_to(&self.facts.upload.source).filter(|_| self.facts.ending.is_none())
                {
                    self.commit_soon(Record::Source { source });
                }
            }
            Command::Tune(tuning) => self.tune(tuning),
            Command::ClientParallelParts(parallel_parts) => self.limits.parallel_parts = parallel_parts.max(1),
        }
    }

    fn wish(&mut self, wish: Wish) {
        let kept = self.commits.iter().map(|(_, record)| record);
        let last = kept.chain(&self.failed_commits).rev().find_map(|record| match record {
            Record::Wish { wish } => Some(*wish),
            _ => None,
        });
        let current = last.unwrap_or(self.facts.wish);
        if self.facts.ending.is_none() && current != wish && current != Wish::Cancel {
            self.commit_soon(Record::Wish { wish });
        }
    }

    /// Every wait that the world or a person may have ended is looked at again.
    fn try_now(&mut self) {
        self.backoff.reset();
        self.spent.again();
        self.stuck = None;
        self.credential.none_now = false;
        self.credential.again_at = None;
        self.credential.refusals = 0;
        self.source.look_again_if_lost();
        self.source_was_read();
        if let Some((_, retry)) = &mut self.disk_error {
            (*retry, self.disk_since) = (Tick(0), None);
        }
    }

    fn on_network(&mut self, network: Network) {
        let known = std::mem::replace(&mut self.network, network);
        self.network.generation = known.generation.max(network.generation);
        if network.generation > known.generation {
            self.backoff.reset();
            self.spent.again();
            self.stuck = None;
            self.stop_ops(|_| true);
        }
        if network.is_offline() {
            self.stop_ops(|_| true);
        }
        self.stop_what_breaks_the_policy();
    }

    fn on_credential(&mut self, credential: Option<Credential>, generation: u64) {
        let state = &mut self.credential;
        state.asked = false;
        state.again_at = None;
        match credential {
            Some(value) if state.value.is_none() || generation > state.generation => {
                state.value = Some(value);
                state.generation = generation;
                state.none_now = false;
                state.signed_out = false;
                state.error = None;
            }
            // None, or none that is newer than the refused one.
            Some(_) | None => state.none_now = state.value.is_none() || state.error.is_some(),
        }
    }

    // ---- operations

    pub(super) fn op_id(&mut self, kind: OpKind) -> OpId {
        self.attempts += 1;
        OpId { kind, attempt: self.attempts }
    }

    pub(super) fn begin_op(&mut self, now: Now, kind: OpKind) -> OpId {
        let op = self.op_id(kind);
        let lease_generation = if let OpKind::Part(number) = kind { self.lease.generation_of(number) } else { 0 };
        let credential_generation = self.credential.generation;
        let state = Op {
            started: now.tick,
            lease_generation,
            credential_generation,
            again: false,
            dated_unix_ms: self.dating_unix_ms(now),
            parts_named: 0,
            bytes: 0,
            expects: false,
            stopping: false,
        };
        self.ops.insert(op, state);
        op
    }

    pub(super) fn in_flight(&self, kind: OpKind) -> bool {
        self.ops.keys().any(|op| op.kind == kind)
    }

    pub(super) fn parts_in_flight(&self) -> u32 {
        self.ops.keys().filter(|op| matches!(op.kind, OpKind::Part(_))).count() as u32
    }

    /// Asks every operation that `which` names to end.
    pub(super) fn stop_ops(&mut self, which: impl Fn(OpKind) -> bool) {
        for (op, state) in &mut self.ops {
            if !state.stopping && which(op.kind) {
                state.stopping = true;
                self.outbox.push_back(Step::Stop { op: *op });
            }
        }
    }

    pub(super) fn caller<'a>(&'a self, credential: &'a Credential, now: Now) -> Caller<'a> {
        Caller { credential, service_unix_ms: self.dating_unix_ms(now) }
    }

    // ---- parts

    /// What an earlier run tried counts as sent, whole.
    fn recall_sent(&mut self) {
        let Some(plan) = self.facts.plan else { return };
        for part in self.facts.tried.keys().filter_map(|number| plan.part(*number)) {
            self.sent_high.entry(part.part_number).or_insert(part.size_bytes);
        }
    }

    /// What is not proven and not under way is to be sent.
    pub(super) fn refill_todo(&mut self) {
        self.todo.clear();
        if let Some(plan) = self.facts.plan {
            let busy: Vec<u32> = self.ops.keys().filter_map(part_number).collect();
            self.todo = (1..=plan.parts_total())
                .filter(|number| {
                    !self.facts.proven.contains_key(number) && !busy.contains(number) && !self.part_committing(*number)
                })
                .map(|number| (number, ()))
                .collect();
        }
    }

    pub(super) fn part_committing(&self, part: u32) -> bool {
        self.commits
            .iter()
            .map(|(_, record)| record)
            .chain(&self.failed_commits)
            .any(|record| matches!(record, Record::Part { part_number, .. } if *part_number == part))
    }

    pub(super) fn any_part_committing(&self) -> bool {
        self.commits
            .iter()
            .map(|(_, record)| record)
            .chain(&self.failed_commits)
            .any(|record| matches!(record, Record::Part { .. } | Record::Hashed { .. }))
    }

    fn forget_session(&mut self) {
        self.lease.clear();
        self.trouble.clear();
        self.adoptable.clear();
        self.adopting = None;
        self.inspected = false;
        self.find_missing = false;
        self.finish = Finish::default();
        self.begin_armed = false;
        self.begin_lost = false;
        self.seen_open = false;
        self.seen_already = false;
        self.seen_done = false;
        self.heard_of = false;
        if self.facts.plan.is_none() {
            self.digest = DigestState::default();
            self.source.look_again();
        }
    }

    // ---- what one sees

    fn on_bytes(&mut self, op: OpId, bytes: u64) {
        if let (Some(state), Some(part)) = (self.ops.get_mut(&op), part_number(&op))
            && bytes > state.bytes
        {
            let before = state.bytes;
            state.bytes = bytes;
            self.count_sent(part, before, bytes);
        }
    }

    /// Bytes `from..to` of an attempt of a part went out.
    pub(super) fn count_sent(&mut self, part: u32, from: u64, to: u64) {
        let high = self.sent_high.entry(part).or_insert(0);
        self.progress.bytes_sent += to - from;
        self.spent.sent(to - from);
        self.progress.bytes_resent += to.min(*high).saturating_sub(from);
    }

    /// An attempt of a part is over after so many bytes.
    pub(super) fn settle_sent(&mut self, part: u32, bytes: u64) {
        let high = self.sent_high.entry(part).or_insert(0);
        *high = (*high).max(bytes);
    }

    fn count_progress(&mut self) {
        let plan = self.facts.plan;
        let progress = &mut self.progress;
        progress.bytes_total = plan.map_or(0, |plan: PartPlan| plan.size_bytes);
        progress.parts_total = plan.map_or(0, |plan| plan.parts_total());
        progress.parts_done = self.facts.proven.len() as u32;
        progress.bytes_hashed = self.facts.bytes_hashed();
        progress.bytes_acknowledged = self.facts.bytes_proven;
        let flying: u64 = self.ops.values().map(|op| op.bytes).sum();
        let shown = (progress.bytes_acknowledged + flying).min(progress.bytes_total);
        // A restart of the content is a new total: only then may the bar go back.
        progress.bytes_shown = match &self.facts.ending {
            Some(Ending::Completed(_)) => progress.bytes_total,
            _ if plan.is_some() => shown.max(progress.bytes_shown).min(progress.bytes_total),
            _ => 0,
        };
        progress.retries = self.backoff.retries;
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Where it stands, as of the last poll.
    pub fn state(&self, now: Now) -> State {
        match &self.facts.ending {
            Some(Ending::Completed(receipt)) => return State::Completed { receipt: receipt.clone() },
            Some(Ending::Failed(error)) => return State::Failed { error: error.clone() },
            Some(Ending::Cancelled(remote)) => return State::Cancelled { remote: *remote },
            None => {}
        }
        match &self.why {
            Why::Working(phase) => State::Active { phase: *phase },
            Why::Line => State::Queued,
            Why::Paused => State::Paused,
            Why::Waiting { reason, until, error, choices, needs_host } => State::Waiting {
                waiting: Waiting {
                    reason: *reason,
                    since_unix_ms: self.why_since_unix_ms,
                    retry_in_ms: until.map(|at| at.since_ms(now.tick)),
                    error: error.clone(),
                    choices: choices.clone(),
                    needs_host: *needs_host,
                    prepared: None,
                },
            },
        }
    }

    /// The source as the machine last saw it.
    pub fn identity(&self) -> Option<&Identity> {
        self.source.identity()
    }
}

pub(super) fn part_number(op: &OpId) -> Option<u32> {
    match op.kind {
        OpKind::Part(number) => Some(number),
        _ => None,
    }
}

pub(super) fn bug(detail: &str) -> ErrorInfo {
    ErrorInfo::new(Code::Bug, detail)
}

/// The part of a plan that must have it.
pub(super) fn planned(plan: Option<PartPlan>, number: u32) -> Option<Part> {
    plan.and_then(|plan| plan.part(number))
}

fn same_kind(a: &Why, b: &Why) -> bool {
    match (a, b) {
        (Why::Waiting { reason: a, .. }, Why::Waiting { reason: b, .. }) => a == b,
        (Why::Working(a), Why::Working(b)) => a == b,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}
