//! The driver, turn by turn, in a time of the test's own.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use super::{mailbox::Taken, row::Stage, *};
use crate::{
    engine::{Ending, State, UploadRecord, WaitReason},
    model::{
        Receipt,
        http::{Answer, Request, TransportFault},
    },
    source::SourceWhat,
    transport::{CancelToken, Lane, RequestBody},
};

/// As long as a test waits for a thread of the disk or of the network.
const PATIENCE: Duration = Duration::from_secs(30);
const ID: &str = "01M7WDNRZR1VYK827PWWTC5XX8";
const OTHER_ID: &str = "01M7WDNRZR1VYK827PWWTC5XX9";

/// Never answers.
struct Silence;

impl Lanes for Silence {
    fn lane(&self) -> Box<dyn Lane> {
        Box::new(Silence)
    }
}

impl Lane for Silence {
    fn execute(
        &mut self,
        _: &Request,
        _: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault> {
        while !cancel.is_cancelled() {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Err(TransportFault::Cancelled { left: true })
    }
}

/// Has a credential, and leaves it to the test to answer for sources.
struct Host(Sender<SourceAsk>);

impl CredentialProvider for Host {
    fn provide(&self, ask: CredentialAsk) {
        ask.supply(Credential::token("a"));
    }
}

impl SourceProvider for Host {
    fn open(&self, ask: SourceAsk) {
        let _ = self.0.send(ask);
    }
}

struct Turns {
    runtime: Runtime,
    driver: Driver,
    asks: Receiver<SourceAsk>,
    dir: tempfile::TempDir,
}

impl Turns {
    fn new() -> Turns {
        let dir = tempfile::tempdir().expect("a directory");
        let (ask, asks) = channel();
        let host = Arc::new(Host(ask));
        let hosts = Hosts { credentials: host.clone(), sources: Some(host), signer: None, listener: None };
        let limits = Limits { parallel_uploads: 1, ..Limits::default() };
        let state = StateDir::open(dir.path().join("state")).expect("a state directory");
        let options = Options {
            limits,
            network: Network::default(),
            held: false,
            ended_kept_ms: None,
            beat_ms: 3_600_000,
            log: None,
            log_level: LogLevel::Error,
        };
        let (runtime, driver) = Runtime::assemble(state, hosts, Arc::new(Silence), options);
        Turns { runtime, driver, asks, dir }
    }

    /// An upload of that file, or of a source that the host has yet to open.
    fn upload(&self, id: &str, file: Option<&str>) -> UploadRecord {
        let path = file.map(|name| {
            let path = self.dir.path().join(name);
            std::fs::write(&path, b"content").expect("a file");
            path.to_str().expect("text").to_owned()
        });
        // As a journal says it: all else as by default.
        let endpoint = "https://api.example.com";
        let target =
            serde_json::json!({ "service": "smh", "endpoint": endpoint, "account": "me", "library": "l", "path": "a" });
        let record = serde_json::json!({
            "id": id, "key": id, "created_unix_ms": 0, "target": target, "source": { "path": path }, "instant": "off",
        });
        serde_json::from_value(record).expect("a record")
    }

    fn add(&self, id: &str, file: Option<&str>) {
        self.runtime.add(vec![(vec![Record::Upload(Box::new(self.upload(id, file)))], None)]).expect("a journal");
    }

    /// Takes what has come and turns, until it is so.
    fn until(&mut self, what: &str, so: impl Fn(&Turns) -> bool) {
        while !so(self) {
            match self.runtime.mailbox.take(Some(PATIENCE)) {
                Taken::Messages(messages) => messages.into_iter().for_each(|message| self.driver.take(message)),
                Taken::TimedOut | Taken::Closed => panic!("never so: {what}"),
            }
            self.driver.turn();
        }
    }

    fn later(&mut self, ms: u64) {
        self.driver.clock.ahead_ms += ms;
        self.driver.turn();
    }

    fn stage(&self, id: &str) -> Option<&Stage> {
        self.driver.rows.get(self.driver.by_id.get(&Id::parse(id)?)?).map(|row| &row.stage)
    }

    fn waits(&self, id: &str) -> Option<(WaitReason, Code)> {
        match self.runtime.board.snapshot(id)?.state {
            State::Waiting { waiting } => Some((waiting.reason, waiting.error?.code)),
            _ => None,
        }
    }
}

/// An upload whose time had come while every place was taken woke the driver at once, and again, 800 times a second.
#[test]
fn while_every_place_is_taken_the_time_of_one_in_line_wakes_nobody() {
    let mut turns = Turns::new();
    turns.add(ID, Some("a"));
    turns.until("a request hangs", |turns| turns.driver.controls == 1);
    turns.add(OTHER_ID, Some("b"));
    turns.until("in line", |turns| turns.stage(OTHER_ID).is_some());
    let at = turns.driver.clock.tick().after_ms(5_000);
    let number = turns.driver.by_id[&Id::parse(OTHER_ID).expect("an id")];
    turns.driver.rows.get_mut(&number).expect("a row").wake = Some(at);
    turns.driver.dirty = true;
    turns.driver.turn();
    assert_eq!(turns.driver.next_wake(), Some(at), "it is looked at when its time comes");
    turns.later(6_000);
    assert!(matches!(turns.stage(OTHER_ID), Some(Stage::Idle)), "there is no place for it");
    let now = turns.driver.clock.tick();
    assert!(turns.driver.next_wake().is_none_or(|wake| wake > now), "{:?} at {now:?}", turns.driver.next_wake());
}

/// A source that the host was asked for and said nothing about kept its place for ever.
#[test]
fn a_source_that_nobody_opens_is_waited_for_a_minute_and_a_late_answer_counts() {
    let mut turns = Turns::new();
    turns.add(ID, None);
    turns.until("asked", |turns| matches!(turns.stage(ID), Some(Stage::Live(live)) if live.source_by.is_some()));
    let ask = turns.asks.recv_timeout(PATIENCE).expect("the host is asked");
    turns.later(59_000);
    assert_eq!(turns.waits(ID), None, "it is still waited for");
    assert!(turns.driver.next_wake().is_some(), "and the end of that is known");
    turns.later(1_100);
    assert_eq!(turns.waits(ID), Some((WaitReason::Source, Code::SourceNotFound)));
    turns.until("its place is free", |turns| matches!(turns.stage(ID), Some(Stage::Idle)));
    let path = turns.dir.path().join("late");
    std::fs::write(&path, b"content").expect("a file");
    ask.supply(SourceOffer { what: SourceWhat::Path { path, delete_at_end: false }, token: vec![] });
    turns.until("it goes on", |turns| turns.driver.controls == 1);
    assert!(turns.asks.try_recv().is_err(), "asked once");
}

/// A start looks through the directory for what other processes added. An upload that was taken down before its journal was gone was found there, and put
/// up again: an ending that had been forgotten was told once more.
#[test]
fn a_start_beside_a_forget_brings_nothing_back() {
    let mut turns = Turns::new();
    // The disk does nothing for now.
    turns.runtime.disk.set_threads_max(0);
    let id = Id::parse(ID).expect("an id");
    let records = vec![
        Record::Upload(Box::new(turns.upload(ID, Some("a")))),
        Record::Ending { ending: Ending::Completed(Receipt::default()), unix_ms: 0 },
    ];
    turns.runtime.dir.create_all(&[(id, records.clone())]).expect("a journal");
    let facts = Facts::new(records).expect("facts");
    turns.runtime.board.publish(snapshot_of(&facts, 0));
    turns.driver.add(id, &facts, None);
    let (gone, each) = crossbeam_channel::unbounded();
    turns.driver.take(Message::Forget { ids: vec![ID.to_owned()], gone });
    turns.runtime.with_start_lock(|| ()).expect("a start");
    assert!(matches!(turns.runtime.mailbox.take(Some(Duration::ZERO)), Taken::TimedOut), "nothing is put up again");
    // Now it does: any job brings the thread that serves the one before it.
    turns.runtime.disk.set_threads_max(1);
    turns.runtime.disk.submit(disk::Job::RemoveCopy { path: turns.dir.path().join("none") });
    each.recv_timeout(PATIENCE).expect("it is gone");
    assert!(turns.runtime.board.snapshot(ID).is_none() && turns.runtime.dir.list().expect("a list").is_empty());
}
