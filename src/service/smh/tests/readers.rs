//! What is read of good answers, beyond the fixtures.

use super::{Offer, answer, every, plan, proof, session, smh, target};
use crate::{
    error::Code,
    model::{Conflict, SmhTarget, http::Sent},
    service::{Begin, Complete, Fault, Inspected, ListedPart, Service},
};

const LINK: &str = r#""domain":"d.example","path":"/p","uploadId":"u","headers":{"Authorization":"s"}"#;

fn malformed(fault: &Fault) -> bool {
    matches!(fault, Fault::Retry(error) if error.code == Code::AnswerMalformed)
}

#[test]
fn a_link_that_could_not_be_sent_is_refused() {
    let bodies = [
        r#"{"domain":"d.example/x","path":"/p","uploadId":"u","headers":{}}"#,
        r#"{"domain":"u@d.example","path":"/p","uploadId":"u","headers":{}}"#,
        r#"{"domain":"d.example:port","path":"/p","uploadId":"u","headers":{}}"#,
        r#"{"domain":"d.example?x","path":"/p","uploadId":"u","headers":{}}"#,
        r#"{"domain":"d.example","path":"/p\r\nX: y","uploadId":"u","headers":{}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"A":"b\r\nX: y"}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"A":"é"}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"A b":"c"}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"":"c"}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"A":null}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","headers":{"A":{}}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","parts":{"0":{"headers":{}}}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","parts":{"x":{"headers":{}}}}"#,
        r#"{"domain":"d.example","path":"/p","uploadId":"u","parts":{"1":{}}}"#,
        r#"{"domain":"d.example","path":"/p","headers":{}}"#,
        r#"{"domain":"d.example","path":["p"],"uploadId":"u","headers":{}}"#,
        r#"{"path":"/p","uploadId":"u","headers":{}}"#,
        "{}",
        "[]",
        "",
    ];
    for body in bodies {
        let fault = smh(target()).read_sign(&session(), &every(), &answer(200, &[], body)).expect_err("refused");
        assert!(malformed(&fault), "{body}: {fault:?}");
    }
}

#[test]
fn what_is_the_transports_is_dropped() {
    let body = r#"{"domain":"d","path":"/p","uploadId":"u","headers":{"HOST":"x","content-length":5,"Transfer-Encoding":"chunked",
        "connection":"close","Expect":"100-continue","x-flag":true}}"#;
    let lease = smh(target()).read_sign(&session(), &every(), &answer(200, &[], body)).expect("a lease");
    let link = lease.shared.expect("one for all");
    let headers: Vec<_> = link.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("x-flag", "true")]);
}

#[test]
fn the_data_plane_is_as_safe_as_the_endpoint() {
    for (endpoint, scheme) in [("https://h", "https://"), ("http://h", "http://")] {
        let smh = smh(SmhTarget { endpoint: endpoint.to_owned(), ..target() });
        let lease = smh.read_sign(&session(), &every(), &answer(200, &[], &format!("{{{LINK}}}"))).expect("a lease");
        assert!(lease.shared.expect("one for all").url.expose().starts_with(scheme));
    }
}

#[test]
fn a_list_of_parts_is_read_and_bounded() {
    let listed = |count: u32| {
        let part = |n| format!(r#"{{"PartNumber":"{n}","ETag":"\"{n:032x}\"","Size":"4194304","Owner":{{"x":[1]}}}}"#);
        let parts: Vec<_> = (1..=count).map(part).collect();
        let body = format!(r#"{{"confirmed":false,"parts":[{}]}}"#, parts.join(","));
        smh(target()).read_inspect(&session(), &plan(), None, &answer(200, &[], &body))
    };
    let Ok(Inspected::Open { parts: Some(parts), lease: None }) = listed(10_000) else { panic!("open") };
    assert_eq!(parts.len(), 10_000);
    let wanted = ListedPart { part_number: 10, size_bytes: 4 << 20, md5: Some(format!("{:032x}", 10)) };
    assert_eq!(parts[9], wanted);
    assert!(malformed(&listed(10_001).expect_err("too many")));
}

#[test]
fn a_checksum_that_differs_is_damage() {
    let stored = answer(200, &[("etag", "\"abc\""), ("x-cos-hash-crc64ecma", "7")], "");
    let read = |crc64| smh(target()).read_put(&stored, &Sent { bytes: 1, crc64 });
    assert_eq!(read(7).expect("stored").crc64, Some(7));
    assert!(matches!(read(8), Err(Fault::Retry(error)) if error.code == Code::IntegrityFailed));
}

#[test]
fn the_sessions_deployment_is_what_was_seen() {
    let session = |body: &str| match smh(target()).read_begin(Offer::default(), &answer(201, &[], body)) {
        Ok(Begin::Session { session, .. }) => session.0.to_string(),
        other => panic!("{other:?}"),
    };
    let seen = session(&format!(r#"{{"confirmKey":"k",{LINK}}}"#));
    assert_eq!(seen, r#"{"confirm_key":"k","deployment":"public","mode":"multipart"}"#);
    let each = r#"{"confirmKey":"k","domain":"d","path":"/p","uploadId":"u","parts":{"1":{"headers":{"a":"s"}}}}"#;
    assert_eq!(session(each), r#"{"confirm_key":"k","deployment":"private","mode":"multipart"}"#);
    assert_eq!(session(r#"{"confirmKey":"k"}"#), r#"{"confirm_key":"k","mode":"multipart"}"#);
}

#[test]
fn a_long_answer_is_not_kept() {
    let body = format!(r#"{{"path":["a"],"name":"a","size":1,"padding":"{}"}}"#, "x".repeat(64 << 10));
    let done = smh(target()).read_complete(&session(), &proof(Conflict::Ask), &answer(200, &[], &body));
    let Ok(Complete::Done(receipt)) = done else { panic!("{done:?}") };
    assert_eq!((receipt.name.as_str(), receipt.size_bytes, receipt.service_json), ("a", 1, None));
}

/// One answer of a megabyte: a place without end, copied for each of ten thousand parts.
#[test]
fn what_was_not_asked_for_or_is_no_honest_place_is_not_kept() {
    let read = |path: usize, upload_id: usize, header: usize, asked: &[u32]| {
        let part = format!(r#"{{"headers":{{"Authorization":"{}"}}}}"#, "s".repeat(header));
        let parts: Vec<_> = [1, 2, 3, 9_999, 10_000].iter().map(|number| format!(r#""{number}":{part}"#)).collect();
        let (path, upload_id, parts) = ("p".repeat(path), "u".repeat(upload_id), parts.join(","));
        let body = format!(
            r#"{{"confirmKey":"k","domain":"d","path":"{path}","uploadId":"{upload_id}","parts":{{{parts}}}}}"#
        );
        let (smh, answer) = (smh(target()), answer(200, &[], &body));
        (smh.read_sign(&session(), asked, &answer), smh.read_begin(Offer::default(), &answer))
    };
    let (signed, begun) = read(4 << 10, 1 << 10, 1 << 10, &[2, 9_999]);
    assert_eq!(signed.expect("a lease").links.keys().copied().collect::<Vec<_>>(), [2, 9_999]);
    let Ok(Begin::Session { lease: Some(lease), .. }) = begun else { panic!("no session") };
    assert_eq!(lease.links.keys().copied().collect::<Vec<_>>(), [1, 2, 3], "a begin names the first hundred");
    for (path, upload_id, header) in [((4 << 10) + 1, 9, 9), (9, (1 << 10) + 1, 9), (9, 9, 16 << 10)] {
        let (signed, begun) = read(path, upload_id, header, &[1]);
        assert!(malformed(&signed.expect_err("refused")) && begun.is_err(), "{path} {upload_id} {header}");
    }
    let headers: Vec<_> = (0..101).map(|number| format!(r#""h{number}":"v""#)).collect();
    let body = format!(r#"{{"domain":"d","path":"p","uploadId":"u","headers":{{{}}}}}"#, headers.join(","));
    assert!(malformed(&smh(target()).read_sign(&session(), &[1], &answer(200, &[], &body)).expect_err("refused")));
}
