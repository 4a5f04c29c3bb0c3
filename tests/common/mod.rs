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
    model::{Receipt, SmhTarget, Target},
};
use partway_sandbox::{Config as CloudConfig, Sandbox, StoredObject};

/// As long as anything may take before a test fails.
pub const PATIENCE_MS: u64 = 60_000;
pub const MIB: u64 = 1 << 20;

/// Hands out what it holds; counts.
pub struct Tokens {
    pub value: Mutex<Option<String>>,
    pub asked: AtomicU32,
}

impl Tokens {
    pub fn of(value: &str) -> Arc<Tokens> {
        Arc::new(Tokens { value: Mutex::new(Some(value.to_owned())), asked: AtomicU32::new(0) })
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
        match self.value.lock().unwrap().clone() {
            Some(value) => ask.supply(Credential::token(value)),
            None => ask.later(),
        }
    }
}

/// One test's world.
pub struct World {
    pub cloud: Sandbox,
    pub dir: tempfile::TempDir,
    pub tokens: Arc<Tokens>,
}

impl World {
    pub fn new() -> World {
        World::with(CloudConfig::default())
    }

    pub fn with(config: CloudConfig) -> World {
        World {
            cloud: Sandbox::start(config).expect("the sandbox starts"),
            dir: tempfile::tempdir().unwrap(),
            tokens: Tokens::of("sandbox-token"),
        }
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

    pub fn target(&self, path: &str) -> SmhTarget {
        SmhTarget {
            endpoint: self.cloud.api_url(),
            account: "me".into(),
            library: "smh-sandbox".into(),
            space: "-".into(),
            path: path.into(),
            create_parents: true,
            ..SmhTarget::default()
        }
    }

    pub fn request(&self, file: &Path, remote: &str) -> UploadRequest {
        let mut request = UploadRequest::new(remote, Target::Smh(self.target(remote)), Source::path(file));
        request.part_size_bytes = Some(MIB);
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
        self.cloud
            .log()
            .iter()
            .filter(|entry| entry.step == partway_sandbox::Step::Part)
            .filter_map(|entry| entry.part)
            .collect()
    }

    pub fn requests(&self, step: partway_sandbox::Step) -> usize {
        self.cloud.log().iter().filter(|entry| entry.step == step).count()
    }
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

pub fn ended(client: &Client, id: &str) -> Snapshot {
    let snapshot = client.wait(id, Some(PATIENCE_MS)).expect("a known upload");
    assert!(snapshot.state.ended(), "not ended after a minute: {:?} {:?}", snapshot, client.explain(id));
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
    let mut snapshot = client.snapshot(id).expect("a known upload");
    let deadline = std::time::Instant::now() + Duration::from_millis(PATIENCE_MS);
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
