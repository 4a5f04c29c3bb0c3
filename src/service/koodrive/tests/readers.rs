//! What is read of good answers, beyond the fixtures.

use super::{FILE_ID, Offer, SHA256, answer, every, known, koo, plan, proof, session, target};
use crate::{
    error::Code,
    hash::Midstate,
    model::{Conflict, KooDriveTarget},
    service::{
        Begin, Complete, Fault, Inspected, Proof, Service, Session,
        koodrive::session::Upload,
        verdict::{Verdict, verdict},
    },
};

/// The vendor's own example of uploadUrl.
fn page() -> serde_json::Value {
    let text = include_str!("../../../../tests/golden/koodrive/sign-page-example.answer.txt");
    let (_, body) = text.split_once("\n\n").expect("an empty line ends the headers");
    serde_json::from_str(body).expect("JSON")
}

fn malformed(fault: &Fault) -> bool {
    matches!(fault, Fault::Retry(error) if error.code == Code::AnswerMalformed)
}

/// Standard base64, its padding left out.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for digit in text.bytes() {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit).expect("base64") as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

#[test]
fn links_are_verbatim_and_the_parts_own() {
    let page = page();
    let lease = koo(target()).read_sign(&session(), &every(), &answer(200, &[], &page.to_string())).expect("a lease");
    assert_eq!(lease.expires_unix_ms, Some(1_718_961_641_000));
    let parts = page["multiParts"].as_array().expect("a list");
    assert_eq!(lease.links.len(), parts.len());
    for part in parts {
        let number = part["partNumber"].as_u64().expect("a number") as u32;
        let url = lease.links[&number].url.expose();
        assert_eq!(Some(url), part["uploadUrl"].as_str());
        // koodrive §4.2: the state that was said is the one that was signed, bits counted in two words.
        let (_, context) = url.split_once("X-Amz-Iteration-Hash-Ctx=").expect("a context");
        let context = context.split(['&', '%']).next().expect("a value");
        let context: serde_json::Value = serde_json::from_slice(&base64(context)).expect("JSON");
        assert_eq!(context["h"], part["hashCtx"]);
        let midstate = Midstate { offset: part["partOffset"].as_u64().expect("an offset"), h: [0; 8] };
        let (low, high) = midstate.bit_count_words();
        assert_eq!((context["nl"].as_u64(), context["nh"].as_u64()), (Some(low.into()), Some(high.into())));
    }
}

#[test]
fn the_order_of_parts_says_nothing() {
    let link = |number: u32| format!(r#"{{"uploadUrl":"https://h/{number}","partNumber":{number},"partId":"9"}}"#);
    let read = |numbers: &[u32]| {
        let parts: Vec<_> = numbers.iter().map(|number| link(*number)).collect();
        let body = format!(r#"{{"code":0,"multiParts":[{}]}}"#, parts.join(","));
        koo(target()).read_sign(&session(), &every(), &answer(200, &[], &body)).expect("a lease")
    };
    let lease = read(&[110, 111, 101, 9, 100]);
    assert_eq!(lease.links.keys().copied().collect::<Vec<_>>(), [9, 100, 101, 110, 111]);
    for (number, link) in &lease.links {
        assert_eq!(link.url.expose(), format!("https://h/{number}"));
    }
}

#[test]
fn the_earliest_end_counts() {
    let link = |number: u32, hour: u32| {
        let url = format!("https://h/x?X-Amz-Date=20240621T{hour:02}0000Z&X-Amz-Expires=3600");
        format!(r#"{{"partNumber":{number},"uploadUrl":"{url}"}}"#)
    };
    let body = format!(r#"{{"multiParts":[{},{},{}]}}"#, link(1, 9), link(2, 8), link(3, 10));
    let lease = koo(target()).read_sign(&session(), &every(), &answer(200, &[], &body)).expect("a lease");
    assert_eq!(lease.expires_unix_ms, Some(1_718_960_400_000));
}

#[test]
fn a_link_that_could_not_be_sent_is_refused() {
    let bodies = [
        r#"{"multiParts":[{"partNumber":1,"uploadUrl":"https://h/x\r\nX: y"}]}"#,
        r#"{"multiParts":[{"partNumber":1,"uploadUrl":"https://h/x y"}]}"#,
        r#"{"multiParts":[{"partNumber":1,"uploadUrl":"http://h/x"}]}"#,
        r#"{"multiParts":[{"partNumber":1,"uploadUrl":"https://u@h/x"}]}"#,
        r#"{"multiParts":[{"partNumber":1,"uploadUrl":"/x"}]}"#,
        r#"{"multiParts":[{"partNumber":10001,"uploadUrl":"https://h/x"}]}"#,
        r#"{"multiParts":[{"uploadUrl":"https://h/x"}]}"#,
        r#"{"multiParts":[{"partNumber":1}]}"#,
        r#"{"multiParts":[[1,"https://h/x"]]}"#,
        r#"{"multiParts":["https://h/x"]}"#,
        r#"{"multiParts":{"1":"https://h/x"}}"#,
        r#"{"multiParts":[]}"#,
        r#"{"code":0}"#,
        "[]",
        "",
    ];
    for body in bodies {
        let fault = koo(target()).read_sign(&session(), &every(), &answer(200, &[], body)).expect_err("refused");
        assert!(malformed(&fault), "{body}: {fault:?}");
    }
    let many: Vec<_> = (0..10_001).map(|_| r#"{"partNumber":1,"uploadUrl":"https://h/x"}"#).collect();
    let body = format!(r#"{{"multiParts":[{}]}}"#, many.join(","));
    let fault = koo(target()).read_sign(&session(), &every(), &answer(200, &[], &body)).expect_err("refused");
    assert!(malformed(&fault));
}

/// One answer of a megabyte names many parts, or one of them with a link without end.
#[test]
fn what_was_not_asked_for_or_is_no_honest_link_is_not_kept() {
    let link = |number: u32, len: usize| {
        format!(r#"{{"partNumber":{number},"uploadUrl":"https://h/{}"}}"#, "x".repeat(len - "https://h/".len()))
    };
    let all: Vec<_> = (1..=10_000).map(|number| link(number, 20)).collect();
    let body = format!(r#"{{"fileId":"F1","multiParts":[{}]}}"#, all.join(","));
    let lease = koo(target()).read_sign(&session(), &[7, 9_999], &answer(200, &[], &body)).expect("a lease");
    assert_eq!(lease.links.keys().copied().collect::<Vec<_>>(), [7, 9_999]);
    let Ok(Begin::Session { lease: Some(lease), .. }) =
        koo(target()).read_begin(Offer::default(), &answer(200, &[], &body))
    else {
        panic!("no session")
    };
    assert_eq!(lease.links.len(), 50);
    let of_len = |len| {
        let body = format!(r#"{{"multiParts":[{}]}}"#, link(1, len));
        koo(target()).read_sign(&session(), &[1], &answer(200, &[], &body))
    };
    assert!(of_len(8 << 10).is_ok() && malformed(&of_len((8 << 10) + 1).expect_err("refused")));
}

#[test]
fn links_are_plain_only_where_the_endpoint_is() {
    let plain = koo(KooDriveTarget { endpoint: "http://h".to_owned(), ..target() });
    for url in ["http://h/x", "https://h/x"] {
        let body = format!(r#"{{"multiParts":[{{"partNumber":1,"uploadUrl":"{url}"}}]}}"#);
        let lease = plain.read_sign(&session(), &every(), &answer(200, &[], &body)).expect("a lease");
        assert_eq!(lease.links[&1].url.expose(), url);
    }
}

#[test]
fn the_session_remembers_what_only_create_tells() {
    let session = |body: &str| match koo(target()).read_begin(Offer::default(), &answer(200, &[], body)) {
        Ok(Begin::Session { session, .. }) => session.0,
        other => panic!("{other:?}"),
    };
    let named = session(r#"{"fileId":"F1","fileName":"test_1.zip","containerId":"c","code":"0"}"#);
    assert_eq!(named, serde_json::json!({ "file_id": "F1", "file_name": "test_1.zip", "container_id": "c" }));
    assert_eq!(session(r#"{"fileId":"F1"}"#), serde_json::json!({ "file_id": "F1", "file_name": "test.zip" }));
    let long = format!(r#"{{"fileId":"F1","fileName":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(session(&long), serde_json::json!({ "file_id": "F1", "file_name": "test.zip" }));
    assert_eq!(Upload::of(&Session(serde_json::json!(7))).file_id, "unreadable-session");
}

#[test]
fn a_receipt_says_what_is_known() {
    let upload = Upload::of(&session());
    let done = koo(target()).place.read_complete(Some(&upload), &proof(), &answer(200, &[], r#"{"code":0}"#));
    let Ok(Complete::Done(receipt)) = done else { panic!("{done:?}") };
    assert_eq!((receipt.name.as_str(), receipt.file_id.as_deref()), ("test_20240104_105403.zip", Some(FILE_ID)));
    assert_eq!((receipt.size_bytes, receipt.sha256.as_deref(), receipt.crc64), (20 << 20, Some(SHA256), None));
    let shown = proof();
    let begun = koo(target()).place.read_begin(known(&shown), &answer(200, &[], r#"{"exist":true}"#));
    let Ok(Begin::Done(receipt)) = begun else { panic!("{begun:?}") };
    assert!(receipt.instant && receipt.size_bytes == 20 << 20 && receipt.name == "test.zip");
    let untaken = Offer { taken: false, ..known(&shown) };
    let read = |offer, body: &str| koo(target()).place.read_begin(offer, &answer(200, &[], body));
    for (offer, body) in [
        (untaken, r#"{"exist":true}"#),
        (Offer::default(), r#"{"exist":true}"#),
        (Offer { taken: true, ..Offer::default() }, r#"{"exist":true}"#),
        (Offer::default(), r#"{"rapidUpload":true,"fileName":"test.zip"}"#),
    ] {
        assert!(malformed(&read(offer, body).expect_err("nothing was offered")), "{body}");
    }
    assert!(matches!(read(untaken, r#"{"rapidUpload":true}"#), Ok(Begin::Done(_))));
    let begun = |body: &str| koo(target()).place.read_begin(known(&proof()), &answer(200, &[], body));
    let under = |begun| match begun {
        Ok(Begin::Done(_)) => "its own name",
        Ok(Begin::Renamed(_)) => "another name",
        _ => "no name",
    };
    assert_eq!(under(begun(r#"{"rapidUpload":true,"fileName":"test.zip"}"#)), "its own name");
    assert_eq!(under(begun(r#"{"rapidUpload":true,"fileName":"test_1.zip"}"#)), "another name");
    assert_eq!(under(begun(r#"{"exist":true,"fileName":"test_1.zip"}"#)), "its own name", "nothing was made");
}

/// koodrive §3.3: a session under another name is left where no other one may be taken.
#[test]
fn a_session_under_another_name_is_a_taken_name_where_none_may_be_taken() {
    let read = |conflict: &Conflict| {
        let answer = answer(200, &[], r#"{"fileId":"F1","fileName":"test_1.zip"}"#);
        koo(target()).place.read_begin(Offer { conflict: Some(conflict), ..Offer::default() }, &answer)
    };
    for conflict in [Conflict::Ask, Conflict::Refuse, Conflict::Overwrite { if_version: None }] {
        let fault = read(&conflict).expect_err("it may not be taken");
        assert_eq!(verdict(&fault), Verdict::Ask(Code::NameConflict), "{conflict:?}");
    }
    for conflict in [Conflict::Rename, Conflict::KeepIfSame] {
        assert!(matches!(read(&conflict), Ok(Begin::Session { .. })), "{conflict:?}");
    }
}

#[test]
fn an_inspection_tells_only_with_proof() {
    let same = format!(r#"{{"size":"20971520","sha256":"{SHA256}"}}"#);
    let read = |proof: Option<&Proof>, status, body: &str| {
        koo(target()).read_inspect(&session(), &plan(), proof, &answer(status, &[], body))
    };
    let word = |inspected| match inspected {
        Ok(Inspected::Done(_)) => "done",
        Ok(Inspected::Likely(_)) => "likely",
        Ok(Inspected::Open { parts: None, lease: None }) => "open",
        Ok(Inspected::Open { .. }) => "more than is known",
        Err(fault) if malformed(&fault) => "cannot tell",
        Err(_) => "fault",
    };
    let rows = [
        (200, same.as_str(), "done", "open"),
        (200, r#"{"size":1}"#, "open", "open"),
        (200, r#"{"sha256":"00"}"#, "open", "open"),
        (200, r#"{"size":20971520}"#, "likely", "open"),
        (200, "{}", "cannot tell", "open"),
        (200, "<html>", "cannot tell", "cannot tell"),
        (404, "", "open", "open"),
        (404, "<html>nginx</html>", "cannot tell", "cannot tell"),
        (404, r#"{"code":13009999}"#, "open", "open"),
        (404, r#"{"code":13000410}"#, "fault", "fault"),
        (400, r#"{"code":13000302}"#, "open", "open"),
        (200, r#"{"code":"13000309"}"#, "open", "open"),
        (400, r#"{"code":13000401}"#, "open", "open"),
        (400, r#"{"code":13000411}"#, "open", "open"),
        (400, r#"{"code":13000306}"#, "fault", "fault"),
        (401, "", "fault", "fault"),
        (500, "", "fault", "fault"),
    ];
    for (status, body, with, without) in rows {
        assert_eq!(word(read(Some(&proof()), status, body)), with, "{body}");
        assert_eq!(word(read(None, status, body)), without, "{body}");
    }
    let unhashed = Proof { sha256: None, ..proof() };
    assert_eq!(word(read(Some(&unhashed), 200, &same)), "likely");
    // What create declared may be shown before the file is there.
    let declared = Upload { declared: true, ..Upload::of(&session()) }.to_session();
    let read = |body: &str| koo(target()).read_inspect(&declared, &plan(), Some(&proof()), &answer(200, &[], body));
    assert_eq!((word(read(&same)), word(read(r#"{"size":1}"#))), ("likely", "open"));
}
