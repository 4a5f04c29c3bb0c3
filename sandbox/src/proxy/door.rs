//! The thread that accepts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};
use tokio::task::JoinSet;

use super::link::LinkState;
use super::{Command, Door, Shared, pump};

/// Small, so that a server that does not read is felt soon.
const SOCKET_BUFFER_BYTES: u32 = 16 << 10;
const BACKLOG: u32 = 1024;
/// A connect that takes longer finds the queue full.
const FULL: Duration = Duration::from_millis(150);

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A port that stays ours whether or not somebody listens on it: a socket is bound to it all the time.
pub(super) struct Address {
    pub(super) address: SocketAddr,
    _keeper: TcpSocket,
}

impl Address {
    pub(super) fn take(address: SocketAddr) -> io::Result<Self> {
        let keeper = bound(address)?;
        Ok(Self { address: keeper.local_addr()?, _keeper: keeper })
    }

    fn listen(&self, backlog: u32) -> io::Result<TcpListener> {
        bound(self.address)?.listen(backlog)
    }
}

/// Who listens.
enum Port {
    Listening(TcpListener),
    /// A queue that is full, and what fills it.
    Full(
        #[expect(dead_code, reason = "it is there to be full")] TcpListener,
        #[expect(dead_code, reason = "they fill it")] Vec<TcpStream>,
    ),
    /// Nobody: the system refuses.
    None,
}

impl Port {
    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Port::Listening(listener) => listener.accept().await.map(|(tcp, _)| tcp),
            _ => std::future::pending().await,
        }
    }

    async fn become_for(&mut self, door: Door, address: &Address) -> io::Result<()> {
        match (door, &self) {
            (Door::Refuses, _) => *self = Port::None,
            (Door::NeverAnswers, _) => {
                *self = Port::None;
                let listener = address.listen(1)?;
                let mut filling = Vec::new();
                while let Ok(tcp) = tokio::time::timeout(FULL, TcpStream::connect(address.address)).await {
                    filling.push(tcp?);
                }
                *self = Port::Full(listener, filling);
            }
            (_, Port::Listening(_)) => {}
            _ => {
                *self = Port::None;
                *self = Port::Listening(address.listen(BACKLOG)?);
            }
        }
        Ok(())
    }
}

pub(super) async fn serve(
    address: Address,
    shared: Arc<Shared>,
    mut commands: UnboundedReceiver<Command>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut port = Port::None;
    let mut door = Door::Open;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some((next, done)) = commands.recv() => {
                let result = port.become_for(next, &address).await;
                door = next;
                // Who asked may be gone.
                let _ = done.send(result);
            }
            accepted = port.accept() => match accepted {
                Ok(tcp) => {
                    shared.accepted.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(welcome(Arc::clone(&shared), door, tcp));
                }
                // Out of descriptors, most likely; accepting at once again would only spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

async fn welcome(shared: Arc<Shared>, door: Door, mut client: TcpStream) {
    match door {
        Door::Resets => drop(client.set_zero_linger()),
        Door::Closes | Door::Refuses | Door::NeverAnswers => {}
        Door::Swallows => {
            let mut sink = [0; 4096];
            while client.read(&mut sink).await.is_ok_and(|n| n > 0) {}
        }
        Door::Open => {
            if let Ok((server, link)) = connect(&shared).await {
                let _ = client.set_nodelay(true);
                pump::run(client, server, link).await;
            }
        }
    }
}

async fn connect(shared: &Shared) -> io::Result<(TcpStream, Arc<LinkState>)> {
    let upstream = shared.upstream;
    let socket = if upstream.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    let link = {
        let mut now = shared.now();
        Arc::new(LinkState::new(now.pace, now.next.take(), Arc::clone(&shared.strikes)))
    };
    let register = |seen_as: SocketAddr| shared.now().links.push((seen_as, Arc::clone(&link)));
    // The server may see it before this does, so it is known by its address before it connects, where that is known so early.
    let early = upstream.ip().is_loopback();
    if early {
        socket.bind(SocketAddr::new(upstream.ip(), 0))?;
        register(socket.local_addr()?);
    }
    let server = socket.connect(upstream).await?;
    if !early {
        register(server.local_addr()?);
    }
    let _ = server.set_nodelay(true);
    Ok((server, link))
}
