//! What is uncertain about the real service, or differs between deployments, or is nice to turn off.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::koodrive::KoodriveSwitches;

/// Which of the two wire variants is spoken (smh §0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deployment {
    /// One set of signed headers for all parts.
    Public,
    /// A signature for each part, asked for by number.
    Private,
}

/// Where something is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// By the start calls.
    Start,
    /// By confirm.
    Confirm,
    /// By both.
    Both,
}

impl When {
    pub(crate) fn at_start(self) -> bool {
        self != Self::Confirm
    }

    pub(crate) fn at_confirm(self) -> bool {
        self != Self::Start
    }
}

/// What a second confirm answers (smh §17 row 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmAgain {
    /// 200 with the same body.
    Same,
    /// 409 `UploadComplete`.
    Refuse,
}

/// How the data plane says that a signature is over (smh §17 row 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredAnswer {
    /// 403 `AccessDenied` "Request has expired" (public) or 403 `RequestTimeTooSkewed` (private).
    Auto,
    /// 403 `AccessDenied` "Request has expired".
    RequestHasExpired,
    /// 403 `RequestTimeTooSkewed`.
    RequestTimeTooSkewed,
    /// 400 `ExpiredToken`.
    #[serde(rename = "expired_token_400")]
    ExpiredToken400,
    /// 403 `ExpiredToken`.
    #[serde(rename = "expired_token_403")]
    ExpiredToken403,
}

/// How a value that may come in two JSON types must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Either way.
    Either,
    /// As a string.
    Text,
    /// As a number, or as an array of numbers.
    Numbers,
}

/// Where content is looked for that makes an instant upload (smh §17 row 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstantScope {
    /// In the whole library.
    Library,
    /// In the space that the file is for.
    Space,
}

/// What the service is like. Can be changed while the sandbox runs; the README has the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Public or private deployment.
    pub deployment: Deployment,
    /// How long signed links live.
    pub link_ttl_ms: u64,
    /// How long a task lives that is not confirmed (smh §17 row 4); `None`: for ever.
    pub task_ttl_ms: Option<u64>,
    /// The public deployment refuses `partNumberRange` instead of passing over it (smh §17 row 5).
    pub part_numbers_refused: bool,
    /// How the private deployment wants `partNumberRange` (smh §17 row 6).
    pub part_numbers: Shape,
    /// How the `size` in a body must come (smh §17 row 7).
    pub body_size: Shape,
    /// API calls in a second, beyond which 429 `RateLimitExceeded` is answered (smh §17 row 11).
    pub api_calls_per_s_max: Option<u64>,
    /// Names with an extension are `ExtnameNotAllowed` (smh §17 row 19).
    pub extensions_refused: bool,
    /// Whether newer signatures end older ones (smh §17 row 20).
    pub new_signature_ends_old: bool,
    /// Status of a start that made a task: 201 or 200 (smh §17 row 8).
    pub start_status: u16,
    /// Where a taken name is noticed (smh §17 row 9).
    pub conflict_at: When,
    /// What a second confirm answers.
    pub confirm_again: ConfirmAgain,
    /// Status of `UploadIncomplete`: 404 or 400 (smh §17 row 3).
    pub upload_incomplete_status: u16,
    /// How an over signature is refused.
    pub expired_answer: ExpiredAnswer,
    /// `x-cos-traffic-limit` is always there and is a JSON number (smh §3.2).
    pub numeric_headers: bool,
    /// `uploadPartInfo.path` lacks its leading slash (smh §6).
    pub part_info_path_without_slash: bool,
    /// `size` and `crc64` of file objects are JSON numbers (smh §1.1).
    pub size_as_number: bool,
    /// `availableDomainNum` is a string (smh §17 row 15).
    pub domain_num_as_string: bool,
    /// Get task lists at most so many parts (smh §17 row 18).
    pub list_parts_max: Option<usize>,
    /// Get task leaves these part numbers out.
    pub list_parts_hidden: Vec<u32>,
    /// API errors are HTTP 200 with a `status` that is not 0 (smh §17 row 14).
    pub errors_as_200: bool,
    /// Space of the library; more is `QuotaLimitReached`.
    pub quota_bytes: Option<u64>,
    /// Where space is checked.
    pub quota_at: When,
    /// Least size of a part that is not the last.
    pub part_size_bytes_min: u64,
    /// Most bytes in one data request.
    pub put_size_bytes_max: u64,
    /// Least period of a token (smh §17 row 13).
    pub token_period_s_min: u64,
    /// Whether a token's grants limit what it may do.
    pub grants: bool,
    /// Whether content that is known makes instant uploads.
    pub instant: bool,
    /// Where it is looked for.
    pub instant_scope: InstantScope,
    /// Answers carry no `Date`.
    pub omit_date: bool,
    /// A data request that is refused before its body was read ends in a reset; otherwise the body is drained so that
    /// the client sees the answer.
    pub refusal_resets: bool,
    /// How long the data plane waits for the next byte of a body before it says `RequestTimeout`.
    pub body_timeout_ms: u64,
    /// Bodies are counted and their crc64 computed, but they are not kept; ETags are made from the crc64. For benchmarks.
    pub discard: bool,
    /// What KooDrive is like.
    pub koodrive: KoodriveSwitches,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            deployment: Deployment::Public,
            link_ttl_ms: 600_000,
            task_ttl_ms: None,
            part_numbers_refused: false,
            part_numbers: Shape::Either,
            body_size: Shape::Either,
            api_calls_per_s_max: None,
            extensions_refused: false,
            new_signature_ends_old: false,
            start_status: 201,
            conflict_at: When::Confirm,
            confirm_again: ConfirmAgain::Same,
            upload_incomplete_status: 404,
            expired_answer: ExpiredAnswer::Auto,
            numeric_headers: false,
            part_info_path_without_slash: false,
            size_as_number: false,
            domain_num_as_string: false,
            list_parts_max: None,
            list_parts_hidden: Vec::new(),
            errors_as_200: false,
            quota_bytes: None,
            quota_at: When::Both,
            part_size_bytes_min: 1 << 20,
            put_size_bytes_max: 5 << 30,
            token_period_s_min: 300,
            grants: true,
            instant: true,
            instant_scope: InstantScope::Library,
            omit_date: false,
            refusal_resets: false,
            body_timeout_ms: 60_000,
            discard: false,
            koodrive: KoodriveSwitches::default(),
        }
    }
}

impl Switches {
    /// These switches with the ones that `change` names set.
    ///
    /// # Errors
    /// A sentence on what is wrong, an unknown switch included.
    pub fn changed_by(&self, change: &Value) -> Result<Self, String> {
        if !change.is_object() {
            return Err("switches are a JSON object".to_owned());
        }
        let mut all = serde_json::to_value(self).map_err(|e| e.to_string())?;
        merge(&mut all, change);
        serde_json::from_value(all).map_err(|e| e.to_string())
    }
}

/// Sets what `change` names, inside objects too.
fn merge(all: &mut Value, change: &Value) {
    match (all, change) {
        (Value::Object(all), Value::Object(change)) => {
            for (name, value) in change {
                merge(all.entry(name).or_insert(Value::Null), value);
            }
        }
        (all, change) => *all = change.clone(),
    }
}
