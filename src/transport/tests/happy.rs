//! What goes well, byte by byte.

use super::{
    server::{answer, serve},
    *,
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Cos-Hash-Crc64ecma: 1\r\n\r\nok";

#[test]
fn a_put_is_its_bytes_and_their_length() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        let head = peer.head();
        let body = peer.body(300_000);
        peer.say(OK);
        (head, body, peer.rest())
    });
    let bytes: Vec<u8> = (0..300_000u32).map(|at| (at % 251) as u8).collect();
    let mut put = request(Method::Put, &format!("{url}/a%2Fb?x=%7e&y"), 300_000);
    put.headers = vec![("x-cos-meta".into(), "é".into()), ("Authorization".into(), "s".into())];
    let got = lane(quick()).execute(&put, &mut BytesBody::new(bytes.clone()), &CancelToken::default()).expect("200");
    assert_eq!((got.status, got.body.as_slice()), (200, b"ok".as_slice()));
    assert_eq!(got.header("x-cos-hash-crc64ecma"), Some("1"));
    let (head, body, rest) = server.join().expect("served");
    assert!(head.starts_with("PUT /a%2Fb?x=%7e&y HTTP/1.1\r\n"), "{head}");
    let lower = head.to_ascii_lowercase();
    assert!(lower.contains("\r\ncontent-length: 300000\r\n"), "{head}");
    assert!(lower.contains("\r\nuser-agent: partway/"), "{head}");
    for never in ["transfer-encoding", "accept-encoding", "expect"] {
        assert!(!lower.contains(never), "{head}");
    }
    assert!(head.find("x-cos-meta").expect("sent") < head.find("authorization").expect("sent"), "their order");
    assert!(body == bytes && rest.is_empty());
}

#[test]
fn an_empty_post_says_zero_and_others_say_nothing() {
    for (method, length) in [
        (Method::Post, true),
        (Method::Put, true),
        (Method::Get, false),
        (Method::Delete, false),
        (Method::Head, false),
    ] {
        let (url, server) = answer("HTTP/1.1 204 No Content\r\n\r\n");
        let mut request = request(method, &url, 0);
        request.expect_continue = true;
        assert_eq!(run(&request).expect("204").status, 204);
        let head = server.join().expect("served").to_ascii_lowercase();
        assert_eq!(head.contains("content-length: 0\r\n"), length, "{head}");
        assert!(!head.contains("expect") && !head.contains("transfer-encoding"), "{head}");
    }
}

#[test]
fn a_connection_is_kept() {
    let (url, server) = serve(|listener| {
        let mut peer = listener.accept();
        for _ in 0..3 {
            peer.head();
            peer.body(100_000);
            peer.say(OK);
        }
        peer.rest().len()
    });
    let mut lane = lane(quick());
    for _ in 0..3 {
        let put = request(Method::Put, &url, 100_000);
        assert_eq!(lane.execute(&put, &mut Zeros::default(), &CancelToken::default()).expect("200").status, 200);
    }
    drop(lane);
    assert_eq!(server.join().expect("one connection for all"), 0);
}

#[test]
fn any_status_is_an_answer_and_redirects_are_not_followed() {
    for (text, status) in [
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302),
        ("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nno", 301),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404),
        ("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 503),
        ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
    ] {
        let (url, _server) = answer(text);
        assert_eq!(run(&get(&url)).expect("an answer").status, status, "{text}");
    }
}

#[test]
fn a_header_that_is_no_text_is_made_one() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        std::io::Write::write_all(&mut peer.stream, b"HTTP/1.1 200 OK\r\nX-A: a\xffb\r\nContent-Length: 0\r\n\r\n")
            .expect("sent");
        peer.rest()
    });
    assert_eq!(run(&get(&url)).expect("200").header("x-a"), Some("a\u{fffd}b"));
}

#[test]
fn long_headers_are_read_up_to_their_limit() {
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        let long = "v".repeat(50 << 10);
        peer.say(&format!("HTTP/1.1 200 OK\r\nX-Long: {long}\r\nContent-Length: 0\r\n\r\n"));
        peer.rest()
    });
    assert_eq!(run(&get(&url)).expect("200").header("x-long").map(str::len), Some(50 << 10));
}

#[test]
fn an_answer_may_be_exactly_as_large_as_allowed() {
    let (url, _server) = answer(OK);
    let mut request = get(&url);
    request.answer_bytes_max = 2;
    assert_eq!(run(&request).expect("200").body, b"ok");
}

#[test]
fn a_bad_configuration_is_refused() {
    let pem = |text: &str| TransportConfig { extra_ca_pem: Some(text.to_owned()), ..quick() };
    let proxy = TransportConfig { proxy: Some("socks5://h:1".to_owned()), ..quick() };
    let agent = TransportConfig { user_agent: "a\nb".to_owned(), ..quick() };
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bad in [pem(""), pem("nonsense"), pem(broken), proxy, agent] {
        assert_eq!(UreqTransport::new(bad).err().map(|error| error.code), Some(Code::InvalidArgument));
    }
}
