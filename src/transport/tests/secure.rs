//! TLS and proxies.

use std::{net::TcpStream, sync::Arc, thread::JoinHandle};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use super::{
    server::{Peer, serve},
    *,
};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A certificate for `localhost`, its own CA; what a server needs and what a client must trust.
fn certificate() -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a pair");
    (Arc::new(config), made.cert.pem())
}

fn serve_tls<T: Send + 'static>(
    config: Arc<ServerConfig>,
    work: impl FnOnce(Peer<Tls>) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let (url, server) = serve(move |listener| {
        let peer = listener.accept();
        let connection = ServerConnection::new(config).expect("a server");
        work(Peer { stream: StreamOwned::new(connection, peer.stream), from: peer.from })
    });
    (url.replace("http://127.0.0.1", "https://localhost"), server)
}

fn trusting(pem: String) -> TransportConfig {
    TransportConfig { extra_ca_pem: Some(pem), ..quick() }
}

#[test]
fn a_private_ca_is_trusted_when_given_and_the_connection_kept() {
    let (config, pem) = certificate();
    let (url, server) = serve_tls(config, |mut peer| {
        for _ in 0..3 {
            peer.head();
            assert_eq!(peer.body(5 << 20), vec![0; 5 << 20]);
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let mut lane = lane(trusting(pem));
    for _ in 0..3 {
        let put = request(Method::Put, &url, 5 << 20);
        let answer = lane.execute(&put, &mut Zeros::default(), &CancelToken::default()).expect("200");
        assert_eq!(answer.body, b"ok");
    }
    server.join().expect("one connection for all");
}

#[test]
fn an_unknown_ca_is_refused() {
    let (config, _) = certificate();
    let (url, _server) = serve_tls(config, |mut peer| peer.rest());
    assert_eq!(kind(run(&get(&url))), ("unreached", Some(Code::TlsFailed)));
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.say("HTTP/1.1 400 this is http\r\n\r\n");
        peer.rest()
    });
    assert_eq!(kind(run(&get(&url.replace("http://", "https://")))), ("unreached", Some(Code::TlsFailed)));
}

#[test]
fn a_handshake_without_an_end_is_bounded() {
    let (url, _server) = serve(|listener| listener.accept().rest().len());
    let config = TransportConfig { connect_ms: 300, ..quick() };
    let url = url.replace("http://", "https://");
    let (outcome, ms) = timed(|| lane(config).execute(&get(&url), &mut BytesBody::default(), &CancelToken::default()));
    assert_eq!(kind(outcome), ("unreached", Some(Code::ConnectFailed)));
    assert!(ms < 700, "{ms}");
}

#[test]
fn cancelling_a_handshake_is_prompt() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (url, _server) = serve(move |listener| {
        let mut peer = listener.accept();
        peer.body(16);
        sender.send(()).expect("the test waits");
        peer.rest()
    });
    let token = CancelToken::default();
    let canceller = std::thread::spawn({
        let token = token.clone();
        move || {
            receiver.recv().expect("the handshake began");
            token.cancel();
            Instant::now()
        }
    });
    let request = get(&url.replace("http://", "https://"));
    let config = TransportConfig { connect_ms: 10_000, ..quick() };
    assert_eq!(kind(lane(config).execute(&request, &mut BytesBody::default(), &token)).0, "cancelled");
    assert!(canceller.join().expect("cancelled").elapsed().as_millis() < 200);
}

#[test]
fn a_truncated_answer_is_no_whole_one() {
    let (config, pem) = certificate();
    let (url, _server) = serve_tls(config, |mut peer| {
        peer.head();
        // It ends with the connection, but without TLS's own goodbye.
        peer.say("HTTP/1.1 200 OK\r\n\r\nhalf");
    });
    let outcome = lane(trusting(pem)).execute(&get(&url), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(kind(outcome), ("cut", Some(Code::ConnectionCut)));
}

#[test]
fn an_early_refusal_is_heard_under_tls() {
    let (config, pem) = certificate();
    let (url, _server) = serve_tls(config, |mut peer| {
        peer.head();
        peer.body(1 << 20);
        peer.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nexpired");
    });
    let put = request(Method::Put, &url, 1 << 30);
    let mut body = Zeros::default();
    let answer = lane(trusting(pem)).execute(&put, &mut body, &CancelToken::default()).expect("403");
    assert_eq!((answer.status, answer.body.as_slice()), (403, b"expired".as_slice()));
    assert!(body.pulled < 1 << 29);
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_by_name() {
    let (proxy, server) = serve(|listener| {
        let mut peer = listener.accept();
        let connect = peer.head();
        peer.say("HTTP/1.1 200 Connection established\r\n\r\n");
        let head = peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer.rest();
        (connect, head)
    });
    let config = TransportConfig { proxy: Some(proxy.replace("http://", "http://u:p@")), ..quick() };
    let answer = lane(config).execute(&get("http://far.invalid/x"), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(answer.expect("200").status, 200);
    let (connect, head) = server.join().expect("served");
    assert!(connect.starts_with("CONNECT far.invalid:80 HTTP/1.1\r\n"), "{connect}");
    assert!(connect.contains("\r\nProxy-Authorization: Basic dTpw\r\n"), "{connect}");
    assert!(head.starts_with("GET /x HTTP/1.1\r\n") && head.contains("host: far.invalid\r\n"), "{head}");
    assert!(!head.contains("roxy"), "{head}");
}

#[test]
fn a_proxy_that_refuses_or_is_gone_is_a_proxy_failure() {
    let (proxy, _server) = super::server::answer("HTTP/1.1 407 Sign in\r\n\r\n");
    for proxy in [proxy, "http://127.0.0.1:1".to_owned(), "http://proxy.invalid".to_owned()] {
        let config = TransportConfig { proxy: Some(proxy), ..quick() };
        let url = "http://far.invalid/";
        let outcome = lane(config).execute(&get(url), &mut BytesBody::default(), &CancelToken::default());
        assert_eq!(kind(outcome), ("unreached", Some(Code::ProxyFailed)));
    }
}

// ---- pins

/// A root, and a certificate for `localhost` that it signed; what the server needs, the root, and the two keys' pins in hex.
fn chain() -> (Arc<ServerConfig>, String, [String; 2]) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _};
    use sha2::Digest as _;

    let pin = |key: &KeyPair| {
        sha2::Sha256::digest(key.subject_public_key_info()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let root_key = KeyPair::generate().expect("a key");
    let mut root = CertificateParams::new(vec![]).expect("parameters");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_cert = root.self_signed(&root_key).expect("a root");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let pins = [pin(&root_key), pin(&key)];
    let cert = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("a certificate");
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone(), root_cert.der().clone()], der)
        .expect("a pair");
    (Arc::new(config), root_cert.pem(), pins)
}

#[test]
fn a_pinned_key_on_the_way_to_the_root_is_wanted() {
    let (config, pem, [root, leaf]) = chain();
    let (_, _, [other, _]) = chain();
    let cases = [(vec![root.clone()], true), (vec![other.clone(), leaf], true), (vec![other.clone()], false)];
    for (pins, fits) in cases {
        let (url, _server) = serve_tls(config.clone(), |mut peer| {
            peer.head();
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        let setup = TransportConfig { spki_sha256_pins: pins, ..trusting(pem.clone()) };
        let outcome = lane(setup).execute(&get(&url), &mut Zeros::default(), &CancelToken::default());
        match outcome {
            Ok(answer) => assert!(fits && answer.body == b"ok"),
            Err(fault) => assert!(!fits && kind(Err(fault)) == ("unreached", Some(Code::TlsFailed))),
        }
    }
    // A pin is beside the trust, not instead of it.
    let (url, _server) = serve_tls(config, |mut peer| peer.rest());
    let untrusted = TransportConfig { spki_sha256_pins: vec![root], ..quick() };
    let outcome = lane(untrusted).execute(&get(&url), &mut Zeros::default(), &CancelToken::default());
    assert_eq!(kind(outcome), ("unreached", Some(Code::TlsFailed)));
    let bad = TransportConfig { spki_sha256_pins: vec!["no pin".to_owned()], ..quick() };
    assert_eq!(UreqTransport::new(bad).err().map(|error| error.code), Some(Code::InvalidArgument));
}

#[test]
fn lanes_made_after_a_change_of_the_proxy_go_the_new_way() {
    let (proxy, through) = serve(|listener| {
        let mut peer = listener.accept();
        let head = peer.head();
        peer.say("HTTP/1.1 403 No\r\n\r\n");
        head
    });
    let transport = UreqTransport::new(quick()).expect("a transport");
    assert_eq!(transport.set_proxy(Some("socks5://h:1")).expect_err("no proxy").code, Code::InvalidArgument);
    transport.set_proxy(Some(&proxy)).expect("a proxy");
    let run = |transport: &UreqTransport, url: &str| {
        transport.lane().execute(&get(url), &mut Zeros::default(), &CancelToken::default())
    };
    assert_eq!(kind(run(&transport, "https://service.example/")), ("unreached", Some(Code::ProxyFailed)));
    assert!(through.join().expect("asked").starts_with("CONNECT service.example:443"));
    transport.set_proxy(None).expect("none");
    let (url, _server) = serve(|listener| {
        let mut peer = listener.accept();
        peer.head();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    assert_eq!(run(&transport, &url).expect("200").status, 200);
}
