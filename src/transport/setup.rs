//! What a transport is told once, checked and made ready.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::ClientConfig;

use super::{proxy::Proxy, tls};
use crate::{error::ErrorInfo, model::checkpoint::Checkpoints};

/// A name's addresses, in the order in which they are to be tried; the system is asked for those of which there are none.
pub type Names = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Addresses whose connections came to nothing, remembered.
const SHUNNED_MAX: usize = 16;

/// How the built-in transport reaches the world. Times are in milliseconds, from 1 to a day.
#[derive(Clone)]
pub struct TransportConfig {
    /// Certificates (PEM) that are trusted besides the bundled roots.
    pub extra_ca_pem: Option<String>,
    /// If there are any, a service's certificates must hold one of these keys: the SHA-256 of its `SubjectPublicKeyInfo`, base64 or hex.
    pub spki_sha256_pins: Vec<String>,
    /// `http://[user:password@]host[:port]` of a proxy that takes CONNECT. The environment's proxy is never used.
    pub proxy: Option<String>,
    /// The longest way to a usable connection: name, TCP, proxy and TLS together.
    pub connect_ms: u64,
    /// The longest wait without a byte moved, while sending and within an answer.
    pub stall_ms: u64,
    /// How long an answer that began may take beyond the request's patience, however steadily it trickles.
    pub answer_ms: u64,
    /// The longest patience of any request, whatever it asks for.
    pub patience_ms_max: u64,
    /// Looks names up before the system does.
    pub names: Option<Names>,
    /// How long the permission to send a body (`100 Continue`) is waited for; then the body is sent without it.
    pub continue_ms: u64,
    /// The `User-Agent`.
    pub user_agent: String,
    /// Told when all of a request was given to the network. For tests.
    #[doc(hidden)]
    pub checkpoints: Checkpoints,
}

/// A proxy's address may hold a password.
impl std::fmt::Debug for TransportConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransportConfig")
            .field("connect_ms", &self.connect_ms)
            .field("stall_ms", &self.stall_ms)
            .field("proxy", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            spki_sha256_pins: vec![],
            proxy: None,
            connect_ms: 10_000,
            stall_ms: 30_000,
            answer_ms: 60_000,
            patience_ms_max: u64::MAX,
            names: None,
            continue_ms: 1_000,
            user_agent: concat!("partway/", env!("CARGO_PKG_VERSION")).to_owned(),
            checkpoints: Checkpoints::default(),
        }
    }
}

/// The same, checked; shared by all lanes, and with it the TLS sessions that can be resumed.
pub(super) struct Setup {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) proxy: Option<Proxy>,
    pub(super) connect: Duration,
    pub(super) stall: Duration,
    pub(super) answer: Duration,
    pub(super) await_continue: Duration,
    pub(super) patience_max: Duration,
    pub(super) names: Option<Names>,
    /// Took a connection and made nothing of it: tried last until they do.
    shunned: Mutex<Vec<SocketAddr>>,
    pub(super) user_agent: String,
    pub(super) checkpoints: Checkpoints,
}

impl Setup {
    pub(super) fn new(config: TransportConfig) -> Result<Setup, ErrorInfo> {
        Ok(Setup {
            tls: tls::client_config(config.extra_ca_pem.as_deref(), &config.spki_sha256_pins)?,
            proxy: config.proxy.as_deref().map(Proxy::parse).transpose()?,
            connect: millis(config.connect_ms),
            stall: millis(config.stall_ms),
            answer: millis(config.answer_ms),
            await_continue: millis(config.continue_ms),
            patience_max: millis(config.patience_ms_max),
            names: config.names,
            shunned: Mutex::default(),
            user_agent: config.user_agent,
            checkpoints: config.checkpoints,
        })
    }

    /// The same with another way out.
    pub(super) fn with_proxy(&self, proxy: Option<&str>) -> Result<Setup, ErrorInfo> {
        Ok(Setup {
            tls: self.tls.clone(),
            proxy: proxy.map(Proxy::parse).transpose()?,
            user_agent: self.user_agent.clone(),
            checkpoints: self.checkpoints.clone(),
            names: self.names.clone(),
            shunned: Mutex::default(),
            ..*self
        })
    }

    /// An address came to a connection that can be used, or to one that can't. A name that has another address goes there first from then on: a
    /// race of connects does not notice a peer that accepts and says nothing.
    pub(super) fn learn(&self, address: SocketAddr, usable: bool) {
        let mut shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        shunned.retain(|other| *other != address);
        if !usable {
            shunned.truncate(SHUNNED_MAX - 1);
            shunned.insert(0, address);
        }
    }

    /// Those that came to nothing go last.
    pub(super) fn rank(&self, addresses: &mut [SocketAddr]) {
        let shunned = self.shunned.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.sort_by_key(|address| shunned.contains(address));
    }

    /// How often a blocked write looks up: a quarter of the stall limit, 250 ms at most.
    pub(super) fn slice(&self) -> Duration {
        (self.stall / 4).clamp(Duration::from_millis(10), Duration::from_millis(250))
    }
}

/// Never nothing, which sockets refuse, and at most a day, which every clock can add.
pub(super) fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms.clamp(1, 86_400_000))
}
