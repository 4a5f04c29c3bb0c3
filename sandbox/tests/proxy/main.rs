//! The proxy between two plain sockets.
#![allow(clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use partway_sandbox::{Door, FaultProxy, Pace, Strike, Way};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server's end and a client's, and the proxy between.
struct Pair {
    proxy: FaultProxy,
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    fn new() -> Pair {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
        let (client, server) = connect(&proxy, &listener);
        Pair { proxy, listener, client, server }
    }

    fn link(&self) -> partway_sandbox::Link {
        self.proxy.link(self.server.peer_addr().unwrap()).unwrap()
    }
}

fn connect(proxy: &FaultProxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    (client, server)
}

fn says(mut from: &TcpStream, mut to: &TcpStream, text: &[u8]) -> Vec<u8> {
    from.write_all(text).unwrap();
    let mut got = vec![0; text.len()];
    to.read_exact(&mut got).unwrap();
    got
}

fn end(mut stream: &TcpStream) -> Result<usize, ErrorKind> {
    stream.read(&mut [0; 9]).map_err(|error| error.kind())
}

#[test]
fn bytes_and_ends_go_through() {
    let pair = Pair::new();
    assert_eq!(says(&pair.client, &pair.server, b"hello"), b"hello");
    assert_eq!(says(&pair.server, &pair.client, b"world"), b"world");
    pair.client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(end(&pair.server), Ok(0));
    assert_eq!(says(&pair.server, &pair.client, b"late"), b"late");
    assert_eq!((pair.proxy.accepted(), pair.proxy.strikes()), (1, 0));
    assert_eq!((pair.link().came(Way::ToServer), pair.link().came(Way::ToClient)), (5, 9));
}

#[test]
fn each_strike_is_what_it_says() {
    let pair = Pair::new();
    pair.link().strike(Strike::Reset);
    assert_eq!(end(&pair.client), Err(ErrorKind::ConnectionReset));

    let (client, server) = connect(&pair.proxy, &pair.listener);
    let link = pair.proxy.link(server.peer_addr().unwrap()).unwrap();
    link.strike(Strike::Close);
    assert_eq!((end(&client), end(&server)), (Ok(0), Ok(0)));
    assert!(!link.is_open());

    let (client, server) = connect(&pair.proxy, &pair.listener);
    pair.proxy.link(server.peer_addr().unwrap()).unwrap().strike(Strike::HalfClose);
    assert_eq!(end(&client), Ok(0));
    assert_eq!(says(&client, &server, b"still"), b"still");

    let (client, server) = connect(&pair.proxy, &pair.listener);
    pair.proxy.link(server.peer_addr().unwrap()).unwrap().strike(Strike::Blackhole);
    (&client).write_all(b"nothing").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    server.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(matches!(end(&client), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
    assert!(matches!(end(&server), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
    assert_eq!(pair.proxy.strikes(), 4);
}

#[test]
fn a_byte_is_another_one_once_and_a_strike_waits_for_its_bytes() {
    let pair = Pair::new();
    pair.link().strike_on(Way::ToServer, Strike::Corrupt);
    let text = b"0123456789abcdef";
    assert_eq!(says(&pair.server, &pair.client, text), text, "the other way");
    let got = says(&pair.client, &pair.server, text);
    assert_eq!(got.iter().zip(text).filter(|(got, sent)| got != sent).count(), 1);
    assert_eq!(says(&pair.client, &pair.server, text), text, "once");
    pair.link().strike_on(Way::ToServer, Strike::Close);
    assert_eq!(says(&pair.server, &pair.client, text), text);
    (&pair.client).write_all(b"lost").unwrap();
    assert_eq!((end(&pair.server), end(&pair.client)), (Ok(0), Ok(0)), "nothing of it arrived");
    assert_eq!(pair.proxy.strikes(), 2);
}

#[test]
fn slow_is_slow() {
    let pair = Pair::new();
    let timed = |pace: Pace, bytes: usize| {
        pair.proxy.set_pace(pace);
        let began = Instant::now();
        assert_eq!(says(&pair.client, &pair.server, &vec![7; bytes]), vec![7; bytes]);
        began.elapsed()
    };
    assert!(timed(Pace { latency_ms: 80, ..Pace::default() }, 9) >= Duration::from_millis(80));
    assert!(timed(Pace { bytes_per_s: 100_000, ..Pace::default() }, 20_000) >= Duration::from_millis(100));
    assert!(timed(Pace { trickled_bytes: 50, ..Pace::default() }, 60) >= Duration::from_millis(50));
}

#[test]
fn doors() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = FaultProxy::start(listener.local_addr().unwrap()).unwrap();
    let try_connect = || TcpStream::connect_timeout(&proxy.address(), Duration::from_millis(400));
    for _ in 0..2 {
        proxy.set_door(Door::Refuses).unwrap();
        assert_eq!(try_connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        proxy.set_door(Door::NeverAnswers).unwrap();
        assert_eq!(try_connect().unwrap_err().kind(), ErrorKind::TimedOut);
        proxy.set_door(Door::Closes).unwrap();
        assert_eq!(end(&try_connect().unwrap()), Ok(0));
        proxy.set_door(Door::Swallows).unwrap();
        let mut taken = try_connect().unwrap();
        taken.write_all(b"anything").unwrap();
        taken.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(end(&taken).is_err(), "it says nothing");
        proxy.set_door(Door::Open).unwrap();
        let (client, server) = connect(&proxy, &listener);
        assert_eq!(says(&client, &server, b"open"), b"open");
    }
}
