//! How a client is opened.

use std::{path::PathBuf, sync::Arc};

use super::{CredentialProvider, Limits, Listener, Signer, SourceProvider};
use crate::transport::Transport;

/// How a client is opened.
pub struct Config {
    /// Where journals live; created if need be. One client a directory and process.
    pub state_dir: PathBuf,
    /// Who knows the credentials.
    pub credentials: Arc<dyn CredentialProvider>,
    /// Who opens sources that have no path, or whose path is gone.
    pub sources: Option<Arc<dyn SourceProvider>>,
    /// Who signs requests where the credential says that the host does ([`Credential::AppSigner`](super::Credential::AppSigner)).
    pub signer: Option<Arc<dyn Signer>>,
    /// Who is told.
    pub listener: Option<Arc<dyn Listener>>,
    /// Who carries requests; the built-in transport without it.
    pub transport: Option<Arc<dyn Transport>>,
    /// Bounds; they may be changed later.
    pub limits: Limits,
    /// `http://[user:password@]host:port`, for the built-in transport. The environment is never read.
    pub proxy: Option<String>,
    /// Trust, for the built-in transport.
    pub tls: Tls,
    /// Uploads go on as soon as the client is open; `false` opens it held, until [`Client::go`](super::Client::go).
    pub autostart: bool,
}

impl Config {
    /// With everything else as by default.
    pub fn new(state_dir: impl Into<PathBuf>, credentials: Arc<dyn CredentialProvider>) -> Config {
        Config {
            state_dir: state_dir.into(),
            credentials,
            sources: None,
            signer: None,
            listener: None,
            transport: None,
            limits: Limits::default(),
            proxy: None,
            tls: Tls::default(),
            autostart: true,
        }
    }
}

/// Trust of the built-in transport, beside the bundled roots.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Further roots, as PEM.
    pub extra_ca_pem: Option<String>,
}
