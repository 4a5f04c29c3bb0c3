//! The driver: one thread that owns every upload. It takes messages, feeds machines, lends slots, and publishes what became of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use super::{
    CredentialAsk, Idle, Limits, Network, SourceAsk, Why,
    board::Board,
    clock::Clock,
    credentials::{ASK_MS_MAX, Credentials, Reply},
    disk::{Job, ReadJob},
    journal::Id,
    mailbox::{Mailbox, Sleep, Taken},
    message::{Loaded, Message},
    network::Send as SendJob,
    outlet::Outlet,
    pool::Pool,
    rate::Rate,
    row::{Live, Row, Stage},
    schedule::Schedule,
    signing::Signing,
};
use crate::{
    engine::{
        Command, Ending, Event, Facts, Limits as MachineLimits, Machine, OpId, OpKind, Remote, Slots, State, Step,
        WaitReason, Waiting, Work,
    },
    error::{Code, ErrorInfo},
    hash::{Crc64, Md5},
    model::{
        Identity, Now, Tick,
        http::{Request, TransportFault},
    },
    source::{Source, SourceOffer, SourceWhat},
    transport::CancelToken,
};

/// Progress alone is published this often at most.
const PUBLISH_MS: u64 = 100;
/// A wait longer than this gives the upload's place to another.
const KEEP_PLACE_MS: u64 = 20_000;
/// Uploads beyond the bound that are opened to keep what a host said of them.
const COMMAND_PLACES: usize = 4;
/// How often an upload that another process has is looked at again, and one whose journal the disk refused.
const LOOK_AGAIN_MS: u64 = 5_000;

/// The driver and all that is its own.
pub(super) struct Driver {
    pub(super) rows: BTreeMap<usize, Row>,
    pub(super) by_id: HashMap<String, usize>,
    pub(super) next_row: usize,
    /// Those that have a machine.
    pub(super) live: BTreeSet<usize>,
    /// Requests under way, over all uploads.
    pub(super) parts: u32,
    pub(super) controls: u32,
    /// Something about the rows at rest changed: who stands in line and when is to be looked at again.
    pub(super) dirty: bool,
    /// When the next of the rows at rest goes on by itself.
    pub(super) rest_wake: Option<Tick>,
    /// Messages of the host that were taken.
    pub(super) heard: u64,
    pub(super) held: bool,
    /// When given, nobody else is brought to work.
    pub(super) only: Option<BTreeSet<String>>,
    pub(super) network: Network,
    pub(super) limits: Limits,
    pub(super) schedule: Schedule,
    pub(super) credentials: Credentials,
    pub(super) signing: Signing,
    pub(super) clock: Clock,
    pub(super) rng: fastrand::Rng,
    pub(super) board: Arc<Board>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) disk: Arc<Pool<Job>>,
    pub(super) net: Arc<Pool<SendJob>>,
    pub(super) rate: Arc<Rate>,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Driver {
    /// Runs until nothing works and nothing waits for a time; then the thread ends, and the next message brings a new one.
    pub(super) fn run(mut self) {
        // What is there already comes first: a thread that was brought back has a message to take.
        let mut wait = Some(Duration::ZERO);
        loop {
            match self.mailbox.take(wait) {
                Taken::Messages(messages) => messages.into_iter().for_each(|message| self.take(message)),
                Taken::TimedOut => {}
                Taken::Closed => return,
            }
            self.turn();
            wait = self.next_wake().map(|at| Duration::from_millis(at.since_ms(self.clock.tick()).max(1)));
            if wait.is_none() && self.at_rest() {
                let mailbox = self.mailbox.clone();
                match mailbox.sleep(Box::new(move || spawn(self))) {
                    Sleep::Asleep | Sleep::Closed => return,
                    Sleep::Again(run_on) => return run_on(),
                }
            }
        }
    }

    fn at_rest(&self) -> bool {
        self.rows.values().all(|row| matches!(row.stage, Stage::Idle))
    }

    fn next_wake(&self) -> Option<Tick> {
        let now = self.clock.tick();
        let live = self.live.iter().filter_map(|number| match &self.rows.get(number)?.stage {
            Stage::Live(live) => live.wake.into_iter().chain(live.source_by).min(),
            _ => None,
        });
        let hosts = self.schedule.next_open(now).filter(|_| !self.live.is_empty());
        let rest = self.rest_wake.filter(|_| !self.held);
        let asks = self.credentials.next_expiry().into_iter().chain(self.signing.next_expiry());
        live.chain(hosts).chain(rest).chain(asks).min()
    }

    // ---- messages

    fn take(&mut self, message: Message) {
        self.heard += u64::from(message.is_said());
        // What machines and workers say is about rows at work; all else may change who stands in line.
        self.dirty |= !matches!(
            message,
            Message::Event { .. } | Message::Answered { .. } | Message::Opened { .. } | Message::Offered { .. }
        );
        match message {
            Message::Added(uploads) => uploads.into_iter().for_each(|(upload, offer)| {
                if let (Some(id), Ok(facts)) =
                    (Id::parse(&upload.id), Facts::new([crate::engine::Record::Upload(Box::new(upload))]))
                {
                    self.add(id, &facts, offer);
                }
            }),
            Message::Command { ids, command } => self.each(&ids, |driver, row| driver.command(row, command.clone())),
            Message::Priority { ids, priority } => self.each(&ids, |driver, row| {
                if let Some(row) = driver.rows.get_mut(&row) {
                    row.priority = priority;
                }
            }),
            Message::Attach { id, offer } => self.each(&[id], |driver, row| {
                if let Some(entry) = driver.rows.get_mut(&row) {
                    entry.offer = Some(offer.clone());
                    entry.again_if(&[WaitReason::Source]);
                }
                driver.command(row, Command::LookAgain);
            }),
            Message::Forget { ids, gone } => self.each(&ids, |driver, row| driver.forget(row, gone.clone())),
            Message::SetCredential { account, credential } => {
                let (secret, generation) = self.credentials.set(&account, credential);
                let rows: Vec<usize> =
                    self.rows.iter().filter(|(_, row)| row.account == account).map(|(number, _)| *number).collect();
                for row in rows {
                    self.event(row, Event::Credential { credential: Some(secret.clone()), generation });
                    if let Some(row) = self.rows.get_mut(&row) {
                        row.again_if(&[WaitReason::Credential]);
                    }
                }
            }
            Message::SetNetwork(network) => self.set_network(network),
            Message::SetLimits(limits) => {
                let limits = limits.clamped();
                self.limits = limits;
                self.all_live(Event::Command(Command::ClientParallelParts(limits.parallel_parts)));
                self.rate.set(limits.rate_bytes_per_s);
                self.schedule.set_parallel_parts(limits.parallel_parts);
                self.net.set_threads_max(self.schedule.threads_max());
            }
            Message::Hold => {
                self.held = true;
                self.all_live(Event::Command(Command::Hold));
            }
            Message::Go { only } => {
                self.held = false;
                self.only = only.map(|ids| ids.into_iter().collect());
                self.all_live(Event::Command(Command::Go));
                for row in self.rows.values_mut() {
                    row.again_if(&[WaitReason::Held]);
                }
            }
            Message::Event { row, event } => self.event(row, event),
            Message::Answered { row, host, event } => self.answered(row, &host, event),
            Message::Loaded { row, loaded } => self.loaded(row, loaded),
            Message::Closed { row } => self.closed(row),
            Message::Opened { row, ask, result } => self.opened(row, ask, result),
            Message::Offered { row, ask, result } => self.offered(row, ask, result),
            Message::Signed { account, ask, signature } => self.signed(&account, ask, signature),
            Message::Credential { account, ask, credential } => {
                let (rows, given) = self.credentials.answered(&account, ask, credential);
                for row in rows {
                    let (credential, generation) =
                        given.clone().map_or((None, 0), |(secret, generation)| (Some(secret), generation));
                    self.event(row, Event::Credential { credential, generation });
                }
                if let Some((credential, generation)) = given {
                    // Also to those that waited too long to be told by name.
                    for number in self.live.clone() {
                        if self.rows.get(&number).is_some_and(|row| row.account == account) {
                            self.event(number, Event::Credential { credential: Some(credential.clone()), generation });
                        }
                    }
                    for row in self.rows.values_mut().filter(|row| row.account == account) {
                        row.again_if(&[WaitReason::Credential]);
                    }
                }
            }
        }
    }

    fn each(&mut self, ids: &[String], mut what: impl FnMut(&mut Driver, usize)) {
        for id in ids {
            if let Some(row) = self.by_id.get(id).copied() {
                what(self, row);
            }
        }
    }

    fn set_network(&mut self, network: Network) {
        if network.generation > self.network.generation {
            self.schedule.reset();
        }
        self.network = network;
        self.all_live(Event::Network { online: network.online, generation: network.generation });
        if network.online != Some(false) {
            for row in self.rows.values_mut() {
                row.again_if(&[WaitReason::Network, WaitReason::Retry]);
                let pending = matches!(row.state, State::Cancelled { remote: Remote::AbortPending });
                row.eligible |= pending && row.forget.is_none();
            }
        }
    }

    fn all_live(&mut self, event: Event) {
        for row in self.live.clone() {
            self.event(row, event.clone());
        }
    }

    /// To a machine at work; nobody else needs it.
    pub(super) fn event(&mut self, number: usize, event: Event) {
        let now = self.clock.now();
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Some(live) = row.live() else { return };
        if let Event::Read { op, .. } = &event {
            live.cancels.retain(|(other, _)| other != op);
        }
        live.done = false;
        let machine = &mut live.machine;
        if std::panic::catch_unwind(AssertUnwindSafe(|| machine.handle(now, event))).is_err() {
            self.bug(number);
        }
    }

    fn answered(&mut self, number: usize, host: &str, event: Event) {
        let now = self.clock.tick();
        if let Event::Answered { op, result, .. } = &event {
            match result {
                Ok(answer) => self.schedule.answered(now, host, answer.status, answer.retry_after_ms()),
                Err(TransportFault::Cancelled | TransportFault::Source(_) | TransportFault::Unsigned(_)) => {}
                Err(_) => self.schedule.failed(now, host),
            }
            let count = if matches!(op.kind, OpKind::Part(_)) { &mut self.parts } else { &mut self.controls };
            *count = count.saturating_sub(1);
            self.ended(number, *op);
        }
        self.event(number, event);
    }

    /// An operation can't be stopped any more.
    pub(super) fn ended(&mut self, number: usize, op: OpId) {
        if let Some(live) = self.rows.get_mut(&number).and_then(Row::live) {
            live.cancels.retain(|(other, _)| *other != op);
        }
    }

    /// Gives a request to a worker.
    pub(super) fn dispatch(&mut self, number: usize, op: OpId, request: Request, cancel: CancelToken) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Some(live) = row.live() else { return };
        let source = request.body.range().and(live.source.clone());
        let host = request.host().to_owned();
        row.hosts.insert(host);
        *(if matches!(op.kind, OpKind::Part(_)) { &mut self.parts } else { &mut self.controls }) += 1;
        self.net.submit(SendJob { row: number, op, request, source, cancel });
    }

    fn command(&mut self, number: usize, command: Command) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        if command == Command::Resume {
            self.schedule.open(row.hosts.iter().map(String::as_str));
        }
        match &row.stage {
            Stage::Live(_) => self.event(number, Event::Command(command)),
            // An ended upload has nothing to be told.
            _ if row.state.ended() => {}
            _ => {
                row.commands.push(command);
                // What a host says is tried at once.
                row.wake = None;
            }
        }
    }

    fn forget(&mut self, number: usize, gone: crossbeam_channel::Sender<()>) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        if !row.state.ended() {
            return;
        }
        match row.stage {
            Stage::Idle => self.remove(number, gone),
            _ => {
                row.forget = Some(gone);
                row.eligible = false;
            }
        }
    }

    fn remove(&mut self, number: usize, gone: crossbeam_channel::Sender<()>) {
        if let Some(row) = self.rows.remove(&number) {
            self.by_id.remove(row.id.as_str());
            if let (true, Some(path)) = (row.source.delete_at_end, &row.source.path) {
                self.disk.submit(Job::RemoveCopy { path: PathBuf::from(path) });
            }
            self.disk.submit(Job::Remove { id: row.id, board: self.board.clone(), gone });
        }
    }

    // ---- rows coming and going

    /// A new row.
    pub(super) fn add(&mut self, id: Id, facts: &Facts, offer: Option<SourceOffer>) {
        let now = self.clock.now();
        let number = self.next_row;
        self.next_row += 1;
        let mut row = Row::new(id, facts, now.unix_ms);
        row.offer = offer;
        // A kill may have come between the ending and this.
        if let (Some(Ending::Completed(_) | Ending::Cancelled(_)), true, Some(path)) =
            (&facts.ending, row.source.delete_at_end, &row.source.path)
        {
            self.disk.submit(Job::RemoveCopy { path: PathBuf::from(path) });
        }
        self.by_id.insert(id.as_str().to_owned(), number);
        self.rows.insert(number, row);
    }

    fn loaded(&mut self, number: usize, loaded: Loaded) {
        let now = self.clock.now();
        let (held, network) = (self.held, self.network);
        let limits = MachineLimits { parallel_parts: self.limits.parallel_parts };
        let seed = self.rng.u64(..);
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.stage = Stage::Idle;
        let wait = |reason, error, needs_host| {
            let retry_in_ms = Some(LOOK_AGAIN_MS);
            let waiting = Waiting {
                reason,
                since_unix_ms: now.unix_ms,
                retry_in_ms,
                error: Some(error),
                choices: vec![],
                needs_host,
            };
            (State::Waiting { waiting }, true)
        };
        let (state, again) = match loaded {
            Loaded::Ready(facts) => match crate::service::open(&facts.upload.target) {
                Ok(service) => {
                    let mut machine = Machine::new(*facts, service, limits, seed, now);
                    if held {
                        machine.handle(now, Event::Command(Command::Hold));
                    }
                    machine.handle(now, Event::Network { online: network.online, generation: network.generation });
                    for command in std::mem::take(&mut row.commands) {
                        machine.handle(now, Event::Command(command));
                    }
                    row.stage = Stage::Live(Box::new(Live::new(machine)));
                    self.live.insert(number);
                    return;
                }
                Err(error) => {
                    self.disk.submit(Job::Close { row: number, id: row.id });
                    row.stage = Stage::Closing;
                    (State::Failed { error }, false)
                }
            },
            Loaded::Elsewhere(error) => wait(WaitReason::Elsewhere, error, true),
            Loaded::Refused(error) => wait(WaitReason::Disk, error, false),
            Loaded::Lost(error) => (State::Failed { error }, false),
        };
        // A told ending stays what it is, whatever became of its journal.
        if row.state.ended() {
            row.eligible = false;
            row.commands.clear();
            if let Some(gone) = row.forget.take() {
                self.remove(number, gone);
            }
            return;
        }
        // What the host said is not lost: it is said again when the journal can be had.
        if !again {
            row.commands.clear();
        }
        row.eligible = again;
        row.wake = again.then(|| now.tick.after_ms(LOOK_AGAIN_MS));
        row.state = state;
        self.publish(number, now);
    }

    fn closed(&mut self, number: usize) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.stage = Stage::Idle;
        if let Some(gone) = row.forget.take() {
            self.remove(number, gone);
        }
    }

    /// A panic in a machine ends that upload's run as a bug; its journal is kept, the others go on.
    fn bug(&mut self, number: usize) {
        let now = self.clock.now();
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.stage = Stage::Closing;
        self.live.remove(&number);
        self.signing.forget(number);
        self.dirty = true;
        row.eligible = false;
        row.state = State::Failed {
            error: ErrorInfo::new(Code::Bug, "the upload's state machine panicked; its journal is kept"),
        };
        self.disk.submit(Job::Close { row: number, id: row.id });
        self.publish(number, now);
    }

    fn opened(&mut self, number: usize, ask: u64, result: Result<(Arc<dyn Source>, Identity), ErrorInfo>) {
        let now = self.clock.tick();
        let Some(row) = self.rows.get_mut(&number) else { return };
        let (id, key, token) = (row.id.as_str().to_owned(), row.key.clone(), row.source.token.clone());
        // What an earlier asking brought is about another opening.
        let Some(live) = row.live().filter(|live| live.source_ask == ask) else { return };
        match result {
            Ok((source, identity)) => {
                live.source = Some((source, identity.clone()));
                live.source_by = None;
                self.event(number, Event::Source(Ok(identity)));
            }
            Err(error) => {
                let asked = live.source_offered;
                let may_ask =
                    self.outlet.has_sources() && matches!(error.code, Code::SourceNotFound | Code::SourceDenied);
                if asked || !may_ask {
                    live.source_by = None;
                    row.offer = None;
                    return self.event(number, Event::Source(Err(error)));
                }
                // What was given in this process did not help: the host may know more.
                live.source_by = Some(now.after_ms(ASK_MS_MAX));
                row.offer = None;
                let mailbox = self.mailbox.clone();
                let reply = Box::new(move |result| mailbox.post(Message::Offered { row: number, ask, result }));
                self.outlet.ask_source(SourceAsk::new(id, key, token, error, reply));
            }
        }
    }

    /// The host answered for a source; after its time was up, too.
    fn offered(&mut self, number: usize, ask: u64, result: Result<SourceOffer, ErrorInfo>) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let in_time = row.live().is_some_and(|live| live.source_ask == ask && live.source_by.is_some());
        match result {
            Ok(offer) => {
                let what = offer.what.clone();
                row.offer = Some(offer);
                if in_time {
                    if let Some(live) = row.live() {
                        live.source_offered = true;
                    }
                    self.disk.submit(Job::Open { row: number, ask, what });
                } else {
                    row.again_if(&[WaitReason::Source]);
                    self.dirty = true;
                    self.command(number, Command::LookAgain);
                }
            }
            Err(error) if in_time => {
                if let Some(live) = row.live() {
                    live.source_by = None;
                }
                self.event(number, Event::Source(Err(error)));
            }
            Err(_) => {}
        }
    }

    // ---- a turn

    /// Gives machines what there is, brings waiting uploads to work, and puts up what changed.
    pub(super) fn turn(&mut self) {
        let now = self.clock.now();
        self.expire_signing(now.tick);
        for row in self.credentials.expired(now.tick) {
            self.event(row, Event::Credential { credential: None, generation: 0 });
        }
        for number in self.live.clone() {
            let live = self.rows.get_mut(&number).and_then(Row::live);
            if let Some(live) = live.filter(|live| live.source_by.is_some_and(|by| by <= now.tick)) {
                live.source_by = None;
                let error = ErrorInfo::new(Code::SourceNotFound, "the host did not open the source in time");
                self.event(number, Event::Source(Err(error)));
            }
        }
        if self.rest_wake.is_some_and(|wake| wake <= now.tick) {
            self.rest_wake = None;
            self.dirty = true;
        }
        let mut live: Vec<(std::cmp::Reverse<i8>, i64, usize)> = self
            .live
            .iter()
            .filter_map(|number| {
                self.rows.get(number).map(|row| (std::cmp::Reverse(row.priority), row.created_unix_ms, *number))
            })
            .collect();
        live.sort_unstable();
        live.into_iter().for_each(|(_, _, number)| self.drive(number, now));
        if std::mem::take(&mut self.dirty) {
            self.bring_in(now.tick);
            // One whose time has come stands in line, and a place that becomes free is noticed anyway.
            let rest = self.rows.values().filter(|row| {
                matches!(row.stage, Stage::Idle) && (row.eligible && self.goes(row) || !row.commands.is_empty())
            });
            self.rest_wake = rest.filter_map(|row| row.wake).filter(|wake| *wake > now.tick).min();
            let (idle, at_rest) = self.idle(now.tick);
            if self.board.set_idle(idle.clone(), at_rest, self.heard) {
                self.outlet.idle(idle);
            }
        }
    }

    /// True when an upload that may go on by itself is let.
    fn goes(&self, row: &Row) -> bool {
        !self.held && self.only.as_ref().is_none_or(|only| only.contains(row.id.as_str()))
    }

    /// Opens journals while there are places.
    fn bring_in(&mut self, now: Tick) {
        let taken = self
            .rows
            .values()
            .filter(|row| matches!(row.stage, Stage::Loading | Stage::Live(_)) && !row.state.ended())
            .count();
        let mut places = (self.limits.parallel_uploads as usize).saturating_sub(taken);
        let mut guests = (self.limits.parallel_uploads as usize + COMMAND_PLACES).saturating_sub(taken);
        let mut wanting: Vec<_> = self
            .rows
            .iter()
            .filter(|(_, row)| row.may_load(now) && (self.goes(row) || !row.commands.is_empty()))
            .map(|(number, row)| {
                (row.commands.is_empty(), std::cmp::Reverse(row.priority), row.created_unix_ms, row.id, *number)
            })
            .collect();
        wanting.sort_unstable();
        for (no_command, _, _, id, number) in wanting {
            // What a host said must be kept soon, also when every place is taken; but never all of them at once.
            if no_command && places == 0 || guests == 0 {
                break;
            }
            places = places.saturating_sub(1);
            guests -= 1;
            if let Some(row) = self.rows.get_mut(&number) {
                row.stage = Stage::Loading;
                row.wake = None;
                self.disk.submit(Job::Load { row: number, id });
            }
        }
    }

    fn drive(&mut self, number: usize, now: Now) {
        loop {
            let (parts, controls) = (self.parts, self.controls);
            let Some(row) = self.rows.get_mut(&number) else { return };
            let mut slots: Slots = self.schedule.lend(now.tick, row.hosts.iter().map(String::as_str), parts, controls);
            let Some(live) = row.live() else { return };
            let machine = &mut live.machine;
            let Ok(step) = std::panic::catch_unwind(AssertUnwindSafe(|| machine.poll(now, &mut slots))) else {
                return self.bug(number);
            };
            match step {
                Step::Wait { until } => {
                    live.wake = until;
                    return self.rested(number, now);
                }
                Step::Done => {
                    live.wake = None;
                    live.done = true;
                    return self.rested(number, now);
                }
                step => self.carry_out(number, step, now),
            }
        }
    }

    fn carry_out(&mut self, number: usize, step: Step, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let (id, account, service) = (row.id, row.account.clone(), row.service);
        match step {
            Step::Commit { id: commit, record } => {
                self.disk.submit(Job::Append { row: number, id, commit, record: Box::new(record) })
            }
            Step::Start { op, work } => {
                let cancel = CancelToken::default();
                let Some(live) = row.live() else { return };
                live.cancels.push((op, cancel.clone()));
                match work {
                    Work::Send(request) if request.to_sign.is_some() => {
                        self.ask_to_sign(number, op, request, cancel, now.tick);
                    }
                    Work::Send(request) => self.dispatch(number, op, request, cancel),
                    work @ (Work::Read { .. } | Work::Hash { .. }) => match live.source.clone() {
                        Some((source, identity)) => {
                            let (left, md5, keep, digester) = match work {
                                Work::Hash { range, digester } => (range, None, None, Some(digester)),
                                Work::Read { range, md5, keep } => {
                                    (range, md5.then(Md5::new), keep.then(Vec::new), None)
                                }
                                Work::Send(_) => return,
                            };
                            let crc64 = Crc64::new();
                            self.disk.submit(Job::Read(ReadJob {
                                row: number,
                                op,
                                source,
                                left,
                                crc64,
                                md5,
                                keep,
                                digester,
                                identity,
                                cancel,
                            }));
                        }
                        None => {
                            let error = ErrorInfo::new(Code::Bug, "a read without a source");
                            self.mailbox
                                .post(Message::Event { row: number, event: Event::Read { op, result: Err(error) } });
                        }
                    },
                }
            }
            Step::Stop { op } => {
                if let Some(live) = row.live() {
                    live.cancels.iter().filter(|(other, _)| *other == op).for_each(|(_, cancel)| cancel.cancel());
                }
                self.stop_signing(number, op);
            }
            Step::AskCredential { refused } => match self.credentials.want(&account, number, refused, now.tick) {
                Reply::Now(secret, generation) => {
                    self.event(number, Event::Credential { credential: Some(secret), generation })
                }
                Reply::Wait => {}
                Reply::Ask(ask) => {
                    let (mailbox, of) = (self.mailbox.clone(), account.clone());
                    let reply = move |credential| mailbox.post(Message::Credential { account: of, ask, credential });
                    let why = if refused.is_some() { Why::Refused } else { Why::First };
                    self.outlet.ask_credential(CredentialAsk::new(account, service, why, Box::new(reply)));
                }
            },
            Step::AskSource => {
                let offer = row.offer.clone();
                let path = row.source.path.clone();
                let Some(live) = row.live() else { return };
                live.source_ask += 1;
                live.source_offered = false;
                live.source_by = None;
                let (ask, open) = (live.source_ask, live.source.take());
                let what = match (offer, path) {
                    (Some(offer), _) if !matches!(offer.what, SourceWhat::Later) => offer.what,
                    (_, Some(path)) => SourceWhat::Path { path: PathBuf::from(path), delete_at_end: false },
                    _ => SourceWhat::Later,
                };
                match (what, open) {
                    // A host's reader can't have been put in another's place, as a file can.
                    (SourceWhat::Reader { .. }, Some((source, _))) => {
                        self.disk.submit(Job::Look { row: number, ask, source })
                    }
                    (what, _) => self.disk.submit(Job::Open { row: number, ask, what }),
                }
            }
            Step::Wait { .. } | Step::Done => {}
        }
    }

    /// A machine has nothing to do for now: is it worth its place?
    fn rested(&mut self, number: usize, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Stage::Live(live) = &mut row.stage else { return };
        let state = live.machine.state(now);
        let progress = live.machine.progress();
        let wake = live.wake;
        let busy = live.machine.is_busy();
        let over = live.done;
        let parks = live.machine.gives_place(now, KEEP_PLACE_MS);
        let explanation = live.machine.explain(now);
        let ended = live.machine.facts().ending.clone();
        if (over || parks) && !busy {
            row.eligible = !over && matches!(&state, State::Waiting { waiting } if waiting.retry_in_ms.is_some());
            row.wake = wake.filter(|_| row.eligible);
            row.stage = Stage::Closing;
            self.live.remove(&number);
            self.dirty = true;
            if over {
                if let (true, Some(path)) =
                    (row.source.delete_at_end && !matches!(ended, Some(Ending::Failed(_))), &row.source.path)
                {
                    self.disk.submit(Job::RemoveCopy { path: PathBuf::from(path) });
                }
                row.offer = None;
            }
            self.disk.submit(Job::Close { row: number, id: row.id });
        }
        let told = now.tick.since_ms(row.published) >= PUBLISH_MS || matches!(row.stage, Stage::Closing);
        if !row.state.is_like(&state) || (row.progress != progress && told) {
            self.board.set_explanation(row.id.as_str(), explanation);
            self.dirty |= !row.state.is_like(&state);
            row.state = state;
            row.progress = progress;
            self.publish(number, now);
        } else if row.progress != progress {
            // Held back, not lost: nothing else may ever happen that would show it.
            let beat = row.published.after_ms(PUBLISH_MS);
            if let Some(live) = row.live() {
                live.wake = Some(live.wake.map_or(beat, |wake| wake.min(beat)));
            }
        }
    }

    fn publish(&mut self, number: usize, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.published = now.tick;
        if let Some(mut snapshot) = self.board.snapshot(row.id.as_str()) {
            if std::mem::discriminant(&snapshot.state) != std::mem::discriminant(&row.state) {
                snapshot.changed_unix_ms = now.unix_ms;
            }
            snapshot.state = row.state.clone();
            snapshot.progress = row.progress;
            self.outlet.changed(self.board.publish(snapshot));
        }
    }

    fn idle(&self, now: Tick) -> (Idle, bool) {
        let mut idle = Idle::default();
        for row in self.rows.values().filter(|row| !row.state.ended()) {
            idle.bytes_remaining += row.progress.bytes_total.saturating_sub(row.progress.bytes_acknowledged);
            match (&row.stage, &row.state) {
                (_, State::Waiting { waiting }) if waiting.needs_host => idle.waiting_for_person += 1,
                (Stage::Live(_) | Stage::Loading, _) => idle.active += 1,
                (_, State::Queued) => idle.queued += 1,
                _ => {}
            }
        }
        idle.next_wake_ms = self.next_wake().map(|at| at.since_ms(now));
        let line = self.rows.values().any(|row| row.may_load(now) && self.goes(row));
        (idle, self.at_rest() && !line)
    }
}

/// Gives the driver a thread.
pub(super) fn spawn(driver: Driver) {
    let spawned = std::thread::Builder::new().name("partway-driver".to_owned()).spawn(move || driver.run());
    // Without a thread nothing can be driven; the journals are whole, and the next process goes on.
    drop(spawned);
}
