//! A client comes and goes. One a directory and process.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Client, Config, CredentialProvider, Inner, Listener, LogSink, Problem, Signer, SourceProvider, Transport};
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
        // What is let go while the list is locked is let go after that: it may be the last of a client, or of what the host gave, and then that is the
        // host's code, which may want to open a client.
        let (_given, mut found) = (Given::of(&config), vec![]);
        // Held for as long as it takes: two opens at the same time are one after the other.
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, inner)| inner.strong_count() > 0);
        if let Some(client) = there_already(&open, &config.state_dir, &mut found) {
            drop(open);
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
        let inner = Inner { runtime, problems, transport: own, handles: AtomicUsize::new(1) };
        Ok(Client { inner: Arc::new(inner), released: AtomicBool::new(false) })
    }

    /// For a face whose host has let go of the client while a call with it may be under way, which keeps this value: it counts no more, and when none does
    /// the client is closed, as by the drop of the last clone. The next open of the directory makes a new one. Never blocks.
    pub(crate) fn release(&self) {
        let last = || self.inner.handles.fetch_sub(1, Ordering::SeqCst) == 1;
        if !self.released.swap(true, Ordering::SeqCst) && last() {
            self.inner.runtime.close();
        }
    }

    /// Holds, then ends, for every clone. `true`: everything came to rest, and no callback runs or will. `false`: something was cut off after `timeout_ms`,
    /// or a callback does not return; the journals are whole either way. **waits**
    pub fn close(&self, timeout_ms: u64) -> bool {
        let (began, timeout) = (Instant::now(), Duration::from_millis(timeout_ms));
        // Closed before, nothing works any more; a call of the host's may still run.
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

/// What the host gave to a client, kept beside it.
struct Given {
    _credentials: Arc<dyn CredentialProvider>,
    _sources: Option<Arc<dyn SourceProvider>>,
    _signer: Option<Arc<dyn Signer>>,
    _listener: Option<Arc<dyn Listener>>,
    _transport: Option<Arc<dyn Transport>>,
    _log: Option<Arc<dyn LogSink>>,
}

impl Given {
    fn of(config: &Config) -> Given {
        Given {
            _credentials: config.credentials.clone(),
            _sources: config.sources.clone(),
            _signer: config.signer.clone(),
            _listener: config.listener.clone(),
            _transport: config.transport.clone(),
            _log: config.log.clone(),
        }
    }
}

/// The client that has the directory open, unless it was closed. `found`: whatever was looked at, to be let go when the list is not locked any more.
fn there_already(open: &[(PathBuf, Weak<Inner>)], dir: &Path, found: &mut Vec<Arc<Inner>>) -> Option<Client> {
    let path = dir.canonicalize().ok()?;
    found.extend(open.iter().filter(|(of, _)| *of == path).filter_map(|(_, inner)| inner.upgrade()));
    found.iter().find_map(|inner| inner.join())
}

impl Inner {
    /// One more client of it, unless it is closed, or about to be because nobody has one any more.
    fn join(self: &Arc<Inner>) -> Option<Client> {
        let one_more = |handles: usize| (handles > 0).then_some(handles + 1);
        if self.runtime.board().is_closed() {
            return None;
        }
        self.handles.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        Some(Client { inner: self.clone(), released: AtomicBool::new(false) })
    }
}

impl Clone for Client {
    /// A clone of one that was released keeps nothing open either.
    fn clone(&self) -> Client {
        let released = self.released.load(Ordering::SeqCst);
        if !released {
            self.inner.handles.fetch_add(1, Ordering::SeqCst);
        }
        Client { inner: self.inner.clone(), released: AtomicBool::new(released) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Credential, CredentialAsk};

    struct Host;

    impl CredentialProvider for Host {
        fn provide(&self, ask: CredentialAsk) {
            ask.supply(Credential::token("a"));
        }
    }

    fn open(dir: &Path) -> Client {
        Client::open(Config::new(dir, Arc::new(Host))).expect("a client")
    }

    /// A host that freed its client while another thread was in a call with it went on uploading, and got the same client again when it opened the directory.
    #[test]
    fn a_client_that_was_let_go_in_the_middle_of_a_call_is_closed_and_no_more_given() {
        let dir = tempfile::tempdir().expect("a directory");
        let host = Arc::new(open(dir.path()));
        let call = host.clone();
        host.release();
        drop(host);
        assert!(call.inner.runtime.board().is_closed(), "the call under way does not keep it open");
        let again = open(dir.path());
        assert!(!Arc::ptr_eq(&again.inner, &call.inner) && !again.inner.runtime.board().is_closed());
        drop(call);
        assert!(!again.inner.runtime.board().is_closed());
    }

    #[test]
    fn a_client_is_open_while_anybody_has_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = open(dir.path());
        let second = open(dir.path());
        let clone = second.clone();
        assert!(Arc::ptr_eq(&first.inner, &second.inner), "it is the same one");
        let inner = first.inner.clone();
        first.release();
        first.release();
        drop((first, second));
        assert!(!inner.runtime.board().is_closed(), "a clone is left");
        clone.release();
        assert!(inner.runtime.board().is_closed());
        drop(clone.clone());
        assert_eq!(inner.handles.load(Ordering::SeqCst), 0, "each is counted once");
    }
}
