//! A cloud, a proxy in front of each of its planes, and a client that sees only these.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use partway::{
    client::{Client, Listener, Snapshot, State, UploadRequest, WaitReason},
    error::Code,
    model::{
        InstantMode, Target,
        http::{Answer, Request, TransportFault},
    },
    transport::{CancelToken, Lane, Lanes, RequestBody, TransportConfig, UreqTransport},
};
use partway_sandbox::{Config as CloudConfig, FaultProxy, LogEntry, Rule, Step};

use crate::{common::*, table::Plane};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Smh,
    KooDrive,
}

/// Of the part that things happen to: the second and last one.
pub(crate) const PART_BYTES: u64 = MIB;

/// The longest silences, in the place of 10, 30, 60 and 180 s: no cell shall wait for these.
const CONNECT_MS: u64 = 4_000;
const STALL_MS: u64 = 4_000;
const PATIENCE_MS: u64 = 4_000;

/// One lane for all workers, so that it is known which connection a request takes.
struct OneLane(Arc<Mutex<Box<dyn Lane>>>);

impl Lanes for OneLane {
    fn lane(&self) -> Box<dyn Lane> {
        Box::new(OneLane(self.0.clone()))
    }
}

impl Lane for OneLane {
    fn execute(
        &mut self,
        request: &Request,
        body: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault> {
        self.0.lock().unwrap().execute(request, body, cancel)
    }
}

/// Every state that was told.
#[derive(Default)]
struct Story(Mutex<Vec<State>>);

impl Listener for Story {
    fn on_changes(&self, changes: &[Snapshot]) {
        self.0.lock().unwrap().extend(changes.iter().map(|snapshot| snapshot.state.clone()));
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) api: FaultProxy,
    pub(crate) data: FaultProxy,
    pub(crate) file: PathBuf,
    pub(crate) service: Service,
    story: Arc<Story>,
}

impl Stage {
    pub(crate) fn new(service: Service) -> Stage {
        // Small, so that a request that stands still is felt by its sender.
        let config = CloudConfig { tls: true, receive_buffer_bytes: Some(16 << 10), ..CloudConfig::default() };
        let world = World::with(config);
        let api = FaultProxy::start(world.cloud.api_address()).unwrap();
        let data = FaultProxy::start(world.cloud.data_address()).unwrap();
        world.cloud.set_data_domain(format!("localhost:{}", data.address().port()));
        let first = match service {
            Service::Smh => MIB,
            Service::KooDrive => 5 * MIB,
        };
        if service == Service::KooDrive {
            world.tokens.set(Some("Bearer sandbox-token"));
        }
        let file = world.file("photo.jpg", first + PART_BYTES);
        Stage { world, api, data, file, service, story: Arc::default() }
    }

    pub(crate) fn proxy(&self, plane: Plane) -> &FaultProxy {
        match plane {
            Plane::Api => &self.api,
            Plane::Data => &self.data,
        }
    }

    /// With both families for the name, as a resolver gives them that prefers IPv6.
    pub(crate) fn open_with_ipv6(&self) -> Client {
        self.open_at(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()])
    }

    pub(crate) fn open(&self) -> Client {
        self.open_at(vec![Ipv4Addr::LOCALHOST.into()])
    }

    fn open_at(&self, addresses: Vec<IpAddr>) -> Client {
        let transport = UreqTransport::new(TransportConfig {
            extra_ca_pem: self.world.cloud.ca_pem().map(str::to_owned),
            connect_ms: CONNECT_MS,
            stall_ms: STALL_MS,
            answer_ms: PATIENCE_MS,
            patience_ms_max: PATIENCE_MS,
            names: Some(Arc::new(move |_| addresses.clone())),
            ..TransportConfig::default()
        });
        let lane = transport.unwrap().lane();
        let mut config = self.world.config();
        config.limits.parallel_parts = 1;
        config.lanes = Some(Arc::new(OneLane(Arc::new(Mutex::new(lane)))));
        config.listener = Some(self.story.clone());
        Client::open(config).unwrap()
    }

    pub(crate) fn request(&self) -> UploadRequest {
        let endpoint = format!("https://localhost:{}", self.api.address().port());
        let mut request = match self.service {
            Service::Smh => self.world.request(&self.file, "photo.jpg"),
            Service::KooDrive => self.world.koodrive_request(&self.file, "photo.jpg"),
        };
        request.instant = InstantMode::Off;
        match &mut request.target {
            Target::Smh(target) => target.endpoint = endpoint,
            Target::KooDrive(target) => target.endpoint = endpoint,
        }
        request
    }

    /// Waits until a rule has hit and its request stands still; that request.
    pub(crate) fn hit(&self, rule: u64) -> LogEntry {
        let hit = |log: &[LogEntry]| log.iter().find(|entry| entry.rule == Some(rule) && entry.stands).cloned();
        let found = self.world.cloud.wait_log(Duration::from_millis(crate::common::PATIENCE_MS), hit);
        found.unwrap_or_else(|| panic!("the request never came\n{}", self.world.told()))
    }

    pub(crate) fn rule(&self, rule: Rule) -> u64 {
        self.world.rule(rule)
    }

    /// What was waited for in between, and why; each once, in order.
    pub(crate) fn waits(&self) -> Vec<(WaitReason, Option<Code>)> {
        let mut waits = vec![];
        for state in self.story.0.lock().unwrap().iter() {
            if let State::Waiting { waiting } = state {
                let wait = (waiting.reason, waiting.error.as_ref().map(|error| error.code));
                // The first thing that an upload waits for is its credential.
                if wait != (WaitReason::Credential, None) && !waits.contains(&wait) {
                    waits.push(wait);
                }
            }
        }
        waits
    }

    /// Requests of each step that reached the service.
    pub(crate) fn count(&self, step: Step) -> usize {
        self.world.requests(step)
    }
}
