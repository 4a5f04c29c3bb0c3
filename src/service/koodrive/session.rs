//! What of a KooDrive upload is journalled: the file's id, its name and space. Not the storage's upload id, not a URL.

use serde::Serialize;

use crate::{
    from_json::{FromJson, from_json},
    service::Session,
};

/// The journalled form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Upload {
    /// The handle of sign, inspect and complete (koodrive §3.2).
    pub(super) file_id: String,
    /// The final name: another one than was asked for when that was taken (koodrive §3.2). No later answer repeats it.
    pub(super) file_name: String,
    /// The space that the service named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) container_id: Option<String>,
    /// Create declared the digest: detail may show it while the file is unfinished.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) declared: bool,
}

from_json!(struct Upload { file_id, file_name, container_id, declared = default });

impl Upload {
    pub(super) fn to_session(&self) -> Session {
        // A struct of texts always becomes a value.
        Session(serde_json::to_value(self).unwrap_or_default())
    }

    /// Reads the journalled form. One that can't be read names a file that no service has: it is answered like any forgotten one.
    pub(super) fn of(session: &Session) -> Upload {
        Upload::from_json(session.0.clone()).filter(|upload| is_file_id(&upload.file_id)).unwrap_or_else(|| Upload {
            file_id: "unreadable-session".to_owned(),
            file_name: String::new(),
            container_id: None,
            declared: false,
        })
    }
}

/// True for what can be a path segment on its own; a documented id is `F` and 32 letters and digits (koodrive §3.2).
pub(super) fn is_file_id(id: &str) -> bool {
    (1..=256).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}
