//! The way to a TCP connection. What can't be interrupted (a name's lookup, a connect) runs in threads of its own, so that the caller can leave.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{CancelToken, TransportFault, fault::unreached, setup::Setup};
use crate::{
    channel::{Nothing, Receiver, Sender, channel},
    error::Code,
};

/// How often a wait looks whether it was cancelled.
const LOOK_UP: Duration = Duration::from_millis(50);
/// The head start of an address before the next one is tried too (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;
/// Helper threads of the whole process. A lookup that nobody waits for any more ends when the system gives up on it.
const HELPERS_MAX: usize = 64;
const HELPER_STACK_BYTES: usize = 512 << 10;

static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// Connects to `host:port` until `until`.
pub(super) fn dial(
    setup: &Setup,
    host: &str,
    port: u16,
    until: Instant,
    cancel: &CancelToken,
) -> Result<(Arc<TcpStream>, SocketAddr), TransportFault> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => match setup.names.as_ref().map(|names| names(host)).unwrap_or_default() {
            given if given.is_empty() => lookup(host, port, until, cancel)?,
            given => given.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(),
        },
    };
    let mut addresses = interleaved(addresses);
    setup.rank(&mut addresses);
    let (stream, address) = race(&addresses, until, cancel)?;
    // A peer that has gone again is found out by what follows.
    let _ = stream.set_nodelay(true);
    Ok((Arc::new(stream), address))
}

fn no_connection() -> TransportFault {
    unreached(Code::ConnectFailed, "No connection came about.")
}

fn lookup(host: &str, port: u16, until: Instant, cancel: &CancelToken) -> Result<Vec<SocketAddr>, TransportFault> {
    let failed = |detail| unreached(Code::ResolveFailed, detail);
    let (sender, receiver) = channel();
    let host = host.to_owned();
    helper(sender, move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>))
        .map_err(|_| failed("No thread to look the name up."))?;
    match wait(&receiver, until, cancel)? {
        Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Some(_) => Err(failed("The name is not known.")),
        None => Err(failed("The name was not found in time.")),
    }
}

/// Both families in turns, the resolver's first choice first.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (ours, others): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut ours, mut others) = (ours.into_iter(), others.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [ours.next(), others.next()];
        if pair == [None, None] || mixed.len() >= ADDRESSES_MAX {
            mixed.truncate(ADDRESSES_MAX);
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

/// The first address that connects. The next one starts 250 ms after the last, or at once when one failed.
fn race(
    addresses: &[SocketAddr],
    until: Instant,
    cancel: &CancelToken,
) -> Result<(TcpStream, SocketAddr), TransportFault> {
    let (sender, receiver) = channel();
    let mut waiting = addresses.iter();
    let mut running = 0;
    loop {
        if let Some(address) = waiting.next().copied() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(no_connection());
            }
            match helper(sender.clone(), move || {
                TcpStream::connect_timeout(&address, left).map(|stream| (stream, address))
            }) {
                Ok(()) => running += 1,
                Err(_) if running == 0 => return Err(no_connection()),
                Err(_) => {}
            }
        } else if running == 0 {
            return Err(no_connection());
        }
        let next = if waiting.len() > 0 { until.min(Instant::now() + HEAD_START) } else { until };
        match wait(&receiver, next, cancel)? {
            Some(Ok(connected)) => return Ok(connected),
            Some(Err(_)) => running -= 1,
            None if next == until => return Err(no_connection()),
            None => {}
        }
    }
}

/// What a helper sends; `None` when the time is over.
fn wait<T>(receiver: &Receiver<T>, until: Instant, cancel: &CancelToken) -> Result<Option<T>, TransportFault> {
    loop {
        if cancel.is_cancelled() {
            return Err(TransportFault::Cancelled { left: false });
        }
        let left = until.saturating_duration_since(Instant::now());
        match receiver.recv_until(until.min(Instant::now() + LOOK_UP)) {
            Ok(value) => return Ok(Some(value)),
            Err(Nothing::TimedOut) if left > LOOK_UP => {}
            Err(_) => return Ok(None),
        }
    }
}

fn helper<T: Send + 'static>(sender: Sender<T>, work: impl FnOnce() -> T + Send + 'static) -> io::Result<()> {
    /// Counts a helper for as long as it lives.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            HELPERS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let before = HELPERS.fetch_add(1, Ordering::Relaxed);
    let place = Place;
    if before >= HELPERS_MAX {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    thread::Builder::new().name("partway-dial".into()).stack_size(HELPER_STACK_BYTES).spawn(move || {
        let _place = place;
        // Nobody listens any more: the connection is closed by being dropped.
        sender.send(work());
    })?;
    Ok(())
}

/// A blocking socket whose every read and write ends at a deadline.
pub(super) struct Timed<'a> {
    socket: &'a TcpStream,
    until: Option<Instant>,
}

impl<'a> Timed<'a> {
    /// Sets the socket's time-outs before every call.
    pub(super) fn until(socket: &'a TcpStream, until: Instant) -> Self {
        Self { socket, until: Some(until) }
    }

    /// Leaves them as they are.
    pub(super) fn as_is(socket: &'a TcpStream) -> Self {
        Self { socket, until: None }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(until) = self.until else { return Ok(None) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(left) = self.left()? {
                self.socket.set_read_timeout(Some(left))?;
            }
            match self.socket.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(left) = self.left()? {
            self.socket.set_write_timeout(Some(left))?;
        }
        self.socket.write(buf)
    }

    /// What TLS has made of one buffer, in one call. Not std's, which is a `writev` and raises SIGPIPE.
    #[cfg(unix)]
    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
        // Apple's systems don't know the flag; there std makes sockets that raise no signal.
        #[cfg(target_vendor = "apple")]
        const QUIET: SendFlags = SendFlags::empty();
        #[cfg(not(target_vendor = "apple"))]
        const QUIET: SendFlags = SendFlags::NOSIGNAL;
        if let Some(left) = self.left()? {
            self.socket.set_write_timeout(Some(left))?;
        }
        Ok(sendmsg(self.socket, bufs, &mut SendAncillaryBuffer::default(), QUIET)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"].map(address).to_vec();
        let mixed = ["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"].map(address).to_vec();
        assert_eq!(interleaved(given), mixed);
        assert!(interleaved(vec![]).is_empty());
        assert_eq!(interleaved(vec![address("[::1]:1"); 20]).len(), ADDRESSES_MAX);
    }

    #[test]
    fn a_dead_address_costs_its_head_start_and_a_refused_one_nothing() {
        let bind = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let dead = bind();
        let dead_address = dead.local_addr().expect("bound");
        let mut held = Vec::new();
        // With a full backlog Linux leaves further connects unanswered.
        while let Ok(stream) = TcpStream::connect_timeout(&dead_address, Duration::from_millis(200)) {
            held.push(stream);
        }
        let refused = bind().local_addr().expect("bound");
        let live = bind();
        let live_address = live.local_addr().expect("bound");
        let until = Instant::now() + Duration::from_secs(5);
        let began = Instant::now();
        let (_, connected) =
            race(&[refused, dead_address, live_address], until, &CancelToken::default()).expect("connected");
        assert_eq!(connected, live_address);
        assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
    }
}
