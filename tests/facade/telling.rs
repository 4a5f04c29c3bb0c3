//! What a host is told: progress, explanations, a timeline, lines for its log.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use partway::client::{
    Change, Client, Config, ErrorInfo, Limits, Listener, LogLevel, LogSink, Network, NetworkPolicy, Remedy, Select,
    Snapshot, State, WaitReason, Waiting, version,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

#[derive(Default)]
struct Told(Mutex<Vec<Snapshot>>);

impl Listener for Told {
    fn on_changes(&self, changes: &[Snapshot]) {
        self.0.lock().unwrap().extend_from_slice(changes);
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<(LogLevel, String)>>);

impl LogSink for Lines {
    fn log(&self, level: LogLevel, target: &str, line: &str) {
        self.0.lock().unwrap().push((level, format!("{target}: {line}")));
    }
}

impl Lines {
    fn any(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|(_, line)| line.contains(text))
    }
}

#[test]
fn an_upload_at_work_is_told_again_and_again_though_nothing_changed() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let stall = world.rule(Rule::new(Step::Begin, How::StallAnswer));
    let told = Arc::new(Told::default());
    let client = Client::open(Config { listener: Some(told.clone()), beat_ms: 200, ..world.config() }).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let beats = || {
        let told = told.0.lock().unwrap();
        let same =
            told.windows(2).filter(|pair| pair[0].state == pair[1].state && pair[0].progress == pair[1].progress);
        same.count()
    };
    world.becomes("told three times more", || beats() >= 3);
    client.pause(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    client.wait_idle(Some(PATIENCE_MS));
    let before = told.0.lock().unwrap().len();
    std::thread::yield_now();
    client.wait(&id, Some(600)).unwrap();
    assert!(told.0.lock().unwrap().len() <= before + 1, "one that rests is not told of");
    world.cloud.remove_rule(stall);
}

#[test]
fn a_rate_of_its_own_is_kept_to_and_shown() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.instant = partway::client::InstantMode::Off;
    request.rate_bytes_per_s = Some(MIB);
    let since = Instant::now();
    let id = start(&client, request);
    let told = until(&client, &id, |snapshot| snapshot.progress.eta_ms.is_some());
    assert!(told.progress.rate_bytes_per_s > 0, "{:?}", told.progress);
    completed(&client, &id);
    assert!(since.elapsed() >= Duration::from_millis(2_400), "{:?}", since.elapsed());
    // Changed on the way: this would take an hour.
    let mut request = world.request(&world.file("slow.jpg", MIB), "slow.jpg");
    request.rate_bytes_per_s = Some(1_000);
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.bytes_sent > 0);
    client.change(&one(&id), &Change { rate_bytes_per_s: Some(0), ..Change::default() }).unwrap();
    completed(&client, &id);
}

#[test]
fn everything_that_holds_an_upload_is_named() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = Client::open(Config { autostart: false, network: Network::online(1), ..world.config() }).unwrap();
    let mut request = world.request(&file, "photo.jpg");
    request.network = NetworkPolicy::Unmetered;
    let id = start(&client, request);
    let blocked = || client.explain(&id).unwrap().blocked_by;
    assert_eq!(blocked(), [WaitReason::Held]);
    client.set_network(Network { metered: true, ..Network::offline(1) });
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Network));
    assert_eq!(blocked(), [WaitReason::Held, WaitReason::Network, WaitReason::NetworkPolicy]);
    client.go();
    client.set_network(Network { metered: true, ..Network::online(1) });
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::NetworkPolicy));
    let explanation = client.explain(&id).unwrap();
    assert_eq!((explanation.blocked_by, explanation.remedy), (vec![WaitReason::NetworkPolicy], Remedy::WaitForNetwork));
    assert!(!explanation.text.is_empty() && explanation.retries_left > 0);
    client.set_network(Network::online(1));
    completed(&client, &id);
    let explanation = client.explain(&id).unwrap();
    assert_eq!((explanation.blocked_by, explanation.remedy), (vec![], Remedy::None));
}

/// It was in line, whatever it had met with: what an app could say of it after a restart was nothing.
#[test]
fn what_an_upload_waited_for_is_still_known_after_a_restart() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    world.cloud.set_switches(|switches| switches.quota_bytes = Some(1));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let before = until(&client, &id, needs_host);
    let told = client.explain(&id).unwrap();
    world.leave(client);

    let held = || Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let client = held();
    let (now, was) = (client.snapshot(&id).unwrap(), waiting(&before));
    let is = waiting(&now);
    assert_eq!((is.reason, is.needs_host, is.since_unix_ms), (was.reason, true, was.since_unix_ms));
    let clean = |error: Option<ErrorInfo>| error.map(|error| (error.code, error.detail, error.request_id));
    assert_eq!(clean(is.error.clone()), clean(was.error));
    assert!(is.retry_in_ms.is_some_and(|ms| ms <= was.retry_in_ms.unwrap() && ms > 0), "{is:?}");
    assert_eq!(client.list(&Select::All), std::slice::from_ref(&now));
    let explained = client.explain(&id).unwrap();
    assert_eq!((explained.since_unix_ms, explained.next_try_ms), (was.since_unix_ms, is.retry_in_ms));
    assert_eq!((explained.attempts, explained.retries_left), (told.attempts, told.retries_left));
    assert_eq!((explained.text, explained.remedy), (told.text, told.remedy));
    assert_eq!(explained.blocked_by, [WaitReason::Held, was.reason]);
    // It is tried as soon as it may be: to a scheduler it is in line.
    let idle = client.wait_idle(Some(PATIENCE_MS));
    assert_eq!((idle.queued, idle.waiting_for_person), (1, 0));
    // What is said of something else leaves it as it is.
    client.change(&one(&id), &Change { priority: Some(3), ..Change::default() }).unwrap();
    client.wait_idle(Some(PATIENCE_MS));
    assert!(needs_host(&client.snapshot(&id).unwrap()), "{:?}", client.snapshot(&id));
    world.leave(client);

    let client = held();
    client.resume(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Queued);
    assert_eq!(client.explain(&id).unwrap().attempts, 0);
    world.leave(client);

    world.cloud.set_switches(|switches| switches.quota_bytes = None);
    let told = Arc::new(Told::default());
    let client = Client::open(Config { listener: Some(told.clone()), ..world.config() }).unwrap();
    completed(&client, &id);
    assert!(told.0.lock().unwrap().iter().all(|snapshot| !needs_host(snapshot)), "nobody has to do anything");
    world.hold_promises(&file);
}

/// Also in a wait that is short, and with the failures that led to it.
#[test]
fn a_client_that_is_closed_in_a_wait_leaves_word_of_it() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let busy = world.rule(Rule::new(Step::Begin, How::status(503, "SlowDown")));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let waits = |snapshot: &Snapshot| waiting_for(snapshot) == Some(WaitReason::Retry);
    until(&client, &id, waits);
    client.close(PATIENCE_MS);
    drop(client);
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let snapshot = client.snapshot(&id).unwrap();
    assert_eq!((waiting_for(&snapshot), needs_host(&snapshot)), (Some(WaitReason::Retry), false));
    assert_eq!(error_of(&snapshot).unwrap().http_status, Some(503));
    let explained = client.explain(&id).unwrap();
    assert!(explained.attempts > 0 && explained.attempts + explained.retries_left == 10, "{explained:?}");
    world.cloud.remove_rule(busy);
    client.go();
    completed(&client, &id);
    assert_eq!(client.explain(&id).unwrap().attempts, 0);
    world.hold_promises(&file);
}

/// An upload that may go on is in line, also while others go first: nobody takes it for stuck because it was that in an earlier process.
#[test]
fn a_wait_of_before_is_over_when_the_upload_may_go_on() {
    let world = World::new();
    world.cloud.set_switches(|switches| switches.quota_bytes = Some(1));
    let client = world.open();
    let ids = ["a.jpg", "b.jpg"].map(|name| start(&client, world.request(&world.file(name, MIB), name)));
    ids.iter().for_each(|id| drop(until(&client, id, needs_host)));
    world.leave(client);
    world.cloud.set_switches(|switches| switches.quota_bytes = None);
    let stall = world.rule(Rule::new(Step::Begin, How::StallAnswer));

    let limits = Limits { parallel_uploads: 1, ..Limits::default() };
    let client = Client::open(Config { autostart: false, limits, ..world.config() }).unwrap();
    client.go_only(&ids[..1]);
    until(&client, &ids[0], |snapshot| matches!(snapshot.state, State::Active { .. }));
    let other = client.explain(&ids[1]).unwrap();
    assert_eq!((other.blocked_by, needs_host(&client.snapshot(&ids[1]).unwrap())), (vec![WaitReason::Retry], true));
    client.go();
    until(&client, &ids[1], |snapshot| snapshot.state == State::Queued);
    assert_eq!((client.explain(&ids[1]).unwrap().blocked_by, client.idle().waiting_for_person), (vec![], 0));
    world.cloud.remove_rule(stall);
    client.hold(PATIENCE_MS);
    client.go();
    ids.iter().for_each(|id| drop(completed(&client, id)));
}

fn waiting(snapshot: &Snapshot) -> Waiting {
    match &snapshot.state {
        State::Waiting { waiting } => waiting.clone(),
        state => panic!("{state:?}"),
    }
}

#[test]
fn neither_a_timeline_nor_a_log_holds_a_name_or_a_secret() {
    let world = World::new();
    let file = world.file("canary-file.jpg", 3 * MIB);
    let lines = Arc::new(Lines::default());
    let config = Config { log: Some(lines.clone()), log_level: LogLevel::Debug, ..world.config() };
    let client = Client::open(config).unwrap();
    world.rule(Rule::new(Step::Part, How::status(500, "InternalError")).once());
    world.rule(Rule::new(Step::Begin, How::RefuseToken).once());
    let mut request = world.request(&file, "canary-dir/canary-name.jpg");
    request.key = "canary-key".into();
    request.group = Some("canary-group".into());
    request.tags.insert("canary-tag".into(), "canary-value".into());
    request.source.token = b"canary-token".to_vec();
    let id = start(&client, request);
    world.tokens.set(Some("sandbox-token-2"));
    until(&client, &id, |snapshot| snapshot.state.ended() || needs_host(snapshot));
    client.set_credential("me", partway::client::Credential::token("sandbox-token"));
    completed(&client, &id);
    let timeline = client.timeline_json(&id).unwrap();
    let read: serde_json::Value = serde_json::from_str(&timeline).unwrap();
    let journal = read["journal"].as_array().unwrap();
    let kinds: Vec<&str> = journal.iter().map(|record| record["record"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"upload"));
    assert_eq!(kinds.last(), Some(&"ending"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "part").count(), 3);
    assert_eq!(read["partway"], version());
    world.becomes("the ending is logged", || lines.any("completed"));
    assert!(lines.any("the host is asked") && lines.any(&id));
    let canaries = ["canary", "sandbox-token", "q-sign", "127.0.0.1", "confirmKey", world.dir.path().to_str().unwrap()];
    for canary in canaries {
        assert!(!timeline.contains(canary), "{canary} in {timeline}");
        assert!(!lines.any(canary), "{canary} in {:?}", lines.0.lock().unwrap());
    }
    assert!(client.timeline_json("01M7WGK9FAE3HBHQ5J1H6PWT0B").is_none());
}

#[test]
fn a_listener_that_blocks_is_named_and_holds_up_nothing_else() {
    struct Stuck(Mutex<Option<std::sync::mpsc::Receiver<()>>>, AtomicUsize);
    impl Listener for Stuck {
        fn on_changes(&self, _: &[Snapshot]) {
            self.1.fetch_add(1, Ordering::SeqCst);
            if let Some(until) = self.0.lock().unwrap().take() {
                let _ = until.recv();
            }
        }
    }
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let lines = Arc::new(Lines::default());
    let (let_go, until_then) = std::sync::mpsc::channel();
    let stuck = Arc::new(Stuck(Mutex::new(Some(until_then)), AtomicUsize::new(0)));
    let client = Client::open(Config {
        listener: Some(stuck.clone()),
        log: Some(lines.clone()),
        beat_ms: 100,
        // Asked on the same thread as listeners are called.
        ..world.config()
    })
    .unwrap();
    client.set_credential("me", partway::client::Credential::token("sandbox-token"));
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    world.rule(Rule::new(Step::Begin, How::StallAnswer));
    let at_work = start(&client, world.request(&file, "second.jpg"));
    world.becomes("named", || lines.any("Listener::on_changes blocks"));
    assert_eq!(stuck.1.load(Ordering::SeqCst), 1);
    drop(let_go);
    world.becomes("told again", || stuck.1.load(Ordering::SeqCst) > 1);
    client.cancel(&one(&at_work));
    ended(&client, &at_work);
}

#[test]
fn what_a_scheduler_needs_to_know() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = Client::open(Config { autostart: false, network: Network::online(1), ..world.config() }).unwrap();
    assert_eq!(client.idle().wants, NetworkPolicy::Any);
    let of = |name: &str, policy| {
        let mut request = world.request(&file, name);
        request.network = policy;
        start(&client, request)
    };
    let picky = of("a.jpg", NetworkPolicy::Unmetered);
    let wants = |policy| world.becomes("wanted", || client.idle().wants == policy);
    wants(NetworkPolicy::Unmetered);
    let mild = of("b.jpg", NetworkPolicy::NoRoaming);
    wants(NetworkPolicy::NoRoaming);
    client.pause(&one(&mild));
    wants(NetworkPolicy::Unmetered);
    world.becomes("one in line", || client.idle().queued == 1);
    client.pause(&Select::All);
    until(&client, &picky, |snapshot| snapshot.state == State::Paused);
    world.becomes("none in line", || (client.idle().queued, client.idle().active) == (0, 0));
}
