//! The thread that listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::connection;
use crate::faults::Plane;
use crate::shared::Shared;
use crate::stream::Stream;
use crate::tls::Acceptor;

/// Where the three listeners are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) api: SocketAddr,
    pub(crate) data: SocketAddr,
    pub(crate) control: SocketAddr,
}

/// The running server; dropped, it stops.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) addresses: Addresses,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Connections need no parallelism beyond what two cores give; the blocking pool assembles objects.
const WORKERS: usize = 2;
const HANDSHAKE: Duration = Duration::from_secs(10);

impl Server {
    pub(crate) fn start(shared: Arc<Shared>, acceptor: Option<Acceptor>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (started, ready) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("partway-sandbox")
            .enable_io()
            .enable_time()
            .build()?;
        let thread = std::thread::Builder::new().name("partway-sandbox".to_owned()).spawn(move || {
            runtime.block_on(async {
                match Listeners::bind(&shared) {
                    Ok(listeners) => {
                        // The other end is gone only if the caller panicked.
                        let _ = started.send(Ok(listeners.addresses));
                        listeners.run(shared, acceptor, stopped).await;
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(10));
        })?;
        let addresses = ready.recv().unwrap_or_else(|_| Err(io::Error::other("the sandbox's thread ended")))?;
        Ok(Self { addresses, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Listeners {
    api: TcpListener,
    data: TcpListener,
    control: TcpListener,
    addresses: Addresses,
}

impl Listeners {
    fn bind(shared: &Shared) -> io::Result<Self> {
        let config = &shared.config;
        let bind = |port| bind(config.listen, port, config.receive_buffer_bytes);
        let (api, data, control) = (bind(config.api_port)?, bind(config.data_port)?, bind(config.control_port)?);
        let addresses = Addresses { api: api.local_addr()?, data: data.local_addr()?, control: control.local_addr()? };
        let domain = match &config.data_host {
            Some(host) => format!("{host}:{}", addresses.data.port()),
            None => reachable(addresses.data).to_string(),
        };
        shared.set_domain(domain);
        let _ = shared.addresses.set(addresses);
        Ok(Self { api, data, control, addresses })
    }

    async fn run(self, shared: Arc<Shared>, acceptor: Option<Acceptor>, mut stopped: oneshot::Receiver<()>) {
        let mut connections = JoinSet::new();
        loop {
            let (accepted, plane) = tokio::select! {
                _ = &mut stopped => break,
                accepted = self.api.accept() => (accepted, Plane::Api),
                accepted = self.data.accept() => (accepted, Plane::Data),
                accepted = self.control.accept() => (accepted, Plane::Control),
                Some(_) = connections.join_next() => continue,
            };
            let Ok((tcp, _)) = accepted else {
                // Out of descriptors, most likely; accepting at once again would only spin.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let acceptor = acceptor.clone().filter(|_| plane != Plane::Control);
            connections.spawn(welcome(Arc::clone(&shared), plane, tcp, acceptor));
        }
        connections.shutdown().await;
    }
}

/// Who listens everywhere is reached through the loopback.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

fn bind(ip: IpAddr, port: u16, receive_buffer: Option<u32>) -> io::Result<TcpListener> {
    let socket = if ip.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(SocketAddr::new(ip, port))?;
    socket.listen(1024)
}

async fn welcome(shared: Arc<Shared>, plane: Plane, tcp: TcpStream, acceptor: Option<Acceptor>) {
    let id = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let _ = tcp.set_nodelay(true);
    let stream = match acceptor {
        None => Stream::Plain(tcp),
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(tcp)).await {
            Ok(Ok(stream)) => stream,
            _ => return,
        },
    };
    connection::serve(shared, plane, id, stream).await;
}
