//! The scenarios of tests/scenarios.txt, which every language goes through, in the library's own.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use common::*;
use partway::{
    client::{
        Category, Client, Config, Conflict, ConflictChoice, Credential, CredentialAsk, CredentialProvider, Disposition,
        ErrorInfo, HostReader, How as Began, Idle, InstantMode, Limits, Listener, LogLevel, LogSink, Remedy, Remote,
        Select, SmhMode, SmhTarget, Snapshot, Source, SourceAsk, SourceProvider, State, Target, UploadRequest,
        WaitReason, Why, digest,
    },
    error::Code,
};
use partway_sandbox::{How, Rule, Step, StoredObject};

/// Sent whatever the cloud has: recognising content is a scenario of its own.
fn request(world: &World, file: &Path, path: &str) -> UploadRequest {
    UploadRequest { instant: InstantMode::Off, ..world.request(file, path) }
}

/// So many parts are taken, the others stand still.
fn stall_after(world: &World, parts: u64) -> u64 {
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 1_000 }).after(parts))
}

/// The one object of that path, which must hold exactly these bytes.
fn stored(world: &World, path: &str, file: &Path) -> StoredObject {
    let mut there = world.cloud.objects();
    there.retain(|object| object.path.join("/") == path);
    assert_eq!(there.len(), 1, "objects at {path}");
    let object = there.remove(0);
    assert!(std::fs::read(object.file.as_ref().unwrap()).unwrap() == std::fs::read(file).unwrap(), "{path}");
    object
}

/// Waits until all parts that may be under way stand still: what the cloud sees later was sent later.
fn stand_still(world: &World, parts: usize) {
    world.wait("parts stand still", |log| of(log, Step::Part).filter(|entry| entry.stands).count() >= parts);
}

fn nothing_is_under_way(world: &World) -> bool {
    world.cloud.log().iter().all(|entry| entry.ended_ms.is_some())
}

fn number<T>(result: Result<T, ErrorInfo>) -> u32 {
    result.err().expect("refused").code.number()
}

/// All that a listener was told, in order: of which upload which state; none when it was forgotten.
#[derive(Default)]
struct Told(Mutex<Vec<(String, Option<State>)>>);

impl Listener for Told {
    fn on_changes(&self, changes: &[Snapshot]) {
        self.0.lock().unwrap().extend(changes.iter().map(|told| (told.id.clone(), Some(told.state.clone()))));
    }

    fn on_forgotten(&self, ids: &[String]) {
        self.0.lock().unwrap().extend(ids.iter().map(|id| (id.clone(), None)));
    }
}

impl Told {
    fn open(world: &World, config: Config) -> (Client, Arc<Told>) {
        let told = Arc::new(Told::default());
        let client = Client::open(Config { listener: Some(told.clone()), ..config });
        (client.unwrap_or_else(|error| panic!("{error}: {}", world.told())), told)
    }

    /// Those whose ending was told, once for each time.
    fn endings(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        let mut ids: Vec<String> = told
            .iter()
            .filter(|(_, state)| state.as_ref().is_some_and(State::ended))
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort();
        ids
    }

    /// Those that were forgotten, once for each time.
    fn forgotten(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        let mut ids: Vec<String> = told.iter().filter(|(_, state)| state.is_none()).map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// All of one upload.
    fn of(&self, id: &str) -> Vec<Option<State>> {
        self.0.lock().unwrap().iter().filter(|(of, _)| of == id).map(|(_, state)| state.clone()).collect()
    }
}

#[test]
fn upload() {
    let world = World::new();
    let client = world.open();
    let file = world.file("photo.jpg", 9 * MIB + 5);
    let mut photo = request(&world, &file, "Camera/photo.jpg");
    photo.group = Some("camera".into());
    photo.tags.insert("thumb".into(), "7".into());
    let started = client.start(photo.clone()).unwrap();
    assert_eq!((started.how, started.id.len()), (Began::New, 26));
    let id = started.id;
    let again = client.start(photo).unwrap();
    assert_eq!((&again.id, again.how), (&id, Began::AlreadyThere), "the same key is the same upload");
    let receipt = completed(&client, &id);
    let object = world.sole_object(&file);
    assert_eq!(object.path, ["Camera", "photo.jpg"]);
    assert_eq!(digest(&Source::path(&file), None).unwrap().sha256, object.sha256);
    assert_eq!((receipt.name.as_str(), receipt.size_bytes), ("photo.jpg", 9 * MIB + 5));
    assert_eq!((receipt.path, receipt.crc64), (Some(object.path), Some(object.crc64.to_string())));
    assert!(!receipt.instant && !receipt.overwritten);
    let end = client.snapshot(&id).unwrap();
    assert_eq!((end.progress.bytes_shown, end.progress.bytes_total), (9 * MIB + 5, 9 * MIB + 5));
    assert_eq!((end.progress.parts_done, end.progress.parts_total), (10, 10));
    assert_eq!((end.key.as_str(), end.account.as_str(), end.tags["thumb"].as_str()), ("Camera/photo.jpg", "me", "7"));
    let mut sent = world.parts_sent();
    sent.sort_unstable();
    assert_eq!(sent, (1..=10).collect::<Vec<_>>(), "each part once");
    let camera = client.list(&Select::Group { group: "camera".into() });
    assert_eq!(camera.iter().map(|snapshot| &snapshot.id).collect::<Vec<_>>(), [&id]);
    assert_eq!(client.forget(&one(&id)), 1);
    world.becomes("it is gone", || client.find("Camera/photo.jpg").is_none() && client.list(&Select::All).is_empty());
    assert_eq!(client.forget(&one(&id)), 0, "forgotten once");
    world.hold_promises(&file);

    // The other kinds of sources.
    struct Drops(Vec<u8>);
    impl HostReader for Drops {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(self.0.len() as u64)
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            let rest = &self.0[offset as usize..];
            let count = rest.len().min(buf.len()).min(10_000);
            buf[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }

        fn concurrent(&self) -> bool {
            true
        }
    }
    let file = world.file("other kinds", 2 * MIB + 3);
    let bytes = std::fs::read(&file).unwrap();
    for (path, source) in
        [("memory", Source::memory(bytes.clone())), ("reader", Source::reader(Arc::new(Drops(bytes))))]
    {
        let id = start(&client, UploadRequest { source, ..request(&world, &file, path) });
        completed(&client, &id);
        stored(&world, path, &file);
    }
}

#[test]
fn instant() {
    let world = World::new();
    let client = world.open();
    let file = world.file("film.mp4", 3 * MIB);
    let first = start(&client, request(&world, &file, "a.mp4"));
    assert!(!completed(&client, &first).instant);
    let sent = world.parts_sent().len();
    assert_eq!(sent, 3);
    let again = start(&client, UploadRequest { instant: InstantMode::Always, ..request(&world, &file, "b.mp4") });
    assert!(completed(&client, &again).instant);
    assert_eq!(client.snapshot(&again).unwrap().progress.bytes_sent, 0);
    assert_eq!(world.parts_sent().len(), sent, "no byte of it is sent");
    stored(&world, "a.mp4", &file);
    stored(&world, "b.mp4", &file);
}

#[test]
fn pause_resume_cancel() {
    let world = World::new();
    let client = world.open();
    let file = world.file("film.mp4", 9 * MIB);
    let stall = stall_after(&world, 2);
    let id = start(&client, request(&world, &file, "film.mp4"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    stand_still(&world, 4);
    assert_eq!(client.pause(&one(&id)), 1);
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    assert_eq!(client.pause(&one(&id)), 1, "twice is once");
    assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest);
    world.becomes("nothing is under way", || nothing_is_under_way(&world));
    // A wait that is over changes nothing, and a paused one sends nothing.
    let before = world.cloud.log().len();
    assert_eq!(client.wait(&id, Some(50)).unwrap().state, State::Paused);
    assert_eq!(world.cloud.log().len(), before);
    world.cloud.remove_rule(stall);
    assert_eq!(client.resume(&one(&id)), 1);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);

    let stall = stall_after(&world, 2);
    let other = start(&client, request(&world, &file, "other.mp4"));
    until(&client, &other, |snapshot| snapshot.progress.parts_done == 2);
    assert_eq!(client.cancel(&Select::Key { key: "other.mp4".into() }), 1);
    assert_eq!(ended(&client, &other).state, State::Cancelled { remote: Remote::Aborted });
    assert_eq!((world.cloud.objects().len(), world.open_tasks()), (1, 0), "nothing of it is left at the service");
    assert_eq!((client.cancel(&one(&other)), client.resume(&one(&other))), (0, 0), "it has ended");
    assert_eq!(ended(&client, &other).state, State::Cancelled { remote: Remote::Aborted });

    // It can be begun again: another id, the same key.
    world.cloud.remove_rule(stall);
    let again = client.retry(&other).unwrap();
    assert_eq!(again.how, Began::Continued { from: other.clone() });
    assert_ne!(again.id, other);
    completed(&client, &again.id);
    assert_eq!(client.find("other.mp4").unwrap().id, again.id);
    stored(&world, "other.mp4", &file);
}

/// In the environment of the child of [`kill_and_restore`]: the cloud, the directory, the file.
const KILLED: &str = "PARTWAY_TEST_KILLED";

/// In that child: uploads, says how many parts are proven, and is killed.
fn is_killed(place: &str) {
    let [api, state_dir, file] = place.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let mut config = Config::new(state_dir, Tokens::of("sandbox-token"));
    config.limits.parallel_parts = 4;
    let client = Client::open(config).unwrap();
    let target = SmhTarget {
        endpoint: api.into(),
        account: "me".into(),
        library: "smh-sandbox".into(),
        space: "-".into(),
        path: "film.mp4".into(),
        mode: SmhMode::Multipart,
        ..SmhTarget::default()
    };
    let mut film = UploadRequest::new("film", Target::Smh(target), Source::path(file));
    film.part_size_bytes = Some(MIB);
    film.instant = InstantMode::Off;
    let id = start(&client, film);
    let (mut snapshot, mut out) = (client.snapshot(&id).unwrap(), std::io::stdout());
    loop {
        writeln!(out, "\nacknowledged {} of {id}", snapshot.progress.parts_done).unwrap();
        snapshot = client.wait_change(&id, snapshot.revision, PATIENCE_MS).expect("killed by now");
    }
}

#[test]
fn kill_and_restore() {
    if let Ok(place) = std::env::var(KILLED) {
        return is_killed(&place);
    }
    let world = World::new();
    let file = world.file("film.mp4", 12 * MIB);
    let stall = stall_after(&world, 3);
    let place = [&world.cloud.api_url(), world.state_dir().to_str().unwrap(), file.to_str().unwrap()].join("\n");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill_and_restore", "--nocapture"])
        .env(KILLED, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let id = said.find_map(|line| line.strip_prefix("acknowledged 3 of ").map(str::to_owned)).expect("it comes so far");
    stand_still(&world, 4);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9), "SIGKILL");
    assert!(world.cloud.objects().is_empty());
    world.no_secret_on_disk();
    let proven: BTreeSet<u32> = acknowledged(&world.cloud.log()).into_iter().collect();
    assert_eq!(proven.len(), 3);
    world.cloud.remove_rule(stall);

    let seen = world.cloud.log().last().unwrap().seq;
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    assert!(client.problems().is_empty());
    let there = client.list(&Select::All);
    assert_eq!(there.len(), 1);
    assert_eq!((&there[0].id, there[0].key.as_str(), there[0].progress.parts_done), (&id, "film", 3));
    client.go();
    completed(&client, &id);
    world.sole_object(&file);
    let after = world.cloud.log_since(seen);
    let mut sent: Vec<u32> = of(&after, Step::Part).filter_map(|entry| entry.part).collect();
    sent.sort_unstable();
    assert_eq!(
        sent,
        (1..=12).filter(|part| !proven.contains(part)).collect::<Vec<_>>(),
        "each that was not proven, once"
    );
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_sent, 9 * MIB);
    assert_eq!(world.requests(Step::Begin), 1, "{}", world.told());
    world.hold_promises(&file);
}

/// Hands out what it holds; notes who was asked for, and why.
#[derive(Default)]
struct Asked {
    value: Mutex<Option<&'static str>>,
    asked: Mutex<Vec<(String, Why)>>,
}

impl Asked {
    fn set(&self, value: Option<&'static str>) {
        *self.value.lock().unwrap() = value;
    }

    fn why(&self) -> Vec<Why> {
        let asked = self.asked.lock().unwrap();
        assert!(asked.iter().all(|(account, _)| account == "me"));
        asked.iter().map(|(_, why)| *why).collect()
    }
}

impl CredentialProvider for Asked {
    fn provide(&self, ask: CredentialAsk) {
        self.asked.lock().unwrap().push((ask.account().to_owned(), ask.why()));
        match *self.value.lock().unwrap() {
            Some(value) => ask.supply(Credential::token(value)),
            None => ask.later(None),
        }
        // Answered once; what is said after that is said to nobody.
        ask.supply(Credential::token("stale"));
    }
}

#[test]
fn lost_token() {
    let world = World::new();
    let asked = Arc::new(Asked::default());
    let client = Client::open(Config { credentials: asked.clone(), ..world.config() }).unwrap();
    let file = world.file("photo.jpg", 3 * MIB);
    world.only_token("second");
    asked.set(Some("second"));
    let id = start(&client, request(&world, &file, "a.jpg"));
    completed(&client, &id);
    assert_eq!(asked.why(), [Why::First]);

    // It is over in the middle of two uploads: asked for again, once, and no part goes twice.
    let hold = world.rule(Rule::new(Step::Part, How::Hold { after_bytes: 1_000 }));
    let both = ["b.jpg", "c.jpg"].map(|path| start(&client, request(&world, &file, path)));
    world.wait("parts are under way", |log| of(log, Step::Part).any(|entry| entry.stands));
    world.only_token("third");
    asked.set(Some("third"));
    world.cloud.remove_rule(hold);
    both.iter().for_each(|id| drop(completed(&client, id)));
    assert_eq!(asked.why(), [Why::First, Why::Refused]);
    assert_eq!(world.parts_sent().len(), 9, "{}", world.told());

    // Nobody has one: a named wait, until one is set.
    world.only_token("fourth");
    asked.set(None);
    let id = start(&client, request(&world, &file, "d.jpg"));
    let waits =
        until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential) && needs_host(snapshot));
    assert!(error_of(&waits).is_none_or(|error| error.remedy() == Remedy::SignInAgain), "{waits:?}");
    assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest);
    assert_eq!(asked.why(), [Why::First, Why::Refused, Why::Refused], "once, however long it waits");
    client.set_credential("me", Credential::token("fourth"));
    completed(&client, &id);
    assert_eq!(asked.why().len(), 3);
    for path in ["a.jpg", "b.jpg", "c.jpg", "d.jpg"] {
        stored(&world, path, &file);
    }
    assert_eq!(world.parts_sent().len(), 12);
}

#[test]
fn conflict_answered() {
    let world = World::new();
    let client = world.open();
    let theirs = world.file("theirs", 2 * MIB);
    let ours = world.file("ours", 5 * MIB);
    let id = start(&client, request(&world, &theirs, "photo.jpg"));
    completed(&client, &id);
    let answered = |key: &str, choice: ConflictChoice| {
        let mut asks = request(&world, &ours, "photo.jpg");
        asks.key = key.into();
        asks.conflict = Conflict::Ask;
        let before = world.parts_sent().len();
        let id = start(&client, asks);
        let told = until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Conflict));
        let State::Waiting { waiting } = &told.state else { unreachable!() };
        let choices = [ConflictChoice::Rename, ConflictChoice::Overwrite, ConflictChoice::Cancel];
        assert!(choices.iter().all(|choice| waiting.choices.contains(choice)), "{waiting:?}");
        assert!(!waiting.choices.contains(&ConflictChoice::KeepIfSame) && waiting.needs_host, "{waiting:?}");
        let error = error_of(&told).unwrap();
        assert_eq!((error.code, error.remedy()), (Code::NameConflict, Remedy::AnswerConflict));
        // What is no choice changes nothing.
        assert_eq!(client.answer_conflict(&id, ConflictChoice::KeepIfSame).unwrap_err().code, Code::WrongState);
        assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest);
        assert_eq!(waiting_for(&client.snapshot(&id).unwrap()), Some(WaitReason::Conflict));
        let sent = world.parts_sent().len();
        assert_eq!(sent, before + 5, "all of it is there before the question");
        client.answer_conflict(&id, choice).unwrap();
        let receipt = completed(&client, &id);
        assert_eq!(world.parts_sent().len(), sent, "no part is sent again");
        assert_eq!(client.answer_conflict(&id, choice).unwrap_err().code, Code::WrongState, "answered once");
        receipt
    };
    let renamed = answered("beside it", ConflictChoice::Rename);
    assert!(renamed.name != "photo.jpg" && !renamed.overwritten, "{}", renamed.name);
    stored(&world, "photo.jpg", &theirs);
    stored(&world, &renamed.name, &ours);
    let replaced = answered("in its place", ConflictChoice::Overwrite);
    assert!(replaced.name == "photo.jpg" && replaced.overwritten);
    stored(&world, "photo.jpg", &ours);
    assert_eq!(world.cloud.objects().len(), 2);
    world.nothing_acknowledged_is_sent_again();
}

/// Hands the asks on to the test.
struct Asks(Mutex<mpsc::Sender<SourceAsk>>);

impl SourceProvider for Asks {
    fn open(&self, ask: SourceAsk) {
        self.0.lock().unwrap().send(ask).unwrap();
    }
}

#[test]
fn source_given_again() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    // Bytes in memory do not outlive their client.
    let stall = stall_after(&world, 2);
    let client = world.open();
    let source = Source::memory(std::fs::read(&file).unwrap());
    let id = start(&client, UploadRequest { source: source.clone(), ..request(&world, &file, "a.jpg") });
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    world.leave(client);
    world.cloud.remove_rule(stall);
    let client = world.open();
    let waits =
        until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source) && needs_host(snapshot));
    assert_eq!((error_of(&waits).unwrap().code, waits.progress.parts_done), (Code::SourceNotFound, 2));
    client.attach_source(&id, source).unwrap();
    completed(&client, &id);
    assert_eq!(stored(&world, "a.jpg", &file).size, 4 * MIB);
    assert_eq!(acknowledged(&world.cloud.log()), [1, 2, 3, 4]);
    world.hold_promises(&file);
    world.leave(client);

    // One that is to be had later is asked for, by its token.
    let (asks, asked) = mpsc::channel();
    let config = Config { sources: Some(Arc::new(Asks(Mutex::new(asks)))), ..world.config() };
    let client = Client::open(config).unwrap();
    let later = |path: &str| UploadRequest { source: Source::later(*b"asset-7"), ..request(&world, &file, path) };
    let next = || asked.recv_timeout(Duration::from_millis(PATIENCE_MS)).expect("the host is asked");
    let id = start(&client, later("b.jpg"));
    let ask = next();
    assert_eq!((ask.token(), ask.key(), ask.upload_id()), (&b"asset-7"[..], "b.jpg", id.as_str()));
    assert_eq!(ask.why().code, Code::SourceNotFound);
    ask.preparing(0.5);
    until(
        &client,
        &id,
        |snapshot| matches!(&snapshot.state, State::Waiting { waiting } if waiting.prepared == Some(0.5)),
    );
    ask.supply(Source::path(&file));
    ask.gone(); // Answered once.
    completed(&client, &id);
    stored(&world, "b.jpg", &file);

    // What the host can't give is a named wait, until it is given after all.
    let id = start(&client, later("c.jpg"));
    next().gone();
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source) && needs_host(snapshot));
    client.attach_source(&id, Source::path(&file)).unwrap();
    completed(&client, &id);
    stored(&world, "c.jpg", &file);
    assert!(asked.try_recv().is_err(), "each is asked for once");
}

#[test]
fn hold_and_go() {
    let world = World::new();
    let client = world.open();
    let file = world.file("film.mp4", 8 * MIB);
    let stall = stall_after(&world, 2);
    let film = start(&client, request(&world, &file, "film.mp4"));
    until(&client, &film, |snapshot| snapshot.progress.parts_done == 2);
    stand_still(&world, 4);
    let since = Instant::now();
    let idle = client.hold(PATIENCE_MS);
    let took = since.elapsed();
    assert!(idle.at_rest && idle.active == 0 && idle.bytes_remaining == 6 * MIB, "{idle:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    // The cloud hears of it as it hears of any end.
    let quiet = |log: &[partway_sandbox::LogEntry]| log.iter().all(|entry| entry.ended_ms.is_some()).then_some(());
    assert!(world.cloud.wait_log(Duration::from_secs(1), quiet).is_some(), "{}", world.told());
    assert_eq!(waiting_for(&client.snapshot(&film).unwrap()), Some(WaitReason::Held));
    world.cloud.remove_rule(stall);

    // Nothing is asked while it is held, whatever is started.
    let before = world.cloud.log().len();
    let other = start(&client, request(&world, &file, "other.mp4"));
    assert!(client.hold(PATIENCE_MS).at_rest && client.wait_idle(Some(PATIENCE_MS)).at_rest);
    assert_eq!((world.cloud.log().len(), client.snapshot(&other).unwrap().state.ended()), (before, false));

    // No lock is held: another client may have one of them.
    let theirs = Client::open(Config { apart: true, autostart: false, ..world.config() }).unwrap();
    theirs.go_only(std::slice::from_ref(&film));
    completed(&theirs, &film);
    assert!(theirs.close(5_000));
    drop(theirs);
    stored(&world, "film.mp4", &file);
    assert!(world.cloud.objects().len() == 1 && !client.snapshot(&other).unwrap().state.ended());
    client.go();
    completed(&client, &film);
    completed(&client, &other);
    assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest);
    stored(&world, "other.mp4", &file);
    assert_eq!((world.cloud.objects().len(), world.requests(Step::Begin)), (2, 2), "{}", world.told());
    world.nothing_acknowledged_is_sent_again();
}

#[test]
fn error_mapping() {
    let world = World::new();
    let client = world.open();
    let file = world.file("photo.jpg", 2 * MIB);

    // Refused at once.
    let keyless = || UploadRequest { key: String::new(), ..request(&world, &file, "photo.jpg") };
    let tiny = || UploadRequest { part_size_bytes: Some(1), ..request(&world, &file, "photo.jpg") };
    assert_eq!(number(client.start(keyless())), 1001);
    let refused = client.start(tiny()).unwrap_err();
    assert_eq!((refused.code.number(), refused.name()), (1002, "part_size_unusable"));
    assert_eq!((refused.category(), refused.disposition()), (Category::Usage, Disposition::Final));
    assert_eq!((refused.http_status, refused.retry_after_ms, refused.remedy()), (None, None, Remedy::None));
    assert!(refused.to_string().starts_with("PW-1002 part_size_unusable: "), "{refused}");
    assert_eq!(number(client.wait("nobody", None)), 1004);
    assert_eq!(number(client.retry("nobody")), 1004);
    assert_eq!(number(client.attach_source("nobody", Source::path(&file))), 1004);
    assert_eq!(number(client.answer_conflict("nobody", ConflictChoice::Rename)), 1004);
    assert!(client.snapshot("nobody").is_none() && client.explain("nobody").is_none());
    assert!(client.list(&Select::All).is_empty() && world.cloud.log().is_empty());

    // One that is refused harms no other.
    let mut all = client.start_all(vec![tiny(), request(&world, &file, "fine.jpg"), keyless()]);
    assert_eq!((number(all.pop().unwrap()), number(all.swap_remove(0))), (1001, 1002));
    let fine = all.pop().unwrap().unwrap().id;
    completed(&client, &fine);
    assert_eq!(number(client.answer_conflict(&fine, ConflictChoice::Rename)), 6004);
    assert_eq!(number(client.retry(&fine)), 6004);

    // What a person can mend is a wait that names it.
    let full = world.rule(Rule::new(Step::Begin, How::status(403, "QuotaLimitReached")));
    let id = start(&client, request(&world, &file, "full.jpg"));
    let error = error_of(&until(&client, &id, needs_host)).unwrap();
    assert_eq!((error.code.number(), error.name(), error.http_status), (4005, "quota_exceeded", Some(403)));
    assert_eq!((error.category(), error.disposition()), (Category::Service, Disposition::AskUser));
    assert_eq!((error.remedy(), error.service_code.as_deref()), (Remedy::FreeCloudSpace, Some("QuotaLimitReached")));
    assert!(error.request_id.is_some_and(|id| !id.is_empty()));
    let explained = client.explain(&id).unwrap();
    assert!(
        explained.remedy == Remedy::FreeCloudSpace && !explained.blocked_by.is_empty() && !explained.text.is_empty()
    );
    let timeline = client.timeline_json(&id).unwrap();
    assert!(timeline.contains("4005") && !timeline.contains("full.jpg"), "{timeline}");
    world.cloud.remove_rule(full);
    client.resume(&one(&id));
    completed(&client, &id);
    let missing = world.dir.path().join("missing.jpg");
    let id = start(&client, request(&world, &missing, "missing.jpg"));
    let error = error_of(&until(&client, &id, needs_host)).unwrap();
    assert_eq!(
        (error.code.number(), error.category(), error.remedy()),
        (2001, Category::Source, Remedy::ChooseFileAgain)
    );
    std::fs::copy(&file, &missing).unwrap();
    client.resume(&one(&id));
    completed(&client, &id);

    // What time mends is a wait for the next try.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = SmhTarget { endpoint: format!("http://{nobody}"), ..world.target("nowhere.jpg") };
    let nowhere = UploadRequest { target: Target::Smh(target), ..request(&world, &file, "nowhere.jpg") };
    let id = start(&client, nowhere);
    let error = error_of(&until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Retry))).unwrap();
    assert_eq!(
        (error.code.number(), error.category(), error.disposition()),
        (3003, Category::Network, Disposition::Retry)
    );
    client.cancel(&one(&id));
    ended(&client, &id);

    // And what nobody can mend is a failure.
    let refuse = world.rule(Rule::new(Step::Confirm, How::status(451, "")));
    let id = start(&client, request(&world, &file, "refused.jpg"));
    let end = ended(&client, &id);
    assert!(matches!(&end.state, State::Failed { error } if error.code.number() == 4013), "{end:?}");
    world.cloud.remove_rule(refuse);
    world.rule(Rule::new(Step::Begin, How::status(400, "ParamInvalid")));
    let id = start(&client, request(&world, &file, "failed.jpg"));
    let end = ended(&client, &id);
    let State::Failed { error } = end.state else { panic!("{end:?}") };
    assert_eq!((error.code.number(), error.service_code.as_deref()), (4014, Some("ParamInvalid")));
    assert_eq!((error.http_status, error.disposition()), (Some(400), Disposition::Final));
    assert!(client.close(5_000));
    assert_eq!(number(client.start(request(&world, &file, "late.jpg"))), 6002);
}

#[test]
fn exactly_one_ending() {
    let world = World::new();
    let file = world.file("small", MIB);
    world.rule(Rule::new(Step::Begin, How::status(400, "ParamInvalid")).path_contains("bad"));
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 1_000 }).path_contains("gone"));
    let limits = Limits { parallel_uploads: 12, parallel_parts: 12, ..Limits::default() };
    let (client, told) = Told::open(&world, Config { limits, ..world.config() });
    let requests = (0..12).map(|at| {
        let kind = ["fine", "bad", "gone"][at % 3];
        UploadRequest { group: Some(kind.into()), ..request(&world, &file, &format!("{kind}{at}")) }
    });
    let mut ids: Vec<String> = client.start_all(requests.collect()).into_iter().map(|one| one.unwrap().id).collect();
    ids.sort();
    stand_still(&world, 4);
    let of_kind = |kind: &str| client.list(&Select::Group { group: kind.into() });
    of_kind("fine").iter().chain(&of_kind("bad")).for_each(|one| drop(ended(&client, &one.id)));
    // Cancelled while parts are under way: what they count comes after the ending, and must not tell it again.
    assert_eq!(world.open_tasks(), 4);
    assert_eq!(client.cancel(&Select::Group { group: "gone".into() }), 4);
    let ends: BTreeMap<String, State> = ids.iter().map(|id| (id.clone(), ended(&client, id).state)).collect();
    let expected = |kind: &str, is: fn(&State) -> bool| {
        let all = of_kind(kind);
        assert!(all.len() == 4 && all.iter().all(|snapshot| is(&snapshot.state)), "{kind}: {all:?}");
    };
    expected("fine", |state| matches!(state, State::Completed { .. }));
    expected("bad", |state| matches!(state, State::Failed { .. }));
    expected("gone", |state| matches!(state, State::Cancelled { remote: Remote::Aborted }));
    world.becomes("all are told", || told.endings().len() >= 12);
    // What comes too late changes nothing, and tells nothing.
    let late = (client.cancel(&Select::All), client.pause(&Select::All), client.resume(&Select::All));
    assert_eq!(late, (0, 0, 0));
    assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest && client.close(5_000));
    for (id, end) in &ends {
        let endings: Vec<State> = told.of(id).into_iter().flatten().filter(State::ended).collect();
        assert_eq!(endings, std::slice::from_ref(end), "its ending once");
        assert_eq!(told.of(id).last(), Some(&Some(end.clone())), "its ending is the last that is told of it");
    }
    drop(client);

    // Kept until it is taken: the next client tells each once more, and then that it is forgotten.
    let (client, told) = Told::open(&world, world.config());
    world.becomes("they are told again", || told.endings().len() >= 12);
    for (id, end) in &ends {
        assert!(client.snapshot(id).unwrap().state == *end, "the same ending");
    }
    assert!(told.forgotten().is_empty());
    assert_eq!(client.forget(&Select::All), 12);
    world.becomes("they are forgotten", || told.forgotten().len() >= 12);
    assert_eq!((client.forget(&Select::All), client.list(&Select::All).len()), (0, 0));
    assert!(client.close(5_000));
    assert_eq!((told.endings(), told.forgotten()), (ids.clone(), ids.clone()), "each once");
    for (id, end) in &ends {
        assert_eq!(told.of(id), [Some(end.clone()), None], "the ending, then that it is forgotten, and nothing else");
    }
    drop(client);

    let (client, told) = Told::open(&world, world.config());
    assert!(client.list(&Select::All).is_empty());
    assert!(client.wait_idle(Some(PATIENCE_MS)).at_rest && client.close(5_000));
    assert!(told.0.lock().unwrap().is_empty(), "nothing is told of what is forgotten");
    assert_eq!(world.cloud.objects().len(), 4, "one for each that was completed");
}

#[test]
fn fifty_parallel_uploads() {
    let world = World::new();
    let limits = Limits { parallel_uploads: 50, parallel_parts: 50, ..Limits::default() };
    let (client, told) = Told::open(&world, Config { limits, ..world.config() });
    let hold = world.rule(Rule::new(Step::Part, How::Hold { after_bytes: 0 }));
    let files: Vec<_> = (0..50)
        .map(|number| {
            let path = world.dir.path().join(format!("photo-{number}.jpg"));
            std::fs::write(&path, content(100_000 + number, 100 + number)).unwrap();
            path
        })
        .collect();
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    let mut requests: Vec<UploadRequest> = files.iter().map(|file| request(&world, file, &name(file))).collect();
    requests.iter_mut().for_each(|request| request.group = Some("fifty".into()));
    // One that is refused harms no other.
    requests.push(UploadRequest { key: String::new(), ..request(&world, &files[0], "no key") });
    let mut started = client.start_all(requests);
    assert_eq!(number(started.pop().unwrap()), 1001);
    let mut ids: Vec<String> = started.into_iter().map(|one| one.unwrap().id).collect();
    assert_eq!(client.list(&Select::Group { group: "fifty".into() }).len(), 50);
    world.wait("fifty at once", |log| of(log, Step::Part).filter(|entry| entry.stands).count() == 50);
    assert!(client.list(&Select::All).iter().all(|snapshot| matches!(snapshot.state, State::Active { .. })));
    world.cloud.remove_rule(hold);
    for (id, file) in ids.iter().zip(&files) {
        let receipt = completed(&client, id);
        assert_eq!((receipt.name, receipt.instant), (name(file), false));
        stored(&world, &name(file), file);
    }
    assert_eq!((world.cloud.objects().len(), world.parts_sent().len()), (50, 50), "one object and one part each");
    world.becomes("all are told", || told.endings().len() >= 50);
    assert!(client.close(5_000));
    ids.sort();
    assert_eq!(told.endings(), ids, "each once");
}

/// A host whose every callback panics, and prints nothing of it. How often each was called.
#[derive(Default)]
struct Throws(Mutex<BTreeMap<&'static str, usize>>);

impl Throws {
    fn throw(&self, what: &'static str) -> ! {
        *self.0.lock().unwrap().entry(what).or_default() += 1;
        std::panic::resume_unwind(Box::new("the host's"))
    }

    fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().get(what).copied().unwrap_or_default()
    }
}

impl Listener for Throws {
    fn on_changes(&self, _: &[Snapshot]) {
        self.throw("changes")
    }

    fn on_forgotten(&self, _: &[String]) {
        self.throw("forgotten")
    }

    fn on_idle(&self, _: &Idle) {
        self.throw("idle")
    }
}

impl CredentialProvider for Throws {
    fn provide(&self, _: CredentialAsk) {
        self.throw("credential")
    }
}

impl SourceProvider for Throws {
    fn open(&self, _: SourceAsk) {
        self.throw("source")
    }
}

impl LogSink for Throws {
    fn log(&self, _: LogLevel, _: &str, _: &str) {
        self.throw("log")
    }
}

impl HostReader for Throws {
    /// One part, so that one reading of it panics.
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(MIB)
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, ErrorInfo> {
        self.throw("read")
    }

    fn concurrent(&self) -> bool {
        false
    }
}

#[test]
fn listener_that_throws() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let host = Arc::new(Throws::default());
    let config = Config {
        credentials: host.clone(),
        sources: Some(host.clone()),
        listener: Some(host.clone()),
        log: Some(host.clone()),
        log_level: LogLevel::Debug,
        ..world.config()
    };
    let client = Client::open(config).unwrap();
    // A provider that panics is a named wait, mended as any other.
    let first = start(&client, request(&world, &file, "a.jpg"));
    until(&client, &first, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential) && needs_host(snapshot));
    client.set_credential("me", Credential::token("sandbox-token"));
    completed(&client, &first);
    let sources = [("b.jpg", Source::later(*b"asset-7")), ("c.jpg", Source::reader(host.clone()))];
    for (path, source) in sources {
        let id = start(&client, UploadRequest { source, ..request(&world, &file, path) });
        let waits = |snapshot: &Snapshot| waiting_for(snapshot) == Some(WaitReason::Source) && needs_host(snapshot);
        let error = error_of(&until(&client, &id, waits)).unwrap();
        assert_eq!(error.category(), Category::Source, "{error}");
        client.attach_source(&id, Source::path(&file)).unwrap();
        completed(&client, &id);
    }
    for path in ["a.jpg", "b.jpg", "c.jpg"] {
        stored(&world, path, &file);
    }
    let told = host.count("changes");
    assert!(told >= 2, "it is told again though it panicked");
    assert_eq!(client.forget(&Select::All), 3);
    world.becomes("all of it was called", || {
        ["changes", "forgotten", "idle", "credential", "source", "log", "read"].iter().all(|what| host.count(what) > 0)
    });
    assert_eq!((host.count("credential"), host.count("source")), (1, 1));
    assert!(client.close(5_000));
    assert!(client.problems().is_empty() && world.open().list(&Select::All).is_empty());
    world.nothing_acknowledged_is_sent_again();
}

#[test]
fn client_closed_early() {
    let world = World::new();
    let file = world.file("film.mp4", 8 * MIB);
    let stall = stall_after(&world, 2);
    let (client, told) = Told::open(&world, world.config());
    let told = {
        let held = told;
        Arc::downgrade(&held)
    };
    let id = start(&client, request(&world, &file, "film.mp4"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    stand_still(&world, 4);

    // Waits in other threads end with it, each in its own way.
    let (over, ends) = mpsc::channel();
    let waits: [fn(&Client, &str) -> bool; 3] = [
        |client, id| !client.wait(id, None).unwrap().state.ended(),
        |client, id| client.wait_change(id, u64::MAX, 10 * PATIENCE_MS).is_none(),
        |client, _| client.wait_idle(None).bytes_remaining > 0,
    ];
    for wait in waits {
        let (client, id, over) = (client.clone(), id.clone(), over.clone());
        std::thread::spawn(move || over.send(wait(&client, &id)).unwrap());
    }
    let since = Instant::now();
    client.close(0);
    for _ in waits {
        assert!(ends.recv_timeout(Duration::from_millis(PATIENCE_MS)).expect("a wait ends"), "as it stands");
    }
    assert!(since.elapsed() < Duration::from_millis(PATIENCE_MS));
    assert!(client.close(5_000), "twice is once");

    // Whatever is called now does no harm, and says so where it could be missed.
    assert_eq!(number(client.start(request(&world, &file, "late.mp4"))), 6002);
    client.pause(&one(&id));
    client.cancel(&one(&id));
    client.go();
    assert!(!client.wait(&id, None).unwrap().state.ended(), "it returns at once");
    world.leave(client);
    world.becomes("the listener is let go", || told.upgrade().is_none());
    let before = world.cloud.log().len();

    // Nothing was cancelled: the next client goes on.
    world.cloud.remove_rule(stall);
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let there = client.list(&Select::All);
    assert_eq!((there.len(), &there[0].id, there[0].progress.parts_done), (1, &id, 2));
    assert_eq!(world.cloud.log().len(), before, "a closed client asks nothing");
    client.go();
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}
