//! The whole public surface, once. An upload is a row with a host-given key: durable when [`Client::start`] returns, seen as one [`Snapshot`], reached by
//! its id, its ending kept until [`Client::forget`].
//!
//! Each function says what it costs: **now** (no I/O, any thread), **disk** (one short sync; not the main thread) or **waits**.

mod config;
mod request;
mod select;
mod start;

pub use config::*;
pub use request::*;

pub use crate::{
    engine::{Explanation, Phase, Progress, Remote, State, WaitReason, Waiting},
    runtime::{
        Credential, CredentialAsk, CredentialProvider, Idle, Limits, Listener, Network, Problem, SignAsk, Signer,
        Snapshot, SourceAsk, SourceProvider, Why,
    },
    source::{HostReader, SourceOffer as Source, SourceWhat, TOKEN_BYTES_MAX},
};

use std::{sync::Arc, time::Duration};

use crate::{
    engine::Command,
    error::{Code, ErrorInfo},
    runtime::{Hosts, Runtime, journal::StateDir},
    transport::{Transport, TransportConfig, UreqTransport},
};

/// One a state directory and process. Cheap to clone; the last clone's drop ends what is under way, and journals stay whole.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Runtime,
    problems: Vec<Problem>,
}

impl Client {
    /// Opens the state directory, recovers what is in it and, unless told otherwise, goes on. **disk**
    pub fn open(config: Config) -> Result<Client, ErrorInfo> {
        let transport: Arc<dyn Transport> = match config.transport {
            Some(transport) => transport,
            None => Arc::new(UreqTransport::new(TransportConfig {
                extra_ca_pem: config.tls.extra_ca_pem,
                proxy: config.proxy,
                ..TransportConfig::default()
            })?),
        };
        let dir = StateDir::open(config.state_dir)?;
        // Left over from a kill while uploads were being made; nothing depends on it.
        let _ = dir.sweep();
        let hosts = Hosts {
            credentials: config.credentials,
            sources: config.sources,
            signer: config.signer,
            listener: config.listener,
        };
        let (runtime, problems) = Runtime::open(dir, hosts, transport, config.limits, !config.autostart)?;
        Ok(Client { inner: Arc::new(Inner { runtime, problems }) })
    }

    /// Holds, then ends. `false`: something was cut off after `timeout_ms`; the journals are whole either way. **waits**
    pub fn close(&self, timeout_ms: u64) -> bool {
        self.inner.runtime.hold();
        let rested = self.rest(Some(timeout_ms)).is_some();
        self.inner.runtime.close();
        rested
    }

    /// Journals that could not be read at open. **now**
    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }

    // ---- verbs

    /// Stays until resumed, also over restarts. How many it was said to; idempotent in every state. **now**
    pub fn pause(&self, which: &Select) -> u32 {
        self.command(which, Command::Pause)
    }

    /// Goes on; also "try now" for what waits. **now**
    pub fn resume(&self, which: &Select) -> u32 {
        self.command(which, Command::Resume)
    }

    /// Ends; the ending tells what the service could undo. A cancel is a wish: an object that exists already makes it completed. **now**
    pub fn cancel(&self, which: &Select) -> u32 {
        self.command(which, Command::Cancel)
    }

    /// "I have stored the ending": removes ended uploads. How many are gone. **disk**
    pub fn forget(&self, which: &Select) -> u32 {
        let ended: Vec<String> = self
            .list(which)
            .into_iter()
            .filter(|snapshot| snapshot.state.ended())
            .map(|snapshot| snapshot.id)
            .collect();
        if ended.is_empty() { 0 } else { self.inner.runtime.forget(ended) }
    }

    /// Changes what is given. How many it was said to. **now**
    pub fn change(&self, which: &Select, change: &Change) -> Result<u32, ErrorInfo> {
        let ids = self.ids(which);
        if let Some(priority) = change.priority {
            self.inner.runtime.priority(ids.clone(), priority);
        }
        let commands = [
            change.parallel_parts.map(Command::ParallelParts),
            change.conflict.clone().map(Command::Conflict),
            change.on_change.map(Command::OnChange),
        ];
        for command in commands.into_iter().flatten() {
            self.inner.runtime.command(ids.clone(), command);
        }
        Ok(ids.len() as u32)
    }

    /// Answers an open conflict. Nothing is sent again. **now**
    pub fn answer_conflict(&self, id: &str, choice: crate::model::ConflictChoice) -> Result<(), ErrorInfo> {
        use crate::model::{Conflict, ConflictChoice};
        let snapshot = self.known(id)?;
        let State::Waiting { waiting } = &snapshot.state else {
            return Err(ErrorInfo::new(Code::WrongState, "the upload does not wait for an answer"));
        };
        if !waiting.choices.contains(&choice) {
            return Err(ErrorInfo::new(Code::WrongState, "that is not one of the choices of this conflict"));
        }
        let command = match choice {
            ConflictChoice::Rename => Command::Conflict(Conflict::Rename),
            ConflictChoice::Overwrite => Command::Conflict(Conflict::Overwrite { if_version: None }),
            ConflictChoice::KeepIfSame => Command::Conflict(Conflict::KeepIfSame),
            ConflictChoice::Cancel => Command::Cancel,
        };
        self.inner.runtime.command(vec![id.to_owned()], command);
        Ok(())
    }

    /// Gives an upload its source again. The same bytes go on where it was. **now**
    pub fn attach_source(&self, id: &str, source: Source) -> Result<(), ErrorInfo> {
        self.known(id)?;
        self.inner.runtime.attach(id.to_owned(), source);
        Ok(())
    }

    fn command(&self, which: &Select, command: Command) -> u32 {
        let ids = self.ids(which);
        let count = ids.len() as u32;
        self.inner.runtime.command(ids, command);
        count
    }

    fn ids(&self, which: &Select) -> Vec<String> {
        self.list(which).into_iter().filter(|snapshot| !snapshot.state.ended()).map(|snapshot| snapshot.id).collect()
    }

    fn known(&self, id: &str) -> Result<Snapshot, ErrorInfo> {
        self.snapshot(id).ok_or_else(|| ErrorInfo::new(Code::UnknownUpload, "there is no upload of that id"))
    }

    // ---- looking

    /// One upload. **now**
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.inner.runtime.board().snapshot(id)
    }

    /// The upload of a key. **now**
    pub fn find(&self, key: &str) -> Option<Snapshot> {
        self.inner.runtime.board().find(key)
    }

    /// Those that fit, oldest id first; ended ones that were not forgotten too. **now**
    pub fn list(&self, which: &Select) -> Vec<Snapshot> {
        match which {
            Select::One { id } => self.snapshot(id).into_iter().collect(),
            Select::Key { key } => self.find(key).into_iter().collect(),
            _ => self.inner.runtime.board().matching(|snapshot| which.fits(snapshot)),
        }
    }

    /// Waits for the ending; the present snapshot at time-out. Cancelling a wait never cancels the upload. **waits**
    pub fn wait(&self, id: &str, timeout_ms: Option<u64>) -> Result<Snapshot, ErrorInfo> {
        let board = self.inner.runtime.board();
        let ended = board.wait(timeout_ms.map(Duration::from_millis), |rows, _, _| match rows.get(id) {
            None => Some(None),
            Some(snapshot) => snapshot.state.ended().then(|| Some(snapshot.clone())),
        });
        match ended {
            Some(Some(snapshot)) => Ok(snapshot),
            Some(None) | None => self.known(id),
        }
    }

    /// Waits for a snapshot that is newer than `revision`; none at time-out. **waits**
    pub fn wait_change(&self, id: &str, revision: u64, timeout_ms: u64) -> Option<Snapshot> {
        let board = self.inner.runtime.board();
        board.wait(Some(Duration::from_millis(timeout_ms)), |rows, _, _| {
            rows.get(id).filter(|snapshot| snapshot.revision > revision).cloned()
        })
    }

    /// What blocks it, when it is tried next, how often it was. **now**
    pub fn explain(&self, id: &str) -> Option<Explanation> {
        let snapshot = self.snapshot(id)?;
        let told = self.inner.runtime.board().explain(id).filter(|told| told.state == snapshot.state);
        Some(told.unwrap_or_else(|| Explanation::of(&snapshot.state, snapshot.changed_unix_ms)))
    }

    // ---- the world, told by the host

    /// A credential, unasked, such as after a log-in; ends the waits for it. **now**
    pub fn set_credential(&self, account: &str, credential: Credential) {
        self.inner.runtime.set_credential(account.to_owned(), credential);
    }

    /// What the host knows of the network. **now**
    pub fn set_network(&self, network: Network) {
        self.inner.runtime.set_network(network);
    }

    /// New bounds, at once. **now**
    pub fn set_limits(&self, limits: Limits) {
        self.inner.runtime.set_limits(limits);
    }

    // ---- running and being stopped by the system

    /// Goes on after `hold`, or after an open without autostart. **now**
    pub fn go(&self) {
        self.inner.runtime.go(None);
    }

    /// The same for these alone: the others stay as they are until [`go`](Client::go). For a command line or a job that serves one upload. **now**
    pub fn go_only(&self, ids: &[String]) {
        self.inner.runtime.go(Some(ids.to_vec()));
    }

    /// No request in flight, all durable, no lock, no socket when it returns, unless `timeout_ms` was too short. **waits**
    pub fn hold(&self, timeout_ms: u64) -> Idle {
        self.inner.runtime.hold();
        self.wait_idle(Some(timeout_ms))
    }

    /// Waits until nothing works. **waits**
    pub fn wait_idle(&self, timeout_ms: Option<u64>) -> Idle {
        self.rest(timeout_ms).unwrap_or_else(|| self.idle())
    }

    /// What a scheduler needs to know. **now**
    pub fn idle(&self) -> Idle {
        self.inner.runtime.board().idle()
    }

    /// Threads of the pools that live now: none a few seconds after the last work. **now**
    #[doc(hidden)]
    pub fn threads(&self) -> usize {
        self.inner.runtime.threads()
    }

    fn rest(&self, timeout_ms: Option<u64>) -> Option<Idle> {
        self.inner
            .runtime
            .board()
            .wait(timeout_ms.map(Duration::from_millis), |_, idle, at_rest| at_rest.then(|| idle.clone()))
    }
}
