//! The tables of errors: of each service (smh §11, koodrive §9) and of its storage (smh §4.4, koodrive §5). Without a code it is the page of something in
//! between.

pub type Table = &'static [(u16, &'static str)];

/// A service's words when it refuses, and its storage's.
pub struct Refusals {
    /// What passes by itself.
    pub passing: Table,
    /// What a person mends.
    pub stuck: Table,
    /// The session is gone, or so it says.
    pub gone: Table,
    /// Nothing helps.
    pub last: Table,
    /// What was put together is not what was sent.
    pub integrity: (u16, &'static str),
    pub storage_passing: Table,
    pub storage_stale: Table,
    pub storage_gone: Table,
    pub storage_last: Table,
}

pub const SMH: Refusals = Refusals {
    passing: &[
        (408, "ReadRequestTimeout"),
        (429, "RateLimitExceeded"),
        (499, "ClientDisconnected"),
        (500, "InternalServerError"),
        (502, ""),
        (503, "ServerOverloaded"),
        (503, "RequestTimeout"),
        (504, ""),
        (302, ""),
        (400, ""),
        (404, ""),
        (405, ""),
        (421, ""),
        (503, "LibraryInitializing"),
    ],
    stuck: &[
        (403, "NoPermission"),
        (403, "AccessTokenNotMatchSpace"),
        (403, "WriteForbidden"),
        (400, "QuotaLimitReached"),
        (400, "LibraryQuotaLimitReached"),
        (403, "InvalidAccessToken"),
        (401, ""),
    ],
    gone: &[(404, "UploadNotFound"), (404, "ConfirmKeyNotFound"), (404, "NotMultipartUpload")],
    last: &[
        (400, "ParamInvalid"),
        (400, "IllegalFileName"),
        (402, ""),
        (403, "LibraryServiceExpired"),
        (404, "LibraryNotFound"),
        (404, "SpaceNotFound"),
        (451, "SensitiveContentRecognized"),
        (400, "MultipartUploadPartTooSmall"),
        (414, "URITooLong"),
    ],
    integrity: (400, "BadCrc64"),
    storage_passing: &[
        (400, "RequestTimeout"),
        (400, "UserNetworkTooSlow"),
        (400, "IncompleteBody"),
        (400, "EntitySizeNotMatch"),
        (400, "BadDigest"),
        (409, "UploadConflict"),
        (500, "InternalError"),
        (503, "SlowDown"),
        (503, "ServiceUnavailable"),
        (307, "TemporaryRedirect"),
        (400, ""),
        (404, ""),
        (421, ""),
    ],
    storage_stale: &[
        (400, "ExpiredToken"),
        (403, "ExpiredToken"),
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (403, "InvalidAccessKeyId"),
        (403, "RequestTimeTooSkewed"),
    ],
    storage_gone: &[(404, "NoSuchUpload"), (404, "NoSuchBucket")],
    storage_last: &[
        (400, "EntityTooLarge"),
        (402, "PaymentRequired"),
        (400, "InvalidArgument"),
        (412, "PreconditionFailed"),
        (451, "UnavailableForLegalReasons"),
        (501, "NotImplemented"),
    ],
};

pub const KOODRIVE: Refusals = Refusals {
    passing: &[
        (500, "13000201"),
        (400, "13000201"),
        (200, "13000403"),
        (429, "APIG.0308"),
        (503, "APIGW.0308"),
        (500, ""),
        (502, ""),
        (503, ""),
        (504, ""),
        (408, ""),
        (400, ""),
        (404, ""),
        (405, ""),
        (421, ""),
    ],
    stuck: &[(400, "13000410"), (200, "13000311"), (400, "13000311"), (401, "")],
    gone: &[(400, "13000401"), (200, "13000401"), (400, "13000302"), (400, "13000411")],
    last: &[(400, "13000101"), (400, "13000102"), (400, "13000301"), (200, "13000412"), (400, "13000310")],
    integrity: (400, "13000402"),
    storage_passing: &[
        (400, "RequestTimeout"),
        (400, "IncompleteBody"),
        (400, "BadDigest"),
        (500, "InternalError"),
        (503, "SlowDown"),
        (503, "ServiceUnavailable"),
        (400, ""),
        (404, ""),
        (421, ""),
    ],
    storage_stale: &[(403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "RequestTimeTooSkewed")],
    storage_gone: &[(404, "NoSuchUpload")],
    storage_last: &[(400, "EntityTooLarge"), (404, "NoSuchKey")],
};
