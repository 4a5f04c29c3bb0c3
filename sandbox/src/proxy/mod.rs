//! A TCP proxy that fails on demand. It understands nothing of what it carries but where TLS records begin, so TLS goes through it from end to end.

mod door;
mod link;
mod pump;

pub use link::{Link, Pace, Strike, Way};

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{mpsc as commands, oneshot};

use link::{Armed, LinkState};

/// What those find who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Door {
    /// The server behind it.
    #[default]
    Open,
    /// Nobody listens: a reset.
    Refuses,
    /// The connect is never answered (Linux).
    NeverAnswers,
    /// A connection that is closed at once.
    Closes,
    /// A connection that is reset at once.
    Resets,
    /// A connection that takes everything and says nothing.
    Swallows,
}

/// A running proxy in front of one address. Dropped, it cuts every connection and joins its thread.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    commands: commands::UnboundedSender<Command>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Command = (Door, mpsc::Sender<io::Result<()>>);

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    accepted: AtomicU64,
    strikes: Arc<AtomicU64>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    /// Those that were open once, by the address that the server sees.
    links: Vec<(SocketAddr, Arc<LinkState>)>,
    pace: Pace,
    /// For the next connection.
    next: Option<Armed>,
}

impl Shared {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultProxy {
    /// In front of a server, on a port of 127.0.0.1 that it picks.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), upstream)
    }

    /// In front of a server, on this address.
    ///
    /// # Errors
    /// When it can't be bound.
    pub fn start_at(listen: SocketAddr, upstream: SocketAddr) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { upstream, accepted: AtomicU64::new(0), strikes: Arc::default(), now: Mutex::default() });
        let (stop, stopped) = oneshot::channel();
        let (commands, commanded) = commands::unbounded_channel();
        let (started, ready) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("partway-proxy".to_owned()).spawn(move || {
            runtime.block_on(async {
                match door::Address::take(listen) {
                    Ok(address) => {
                        // The other end is gone only if the caller panicked.
                        let _ = started.send(Ok(address.address));
                        door::serve(address, of_thread, commanded, stopped).await;
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
        })?;
        let address = ready.recv().unwrap_or_else(|_| Err(io::Error::other("the proxy's thread ended")))?;
        let proxy = Self { address, shared, commands, stop: Some(stop), thread: Some(thread) };
        proxy.set_door(Door::Open)?;
        Ok(proxy)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What those find who connect from now on. Connections that are open stay.
    ///
    /// # Errors
    /// When its own port can't be bound again.
    pub fn set_door(&self, door: Door) -> io::Result<()> {
        let (done, told) = mpsc::channel();
        let gone = || io::Error::other("the proxy's thread ended");
        self.commands.send((door, done)).map_err(|_| gone())?;
        told.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// The pace of all connections, those to come too.
    pub fn set_pace(&self, pace: Pace) {
        let mut now = self.shared.now();
        now.pace = pace;
        now.links.iter().for_each(|(_, link)| link.set_pace(pace));
    }

    /// Strikes the next connection, once `records` TLS records of application data have gone that way and more is to. With TLS 1.3 the first of
    /// the client's is the end of its handshake.
    pub fn strike_next(&self, way: Way, records: u32, strike: Strike) {
        self.shared.now().next = Some(Armed { way, records, strike });
    }

    /// The connection that the server sees as coming from `peer`.
    pub fn link(&self, peer: SocketAddr) -> Option<Link> {
        let now = self.shared.now();
        now.links.iter().rev().find(|(address, _)| *address == peer).map(|(_, link)| Link(Arc::clone(link)))
    }

    /// The connections that are open.
    pub fn links(&self) -> Vec<Link> {
        let now = self.shared.now();
        now.links.iter().filter(|(_, link)| link.is_open()).map(|(_, link)| Link(Arc::clone(link))).collect()
    }

    /// Connections that were accepted.
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Strikes that hit.
    pub fn strikes(&self) -> u64 {
        self.shared.strikes.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
