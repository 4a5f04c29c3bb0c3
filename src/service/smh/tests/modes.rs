//! How the bytes travel: parts, one PUT, or one form.

use super::{Offer, answer, coded, session, smh, target};
use crate::{
    error::Code,
    model::{
        Part, SmhMode, SmhTarget,
        http::{Body, Request},
    },
    service::{Begin, Fault, Inspected, Service, Session},
};

const MIB: u64 = 1 << 20;

fn of(mode: SmhMode) -> SmhTarget {
    SmhTarget { mode, ..target() }
}

fn private() -> SmhTarget {
    SmhTarget { private: true, ..target() }
}

fn task(mode: &str) -> Session {
    Session(serde_json::json!({ "confirm_key": "k", "mode": mode }))
}

fn mode_of(target: SmhTarget, body: &str) -> String {
    match smh(target).read_begin(Offer::default(), &answer(201, &[], body)) {
        Ok(Begin::Session { session, .. }) => session.0["mode"].as_str().expect("a mode").to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_is_one_part_of_any_size() {
    for mode in [SmhMode::Simple, SmhMode::Form] {
        for size in [0, 1, 63, MIB + 1, (5 << 30) - 1, 5 << 30] {
            for wanted in [None, Some(1), Some(MIB), Some(MIB + 1)] {
                let plan = smh(of(mode)).plan(size, wanted).expect("a plan");
                let whole = Part { part_number: 1, offset: 0, size_bytes: size };
                assert_eq!(plan.parts().collect::<Vec<_>>(), [whole]);
            }
        }
        let refused = smh(of(mode)).plan((5 << 30) + 1, None).expect_err("too large for one request");
        assert_eq!(refused.code, Code::SourceTooLarge);
    }
    assert!(smh(of(SmhMode::Auto)).plan(6 << 30, None).is_ok_and(|plan| plan.parts_total() > 1));
    // smh §4.3 knows a least size, and no multiples.
    assert!(smh(of(SmhMode::Auto)).plan(5 * MIB, Some(MIB + 1)).is_ok_and(|plan| plan.part_size_bytes == MIB + 1));
    assert_eq!(smh(of(SmhMode::Auto)).plan(5 * MIB, Some(MIB - 1)).expect_err("small").code, Code::PartSizeUnusable);
}

#[test]
fn the_answer_says_how_the_bytes_travel() {
    let parts = r#"{"confirmKey":"k","domain":"d","path":"/p","uploadId":"u","headers":{"a":"b"}}"#;
    let whole = r#"{"confirmKey":"k","domain":"d","path":"/p","headers":{"a":"b"}}"#;
    let form = r#"{"confirmKey":"k","domain":"d","path":"/","form":{"key":"b"}}"#;
    let bare = r#"{"confirmKey":"k"}"#;
    for mode in [SmhMode::Auto, SmhMode::Simple, SmhMode::Form, SmhMode::Multipart] {
        assert_eq!(mode_of(of(mode), parts), "multipart");
        assert_eq!(mode_of(of(mode), form), "form");
    }
    assert_eq!(mode_of(of(SmhMode::Auto), whole), "simple");
    assert_eq!(mode_of(of(SmhMode::Simple), whole), "simple");
    assert_eq!(mode_of(of(SmhMode::Multipart), whole), "multipart");
    assert_eq!(mode_of(of(SmhMode::Simple), bare), "simple");
    assert_eq!(mode_of(of(SmhMode::Form), bare), "form");
    assert_eq!(mode_of(of(SmhMode::Auto), bare), "multipart");
}

#[test]
fn only_parts_are_renewed() {
    let service = smh(target());
    assert!(service.renews(&session()) && service.renews(&task("multipart")));
    assert!(!service.renews(&task("simple")) && !service.renews(&task("form")));
}

#[test]
fn a_whole_has_no_parts_to_look_at() {
    for mode in ["simple", "form"] {
        let body = r#"{"confirmed":false,"path":["a"],"type":"file"}"#;
        let plan = smh(of(SmhMode::Simple)).plan(9, None).expect("a plan");
        let inspected = smh(target()).read_inspect(&task(mode), &plan, None, &answer(200, &[], body));
        assert!(matches!(inspected, Ok(Inspected::Open { lease: None, .. })), "{inspected:?}");
    }
}

#[test]
fn a_form_field_that_can_not_be_sent_is_refused() {
    for field in [r#""a\r\nb":"v""#, r#""a":"v\nw""#, r#""file":"v""#, r#""":"v""#, r#""a":{}"#, r#""a":null"#] {
        let body = format!(r#"{{"confirmKey":"k","domain":"d","path":"/","form":{{{field}}}}}"#);
        let read = smh(of(SmhMode::Form)).read_begin(Offer::default(), &answer(201, &[], &body));
        assert!(matches!(&read, Err(Fault::Retry(error)) if error.code == Code::AnswerMalformed), "{field}: {read:?}");
    }
}

/// The form of a task, and its boundary.
fn form_of(confirm_key: &str, value: &str) -> (Request, String) {
    let body = format!(r#"{{"confirmKey":"{confirm_key}","domain":"d","path":"/","form":{{"key":"{value}"}}}}"#);
    let service = smh(of(SmhMode::Form));
    let Ok(Begin::Session { session, lease: Some(lease) }) =
        service.read_begin(Offer::default(), &answer(201, &[], &body))
    else {
        panic!("no session")
    };
    let part = Part { part_number: 1, offset: 0, size_bytes: 7 };
    let request = service.put(&session, &lease, &part).expect("covered");
    let boundary = request.headers[0].1.expose().split_once("boundary=").expect("a boundary").1.to_owned();
    (request, boundary)
}

#[test]
fn a_boundary_is_of_one_task_and_stands_in_no_field() {
    let (request, boundary) = form_of("k", "v");
    assert!((8..=70).contains(&boundary.len()));
    assert_eq!(boundary, form_of("k", "v").1, "a try that is said again is the same");
    assert_ne!(boundary, form_of("l", "v").1);
    let (_, other) = form_of("k", &boundary);
    assert_ne!(other, boundary, "what was a boundary can be a value");
    let Body::Form { head, range, tail } = &request.body else { panic!("no form") };
    assert_eq!((range.offset, range.len), (0, 7));
    assert_eq!(request.body.len(), head.len() as u64 + 7 + tail.len() as u64);
    assert!(!format!("{request:?}").contains("118"), "the bytes of a field are not printed");
}

/// What a begin says of its parts' numbers.
fn range_of(service: &crate::service::smh::Smh, parts: u64) -> Option<serde_json::Value> {
    let plan = service.plan(parts * MIB, Some(MIB)).expect("a plan");
    let request = super::with_caller(|caller| {
        service.begin(caller, &plan, &crate::model::Conflict::Rename, &crate::service::Content::default(), false)
    });
    let Body::Bytes(bytes) = request.body else { return None };
    let body: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    Some(body["partNumberRange"].clone())
}

#[test]
fn words_that_are_refused_are_said_otherwise_until_there_are_no_others() {
    let refused = coded(400, "ParamInvalid");
    let service = smh(target());
    assert_eq!(range_of(&service, 3), None);
    assert!(matches!(service.read_begin(Offer::default(), &refused), Err(Fault::Retry(_))));
    assert_eq!(range_of(&service, 3), Some("1-3".into()));
    assert!(matches!(service.read_begin(Offer::default(), &refused), Err(Fault::Retry(_))));
    assert_eq!(range_of(&service, 3), Some(serde_json::json!([1, 2, 3])));
    assert!(matches!(service.read_begin(Offer::default(), &refused), Err(Fault::Final(_))));
    assert_eq!(range_of(&service, 1), None, "a whole has no part numbers");

    let service = smh(private());
    assert_eq!(range_of(&service, 2), Some("1-2".into()));
    assert!(matches!(service.read_begin(Offer::default(), &coded(400, "BadRequest")), Err(Fault::Final(_))));
    assert_eq!(range_of(&service, 2), Some("1-2".into()), "another refusal says nothing of the words");
}

#[test]
fn a_session_remembers_what_was_understood() {
    let each = r#"{"confirmKey":"k","domain":"d","path":"/p","uploadId":"u","parts":{"1":{"headers":{"a":"s"}}}}"#;
    let service = smh(private());
    drop(service.read_begin(Offer::default(), &coded(400, "ParamInvalid")));
    let Ok(Begin::Session { session, .. }) = service.read_begin(Offer::default(), &answer(201, &[], each)) else {
        panic!("no session")
    };
    let expected = r#"{"confirm_key":"k","deployment":"private","mode":"multipart","numbers":"list"}"#;
    assert_eq!(session.0.to_string(), expected);
    // In another run, with nothing learnt.
    let parts = [4, 5].map(|part_number| Part { part_number, offset: 0, size_bytes: MIB });
    let request = super::with_caller(|caller| smh(target()).sign(caller, &session, &parts, &Default::default()));
    let Body::Bytes(body) = request.body else { panic!("no body") };
    assert_eq!(String::from_utf8(body).expect("text"), r#"{"partNumberRange":[4,5]}"#);
}

#[test]
fn an_inspection_that_is_refused_is_asked_without_links() {
    let service = smh(target());
    let url = |service: &crate::service::smh::Smh| super::with_caller(|caller| service.inspect(caller, &session())).url;
    assert!(!url(&service).expose().contains("no_upload_part_info"));
    let plan = service.plan(9, None).expect("a plan");
    let read = service.read_inspect(&session(), &plan, None, &coded(400, "ParamInvalid"));
    assert!(matches!(read, Err(Fault::Retry(_))), "{read:?}");
    assert!(url(&service).expose().ends_with("no_upload_part_info=1"));
}
