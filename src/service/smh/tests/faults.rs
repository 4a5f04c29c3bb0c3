//! Every row of the error tables.

use super::{Offer, answer, coded, every, plan, proof, session, smh, target};
use crate::{
    error::Code,
    model::{Conflict, http::Sent},
    service::{
        Complete, Fault, Service,
        smh::fault::{SERVICE_CODES, STORAGE_CODES},
        verdict::{SERVICE_STATUSES, STORAGE_STATUSES, Verdict, verdict},
    },
};

fn sign_fault(status: u16, code: &str) -> Fault {
    let smh = smh(target());
    // Where there are no other words to say it in.
    while smh.place.learnt.refused(true) {}
    smh.read_sign(&session(), &every(), &coded(status, code)).expect_err("a refusal")
}

fn put_fault(status: u16, code: &str) -> Fault {
    let body = format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>r-1</RequestId></Error>");
    smh(target()).read_put(&answer(status, &[], &body), &Sent::default()).expect_err("a refusal")
}

#[test]
fn each_code_of_the_service_is_read_by_code() {
    for (wanted, codes) in SERVICE_CODES {
        for code in *codes {
            for status in [400, 403, 404, 409, 500, 200] {
                let fault = sign_fault(status, code);
                assert_eq!(verdict(&fault), *wanted, "{code}");
                let error = fault.error();
                assert_eq!(error.service_code.as_deref(), Some(*code));
                assert_eq!(error.request_id.as_deref(), Some("r-1"));
                assert_eq!(error.http_status, Some(status));
            }
        }
    }
}

#[test]
fn each_code_of_the_storage_is_read_by_code() {
    for (wanted, codes) in STORAGE_CODES {
        for code in *codes {
            for status in [400, 404, 409, 503] {
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
            let fault = if is_put { put_fault(status, "New") } else { sign_fault(status, "New") };
            assert_eq!(verdict(&fault), wanted, "{status}");
        }
    }
}

#[test]
fn statuses_ask_for_what_they_should() {
    let rows = [
        (301, Verdict::Retry(Code::RedirectRefused), Verdict::Retry(Code::RedirectRefused)),
        (400, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
        (401, Verdict::Credential, Verdict::Stale),
        // Without a code nobody knows who speaks: that ends nothing.
        (402, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
        (403, Verdict::Ask(Code::PermissionDenied), Verdict::Stale),
        (404, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
        (408, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::Stalled)),
        (429, Verdict::Retry(Code::ServiceBusy), Verdict::Retry(Code::ServiceBusy)),
        (451, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
        (499, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::ServiceError)),
        (500, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::ServiceError)),
        (503, Verdict::Retry(Code::ServiceBusy), Verdict::Retry(Code::ServiceBusy)),
        (599, Verdict::Retry(Code::ServiceError), Verdict::Retry(Code::ServiceError)),
        (100, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
        (206, Verdict::Retry(Code::AnswerMalformed), Verdict::Retry(Code::AnswerMalformed)),
    ];
    for (status, of_service, of_storage) in rows {
        let bare = answer(status, &[], "");
        let fault = smh(target()).read_sign(&session(), &every(), &bare).expect_err("a refusal");
        assert_eq!(verdict(&fault), of_service, "{status}");
        let fault = smh(target()).read_put(&bare, &Sent::default()).expect_err("a refusal");
        assert_eq!(verdict(&fault), of_storage, "{status}");
    }
}

/// A load balancer's page, and an answer that says nothing at all.
#[test]
fn who_is_not_the_service_ends_nothing() {
    let nothing = |status| answer(status, &[], "");
    let page = |status| answer(status, &[("content-type", "text/html")], "<html><h1>nginx</h1></html>");
    let smh = smh(target());
    for status in 300..600u16 {
        for stranger in [nothing(status), page(status)] {
            let faults = [
                smh.read_begin(Offer::default(), &stranger).expect_err("a refusal"),
                smh.read_sign(&session(), &every(), &stranger).expect_err("a refusal"),
                smh.read_inspect(&session(), &plan(), None, &stranger).expect_err("a refusal"),
                smh.read_complete(&session(), &proof(Conflict::Ask), &stranger).expect_err("a refusal"),
                smh.read_put(&stranger, &Sent::default()).expect_err("a refusal"),
            ];
            for fault in faults {
                let verdict = verdict(&fault);
                let waits = matches!(verdict, Verdict::Retry(_) | Verdict::Stale | Verdict::Credential);
                let asks = status == 403 && matches!(verdict, Verdict::Ask(_)) && stranger.body.is_empty();
                assert!(waits || asks, "{status}: {verdict:?}");
            }
        }
        let probed = smh.read_probe(&proof(Conflict::Ask), &page(status));
        assert_eq!(verdict(&probed.expect_err("a page")), Verdict::Retry(Code::AnswerMalformed), "{status}");
    }
}

#[test]
#[allow(clippy::type_complexity)] // A table, read where it stands.
fn complete_has_outcomes_of_its_own() {
    let read = |status, code| smh(target()).read_complete(&session(), &proof(Conflict::Ask), &coded(status, code));
    let rows: &[(u16, &str, fn(&Complete) -> bool)] = &[
        (400, "BadCrc64", |it| matches!(it, Complete::IntegrityFailed)),
        (400, "MultipartUploadIncomplete", |it| matches!(it, Complete::Incomplete)),
        (400, "UploadIncomplete", |it| matches!(it, Complete::Incomplete)),
        (404, "UploadIncomplete", |it| matches!(it, Complete::Incomplete)),
        (404, "CosObjectNonexistent", |it| matches!(it, Complete::Incomplete)),
        (409, "SameNameDirectoryOrFileExists", |it| matches!(it, Complete::Conflict)),
        (409, "UploadComplete", |it| matches!(it, Complete::Already)),
        (200, "UploadComplete", |it| matches!(it, Complete::Already)),
    ];
    for (status, code, wanted) in rows {
        let outcome = read(*status, code).unwrap_or_else(|fault| panic!("{code}: {fault:?}"));
        assert!(wanted(&outcome), "{code}: {outcome:?}");
    }
    let faults = [
        (400, "MultipartUploadPartTooSmall", Verdict::Final(Code::PartSizeUnusable)),
        (400, "QuotaLimitReached", Verdict::Ask(Code::QuotaExceeded)),
        (403, "UploadNotBelongYou", Verdict::Ask(Code::PermissionDenied)),
        (404, "UploadNotFound", Verdict::Gone),
        (404, "ConfirmKeyNotFound", Verdict::Gone),
        (404, "DirectoryNotFound", Verdict::Parent),
        (409, "ContentCasConflict", Verdict::Ask(Code::VersionConflict)),
        (451, "SensitiveContentRecognized", Verdict::Final(Code::ContentRefused)),
    ];
    for (status, code, wanted) in faults {
        assert_eq!(verdict(&read(status, code).expect_err("a refusal")), wanted, "{code}");
    }
    let unreadable = smh(target()).read_complete(&session(), &proof(Conflict::Ask), &answer(200, &[], "<html>"));
    assert_eq!(verdict(&unreadable.expect_err("unknown")), Verdict::Retry(Code::AnswerMalformed));
}

#[test]
fn a_failure_inside_a_200_is_one() {
    let read = |body: &str| {
        verdict(&smh(target()).read_sign(&session(), &every(), &answer(200, &[], body)).expect_err("a failure"))
    };
    assert_eq!(read(r#"{"status":1,"code":"InvalidAccessToken"}"#), Verdict::Credential);
    assert_eq!(read(r#"{"status":"503"}"#), Verdict::Retry(Code::ServiceBusy));
    assert_eq!(
        read(r#"{"status":-1,"domain":"d","path":"/p","uploadId":"u","headers":{}}"#),
        Verdict::Final(Code::RequestRefused)
    );
    assert_eq!(read(r#"{"status":0}"#), Verdict::Retry(Code::AnswerMalformed));
}

#[test]
fn retry_after_and_request_ids_are_kept() {
    let headers = [("retry-after", "7"), ("x-cos-request-id", "NWEy-1")];
    let fault = smh(target()).read_put(&answer(503, &headers, ""), &Sent::default()).expect_err("busy");
    assert_eq!(fault.error().retry_after_ms, Some(7_000));
    assert_eq!(fault.error().request_id.as_deref(), Some("NWEy-1"));
    let fault = smh(target()).read_abort(&answer(500, &[("x-smh-request-id", "s-1")], "{}")).expect_err("broken");
    assert_eq!(fault.error().request_id.as_deref(), Some("s-1"));
}

#[test]
fn what_is_there_or_gone_already_is_success() {
    let smh = smh(target());
    assert!(smh.read_create_parent(&coded(409, "SameNameDirectoryOrFileExists")).is_ok());
    assert!(smh.read_create_parent(&answer(201, &[], "{}")).is_ok());
    assert!(smh.read_create_parent(&coded(409, "PathConflict")).is_err());
    assert!(smh.read_create_parent(&answer(200, &[], r#"{"status":1}"#)).is_err());
    for empty in [answer(201, &[], ""), answer(200, &[], " ")] {
        assert!(smh.read_create_parent(&empty).is_ok() && smh.read_abort(&empty).is_ok());
    }
    // A portal in between says 200, or 404, to everything.
    for status in [200, 201, 204, 404] {
        for page in [
            answer(status, &[], "<!DOCTYPE html><p>Sign in"),
            answer(status, &[], "\n<HTML>"),
            answer(status, &[("content-type", "text/html")], ""),
        ] {
            assert_eq!(
                verdict(&smh.read_abort(&page).expect_err("a page")),
                Verdict::Retry(Code::AnswerMalformed),
                "{status}"
            );
            assert_eq!(
                verdict(&smh.read_create_parent(&page).expect_err("a page")),
                Verdict::Retry(Code::AnswerMalformed)
            );
        }
        let text = answer(status, &[], "Sign in");
        assert!(smh.read_create_parent(&text).is_err());
        assert_eq!(smh.read_abort(&text).is_ok(), status == 404);
    }
    assert!(smh.read_abort(&answer(204, &[], "")).is_ok());
    assert!(smh.read_abort(&coded(404, "UploadNotFound")).is_ok());
    assert!(smh.read_abort(&coded(403, "InvalidAccessToken")).is_err());
}
