//! What exists at the end.

use serde::Serialize;

use crate::from_json::from_json;

/// The finished object, as the service told it.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
// Our own unit tests compare all of it.
#[cfg_attr(test, derive(Debug))]
pub struct Receipt {
    /// Its final name, after conflict handling.
    pub name: String,
    /// Its final path, name included; `None` when the service gives none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<String>>,
    /// The service's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// CRC-64/XZ of the content, decimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64: Option<String>,
    /// The version to name in a later `Overwrite { if_version }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The service had the content already.
    pub instant: bool,
    /// A file of the same name was replaced.
    pub overwritten: bool,
    /// The service's id of the request that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The service's own last answer, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_json: Option<String>,
}

from_json!(struct Receipt {
    name, path, file_id, size_bytes, sha256, crc64, version, instant, overwritten, request_id, service_json
});

/// Names and paths are a person's own: not printed.
#[cfg(not(test))]
impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt")
            .field("size_bytes", &self.size_bytes)
            .field("crc64", &self.crc64)
            .field("instant", &self.instant)
            .field("overwritten", &self.overwritten)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}
