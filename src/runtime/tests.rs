//! The driver, turn by turn, in a time of the test's own.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use super::{mailbox::Taken, row::Stage, *};
use crate::{
    engine::{Ending, Remote, State, Tuning, UploadRecord, WaitReason, Wish},
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

/// What the listener was told of, by id.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl Listener for Told {
    fn on_changes(&self, _: &[Snapshot]) {}
    fn on_forgotten(&self, ids: &[String]) {
        self.0.lock().expect("not poisoned").extend_from_slice(ids);
    }
}

struct Turns {
    runtime: Runtime,
    driver: Driver,
    asks: Receiver<SourceAsk>,
    told: Arc<Told>,
    dir: tempfile::TempDir,
}

impl Turns {
    fn new() -> Turns {
        let dir = tempfile::tempdir().expect("a directory");
        let (ask, asks) = channel();
        let host = Arc::new(Host(ask));
        let told = Arc::new(Told::default());
        let listener = Some(told.clone() as Arc<dyn Listener>);
        let hosts = Hosts { credentials: host.clone(), sources: Some(host), signer: None, listener };
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
        Turns { runtime, driver, asks, told, dir }
    }

    /// Journals of uploads that were begun at the service, with whatever became of them; what the driver makes of that.
    fn begun(&mut self, ids: &[String], then: &[Record]) {
        for id in ids {
            let mut records = vec![Record::Upload(Box::new(self.upload(id, Some("a")))), self.session()];
            records.extend_from_slice(then);
            self.put(id, records);
        }
    }

    fn put(&mut self, id: &str, records: Vec<Record>) {
        let id = Id::parse(id).expect("an id");
        self.runtime.dir.create_all(&[(id, records.clone())]).expect("a journal");
        let facts = Facts::new(records).expect("facts");
        self.runtime.board.publish(snapshot_of(&facts, unix_ms()));
        self.driver.add(id, &facts, None);
        self.driver.dirty = true;
    }

    /// One that a begin at the service brought.
    fn session(&self) -> Record {
        let session = serde_json::json!({ "confirm_key": "k", "mode": "multipart" });
        let record = serde_json::json!({ "r": "session", "session": session });
        serde_json::from_value(record).expect("a session")
    }

    /// Has the driver take up all of it that there is to do now, without waiting for anything.
    fn settle(&mut self) {
        self.driver.turn();
        while let Taken::Messages(messages) = self.runtime.mailbox.take(Some(Duration::from_millis(50))) {
            messages.into_iter().for_each(|message| self.driver.take(message));
            self.driver.turn();
        }
    }

    /// Uploads that have a machine, and with it a journal that is open.
    fn open(&self) -> usize {
        self.driver.rows.values().filter(|row| matches!(row.stage, Stage::Loading | Stage::Live(_))).count()
    }

    /// An upload of that file, or of a source that the host has yet to open.
    fn upload(&self, id: &str, file: Option<&str>) -> UploadRecord {
        self.upload_to("https://api.example.com", id, file)
    }

    fn upload_to(&self, endpoint: &str, id: &str, file: Option<&str>) -> UploadRecord {
        let path = file.map(|name| {
            let path = self.dir.path().join(name);
            std::fs::write(&path, b"content").expect("a file");
            path.to_str().expect("text").to_owned()
        });
        // As a journal says it: all else as by default.
        let target =
            serde_json::json!({ "service": "smh", "endpoint": endpoint, "account": "me", "library": "l", "path": "a" });
        let record = serde_json::json!({
            "id": id, "key": id, "created_unix_ms": 0, "target": target, "source": { "path": path }, "instant": "off",
        });
        serde_json::from_value(record).expect("a record")
    }

    fn add(&self, id: &str, file: Option<&str>) {
        self.add_upload(self.upload(id, file));
    }

    fn add_upload(&self, upload: UploadRecord) {
        self.runtime.add(vec![(vec![Record::Upload(Box::new(upload))], None)]).expect("a journal");
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

    fn row(&mut self, id: &str) -> &mut row::Row {
        let number = self.driver.by_id[&Id::parse(id).expect("an id")];
        self.driver.rows.get_mut(&number).expect("a row")
    }

    fn stage(&self, id: &str) -> Option<&Stage> {
        self.driver.rows.get(self.driver.by_id.get(&Id::parse(id)?)?).map(|row| &row.stage)
    }

    fn state(&self, id: &str) -> Option<State> {
        self.runtime.board.snapshot(id).map(|snapshot| snapshot.state)
    }

    /// The disk does what it has been given, and what comes from here on.
    fn disk_goes_on(&self) {
        self.runtime.disk.set_threads_max(1);
        // Any job brings the thread that serves those before it.
        self.runtime.disk.submit(disk::Job::Say { all: vec![] });
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
    let (gone, each) = crate::channel::channel();
    turns.driver.take(Message::Forget { ids: vec![ID.to_owned()], gone });
    turns.runtime.with_start_lock(|| ()).expect("a start");
    assert!(matches!(turns.runtime.mailbox.take(Some(Duration::ZERO)), Taken::TimedOut), "nothing is put up again");
    turns.disk_goes_on();
    each.recv_until(Instant::now() + PATIENCE).expect("it is gone");
    assert!(turns.runtime.board.snapshot(ID).is_none() && turns.runtime.dir.list().expect("a list").is_empty());
}

fn pending() -> [Record; 2] {
    let ending = Ending::Cancelled(Remote::AbortPending);
    [Record::Wish { wish: Wish::Cancel }, Record::Ending { ending, unix_ms: unix_ms() }]
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("01M7WDNRZR1VYK827PWWT{number:05}")).collect()
}

/// Of an ended upload nothing more is told, so the time of its next telling was always over: the driver woke a thousand times a second, for as long as its
/// abort took.
#[test]
fn an_ended_upload_that_is_still_undone_wakes_nobody_to_be_told() {
    let mut turns = Turns::new();
    turns.begun(&[ID.to_owned()], &pending());
    turns.driver.turn();
    turns.until("its abort hangs", |turns| turns.driver.controls == 1);
    // Long after it would have been told.
    turns.later(4_000_000);
    assert!(matches!(turns.stage(ID), Some(Stage::Live(_))));
    let now = turns.driver.clock.tick();
    assert!(turns.driver.next_wake().is_none_or(|wake| wake > now), "{:?} at {now:?}", turns.driver.next_wake());
}

/// Each upload that was cancelled half sent had a machine, its journal and two descriptors, until the service had dropped it: three hundred at once had six
/// hundred.
#[test]
fn uploads_that_are_still_undone_are_opened_a_few_at_a_time() {
    let mut turns = Turns::new();
    turns.begun(&ids(20), &pending());
    turns.settle();
    assert_eq!(turns.open(), 4);
    assert_eq!(turns.driver.controls, 4, "each of these is undone");
    // What works has its own places.
    turns.add(ID, Some("a"));
    turns.until("at work", |turns| matches!(turns.stage(ID), Some(Stage::Live(_))));
    assert_eq!(turns.open(), 5);
}

#[test]
fn many_cancelled_at_once_are_all_told_and_few_are_open_meanwhile() {
    let mut turns = Turns::new();
    let ids = ids(20);
    turns.begun(&ids, &[]);
    turns.settle();
    turns.driver.take(Message::Command { ids: ids.clone(), command: Command::Cancel });
    let mut most = 0;
    for _ in 0..200 {
        turns.settle();
        most = most.max(turns.open());
        if ids.iter().all(|id| turns.state(id).is_some_and(|state| state.ended())) {
            break;
        }
        turns.later(200);
    }
    let told = |id: &String| matches!(turns.state(id), Some(State::Cancelled { remote: Remote::AbortPending }));
    assert_eq!(ids.iter().filter(|id| told(id)).count(), 20);
    assert!(most <= 1 + 4 + 4, "{most} open at once");
    turns.settle();
    assert_eq!(turns.open(), 4, "they take turns");
    // None is left behind: when one is done the next one comes.
    let live: Vec<String> = ids.iter().filter(|id| matches!(turns.stage(id), Some(Stage::Live(_)))).cloned().collect();
    let (gone, each) = crate::channel::channel();
    turns.driver.take(Message::Forget { ids: live.clone(), gone });
    turns.driver.turn();
    turns.until("gone", |turns| live.iter().all(|id| turns.stage(id).is_none()));
    assert_eq!(std::iter::from_fn(|| each.recv()).take(4).count(), 4);
    turns.settle();
    assert_eq!(turns.open(), 4);
}

/// To forget an upload that was still being undone waited for the service, ten seconds at most, and did nothing then.
#[test]
fn to_forget_an_upload_ends_its_undoing() {
    let mut turns = Turns::new();
    turns.begun(&[ID.to_owned()], &pending());
    turns.driver.turn();
    turns.until("its abort hangs", |turns| turns.driver.controls == 1);
    let (gone, each) = crate::channel::channel();
    turns.driver.take(Message::Forget { ids: vec![ID.to_owned()], gone });
    turns.driver.turn();
    turns.until("gone", |turns| turns.stage(ID).is_none());
    assert!(each.recv_until(Instant::now() + PATIENCE).is_ok() && turns.runtime.board.snapshot(ID).is_none());
    // Also when its journal is just being opened.
    turns.begun(&[OTHER_ID.to_owned()], &pending());
    turns.driver.turn();
    assert!(matches!(turns.stage(OTHER_ID), Some(Stage::Loading)));
    let (gone, each) = crate::channel::channel();
    turns.driver.take(Message::Forget { ids: vec![OTHER_ID.to_owned()], gone });
    turns.until("gone", |turns| turns.stage(OTHER_ID).is_none());
    assert!(each.recv_until(Instant::now() + PATIENCE).is_ok());
}

/// It was gone from the driver and stood on the board for ever: nothing could be said to it, and it could not be forgotten.
#[test]
fn an_upload_whose_journal_can_not_be_removed_stays_and_goes_when_it_can() {
    let mut turns = Turns::new();
    let ending = Ending::Completed(Receipt::default());
    turns.begun(&[ID.to_owned()], &[Record::Ending { ending, unix_ms: 0 }]);
    // Nothing can be locked where a directory has the place of the lock.
    let lock = turns.dir.path().join("state").join(format!("{ID}.lock"));
    std::fs::create_dir(&lock).expect("a directory");
    let forget = |turns: &mut Turns| {
        let (gone, each) = crate::channel::channel();
        turns.driver.take(Message::Forget { ids: vec![ID.to_owned()], gone });
        turns.driver.turn();
        each
    };
    let refused = forget(&mut turns);
    turns.until("refused", |turns| matches!(turns.stage(ID), Some(Stage::Idle)));
    assert!(refused.recv_until(Instant::now()).is_err() && turns.state(ID).is_some(), "it is still there");
    std::fs::remove_dir(&lock).expect("removed");
    let gone = forget(&mut turns);
    turns.until("gone", |turns| turns.stage(ID).is_none());
    assert!(gone.recv_until(Instant::now() + PATIENCE).is_ok() && turns.state(ID).is_none());
    drop(turns.asks);
}

/// The phone's clock was put right, or wrong, and endings that the host had not taken were forgotten.
#[test]
fn an_ending_is_kept_by_a_clock_that_does_not_jump() {
    const HOUR_MS: u64 = 3_600_000;
    let mut turns = Turns::new();
    turns.driver.ended_kept_ms = Some(HOUR_MS);
    turns.driver.held = true;
    turns.add(ID, Some("a"));
    turns.until("there", |turns| turns.stage(ID).is_some());
    turns.driver.take(Message::Command { ids: vec![ID.to_owned()], command: Command::Cancel });
    turns.driver.turn();
    // However long the disk takes for it.
    let ended = |turns: &Turns| turns.state(ID).is_some_and(|state| state.ended());
    turns.until("it ended", |turns| ended(turns) && matches!(turns.stage(ID), Some(Stage::Idle)));
    turns.driver.clock.jumped_ms = 100 * HOUR_MS as i64;
    turns.driver.dirty = true;
    turns.later(HOUR_MS - 60_000);
    assert!(matches!(turns.stage(ID), Some(Stage::Idle)), "by the clock that goes on it is not over");
    turns.driver.clock.jumped_ms = -100 * HOUR_MS as i64;
    turns.later(61_000);
    turns.until("forgotten", |turns| turns.stage(ID).is_none());
}

/// How old an ending is that another process left only the wall clock can tell. Whatever it says, the host sees the ending first.
#[test]
fn an_old_ending_that_is_found_is_shown_first() {
    let mut turns = Turns::new();
    turns.driver.ended_kept_ms = Some(3_600_000);
    let ending = Ending::Completed(Receipt::default());
    turns.begun(&[ID.to_owned()], &[Record::Ending { ending, unix_ms: 1_000 }]);
    turns.later(29_000);
    assert!(matches!(turns.stage(ID), Some(Stage::Idle)));
    turns.later(2_000);
    turns.until("forgotten", |turns| turns.stage(ID).is_none());
}

/// Uploads to a host that had asked for rest took the places of those that could have gone on.
#[test]
fn a_host_that_asked_for_rest_holds_nobody_elses_place() {
    let mut turns = Turns::new();
    let now = turns.driver.clock.tick();
    turns.driver.schedule.answered(now, "https://api.example.com", 503, Some(60_000));
    turns.add(ID, Some("a"));
    turns.add_upload(turns.upload_to("https://other.example.com", OTHER_ID, Some("b")));
    turns.until("the other works", |turns| turns.driver.controls == 1);
    assert!(matches!((turns.stage(ID), turns.stage(OTHER_ID)), (Some(Stage::Idle), Some(Stage::Live(_)))));
    assert_eq!(turns.waits(ID), Some((WaitReason::Retry, Code::ServiceBusy)));
    let Some(State::Waiting { waiting }) = turns.state(ID) else { panic!("it waits") };
    assert!(waiting.retry_in_ms.is_some_and(|ms| (50_000..=60_000).contains(&ms)) && !waiting.needs_host);
    let wake = turns.driver.rest_wake.expect("a time");
    assert!((50_000..=60_000).contains(&wake.since_ms(now)), "it is looked at when that is over: {wake:?}");
    // Then it takes its place in line.
    turns.driver.limits.parallel_uploads = 2;
    turns.later(61_000);
    turns.until("it works", |turns| turns.driver.controls == 2);
}

/// One that has a place when its host asks for rest gives it back.
#[test]
fn an_upload_whose_host_asked_for_rest_gives_its_place() {
    let mut turns = Turns::new();
    turns.add(ID, None);
    turns.until("asked", |turns| matches!(turns.stage(ID), Some(Stage::Live(live)) if live.source_by.is_some()));
    let now = turns.driver.clock.tick();
    turns.driver.schedule.answered(now, "https://api.example.com", 503, Some(60_000));
    let path = turns.dir.path().join("file");
    std::fs::write(&path, b"content").expect("a file");
    let ask = turns.asks.recv_timeout(PATIENCE).expect("the host is asked");
    ask.supply(SourceOffer { what: SourceWhat::Path { path, delete_at_end: false }, token: vec![] });
    turns.until("it left", |turns| matches!(turns.stage(ID), Some(Stage::Idle)));
    assert_eq!(turns.waits(ID), Some((WaitReason::Retry, Code::ServiceBusy)));
    assert!(turns.driver.next_wake().is_some_and(|wake| wake.since_ms(now) <= 60_000));
    turns.later(61_000);
    turns.until("it goes on", |turns| turns.driver.controls == 1);
}

/// What ended its wait was heard while a command was being written, and by nobody.
#[test]
fn what_ends_a_wait_while_something_is_being_kept_is_not_missed() {
    let mut turns = Turns::new();
    turns.add(ID, Some("a"));
    turns.driver.held = true;
    turns.settle();
    let now = turns.driver.clock.now();
    turns.row(ID).state = standing::barred(WaitReason::Network, now.unix_ms);
    let State::Waiting { waiting } = &mut turns.row(ID).state else { panic!("it waits") };
    waiting.reason = WaitReason::Credential;
    turns.row(ID).eligible = false;
    turns.driver.held = false;
    turns.runtime.disk.set_threads_max(0);
    let tuning = Tuning { priority: Some(1), ..Tuning::default() };
    turns.driver.take(Message::Command { ids: vec![ID.to_owned()], command: Command::Tune(tuning) });
    turns.driver.turn();
    assert!(matches!(turns.stage(ID), Some(Stage::Saying)));
    turns.driver.take(Message::SetCredential { account: "me".to_owned(), credential: Credential::token("b") });
    turns.disk_goes_on();
    turns.until("it goes on", |turns| turns.driver.controls == 1);
}

/// The driver was dropped with the closure that got no thread, and nothing ever worked again.
#[test]
fn a_driver_that_gets_no_thread_tries_again_with_the_next_message() {
    let Turns { runtime, driver, dir, .. } = Turns::new();
    thread::refuse(1);
    driver::spawn(driver);
    let (wiped, done) = crate::channel::channel();
    runtime.mailbox.post(Message::SignOut { account: "me".to_owned(), wiped });
    assert_eq!(done.recv_until(Instant::now() + PATIENCE), Ok(()));
    drop((runtime, dir));
}

/// Whoever asked for a credential while the client was being closed waited for ever.
#[test]
fn who_waits_for_an_answer_hears_that_there_will_be_none() {
    let turns = Turns::new();
    let (reply, answer) = crate::channel::channel();
    let account = "me".to_owned();
    let service = turns.upload(ID, None).target.service();
    turns.runtime.mailbox.post(Message::WantCredential { account, service, refused: None, reply });
    turns.runtime.mailbox.close();
    // The driver had looked before that, and wants to end.
    assert!(matches!(turns.runtime.mailbox.sleep(Box::new(|| ())), mailbox::Sleep::Closed));
    assert!(answer.recv_until(Instant::now() + PATIENCE) == Err(Nothing::Closed));
}

/// A token that still does was kept from an upload that came while the next one was asked for, and nothing ever gave it one.
#[test]
fn who_comes_while_a_token_is_renewed_gets_the_old_one_when_there_is_no_other() {
    let mut turns = Turns::new();
    let soon_over = Credential::Token { value: "a".into(), expires_in_ms: Some(0) };
    turns.driver.take(Message::SetCredential { account: "me".to_owned(), credential: soon_over });
    // The host answers with the same token.
    turns.add(ID, Some("a"));
    turns.until("it goes on", |turns| turns.driver.controls == 1);
}

/// What another process removed is taken down, and told once.
#[test]
fn what_vanished_is_told_once_whoever_finds_it() {
    let mut turns = Turns::new();
    turns.driver.held = true;
    turns.begun(&ids(2), &[]);
    turns.settle();
    let [said, started] = ids(2).try_into().expect("two");
    for id in [&said, &started] {
        turns.runtime.dir.remove(Id::parse(id).expect("an id")).expect("removed");
    }
    turns.driver.take(Message::Command { ids: vec![said.clone()], command: Command::Pause });
    turns.settle();
    assert!(turns.stage(&said).is_none() && turns.state(&said).is_none());
    turns.runtime.with_start_lock(|| ()).expect("a start");
    turns.settle();
    assert!(turns.stage(&started).is_none() && turns.state(&started).is_none());
    // Another start, and the disk's own removal, find nothing to tell.
    turns.runtime.with_start_lock(|| ()).expect("a start");
    turns.settle();
    assert!(turns.runtime.outlet.drain(PATIENCE));
    assert_eq!(*turns.told.0.lock().expect("not poisoned"), [said, started]);
}
