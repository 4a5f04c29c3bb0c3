//! What a refusal asks of us: the service's and the storage's error tables, by code first, then by status.

use crate::{
    error::Code,
    model::http::Answer,
    service::{
        Fault,
        koodrive::document::Document,
        verdict::{
            Op, SERVICE_STATUSES, Table,
            Verdict::{self, Ask, Credential, Final, Gone, Misdated, Parent, Retry, Stale},
            Words, by_code, by_status,
        },
    },
};

/// What KooDrive and its storage call things (koodrive §5, §9).
pub(super) const WORDS: Words = Words {
    service: "KooDrive",
    requests: |op| match op {
        Op::Begin => "create",
        Op::CreateParent => "the creation of the parent folder",
        Op::Sign => "uploadUrl",
        Op::Put => "a part",
        Op::Inspect | Op::Probe => "detail",
        Op::Complete => "complete",
        Op::Abort => "abort",
    },
    request_id_headers: &["x-request-id", "x-amz-request-id", "x-obs-request-id"],
    storage_codes: STORAGE_CODES,
};

/// The service's codes (koodrive §9). What only complete or detail can be told is read there before this table is asked.
#[rustfmt::skip]
pub(super) const SERVICE_CODES: Table = &[
    (Ask(Code::PermissionDenied), &["13000410"]),
    (Ask(Code::QuotaExceeded), &["13000311"]),
    (Ask(Code::NameConflict), &["13000405"]),
    (Parent, &["13000304", "13000305", "13000404"]),
    // The file that was begun: unknown, elsewhere, thrown away, failed.
    (Gone, &["13000302", "13000306", "13000309", "13000401", "13000402", "13000409", "13000411"]),
    (Final(Code::SpaceNotFound), &["13000301", "13000412"]),
    (Final(Code::NameRefused), &["13000310"]),
    (Retry(Code::ServiceError), &["13000201", "13000403"]),
    // Both spellings of the gateway (koodrive §9).
    (Retry(Code::ServiceBusy), &["APIG.0308", "APIGW.0308"]),
    (Final(Code::RequestRefused), &["13000101", "13000102", "13000303", "13000307", "13000308", "13000312", "13000406", "13000407", "13000408",
        "13000413", "13000414"]),
];

/// At create nothing was begun yet: what is missing is the folder.
pub(super) const CREATE_CODES: Table = &[(Parent, &["13000302", "13000306", "13000309", "13000411"])];

/// The storage's codes (koodrive §5); a 403 is not asked for its code.
#[rustfmt::skip]
pub(super) const STORAGE_CODES: Table = &[
    (Stale, &["AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidAccessKeyId", "ExpiredToken"]),
    (Gone, &["NoSuchUpload"]),
    (Retry(Code::IntegrityFailed), &["BadDigest", "InvalidDigest"]),
    (Retry(Code::Stalled), &["RequestTimeout"]),
    (Retry(Code::ConnectionCut), &["IncompleteBody"]),
    (Retry(Code::ServiceError), &["InternalError"]),
    (Retry(Code::ServiceBusy), &["ServiceUnavailable", "SlowDown"]),
    (Final(Code::RequestRefused), &["EntityTooSmall", "EntityTooLarge", "NoSuchKey", "NoSuchBucket", "MissingContentLength", "InvalidPart", "InvalidPartOrder"]),
];

/// True for a code with a row of its own.
pub(super) fn is_known(code: &str) -> bool {
    by_code(SERVICE_CODES, Some(code)).is_some()
}

/// What the words of a refusal blame: our clock, or who we are.
fn by_words(answer: &Answer, document: &Document) -> Option<Verdict> {
    if !(400..=403).contains(&answer.status) {
        return None;
    }
    match document {
        document if document.says("x-date") => Some(Misdated),
        // A refused credential is documented as a 400 (koodrive §9).
        document if document.says("authentication failed") => Some(Credential),
        _ => None,
    }
}

/// The fault in an answer of the service whose body was read.
pub(super) fn of_document(op: Op, answer: &Answer, document: &Document) -> Fault {
    // A code that says that all went well tells nothing of a failure.
    let word = document.code().filter(|_| document.succeeded() == Some(false));
    let by_op = (op == Op::Begin).then(|| by_code(CREATE_CODES, word)).flatten();
    let by_code = by_op.or_else(|| by_code(SERVICE_CODES, word));
    // A code that says no more than "refused" yields to words, and to a 401, which is a token that ran out (koodrive §9, §13); any other's words may
    // repeat a name that reads like them.
    let vague = Final(Code::RequestRefused);
    let by_words =
        || by_words(answer, document).or(by_code.map(|code| if answer.status == 401 { Credential } else { code }));
    let verdict = by_code.filter(|verdict| *verdict != vague).or_else(by_words);
    let verdict = verdict.unwrap_or_else(|| match answer.status {
        // A failure of an unknown kind may hide inside a 200 (koodrive §9); of what was to be made, and of what is looked up, it tells nothing.
        200..=299 if matches!(op, Op::Complete | Op::Inspect) => Retry(Code::ServiceError),
        200..=299 => vague,
        _ => by_status(SERVICE_STATUSES, answer, word),
    });
    WORDS.fault(verdict, op, answer, word, [])
}

/// What the service has no request for (koodrive §7).
pub(super) fn not_offered(op: Op, answer: &Answer) -> Fault {
    let detail = format!("KooDrive does not offer {}", (WORDS.requests)(op));
    WORDS.fault_as(Final(Code::Unsupported), op, answer, detail)
}
