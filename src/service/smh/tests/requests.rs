//! Every request, with every parameter.

use super::{Offer, part, plan, proof, session, smh, target, with_caller};
use crate::service::Content;
use crate::{
    model::{
        Conflict, PartPlan, SmhMode, SmhTarget,
        http::{Answer, Request},
    },
    service::{Begin, Caller, Lease, Service, Session, smh::tests::answer},
};

/// A target that says all that can be said.
fn full() -> SmhTarget {
    SmhTarget {
        endpoint: "http://127.0.0.1:8080/".to_owned(),
        library: "smh 0&b".to_owned(),
        space: "space/1".to_owned(),
        path: "/照片/a b/100% & c+d?.mp4".to_owned(),
        user_id: Some("u&1".to_owned()),
        meta: [("k", "v"), ("name", "é v")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        labels: vec!["elephant".to_owned(), "动物".to_owned()],
        category: Some("video".to_owned()),
        created_unix_ms: Some(1_658_804_289_000),
        modified_unix_ms: Some(1_658_804_289_999),
        traffic_limit_bytes_per_s: Some(102_400),
        prefer_same_origin: true,
        ..target()
    }
}

fn private() -> SmhTarget {
    SmhTarget { private: true, ..target() }
}

fn parts_only() -> SmhTarget {
    SmhTarget { mode: SmhMode::Multipart, ..target() }
}

fn simple() -> SmhTarget {
    SmhTarget { mode: SmhMode::Simple, ..full() }
}

fn form() -> SmhTarget {
    SmhTarget { mode: SmhMode::Form, ..full() }
}

fn mode_of(mode: &str) -> Session {
    Session(serde_json::json!({ "confirm_key": "6bdfd20dfb104848", "mode": mode }))
}

/// The beginning alone, as a first try says it, and both.
fn hashes(whole: bool) -> Content {
    let beginning = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83";
    let full = "1265d50fb492427896c2dbd7250cca60f30440769b086cf7e74a540a2e514744";
    Content {
        beginning_hash: Some(beginning.to_owned()),
        full_hash: whole.then(|| full.to_owned()),
        ..Content::default()
    }
}

fn lease(place: SmhTarget, body: &str) -> Lease {
    let answer: Answer = answer(201, &[], body);
    match smh(place).read_begin(Offer::default(), &answer) {
        Ok(Begin::Session { lease: Some(lease), .. }) => lease,
        other => panic!("{other:?}"),
    }
}

const SHARED: &str = r#"{"confirmKey":"k","domain":"b-1.cos.ap-x.myqcloud.com","path":"smh0/影 b%20c?#.mp4","uploadId":"u/1+=",
    "headers":{"Authorization":"q-sign-algorithm=sha1&canary","x-cos-traffic-limit":102400,"Host":"elsewhere"}}"#;
const EACH: &str = r#"{"confirmKey":"k","domain":"10.0.0.1:9000","path":"/o","uploadId":"u",
    "parts":{"2":{"headers":{"x-amz-date":"20260107T000000Z","authorization":"canary"}}}}"#;

const WHOLE: &str = r#"{"confirmKey":"k","domain":"b-1.cos.ap-x.myqcloud.com","path":"/smh0/影.mp4",
    "headers":{"Content-Type":"video/mp4","Authorization":"q-sign-algorithm=sha1&canary","x-cos-traffic-limit":819200}}"#;
const FORM: &str = r#"{"confirmKey":"k","domain":"b-1.cos.ap-x.myqcloud.com","path":"/","form":{"key":"smh0/a \"b\" 影.csv","acl":"default",
    "Content-Type":"text/csv","an \"odd\" name":"v","x-number":7,"q-key-time":"1754292918;1754293518"}}"#;

fn said_private() -> Session {
    Session(serde_json::json!({ "confirm_key": "k", "mode": "multipart", "deployment": "private" }))
}

fn said_public() -> Session {
    Session(serde_json::json!({ "confirm_key": "k", "mode": "multipart", "deployment": "public" }))
}

/// Every fixture's name and request.
pub(super) fn all() -> Vec<(&'static str, Request)> {
    let version = Conflict::Overwrite { if_version: Some("cas=1".to_owned()) };
    let replace = Conflict::Overwrite { if_version: None };
    let empty = PartPlan { size_bytes: 0, part_size_bytes: 4 << 20 };
    let many = PartPlan { size_bytes: 1 << 40, part_size_bytes: 128 << 20 };
    let whole = PartPlan { size_bytes: 10 << 20, part_size_bytes: 10 << 20 };
    let small = PartPlan { size_bytes: (1 << 20) - 1, part_size_bytes: 4 << 20 };
    let part_of = |plan: PartPlan| plan.part(1).expect("the plan has it");
    let parts = [1, 2, 3];
    let wanted: Vec<_> = [1, 3, 4, 5, 7].iter().filter_map(|number| many.part(*number)).collect();
    let hundreds: Vec<_> = many.parts().skip(100).take(300).collect();
    let top = SmhTarget { path: "top.bin".to_owned(), ..target() };
    with_caller(|c: Caller<'_>| {
        vec![
            ("begin", smh(target()).begin(c, &plan(), &Conflict::Rename, &Content::default(), false)),
            ("begin-full", smh(full()).begin(c, &plan(), &version, &Content::default(), false)),
            ("begin-ask", smh(target()).begin(c, &plan(), &Conflict::Ask, &Content::default(), false)),
            ("begin-refuse", smh(target()).begin(c, &plan(), &Conflict::Refuse, &Content::default(), false)),
            ("begin-keep-if-same", smh(target()).begin(c, &plan(), &Conflict::KeepIfSame, &Content::default(), false)),
            ("begin-overwrite", smh(target()).begin(c, &plan(), &replace, &Content::default(), false)),
            ("begin-empty-file", smh(parts_only()).begin(c, &empty, &Conflict::Rename, &Content::default(), false)),
            ("begin-private", smh(private()).begin(c, &plan(), &Conflict::Rename, &Content::default(), false)),
            (
                "begin-private-empty-file",
                smh(SmhTarget { private: true, ..parts_only() }).begin(
                    c,
                    &empty,
                    &Conflict::Rename,
                    &Content::default(),
                    false,
                ),
            ),
            (
                "begin-private-full",
                smh(SmhTarget { private: true, ..full() }).begin(
                    c,
                    &many,
                    &Conflict::Rename,
                    &Content::default(),
                    false,
                ),
            ),
            ("begin-auto-small", smh(target()).begin(c, &small, &Conflict::Rename, &Content::default(), false)),
            ("begin-simple-full", smh(simple()).begin(c, &whole, &version, &Content::default(), false)),
            ("begin-form-full", smh(form()).begin(c, &whole, &version, &hashes(true), false)),
            ("begin-beginning", smh(target()).begin(c, &plan(), &Conflict::Rename, &hashes(false), false)),
            ("begin-both-hashes", smh(target()).begin(c, &plan(), &Conflict::Rename, &hashes(true), false)),
            ("begin-both-hashes-taken", smh(target()).begin(c, &plan(), &Conflict::Rename, &hashes(true), true)),
            ("begin-too-small-to-hash", smh(target()).begin(c, &small, &Conflict::Rename, &hashes(true), false)),
            ("create-parent", smh(full()).create_parent(c)),
            ("create-parent-of-root", smh(top).create_parent(c)),
            ("sign", smh(target()).sign(c, &session(), &parts.map(part), &Content::default())),
            ("sign-full", smh(full()).sign(c, &session(), &parts.map(part), &Content::default())),
            ("sign-private", smh(private()).sign(c, &session(), &wanted, &Content::default())),
            ("sign-private-hundreds", smh(private()).sign(c, &session(), &hundreds, &Content::default())),
            ("sign-private-by-answer", smh(target()).sign(c, &said_private(), &parts.map(part), &Content::default())),
            ("sign-public-by-answer", smh(private()).sign(c, &said_public(), &parts.map(part), &Content::default())),
            ("put-shared", smh(target()).put(&session(), &lease(target(), SHARED), &part(3)).expect("covered")),
            ("put-shared-plain", smh(full()).put(&session(), &lease(full(), SHARED), &part(1)).expect("covered")),
            ("put-own-link", smh(target()).put(&session(), &lease(target(), EACH), &part(2)).expect("covered")),
            (
                "put-simple",
                smh(simple()).put(&mode_of("simple"), &lease(target(), WHOLE), &part_of(whole)).expect("covered"),
            ),
            ("put-form", smh(form()).put(&mode_of("form"), &lease(target(), FORM), &part_of(whole)).expect("covered")),
            ("inspect", smh(target()).inspect(c, &session())),
            ("inspect-simple", smh(target()).inspect(c, &mode_of("simple"))),
            ("inspect-full", smh(full()).inspect(c, &session())),
            ("inspect-private", smh(private()).inspect(c, &session())),
            ("probe", smh(target()).probe(c)),
            ("probe-full", smh(full()).probe(c)),
            ("complete", smh(target()).complete(c, &session(), &proof(Conflict::Rename))),
            ("complete-full", smh(full()).complete(c, &session(), &proof(version))),
            ("complete-ask", smh(target()).complete(c, &session(), &proof(Conflict::Ask))),
            ("abort", smh(target()).abort(c, &session())),
            ("abort-full", smh(full()).abort(c, &session())),
            ("abort-unreadable-session", smh(target()).abort(c, &Session(serde_json::json!({ "confirm_key": ".." })))),
        ]
    })
}

#[test]
fn a_part_without_a_link_is_not_sent() {
    assert!(smh(target()).put(&session(), &lease(target(), EACH), &part(1)).is_none());
    // A whole has one part.
    assert!(smh(target()).put(&mode_of("simple"), &lease(target(), WHOLE), &part(2)).is_none());
    assert!(smh(target()).put(&mode_of("form"), &lease(target(), FORM), &part(2)).is_none());
}

/// The request body of the form upload's page, as it is printed (smh §1.4): a start that says all of it says it in these words and types.
#[test]
fn a_start_says_what_the_page_says() {
    const PAGE: &str = r#"{
"fullHash": "9fee55123adad49e5090236eead6a8a9edc9caaa0f97b9e38c3713c1b97b9d29",
"beginningHash": "9faskdfhwek2h3r4kjdsjkahfsdkfhjaksdldc9caaa0f97b9e38c3713c1b97b9d29",
"size": "2081112",
"labels":["elephant","animal","Asian elephant"],
"category":"video",
"localCreationTime": "2022-07-26T02:58:09Z",
"localModificationTime": "2022-07-26T02:58:09Z"
}"#;
    let whole = PartPlan { size_bytes: 2_081_112, part_size_bytes: 4 << 20 };
    let request = with_caller(|caller| smh(form()).begin(caller, &whole, &Conflict::Rename, &hashes(true), false));
    let crate::model::http::Body::Bytes(body) = request.body else { panic!("no body") };
    let shape = |text: &[u8]| {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text).expect("an object");
        object.into_iter().map(|(name, value)| (name, value.is_string(), value.is_array())).collect::<Vec<_>>()
    };
    assert_eq!(shape(&body), shape(PAGE.as_bytes()));
    let said: serde_json::Value = serde_json::from_slice(&body).expect("an object");
    assert_eq!((&said["size"], &said["category"]), (&"2081112".into(), &"video".into()));
}
