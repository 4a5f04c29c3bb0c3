//! Nothing that a server says panics us, or makes us print a secret.

use proptest::prelude::*;

use super::{Offer, answer, content, every, known, koo, part, plan, proof, requests, session, target, with_caller};
use crate::{
    model::http::{Answer, Sent},
    service::{Begin, Service, Session, koodrive::session::Upload},
};

/// Reads an answer every way; what comes out, printed.
fn read_all(answer: &Answer) -> String {
    let koo = koo(target());
    let mut text =
        format!("{:?}{:?}", koo.read_begin(Offer::default(), answer), koo.place.read_begin(known(&proof()), answer));
    if let Ok(Begin::Session { lease: Some(lease), session }) = koo.read_begin(Offer::default(), answer) {
        text += &format!("{:?}", koo.put(&session, &lease, &part(1)));
    }
    text += &format!("{:?}", koo.read_create_parent(answer));
    if let Ok(lease) = koo.read_sign(&session(), &every(), answer) {
        text += &format!("{lease:?}{:?}", koo.put(&session(), &lease, &part(1)));
    }
    text += &format!("{:?}", koo.read_put(answer, &Sent::default()));
    for proof in [None, Some(&proof())] {
        text += &format!("{:?}", koo.read_inspect(&session(), &plan(), proof, answer));
    }
    text += &format!("{:?}", koo.read_probe(&proof(), answer));
    text += &format!("{:?}", koo.place.read_complete(Some(&Upload::of(&session())), &proof(), answer));
    text += &format!("{:?}{:?}", koo.read_complete(&session(), &proof(), answer), koo.read_abort(answer));
    text
}

/// Words that the readers look for, so that random documents get past the first look.
fn key() -> impl Strategy<Value = String> {
    let known = [
        "code",
        "msg",
        "error_code",
        "error_msg",
        "fileId",
        "fileName",
        "containerId",
        "rapidUpload",
        "exist",
        "multiParts",
        "partNumber",
        "uploadUrl",
        "id",
        "size",
        "sha256",
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
        Just(0.into()),
        (1..60u32).prop_map(Into::into),
        "1300[0-9]{4}".prop_map(Into::into),
        Just("https://h/x?X-Amz-Date=20240621T082041Z&X-Amz-Expires=3600".into()),
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
    let names = ["etag", "retry-after", "date", "content-type", "x-request-id", "x-amz-request-id"];
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
    fn no_session_panics(value in value(), file_id in ".{0,12}") {
        let koo = koo(target());
        let odd = serde_json::json!({ "file_id": file_id, "file_name": "n" });
        with_caller(|caller| {
            for session in [Session(value), Session(odd)] {
                let requests = [
                    koo.sign(caller, &session, &[part(1)], &content()),
                    koo.inspect(caller, &session),
                    koo.complete(caller, &session, &proof()),
                    koo.abort(caller, &session),
                ];
                for request in requests {
                    let url = request.url.expose();
                    assert!(url.starts_with("https://cn.myhuaweicloud-koodrive.com/koodrive/ose/v1/files/"), "{url}");
                    assert!(!url.contains("..") && url.bytes().all(|b| b.is_ascii_graphic()), "{url}");
                }
            }
        });
    }
}

#[test]
fn nothing_prints_a_secret() {
    let canary = "canary-signature=";
    let link = format!("https://canary-signature.example/{canary}?X-Amz-Date={canary}&X-Amz-Expires={canary}");
    let parts = format!(r#""multiParts":[{{"partNumber":1,"uploadUrl":"{link}","partId":"{canary}"}}]"#);
    let bodies = [
        format!(r#"{{"code":0,"fileId":"F1","uploadId":"{canary}",{parts}}}"#),
        format!(r#"{{"code":0,"rapidUpload":true,"msg":"{canary}",{parts}}}"#),
        format!(r#"{{"code":0,"multiParts":[{{"partNumber":1,"uploadUrl":"http://{canary}"}}]}}"#),
        format!(r#"{{"code":"{canary}","msg":"{canary}","error_code":"{canary}","error_msg":"{canary}"}}"#),
        format!(r#"{{"size":20971520,"sha256":"{}","thumbnail":"{link}"}}"#, super::SHA256),
        format!("<Error><Code>{canary}</Code><Message>{canary}</Message><RequestId>{canary}</RequestId></Error>"),
        canary.to_owned(),
    ];
    for body in &bodies {
        for status in [200, 201, 301, 400, 401, 403, 404, 500] {
            let headers = [("x-request-id", canary), ("etag", canary), ("location", canary)];
            let text = read_all(&answer(status, &headers, body));
            assert!(!text.contains("canary"), "{text}");
        }
    }
    for (name, request) in requests::all() {
        let text = format!("{request:?}");
        assert!(!text.contains("canary") && !text.contains("testapp"), "{name}");
    }
}

#[test]
fn a_session_holds_neither_link_nor_upload_id() {
    let body = r#"{"code":0,"fileId":"F1","uploadId":"canary","multiParts":[{"partNumber":1,"uploadUrl":"https://canary/x"}]}"#;
    let Ok(Begin::Session { session, .. }) = koo(target()).read_begin(Offer::default(), &answer(200, &[], body)) else {
        panic!("a session")
    };
    let text = serde_json::to_string(&session).expect("JSON");
    assert!(!text.contains("canary") && !text.contains("http"), "{text}");
}
