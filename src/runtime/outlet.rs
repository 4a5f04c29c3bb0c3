//! The way to the host: one thread, in order, never re-entrant; at most ten batches a second; the latest wins, no change of state is skipped.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    CredentialAsk, CredentialProvider, Idle, Listener, LogLevel, SignAsk, Signer, Snapshot, SourceAsk, SourceProvider,
    journal::Id, logger::Logger, pool::Pool,
};
use crate::channel::{Receiver, Sender, channel};

/// Between two batches, as a rule.
const BEAT: Duration = Duration::from_millis(100);
/// Batches within a second, whatever happens.
const CALLS_A_SECOND: usize = 10;

/// A callback that takes longer is named in the log.
const CALL_MAX: Duration = Duration::from_secs(5);

/// What the host gave at open.
pub(crate) struct Hosts {
    pub(crate) credentials: Arc<dyn CredentialProvider>,
    pub(crate) sources: Option<Arc<dyn SourceProvider>>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) listener: Option<Arc<dyn Listener>>,
}

enum Call {
    Deliver,
    /// There are asks.
    Asks,
    Idle(Idle),
}

/// Uploads stand still until it is answered, so it does not wait for a beat.
enum Ask {
    Credential(CredentialAsk),
    Source(SourceAsk),
    Sign(SignAsk),
    /// Not of the host: an upload ended, and who waits for that need not wait for a beat either.
    Hurry,
}

/// When the listener was called, at most [`CALLS_A_SECOND`] of them.
#[derive(Default)]
struct Calls {
    times: VecDeque<Instant>,
    hurry: bool,
}

impl Calls {
    /// When it may be called next.
    fn due(&self) -> Instant {
        let now = Instant::now();
        let full = self.times.len() >= CALLS_A_SECOND;
        let allowed = self.times.front().filter(|_| full).map_or(now, |first| *first + Duration::from_secs(1));
        let beat = self.times.back().filter(|_| !self.hurry).map_or(now, |last| *last + BEAT);
        allowed.max(beat)
    }

    fn note(&mut self) {
        self.hurry = false;
        if self.times.len() >= CALLS_A_SECOND {
            self.times.pop_front();
        }
        self.times.push_back(Instant::now());
    }
}

/// What the listener was not told yet. Ids are never used again, so all changes of an upload come before its end as a row.
#[derive(Default)]
struct News {
    changes: Vec<Snapshot>,
    /// Where the last one of an upload is among them.
    last: HashMap<Id, usize>,
    forgotten: Vec<String>,
}

impl News {
    /// The latest of an upload wins while its state is the same; a change of state gets a line of its own.
    fn add(&mut self, snapshot: Snapshot) {
        let id = Id::parse(&snapshot.id);
        let last = id.and_then(|id| self.last.get(&id)).and_then(|at| self.changes.get_mut(*at));
        match last {
            Some(last) if last.state.is_like(&snapshot.state) => *last = snapshot,
            _ => {
                id.map(|id| self.last.insert(id, self.changes.len()));
                self.changes.push(snapshot);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.forgotten.is_empty()
    }
}

/// Calls the host.
pub(super) struct Outlet {
    hosts: Arc<Hosts>,
    pending: Arc<Mutex<News>>,
    asks: Sender<Ask>,
    closed: Arc<AtomicBool>,
    watch: Watch,
    pool: Pool<Call>,
}

/// Which callback the host is in, since when, and whether that was said.
type Within = (&'static str, Instant, bool);

/// Looks how long callbacks take.
#[derive(Clone)]
struct Watch {
    call: Arc<Mutex<Option<Within>>>,
    logger: Logger,
}

impl Watch {
    fn set(&self, call: Option<Within>) -> Option<Within> {
        std::mem::replace(&mut *self.call.lock().unwrap_or_else(PoisonError::into_inner), call)
    }

    /// A host that panics in a call of ours harms nobody else.
    fn over(&self, what: &'static str, call: impl FnOnce()) {
        self.set(Some((what, Instant::now(), false)));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err();
        if panicked {
            self.logger.log(LogLevel::Error, "host", || format!("{what} panicked"));
        }
        if let Some((_, since, _)) = self.set(None).filter(|(_, since, _)| since.elapsed() > CALL_MAX) {
            self.logger
                .log(LogLevel::Error, "host", || format!("{what} returned after {} s", since.elapsed().as_secs()));
        }
    }

    /// Looked at whenever there is something to tell: a callback that never returns is named once.
    fn look(&self) {
        let mut call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((what, since, said)) = call.as_mut().filter(|(_, since, said)| !said && since.elapsed() > CALL_MAX)
        {
            *said = true;
            let seconds = since.elapsed().as_secs();
            self.logger
                .log(LogLevel::Error, "host", || format!("{what} blocks since {seconds} s: nothing is told meanwhile"));
        }
    }
}

impl Outlet {
    pub(super) fn new(hosts: Arc<Hosts>, logger: Logger) -> Outlet {
        let watch = Watch { call: Arc::default(), logger };
        let watched = watch.clone();
        let pending = Arc::new(Mutex::new(News::default()));
        let (asks, asked) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let (to, of, over) = (hosts.clone(), pending.clone(), closed.clone());
        let pool = Pool::new("partway-events", 1, move || {
            let (hosts, pending, asked, closed) = (to.clone(), of.clone(), asked.clone(), over.clone());
            let watch = watched.clone();
            let mut calls = Calls::default();
            Box::new(move |call| {
                if !closed.load(Ordering::SeqCst) {
                    serve(call, &hosts, &pending, &asked, &mut calls, &closed, &watch);
                }
            })
        });
        Outlet { hosts, pending, asks, closed, watch, pool }
    }

    pub(super) fn has_sources(&self) -> bool {
        self.hosts.sources.is_some()
    }

    pub(super) fn has_signer(&self) -> bool {
        self.hosts.signer.is_some()
    }

    /// Tells the host of a snapshot, soon.
    pub(super) fn changed(&self, snapshot: Snapshot) {
        if self.hosts.listener.is_none() {
            return;
        }
        self.watch.look();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = pending.is_empty();
        let ended = snapshot.state.ended();
        pending.add(snapshot);
        drop(pending);
        if ended {
            self.asks.send(Ask::Hurry);
        }
        if first {
            self.pool.submit(Call::Deliver);
        }
    }

    /// Tells the host that an upload is no row any more, after all that happened to it.
    pub(super) fn forgotten(&self, id: &str) {
        if self.hosts.listener.is_none() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = pending.is_empty();
        pending.forgotten.push(id.to_owned());
        drop(pending);
        if first {
            self.pool.submit(Call::Deliver);
        }
    }

    pub(super) fn ask_credential(&self, ask: CredentialAsk) {
        self.ask(Ask::Credential(ask));
    }

    pub(super) fn ask_source(&self, ask: SourceAsk) {
        self.ask(Ask::Source(ask));
    }

    pub(super) fn ask_sign(&self, ask: SignAsk) {
        self.ask(Ask::Sign(ask));
    }

    fn ask(&self, ask: Ask) {
        self.watch.look();
        self.asks.send(ask);
        self.pool.submit(Call::Asks);
    }

    pub(super) fn idle(&self, idle: Idle) {
        if self.hosts.listener.is_some() {
            self.pool.submit(Call::Idle(idle));
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Ends a wait for the beat.
        self.asks.send(Ask::Hurry);
        self.pool.close();
    }

    /// True when no callback runs any more, after at most so long.
    pub(super) fn drain(&self, timeout: Duration) -> bool {
        self.pool.drain(timeout)
    }

    pub(super) fn alive(&self) -> usize {
        self.pool.alive()
    }
}

fn serve(
    call: Call,
    hosts: &Hosts,
    pending: &Mutex<News>,
    asked: &Receiver<Ask>,
    calls: &mut Calls,
    closed: &AtomicBool,
    watch: &Watch,
) {
    match call {
        Call::Asks => {
            while let Ok(ask) = asked.recv_until(Instant::now()) {
                answer(ask, hosts, calls, watch);
            }
        }
        Call::Idle(idle) => {
            if let Some(listener) = &hosts.listener {
                watch.over("Listener::on_idle", || listener.on_idle(&idle));
            }
        }
        Call::Deliver => {
            // A listener is not called more often than this; whoever is asked meanwhile need not wait for it.
            while let Ok(ask) = asked.recv_until(calls.due()) {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                answer(ask, hosts, calls, watch);
            }
            if closed.load(Ordering::SeqCst) {
                return;
            }
            calls.note();
            let news = std::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner));
            let Some(listener) = &hosts.listener else { return };
            if !news.changes.is_empty() {
                watch.over("Listener::on_changes", || listener.on_changes(&news.changes));
            }
            if !news.forgotten.is_empty() {
                watch.over("Listener::on_forgotten", || listener.on_forgotten(&news.forgotten));
            }
        }
    }
}

fn answer(ask: Ask, hosts: &Hosts, calls: &mut Calls, watch: &Watch) {
    match ask {
        Ask::Hurry => calls.hurry = true,
        Ask::Credential(ask) => watch.over("CredentialProvider::provide", || hosts.credentials.provide(ask)),
        Ask::Source(ask) => match &hosts.sources {
            Some(sources) => watch.over("SourceProvider::open", || sources.open(ask)),
            None => ask.gone(),
        },
        Ask::Sign(ask) => match &hosts.signer {
            Some(signer) => watch.over("Signer::sign", || signer.sign(ask)),
            None => ask.refuse(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::State;

    fn snapshot(number: u32, revision: u64, state: State) -> Snapshot {
        let id = format!("01M7WDNRZR1VYK827PWWT{number:05}");
        let record = serde_json::json!({
            "id": id, "key": "k", "created_unix_ms": 0, "source": {},
            "target": { "service": "smh", "endpoint": "https://api.example.com", "account": "me", "library": "l", "path": "a" },
        });
        let upload = serde_json::from_value(record).expect("a record");
        let facts = crate::engine::Facts::new([crate::engine::Record::Upload(Box::new(upload))]).expect("facts");
        Snapshot { revision, state, ..super::super::snapshot_of(&facts, 0) }
    }

    #[test]
    fn the_latest_of_a_state_wins_and_no_change_of_state_is_skipped() {
        let mut news = News::default();
        let all = [(1, 1, State::Queued), (2, 1, State::Queued), (1, 2, State::Queued), (1, 3, State::Paused)];
        let rest = [(2, 2, State::Queued), (1, 4, State::Queued), (1, 5, State::Queued)];
        all.into_iter().chain(rest).for_each(|(number, revision, state)| news.add(snapshot(number, revision, state)));
        let told: Vec<_> = news
            .changes
            .iter()
            .map(|change| (change.id.ends_with('1'), change.revision, change.state.clone()))
            .collect();
        let expected =
            [(true, 2, State::Queued), (false, 2, State::Queued), (true, 3, State::Paused), (true, 5, State::Queued)];
        assert_eq!(told, expected);
    }
}
