//! Faults that leave HTTP, seen from the socket.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use partway_sandbox::{How, LogEntry, Rule, Sandbox, Step};

use crate::data_plane::put_head;
use crate::support::{Client, MIB, Wire, bytes, cloud};

const BEGIN: &[u8] =
    b"POST /api/v1/file/smh-sandbox/-/x?multipart&access_token=sandbox-token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

fn begin(how: How) -> (Sandbox, Wire) {
    let cloud = cloud();
    cloud.add_rule(Rule::new(Step::Begin, how));
    let mut wire = Wire::open(cloud.api_address());
    wire.send(BEGIN).expect("sent");
    (cloud, wire)
}

#[test]
fn a_close_is_orderly_and_a_reset_is_not() {
    let (_cloud, mut wire) = begin(How::DropBefore);
    let (bytes, end) = wire.rest();
    assert!(bytes.is_empty() && end.is_ok(), "{end:?}");
    let (_cloud, mut wire) = begin(How::Reset);
    let (bytes, end) = wire.rest();
    assert!(bytes.is_empty());
    assert_eq!(end.map_err(|e| e.kind()), Err(ErrorKind::ConnectionReset));
}

#[test]
fn raw_bytes_come_as_they_are() {
    let (_cloud, mut wire) = begin(How::raw(b"\x16\x03\x01 not HTTP\xff"));
    let (bytes, end) = wire.rest();
    assert!(end.is_ok());
    assert_eq!(bytes, b"\x16\x03\x01 not HTTP\xff");
}

#[test]
fn an_answer_is_cut() {
    let (cloud, mut wire) = begin(How::CutAnswer { after_bytes: 100 });
    let (bytes, _) = wire.rest();
    assert_eq!(bytes.len(), 100);
    assert!(bytes.starts_with(b"HTTP/1.1 201 "));
    assert_eq!(cloud.uploads().len(), 1);
}

#[test]
fn an_answer_stops_half_way() {
    let (_cloud, mut wire) = begin(How::HalfAnswer { after_bytes: 100 });
    let mut head = [0; 100];
    wire.tcp.read_exact(&mut head).expect("the first half");
    wire.tcp.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let (bytes, end) = wire.rest();
    assert!(bytes.is_empty());
    assert!(matches!(end.map_err(|e| e.kind()), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
}

#[test]
fn bodies_and_headers_never_end() {
    for (how, start) in
        [(How::EndlessBody, "HTTP/1.1 200 OK\r\n"), (How::EndlessHeaders, "HTTP/1.1 200 OK\r\nX-Filler: ")]
    {
        let (_cloud, mut wire) = begin(how);
        let mut all = vec![0; 4 * MIB];
        wire.tcp.read_exact(&mut all).expect("more and more");
        assert!(all.starts_with(start.as_bytes()));
    }
}

#[test]
fn an_answer_never_comes() {
    let (cloud, mut wire) = begin(How::StallAnswer);
    cloud.wait_log(Duration::from_secs(10), |log| log.first().filter(|e| e.stands).cloned()).expect("a stand");
    assert_eq!(cloud.uploads().len(), 1, "it was processed");
    wire.tcp.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let (bytes, end) = wire.rest();
    assert!(bytes.is_empty());
    assert!(matches!(end.map_err(|e| e.kind()), Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)));
}

#[test]
fn a_stall_reads_no_further_and_ends_with_the_client() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::Stall { after_bytes: 70_000 }));
    let (_, mut wire) = put_head(&client, &info, &format!("Content-Length: {}", 256 * MIB));
    wire.tcp.set_write_timeout(Some(Duration::from_millis(300))).expect("a timeout");
    let chunk = bytes(MIB);
    let mut sent = 0;
    let stopped = loop {
        match wire.send(&chunk) {
            Ok(()) => sent += 1,
            Err(error) => break error.kind(),
        }
        assert!(sent < 256, "the body is not read");
    };
    assert!(matches!(stopped, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stopped}");
    let part = |log: &[LogEntry]| log.iter().find(|e| e.step == Step::Part && e.stands).cloned();
    let stands = cloud.wait_log(Duration::from_secs(10), part).expect("a stand");
    assert_eq!((stands.body_bytes, stands.ended_ms), (70_000, None), "under way for as long as its client waits");
}

#[test]
fn a_trickle_comes_byte_by_byte() {
    let (_cloud, mut wire) = begin(How::Trickle { bytes_per_s: 200 });
    let mut buffer = [0; 64];
    let first = wire.tcp.read(&mut buffer).expect("a byte");
    assert!(first < 64, "{first}");
    assert!(buffer.starts_with(b"H"));
}

#[test]
fn broken_requests_do_not_end_the_sandbox() {
    let cloud = cloud();
    for request in [&b"\x00\x01\x02\r\n\r\n"[..], b"GET\r\n\r\n", b"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n"] {
        let mut wire = Wire::open(cloud.data_address());
        wire.send(request).expect("sent");
        let (answer, _) = wire.rest();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 "), "{answer:?}");
    }
    Client::new(&cloud).upload("x", b"x");
}
