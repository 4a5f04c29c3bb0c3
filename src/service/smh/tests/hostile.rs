//! Nothing that a server says panics us, or makes us print a secret.

use crate::service::Content;
use proptest::prelude::*;

use super::{Offer, answer, every, part, plan, proof, requests, session, smh, target};
use crate::{
    model::{
        Conflict,
        http::{Answer, Sent},
    },
    service::{Begin, Inspected, Service},
};

/// Reads an answer every way; what comes out, printed.
fn read_all(answer: &Answer) -> String {
    let smh = smh(target());
    let mut text = format!("{:?}", smh.read_begin(Offer::default(), answer));
    if let Ok(Begin::Session { lease: Some(lease), session }) = smh.read_begin(Offer::default(), answer) {
        text += &format!("{:?}", smh.put(&session, &lease, &part(1)));
    }
    text += &format!("{:?}", smh.read_create_parent(answer));
    if let Ok(lease) = smh.read_sign(&session(), &every(), answer) {
        text += &format!("{lease:?}{:?}", smh.put(&session(), &lease, &part(1)));
    }
    text += &format!("{:?}", smh.read_put(answer, &Sent::default()));
    let inspected = smh.read_inspect(&session(), &plan(), None, answer);
    if let Ok(Inspected::Open { lease: Some(lease), .. }) = &inspected {
        text += &format!("{:?}", smh.put(&session(), lease, &part(2)));
    }
    text += &format!("{inspected:?}");
    for conflict in [Conflict::Rename, Conflict::Ask, Conflict::Overwrite { if_version: None }] {
        text += &format!("{:?}", smh.read_probe(&proof(conflict), answer));
    }
    text += &format!("{:?}", smh.read_complete(&session(), &proof(Conflict::Rename), answer));
    text += &format!("{:?}", smh.read_abort(answer));
    text
}

/// Words that the readers look for, so that random documents get past the first look.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "code",
        "status",
        "domain",
        "path",
        "uploadId",
        "headers",
        "form",
        "parts",
        "expiration",
        "confirmKey",
        "confirmed",
        "uploadPartInfo",
        "name",
        "size",
        "crc64",
        "PartNumber",
        "ETag",
        "Size",
        "1",
        "requestId",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,16}".prop_map(Into::into),
        Just("2021-07-24T10:34:32.000Z".into()),
        Just("d.example:80".into()),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((key(), inner), 0..8)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let names = [
        "etag",
        "x-cos-hash-crc64ecma",
        "x-smh-size",
        "x-smh-crc64",
        "x-smh-creation-time",
        "retry-after",
        "date",
        "content-type",
        "x-request-id",
    ];
    let text = prop_oneof![".{0,24}", "[0-9]{1,20}", Just("2026-01-07T00:00:00Z".to_owned())];
    prop::collection::vec((prop::sample::select(names.to_vec()).prop_map(str::to_owned), text), 0..5)
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![2 => prop::sample::select(&[200u16, 201, 202, 204, 400, 403, 404, 409][..]), 1 => any::<u16>()]
}

proptest! {
    #[test]
    fn no_document_panics(status in status(), headers in headers(), body in value()) {
        read_all(&Answer { status, headers, body: body.to_string().into_bytes() });
    }

    #[test]
    fn no_bytes_panic(status in status(), headers in headers(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&Answer { status, headers, body });
    }

    #[test]
    fn no_xml_panics(status in status(), body in "(<(/|!|\\?)?(Error|Code|RequestId|x)/?>|&[a-z#0-9]{0,4};?|[A-Za-z<>\\[\\]! -]{0,6}){0,20}") {
        read_all(&answer(status, &[], &body));
    }

    #[test]
    fn no_session_panics(value in value()) {
        let session = crate::service::Session(value);
        let smh = smh(target());
        super::with_caller(|caller| {
            let urls = [
                smh.sign(caller, &session, &[part(1)], &Content::default()),
                smh.inspect(caller, &session),
                smh.complete(caller, &session, &proof(Conflict::Ask)),
                smh.abort(caller, &session),
            ];
            for request in urls {
                assert!(request.url.expose().starts_with("https://api.tencentsmh.cn/api/v1/file/smh0abc/-/"));
            }
        });
    }
}

#[test]
fn nothing_prints_a_secret() {
    let canary = "canary-signature=";
    let link = format!(
        r#""domain":"canary-signature.example","path":"/{canary}","uploadId":"{canary}","expiration":"{canary}",
           "headers":{{"Authorization":"{canary}"}},"parts":{{"1":{{"headers":{{"a":"{canary}"}}}}}}"#
    );
    let bodies = [
        format!(r#"{{"confirmKey":"k",{link}}}"#),
        format!(r#"{{{link}}}"#),
        format!(
            r#"{{"confirmed":false,"parts":[{{"PartNumber":1,"Size":1,"ETag":"{canary}"}}],"uploadPartInfo":{{{link}}}}}"#
        ),
        format!(r#"{{"code":"{canary}","message":"{canary}","requestId":"{canary}"}}"#),
        format!("<Error><Code>{canary}</Code><Message>{canary}</Message><RequestId>{canary}</RequestId></Error>"),
        canary.to_owned(),
    ];
    for body in &bodies {
        for status in [200, 201, 301, 400, 403, 404, 409, 500] {
            let headers = [("x-request-id", canary), ("etag", canary), ("location", canary)];
            let text = read_all(&answer(status, &headers, body));
            assert!(!text.contains("canary"), "{text}");
        }
    }
    for (name, request) in requests::all() {
        assert!(!format!("{request:?}").contains("canary"), "{name}");
    }
}

#[test]
fn a_session_holds_neither_link_nor_header() {
    let body = r#"{"confirmKey":"k","domain":"canary.example","path":"/canary","uploadId":"canary","headers":{"Authorization":"canary"}}"#;
    let Ok(Begin::Session { session, .. }) = smh(target()).read_begin(Offer::default(), &answer(201, &[], body)) else {
        panic!("a session")
    };
    let text = serde_json::to_string(&session).expect("JSON");
    assert!(!text.contains("canary") && !text.contains("http") && !text.contains("uthorization"), "{text}");
}
