//! Running, being held, and being one of several.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use partway::{
    client::{Client, Config, Select, SmhTarget, State, Target, WaitReason},
    engine::{Command, Event, Facts, Limits, Machine, Record, Step as MachineStep},
    error::{Code, ErrorInfo},
    model::{Identity, Now, Tick},
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

fn held(world: &World) -> Client {
    Client::open(Config { autostart: false, ..world.config() }).unwrap()
}

#[test]
fn no_socket_is_left_when_hold_returns() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap();
    // Answers, keeps the connection, and tells when the other side is gone.
    let gone = std::thread::spawn(move || {
        let (mut socket, _) = service.accept().unwrap();
        let mut head = vec![];
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            let mut byte = [0; 1];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let answer = "HTTP/1.1 503 Busy\r\nRetry-After: 15\r\nContent-Length: 2\r\n\r\n{}";
        socket.write_all(answer.as_bytes()).unwrap();
        socket
    });
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.target = Target::Smh(SmhTarget { endpoint: format!("http://{address}"), ..world.target("photo.jpg") });
    let id = start(&client, request);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Retry));
    let mut socket = gone.join().unwrap();
    client.hold(5_000);
    // It is closed by now, not soon: what is left to read is an end.
    socket.set_nonblocking(true).unwrap();
    let mut rest = vec![];
    let end = socket.read_to_end(&mut rest);
    assert!(end.is_ok(), "the connection is open: {end:?}");
    client.cancel(&one(&id));
}

#[test]
fn a_hold_whose_time_is_too_short_says_so_and_another_one_finishes() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    // What is under way can't be over by now.
    assert!(!client.hold(0).at_rest);
    // No clock goes so far; it is as long as it takes.
    assert!(client.hold(u64::MAX).at_rest);
    assert!(client.idle().at_rest);
    client.cancel(&one(&id));
}

#[test]
fn no_callback_runs_when_close_returned_true() {
    struct Slow(std::sync::atomic::AtomicBool);
    impl partway::client::Listener for Slow {
        fn on_changes(&self, _: &[partway::client::Snapshot]) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(300));
            self.0.store(false, std::sync::atomic::Ordering::SeqCst);
        }
    }
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let slow = std::sync::Arc::new(Slow(false.into()));
    let within = || slow.0.load(std::sync::atomic::Ordering::SeqCst);
    let client = Client::open(Config { autostart: false, listener: Some(slow.clone()), ..world.config() }).unwrap();
    start(&client, world.request(&file, "photo.jpg"));
    world.becomes("it is called", within);
    assert!(!client.close(0), "a callback still runs");
    assert!(client.close(5_000));
    assert!(!within());
}

/// Answers nothing and does not return before it is told to, whatever becomes of its calls.
#[derive(Default)]
struct Blocking {
    within: std::sync::Mutex<usize>,
    released: std::sync::atomic::AtomicBool,
    changed: std::sync::Condvar,
}

impl Blocking {
    fn within(&self) -> usize {
        *self.within.lock().unwrap()
    }

    fn release(&self) {
        let _within = self.within.lock().unwrap();
        self.released.store(true, std::sync::atomic::Ordering::SeqCst);
        self.changed.notify_all();
    }
}

impl partway::client::Transport for Blocking {
    fn execute(&self, call: std::sync::Arc<partway::client::TransportCall>) {
        let mut within = self.within.lock().unwrap();
        *within += 1;
        while !self.released.load(std::sync::atomic::Ordering::SeqCst) {
            within = self.changed.wait(within).unwrap();
        }
        // What a host still has of the call is the host's until here.
        drop(call);
        *within -= 1;
    }
}

/// A host frees what its transport needs when `close` said that nothing of it is called any more.
#[test]
fn no_call_of_the_hosts_transport_is_under_way_when_close_returned_true() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let transport = std::sync::Arc::new(Blocking::default());
    let client = Client::open(Config { transport: Some(transport.clone()), ..world.config() }).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.becomes("it is called", || transport.within() == 1);
    assert!(!client.close(500), "the upload is at rest, and the host is still in its call");
    assert_eq!(transport.within(), 1);
    transport.release();
    assert!(client.close(PATIENCE_MS));
    assert_eq!(transport.within(), 0);
    // Whoever asks from here on does not get to the host either.
    assert_eq!(client.look_remote(&id), Ok(partway::client::RemoteLook::NoSession));
    drop(client);
    assert_eq!(std::sync::Arc::strong_count(&transport), 1, "nothing of it is kept");
}

/// Opens another client when it is let go: that is the host's code, and no lock of ours may be held around it.
struct Reopens(Option<Config>, std::sync::mpsc::Sender<()>);

impl Drop for Reopens {
    fn drop(&mut self) {
        if let Some(config) = self.0.take() {
            drop(Client::open(config).unwrap());
        }
        let _ = self.1.send(());
    }
}

impl partway::client::CredentialProvider for Reopens {
    fn provide(&self, ask: partway::client::CredentialAsk) {
        ask.later(None);
    }
}

#[test]
fn a_host_may_open_a_client_while_what_it_gave_to_another_is_let_go() {
    let world = World::new();
    let other = World::new();
    let no_directory = world.file("photo.jpg", 1);
    let (done, over) = std::sync::mpsc::channel();
    let inside = other.config();
    // It hangs for ever if it hangs: on a thread of its own, the test does not.
    std::thread::spawn(move || {
        let refused = Client::open(Config::new(no_directory, std::sync::Arc::new(Reopens(Some(inside), done.clone()))));
        assert_eq!(refused.err().map(|error| error.code), Some(Code::StateDirUnusable));
        let _ = done.send(());
    });
    for what in ["let go", "refused"] {
        assert_eq!(over.recv_timeout(std::time::Duration::from_millis(PATIENCE_MS)), Ok(()), "never {what}");
    }
}

/// What another process removed is no upload of ours any more; it had not failed.
#[test]
fn what_another_process_forgot_is_gone_here_too_and_did_not_fail() {
    #[derive(Default)]
    struct Told(std::sync::Mutex<(Vec<State>, Vec<String>)>);
    impl partway::client::Listener for Told {
        fn on_changes(&self, changes: &[partway::client::Snapshot]) {
            self.0.lock().unwrap().0.extend(changes.iter().map(|snapshot| snapshot.state.clone()));
        }
        fn on_forgotten(&self, ids: &[String]) {
            self.0.lock().unwrap().1.extend_from_slice(ids);
        }
    }
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let told = std::sync::Arc::new(Told::default());
    let ours = Client::open(Config { autostart: false, listener: Some(told.clone()), ..world.config() }).unwrap();
    let [said, in_line, again] = ["a.jpg", "b.jpg", "c.jpg"].map(|name| start(&ours, world.request(&file, name)));
    let theirs = Client::open(Config { apart: true, autostart: false, ..world.config() }).unwrap();
    theirs.cancel(&Select::All);
    world.becomes("cancelled", || theirs.list(&Select::All).iter().all(|snapshot| snapshot.state.ended()));
    assert_eq!(theirs.forget(&Select::All), 3);
    // One is found missing by what is said of it, one by a start of its key, one when its turn comes.
    ours.pause(&one(&said));
    world.becomes("said to nothing", || ours.snapshot(&said).is_none());
    let started = ours.start(world.request(&file, "c.jpg")).unwrap();
    assert_eq!(started.how, partway::client::How::New, "there is no upload of that key any more");
    ours.pause(&one(&started.id));
    ours.go();
    world.becomes("its turn came", || ours.snapshot(&in_line).is_none());
    let forgotten = || {
        let mut ids = told.0.lock().unwrap().1.clone();
        ids.sort();
        ids
    };
    world.becomes("told", || forgotten().len() >= 3);
    let mut all = [said, in_line, again];
    all.sort();
    assert_eq!(forgotten(), all, "each once");
    let failed = told.0.lock().unwrap().0.iter().any(|state| matches!(state, State::Failed { .. }));
    assert!(!failed, "none of them had failed");
}

#[test]
fn bounds_that_are_raised_or_lowered_hold_from_the_next_part_on() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let mut config = world.config();
    config.limits = partway::client::Limits { parallel_uploads: 1, parallel_parts: 1, ..config.limits };
    let limits = config.limits;
    let client = Client::open(config).unwrap();
    let requests = (0..4).map(|number| world.request(&file, &format!("{number}.jpg"))).collect();
    let ids: Vec<String> = client.start_all(requests).into_iter().map(|started| started.unwrap().id).collect();
    let under_way = || of(&world.cloud.log(), Step::Part).filter(|entry| entry.ended_ms.is_none()).count();
    let begun = || client.list(&Select::All).iter().filter(|s| matches!(s.state, State::Active { .. })).count();
    world.becomes("one part of one upload", || under_way() == 1);
    assert_eq!(begun(), 1);
    client.set_limits(partway::client::Limits { parallel_uploads: 3, parallel_parts: 3, ..limits });
    world.becomes("three", || (under_way(), begun()) == (3, 3));
    // What is under way is not stopped; nothing new begins above the bound.
    client.set_limits(limits);
    world.cloud.remove_rule(stall);
    let stop = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    client.hold(5_000);
    client.go();
    world.becomes("one again", || under_way() == 1);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!((under_way(), begun()), (1, 1));
    world.cloud.remove_rule(stop);
    client.hold(5_000);
    client.go();
    for id in &ids {
        completed(&client, id);
    }
}

#[test]
fn a_pause_said_while_held_shows_as_paused() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    let client = held(&world);
    let in_line = start(&client, world.request(&file, "line.jpg"));
    assert_eq!(client.pause(&one(&in_line)), 1);
    until(&client, &in_line, |snapshot| snapshot.state == State::Paused);
    // One that was at work, too.
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let at_work = start(&client, world.request(&file, "work.jpg"));
    client.go();
    until(&client, &at_work, |snapshot| snapshot.progress.parts_done == 1);
    client.hold(5_000);
    assert_eq!(waiting_for(&client.snapshot(&at_work).unwrap()), Some(WaitReason::Held));
    assert_eq!(client.pause(&one(&at_work)), 1);
    until(&client, &at_work, |snapshot| snapshot.state == State::Paused);
    client.go();
    client.wait_idle(Some(PATIENCE_MS));
    assert!(client.list(&Select::All).iter().all(|snapshot| snapshot.state == State::Paused));
    client.resume(&one(&in_line));
    until(&client, &in_line, |snapshot| matches!(snapshot.state, State::Active { .. }));
}

#[test]
fn a_wish_said_while_the_disk_refuses_is_kept_when_it_no_longer_does() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = held(&world);
    let id = start(&client, world.request(&file, "photo.jpg"));
    // Nothing can be locked where a directory has the place of the lock.
    let lock = world.state_dir().join(format!("{id}.lock"));
    let _ = std::fs::remove_file(&lock);
    std::fs::create_dir(&lock).unwrap();
    assert_eq!(client.pause(&one(&id)), 1);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Disk));
    assert_eq!(client.explain(&id).unwrap().blocked_by.first(), Some(&WaitReason::Held));
    client.hold(5_000);
    std::fs::remove_dir(&lock).unwrap();
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    client.go();
    client.wait_idle(Some(PATIENCE_MS));
    assert!(world.cloud.log().is_empty(), "what was said is what holds");
}

/// A machine that is let go while its disk refuses leaves what the host said to the next one.
#[test]
fn a_wish_that_the_disk_refused_outlives_the_machine() {
    let upload = serde_json::json!({
        "r": "upload", "id": "01M7WGK9FAE3HBHQ5J1H6PWT0B", "key": "k", "created_unix_ms": 0, "source": {},
        "target": { "service": "smh", "endpoint": "https://api.example.com", "library": "l", "space": "-", "path": "a" },
    });
    let upload: Record = serde_json::from_value(upload).unwrap();
    let Record::Upload(record) = &upload else { unreachable!() };
    let service = partway::service::open(&record.target).unwrap();
    let now = |tick| Now { tick: Tick(tick), unix_ms: 1 };
    let mut machine =
        Machine::new(Facts::new([upload.clone()]).unwrap(), service, Limits { parallel_parts: 3 }, 1, now(1));
    let mut slots = partway::engine::Slots { parts: 3, controls: 5, reads: 1, opens_at: None };
    while !matches!(machine.poll(now(1), &mut slots), MachineStep::AskSource) {}
    machine.handle(now(1), Event::Source(Ok(Identity { size_bytes: 10, inode: Some(1), ..Identity::default() })));
    machine.handle(now(1), Event::Command(Command::Pause));
    loop {
        match machine.poll(now(2), &mut slots) {
            MachineStep::Commit { id, .. } => {
                machine.handle(now(2), Event::CommitFailed(id, ErrorInfo::new(Code::DiskFull, "full")));
            }
            MachineStep::Wait { .. } => break,
            _ => {}
        }
    }
    machine.handle(now(3), Event::Command(Command::Hold));
    while !matches!(machine.poll(now(3), &mut slots), MachineStep::Wait { .. }) {}
    assert!(machine.gives_place(now(3), 20_000) && !machine.is_busy());
    assert!(machine.unkept().contains(&Command::Pause), "{:?}", machine.unkept());
}

#[test]
fn a_directory_that_is_open_gives_the_same_client() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let first = held(&world);
    let id = start(&first, world.request(&file, "photo.jpg"));
    // By another name of the directory, and with another configuration.
    let mut config = world.config();
    config.state_dir = world.dir.path().join(".").join("state");
    let second = Client::open(config).unwrap();
    assert!(second.snapshot(&id).is_some());
    second.pause(&one(&id));
    until(&first, &id, |snapshot| snapshot.state == State::Paused);
    drop(first);
    assert!(second.snapshot(&id).is_some(), "the last clone ends it, not the first");
    assert!(second.close(5_000));
    let third = world.open();
    third.resume(&one(&id));
    completed(&third, &id);
}

#[test]
fn another_process_on_the_directory_waits_for_its_uploads_and_may_start_its_own() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2).times(2));
    let ours = world.open();
    let id = start(&ours, world.request(&file, "photo.jpg"));
    until(&ours, &id, |snapshot| snapshot.progress.parts_done == 2);
    let theirs = Client::open(Config { apart: true, ..world.config() }).unwrap();
    until(&theirs, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Elsewhere));
    let again = theirs.start(world.request(&file, "photo.jpg")).unwrap();
    assert_eq!(again.id, id, "a key is known to all of them");
    let own = start(&theirs, world.request(&file, "own.jpg"));
    completed(&theirs, &own);
    // Ours ends, theirs goes on with it.
    assert!(ours.close(5_000));
    drop(ours);
    world.cloud.remove_rule(stall);
    completed(&theirs, &id);
    assert_eq!(world.cloud.objects().len(), 2);
    world.no_secret_on_disk();
}

#[test]
fn a_wait_that_is_over_cancels_nothing() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let waiter = client.clone();
    let of = id.clone();
    let snapshot = std::thread::spawn(move || waiter.wait(&of, Some(50)).unwrap()).join().unwrap();
    assert!(!snapshot.state.ended());
    world.cloud.remove_rule(stall);
    // The part that was caught is let go by a new path.
    client.set_network(partway::client::Network::online(1));
    completed(&client, &id);
}

#[test]
fn the_more_urgent_goes_first_then_the_older_also_after_a_restart() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let mut config = world.config();
    config.autostart = false;
    config.limits.parallel_uploads = 1;
    let client = Client::open(config).unwrap();
    let ids: Vec<String> =
        ["a.jpg", "b.jpg", "c.jpg"].into_iter().map(|name| start(&client, world.request(&file, name))).collect();
    let urgent = partway::client::Change { priority: Some(5), ..Default::default() };
    client.change(&one(&ids[2]), &urgent).unwrap();
    client.wait_idle(Some(PATIENCE_MS));
    assert!(client.close(5_000));
    drop(client);
    let mut config = world.config();
    config.limits.parallel_uploads = 1;
    let client = Client::open(config).unwrap();
    ids.iter().for_each(|id| drop(completed(&client, id)));
    let begun = world.cloud.log().into_iter().filter(|entry| entry.step == Step::Begin);
    let mut order: Vec<char> = begun.filter_map(|entry| entry.path.split(".jpg").next()?.chars().last()).collect();
    // The second of each carries the whole digest.
    order.dedup();
    assert_eq!(order, ['c', 'a', 'b']);
}
