//! What is uncertain about KooDrive, or is nice to turn off.

use serde::{Deserialize, Serialize};

use crate::switches::{ConfirmAgain, When};

/// How a request without a valid token or signature is refused (koodrive §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthRefusal {
    /// 401 in the shape of the gateway: `error_code`, `error_msg`.
    Gateway,
    /// 401 with `code` 13000101.
    #[serde(rename = "business_401")]
    Business401,
    /// 400 with `code` 13000101.
    #[serde(rename = "business_400")]
    Business400,
}

/// What detail answers about a file that is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnfinishedDetail {
    /// 13000309.
    Absent,
    /// What create declared, and a `state`.
    Declared,
}

/// How create wants its times (koodrive §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// Either way.
    Any,
    /// `2023-08-18T05:43:49Z`, as in China.
    Iso,
    /// `2023-08-18 05:43:49`, as on carrier pages.
    Blank,
}

/// What KooDrive is like. Can be changed while the sandbox runs; the README has the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KoodriveSwitches {
    /// How long upload links live.
    pub url_ttl_ms: u64,
    /// A link takes one request (koodrive §14 row 9).
    pub single_use_urls: bool,
    /// Parts come back in another order than they were asked for.
    pub shuffle_parts: bool,
    /// Most parts in one call (koodrive §14 row 6).
    pub parts_per_call_max: usize,
    /// Least size of a part that is not the last.
    pub part_size_bytes_min: u64,
    /// A part may be asked for again with another size, offset or context (koodrive §14 row 8).
    pub replan: bool,
    /// A part without context must follow those before it.
    pub serial_in_order: bool,
    /// A context that does not fit is noticed by PUT: 400 `BadDigest` (koodrive §14 row 7).
    pub digest_at_put: bool,
    /// `code` is a JSON string.
    pub code_as_string: bool,
    /// Business errors are HTTP 200 (koodrive §14 row 12).
    pub errors_as_200: bool,
    /// How a missing or wrong credential is refused.
    pub auth_refusal: AuthRefusal,
    /// A token that is not used for so long is over; `None`: never.
    pub token_idle_ms: Option<u64>,
    /// `X-User-Id` and `X-Date` are needed beside a token too (koodrive §2).
    pub headers_required: bool,
    /// `X-Date` beside a token is checked.
    pub check_date: bool,
    /// Create needs `containerId` (koodrive §14 row 2).
    pub container_required: bool,
    /// Most characters in `fileName`: 250, or 80 in older texts.
    pub name_chars_max: usize,
    /// How times are written.
    pub time_form: TimeForm,
    /// An empty file may have a part, of no bytes (koodrive §14 row 16).
    pub empty_parts: bool,
    /// Names of unfinished files are taken.
    pub unfinished_names_taken: bool,
    /// Whether content that is known makes flash uploads.
    pub instant: bool,
    /// A wrong or missing `proofCode` is 13000102 and not a miss.
    pub proof_strict: bool,
    /// Space of the container; more is 13000311.
    pub quota_bytes: Option<u64>,
    /// Where space is checked.
    pub quota_at: When,
    /// So many completes of each upload answer 13000403 first.
    pub change_state_failures: u32,
    /// An upload is over once complete found its content wrong.
    pub integrity_failure_ends_upload: bool,
    /// What a second complete answers: success, or 13000401 (koodrive §14 row 10).
    pub complete_again: ConfirmAgain,
    /// What detail answers about a file that is not complete.
    pub unfinished_detail: UnfinishedDetail,
}

impl Default for KoodriveSwitches {
    fn default() -> Self {
        Self {
            url_ttl_ms: 3_600_000,
            single_use_urls: false,
            shuffle_parts: true,
            parts_per_call_max: 100,
            part_size_bytes_min: 5 << 20,
            replan: false,
            serial_in_order: true,
            digest_at_put: false,
            code_as_string: false,
            errors_as_200: false,
            auth_refusal: AuthRefusal::Gateway,
            token_idle_ms: Some(1_200_000),
            headers_required: false,
            check_date: true,
            container_required: true,
            name_chars_max: 250,
            time_form: TimeForm::Any,
            empty_parts: true,
            unfinished_names_taken: false,
            instant: true,
            proof_strict: false,
            quota_bytes: None,
            quota_at: When::Start,
            change_state_failures: 0,
            integrity_failure_ends_upload: false,
            complete_again: ConfirmAgain::Refuse,
            unfinished_detail: UnfinishedDetail::Absent,
        }
    }
}
