//! A finished object.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::faults::Service;

/// A finished object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredObject {
    /// The sandbox's number for it.
    pub id: u64,
    /// The service that has it.
    pub service: Service,
    /// The space that it is in; a container on KooDrive.
    pub space: String,
    /// Its names from the root of the space, its own last. On KooDrive a folder's name is its id.
    pub path: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// CRC-64/XZ of its bytes; a decimal string in JSON.
    #[serde(with = "decimal")]
    pub crc64: u64,
    /// The service's ETag, with its quotes.
    pub etag: String,
    /// SHA-256 in hex; `None` with `discard`.
    pub sha256: Option<String>,
    /// MD5 in hex; `None` with `discard`.
    pub md5: Option<String>,
    /// SHA-256 of the first MiB (smh §9.1).
    pub beginning_hash: Option<String>,
    /// The chained hash (smh §9.1).
    pub full_hash: Option<String>,
    /// Its content, a plain file; `None` with `discard`.
    pub file: Option<PathBuf>,
    /// When it was first made, in milliseconds since 1970 by the service's clock.
    pub created_ms: i64,
    /// When its present content was made.
    pub modified_ms: i64,
    /// How often it was overwritten.
    pub overwritten: u32,
    /// Counts its contents from 0; its `contentCas` is made from it.
    pub revision: u64,
    /// Whether its content came without an upload.
    pub instant: bool,
    /// Parts that it was made of; 0 for a simple, form or instant upload.
    pub parts: u32,
    /// Media type.
    pub content_type: String,
    /// From `x-smh-meta-*`, without the prefix.
    pub metadata: BTreeMap<String, String>,
    /// Labels.
    pub labels: Vec<String>,
    /// Category.
    pub category: Option<String>,
    /// The client's creation time.
    pub local_creation_time: Option<String>,
    /// The client's modification time.
    pub local_modification_time: Option<String>,
    /// The confirm key of the SMH upload that made it.
    pub confirm_key: Option<String>,
    /// Its KooDrive file id.
    pub file_id: Option<String>,
}

impl StoredObject {
    /// Its last name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

mod decimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
