//! The way to the host: one thread, in order, never re-entrant; at most ten batches a second; the latest wins, no change of state is skipped.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{CredentialAsk, CredentialProvider, Idle, Listener, Snapshot, SourceAsk, SourceProvider, pool::Pool};

/// Between two batches.
const BEAT: Duration = Duration::from_millis(100);

/// What the host gave at open.
pub(crate) struct Hosts {
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) sources: Option<Arc<dyn SourceProvider>>,
    pub(crate) listener: Option<Arc<dyn Listener>>,
}

enum Call {
    Deliver,
    Credential(CredentialAsk),
    Source(SourceAsk),
    Idle(Idle),
}

/// Calls the host.
pub(super) struct Outlet {
    hosts: Arc<Hosts>,
    pending: Arc<Mutex<VecDeque<Snapshot>>>,
    pool: Pool<Call>,
}

impl Outlet {
    pub(super) fn new(hosts: Arc<Hosts>) -> Outlet {
        let pending = Arc::new(Mutex::new(VecDeque::new()));
        let (to, of) = (hosts.clone(), pending.clone());
        let pool = Pool::new("partway-events", 1, move || {
            let (hosts, pending) = (to.clone(), of.clone());
            let mut last: Option<Instant> = None;
            Box::new(move |call| {
                // A host that panics in a call of ours harms nobody else.
                let call = std::panic::AssertUnwindSafe(|| serve(call, &hosts, &pending, &mut last));
                let _ = std::panic::catch_unwind(call);
            })
        });
        Outlet { hosts, pending, pool }
    }

    pub(super) fn has_sources(&self) -> bool {
        self.hosts.sources.is_some()
    }

    /// Tells the host of a snapshot, soon.
    pub(super) fn changed(&self, snapshot: Snapshot) {
        if self.hosts.listener.is_none() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = pending.is_empty();
        // The latest of an upload wins while its state is the same; a change of state gets a line of its own.
        let last = pending.iter().rposition(|old| old.id == snapshot.id);
        match last {
            Some(at) if pending[at].state == snapshot.state => pending[at] = snapshot,
            _ => pending.push_back(snapshot),
        }
        drop(pending);
        if first {
            self.pool.submit(Call::Deliver);
        }
    }

    pub(super) fn ask_credential(&self, ask: CredentialAsk) {
        self.pool.submit(Call::Credential(ask));
    }

    pub(super) fn ask_source(&self, ask: SourceAsk) {
        self.pool.submit(Call::Source(ask));
    }

    pub(super) fn idle(&self, idle: Idle) {
        if self.hosts.listener.is_some() {
            self.pool.submit(Call::Idle(idle));
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    pub(super) fn alive(&self) -> usize {
        self.pool.alive()
    }
}

fn serve(call: Call, hosts: &Hosts, pending: &Mutex<VecDeque<Snapshot>>, last: &mut Option<Instant>) {
    match call {
        Call::Credential(ask) => hosts.credentials.provide(ask),
        Call::Source(ask) => match &hosts.sources {
            Some(sources) => sources.open(ask),
            None => ask.gone(),
        },
        Call::Idle(idle) => {
            if let Some(listener) = &hosts.listener {
                listener.on_idle(&idle);
            }
        }
        Call::Deliver => {
            if let Some(wait) = last.map(|last| BEAT.saturating_sub(last.elapsed())) {
                // Nothing ends this wait early: a beat is short, and a listener is never called more often.
                let _ = crossbeam_channel::never::<()>().recv_timeout(wait);
            }
            *last = Some(Instant::now());
            let batch: Vec<Snapshot> = pending.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
            if let (Some(listener), false) = (&hosts.listener, batch.is_empty()) {
                listener.on_changes(&batch);
            }
        }
    }
}
