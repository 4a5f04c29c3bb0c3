//! The small choices of an upload.

use serde::Serialize;
use serde_json::Value;

use crate::from_json::{FromJson, field, from_json, object, variant};

/// What to do when the name is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
        #[serde(skip_serializing_if = "Option::is_none")]
        if_version: Option<String>,
    },
    /// Make nothing beside or over what is there: the upload waits for an answer, as with [`Ask`](Conflict::Ask). The services' own words for the two differ.
    Refuse,
    /// Keep what is there if it has the same content, else take another name. All is hashed before the begin (KooDrive); not with
    /// [`InstantMode::Off`].
    KeepIfSame,
}

impl FromJson for Conflict {
    fn from_json(value: Value) -> Option<Self> {
        let (word, held) = variant(value)?;
        Some(match word.as_str() {
            "ask" => Conflict::Ask,
            "rename" => Conflict::Rename,
            "overwrite" => Conflict::Overwrite { if_version: field(&mut object(held)?, "if_version")? },
            "refuse" => Conflict::Refuse,
            "keep_if_same" => Conflict::KeepIfSame,
            _ => return None,
        })
    }
}

from_json!(serde Conflict);

/// A person's answer to a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

from_json!(enum ConflictChoice {
    "rename" = Rename, "overwrite" = Overwrite, "keep_if_same" = KeepIfSame, "cancel" = Cancel
});

/// What to do when the source's **bytes** changed since the upload began. A changed identity alone means: prove again, keep what is equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Wait for the old bytes, or for another policy; what was sent is kept.
    #[default]
    Fail,
    /// Begin over with the new bytes.
    Restart,
}

from_json!(enum OnChange { "fail" = Fail, "restart" = Restart });

/// Whether to try to have the service recognise the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

from_json!(enum InstantMode { "auto" = Auto, "always" = Always, "off" = Off });
