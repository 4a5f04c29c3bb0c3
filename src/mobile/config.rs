//! How a client is opened, and who is told.

use std::sync::Arc;

use super::{
    CredentialProvider, HostError, Idle, Limits, Snapshot, SourceProvider, Transport, credential, source, transport,
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
    /// Who is told.
    #[uniffi(default = None)]
    pub listener: Option<Arc<dyn Listener>>,
    /// Who carries requests; the built-in transport without it.
    #[uniffi(default = None)]
    pub transport: Option<Arc<dyn Transport>>,
    /// Bounds; they may be changed later.
    #[uniffi(default = None)]
    pub limits: Option<Limits>,
    /// `http://[user:password@]host:port`. The environment is never read.
    #[uniffi(default = None)]
    pub proxy: Option<String>,
    /// Further roots to trust, as PEM.
    #[uniffi(default = None)]
    pub extra_ca_pem: Option<String>,
    /// Uploads go on as soon as the client is open; `false` opens it held, until `go`.
    #[uniffi(default = None)]
    pub autostart: Option<bool>,
}

impl From<NativeConfig> for client::Config {
    fn from(config: NativeConfig) -> client::Config {
        let standard = client::Config::new(config.state_dir, Arc::new(credential::Provider(config.credentials)));
        client::Config {
            sources: config.sources.map(|sources| Arc::new(source::Provider(sources)) as _),
            listener: config.listener.map(|listener| Arc::new(Told(listener)) as _),
            transport: config.transport.map(|transport| Arc::new(transport::Carrier(transport)) as _),
            limits: config.limits.map_or(standard.limits, Into::into),
            proxy: config.proxy,
            tls: client::Tls { extra_ca_pem: config.extra_ca_pem },
            autostart: config.autostart.unwrap_or(standard.autostart),
            state_dir: standard.state_dir,
            credentials: standard.credentials,
            lanes: standard.lanes,
            checkpoint: standard.checkpoint,
        }
    }
}

/// Is told of changes. Called on one thread of the library, in order, never from within a call, at most ten times a second; the first call is the present. It
/// may call the client, except what waits.
#[uniffi::export(foreign)]
pub trait Listener: Send + Sync {
    /// These changed. Of one upload the latest wins, but no change of state is skipped.
    fn on_changes(&self, changes: Vec<Snapshot>) -> Result<(), HostError>;
    /// Nothing works any more.
    fn on_idle(&self, idle: Idle) -> Result<(), HostError>;
}

/// The host's listener as the facade sees it. That it threw harms nobody: the next call brings the present.
struct Told(Arc<dyn Listener>);

impl client::Listener for Told {
    fn on_changes(&self, changes: &[client::Snapshot]) {
        let _ = self.0.on_changes(changes.iter().cloned().map(Into::into).collect());
    }

    fn on_idle(&self, idle: &client::Idle) {
        let _ = self.0.on_idle(idle.clone().into());
    }
}
