//! Threads, real time, real disk.
//!
//! | thread | how many | what for |
//! |---|---|---|
//! | `partway-driver` | 1 | owns every upload: takes messages, feeds machines, lends slots |
//! | `partway-net` | parallel parts + 2 | one request at a time each, with connections of its own |
//! | `partway-disk` | 1 | journal writes and reads of sources, in order |
//! | `partway-events` | 1 | calls the host |
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
mod mailbox;
mod message;
mod network;
mod outlet;
mod pool;
mod rate;
mod row;
pub mod schedule;
mod signing;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

pub use host::*;
pub use signing::{SignAsk, Signer};
pub use snapshot::*;

pub(crate) use board::Board;
pub(crate) use clock::unix_ms;
pub(crate) use outlet::Hosts;

use crate::{
    engine::{Command, Facts, Record, UploadRecord},
    error::{Code, ErrorInfo},
    source::SourceOffer,
    transport::Transport,
};
use driver::Driver;
use journal::{Id, OpenFault, ReadFault, StateDir};
use mailbox::Mailbox;
use message::Message;

/// The engine room: what the facade stands on.
pub(crate) struct Runtime {
    dir: Arc<StateDir>,
    mailbox: Arc<Mailbox>,
    board: Arc<Board>,
    outlet: Arc<outlet::Outlet>,
    disk: Arc<pool::Pool<disk::Job>>,
    net: Arc<pool::Pool<network::Send>>,
}

impl Runtime {
    /// Opens the state directory and puts up what is in it. Journals that can't be read are reported and harm no other.
    pub(crate) fn open(
        dir: StateDir,
        hosts: Hosts,
        transport: Arc<dyn Transport>,
        limits: Limits,
        held: bool,
    ) -> Result<(Runtime, Vec<Problem>), ErrorInfo> {
        let limits = limits.clamped();
        let dir = Arc::new(dir);
        let mailbox = Arc::new(Mailbox::default());
        let board = Arc::new(Board::default());
        let outlet = Arc::new(outlet::Outlet::new(Arc::new(hosts)));
        let disk = disk::pool(dir.clone(), mailbox.clone());
        let rate = Arc::new(rate::Rate::new(limits.rate_bytes_per_s));
        let schedule = schedule::Schedule::new(limits.parallel_parts);
        let net = Arc::new(network::pool(schedule.threads_max(), transport, rate.clone(), mailbox.clone()));
        let mut driver = Driver {
            rows: BTreeMap::new(),
            by_id: HashMap::new(),
            next_row: 0,
            live: BTreeSet::new(),
            parts: 0,
            controls: 0,
            dirty: true,
            rest_wake: None,
            heard: 0,
            held,
            only: None,
            network: Network::default(),
            limits,
            schedule,
            credentials: credentials::Credentials::default(),
            signing: signing::Signing::default(),
            clock: clock::Clock::new(),
            rng: fastrand::Rng::new(),
            board: board.clone(),
            outlet: outlet.clone(),
            disk: disk.clone(),
            net: net.clone(),
            rate,
            mailbox: mailbox.clone(),
        };
        let mut problems = vec![];
        for id in dir.list()? {
            match read(&dir, id) {
                Ok(Some(facts)) => {
                    outlet.changed(board.publish(snapshot_of(&facts, unix_ms())));
                    driver.add(id, &facts, None);
                }
                Ok(None) => {}
                Err(error) => problems.push(Problem { id: id.as_str().to_owned(), error }),
            }
        }
        driver::spawn(driver);
        Ok((Runtime { dir, mailbox, board, outlet, disk, net }, problems))
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// Makes uploads durable and sets them going. `known` looks for a key in what other processes may have added meanwhile.
    pub(crate) fn add(&self, uploads: Vec<(UploadRecord, Option<SourceOffer>)>) -> Result<(), ErrorInfo> {
        if self.board.is_closed() {
            return Err(ErrorInfo::new(Code::Closed, "the client is closed"));
        }
        let mut files = vec![];
        for (upload, _) in &uploads {
            if let Some(id) = Id::parse(&upload.id) {
                files.push((id, vec![Record::Upload(Box::new(upload.clone()))]));
            }
        }
        self.dir.create_all(&files)?;
        for (upload, _) in &uploads {
            let facts = Facts::new([Record::Upload(Box::new(upload.clone()))])?;
            self.outlet.changed(self.board.publish(snapshot_of(&facts, unix_ms())));
        }
        self.say(Message::Added(uploads));
        Ok(())
    }

    /// Runs `work` while no other process starts uploads in this directory; before it, what others added is put up.
    pub(crate) fn with_start_lock<T>(&self, work: impl FnOnce() -> T) -> Result<T, ErrorInfo> {
        self.dir.with_start_lock(|| {
            for id in self.dir.list().unwrap_or_default() {
                if self.board.snapshot(id.as_str()).is_none()
                    && let Ok(Some(facts)) = read(&self.dir, id)
                {
                    self.board.publish(snapshot_of(&facts, unix_ms()));
                    self.say(Message::Added(vec![(facts.upload, None)]));
                }
            }
            work()
        })
    }

    pub(crate) fn command(&self, ids: Vec<String>, command: Command) {
        self.say(Message::Command { ids, command });
    }

    pub(crate) fn priority(&self, ids: Vec<String>, priority: i8) {
        self.say(Message::Priority { ids, priority });
    }

    pub(crate) fn attach(&self, id: String, offer: SourceOffer) {
        self.say(Message::Attach { id, offer });
    }

    /// Removes ended uploads; how many are gone from the disk.
    pub(crate) fn forget(&self, ids: Vec<String>) -> u32 {
        const DISK_WAIT: Duration = Duration::from_secs(10);
        let (gone, each) = crossbeam_channel::unbounded();
        self.say(Message::Forget { ids, gone });
        let mut count = 0;
        while each.recv_timeout(DISK_WAIT).is_ok() {
            count += 1;
        }
        count
    }

    pub(crate) fn set_credential(&self, account: String, credential: Credential) {
        self.say(Message::SetCredential { account, credential });
    }

    pub(crate) fn set_network(&self, network: Network) {
        self.say(Message::SetNetwork(network));
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        self.say(Message::SetLimits(limits));
    }

    pub(crate) fn hold(&self) {
        self.say(Message::Hold);
    }

    pub(crate) fn go(&self, only: Option<Vec<String>>) {
        self.say(Message::Go { only });
    }

    fn say(&self, message: Message) {
        self.board.stir();
        self.mailbox.post(message);
    }

    /// Threads that live, for tests and for the curious.
    pub(crate) fn threads(&self) -> usize {
        self.disk.alive() + self.net.alive() + self.outlet.alive()
    }

    /// Nothing starts any more.
    pub(crate) fn close(&self) {
        self.board.close();
        self.mailbox.close();
        self.net.close();
        self.disk.close();
        self.outlet.close();
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a journal says, without its lock. One that is damaged is set aside.
fn read(dir: &StateDir, id: Id) -> Result<Option<Facts>, ErrorInfo> {
    match dir.read::<Record>(id) {
        Ok(records) => {
            let facts = Facts::new(records)?;
            if facts.ending.is_some() {
                // It is told from here on, and must outlive the power as well. Where the disk refuses, it is still the best that is known.
                let _ = dir.settle(id);
            }
            Ok(Some(facts))
        }
        Err(ReadFault::Gone) => Ok(None),
        Err(fault @ ReadFault::Corrupt) => match dir.open_journal::<Record>(id) {
            Err(aside @ OpenFault::Corrupt { .. }) => Err(aside.into()),
            // Another process has it, or repaired it.
            _ => Err(fault.into()),
        },
        Err(fault) => Err(fault.into()),
    }
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
        revision: 0,
        state: row::state_at_rest(facts, unix_ms),
        progress: row::progress_at_rest(facts),
        created_unix_ms: upload.created_unix_ms,
        changed_unix_ms: facts.ended_unix_ms.unwrap_or(upload.created_unix_ms),
    }
}
