//! What happens while a body is being sent.

use std::{io::Read, sync::mpsc, thread, time::Duration};

use super::{server::serve, *};

const LARGE: u64 = 1 << 30;

fn put(url: &str) -> Request {
    request(Method::Put, url, LARGE)
}

#[test]
fn a_reader_that_stops_is_stalled() {
    let (sender, receiver) = mpsc::channel::<()>();
    let (url, _server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        let _ = receiver.recv();
    });
    let mut body = Zeros::default();
    let (outcome, ms) = timed(|| lane(quick()).execute(&put(&url), &mut body, &CancelToken::default()));
    assert_eq!(kind(outcome), ("stalled", Some(Code::Stalled)));
    // Linux still takes a few KiB into its own buffers 400 ms after the peer stopped reading: the limit counts from there.
    assert!((300..1_500).contains(&ms), "{ms}");
    drop(sender);
}

#[test]
fn slow_is_not_stalled() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        for _ in 0..12 {
            peer.body(1 << 20);
            thread::sleep(Duration::from_millis(60));
        }
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.rest();
    });
    let put = request(Method::Put, &url, 12 << 20);
    let (outcome, ms) = timed(|| lane(quick()).execute(&put, &mut Zeros::default(), &CancelToken::default()));
    assert_eq!(outcome.expect("200").status, 200);
    assert!(ms > 600, "longer than the limit for a stall: {ms}");
}

#[test]
fn a_body_that_takes_its_time_is_not_stalled() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.body(1 << 20);
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.rest();
    });
    let first: Box<dyn FnOnce() + Send> = Box::new(|| thread::sleep(Duration::from_millis(500)));
    let mut body = Zeros { first: Some(first), ..Zeros::default() };
    let put = request(Method::Put, &url, 1 << 20);
    assert_eq!(lane(quick()).execute(&put, &mut body, &CancelToken::default()).expect("200").status, 200);
}

#[test]
fn cancelling_while_sending_is_prompt_and_ends_the_bytes_too() {
    let (sender, receiver) = mpsc::channel::<()>();
    let (url, server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        let _ = receiver.recv();
        peer.stream.read_to_end(&mut vec![]).map_err(|error| error.kind())
    });
    let (began, begun) = mpsc::channel();
    let token = CancelToken::default();
    let canceller = thread::spawn({
        let token = token.clone();
        move || {
            begun.recv().expect("sending");
            thread::sleep(Duration::from_millis(100));
            token.cancel();
            Instant::now()
        }
    });
    let mut body = Zeros { first: Some(Box::new(move || began.send(()).expect("heard"))), ..Zeros::default() };
    let config = TransportConfig { stall_ms: 10_000, ..quick() };
    assert_eq!(kind(lane(config).execute(&put(&url), &mut body, &token)), ("cancelled", None));
    let took = canceller.join().expect("cancelled").elapsed();
    assert!(took < Duration::from_millis(200), "{took:?}");
    drop(sender);
    // Not an orderly end behind whatever the system still had.
    assert_eq!(server.join().expect("served"), Err(std::io::ErrorKind::ConnectionReset));
}

/// A cancel is a bit and a hook: a body that looks at the bit may be first.
#[test]
fn a_body_that_hears_of_the_cancel_first_ends_the_bytes_too() {
    struct Hears(u64, CancelToken);
    impl RequestBody for Hears {
        fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            self.0 += buf.len() as u64;
            if self.0 > 1 << 20 {
                self.1.clear();
                self.1.cancel();
                return Err(ErrorInfo::new(Code::Cancelled, "stopped"));
            }
            Ok(buf.len())
        }
        fn rewind(&mut self) {}
    }
    let (sender, receiver) = mpsc::channel::<()>();
    let (url, server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        let _ = receiver.recv();
        peer.stream.read_to_end(&mut vec![]).map_err(|error| error.kind())
    });
    let token = CancelToken::default();
    let outcome = lane(quick()).execute(&put(&url), &mut Hears(0, token.clone()), &token);
    assert_eq!(kind(outcome), ("cancelled", None));
    drop(sender);
    assert_eq!(server.join().expect("served"), Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_body_is_only_sent_when_it_is_wanted() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        let head = peer.head();
        peer.say("HTTP/1.1 403 Forbidden\r\nX-Why: expired\r\nContent-Length: 2\r\n\r\nno");
        (head, peer.rest().len())
    });
    let mut body = Zeros::default();
    let request = Request { expect_continue: true, ..put(&url) };
    let answer = lane(quick()).execute(&request, &mut body, &CancelToken::default()).expect("403");
    assert_eq!((answer.status, answer.body.as_slice(), body.pulled), (403, b"no".as_slice(), 0));
    let (head, sent) = server.join().expect("served");
    assert!(head.to_ascii_lowercase().contains("expect: 100-continue\r\n"), "{head}");
    assert_eq!(sent, 0);
}

#[test]
fn a_wanted_or_unanswered_body_is_sent() {
    for go in ["HTTP/1.1 100 Continue\r\n\r\n", ""] {
        let (url, _server) = serve(move |listener| {
            let mut peer = listener.accept();
            peer.head();
            peer.say(go);
            peer.body(1 << 20);
            // The patience for the answer begins anew after an interim one.
            thread::sleep(Duration::from_millis(500));
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            peer.rest();
        });
        let request = Request { expect_continue: true, ..request(Method::Put, &url, 1 << 20) };
        let (outcome, ms) = timed(|| lane(quick()).execute(&request, &mut Zeros::default(), &CancelToken::default()));
        assert_eq!(outcome.expect("200").status, 200);
        assert_eq!(ms >= 800, go.is_empty(), "{ms}");
    }
}

#[test]
fn interim_answers_of_what_stands_between_are_no_answer() {
    // What is said before the body, in pieces, and before the answer.
    for (before, after) in [
        (vec!["HTTP/1.1 100 Continue\r\nVia: 1.1 proxy\r\n\r\n"], ""),
        (vec!["HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"], ""),
        (vec!["HTTP/1.1 100 Continue\r\nVia: 1.1", " proxy\r\n", "\r\n"], "HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n"),
        (vec!["HTTP/1.1 100\r\n\r\n"], "HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"),
    ] {
        let (url, server) = serve(move |listener| {
            let mut peer = listener.accept();
            peer.head();
            for piece in before {
                peer.say(piece);
                thread::sleep(Duration::from_millis(20));
            }
            let body = peer.body(1 << 20).len();
            peer.say(after);
            thread::sleep(Duration::from_millis(20));
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\nHTTP/1.1 103 is no head here\r\n\r\n");
            peer.rest();
            body
        });
        let request = Request { expect_continue: true, ..request(Method::Put, &url, 1 << 20) };
        let answer = lane(quick()).execute(&request, &mut Zeros::default(), &CancelToken::default());
        let answer = answer.unwrap_or_else(|fault| panic!("{after:?}: {fault:?}"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"HTTP/1.1 103 is no head here\r\n\r\n".as_slice()));
        assert_eq!(server.join().expect("served"), 1 << 20);
    }
}

#[test]
fn a_hint_is_no_permission() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n");
        thread::sleep(Duration::from_millis(50));
        peer.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        peer.rest().len()
    });
    let request = Request { expect_continue: true, ..put(&url) };
    let answer = lane(quick()).execute(&request, &mut Zeros::default(), &CancelToken::default()).expect("403");
    assert_eq!((answer.status, server.join().expect("served")), (403, 0));
}

#[test]
fn an_early_refusal_is_heard_though_the_connection_is_reset() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.body(1 << 20);
        peer.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nexpired");
        // Closed with unread bytes: that is a reset.
        drop(peer);
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.rest();
    });
    let mut lane = lane(quick());
    let mut body = Zeros::default();
    let answer = lane.execute(&put(&url), &mut body, &CancelToken::default()).expect("403");
    assert_eq!((answer.status, answer.body.as_slice()), (403, b"expired".as_slice()));
    assert!(body.pulled < LARGE / 2, "{}", body.pulled);
    // And nothing follows on that connection.
    assert_eq!(lane.execute(&get(&url), &mut body, &CancelToken::default()).expect("200").status, 200);
    drop(lane);
    server.join().expect("served");
}

#[test]
fn an_early_refusal_is_heard_though_nobody_reads() {
    let (sender, receiver) = mpsc::channel::<()>();
    let (url, _server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
        let _ = receiver.recv();
    });
    let mut body = Zeros::default();
    let answer = lane(quick()).execute(&put(&url), &mut body, &CancelToken::default()).expect("503");
    assert_eq!((answer.status, answer.body.as_slice()), (503, b"busy".as_slice()));
    assert!(body.pulled < LARGE / 2, "{}", body.pulled);
    drop(sender);
}

#[test]
fn an_early_refusal_is_heard_though_everything_is_read() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 401 Sign in\r\nContent-Length: 0\r\n\r\n");
        while peer.stream.read(&mut [0; 1 << 16]).is_ok_and(|n| n > 0) {}
    });
    let mut body = Zeros::default();
    let put = request(Method::Put, &url, 64 * LARGE);
    assert_eq!(lane(quick()).execute(&put, &mut body, &CancelToken::default()).expect("401").status, 401);
    assert!(body.pulled < 32 * LARGE, "{}", body.pulled);
}

#[test]
fn an_early_success_is_not_believed() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.body(64 << 20).len()
    });
    let put = request(Method::Put, &url, 64 << 20);
    assert_eq!(lane(quick()).execute(&put, &mut Zeros::default(), &CancelToken::default()).expect("200").status, 200);
    assert_eq!(server.join().expect("all of it"), 64 << 20);
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.body(1 << 20);
    });
    let outcome = lane(quick()).execute(&self::put(&url), &mut Zeros::default(), &CancelToken::default());
    assert_eq!(kind(outcome), ("cut", Some(Code::ConnectionCut)));
}

#[test]
fn a_reset_without_an_answer_is_a_cut() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.body(1 << 20);
    });
    let outcome = lane(quick()).execute(&put(&url), &mut Zeros::default(), &CancelToken::default());
    assert_eq!(kind(outcome), ("cut", Some(Code::ConnectionCut)));
}

#[test]
fn a_body_that_fails_or_ends_early_is_the_sources_fault() {
    for (error, code) in
        [(Some(ErrorInfo::new(Code::SourceChanged, "other size")), Code::SourceChanged), (None, Code::SourceUnreadable)]
    {
        let (url, server) = serve(|listener| {
            let mut peer = listener.accept();
            peer.head();
            peer.rest().len()
        });
        let mut body = Zeros { ends_at: Some((1 << 20, error)), ..Zeros::default() };
        let (outcome, ms) = timed(|| lane(quick()).execute(&put(&url), &mut body, &CancelToken::default()));
        assert_eq!(kind(outcome), ("source", Some(code)));
        assert!(ms < 2_000, "{ms}");
        assert_eq!(server.join().expect("cut off"), 1 << 20);
    }
}
