//! The driver: one thread that owns every upload. It takes messages, feeds machines, lends slots, and publishes what became of it.

use std::{collections::HashMap, convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use super::{
    CredentialAsk, Limits, LogLevel, Network, Why,
    board::Board,
    clock::Clock,
    credentials::{Credentials, Reply, Unserved},
    disk::{Job, is_unawaited},
    host::CredentialAnswer,
    journal::Id,
    logger::Logger,
    mailbox::{Mailbox, Sleep, Taken},
    message::{CredentialReply, Loaded, Message},
    network::Send as SendJob,
    outlet::Outlet,
    pool::Pool,
    rate::Rate,
    row::{Live, Row, Stage, Words},
    schedule::Schedule,
    signing::Signing,
    sources::{self, ReadJob, TempCopy, When},
    thread,
};
use crate::{
    channel::Sender,
    engine::{
        Command, Event, Facts, Limits as MachineLimits, Machine, OpId, OpKind, Slots, State, Step, WaitReason, Waiting,
        Work,
    },
    error::{Code, ErrorInfo},
    hash::{Crc64, Md5},
    model::{
        Now, ServiceName, SortedMap, SortedSet, Tick,
        http::{Request, TransportFault},
    },
    source::SourceWhat,
    transport::CancelToken,
};

/// Uploads beyond the bound that are opened to keep what a host said of them.
const COMMAND_PLACES: usize = 4;
/// Uploads beside these whose ending is told and that are still undone at the service: the others stand in line for that.
const ABORT_PLACES: usize = 4;
/// Records of one upload that go to the disk together: far less than the line that a torn end may be as long as.
const RECORDS_AT_ONCE: usize = 64;
/// The longest sleep. A wait is counted by a clock that stands still while the device sleeps, so that it may be over long before the thread wakes.
const LOOK_UP_MS: u64 = 30_000;
/// How often an upload that another process has is looked at again, and one whose journal the disk refused.
pub(super) const LOOK_AGAIN_MS: u64 = 5_000;

/// The driver and all that is its own.
pub(super) struct Driver {
    pub(super) rows: SortedMap<usize, Box<Row>>,
    pub(super) by_id: HashMap<Id, usize>,
    pub(super) next_row: usize,
    /// Those that have a machine.
    pub(super) live: SortedSet<usize>,
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
    pub(super) only: Option<Vec<String>>,
    pub(super) network: Network,
    pub(super) limits: Limits,
    /// An ended upload is forgotten by itself after so long.
    pub(super) ended_kept_ms: Option<u64>,
    /// An upload at work is told this often, also when nothing changed.
    pub(super) beat_ms: u64,
    pub(super) words: Words,
    pub(super) logger: Logger,
    pub(super) schedule: Schedule,
    pub(super) credentials: Credentials,
    pub(super) signing: Signing,
    /// Who wants a credential and is no upload: numbers that no row has.
    pub(super) askers: HashMap<usize, (String, Sender<CredentialReply>)>,
    pub(super) clock: Clock,
    pub(super) rng: fastrand::Rng,
    pub(super) board: Arc<Board>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) disk: Arc<Pool<Job>>,
    pub(super) sources: Arc<Pool<sources::Job>>,
    pub(super) net: Arc<Pool<SendJob>>,
    pub(super) rate: Arc<Rate>,
    pub(super) mailbox: Arc<Mailbox>,
    /// Dropped last: whoever has the other end sees that nothing of a host's is held here any more.
    pub(super) _there: Sender<Infallible>,
}

/// How long the driver sleeps before it looks again.
fn nap(wake: Tick, now: Tick) -> Duration {
    Duration::from_millis(wake.since_ms(now).clamp(1, LOOK_UP_MS))
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
            wait = self.next_wake().map(|at| nap(at, self.clock.tick()));
            if wait.is_none() && self.at_rest() {
                let mailbox = self.mailbox.clone();
                match mailbox.sleep(Box::new(move || spawn(self))) {
                    Sleep::Asleep | Sleep::Closed => return,
                    Sleep::Again(run_on) => return run_on(),
                }
            }
        }
    }

    pub(super) fn at_rest(&self) -> bool {
        self.rows.values().all(|row| matches!(row.stage, Stage::Idle))
    }

    pub(super) fn next_wake(&self) -> Option<Tick> {
        let now = self.clock.tick();
        let live = self.live.keys().filter_map(|number| match &self.rows.get(number)?.stage {
            Stage::Live(live) => live.wake.into_iter().chain(live.source_by).min(),
            _ => None,
        });
        let renewal = self.credentials.next_renewal().filter(|_| !self.live.is_empty());
        let hosts = self.schedule.next_open(now).filter(|_| !self.live.is_empty());
        let rest = self.rest_wake;
        let asks = self.credentials.next_expiry().into_iter().chain(self.signing.next_expiry());
        live.chain(hosts).chain(rest).chain(asks).chain(renewal).min()
    }

    // ---- messages

    pub(super) fn take(&mut self, message: Message) {
        self.heard += u64::from(message.is_said());
        // What machines and workers say is about rows at work; all else may change who stands in line.
        self.dirty |= !message.is_of_work();
        match message {
            Message::Added(uploads) => uploads.into_iter().for_each(|(facts, offer)| {
                if let Some(id) = Id::parse(&facts.upload.id) {
                    self.add(id, &facts, offer);
                }
            }),
            Message::Command { ids, command } => self.each(&ids, |driver, row| driver.command(row, command.clone())),
            Message::Attach { id, offer } => self.each(&[id], |driver, row| driver.attach(row, offer.clone())),
            Message::Forget { ids, gone } => self.each(&ids, |driver, row| driver.forget(row, gone.clone())),
            Message::Superseded { ids, gone } => self.each(&ids, |driver, row| driver.supersede(row, gone.clone())),
            Message::SetCredential { account, credential } => {
                let now = self.clock.tick();
                let given = self.credentials.set(&account, credential, now);
                self.logger.log(LogLevel::Debug, "credential", || "the host set one".to_owned());
                self.give_credential(&account, given);
            }
            Message::WantCredential { account, service, refused, reply } => {
                let number = self.next_row;
                self.next_row += 1;
                self.askers.insert(number, (account.clone(), reply));
                self.want_credential(number, account, service, refused);
            }
            Message::SignOut { account, wiped } => {
                self.sign_out(&account);
                wiped.send(());
            }
            Message::Reroute => {
                self.net.renew();
                self.schedule.reset();
            }
            Message::SetNetwork(network) => self.set_network(network),
            Message::SetLimits(limits) => {
                let limits = limits.clamped();
                self.limits = limits;
                self.all_live(Event::Command(Command::ClientParallelParts(limits.parallel_parts)));
                self.rate.set(limits.rate_bytes_per_s);
                self.schedule.set_parallel_parts(limits.parallel_parts);
                self.net.set_threads_max(self.schedule.threads_max());
                self.sources.set_threads_max(limits.source_threads_max());
            }
            Message::Hold => {
                self.logger.log(LogLevel::Debug, "client", || "hold".to_owned());
                self.held = true;
                self.all_live(Event::Command(Command::Hold));
            }
            Message::Go { only } => {
                self.logger.log(LogLevel::Debug, "client", || "go".to_owned());
                self.held = false;
                self.only = only.map(|ids| ids.into_iter().collect());
                self.all_live(Event::Command(Command::Go));
                for row in self.rows.iter_mut().map(|(_, row)| row) {
                    row.again_if(&[WaitReason::Held]);
                }
                self.let_waits_go();
            }
            Message::Vanished { ids } => self.each(&ids, |driver, row| {
                // Whatever else it is at finds that out itself.
                if driver.rows.get(&row).is_some_and(|row| matches!(row.stage, Stage::Idle)) {
                    driver.vanish(row);
                }
            }),
            Message::Event { row, event } => self.event(row, event),
            Message::Appended { row, results } => results.into_iter().for_each(|(commit, result)| {
                let event = match result {
                    Ok(()) => Event::Committed(commit),
                    Err(error) => Event::CommitFailed(commit, error),
                };
                self.event(row, event);
            }),
            Message::Answered { row, host, event } => self.answered(row, &host, event),
            Message::Loaded { row, loaded } => self.loaded(row, loaded),
            Message::Said { row, commands, said } => self.said(row, commands, said),
            Message::Closed { row } => self.closed(row),
            Message::Removed { row, removed } => self.removed(row, removed),
            Message::Opened { row, ask, result } => self.opened(row, ask, result),
            Message::Signed { account, ask, signature } => self.signed(&account, ask, signature),
            Message::Source { row, ask, news } => self.source_news(row, ask, news),
            Message::Credential { account, ask, answer } => self.credential_answered(&account, ask, answer),
        }
    }

    fn credential_answered(&mut self, account: &str, ask: u64, answer: CredentialAnswer) {
        let now = self.clock.tick();
        let answered = self.credentials.answered(account, ask, answer, now);
        self.logger.log(LogLevel::Debug, "credential", || {
            let what = match (&answered.given, answered.signed_out) {
                (Some(_), _) => "a new one",
                (None, true) => "nobody is signed in",
                (None, false) => "none now",
            };
            format!("the host answered ask {ask}: {what}")
        });
        if let Some(given) = answered.given {
            // Also to those that waited too long to be told by name.
            return self.give_credential(account, given);
        }
        if answered.signed_out {
            return self.sign_out(account);
        }
        self.unserved(answered.rows, answered.retry_in_ms);
    }

    /// Nothing newer is to be had. Who can use the one in hand gets that.
    fn unserved(&mut self, rows: Unserved, retry_in_ms: Option<u64>) {
        for (number, kept) in rows {
            match kept {
                Some((secret, generation)) => self.serve_credential(number, secret, generation),
                None => self.no_credential(number, retry_in_ms),
            }
        }
    }

    fn serve_credential(&mut self, number: usize, secret: crate::model::Credential, generation: u64) {
        match self.askers.remove(&number) {
            Some((_, reply)) => reply.send(Some((secret, generation))),
            None => self.event(number, Event::Credential { credential: Some(secret), generation }),
        }
    }

    fn give_credential(&mut self, account: &str, (secret, generation): (crate::model::Credential, u64)) {
        self.tell_askers(account, Some((secret.clone(), generation)));
        for row in self.of_account(account) {
            self.event(row, Event::Credential { credential: Some(secret.clone()), generation });
            if let Some(row) = self.rows.get_mut(&row) {
                row.again_if(&[WaitReason::Credential]);
            }
        }
    }

    /// A row, or an asker beside them, wants a credential.
    fn want_credential(&mut self, number: usize, account: String, service: ServiceName, refused: Option<u64>) {
        match self.credentials.want(&account, number, refused, self.clock.tick()) {
            Reply::Now(secret, generation) => self.serve_credential(number, secret, generation),
            Reply::Wait => {}
            Reply::SignedOut if self.askers.contains_key(&number) => self.no_credential(number, None),
            Reply::SignedOut => self.event(number, Event::SignedOut),
            Reply::Ask(ask, why) => self.ask_credential(account, service, ask, why),
        }
    }

    /// Tells whoever wanted one that there is none now.
    fn no_credential(&mut self, number: usize, retry_in_ms: Option<u64>) {
        match self.askers.remove(&number) {
            Some((_, reply)) => reply.send(None),
            None => self.event(number, Event::NoCredential { retry_in_ms }),
        }
    }

    /// To those beside the uploads who want one of that account.
    fn tell_askers(&mut self, account: &str, given: CredentialReply) {
        for (_, (_, reply)) in self.askers.extract_if(|_, (of, _)| of == account) {
            reply.send(given.clone());
        }
    }

    /// The credential is wiped here and in every machine; what carries it ends.
    fn sign_out(&mut self, account: &str) {
        self.credentials.sign_out(account);
        self.tell_askers(account, None);
        self.logger.log(LogLevel::Info, "credential", || "an account was signed out".to_owned());
        for row in self.of_account(account) {
            self.event(row, Event::SignedOut);
        }
    }

    fn of_account(&self, account: &str) -> Vec<usize> {
        self.rows.iter().filter(|(_, row)| &*row.account == account).map(|(number, _)| *number).collect()
    }

    pub(super) fn each(&mut self, ids: &[String], mut what: impl FnMut(&mut Driver, usize)) {
        for id in ids {
            if let Some(row) = Id::parse(id).and_then(|id| self.by_id.get(&id).copied()) {
                what(self, row);
            }
        }
    }

    /// What earlier processes waited for holds nobody who may go on: they stand in line.
    fn let_waits_go(&mut self) {
        let now = self.clock.now();
        let waited = self.rows.iter().filter(|(_, row)| row.waited && self.goes(row));
        for number in waited.map(|(number, _)| *number).collect::<Vec<_>>() {
            let Some(row) = self.rows.get_mut(&number) else { continue };
            row.waited = false;
            row.state = State::Queued;
            self.board.set_explanation(row.id.as_str(), None);
            if self.look_at(number, now).is_none() {
                self.publish(number, now);
            }
        }
    }

    fn set_network(&mut self, network: Network) {
        self.logger.log(LogLevel::Debug, "network", || {
            let Network { state, metered, roaming, generation, .. } = network;
            format!("{state:?}, metered {metered}, roaming {roaming}, generation {generation}")
        });
        if network.generation > self.network.generation {
            self.schedule.reset();
            // Connections of the old path are worth nothing: those that are kept idle too.
            self.net.renew();
        }
        self.network = network;
        self.all_live(Event::Network(network));
        if !network.is_offline() {
            for row in self.rows.iter_mut().map(|(_, row)| row) {
                row.again_if(&[WaitReason::Network, WaitReason::NetworkPolicy, WaitReason::Retry]);
                row.eligible |= row.aborts() && row.forget.is_none();
            }
        }
        self.look_at_the_line();
    }

    fn all_live(&mut self, event: Event) {
        for row in self.live.keys().copied().collect::<Vec<_>>() {
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
                Err(TransportFault::Cancelled { .. } | TransportFault::Source(_) | TransportFault::Unsigned(_)) => {}
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
        if let Some(live) = self.rows.get_mut(&number).and_then(|row| row.live()) {
            live.cancels.retain(|(other, _)| *other != op);
        }
    }

    /// Gives a request to a worker.
    pub(super) fn dispatch(&mut self, number: usize, op: OpId, request: Request, cancel: CancelToken) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Some(live) = row.live() else { return };
        let source = request.body.range().and(live.source.clone());
        let own_rate = live.rate.clone();
        let host = request.host().to_owned();
        row.spoke_to(self.words.of(&host));
        *(if matches!(op.kind, OpKind::Part(_)) { &mut self.parts } else { &mut self.controls }) += 1;
        self.net.submit(SendJob { row: number, op, request, source, cancel, own_rate });
    }

    // ---- rows coming and going

    /// A new row.
    pub(super) fn add(&mut self, id: Id, facts: &Facts, offer: Option<Box<SourceWhat>>) {
        let (row, copy) = self.row_of(id, facts, offer);
        self.put_in(row, copy);
    }

    /// What is kept here of an upload, and its temporary copy where that is still to go: a kill may have come between the ending and this.
    pub(super) fn row_of(
        &mut self,
        id: Id,
        facts: &Facts,
        offer: Option<Box<SourceWhat>>,
    ) -> (Box<Row>, Option<TempCopy>) {
        let now = self.clock.now();
        let mut row = Box::new(Row::new(id, facts, now.unix_ms, &mut self.words));
        if self.held {
            row.waits_as(facts, now.unix_ms);
        }
        row.offer = offer;
        row.forget_at = self.found_forget_at(facts.ended_unix_ms, now);
        (row, TempCopy::of(facts, None, When::Long))
    }

    pub(super) fn put_in(&mut self, row: Box<Row>, copy: Option<TempCopy>) {
        let number = self.next_row;
        self.next_row += 1;
        if let Some(copy) = copy {
            self.sources.submit(sources::Job::Remove(copy));
        }
        self.by_id.insert(row.id, number);
        self.rows.insert(number, row);
        let now = self.clock.now();
        self.look_at(number, now);
    }

    pub(super) fn loaded(&mut self, number: usize, loaded: Loaded) {
        let now = self.clock.now();
        let (held, network) = (self.held, self.network);
        let limits = MachineLimits { parallel_parts: self.limits.parallel_parts };
        let seed = self.rng.u64(..);
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.stage = Stage::Idle;
        row.needs_machine = false;
        row.waited = false;
        let wait = |reason, error, needs_host| {
            let retry_in_ms = Some(LOOK_AGAIN_MS);
            let waiting = Waiting {
                reason,
                since_unix_ms: now.unix_ms,
                retry_in_ms,
                error: Some(error),
                choices: vec![],
                needs_host,
                prepared: None,
            };
            (State::Waiting { waiting }, true)
        };
        let (state, again) = match loaded {
            Loaded::Ready(facts) => match crate::service::open(&facts.upload.target) {
                Ok(service) => {
                    let mut machine = Machine::new(*facts, service, limits, seed, now);
                    if let Some(memory) = row.memory.take() {
                        machine.recall(*memory);
                    }
                    // Nothing is undone any more for one that the host has done with.
                    if held || row.forget.is_some() {
                        machine.handle(now, Event::Command(Command::Hold));
                    }
                    machine.handle(now, Event::Network(network));
                    for command in std::mem::take(&mut row.commands) {
                        machine.handle(now, Event::Command(command));
                    }
                    row.stage = Stage::Live(Box::new(Live::new(machine)));
                    self.live.insert(number, ());
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
            Loaded::Gone => return self.vanish(number),
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

    /// A panic in a machine ends that upload's run as a bug; its journal is kept, the others go on.
    pub(super) fn bug(&mut self, number: usize) {
        self.flush(number);
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
        let id = row.id;
        self.logger.log(LogLevel::Error, "upload", || format!("{id}: its state machine panicked"));
        self.publish(number, now);
    }

    // ---- a turn

    /// Gives machines what there is, brings waiting uploads to work, and puts up what changed.
    pub(super) fn turn(&mut self) {
        let now = self.clock.now();
        self.expire_signing(now.tick);
        let expired = self.credentials.expired(now.tick);
        self.unserved(expired, None);
        self.renew_credentials(now.tick);
        for number in self.live.keys().copied().collect::<Vec<_>>() {
            let live = self.rows.get_mut(&number).and_then(|row| row.live());
            if let Some(live) = live.filter(|live| live.source_by.is_some_and(|by| by <= now.tick)) {
                live.source_by = None;
                live.prepared = None;
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
            .keys()
            .filter_map(|number| {
                self.rows.get(number).map(|row| (std::cmp::Reverse(row.priority), row.created_unix_ms, *number))
            })
            .collect();
        live.sort_unstable();
        live.into_iter().for_each(|(_, _, number)| self.drive(number, now));
        self.bound_aborts(now);
        self.lend_source_places();
        if std::mem::take(&mut self.dirty) {
            self.bring_in(now);
            self.stand_by(now);
        }
    }

    fn renew_credentials(&mut self, now: Tick) {
        let works = |account: &str| {
            self.live.keys().any(|number| self.rows.get(number).is_some_and(|row| &*row.account == account))
        };
        for (account, ask) in self.credentials.expiring(now, works) {
            let service = self.rows.values().find(|row| *row.account == *account).map(|row| row.service);
            if let Some(service) = service {
                self.ask_credential(account, service, ask, Why::Expiring);
            }
        }
    }

    fn ask_credential(&self, account: String, service: crate::model::ServiceName, ask: u64, why: Why) {
        self.logger.log(LogLevel::Debug, "credential", || format!("the host is asked, ask {ask}: {why:?}"));
        let (mailbox, of) = (self.mailbox.clone(), account.clone());
        let reply = move |answer| mailbox.post(Message::Credential { account: of, ask, answer });
        self.outlet.ask_credential(CredentialAsk::new(account, service, why, Box::new(reply)));
    }

    /// True when an upload that may go on by itself is let.
    pub(super) fn goes(&self, row: &Row) -> bool {
        !self.held && self.only.as_ref().is_none_or(|only| only.iter().any(|id| id == row.id.as_str()))
    }

    /// Opens journals while there are places.
    fn bring_in(&mut self, now: Now) {
        for row in self.rows.iter_mut().map(|(_, row)| row).filter(|row| matches!(row.stage, Stage::Idle)) {
            row.look_at_its_time(now);
        }
        self.keep_what_was_said(now);
        self.wait_for_hosts(now);
        let at_work = self.rows.values().filter(|row| matches!(row.stage, Stage::Loading | Stage::Live(_)));
        let (ended, working): (Vec<_>, Vec<_>) = at_work.partition(|row| row.state.ended());
        let (ended, working) = (ended.len(), working.len());
        let parallel_uploads = self.limits.parallel_uploads as usize;
        let mut places = parallel_uploads.saturating_sub(working);
        let mut aborts = ABORT_PLACES.saturating_sub(ended);
        // A cancel that is kept becomes an abort, of which there are not more than those: the next ones wait until the others have gone back in line.
        let too_many = ended.saturating_sub(ABORT_PLACES);
        let mut guests = (parallel_uploads + COMMAND_PLACES).saturating_sub(working + too_many);
        let mut wanting: Vec<_> = self
            .rows
            .iter()
            .filter(|(_, row)| row.may_load(now, &self.network) && (self.goes(row) || row.needs_machine))
            .map(|(number, row)| {
                (!row.needs_machine, std::cmp::Reverse(row.priority), row.created_unix_ms, row.id, *number)
            })
            .collect();
        wanting.sort_unstable();
        for (by_itself, _, _, id, number) in wanting {
            let Some(row) = self.rows.get(&number) else { continue };
            // What a host said must be kept soon, also when every place is taken; but never all of them at once.
            let free = match (row.state.ended(), by_itself) {
                (true, _) => &mut aborts,
                (false, true) => &mut places,
                (false, false) => &mut guests,
            };
            if *free == 0 {
                continue;
            }
            *free -= 1;
            match (row.state.ended(), by_itself) {
                (true, _) => {}
                (false, true) => guests = guests.saturating_sub(1),
                (false, false) => places = places.saturating_sub(1),
            }
            if let Some(row) = self.rows.get_mut(&number) {
                row.stage = Stage::Loading;
                row.wake = None;
                self.disk.submit(Job::Load { row: number, id });
            }
        }
    }

    /// Those in line whose host asked for rest take no place before that is over, and say so.
    fn wait_for_hosts(&mut self, now: Now) {
        /// Less is not worth a word.
        const TOLD_MS_MIN: u64 = 1_000;
        if self.schedule.next_open(now.tick).is_none() {
            return;
        }
        let stands = |row: &Row| row.commands.is_empty() && row.may_load(now, &self.network) && self.goes(row);
        let in_line = self.rows.iter().filter(|(_, row)| stands(row));
        let waiting: Vec<(usize, Tick)> = in_line
            .filter_map(|(number, row)| row.opens_at(&self.schedule, now.tick).map(|at| (*number, at)))
            .collect();
        for (number, at) in waiting {
            let Some(row) = self.rows.get_mut(&number) else { continue };
            row.wake = Some(at);
            if !row.state.ended() && at.since_ms(now.tick) > TOLD_MS_MIN {
                row.state = super::standing::rests(at, now);
                self.publish(number, now);
            }
        }
    }

    /// Those that are undone at the service are bounded, however many were cancelled at once: the others go back in line, with nothing open.
    fn bound_aborts(&mut self, now: Now) {
        let aborts = |number: &usize| self.rows.get(number).is_some_and(|row| row.aborts());
        let beyond: Vec<usize> = self.live.keys().copied().filter(aborts).skip(ABORT_PLACES).collect();
        for number in beyond {
            self.event(number, Event::Command(Command::Hold));
            self.drive(number, now);
        }
    }

    /// Has a machine say all that it has to say, and looks what became of it.
    fn drive(&mut self, number: usize, now: Now) {
        self.run_machine(number, now);
        self.flush(number);
        self.rested(number, now);
    }

    fn run_machine(&mut self, number: usize, now: Now) {
        loop {
            let (parts, controls) = (self.parts, self.controls);
            let Some(row) = self.rows.get_mut(&number) else { return };
            let mut slots: Slots = self.schedule.lend(now.tick, row.hosts.iter().map(|host| &**host), parts, controls);
            let Some(live) = row.live() else { return };
            let machine = &mut live.machine;
            let Ok(step) = std::panic::catch_unwind(AssertUnwindSafe(|| machine.poll(now, &mut slots))) else {
                return self.bug(number);
            };
            match step {
                Step::Wait { until } => {
                    live.wake = until;
                    return;
                }
                Step::Done => {
                    live.wake = None;
                    live.done = true;
                    return;
                }
                step => self.carry_out(number, step),
            }
        }
    }

    /// Gives the disk what a machine has said so far, as one.
    fn flush(&mut self, number: usize) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let id = row.id;
        let records = row.live().map(|live| std::mem::take(&mut live.commits)).unwrap_or_default();
        if !records.is_empty() {
            self.disk.submit(Job::Append { row: number, id, records });
        }
    }

    fn carry_out(&mut self, number: usize, step: Step) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let (account, service) = (row.account.clone(), row.service);
        match step {
            Step::Commit { id, record } => {
                let Some(live) = row.live() else { return };
                let unawaited = is_unawaited(&record);
                live.commits.push((id, record));
                if live.commits.len() >= RECORDS_AT_ONCE {
                    self.flush(number);
                }
                // The disk says nothing more of it, unless something behind it fails as well.
                if unawaited {
                    self.event(number, Event::Committed(id));
                }
            }
            Step::Start { op, work } => {
                let cancel = CancelToken::default();
                let Some(live) = row.live() else { return };
                live.cancels.push((op, cancel.clone()));
                match work {
                    Work::Send(request) if request.to_sign.is_some() => {
                        let now = self.clock.tick();
                        self.ask_to_sign(number, op, request, cancel, now);
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
                            self.sources.submit(sources::Job::Read(ReadJob {
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
            Step::AskCredential { refused } => self.want_credential(number, account.to_string(), service, refused),
            Step::AskSource => self.want_source(number),
            Step::Wait { .. } | Step::Done => {}
        }
    }
}

/// Gives the driver a thread. When there is none to be had it is tried again with the next message.
pub(super) fn spawn(driver: Driver) {
    if let Err(driver) = thread::start("partway-driver", driver, Driver::run) {
        let mailbox = driver.mailbox.clone();
        mailbox.lie_down(Box::new(move || spawn(driver)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sleep_is_looked_up_from() {
        assert_eq!(nap(Tick(1_500), Tick(1_000)), Duration::from_millis(500));
        assert_eq!(nap(Tick(1_000), Tick(1_000)), Duration::from_millis(1), "never at once, again and again");
        assert_eq!(nap(Tick(86_400_000), Tick(1_000)), Duration::from_secs(30));
    }
}
