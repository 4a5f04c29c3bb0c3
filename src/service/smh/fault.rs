//! What a refusal asks of us: the service's and the storage's error tables, by code first, then by status.

use crate::{
    error::{Code, ErrorInfo},
    model::http::Answer,
    redact,
    service::{
        Fault, json,
        smh::document::Document,
        verdict::{
            SERVICE_STATUSES, STORAGE_STATUSES, Table,
            Verdict::{self, Ask, Credential, Final, Gone, Parent, Retry, Stale},
            by_code, by_status,
        },
        xml,
    },
};

/// Which request was answered, for the error's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Begin,
    CreateParent,
    Sign,
    Put,
    Inspect,
    Probe,
    Complete,
    Abort,
}

impl Op {
    fn name(self) -> &'static str {
        match self {
            Op::Begin => "begin",
            Op::CreateParent => "the creation of the parent directory",
            Op::Sign => "renew",
            Op::Put => "a part",
            Op::Inspect => "inspect",
            Op::Probe => "probe",
            Op::Complete => "complete",
            Op::Abort => "abort",
        }
    }
}

/// The service's codes (smh §7.5, §11.2). What only complete can be told is read there before this table is asked.
#[rustfmt::skip]
pub(super) const SERVICE_CODES: Table = &[
    // smh §10: only this one is cured by a new token; an empty one is ours to replace as well.
    (Credential, &["InvalidAccessToken", "EmptyAccessToken"]),
    (Ask(Code::PermissionDenied), &["AccessTokenNotMatchSpace", "AccessTokenNotMatchLibrary", "AccessTokenVersionNotMatch", "NoPermission",
        "UploadNotBelongYou", "ReadForbidden", "WriteForbidden"]),
    (Ask(Code::QuotaExceeded), &["QuotaLimitReached", "LibraryQuotaLimitReached", "NoEnoughRemainingTrafficQuota", "FileRemovedByQuota"]),
    // smh §3.4: the name may be found taken at begin as well. A file that others edit is answered like one that is taken.
    (Ask(Code::NameConflict), &["SameNameDirectoryOrFileExists", "TargetBeingCoEdited"]),
    (Ask(Code::VersionConflict), &["ContentCasConflict"]),
    (Parent, &["DirectoryNotFound", "PathNotFound"]),
    // UploadComplete outside of complete: the object exists, and only an inspection says which.
    (Gone, &["UploadNotFound", "ConfirmKeyNotFound", "CosObjectNonexistent", "NotMultipartUpload", "UploadComplete"]),
    (Final(Code::SpaceNotFound), &["LibraryNotFound", "SpaceNotFound", "WrongLibraryIdOrSecret", "EmptyLibraryIdOrSecret", "EmptyLibraryId",
        "EmptySpaceId", "SpaceIdInvalid", "NotMultiSpaceLibrary", "SpaceBanned"]),
    (Final(Code::PaymentRequired), &["LibraryServiceExpired", "LibraryServiceTimeExpired"]),
    (Final(Code::NameRefused), &["EmptyPath", "EmptyFileName", "IllegalFileName", "FileNameLengthExceed", "DirectoryNameLengthExceed",
        "DirectoryNameNotAvailable", "DirectoryNotAllowed", "DirectoryLevelExceed", "ExtnameNotAllowed", "UploadToRootDirectoryNotAllowed",
        "RootDirectoryNotAllowed", "PathConflict", "RenameTooManyTimes", "OverwriteFileNotAllowed", "URITooLong"]),
    (Final(Code::ContentRefused), &["SensitiveContentRecognized", "FileTypeNotMatched"]),
    (Final(Code::PartSizeUnusable), &["MultipartUploadPartTooSmall"]),
    (Final(Code::IntegrityFailed), &["BadCrc64"]),
    (Retry(Code::PartsMissing), &["UploadIncomplete", "MultipartUploadIncomplete"]),
    (Retry(Code::ConnectionCut), &["IncompleteBody"]),
    (Retry(Code::ServiceBusy), &["RateLimitExceeded", "ServerOverloaded"]),
    (Retry(Code::ServiceError), &["ReadRequestTimeout", "ClientDisconnected", "InternalServerError", "RequestTimeout", "LibraryInitializing"]),
    (Final(Code::RequestRefused), &["EmptyLibrarySecret", "BadRequest", "ParamInvalid", "EmptyCosUploadId", "InvalidConflictResolutionStrategy",
        "InvalidTimeFormat", "CoverNotSupportedInFileLibrary", "CoverNotSupportedInRootDirectory", "InvalidSourceDirectory", "InvalidSourceFile",
        "UserIdLengthExceed", "ClientIdLengthExceed", "FileNotFound", "SourceDirectoryNotFound", "SourceFileNotFound", "RouteNotFound", "NoQuota",
        "QuotaNotFound", "DuplicateQuota", "CircleSymlink", "RequestEntityTooLarge", "HeaderFieldsTooLarge"]),
];

/// The storage's codes (smh §4.4); a 403 is not asked for its code.
#[rustfmt::skip]
pub(super) const STORAGE_CODES: Table = &[
    (Stale, &["AccessDenied", "RequestTimeTooSkewed", "ExpiredToken", "SignatureDoesNotMatch", "InvalidAccessKeyId", "InvalidSecurity",
        "AccessForbidden"]),
    (Final(Code::PaymentRequired), &["PaymentRequired"]),
    // A bucket that is gone takes its tasks with it; a new task names another.
    (Gone, &["NoSuchUpload", "NoSuchBucket"]),
    (Retry(Code::IntegrityFailed), &["BadDigest", "InvalidDigest"]),
    // The old tables' spellings are still met (smh §4.4).
    (Retry(Code::Stalled), &["RequestTimeout", "RequestTimeOut", "UserNetworkTooSlow"]),
    (Retry(Code::ConnectionCut), &["IncompleteBody", "ImcompleteBody", "EntitySizeNotMatch"]),
    (Final(Code::PartSizeUnusable), &["EntityTooLarge", "EntityTooSmall"]),
    (Final(Code::ContentRefused), &["UnavailableForLegalReasons"]),
    (Retry(Code::ServiceError), &["UploadConflict", "InternalError"]),
    (Retry(Code::ServiceBusy), &["SlowDown", "ServiceUnavailable"]),
    (Retry(Code::RedirectRefused), &["PermanentRedirect", "TemporaryRedirect"]),
    (Final(Code::RequestRefused), &["InvalidArgument", "InvalidPart", "InvalidURI", "KeyTooLong", "InvalidUploadStatus", "PathConflict",
        "InvalidObjectState", "ObjectLocked", "MissingContentLength", "PreconditionFailed", "NotImplemented", "MalformedPOSTRequest",
        "IncorrectNumberOfFilesInPostRequest", "InvalidPolicyDocument", "MaxPostPreDataLengthExceededError"]),
];

/// Where a request id may stand (smh §11.1).
const REQUEST_ID_HEADERS: &[&str] = &["x-request-id", "x-smh-request-id", "x-cos-request-id"];

/// The service's id of the request: from the headers, or else what the body says.
pub(super) fn request_id<'a>(answer: &'a Answer, body: impl IntoIterator<Item = &'a str>) -> Option<String> {
    REQUEST_ID_HEADERS.iter().filter_map(|name| answer.header(name)).chain(body).find_map(redact::label)
}

/// The error of an answer: our own words, and what of the service's may be shown.
fn error_of(verdict: Verdict, op: Op, answer: &Answer, word: Option<&str>, request_id: Option<String>) -> ErrorInfo {
    let who = if op == Op::Put { "the storage" } else { "SMH" };
    ErrorInfo {
        code: verdict.code(),
        detail: format!("{who} answered {} to {}", answer.status, op.name()),
        http_status: Some(answer.status),
        service_code: word.and_then(redact::label),
        request_id,
        retry_after_ms: answer.retry_after_ms(),
    }
}

/// The fault in an answer of the service whose body was read.
pub(super) fn of_document(op: Op, answer: &Answer, document: &Document) -> Fault {
    let word = document.code.text();
    let ids = [&document.request_id, &document.smh_request_id].into_iter().filter_map(|id| id.text());
    let by_status = match (answer.status, document.status.i64()) {
        // A private deployment may say a failure inside a 200 (smh §11.1): its own number then stands for the status.
        (200..=299, Some(inner)) if inner != 0 => match u16::try_from(inner) {
            Ok(status @ 400..=599) => by_status(SERVICE_STATUSES, status),
            _ => Final(Code::RequestRefused),
        },
        (200..=299, _) if word.is_some() => Final(Code::RequestRefused),
        (status, _) => by_status(SERVICE_STATUSES, status),
    };
    let verdict = by_code(SERVICE_CODES, word).unwrap_or(by_status);
    verdict.of(error_of(verdict, op, answer, word, request_id(answer, ids)))
}

/// The fault in an answer of the service.
pub(super) fn of_service(op: Op, answer: &Answer) -> Fault {
    of_document(op, answer, &json::read(&answer.body).unwrap_or_default())
}

/// The fault in an answer of the storage.
pub(super) fn of_storage(answer: &Answer) -> Fault {
    let error = xml::read(&answer.body);
    let word = error.code.as_deref();
    let by_status = by_status(STORAGE_STATUSES, answer.status);
    // Any 403 is answered by one more renewal, whatever its words (smh §4.4).
    let verdict = if answer.status == 403 { by_status } else { by_code(STORAGE_CODES, word).unwrap_or(by_status) };
    verdict.of(error_of(verdict, Op::Put, answer, word, request_id(answer, error.request_id.as_deref())))
}

/// An answer that is not what the protocol says. `why` is ours.
pub(super) fn malformed(op: Op, answer: &Answer, why: &str) -> Fault {
    let verdict = Retry(Code::AnswerMalformed);
    let mut error = error_of(verdict, op, answer, None, request_id(answer, []));
    error.detail = format!("the answer to {} can't be used: {why}", op.name());
    verdict.of(error)
}

/// Bytes that arrived as others.
pub(super) fn damaged(answer: &Answer) -> Fault {
    let verdict = Retry(Code::IntegrityFailed);
    let mut error = error_of(verdict, Op::Put, answer, None, request_id(answer, []));
    "the storage's checksum of a part is not that of the bytes sent".clone_into(&mut error.detail);
    verdict.of(error)
}
