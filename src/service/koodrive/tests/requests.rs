//! Every request, with every field.

use super::{FILE_ID, Offer, USER, answer, content, koo, part, plan, proof, session, target, with_app, with_caller};
use crate::{
    model::{
        Conflict, Credential, KooDriveTarget, Part, PartPlan,
        http::{Body, ByteRange, Request},
    },
    service::{Begin, Caller, Content, Lease, Proof, Service, Session},
};

/// A target that says all that can be said.
fn full() -> KooDriveTarget {
    KooDriveTarget {
        endpoint: "http://127.0.0.1:8080/".to_owned(),
        parent: "DEUI7pa0C24Aroot".to_owned(),
        name: "照片 \\ 'a & b'.MP4".to_owned(),
        user_id: Some(USER.to_owned()),
        file_type: Some(40),
        shared_folder: Some("shared-1".to_owned()),
        language: Some("zh-CN".to_owned()),
        created_unix_ms: Some(1_692_337_429_999),
        ..target()
    }
}

fn lease(body: &str) -> Lease {
    match koo(target()).read_begin(Offer::default(), &answer(200, &[], body)) {
        Ok(Begin::Session { lease: Some(lease), .. }) => lease,
        other => panic!("{other:?}"),
    }
}

const LINKS: &str = r#"{"code":0,"fileId":"F1","multiParts":[
    {"partNumber":3,"uploadUrl":"https://b.obs.example/o086?partNumber=3&X-Amz-Iteration-Hash-Ctx=a%2Bb%2Fc%3D&X-Amz-Signature=canary"},
    {"partNumber":1,"uploadUrl":"https://b.obs.example/o086?partNumber=1&X-Amz-Signature=canary"}]}"#;

fn body_of(request: &Request) -> serde_json::Value {
    let Body::Bytes(bytes) = &request.body else { panic!("a body") };
    serde_json::from_slice(bytes).expect("JSON")
}

/// Every fixture's name and request.
pub(super) fn all() -> Vec<(&'static str, Request)> {
    let empty = PartPlan { size_bytes: 0, part_size_bytes: 10 << 20 };
    let small = PartPlan { size_bytes: 5, part_size_bytes: 10 << 20 };
    let hello = Content {
        sha256: Some("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824".to_owned()),
        pre_hash: None,
        proof: Some(b"hello".to_vec()),
        ..Content::default()
    };
    let nothing = Content {
        sha256: Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned()),
        ..Content::default()
    };
    let none = Content::default();
    let known = content();
    let some = Content { sha256: None, proof: None, pre_hash: None, ..content() };
    let parts: Vec<Part> = (1..=4).map(part).collect();
    let rename = Conflict::Rename;
    let forgotten = Session(serde_json::json!({ "file_id": "../x" }));
    let begin = |c: Caller<'_>, conflict: &Conflict, content: &Content, taken| {
        koo(target()).begin(c, &plan(), conflict, content, taken)
    };
    let mut all = with_caller(|c| {
        vec![
            ("begin", begin(c, &rename, &none, false)),
            ("begin-known", begin(c, &rename, &known, false)),
            ("begin-some-midstates", begin(c, &rename, &some, false)),
            ("begin-without-proof", begin(c, &rename, &Content { proof: None, ..content() }, false)),
            ("begin-taken", begin(c, &rename, &known, true)),
            ("begin-ask", begin(c, &Conflict::Ask, &none, false)),
            ("begin-refuse", begin(c, &Conflict::Refuse, &none, false)),
            ("begin-keep-if-same", begin(c, &Conflict::KeepIfSame, &none, false)),
            ("begin-overwrite", begin(c, &Conflict::Overwrite { if_version: None }, &none, false)),
            ("begin-full", koo(full()).begin(c, &plan(), &rename, &known, false)),
            ("begin-small", koo(target()).begin(c, &small, &rename, &hello, false)),
            ("begin-empty-file", koo(target()).begin(c, &empty, &rename, &nothing, false)),
            ("sign", koo(target()).sign(c, &session(), &parts, &known)),
            ("sign-full", koo(full()).sign(c, &session(), &parts[2..], &known)),
            ("put", koo(target()).put(&session(), &lease(LINKS), &part(3)).expect("covered")),
            ("inspect", koo(target()).inspect(c, &session())),
            (
                "inspect-full",
                koo(full()).inspect(c, &Session(serde_json::json!({ "file_id": "F_1", "file_name": "n" }))),
            ),
            ("inspect-unreadable-session", koo(target()).inspect(c, &forgotten)),
            ("complete", koo(target()).complete(c, &session(), &proof())),
            ("complete-full", koo(full()).complete(c, &session(), &proof())),
            ("complete-without-digest", koo(target()).complete(c, &session(), &Proof { sha256: None, ..proof() })),
            ("probe", koo(target()).probe(c)),
            ("create-parent", koo(full()).create_parent(c)),
            ("abort", koo(target()).abort(c, &session())),
        ]
    });
    all.extend(with_app(|c| {
        vec![
            ("begin-app", begin(c, &rename, &known, false)),
            ("complete-app-vector", koo(target()).complete(c, &session(), &Proof { sha256: None, ..proof() })),
            ("sign-app-full", koo(full()).sign(c, &session(), &parts[..1], &known)),
        ]
    }));
    all
}

#[test]
fn a_part_without_a_link_is_not_sent() {
    let lease = lease(LINKS);
    assert!(koo(target()).put(&session(), &lease, &part(2)).is_none());
    let request = koo(target()).put(&session(), &lease, &part(1)).expect("covered");
    assert_eq!(request.url.expose(), "https://b.obs.example/o086?partNumber=1&X-Amz-Signature=canary");
}

#[test]
fn the_vector_of_application_authentication_is_sent() {
    let all = all();
    let (_, request) = all.iter().find(|(name, _)| *name == "complete-app-vector").expect("the request");
    let Body::Bytes(bytes) = &request.body else { panic!("a body") };
    assert_eq!(bytes, format!(r#"{{"fileId":"{FILE_ID}"}}"#).as_bytes());
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    let wanted = "HMAC-SHA256 AppId=testappid,SignedHeaders=host;x-date;x-user-id,\
                  Signature=343b9e99002dbad01a8c9ef20cc114862981efb1dd301c015a9ce3d52df85adb";
    assert_eq!(headers[..3], [("Authorization", wanted), ("X-User-Id", USER), ("X-Date", "20240909T033325Z")]);
}

#[test]
fn one_request_names_at_most_fifty_parts() {
    let many = PartPlan { size_bytes: 10 << 30, part_size_bytes: 10 << 20 };
    let content =
        Content { midstates: (2..=1_024).map(|number| (number, [number; 8])).collect(), ..Content::default() };
    let parts: Vec<Part> = many.parts().skip(99).collect();
    let (create, sign) = with_caller(|c| {
        let create = koo(target()).begin(c, &many, &Conflict::Rename, &content, false);
        (create, koo(target()).sign(c, &session(), &parts, &content))
    });
    for (request, first) in [(create, 1), (sign, 100)] {
        let body = body_of(&request);
        let named: Vec<_> =
            body["multiParts"].as_array().expect("a list").iter().map(|part| part["partNumber"].as_u64()).collect();
        assert_eq!(named, (first..first + 50).map(Some).collect::<Vec<_>>());
    }
}

#[test]
fn a_part_of_unknown_state_is_left_out() {
    let mut content = content();
    content.midstates.remove(&3);
    let parts: Vec<Part> = (1..=4).map(part).collect();
    let body = with_caller(|c| body_of(&koo(target()).sign(c, &session(), &parts, &content)));
    let named: Vec<_> =
        body["multiParts"].as_array().expect("a list").iter().map(|part| part["partNumber"].as_u64()).collect();
    assert_eq!(named, [Some(1), Some(2), Some(4)]);
    assert!(body["multiParts"][0].get("hashCtx").is_none());
}

#[test]
fn the_proof_comes_from_the_credential() {
    let range = |offset| Some(ByteRange { offset, len: 8 });
    let bearer = Credential::token("Bearer 10f88d07fa44791e9ff0123456789abcdef0123456789abcd");
    let of =
        |target, credential: &Credential| koo(target).proof_range(Caller { credential, service_unix_ms: 0 }, &plan());
    assert_eq!(of(target(), &bearer), range(18_164_925));
    assert_eq!(of(full(), &bearer), range(18_164_925));
    assert_eq!(with_app(|c| koo(target()).proof_range(c, &plan())), range(12_113_135));
    let nameless = Credential::AppKey { app_id: "a".into(), app_secret: "s".into(), user_id: String::new() };
    assert_eq!(of(full(), &nameless), range(12_113_135));
    let empty = PartPlan { size_bytes: 0, part_size_bytes: 10 << 20 };
    assert_eq!(with_app(|c| koo(target()).proof_range(c, &empty)), None);
}

#[test]
fn a_credential_that_cannot_be_a_header_is_not_sent() {
    let credential = Credential::token("Bearer a\r\nX-Evil: b");
    let request = koo(target()).inspect(Caller { credential: &credential, service_unix_ms: 0 }, &session());
    assert!(request.headers.iter().all(|(name, value)| name != "Authorization" && !value.expose().contains('\n')));
}

/// koodrive §3.3: 2 and 4 take another name; without leave for that neither is said, whatever is known.
#[test]
fn who_keeps_the_name_says_neither_2_nor_4() {
    let rename = |conflict: &Conflict, content: &Content, taken| {
        let request = with_caller(|caller| koo(target()).begin(caller, &plan(), conflict, content, taken));
        body_of(&request)["autoRename"].as_u64()
    };
    for taken in [false, true] {
        for content in [content(), Content::default()] {
            for conflict in [Conflict::Ask, Conflict::Refuse, Conflict::Overwrite { if_version: None }] {
                assert_eq!(rename(&conflict, &content, taken), Some(3), "{conflict:?} {taken}");
            }
        }
        assert_eq!(rename(&Conflict::KeepIfSame, &content(), taken), Some(if taken { 4 } else { 3 }));
        assert_eq!(rename(&Conflict::KeepIfSame, &Content::default(), taken), Some(if taken { 4 } else { 3 }));
        assert_eq!(rename(&Conflict::Rename, &Content::default(), taken), Some(if taken { 4 } else { 2 }));
    }
}
