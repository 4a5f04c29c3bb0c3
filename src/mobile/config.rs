//! How a client is opened, and who is told.

use std::sync::Arc;

use super::{
    CredentialProvider, HostError, Idle, Limits, LogLevel, LogSink, NativeError, Network, SecretText, Signer, Snapshot,
    SourceProvider, Transport, credential, error::heard, log, number::unsigned_or_none, signer, source, transport,
};
use crate::client;

/// How a client is opened.
#[derive(Clone, uniffi::Record)]
pub struct NativeConfig {
    /// Where journals live; created if need be. One client a directory and process.
    pub state_dir: String,
    /// Who knows the credentials.
    pub credentials: Arc<dyn CredentialProvider>,
    /// Who opens sources that have no path, or whose path is gone.
    #[uniffi(default = None)]
    pub sources: Option<Arc<dyn SourceProvider>>,
    /// Who signs requests where the credential says that the host does.
    #[uniffi(default = None)]
    pub signer: Option<Arc<dyn Signer>>,
    /// Who is told.
    #[uniffi(default = None)]
    pub listener: Option<Arc<dyn Listener>>,
    /// Who carries requests; the built-in transport without it.
    #[uniffi(default = None)]
    pub transport: Option<Arc<dyn Transport>>,
    /// Who takes lines for a log. No line holds a secret, a URL, a path or a name.
    #[uniffi(default = None)]
    pub log: Option<Arc<dyn LogSink>>,
    /// Down to which level.
    #[uniffi(default = None)]
    pub log_level: Option<LogLevel>,
    /// Bounds; they may be changed later.
    #[uniffi(default = None)]
    pub limits: Option<Limits>,
    /// What the host knows of the network by now.
    #[uniffi(default = None)]
    pub network: Option<Network>,
    /// `http://[user:password@]host:port`. The environment is never read.
    #[uniffi(default = None)]
    pub proxy: Option<SecretText>,
    /// Further roots to trust, as PEM.
    #[uniffi(default = None)]
    pub extra_ca_pem: Option<String>,
    /// SHA-256 digests of `SubjectPublicKeyInfo`, base64 or hex, one of which must be among the keys of each connection's certificates; none by default.
    #[uniffi(default)]
    pub spki_sha256_pins: Vec<String>,
    /// An ended upload is forgotten by itself so long after it ended; until `forget` without it.
    #[uniffi(default = None)]
    pub ended_kept_ms: Option<i64>,
    /// Uploads go on as soon as the client is open; `false` opens it held, until `go`.
    #[uniffi(default = None)]
    pub autostart: Option<bool>,
}

impl TryFrom<NativeConfig> for client::Config {
    type Error = NativeError;

    fn try_from(config: NativeConfig) -> Result<client::Config, NativeError> {
        let standard = client::Config::new(config.state_dir, Arc::new(credential::Provider(config.credentials)));
        Ok(client::Config {
            sources: config.sources.map(|sources| Arc::new(source::Provider(sources)) as _),
            signer: config.signer.map(|signer| Arc::new(signer::Signs(signer)) as _),
            listener: config.listener.map(|listener| Arc::new(Told(listener)) as _),
            transport: config.transport.map(|transport| Arc::new(transport::Carrier(transport)) as _),
            log: config.log.map(|sink| Arc::new(log::Sink(sink)) as _),
            log_level: config.log_level.map_or(standard.log_level, Into::into),
            limits: config.limits.map_or(standard.limits, Into::into),
            network: config.network.map_or(standard.network, Into::into),
            proxy: config.proxy.map(|proxy| proxy.0.expose().to_owned()),
            tls: client::Tls { extra_ca_pem: config.extra_ca_pem, spki_sha256_pins: config.spki_sha256_pins },
            ended_kept_ms: unsigned_or_none("ended_kept_ms", config.ended_kept_ms)?,
            autostart: config.autostart.unwrap_or(standard.autostart),
            state_dir: standard.state_dir,
            credentials: standard.credentials,
            lanes: standard.lanes,
            checkpoint: standard.checkpoint,
            beat_ms: standard.beat_ms,
            apart: standard.apart,
        })
    }
}

/// Is told of changes. Called on one thread of the library, in order, never from within a call, at most ten times a second; the first call is the present. It
/// may call the client, except what waits.
#[uniffi::export(foreign)]
pub trait Listener: Send + Sync {
    /// These changed. Of one upload the latest wins, but no change of state is skipped.
    fn on_changes(&self, changes: Vec<Snapshot>) -> Result<(), HostError>;
    /// These were forgotten, on demand, by a retry or by their age: after the last of their changes, and nothing of them follows.
    fn on_forgotten(&self, ids: Vec<String>) -> Result<(), HostError>;
    /// Nothing works any more.
    fn on_idle(&self, idle: Idle) -> Result<(), HostError>;
}

/// The host's listener as the facade sees it.
struct Told(Arc<dyn Listener>);

impl client::Listener for Told {
    fn on_changes(&self, changes: &[client::Snapshot]) {
        heard(self.0.on_changes(changes.iter().cloned().map(Into::into).collect()));
    }

    fn on_forgotten(&self, ids: &[String]) {
        heard(self.0.on_forgotten(ids.to_vec()));
    }

    fn on_idle(&self, idle: &client::Idle) {
        heard(self.0.on_idle(idle.clone().into()));
    }
}
