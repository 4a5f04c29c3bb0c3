//! What every end-to-end test stands on: an emulated cloud, a state directory, a file, a client.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)] // Each test file uses its own part of this.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use partway::{
    client::{
        Client, Config, Credential, CredentialAsk, CredentialProvider, Select, Snapshot, Source, State, UploadRequest,
        WaitReason,
    },
    model::{InstantMode, KooDriveTarget, Receipt, ServiceName, SmhMode, SmhTarget, Target},
};
use partway_sandbox::{Config as CloudConfig, LogEntry, Rule, Sandbox, Step, StoredObject};

/// As long as anything may take before a test fails.
pub const PATIENCE_MS: u64 = 60_000;
pub const MIB: u64 = 1 << 20;

/// Hands out what it holds; counts.
pub struct Tokens {
    pub value: Mutex<Option<String>>,
    /// What it holds once it was asked.
    pub then: Mutex<Option<String>>,
    pub asked: AtomicU32,
}

impl Tokens {
    pub fn of(value: &str) -> Arc<Tokens> {
        Arc::new(Tokens { value: Mutex::new(Some(value.to_owned())), then: Mutex::default(), asked: AtomicU32::new(0) })
    }

    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn set(&self, value: Option<&str>) {
        *self.value.lock().unwrap() = value.map(str::to_owned);
    }
}

impl CredentialProvider for Tokens {
    fn provide(&self, ask: CredentialAsk) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let value = self.value.lock().unwrap().clone();
        if let Some(then) = self.then.lock().unwrap().take() {
            self.set(Some(&then));
        }
        match value {
            Some(value) => ask.supply(Credential::token(value)),
            None => ask.later(None),
        }
    }
}

/// One test's world.
pub struct World {
    pub service: ServiceName,
    pub cloud: Sandbox,
    pub dir: tempfile::TempDir,
    pub tokens: Arc<Tokens>,
}

impl World {
    pub fn new() -> World {
        World::with(CloudConfig::default())
    }

    /// A world of that service.
    pub fn of(service: ServiceName) -> World {
        let world = World { service, ..World::new() };
        world.tokens.set(Some(&world.token("sandbox-token")));
        world
    }

    pub fn with(config: CloudConfig) -> World {
        World {
            service: ServiceName::Smh,
            cloud: Sandbox::start(config).expect("the sandbox starts"),
            dir: tempfile::tempdir().unwrap(),
            tokens: Tokens::of("sandbox-token"),
        }
    }

    /// The size of the parts of [`World::request`]: the least that each service takes.
    pub fn part(&self) -> u64 {
        part_of(self.service)
    }

    /// How many begins of an upload into a new directory come to nothing before the one that opens a session.
    pub fn first_begin(&self) -> u64 {
        u64::from(self.service == ServiceName::Smh)
    }

    /// A credential of that name, as the service writes it.
    pub fn token(&self, name: &str) -> String {
        match self.service {
            ServiceName::Smh => name.to_owned(),
            ServiceName::KooDrive => format!("Bearer {name}"),
        }
    }

    pub fn add_token(&self, name: &str) {
        match self.service {
            ServiceName::Smh => self.cloud.add_token(name),
            ServiceName::KooDrive => self.cloud.add_koodrive_token(&self.token(name)),
        }
    }

    /// Every other one is over.
    pub fn only_token(&self, name: &str) {
        match self.service {
            ServiceName::Smh => self.cloud.only_tokens(&[name]),
            ServiceName::KooDrive => self.cloud.only_koodrive_tokens(&[&self.token(name)]),
        }
    }

    /// The service's clock from here on; the credential's life has just begun by it.
    pub fn set_clock_offset_ms(&self, offset_ms: i64) {
        self.cloud.set_clock_offset_ms(offset_ms);
        if self.service == ServiceName::KooDrive {
            self.only_token("sandbox-token");
        }
    }

    /// Signed links live so long from here on.
    pub fn set_link_ttl_ms(&self, ttl_ms: u64) {
        self.cloud.set_switches(|switches| {
            switches.link_ttl_ms = ttl_ms;
            switches.koodrive.url_ttl_ms = ttl_ms;
        });
    }

    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// A file of bytes that differ from place to place.
    pub fn file(&self, name: &str, size_bytes: u64) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content(size_bytes, name.len() as u64)).unwrap();
        path
    }

    pub fn config(&self) -> Config {
        let mut config = Config::new(self.state_dir(), self.tokens.clone());
        config.limits.parallel_parts = 4;
        config.tls.extra_ca_pem = self.cloud.ca_pem().map(str::to_owned);
        config
    }

    pub fn open(&self) -> Client {
        Client::open(self.config()).expect("the client opens")
    }

    /// The cloud's own word for the one task that is open.
    pub fn confirm_key(&self) -> String {
        let open: Vec<_> = self.cloud.uploads().into_iter().filter(|task| !task.confirmed).collect();
        assert_eq!(open.len(), 1, "{open:?}");
        open[0].confirm_key.clone()
    }

    pub fn target(&self, path: &str) -> SmhTarget {
        SmhTarget {
            endpoint: self.cloud.api_url(),
            account: "me".into(),
            library: "smh-sandbox".into(),
            space: "-".into(),
            path: path.into(),
            create_parents: true,
            // What is tested of parts is tested of parts, also of files of one; other modes have tests of their own.
            mode: SmhMode::Multipart,
            ..SmhTarget::default()
        }
    }

    /// An upload in parts of [`World::part`]; its directory is made where the service has that, else it lies in no folder.
    pub fn request(&self, file: &Path, remote: &str) -> UploadRequest {
        if self.service == ServiceName::KooDrive {
            let name = remote.rsplit('/').next().unwrap_or_default();
            return UploadRequest { key: remote.to_owned(), ..self.koodrive_request(file, name) };
        }
        let mut request = UploadRequest::new(remote, Target::Smh(self.target(remote)), Source::path(file));
        request.part_size_bytes = Some(MIB);
        request
    }

    pub fn koodrive_target(&self, name: &str) -> KooDriveTarget {
        KooDriveTarget {
            endpoint: self.cloud.koodrive_url(),
            account: "me".into(),
            container: self.cloud.config().koodrive.container.clone(),
            parent: "root".into(),
            name: name.into(),
            ..KooDriveTarget::default()
        }
    }

    /// An upload to KooDrive in parts of 5 MiB, hashed ahead of sending; its credential must be `Bearer sandbox-token`.
    pub fn koodrive_request(&self, file: &Path, name: &str) -> UploadRequest {
        let mut request = UploadRequest::new(name, Target::KooDrive(self.koodrive_target(name)), Source::path(file));
        request.part_size_bytes = Some(5 * MIB);
        request.instant = InstantMode::Off;
        request
    }

    /// The same, the bytes travelling that way.
    pub fn request_by(&self, mode: SmhMode, file: &Path, remote: &str) -> UploadRequest {
        let mut request = self.request(file, remote);
        request.target = Target::Smh(SmhTarget { mode, ..self.target(remote) });
        request
    }

    /// The one object there is; it must hold exactly these bytes.
    pub fn sole_object(&self, file: &Path) -> StoredObject {
        let objects = self.cloud.objects();
        assert_eq!(
            objects.len(),
            1,
            "exactly one object: {:?}",
            objects.iter().map(|object| &object.path).collect::<Vec<_>>()
        );
        assert!(
            std::fs::read(objects[0].file.as_ref().unwrap()).unwrap() == std::fs::read(file).unwrap(),
            "the object is the file"
        );
        objects[0].clone()
    }

    /// Data requests that reached the cloud, as part numbers in order.
    pub fn parts_sent(&self) -> Vec<u32> {
        self.cloud.log().iter().filter(|entry| entry.step == Step::Part).filter_map(|entry| entry.part).collect()
    }

    pub fn requests(&self, step: Step) -> usize {
        self.cloud.log().iter().filter(|entry| entry.step == step).count()
    }

    pub fn rule(&self, rule: Rule) -> u64 {
        self.cloud.add_rule(rule)
    }

    /// Waits until the cloud's log looks as wanted.
    pub fn wait(&self, what: &str, mut wanted: impl FnMut(&[LogEntry]) -> bool) {
        let found = self.cloud.wait_log(Duration::from_millis(PATIENCE_MS), |log| wanted(log).then_some(()));
        assert!(found.is_some(), "never seen: {what}\n{}", self.told());
    }

    /// Waits until something is so that no log tells; looked at after each thing that the cloud did.
    pub fn becomes(&self, what: &str, mut so: impl FnMut() -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_millis(PATIENCE_MS);
        while !so() {
            assert!(std::time::Instant::now() < deadline, "never so: {what}\n{}", self.told());
            let mut looks = 0;
            self.cloud.wait_log(Duration::from_millis(20), |_| {
                looks += 1;
                (looks > 1).then_some(())
            });
        }
    }

    /// Waits until so many requests of a step have come.
    pub fn wait_requests(&self, step: Step, count: usize) {
        self.wait(&format!("{count} x {step:?}"), |log| of(log, step).count() >= count);
    }

    /// The client's process is seen no more, and nothing that it sent is under way.
    pub fn leave(&self, client: Client) {
        client.close(5_000);
        drop(client);
        self.wait("nothing is under way", |log| log.iter().all(|entry| entry.ended_ms.is_some()));
    }

    /// Upload tasks at the service that were not confirmed.
    pub fn open_tasks(&self) -> usize {
        self.cloud.uploads().iter().filter(|task| !task.confirmed).count()
    }

    /// What every test holds, whatever it was about: at most one object, it is the file, nothing acknowledged was sent again, no secret on disk.
    pub fn hold_promises(&self, file: &Path) {
        self.hold_promises_beside(file, &[]);
    }

    /// The same, where these contents lay in the cloud already.
    pub fn hold_promises_beside(&self, file: &Path, others: &[&Path]) {
        let bytes = std::fs::read(file).unwrap();
        let others: Vec<Vec<u8>> = others.iter().map(|other| std::fs::read(other).unwrap()).collect();
        let stored: Vec<Vec<u8>> =
            self.cloud.objects().iter().map(|object| std::fs::read(object.file.as_ref().unwrap()).unwrap()).collect();
        let ours = stored.iter().filter(|content| **content == bytes).count();
        assert!(ours <= 1, "{ours} objects of one upload");
        assert!(
            stored.iter().all(|content| *content == bytes || others.contains(content)),
            "an object is no file of ours"
        );
        self.nothing_acknowledged_is_sent_again();
        self.no_secret_on_disk();
    }

    /// The same after `stops` pauses, holds or closes: each may cost what was in flight, four parts at most.
    pub fn hold_promises_after(&self, file: &Path, stops: usize) {
        let again = self.acknowledged_and_sent_again();
        assert!(again.len() <= 4 * stops, "{again:?}\n{}", self.told());
        let bytes = std::fs::read(file).unwrap();
        let objects = self.cloud.objects();
        let same = |object: &StoredObject| std::fs::read(object.file.as_ref().unwrap()).unwrap() == bytes;
        assert!(objects.len() <= 1 && objects.iter().all(same), "more than one object, or another one");
        self.no_secret_on_disk();
    }

    /// A part whose 200 no rule touched is never sent again to the same task.
    pub fn nothing_acknowledged_is_sent_again(&self) {
        let again = self.acknowledged_and_sent_again();
        assert!(again.is_empty(), "{again:?}\n{}", self.told());
    }

    fn acknowledged_and_sent_again(&self) -> Vec<String> {
        let mut acknowledged = std::collections::BTreeMap::new();
        let mut again = vec![];
        for entry in self.cloud.log().iter().filter(|entry| entry.step == Step::Part) {
            // KooDrive signs each link anew: of the same upload it is all the same.
            let upload = entry.query.split('&').find(|pair| pair.starts_with("uploadId="));
            let key = (upload.unwrap_or(&entry.query).to_owned(), entry.path.clone(), entry.part);
            // The cloud may see the head of an older request later: only what came after the acknowledgement counts.
            if let Some((before, ended_ms)) = acknowledged.get(&key)
                && entry.ms > *ended_ms
            {
                again.push(format!("part {:?} was acknowledged by {before}, sent again by {}", entry.part, entry.seq));
            }
            if entry.status == Some(200) && entry.rule.is_none() {
                acknowledged.insert(key, (entry.seq, entry.ended_ms.unwrap_or(u64::MAX)));
            }
        }
        again
    }

    /// No token and no signature in any file of the state directory.
    pub fn no_secret_on_disk(&self) {
        for path in files(&self.state_dir()) {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let canaries = ["sandbox-token", "fresh-token", "q-signature", "q-ak", "access_token"];
            let of_koodrive = ["sandbox-app-secret", "X-Amz-Signature", "Signature=", "X-Amz-Credential"];
            for canary in canaries.into_iter().chain(of_koodrive) {
                let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
                assert!(!found, "{canary} in {}", path.display());
            }
        }
    }

    /// The log, short, for the message of a failed test.
    pub fn told(&self) -> String {
        let line = |entry: &LogEntry| {
            let part = entry.part.map(|part| format!(" part {part}")).unwrap_or_default();
            let LogEntry { seq, ms, ended_ms, step, status, rule, body_bytes, .. } = entry;
            format!("{seq:4} {ms:6}..{ended_ms:?} {step:?}{part} -> {status:?} rule {rule:?} {body_bytes} bytes")
        };
        let log = self.cloud.log();
        log.iter().skip(log.len().saturating_sub(60)).map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The size of a part in [`World::request`].
pub fn part_of(service: ServiceName) -> u64 {
    match service {
        ServiceName::Smh => MIB,
        ServiceName::KooDrive => 5 * MIB,
    }
}

/// The entries of one step.
pub fn of(log: &[LogEntry], step: Step) -> impl Iterator<Item = &LogEntry> {
    log.iter().filter(move |entry| entry.step == step)
}

/// The parts that were answered well and untouched by a rule.
pub fn acknowledged(log: &[LogEntry]) -> Vec<u32> {
    let good = |entry: &&LogEntry| entry.status == Some(200) && entry.rule.is_none();
    let mut parts: Vec<u32> = of(log, Step::Part).filter(good).filter_map(|entry| entry.part).collect();
    parts.sort_unstable();
    parts
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return vec![] };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Runs each case on a thread of its own: they wait more than they work. The first that fails says its name.
pub fn each<T: Sync + std::fmt::Debug>(cases: &[T], run: impl Fn(&T) + Sync) {
    let run = &run;
    let failed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|case| (case, scope.spawn(move || run(case)))).collect();
        let of = |(case, thread): (&T, std::thread::ScopedJoinHandle<'_, ()>)| {
            let why = thread.join().err()?;
            let text = why.downcast_ref::<String>().cloned();
            let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Some(format!("{case:?}: {}", text.unwrap_or_default()))
        };
        threads.into_iter().filter_map(of).collect()
    });
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

/// The error that a wait or an end speaks of.
pub fn error_of(snapshot: &Snapshot) -> Option<partway::error::ErrorInfo> {
    match &snapshot.state {
        State::Waiting { waiting } => waiting.error.clone(),
        State::Failed { error } => Some(error.clone()),
        _ => None,
    }
}

/// Waits for something that only the host or a person can mend.
pub fn needs_host(snapshot: &Snapshot) -> bool {
    matches!(&snapshot.state, State::Waiting { waiting } if waiting.needs_host)
}

pub fn content(size_bytes: u64, seed: u64) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15 ^ seed;
    let mut bytes = Vec::with_capacity(size_bytes as usize + 8);
    while (bytes.len() as u64) < size_bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size_bytes as usize);
    bytes
}

/// The upload's ending; a minute without one fails.
pub fn ended(client: &Client, id: &str) -> Snapshot {
    let snapshot = client.wait(id, Some(PATIENCE_MS)).expect("a known upload");
    assert!(snapshot.state.ended(), "never ended: {:?} {:?}", snapshot, client.explain(id));
    snapshot
}

pub fn completed(client: &Client, id: &str) -> Receipt {
    match ended(client, id).state {
        State::Completed { receipt } => receipt,
        other => panic!("not completed: {other:?}"),
    }
}

pub fn start(client: &Client, request: UploadRequest) -> String {
    client.start(request).expect("started").id
}

/// Waits until the upload looks as wanted.
pub fn until(client: &Client, id: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    until_within(client, id, PATIENCE_MS, wanted)
}

/// The same where a whole retry budget is spent first.
pub fn until_long(client: &Client, id: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    until_within(client, id, 5 * PATIENCE_MS, wanted)
}

fn until_within(client: &Client, id: &str, patience_ms: u64, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let mut snapshot = client.snapshot(id).expect("a known upload");
    let deadline = std::time::Instant::now() + Duration::from_millis(patience_ms);
    while !wanted(&snapshot) {
        assert!(std::time::Instant::now() < deadline, "it never came: {snapshot:?}");
        if let Some(next) = client.wait_change(id, snapshot.revision, 1_000) {
            snapshot = next;
        }
    }
    snapshot
}

pub fn waiting_for(snapshot: &Snapshot) -> Option<WaitReason> {
    match &snapshot.state {
        State::Waiting { waiting } => Some(waiting.reason),
        _ => None,
    }
}

pub fn one(id: &str) -> Select {
    Select::one(id)
}
