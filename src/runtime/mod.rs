//! Threads, real time, real disk.
//!
//! | thread | how many | what for |
//! |---|---|---|
//! | `partway-driver` | 1 | owns every upload: takes messages, feeds machines, lends slots |
//! | `partway-net` | parallel parts + 2 | one request at a time each, with connections of its own |
//! | `partway-disk` | 1 | what is done to journals, in order |
//! | `partway-source` | uploads at work | opens, looks at and reads sources |
//! | `partway-events` | 1 | calls the host |
//! | `partway-log` | 1 | writes to the host's log, if it takes one |
//!
//! A thread starts when there is work for it and ends a few seconds after the last; the driver stays while an upload waits for a time.

mod board;
mod clock;
mod credentials;
mod disk;
mod driver;
mod host;
#[doc(hidden)]
pub mod journal;
mod logger;
mod mailbox;
mod message;
mod network;
mod opening;
mod outlet;
mod pool;
mod rate;
mod row;
mod said;
pub mod schedule;
mod signing;
mod snapshot;
mod sources;
mod speed;
mod standing;
#[cfg(test)]
mod tests;
mod thread;

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

pub use host::*;
pub use signing::{SignAsk, Signer};
pub use snapshot::*;

pub(crate) use board::Board;
pub(crate) use clock::unix_ms;
pub(crate) use outlet::Hosts;

use crate::{
    channel::{Nothing, Receiver, Sender, channel},
    engine::{Command, Facts, Record, State},
    error::{Code, ErrorInfo},
    model::{ServiceName, SortedMap, SortedSet},
    source::{SourceOffer, SourceWhat},
    transport::{Lane, Lanes},
};
use driver::Driver;
use journal::{Id, OpenFault, ReadFault, StateDir};
use mailbox::Mailbox;
use message::Message;

/// How a client was opened, as far as the engine room is concerned.
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) network: Network,
    pub(crate) held: bool,
    pub(crate) ended_kept_ms: Option<u64>,
    pub(crate) beat_ms: u64,
    pub(crate) log: Option<Arc<dyn LogSink>>,
    pub(crate) log_level: LogLevel,
}

/// The engine room: what the facade stands on.
pub(crate) struct Runtime {
    dir: Arc<StateDir>,
    mailbox: Arc<Mailbox>,
    board: Arc<Board>,
    outlet: Arc<outlet::Outlet>,
    disk: Arc<pool::Pool<disk::Job>>,
    journals: Arc<disk::Journals>,
    sources: Arc<pool::Pool<sources::Job>>,
    net: Arc<pool::Pool<network::Send>>,
    lanes: Arc<dyn Lanes>,
    logger: logger::Logger,
    /// Has no sender any more when the driver is gone, with all that it held of the host's.
    driver: Receiver<Infallible>,
}

impl Runtime {
    /// Opens the state directory and puts up what is in it. Journals that can't be read are reported and harm no other.
    pub(crate) fn open(
        dir: StateDir,
        hosts: Hosts,
        lanes: Arc<dyn Lanes>,
        options: Options,
    ) -> Result<(Runtime, Vec<Problem>), ErrorInfo> {
        let (runtime, mut driver) = Runtime::assemble(dir, hosts, lanes, options);
        let (found, problems) = recover(&runtime.dir, &mut driver)?;
        for problem in &problems {
            runtime.logger.log(LogLevel::Error, "journal", || format!("{}: {}", problem.id, problem.error.log_line()));
        }
        runtime.logger.log(LogLevel::Info, "client", || format!("opened, {} uploads", found.len()));
        for Found { row, copy, snapshot, attempts, .. } in found {
            runtime.board.set_attempts(&snapshot.id, attempts);
            runtime.outlet.changed(runtime.board.publish(snapshot));
            driver.put_in(row, copy);
        }
        driver::spawn(driver);
        Ok((runtime, problems))
    }

    /// Everything in its place, and nothing works yet.
    fn assemble(dir: StateDir, hosts: Hosts, lanes: Arc<dyn Lanes>, options: Options) -> (Runtime, Driver) {
        let limits = options.limits.clamped();
        let dir = Arc::new(dir);
        let mailbox = Arc::new(Mailbox::default());
        let board = Arc::new(Board::default());
        board.set_world(Some(options.held), Some(options.network));
        let logger = logger::Logger::new(options.log, options.log_level);
        let outlet = Arc::new(outlet::Outlet::new(Arc::new(hosts), logger.clone()));
        let journals = Arc::new(disk::Journals::default());
        let disk = disk::pool(dir.clone(), mailbox.clone(), journals.clone(), logger.clone());
        let sources = sources::pool(limits.source_threads_max(), mailbox.clone());
        let rate = Arc::new(rate::Rate::new(limits.rate_bytes_per_s));
        let schedule = schedule::Schedule::new(limits.parallel_parts);
        let net = Arc::new(network::pool(
            schedule.threads_max(),
            lanes.clone(),
            rate.clone(),
            mailbox.clone(),
            dir.checkpoints().clone(),
        ));
        let (there, gone) = channel();
        let driver = Driver {
            rows: SortedMap::new(),
            by_id: HashMap::new(),
            next_row: 0,
            live: SortedSet::new(),
            parts: 0,
            controls: 0,
            dirty: true,
            rest_wake: None,
            heard: 0,
            held: options.held,
            only: None,
            network: options.network,
            limits,
            ended_kept_ms: options.ended_kept_ms,
            beat_ms: options.beat_ms,
            words: row::Words::default(),
            logger: logger.clone(),
            schedule,
            credentials: credentials::Credentials::default(),
            signing: signing::Signing::default(),
            askers: HashMap::new(),
            clock: clock::Clock::new(),
            rng: fastrand::Rng::new(),
            board: board.clone(),
            outlet: outlet.clone(),
            disk: disk.clone(),
            sources: sources.clone(),
            net: net.clone(),
            rate,
            mailbox: mailbox.clone(),
            _there: there,
        };
        let runtime =
            Runtime { dir, mailbox, board, outlet, disk, journals, sources, net, lanes, logger, driver: gone };
        (runtime, driver)
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Makes uploads durable, each with all that is to be in its journal, and sets them going.
    pub(crate) fn add(&self, uploads: Vec<(Vec<Record>, Option<SourceWhat>)>) -> Result<(), ErrorInfo> {
        if self.board.is_closed() {
            return Err(ErrorInfo::new(Code::Closed, "the client is closed"));
        }
        let (mut files, mut added) = (vec![], vec![]);
        for (records, offer) in uploads {
            let facts = Facts::new(records.iter().cloned())?;
            let id = Id::parse(&facts.upload.id).ok_or_else(|| ErrorInfo::new(Code::Bug, "an id that is none"))?;
            files.push((id, records));
            added.push((Box::new(facts), offer.map(Box::new)));
        }
        self.dir.create_all(&files)?;
        for (facts, _) in &added {
            self.outlet.changed(self.board.publish(snapshot_of(facts, unix_ms())));
        }
        self.say(Message::Added(added));
        Ok(())
    }

    /// What the journal of an upload says.
    pub(crate) fn records(&self, id: &str) -> Result<Vec<Record>, ErrorInfo> {
        let unknown = || ErrorInfo::new(Code::UnknownUpload, "there is no upload of that id");
        self.dir.read::<Record>(Id::parse(id).ok_or_else(unknown)?).map_err(|fault| match fault {
            ReadFault::Gone => unknown(),
            fault => fault.into(),
        })
    }

    /// That another process has it, if one does and says so.
    pub(crate) fn in_use(&self, id: &str) -> Option<ErrorInfo> {
        self.dir.in_use(Id::parse(id)?).map(ErrorInfo::from)
    }

    /// A credential of the account with its generation, newer than `refused`; none when the host has none now. Waits for the host, 60 s at most.
    pub(crate) fn credential(
        &self,
        account: &str,
        service: ServiceName,
        refused: Option<u64>,
    ) -> Result<Option<(Credential, u64)>, ErrorInfo> {
        let (reply, answer) = channel();
        self.say(Message::WantCredential { account: account.to_owned(), service, refused, reply });
        // Whoever closes the client drops the question.
        answer.recv().ok_or_else(|| ErrorInfo::new(Code::Closed, "the client is closed"))
    }

    /// A way out beside the workers' own.
    pub(crate) fn lane(&self) -> Box<dyn Lane> {
        self.lanes.lane()
    }

    /// Other uploads have taken over what these had proven. Returns when they are gone: nobody finds two of a key. Waits for the disk, so not with the start
    /// lock.
    pub(crate) fn supersede(&self, ids: Vec<String>) {
        if !ids.is_empty() {
            self.removed(|gone| Message::Superseded { ids, gone });
        }
    }

    /// Runs `work` while no other process starts uploads in this directory; before it, what others added is put up, and what they removed is taken down.
    pub(crate) fn with_start_lock<T>(&self, work: impl FnOnce() -> T) -> Result<T, ErrorInfo> {
        self.dir.with_start_lock(|| {
            self.look_for_others();
            work()
        })
    }

    fn look_for_others(&self) {
        // One that is damaged was not removed.
        if let Ok(there) = self.dir.list_with_damaged() {
            let mut gone = self.board.beside(&there);
            // One that this process is just removing may be down by now, and was told.
            gone.retain(|id| self.board.remove(id));
            gone.iter().for_each(|id| self.outlet.forgotten(id));
            if !gone.is_empty() {
                self.say(Message::Vanished { ids: gone });
            }
        }
        let unknown = self.dir.list().unwrap_or_default().into_iter().filter(|id| !self.board.has(id.as_str()));
        let read: Vec<Facts> = unknown.filter_map(|id| read(&self.dir, id).ok().flatten()).collect();
        settle(&self.dir, read.iter().filter_map(|facts| facts.ending.as_ref().and(Id::parse(&facts.upload.id))));
        let (held, _) = self.board.world();
        for facts in &read {
            let (snapshot, attempts) = found_of(facts, held);
            self.board.set_attempts(&snapshot.id, attempts);
            self.outlet.changed(self.board.publish(snapshot));
        }
        if !read.is_empty() {
            self.say(Message::Added(read.into_iter().map(|facts| (Box::new(facts), None)).collect()));
        }
    }

    pub(crate) fn command(&self, ids: Vec<String>, command: Command) {
        self.say(Message::Command { ids, command });
    }

    pub(crate) fn attach(&self, id: String, offer: SourceOffer) {
        self.say(Message::Attach { id, offer });
    }

    /// Removes ended uploads; how many are gone from the disk.
    pub(crate) fn forget(&self, ids: Vec<String>) -> u32 {
        self.removed(|gone| Message::Forget { ids, gone })
    }

    /// Says what removes uploads, and waits for the disk; how many are gone from it.
    fn removed(&self, message: impl FnOnce(Sender<()>) -> Message) -> u32 {
        const DISK_WAIT: Duration = Duration::from_secs(10);
        let (gone, each) = channel();
        self.say(message(gone));
        let mut count = 0;
        while each.recv_until(Instant::now() + DISK_WAIT).is_ok() {
            count += 1;
        }
        count
    }

    pub(crate) fn set_credential(&self, account: String, credential: Credential) {
        self.say(Message::SetCredential { account, credential });
    }

    /// Returns when the credential is wiped.
    pub(crate) fn sign_out(&self, account: String) {
        const WIPED_WAIT: Duration = Duration::from_secs(5);
        let (wiped, done) = channel();
        self.say(Message::SignOut { account, wiped });
        let _ = done.recv_until(Instant::now() + WIPED_WAIT);
    }

    pub(crate) fn set_network(&self, network: Network) {
        self.board.set_world(None, Some(network));
        self.say(Message::SetNetwork(network));
    }

    /// Connections are made anew.
    pub(crate) fn reroute(&self) {
        self.say(Message::Reroute);
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        self.say(Message::SetLimits(limits));
    }

    pub(crate) fn hold(&self) {
        self.board.set_world(Some(true), None);
        self.say(Message::Hold);
    }

    pub(crate) fn go(&self, only: Option<Vec<String>>) {
        self.board.set_world(Some(false), None);
        self.say(Message::Go { only });
    }

    /// Ends the network's threads and with them every connection, as soon as nothing is under way; waits at most so long.
    pub(crate) fn drop_connections(&self, timeout: Duration) -> bool {
        self.net.drain(timeout)
    }

    fn say(&self, message: Message) {
        self.board.stir();
        self.mailbox.post(message);
    }

    /// Threads that live, for tests and for the curious.
    pub(crate) fn threads(&self) -> usize {
        self.disk.alive() + self.sources.alive() + self.net.alive() + self.outlet.alive() + self.logger.alive()
    }

    /// Nothing starts any more. Never blocks.
    pub(crate) fn close(&self) {
        self.board.close();
        self.mailbox.close();
        self.lanes.close();
        self.net.close();
        self.sources.close();
        self.disk.close();
        self.journals.close();
        self.outlet.close();
        self.logger.close();
    }
}

impl Runtime {
    /// After a close: waits until nothing of the host's is called any more, at most so long.
    pub(crate) fn quiet(&self, timeout: Duration) -> bool {
        let began = Instant::now();
        let left = || timeout.saturating_sub(began.elapsed());
        self.outlet.drain(left())
            && self.driver.recv_until(began + timeout) == Err(Nothing::Closed)
            && self.net.drain(left())
            && self.lanes.drain(left())
            && self.sources.drain(left())
            && self.disk.drain(left())
            && self.logger.drain(left())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.close();
    }
}

/// An upload that a directory holds: what is kept of it. All else stays on the disk.
struct Found {
    row: Box<row::Row>,
    copy: Option<sources::TempCopy>,
    snapshot: Snapshot,
    attempts: u32,
    continues: Option<Id>,
}

/// Uploads, and journals that can't be read.
type Recovered = (Vec<Found>, Vec<Problem>);

/// What the journals of a directory say. One whose proof another took over is what a kill left behind: it goes.
fn recover(dir: &StateDir, driver: &mut Driver) -> Result<Recovered, ErrorInfo> {
    let (mut found, mut problems) = (vec![], vec![]);
    for id in dir.list()? {
        match read(dir, id) {
            Ok(Some(facts)) => {
                let (row, copy) = driver.row_of(id, &facts, None);
                let continues = facts.upload.continues.as_deref().and_then(Id::parse);
                let (snapshot, attempts) = found_of(&facts, driver.held);
                found.push(Found { row, copy, snapshot, attempts, continues });
            }
            Ok(None) => {}
            Err(error) => problems.push(Problem { id: id.as_str().to_owned(), error }),
        }
    }
    let superseded: Vec<Id> = found.iter().filter_map(|found| found.continues).collect();
    found.retain(|found| !(superseded.contains(&found.row.id) && dir.remove(found.row.id).is_ok()));
    settle(dir, found.iter().filter(|found| found.snapshot.state.ended()).map(|found| found.row.id));
    Ok((found, problems))
}

/// Endings that were found are told from here on, and must outlive the power as well. Where the disk refuses, they are still the best that is known.
fn settle(dir: &StateDir, ended: impl Iterator<Item = Id>) {
    let mut unnamed = false;
    for id in ended {
        let _ = dir.settle(id);
        unnamed |= !dir.has_settled_name(id);
    }
    if unnamed {
        let _ = dir.settle_names();
    }
}

/// What a journal says, without its lock. One that is damaged is set aside.
fn read(dir: &StateDir, id: Id) -> Result<Option<Facts>, ErrorInfo> {
    match dir.fold(id, |records| Facts::new(records)) {
        Ok(facts) => facts.map(Some),
        Err(ReadFault::Gone) => Ok(None),
        Err(fault @ ReadFault::Corrupt) => match dir.open_journal::<Record>(id) {
            Err(aside @ OpenFault::Corrupt { .. }) => Err(aside.into()),
            // Another process has it, or repaired it.
            _ => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    }
}

/// What is shown of an upload that was found, and how often it had failed; while nothing may start that is what it waited for.
fn found_of(facts: &Facts, held: bool) -> (Snapshot, u32) {
    let now = unix_ms();
    let (mut snapshot, mut attempts) = (snapshot_of(facts, now), 0);
    if let (true, State::Queued, Some(wait)) = (held, &snapshot.state, &facts.wait) {
        (snapshot.changed_unix_ms, attempts) = (wait.since_unix_ms, wait.attempts);
        snapshot.state = row::wait_of_before(wait, now);
    }
    (snapshot, attempts)
}

fn snapshot_of(facts: &Facts, unix_ms: i64) -> Snapshot {
    let upload = &facts.upload;
    Snapshot {
        id: upload.id.clone(),
        key: upload.key.clone(),
        group: upload.group.clone(),
        tags: upload.tags.clone(),
        service: upload.target.service(),
        account: upload.target.account().to_owned(),
        destination: upload.target.destination(),
        network: upload.network,
        revision: 0,
        state: row::state_at_rest(facts, unix_ms),
        progress: row::progress_at_rest(facts),
        created_unix_ms: upload.created_unix_ms,
        changed_unix_ms: facts.ended_unix_ms.unwrap_or(upload.created_unix_ms),
    }
}
