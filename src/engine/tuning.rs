//! What may be changed of an upload under way and needs no more than to be known.

use serde::Serialize;

use super::record::UploadRecord;
use crate::{from_json::from_json, model::NetworkPolicy};

/// Only what is given holds from here on; the rest stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tuning {
    /// Higher first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i8>,
    /// Which networks it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkPolicy>,
    /// Body bytes a second; 0: no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_bytes_per_s: Option<u64>,
    /// At most so many parts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_parts: Option<u32>,
}

from_json!(struct Tuning { priority, network, rate_bytes_per_s, parallel_parts });

impl Tuning {
    /// True when nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Tuning::default()
    }

    /// What it makes of an upload.
    pub(super) fn apply_to(&self, upload: &mut UploadRecord) {
        upload.priority = self.priority.unwrap_or(upload.priority);
        upload.network = self.network.unwrap_or(upload.network);
        upload.rate_bytes_per_s = self.rate_bytes_per_s.or(upload.rate_bytes_per_s);
        upload.parallel_parts = self.parallel_parts.or(upload.parallel_parts);
    }
}
