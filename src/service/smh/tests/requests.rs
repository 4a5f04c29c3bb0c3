//! Every request, with every parameter.

use super::{part, plan, proof, session, smh, target, with_caller};
use crate::service::Content;
use crate::{
    model::{
        Conflict, PartPlan, SmhTarget,
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

fn lease(place: SmhTarget, body: &str) -> Lease {
    let answer: Answer = answer(201, &[], body);
    match smh(place).read_begin(None, &answer) {
        Ok(Begin::Session { lease: Some(lease), .. }) => lease,
        other => panic!("{other:?}"),
    }
}

const SHARED: &str = r#"{"confirmKey":"k","domain":"b-1.cos.ap-x.myqcloud.com","path":"smh0/影 b%20c?#.mp4","uploadId":"u/1+=",
    "headers":{"Authorization":"q-sign-algorithm=sha1&canary","x-cos-traffic-limit":102400,"Host":"elsewhere"}}"#;
const EACH: &str = r#"{"confirmKey":"k","domain":"10.0.0.1:9000","path":"/o","uploadId":"u",
    "parts":{"2":{"headers":{"x-amz-date":"20260107T000000Z","authorization":"canary"}}}}"#;

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
            ("begin-empty-file", smh(target()).begin(c, &empty, &Conflict::Rename, &Content::default(), false)),
            ("begin-private", smh(private()).begin(c, &plan(), &Conflict::Rename, &Content::default(), false)),
            (
                "begin-private-empty-file",
                smh(private()).begin(c, &empty, &Conflict::Rename, &Content::default(), false),
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
            ("inspect", smh(target()).inspect(c, &session())),
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
}
