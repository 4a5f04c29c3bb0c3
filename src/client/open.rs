//! A client comes and goes. One a directory and process.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use super::{Client, Config, Inner, Problem};
use crate::{
    error::ErrorInfo,
    model::checkpoint::Checkpoints,
    runtime::{Hosts, Options, Runtime, journal::StateDir},
    transport::{Lanes, TransportConfig, UreqTransport, host::HostLanes},
};

/// The clients of this process, by the real path of their directory.
static OPEN: Mutex<Vec<(PathBuf, Weak<Inner>)>> = Mutex::new(Vec::new());

impl Client {
    /// Opens the state directory, recovers what is in it and, unless told otherwise, goes on. A directory that this process has open already gives the
    /// same client once more, as it is: of the configuration nothing but the directory is looked at then. **disk**
    pub fn open(config: Config) -> Result<Client, ErrorInfo> {
        if config.apart {
            return Client::open_new(config);
        }
        // Held for as long as it takes: two opens at the same time are one after the other.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, inner)| inner.strong_count() > 0);
        if let Some(client) = there_already(&open, &config.state_dir) {
            return Ok(client);
        }
        let state_dir = config.state_dir.clone();
        let client = Client::open_new(config)?;
        if let Ok(path) = state_dir.canonicalize() {
            open.push((path, Arc::downgrade(&client.inner)));
        }
        Ok(client)
    }

    fn open_new(config: Config) -> Result<Client, ErrorInfo> {
        let checkpoints = Checkpoints::new(config.checkpoint);
        let mut own = None;
        let lanes: Arc<dyn Lanes> = match (config.lanes, config.transport) {
            (Some(lanes), _) => lanes,
            (None, Some(transport)) => Arc::new(HostLanes::new(transport)),
            (None, None) => {
                let transport = Arc::new(UreqTransport::new(TransportConfig {
                    extra_ca_pem: config.tls.extra_ca_pem,
                    spki_sha256_pins: config.tls.spki_sha256_pins,
                    proxy: config.proxy,
                    checkpoints: checkpoints.clone(),
                    ..TransportConfig::default()
                })?);
                own = Some(transport.clone());
                transport
            }
        };
        let dir = StateDir::open_watched(config.state_dir, checkpoints)?;
        // Left over from a kill while uploads were being made; nothing depends on it.
        let _ = dir.sweep();
        let hosts = Hosts {
            credentials: config.credentials,
            sources: config.sources,
            signer: config.signer,
            listener: config.listener,
        };
        let options = Options {
            limits: config.limits,
            network: config.network,
            held: !config.autostart,
            ended_kept_ms: config.ended_kept_ms,
            beat_ms: config.beat_ms,
            log: config.log,
            log_level: config.log_level,
        };
        let (runtime, problems) = Runtime::open(dir, hosts, lanes, options)?;
        Ok(Client { inner: Arc::new(Inner { runtime, problems, transport: own }) })
    }

    /// Holds, then ends, for every clone. `true`: everything came to rest, and no callback runs or will. `false`: something was cut off after `timeout_ms`,
    /// or a callback does not return; the journals are whole either way. **waits**
    pub fn close(&self, timeout_ms: u64) -> bool {
        let (began, timeout) = (Instant::now(), Duration::from_millis(timeout_ms));
        // Closed before, nothing works any more; a callback may still run.
        let rested = self.inner.runtime.board().is_closed() || {
            self.inner.runtime.hold();
            self.rest(Some(timeout_ms)).is_some()
        };
        self.inner.runtime.close();
        let quiet = self.inner.runtime.quiet(timeout.saturating_sub(began.elapsed()));
        rested && quiet
    }

    /// Journals that could not be read at open. **now**
    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }
}

/// The client that has the directory open, unless it was closed.
fn there_already(open: &[(PathBuf, Weak<Inner>)], dir: &Path) -> Option<Client> {
    let path = dir.canonicalize().ok()?;
    let inner = open
        .iter()
        .filter(|(of, _)| *of == path)
        .find_map(|(_, inner)| inner.upgrade().filter(|inner| !inner.runtime.board().is_closed()))?;
    Some(Client { inner })
}
