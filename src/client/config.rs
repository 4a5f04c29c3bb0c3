//! How a client is opened.

use std::{path::PathBuf, sync::Arc};

use super::{CredentialProvider, Limits, Listener, LogLevel, LogSink, Network, Signer, SourceProvider, Transport};
use crate::{model::checkpoint::Checkpoint, transport::Lanes};

/// How a client is opened. What the host gives in it is the client's until its last clone is dropped; then it is let go.
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
    /// In the place of both, for tests: what carries requests beneath a worker.
    #[doc(hidden)]
    pub lanes: Option<Arc<dyn Lanes>>,
    /// Who takes lines for a log. No line holds a secret, a URL, a path or a name.
    pub log: Option<Arc<dyn LogSink>>,
    /// Down to which level.
    pub log_level: LogLevel,
    /// Bounds; they may be changed later.
    pub limits: Limits,
    /// What the host knows of the network by now.
    pub network: Network,
    /// `http://[user:password@]host:port`, for the built-in transport. The environment is never read.
    pub proxy: Option<String>,
    /// Trust, for the built-in transport.
    pub tls: Tls,
    /// An ended upload is forgotten by itself so long after it ended; until [`Client::forget`](super::Client::forget) without it.
    pub ended_kept_ms: Option<u64>,
    /// Uploads go on as soon as the client is open; `false` opens it held, until [`Client::go`](super::Client::go).
    /// Held, it shows what each upload waited for when it was last at work.
    pub autostart: bool,
    /// Who is told of moments at which a process may be killed. For tests; not part of the API.
    #[doc(hidden)]
    pub checkpoint: Option<Arc<dyn Checkpoint>>,
    /// How often an upload at work is told although nothing changed; for tests.
    #[doc(hidden)]
    pub beat_ms: u64,
    /// Beside another client of the same directory in this process, as one in another process would be; for tests.
    #[doc(hidden)]
    pub apart: bool,
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
            lanes: None,
            log: None,
            log_level: LogLevel::default(),
            limits: Limits::default(),
            network: Network::default(),
            proxy: None,
            tls: Tls::default(),
            ended_kept_ms: None,
            autostart: true,
            checkpoint: None,
            beat_ms: 60_000,
            apart: false,
        }
    }
}

/// Trust of the built-in transport, beside the bundled roots.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Further roots, as PEM.
    pub extra_ca_pem: Option<String>,
    /// If there are any, one key of the certificates that lead from the service's own to a root must have one of these SHA-256 digests (of the
    /// `SubjectPublicKeyInfo`; base64 or hex). They are for every host, the storage's too: pin what all of them have in common, and more than one.
    pub spki_sha256_pins: Vec<String>,
}
