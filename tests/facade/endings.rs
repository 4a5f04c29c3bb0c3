//! Endings: begun again, given up, kept and forgotten.

use std::sync::{Arc, Mutex};

use partway::{
    client::{
        Client, Config, How as Began, Listener, Network, Remote, Select, Snapshot, Source, SourceWhat, State,
        WaitReason,
    },
    error::Code,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

#[derive(Default)]
struct Told(Mutex<Vec<Snapshot>>, Mutex<Vec<String>>);

impl Listener for Told {
    fn on_changes(&self, changes: &[Snapshot]) {
        let forgotten = self.1.lock().unwrap();
        assert!(changes.iter().all(|snapshot| !forgotten.contains(&snapshot.id)), "a forgotten one came back");
        self.0.lock().unwrap().extend_from_slice(changes);
    }

    fn on_forgotten(&self, ids: &[String]) {
        self.1.lock().unwrap().extend_from_slice(ids);
    }
}

impl Told {
    fn forgotten(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }

    /// The last that was told of an upload.
    fn last(&self, id: &str) -> Option<State> {
        self.0.lock().unwrap().iter().rfind(|snapshot| snapshot.id == id).map(|snapshot| snapshot.state.clone())
    }
}

fn failed(snapshot: &Snapshot) -> Code {
    match &snapshot.state {
        State::Failed { error } => error.code,
        other => panic!("not failed: {other:?}"),
    }
}

#[test]
fn a_failed_upload_begun_again_keeps_everything_that_was_proven() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    let refuse = world.rule(Rule::new(Step::Confirm, How::status(451, "")));
    let client = world.open();
    let old = start(&client, world.request(&file, "photo.jpg"));
    assert_eq!(failed(&ended(&client, &old)), Code::ContentRefused);
    world.cloud.remove_rule(refuse);
    let again = client.retry(&old).unwrap();
    assert_eq!(again.how, Began::Continued { from: old.clone() });
    assert_ne!(again.id, old);
    assert!(client.snapshot(&old).is_none(), "the old one is gone");
    assert_eq!(client.find("photo.jpg").unwrap().id, again.id, "the key is the new one's");
    completed(&client, &again.id);
    world.sole_object(&file);
    assert_eq!(world.parts_sent().len(), 4, "no part is sent again");
    assert_eq!(client.retry(&again.id).unwrap_err().code, Code::WrongState, "the object exists");
    assert_eq!(client.retry(&old).unwrap_err().code, Code::UnknownUpload);
    world.hold_promises(&file);
    assert!(client.close(5_000));
    assert_eq!(world.open().list(&Select::All).len(), 1);
}

#[test]
fn a_cancelled_upload_is_begun_again() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.tags.insert("thumb".into(), "7".into());
    let old = start(&client, request);
    until(&client, &old, |snapshot| snapshot.progress.parts_done == 1);
    assert_eq!(client.retry(&old).unwrap_err().code, Code::WrongState, "it has not ended");
    client.cancel(&one(&old));
    until(&client, &old, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
    world.cloud.remove_rule(stall);
    let again = client.retry(&old).unwrap().id;
    completed(&client, &again);
    assert_eq!(client.snapshot(&again).unwrap().tags["thumb"], "7");
    world.sole_object(&file);
}

/// A worker that runs again and a second tap know only the key.
#[test]
fn a_start_after_a_failure_or_a_cancel_goes_on_as_it_is_asked_for_now() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    let refuse = world.rule(Rule::new(Step::Confirm, How::status(451, "")));
    let told = Arc::new(Told::default());
    let client = Client::open(Config { listener: Some(told.clone()), ..world.config() }).unwrap();
    let failed_one = start(&client, world.request(&file, "photo.jpg"));
    assert_eq!(failed(&ended(&client, &failed_one)), Code::ContentRefused);
    world.cloud.remove_rule(refuse);
    // The host has another copy of the bytes now, and other notes.
    let copy = world.dir.path().join("copy.jpg");
    std::fs::copy(&file, &copy).unwrap();
    let mut request = world.request(&copy, "photo.jpg");
    request.tags.insert("attempt".into(), "2".into());
    let again = client.start(request.clone()).unwrap();
    assert_eq!(again.how, Began::Continued { from: failed_one.clone() });
    std::fs::remove_file(&file).unwrap();
    completed(&client, &again.id);
    assert_eq!(world.parts_sent().len(), 4, "no part is sent again");
    assert_eq!(client.find("photo.jpg").unwrap().tags["attempt"], "2");
    world.becomes("the host heard of both", || told.forgotten() == [failed_one.clone()]);
    assert!(matches!(told.last(&failed_one), Some(State::Failed { .. })));
    world.sole_object(&copy);
    // What is done stays done.
    let third = client.start(request).unwrap();
    assert_eq!((third.id, third.how), (again.id, Began::AlreadyThere));

    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let cancelled = start(&client, world.request(&copy, "second.jpg"));
    until(&client, &cancelled, |snapshot| matches!(snapshot.state, State::Active { .. }));
    client.cancel(&one(&cancelled));
    ended(&client, &cancelled);
    world.cloud.remove_rule(stall);
    // To another place nothing of it is proof.
    let mut request = world.request(&copy, "elsewhere.jpg");
    request.key = "second.jpg".into();
    let again = client.start(request).unwrap();
    assert_eq!(again.how, Began::Continued { from: cancelled });
    completed(&client, &again.id);
    assert_eq!(world.cloud.objects().len(), 2);
}

#[test]
fn what_is_forgotten_is_told_after_its_ending_and_never_comes_back() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let told = Arc::new(Told::default());
    let client = Client::open(Config { listener: Some(told.clone()), ..world.config() }).unwrap();
    // Forgotten long before the listener's next beat.
    for number in 0..20 {
        let id = start(&client, world.request(&file, &format!("{number}.jpg")));
        completed(&client, &id);
        assert_eq!(client.forget(&one(&id)), 1);
    }
    world.becomes("all are told", || told.forgotten().len() == 20);
    assert!(client.list(&Select::All).is_empty());
    let ended = |id: &String| matches!(told.last(id), Some(State::Completed { .. }));
    assert!(told.forgotten().iter().all(ended), "each ending was told before");
}

#[test]
fn a_kill_between_the_new_one_and_the_end_of_the_old_one_leaves_one() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let old = start(&client, world.request(&file, "photo.jpg"));
    client.cancel(&one(&old));
    ended(&client, &old);
    let journal = world.state_dir().join(format!("{old}.journal"));
    let before = std::fs::read(&journal).unwrap();
    let again = client.retry(&old).unwrap().id;
    world.becomes("the old one is gone", || !journal.exists());
    assert!(client.close(5_000));
    drop(client);
    // As the kill would have left it.
    std::fs::write(&journal, before).unwrap();
    let client = world.open();
    let all: Vec<String> = client.list(&Select::All).into_iter().map(|snapshot| snapshot.id).collect();
    assert_eq!(all, std::slice::from_ref(&again));
    assert!(!journal.exists());
    completed(&client, &again);
}

#[test]
fn an_upload_gives_up_when_its_own_time_is_over_wherever_it_stands() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let mut config = world.config();
    config.limits.parallel_uploads = 1;
    let client = Client::open(config).unwrap();
    let request = |name: &str| {
        let mut request = world.request(&file, name);
        request.give_up_after_ms = Some(1_500);
        request
    };
    let at_work = start(&client, request("work.jpg"));
    let in_line = start(&client, request("line.jpg"));
    let paused = start(&client, request("paused.jpg"));
    client.pause(&one(&paused));
    for id in [&at_work, &in_line, &paused] {
        assert_eq!(failed(&ended(&client, id)), Code::GaveUp);
    }
    let offline = start(&client, request("offline.jpg"));
    client.set_network(Network::offline(1));
    assert_eq!(failed(&ended(&client, &offline)), Code::GaveUp);
    assert!(world.cloud.objects().is_empty());
}

#[test]
fn an_ending_is_forgotten_by_itself_after_its_time_and_was_told() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let told = Arc::new(Told::default());
    let mut config = world.config();
    config.listener = Some(told.clone());
    config.ended_kept_ms = Some(300);
    let client = Client::open(config).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.becomes("forgotten", || client.snapshot(&id).is_none());
    assert!(!world.state_dir().join(format!("{id}.journal")).exists());
    let endings = || told.0.lock().unwrap().iter().filter(|snapshot| snapshot.state.ended()).count();
    world.becomes("told", || endings() == 1);
    world.sole_object(&file);
}

#[test]
fn a_temporary_copy_goes_at_the_end_and_stays_while_a_retry_may_want_it() {
    let world = World::new();
    let refuse = world.rule(Rule::new(Step::Confirm, How::status(451, "")).once());
    let client = world.open();
    let copy = world.file("copy.tmp", MIB);
    let mut request = world.request(&copy, "photo.jpg");
    request.source = Source { what: SourceWhat::Path { path: copy.clone(), delete_at_end: true }, token: vec![] };
    let old = start(&client, request);
    assert_eq!(failed(&ended(&client, &old)), Code::ContentRefused);
    assert!(copy.exists());
    world.cloud.remove_rule(refuse);
    let again = client.retry(&old).unwrap().id;
    completed(&client, &again);
    world.becomes("removed", || !copy.exists());
}

/// Whoever begins an upload again waits for the old one to go, and holds up nobody who starts meanwhile; nor does anybody begin it again once more.
#[test]
fn what_many_begin_again_at_once_is_begun_again_once() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Confirm, How::status(451, "")));
    let client = world.open();
    let old = start(&client, world.request(&file, "photo.jpg"));
    assert_eq!(failed(&ended(&client, &old)), Code::ContentRefused);
    client.hold(5_000);
    const THREADS: usize = 20;
    let gate = std::sync::Barrier::new(THREADS);
    let results: Vec<_> = std::thread::scope(|scope| {
        let one = || {
            gate.wait();
            client.retry(&old)
        };
        let all: Vec<_> = (0..THREADS).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let begun: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(begun.len(), 1, "{results:?}");
    let others = results.iter().filter_map(|result| result.as_ref().err());
    assert!(others.clone().all(|error| matches!(error.code, Code::UnknownUpload)), "{results:?}");
    let listed: Vec<String> = client.list(&Select::All).into_iter().map(|snapshot| snapshot.id).collect();
    assert_eq!(listed, std::slice::from_ref(&begun[0].id));
}

/// A copy was removed by its name: at the end, at every later open and when it was forgotten. What the host had put there since was another upload's.
#[test]
fn what_took_the_place_of_a_temporary_copy_stays() {
    let world = World::new();
    let client = world.open();
    let copy = world.file("copy.tmp", MIB);
    let temporary = || {
        let mut request = world.request(&copy, "photo.jpg");
        request.source = Source { what: SourceWhat::Path { path: copy.clone(), delete_at_end: true }, token: vec![] };
        request
    };
    let id = start(&client, temporary());
    completed(&client, &id);
    world.becomes("removed", || !copy.exists());
    assert!(client.close(5_000));
    drop(client);
    // The same name, size and bytes: whose it is tells the file itself alone.
    world.file("copy.tmp", MIB);
    let client = world.open();
    client.wait_idle(Some(PATIENCE_MS));
    world.becomes("nothing works", || client.threads() == 0);
    assert!(copy.exists(), "an open removed it");
    assert_eq!(client.forget(&Select::one(&id)), 1);
    world.becomes("nothing works", || client.threads() == 0);
    assert!(copy.exists(), "to forget removed it");
}

/// An upload that ended while nobody could remove its copy any more: the next process does.
#[test]
fn a_temporary_copy_that_a_kill_left_goes_at_the_next_open() {
    use partway::{
        engine::{Ending, Record},
        runtime::journal::{Id, StateDir, Sync},
    };
    let world = World::new();
    let copy = world.file("copy.tmp", 4 * MIB);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let mut request = world.request(&copy, "photo.jpg");
    request.source = Source { what: SourceWhat::Path { path: copy.clone(), delete_at_end: true }, token: vec![] };
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    world.leave(client);
    let dir = StateDir::open(world.state_dir()).unwrap();
    let (mut journal, _, _) = dir.open_journal::<Record>(Id::parse(&id).unwrap()).unwrap();
    let ending = Ending::Completed(partway::model::Receipt::default());
    journal.append(&Record::Ending { ending, unix_ms: 1 }, Sync::Power).unwrap();
    drop(journal);
    assert!(copy.exists());
    let client = world.open();
    world.becomes("removed", || !copy.exists());
    assert!(client.snapshot(&id).unwrap().state.ended());
}

/// Each ending that was found was brought to the disk with its directory, one after the other.
#[test]
fn an_open_syncs_the_directory_once_for_all_endings() {
    use partway::model::checkpoint::{Act, At, Checkpoint};
    #[derive(Default)]
    struct Counted(Mutex<Vec<Act>>);
    impl Checkpoint for Counted {
        fn reached(&self, act: Act, at: At) {
            if at == At::Before {
                self.0.lock().unwrap().push(act);
            }
        }
    }
    let world = World::new();
    let file = world.file("photo.jpg", 1);
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let ids: Vec<String> =
        (0..3).map(|number| start(&client, world.request(&file, &format!("{number}.jpg")))).collect();
    client.cancel(&Select::All);
    ids.iter().for_each(|id| drop(ended(&client, id)));
    assert!(client.close(5_000));
    drop(client);
    let counted = Arc::new(Counted::default());
    let client = Client::open(Config { checkpoint: Some(counted.clone()), ..world.config() }).unwrap();
    let count = |act| counted.0.lock().unwrap().iter().filter(|other| **other == act).count();
    assert_eq!((count(Act::Sync), count(Act::SyncDir)), (3, 1));
    assert_eq!(client.list(&Select::All).len(), 3);
}

#[test]
fn what_the_operating_system_was_given_is_read_back_and_waited_for() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    assert!(client.close(5_000));
    drop(client);
    use partway::{
        engine::Record,
        runtime::journal::{Id, StateDir, Sync},
    };
    let dir = StateDir::open(world.state_dir()).unwrap();
    let (mut journal, _, _) = dir.open_journal::<Record>(Id::parse(&id).unwrap()).unwrap();
    let record = Record::HandedOff { item: "os-1".into(), part_numbers: vec![1] };
    journal.append(&record, Sync::Power).unwrap();
    drop(journal);
    let client = world.open();
    let snapshot = client.snapshot(&id).unwrap();
    assert_eq!(waiting_for(&snapshot), Some(WaitReason::HandedOff));
    client.resume(&one(&id));
    client.wait_idle(Some(PATIENCE_MS));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::HandedOff));
    assert!(world.parts_sent().is_empty());
    client.cancel(&one(&id));
    assert!(matches!(ended(&client, &id).state, State::Cancelled { .. }));
}
