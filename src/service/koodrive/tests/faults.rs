//! Every row of the error tables.

use super::{Offer, answer, every, koo, plan, proof, session, target};
use crate::{
    error::Code,
    model::http::Sent,
    service::{
        Complete, Fault, Service,
        koodrive::fault::{CREATE_CODES, SERVICE_CODES, STORAGE_CODES},
        verdict::{SERVICE_STATUSES, STORAGE_STATUSES, Verdict, verdict},
    },
};

fn sign_fault(status: u16, body: &str) -> Fault {
    koo(target())
        .read_sign(&session(), &every(), &answer(status, &[("x-request-id", "r-1")], body))
        .expect_err("a refusal")
}

fn begin_fault(status: u16, body: &str) -> Fault {
    koo(target()).read_begin(Offer::default(), &answer(status, &[], body)).expect_err("a refusal")
}

fn put_fault(status: u16, code: &str) -> Fault {
    let body = format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>r-1</RequestId></Error>");
    koo(target()).read_put(&answer(status, &[], &body), &Sent::default()).expect_err("a refusal")
}

/// A code the ways it may come (koodrive §9).
fn spellings(code: &str) -> Vec<String> {
    let mut all = vec![
        format!(r#"{{"code":"{code}","msg":"m"}}"#),
        format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#),
        format!(r#"{{"code":0,"error_code":"{code}"}}"#),
    ];
    if code.bytes().all(|b| b.is_ascii_digit()) {
        all.push(format!(r#"{{"code":{code},"msg":"m"}}"#));
    }
    all
}

#[test]
fn each_code_of_the_service_is_read_by_code() {
    for (wanted, codes) in SERVICE_CODES {
        for code in *codes {
            for (body, status) in
                spellings(code).iter().flat_map(|body| [200, 400, 404, 500].map(|status| (body, status)))
            {
                let fault = sign_fault(status, body);
                assert_eq!(verdict(&fault), *wanted, "{body}");
                let error = fault.error();
                assert_eq!(error.service_code.as_deref(), Some(*code));
                assert_eq!(error.request_id.as_deref(), Some("r-1"));
                assert_eq!(error.http_status, Some(status));
                let of_create =
                    CREATE_CODES.iter().find(|(_, codes)| codes.contains(code)).map_or(*wanted, |(row, _)| *row);
                assert_eq!(verdict(&begin_fault(status, body)), of_create, "{body}");
            }
        }
    }
}

/// koodrive §9, from 13000101 to 13000414, written out a second time.
#[test]
fn the_table_is_the_documented_one() {
    let refused = Verdict::Final(Code::RequestRefused);
    let rows = [
        (101, refused, refused),
        (102, refused, refused),
        (201, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::ServiceError)),
        (301, Verdict::Final(Code::SpaceNotFound), Verdict::Final(Code::SpaceNotFound)),
        (302, Verdict::Parent, Verdict::Gone),
        (303, refused, refused),
        (304, Verdict::Parent, Verdict::Parent),
        (305, Verdict::Parent, Verdict::Parent),
        (306, Verdict::Parent, Verdict::Gone),
        (307, refused, refused),
        (308, refused, refused),
        (309, Verdict::Parent, Verdict::Gone),
        (310, Verdict::Final(Code::NameRefused), Verdict::Final(Code::NameRefused)),
        (311, Verdict::Ask(Code::QuotaExceeded), Verdict::Ask(Code::QuotaExceeded)),
        (312, refused, refused),
        (401, Verdict::Gone, Verdict::Gone),
        (402, Verdict::Gone, Verdict::Gone),
        (403, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::ServiceError)),
        (404, Verdict::Parent, Verdict::Parent),
        (405, Verdict::Ask(Code::NameConflict), Verdict::Ask(Code::NameConflict)),
        (406, refused, refused),
        (407, refused, refused),
        (408, refused, refused),
        (409, Verdict::Gone, Verdict::Gone),
        (410, Verdict::Ask(Code::PermissionDenied), Verdict::Ask(Code::PermissionDenied)),
        (411, Verdict::Parent, Verdict::Gone),
        (412, Verdict::Final(Code::SpaceNotFound), Verdict::Final(Code::SpaceNotFound)),
        (413, refused, refused),
        (414, refused, refused),
    ];
    for (number, of_create, of_sign) in rows {
        let body = format!(r#"{{"code":{}}}"#, 13_000_000 + number);
        assert_eq!(verdict(&begin_fault(400, &body)), of_create, "{number}");
        assert_eq!(verdict(&sign_fault(400, &body)), of_sign, "{number}");
    }
    let digits = |code: &&&str| code.bytes().all(|b| b.is_ascii_digit());
    assert_eq!(SERVICE_CODES.iter().flat_map(|(_, codes)| *codes).filter(digits).count(), rows.len());
}

#[test]
fn each_code_of_the_storage_is_read_by_code() {
    for (wanted, codes) in STORAGE_CODES {
        for code in *codes {
            for status in [400, 404, 411, 503] {
                let fault = put_fault(status, code);
                assert_eq!(verdict(&fault), *wanted, "{code}");
                assert_eq!(fault.error().request_id.as_deref(), Some("r-1"));
            }
            assert_eq!(verdict(&put_fault(403, code)), Verdict::Stale, "{code}");
        }
    }
}

#[test]
fn no_code_stands_twice() {
    for table in [SERVICE_CODES, STORAGE_CODES] {
        let mut codes: Vec<_> = table.iter().flat_map(|(_, codes)| *codes).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }
}

#[test]
fn an_unknown_code_goes_by_its_status() {
    for (table, is_put) in [(SERVICE_STATUSES, false), (STORAGE_STATUSES, true)] {
        for status in 300..600u16 {
            let wanted = table.iter().find(|(range, _)| range.contains(&status)).expect("a row").1;
            let fault = if is_put { put_fault(status, "New") } else { sign_fault(status, r#"{"code":13009999}"#) };
            assert_eq!(verdict(&fault), wanted, "{status}");
        }
    }
    assert_eq!(verdict(&sign_fault(200, r#"{"code":13009999}"#)), Verdict::Final(Code::RequestRefused));
    assert_eq!(verdict(&sign_fault(401, "")), Verdict::Credential);
    assert_eq!(verdict(&sign_fault(204, "")), Verdict::Retry(Code::AnswerMalformed));
    assert_eq!(verdict(&put_fault(201, "")), Verdict::Retry(Code::AnswerMalformed));
}

/// A load balancer's page, and an answer that says nothing at all.
#[test]
fn who_is_not_the_service_ends_nothing() {
    let nothing = |status| answer(status, &[], "");
    let page = |status| answer(status, &[("content-type", "text/html")], "<html><h1>nginx</h1></html>");
    let koo = koo(target());
    for status in 300..600u16 {
        for stranger in [nothing(status), page(status)] {
            let faults = [
                koo.read_begin(Offer::default(), &stranger).expect_err("a refusal"),
                koo.read_sign(&session(), &every(), &stranger).expect_err("a refusal"),
                koo.read_complete(&session(), &proof(), &stranger).expect_err("a refusal"),
                koo.read_put(&stranger, &Sent::default()).expect_err("a refusal"),
            ];
            // Of a file that is not there detail says no more than that (koodrive §9).
            let detail = koo.read_inspect(&session(), &plan(), Some(&proof()), &stranger);
            let detail = detail.err().filter(|_| status != 404 || !stranger.body.is_empty());
            assert!(detail.is_some() || status == 404 && stranger.body.is_empty(), "{status}");
            for fault in faults.into_iter().chain(detail) {
                let verdict = verdict(&fault);
                let waits = matches!(verdict, Verdict::Retry(_) | Verdict::Stale | Verdict::Credential);
                let asks = status == 403 && matches!(verdict, Verdict::Ask(_)) && stranger.body.is_empty();
                assert!(waits || asks, "{status}: {verdict:?}");
            }
        }
    }
    // A code that says that all is well says nothing of a refusal either.
    assert_eq!(verdict(&sign_fault(404, r#"{"code":0}"#)), Verdict::Retry(Code::AnswerMalformed));
    let unknown = verdict(&sign_fault(404, r#"{"message":"no route"}"#));
    assert_eq!(unknown, Verdict::Retry(Code::AnswerMalformed));
}

#[test]
fn words_count_where_no_code_does() {
    let read = |body: &str| verdict(&sign_fault(400, body));
    assert_eq!(read(r#"{"code":400,"msg":"Authentication Failed."}"#), Verdict::Credential);
    assert_eq!(read(r#"{"error_code":"APIG.0301","error_msg":"authentication failed"}"#), Verdict::Credential);
    assert_eq!(read(r#"{"code":13000102,"msg":"the x-date header is too old"}"#), Verdict::Misdated);
    assert_eq!(read(r#"{"code":13000102,"msg":"Verify parameters failed."}"#), Verdict::Final(Code::RequestRefused));
    // A name may be repeated in words.
    let taken = r#"{"code":13000405,"msg":"duplicate file name x-date.txt"}"#;
    assert_eq!(read(taken), Verdict::Ask(Code::NameConflict));
    assert_eq!(verdict(&sign_fault(500, r#"{"msg":"authentication failed"}"#)), Verdict::Retry(Code::ServiceError));
}

/// koodrive §9, §13: a token that ran out is a 401, whatever code that says no more than "refused" comes with it.
#[test]
fn a_401_blames_the_credential_unless_its_code_says_more() {
    for code in ["13000101", "13000102", "13000406", "13009999"] {
        for msg in ["unauthorized", "Bad Request", "token expired"] {
            let body = format!(r#"{{"code":{code},"msg":"{msg}"}}"#);
            for fault in [sign_fault(401, &body), begin_fault(401, &body)] {
                assert_eq!(verdict(&fault), Verdict::Credential, "{body}");
                assert_eq!(fault.error().service_code.as_deref(), Some(code));
            }
        }
    }
    assert_eq!(verdict(&sign_fault(401, r#"{"code":13000101,"msg":"X-Date is in the future"}"#)), Verdict::Misdated);
    assert_eq!(verdict(&sign_fault(401, r#"{"code":13000201}"#)), Verdict::Retry(Code::ServiceError));
}

#[test]
fn complete_has_outcomes_of_its_own() {
    let read = |status, body: &str| koo(target()).read_complete(&session(), &proof(), &answer(status, &[], body));
    for status in [200, 400] {
        for body in spellings("13000401") {
            assert!(matches!(read(status, &body), Ok(Complete::Already)), "{body}");
        }
        for body in spellings("13000402").iter().chain(&spellings("13000409")) {
            assert!(matches!(read(status, body), Ok(Complete::IntegrityFailed)), "{body}");
        }
        for body in spellings("13000403") {
            assert!(matches!(read(status, &body), Err(Fault::Retry(_))), "{body}");
        }
        for body in spellings("13000311") {
            assert!(matches!(read(status, &body), Err(Fault::Ask(_))), "{body}");
        }
    }
    // A code that nobody documented tells nothing of the outcome (koodrive §9).
    for body in [r#"{"code":13009999}"#, r#"{"code":"-1","msg":"m"}"#, r#"{"code":401,"msg":"token expired"}"#] {
        assert_eq!(verdict(&read(200, body).expect_err("unknown")), Verdict::Retry(Code::ServiceError), "{body}");
        let detail = koo(target()).read_inspect(&session(), &plan(), Some(&proof()), &answer(200, &[], body));
        assert_eq!(verdict(&detail.expect_err("unknown")), Verdict::Retry(Code::ServiceError), "{body}");
    }
    for body in ["", "{}", "[]", "<html>", r#"{"code":null}"#] {
        let fault = read(200, body).expect_err("unknown");
        assert_eq!(verdict(&fault), Verdict::Retry(Code::AnswerMalformed), "{body}");
    }
}

#[test]
fn retry_after_and_request_ids_are_kept() {
    let headers = [("retry-after", "7"), ("x-amz-request-id", "NWEy-1")];
    let fault = koo(target()).read_put(&answer(503, &headers, ""), &Sent::default()).expect_err("busy");
    assert_eq!(fault.error().retry_after_ms, Some(7_000));
    assert_eq!(fault.error().request_id.as_deref(), Some("NWEy-1"));
}

#[test]
fn what_is_not_offered_is_final() {
    let koo = koo(target());
    for (status, body) in [(200, r#"{"code":0}"#), (404, ""), (500, "{}")] {
        let answer = answer(status, &[], body);
        let faults = [koo.read_create_parent(&answer).expect_err("never"), koo.read_abort(&answer).expect_err("never")];
        assert!(faults.iter().all(|fault| verdict(fault) == Verdict::Final(Code::Unsupported)));
    }
}
