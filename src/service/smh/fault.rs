//! What a refusal asks of us: the service's and the storage's error tables, by code first, then by status.

use crate::{
    error::Code,
    model::http::Answer,
    service::{
        Fault, json,
        smh::document::Document,
        verdict::{
            Op, SERVICE_STATUSES, Table,
            Verdict::{Ask, Credential, Final, Gone, Parent, Retry, Stale},
            Words, by_code, by_status, row,
        },
    },
};

/// What SMH and its storage call things (smh §4.4, §11.1).
pub(super) const WORDS: Words = Words {
    service: "SMH",
    requests: |op| match op {
        Op::Begin => "begin",
        Op::CreateParent => "the creation of the parent directory",
        Op::Sign => "renew",
        Op::Put => "a part",
        Op::Inspect => "inspect",
        Op::Probe => "probe",
        Op::Complete => "complete",
        Op::Abort => "abort",
    },
    request_id_headers: &["x-request-id", "x-smh-request-id", "x-cos-request-id"],
    storage_codes: STORAGE_CODES,
};

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
    (Final(Code::ContentRefused), &["UnavailableForLegalReasons"]),
    (Retry(Code::ServiceError), &["UploadConflict", "InternalError"]),
    (Retry(Code::ServiceBusy), &["SlowDown", "ServiceUnavailable"]),
    (Retry(Code::RedirectRefused), &["PermanentRedirect", "TemporaryRedirect"]),
    (Final(Code::RequestRefused), &["EntityTooLarge", "EntityTooSmall", "InvalidArgument", "InvalidPart", "InvalidURI", "KeyTooLong",
        "InvalidUploadStatus", "PathConflict", "InvalidObjectState", "ObjectLocked", "MissingContentLength", "PreconditionFailed", "NotImplemented", "MalformedPOSTRequest",
        "IncorrectNumberOfFilesInPostRequest", "InvalidPolicyDocument", "MaxPostPreDataLengthExceededError"]),
];

/// The fault in an answer of the service whose body was read.
pub(super) fn of_document(op: Op, answer: &Answer, document: &Document) -> Fault {
    let word = document.code.text();
    let ids = [&document.request_id, &document.smh_request_id].into_iter().filter_map(|id| id.text());
    let by_status = || match (answer.status, document.status.i64()) {
        // A private deployment may say a failure inside a 200 (smh §11.1): its own number then stands for the status.
        (200..=299, Some(inner)) if inner != 0 => match u16::try_from(inner) {
            Ok(status @ 400..=599) => row(SERVICE_STATUSES, status),
            _ => Final(Code::RequestRefused),
        },
        (200..=299, _) if word.is_some() => Final(Code::RequestRefused),
        _ => by_status(SERVICE_STATUSES, answer, word),
    };
    WORDS.fault(by_code(SERVICE_CODES, word).unwrap_or_else(by_status), op, answer, word, ids)
}

/// The fault in an answer of the service.
pub(super) fn of_service(op: Op, answer: &Answer) -> Fault {
    of_document(op, answer, &json::read(&answer.body).unwrap_or_default())
}

/// A refusal without a body to say why.
pub(super) fn without_words(answer: &Answer) -> Fault {
    WORDS.fault(Credential, Op::Probe, answer, None, [])
}

/// Bytes that arrived as others.
pub(super) fn damaged(answer: &Answer) -> Fault {
    let detail = "the storage's checksum of a part is not that of the bytes sent".to_owned();
    WORDS.fault_as(Retry(Code::IntegrityFailed), Op::Put, answer, detail)
}
