//! One connection: TCP, perhaps TLS over it, and a watch over what moves.

use std::{
    fmt, io,
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use rustls::ClientConnection;
use ureq::{
    Error, Timeout,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, NextTimeout, ShutdownHandle, Transport as UreqTransport,
    },
};

use super::{
    TransportFault,
    buffers::WireBuffers,
    current::Current,
    dial::{Timed, dial},
    fault::{self, unreached},
    interim::is_refusal,
    proxy::bare,
    tls,
};
use crate::error::Code;

/// Reads in a row that bring nothing of an answer: a record of 16 KiB may come in pieces, and tickets before it.
const EMPTY_READS_MAX: u32 = 1_024;

/// Makes a lane's connections: name, TCP, proxy and TLS under one deadline.
pub(super) struct WireConnector(pub(super) Arc<Current>);

impl fmt::Debug for WireConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireConnector")
    }
}

impl WireConnector {
    fn open(&self, details: &ConnectionDetails) -> Result<Wire, TransportFault> {
        let setup = &self.0.setup;
        let until = Instant::now() + setup.connect;
        let cancel = self.0.cancel();
        let authority = details.uri.authority().ok_or_else(fault::unsendable)?;
        let secure = details.needs_tls();
        let host = bare(authority.host());
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let (socket, peer) = match &setup.proxy {
            None => dial(setup, host, port, until, &cancel)?,
            Some(proxy) => dial(setup, &proxy.host, proxy.port, until, &cancel).map_err(|fault| match fault {
                TransportFault::Cancelled => fault,
                _ => unreached(Code::ProxyFailed, "The proxy could not be reached."),
            })?,
        };
        let cut = Arc::new(Cut(socket.clone()));
        let handle: Weak<Cut> = Arc::downgrade(&cut);
        (details.register_shutdown)(handle as Weak<dyn ShutdownHandle>).map_err(|_| TransportFault::Cancelled)?;
        let secured = || {
            if let Some(proxy) = &setup.proxy {
                proxy.tunnel(&socket, &format!("{}:{port}", authority.host()), &setup.user_agent, until)?;
            }
            if secure { tls::handshake(setup.tls.clone(), host, &socket, until).map(Some) } else { Ok(None) }
        };
        let tls = secured();
        if !cancel.is_cancelled() {
            setup.learn(peer, tls.is_ok());
        }
        let tls = tls?;
        socket
            .set_write_timeout(Some(setup.slice()))
            .map_err(|_| unreached(Code::ConnectFailed, "No connection came about."))?;
        Ok(Wire {
            socket,
            _cut: cut,
            tls,
            buffers: WireBuffers::new(self.0.output.clone()),
            current: self.0.clone(),
            request: 0,
            served: 0,
            spoiled: false,
            unseen: false,
            asked: false,
            probed: Instant::now(),
            pace: Pace::default(),
        })
    }
}

impl Connector<()> for WireConnector {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wire>, Error> {
        self.open(details).map(Some).map_err(|fault| self.0.fail(fault))
    }
}

/// Cuts a connection off from another thread.
struct Cut(Arc<TcpStream>);

impl ShutdownHandle for Cut {
    fn shutdown(&self) {
        end_with_a_reset(&self.0);
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// What the system took and did not send yet is dropped when the socket is closed: a pause, or a network that costs too much, ends the bytes too, and not a send
/// buffer later.
fn end_with_a_reset(socket: &TcpStream) {
    #[cfg(unix)]
    let _ = rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO));
    #[cfg(not(unix))]
    let _ = socket;
}

/// A connection of a lane.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    /// For as long as the connection is there, it can be cut off.
    _cut: Arc<Cut>,
    tls: Option<Box<ClientConnection>>,
    buffers: WireBuffers,
    current: Arc<Current>,
    /// The request that it serves, and how many it served before.
    request: u64,
    served: u32,
    /// Something of a request was not sent: nothing may follow it.
    spoiled: bool,
    /// Input was read before ureq asked for it.
    unseen: bool,
    /// The last wait was for the permission to send the body.
    asked: bool,
    probed: Instant,
    pace: Pace,
}

/// How much of a request was taken, in the time that was spent with giving it.
#[derive(Default)]
struct Pace {
    bytes: usize,
    spent: Duration,
}

impl Pace {
    /// In ten times the limit for a stall: a byte now and then is no progress, and would hold a place for ever. 110 bytes a second with the limit of 30 s.
    const BYTES_MIN: usize = 32 << 10;

    /// Counts; true when that was too little.
    fn crawls(&mut self, bytes: usize, spent: Duration, stall: Duration) -> bool {
        self.bytes += bytes;
        self.spent += spent;
        if self.spent < stall * 10 {
            return false;
        }
        std::mem::take(self).bytes < Pace::BYTES_MIN
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The body may hear of a cancel before the connection is cut off, and fail: then this closes it.
        if self.current.cancel().is_cancelled() {
            end_with_a_reset(&self.socket);
        }
    }
}

impl UreqTransport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let request = self.current.request();
        if self.request != request {
            self.request = request;
            self.current.taken(self.served > 0);
            self.served = self.served.saturating_add(1);
            self.probed = Instant::now();
            self.pace = Pace::default();
            self.asked = false;
        }
        self.current.sending();
        self.push(amount).map_err(|fault| self.current.fail(fault))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let asking = timeout.reason == Timeout::Await100;
        // A final answer to the question whether to send the body stays in the buffer: ureq asks for it again, as an answer.
        let asked = std::mem::replace(&mut self.asked, asking);
        let kept = asked && !asking && !self.buffers.input().is_empty();
        let seen = std::mem::take(&mut self.unseen) || kept;
        if !asking && !seen {
            self.buffers.give_output();
            self.current.sent();
        }
        // Of a body nothing is taken out.
        let in_head = !self.current.head_done();
        if seen && (!in_head || self.buffers.settle_interim()) {
            return Ok(true);
        }
        let asked_until = Instant::now().checked_add(*timeout.after).filter(|_| asking);
        loop {
            let begun = !in_head || self.buffers.begun();
            let until = self.current.answer_deadline(begun).map_err(|fault| self.current.fail(fault))?;
            let until = asked_until.map_or(until, |asked_until| until.min(asked_until));
            match self.fill(Some(until)) {
                // An end in the middle of an answer makes ureq ask again until its time is over.
                Ok(0) if asking => return Err(self.cut()),
                Ok(0) => return Ok(false),
                Ok(_) if !in_head || self.buffers.settle_interim() => return Ok(true),
                // Nothing but interim answers, of which nobody asked to hear.
                Ok(_) => {}
                Err(error) => return Err(self.no_answer(error.kind(), asking)),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        let waits = |error: io::Error| error.kind() == io::ErrorKind::WouldBlock;
        !self.spoiled && self.buffers.input().is_empty() && self.fill_now().err().is_some_and(waits)
    }

    fn is_tls(&self) -> bool {
        self.tls.is_some()
    }
}

impl Wire {
    fn cut(&self) -> Error {
        self.current.fail(fault::cut(self.served > 1))
    }

    fn no_answer(&self, kind: io::ErrorKind, asking: bool) -> Error {
        match kind {
            kind if blocked(kind) && asking => Error::Timeout(Timeout::Await100),
            kind if blocked(kind) => self.current.fail(fault::stalled("The answer did not come in time.")),
            io::ErrorKind::InvalidData => {
                self.current.fail(fault::malformed(Code::AnswerMalformed, "What came is not what TLS sends."))
            }
            _ => self.cut(),
        }
    }

    /// Sends the first `amount` bytes of the output; none any more once the service refused the request.
    fn push(&mut self, amount: usize) -> Result<(), TransportFault> {
        let (slice, stall) = (self.current.setup.slice(), self.current.setup.stall);
        let began = Instant::now();
        let (mut at, mut moved, mut last) = (0, began, began);
        while !self.spoiled {
            let outcome = match &mut self.tls {
                None if at == amount => break,
                None => Timed::as_is(&self.socket).write(&self.buffers.filled(amount)[at..]).inspect(|n| at += n),
                Some(tls) => {
                    if at < amount {
                        at += tls.writer().write(&self.buffers.filled(amount)[at..]).unwrap_or(0);
                    }
                    if !tls.wants_write() {
                        if at == amount {
                            break;
                        }
                        return Err(fault::cut(self.served > 1));
                    }
                    tls.write_tls(&mut Timed::as_is(&self.socket))
                }
            };
            let now = Instant::now();
            let taken = match outcome {
                Ok(n) if n > 0 => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if blocked(error.kind()) => 0,
                // The service may have said why before it closed.
                _ if self.refused() => return Ok(()),
                _ => return Err(fault::cut(self.served > 1)),
            };
            if taken > 0 {
                moved = now;
            }
            if now.duration_since(self.probed) >= slice {
                self.probed = now;
                self.refused();
            }
            let crawls = self.pace.crawls(taken, now.duration_since(last), stall);
            last = now;
            if !self.spoiled && (crawls || now.duration_since(moved) >= stall) {
                return Err(fault::stalled("The service took nothing, or next to nothing, for too long."));
            }
        }
        self.buffers.sent(amount, last.duration_since(began));
        Ok(())
    }

    /// Looks whether the service refused the request already. If so, the rest is not sent and the connection serves no other request. Early
    /// success is not believed: then the sending goes on.
    fn refused(&mut self) -> bool {
        // Enough for the beginning of an answer behind interim ones: the rest is read when it is asked for.
        while self.buffers.input().len() < 1 << 10 && matches!(self.fill_now(), Ok(n) if n > 0) {
            self.unseen = true;
        }
        if !self.spoiled && is_refusal(self.buffers.input()) {
            self.spoiled = true;
            self.current.set_answered_early();
        }
        self.spoiled
    }

    /// What can be read without waiting.
    fn fill_now(&mut self) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        let outcome = self.fill(None);
        self.socket.set_nonblocking(false)?;
        outcome
    }

    /// Reads once into the input; 0 at the end.
    fn fill(&mut self, until: Option<Instant>) -> io::Result<usize> {
        let mut socket = match until {
            Some(until) => Timed::until(&self.socket, until),
            None => Timed::as_is(&self.socket),
        };
        let input = self.buffers.input_append_buf();
        let n = match &mut self.tls {
            None => socket.read(input)?,
            Some(tls) => {
                let mut empty = 0;
                loop {
                    match tls.reader().read(input) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => empty += 1,
                        outcome => break outcome?,
                    }
                    // Records of which none has a byte of an answer: TLS has no use for so many.
                    if empty > EMPTY_READS_MAX {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    if tls.read_tls(&mut socket)? > 0 {
                        tls.process_new_packets().map_err(|_| io::ErrorKind::InvalidData)?;
                    }
                }
            }
        };
        self.buffers.input_appended(n);
        self.current.received(n);
        Ok(n)
    }
}

fn blocked(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_now_and_then_is_no_progress() {
        let (stall, second) = (Duration::from_secs(30), Duration::from_secs(1));
        let mut pace = Pace::default();
        assert!((0..299).all(|_| !pace.crawls(100, second, stall)), "not before its time");
        assert!(pace.crawls(100, second, stall), "30,000 bytes in 300 s");
        assert!((0..3_000).all(|_| !pace.crawls(200, second, stall)), "slow is not still");
        // Time that goes by while the body is read, or held back by a rate, is none that was spent with giving it.
        assert!((0..3_000).all(|_| !pace.crawls(0, Duration::ZERO, stall)));
    }
}
