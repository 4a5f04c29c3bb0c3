//! What of an SMH task is journalled: the handle and how it was made. Not the upload id, not a header, not a URL: those come from renew and inspect
//! (smh §15) and would be worth stealing.

use serde::Serialize;

use crate::{
    from_json::{FromJson, from_json},
    model::SmhMode,
    service::{Session, smh::learnt::Numbers},
};

/// How the bytes of a task travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Parts (smh §3.2).
    #[default]
    Multipart,
    /// One PUT (smh §2).
    Simple,
    /// One form POST (smh §3.1).
    Form,
}

from_json!(enum Mode { "multipart" = Multipart, "simple" = Simple, "form" = Form });

impl Mode {
    /// What suits a cut. `parts_total` is that of the whole file.
    pub(super) fn of(wanted: SmhMode, parts_total: u32) -> Mode {
        match wanted {
            SmhMode::Simple => Mode::Simple,
            SmhMode::Form => Mode::Form,
            SmhMode::Auto if parts_total == 1 => Mode::Simple,
            SmhMode::Auto | SmhMode::Multipart => Mode::Multipart,
        }
    }
}

/// How the service signs (smh §0.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deployment {
    /// One set of headers for all parts.
    Public,
    /// A set for each part.
    Private,
}

from_json!(enum Deployment { "public" = Public, "private" = Private });

/// The journalled form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Task {
    /// The handle of renew, inspect, complete and abort (smh §2).
    pub(super) confirm_key: String,
    pub(super) mode: Mode,
    /// What an answer showed, once one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deployment: Option<Deployment>,
    /// How part numbers were said when they were understood.
    #[serde(skip_serializing_if = "Numbers::is_text")]
    pub(super) numbers: Numbers,
}

from_json!(struct Task { confirm_key, mode = default, deployment, numbers = default });

impl Task {
    /// One that something else began; only parts can be gone on with.
    pub(super) fn adopted(confirm_key: &str) -> Task {
        Task { confirm_key: confirm_key.to_owned(), mode: Mode::Multipart, deployment: None, numbers: Numbers::Text }
    }

    pub(super) fn to_session(&self) -> Session {
        // A struct of two words and a text always becomes a value.
        Session(serde_json::to_value(self).unwrap_or_default())
    }

    /// Reads the journalled form. One that can't be read names a task that no service has: it is answered like any forgotten one.
    pub(super) fn of(session: &Session) -> Task {
        Task::from_json(session.0.clone())
            .filter(|task| is_confirm_key(&task.confirm_key))
            .unwrap_or_else(|| Task::adopted("unreadable-session"))
    }
}

/// True for what can be a path segment on its own; a documented key is 64 hex digits (smh §16).
pub(super) fn is_confirm_key(key: &str) -> bool {
    (1..=512).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) && key != "." && key != ".."
}
