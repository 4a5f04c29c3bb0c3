//! The small choices of an upload.

use serde::{Deserialize, Serialize};

/// What to do when the name is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Wait for an answer ([`ConflictChoice`]); bytes are not sent again.
    Ask,
    /// Take another name.
    #[default]
    Rename,
    /// Replace the file.
    Overwrite {
        /// Only if it is still this version (SMH: the content CAS tag).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        if_version: Option<String>,
    },
    /// Refuse.
    Refuse,
    /// Keep what is there if it has the same content, else take another name.
    KeepIfSame,
}

/// A person's answer to a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictChoice {
    /// Take another name.
    Rename,
    /// Replace the file.
    Overwrite,
    /// Keep what is there if it has the same content.
    KeepIfSame,
    /// Cancel the upload.
    Cancel,
}

/// What to do when the source's **bytes** changed since the upload began. A changed identity alone means: prove again, keep what is equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Wait for the old bytes, or for another policy; what was sent is kept.
    #[default]
    Fail,
    /// Begin over with the new bytes.
    Restart,
}

/// Whether to try to have the service recognise the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstantMode {
    /// Hash first only when that is quick.
    #[default]
    Auto,
    /// Hash first if a hit needs it.
    Always,
    /// Never.
    Off,
}
