//! Connections and answers that fail.

use std::{net::TcpListener, sync::mpsc, thread, time::Duration};

use super::{
    server::{answer, serve},
    *,
};

#[test]
fn a_refused_port_is_not_reached() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let outcome = run(&get(&format!("http://127.0.0.1:{port}/")));
    assert_eq!(kind(outcome), ("unreached", Some(Code::ConnectFailed)));
}

#[test]
fn an_unknown_name_is_not_reached() {
    let (outcome, ms) = timed(|| run(&get("http://nothing.invalid/")));
    assert_eq!(kind(outcome), ("unreached", Some(Code::ResolveFailed)));
    assert!(ms < 3_000, "{ms}");
}

#[test]
fn what_http_cant_carry_is_refused_before_it_leaves() {
    let with =
        |name: &str, value: &str| Request { headers: vec![(name.into(), value.into())], ..get("http://127.0.0.1:1/") };
    for bad in [
        with("bad name", "v"),
        with("", "v"),
        with("a", "b\r\nc: d"),
        with("Content-Length", "7"),
        with("Transfer-Encoding", "chunked"),
        get("no url"),
        get("/path"),
        get("ftp://127.0.0.1/"),
        get("http://"),
        request(Method::Get, "http://127.0.0.1:1/", 1),
    ] {
        assert_eq!(kind(run(&bad)), ("unreached", Some(Code::RequestRefused)), "{:?}", bad.headers);
    }
}

#[test]
fn a_cut_is_a_cut_wherever_it_happens() {
    for text in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let (url, _server) = serve(move |listener| {
            let mut peer = listener.accept();
            peer.head();
            peer.say(text);
        });
        assert_eq!(kind(run(&get(&url))), ("cut", Some(Code::ConnectionCut)), "{text}");
    }
}

#[test]
fn a_kept_connection_that_was_closed_is_known_as_such() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.head();
    });
    let mut lane = lane(quick());
    assert_eq!(lane.execute(&get(&url), &mut BytesBody::default(), &CancelToken::default()).expect("200").status, 200);
    let outcome = lane.execute(&get(&url), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(kind(outcome), ("cut on reuse", Some(Code::ConnectionCut)));
}

#[test]
fn no_http_is_malformed() {
    for text in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>\r\n\r\n",
        "HTTP/1.1 99999 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let (url, _server) = answer(text);
        assert_eq!(kind(run(&get(&url))), ("malformed", Some(Code::AnswerMalformed)), "{text}");
    }
}

/// A server that repeats `text` after `first` until the client leaves.
fn endless(first: &'static str, text: &'static str, pause: Duration) -> String {
    let (url, _server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say(first);
        while peer.say(text) {
            thread::sleep(pause);
        }
    });
    url
}

#[test]
fn endless_headers_and_bodies_end() {
    let none = Duration::ZERO;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-A: b\r\n".repeat(129));
    let (url, _server) = answer(many.leak());
    assert_eq!(kind(run(&get(&url))), ("malformed", Some(Code::AnswerMalformed)));
    for (first, text) in [
        ("HTTP/1.1 200 OK\r\nX-A: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", "never enough"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", "a"),
    ] {
        let outcome = run(&get(&endless(first, text, none)));
        assert_eq!(kind(outcome), ("malformed", Some(Code::AnswerTooLarge)), "{first}");
    }
}

#[test]
fn an_answer_one_byte_too_large_is_refused() {
    let (url, _server) = answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let mut request = get(&url);
    request.answer_bytes_max = 2;
    assert_eq!(kind(run(&request)), ("malformed", Some(Code::AnswerTooLarge)));
}

#[test]
fn a_trickled_answer_ends() {
    for first in ["HTTP/1.1 200 OK\r\nX-A: ", "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"] {
        let url = endless(first, "a", Duration::from_millis(50));
        let mut request = get(&url);
        request.patience_ms = 300;
        let (outcome, ms) = timed(|| run(&request));
        assert_eq!(kind(outcome), ("stalled", Some(Code::Stalled)));
        assert!((850..1_500).contains(&ms), "{ms}");
    }
}

#[test]
fn an_answer_that_stops_is_stalled() {
    let (url, _server) = answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    let (outcome, ms) = timed(|| run(&get(&url)));
    assert_eq!(kind(outcome), ("stalled", Some(Code::Stalled)));
    assert!((300..700).contains(&ms), "{ms}");
}

#[test]
fn no_answer_within_patience_is_stalled() {
    let (url, _server) = answer("");
    let mut request = get(&url);
    request.patience_ms = 500;
    let (outcome, ms) = timed(|| run(&request));
    assert_eq!(kind(outcome), ("stalled", Some(Code::Stalled)));
    assert!((490..900).contains(&ms), "{ms}");
}

#[test]
fn cancelling_a_wait_for_the_answer_is_prompt_and_the_lane_goes_on() {
    let (sender, receiver) = mpsc::channel();
    let (url, server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.head();
        sender.send(()).expect("the test waits");
        peer.rest();
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let token = CancelToken::default();
    let canceller = thread::spawn({
        let token = token.clone();
        move || {
            receiver.recv().expect("the request arrived");
            token.cancel();
            Instant::now()
        }
    });
    let mut request = get(&url);
    request.patience_ms = u64::MAX;
    let mut lane = lane(quick());
    assert_eq!(kind(lane.execute(&request, &mut BytesBody::default(), &token)).0, "cancelled");
    let took = canceller.join().expect("cancelled").elapsed();
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!(kind(lane.execute(&request, &mut BytesBody::default(), &token)).0, "cancelled");
    assert_eq!(lane.execute(&request, &mut BytesBody::default(), &CancelToken::default()).expect("200").status, 200);
    server.join().expect("served");
}

#[test]
fn cancelling_a_connect_is_prompt() {
    // With a full backlog Linux leaves further connects unanswered.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let mut held = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        held.push(stream);
    }
    let token = CancelToken::default();
    let canceller = thread::spawn({
        let token = token.clone();
        move || {
            thread::sleep(Duration::from_millis(100));
            token.cancel();
            Instant::now()
        }
    });
    let request = get(&format!("http://{address}/"));
    let outcome = lane(quick()).execute(&request, &mut BytesBody::default(), &token);
    assert_eq!(kind(outcome).0, "cancelled");
    let took = canceller.join().expect("cancelled").elapsed();
    assert!(took < Duration::from_millis(200), "{took:?}");
    let config = TransportConfig { connect_ms: 300, ..quick() };
    let (outcome, ms) = timed(|| lane(config).execute(&request, &mut BytesBody::default(), &CancelToken::default()));
    assert_eq!(kind(outcome), ("unreached", Some(Code::ConnectFailed)));
    assert!(ms < 700, "{ms}");
}
