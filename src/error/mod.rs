//! What went wrong, said once: a stable number for programs, a remedy for people, a detail for developers.

mod code;

pub use code::{Category, Code, Disposition, Remedy};

use crate::from_json::from_json;

/// One error as the host sees it. It holds no secret, path, URL or user name: every text in it is ours, or passed [`crate::redact::label`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ErrorInfo {
    /// The stable number (1001-9xxx); see [`Code`].
    pub code: Code,
    /// For developers: what happened, in one sentence.
    pub detail: String,
    /// The HTTP status behind it, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The service's own word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
    /// The service's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When the service asked to come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

from_json!(struct ErrorInfo { code, detail, http_status, service_code, request_id, retry_after_ms });

impl ErrorInfo {
    /// An error of our own making.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            http_status: None,
            service_code: None,
            request_id: None,
            retry_after_ms: None,
        }
    }

    /// The stable name, such as `quota_exceeded`.
    pub fn name(&self) -> &'static str {
        self.code.name()
    }

    /// Which part of the world it comes from.
    pub fn category(&self) -> Category {
        self.code.category()
    }

    /// What a program should do.
    pub fn disposition(&self) -> Disposition {
        self.code.disposition()
    }

    /// What a person should do: a closed list of translation keys.
    pub fn remedy(&self) -> Remedy {
        self.code.remedy()
    }

    /// One line for a log: number, name, status, the service's word and its request id.
    pub fn log_line(&self) -> String {
        let mut line = format!("PW-{} {}", self.code.number(), self.name());
        if let Some(status) = self.http_status {
            line += &format!(" http={status}");
        }
        if let Some(word) = &self.service_code {
            line += &format!(" service={word}");
        }
        if let Some(id) = &self.request_id {
            line += &format!(" request={id}");
        }
        line
    }
}

impl std::fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.log_line(), self.detail)
    }
}

impl std::error::Error for ErrorInfo {}
