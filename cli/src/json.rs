//! What scripts read: the shapes of the lines.

use partway::{
    client::Snapshot,
    engine::{Progress, State, Waiting},
    error::ErrorInfo,
    model::Receipt,
};
use serde::Serialize;

/// `{"event":"state",…}`
#[derive(Debug, Serialize)]
pub(crate) struct StateLine<'a> {
    event: &'static str,
    id: &'a str,
    state: &'static str,
    reason: Option<&'static str>,
}

impl<'a> StateLine<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let (state, reason) = state_words(&snapshot.state);
        StateLine { event: "state", id: &snapshot.id, state, reason }
    }
}

/// `{"event":"progress",…}`
#[derive(Debug, Serialize)]
pub(crate) struct ProgressLine<'a> {
    event: &'static str,
    id: &'a str,
    bytes_total: u64,
    bytes_acknowledged: u64,
    bytes_sent: u64,
}

impl<'a> ProgressLine<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let Progress { bytes_total, bytes_acknowledged, bytes_sent, .. } = snapshot.progress;
        ProgressLine { event: "progress", id: &snapshot.id, bytes_total, bytes_acknowledged, bytes_sent }
    }
}

/// How an upload's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Completed,
    Failed,
    Cancelled,
    Interrupted,
}

/// `{"event":"finished",…}`
#[derive(Debug, Serialize)]
pub(crate) struct FinishedLine<'a> {
    event: &'static str,
    id: Option<&'a str>,
    outcome: Outcome,
    resumable: bool,
    instant: bool,
    bytes_total: u64,
    bytes_sent: u64,
    bytes_resent: u64,
    requests: u64,
    retries: u64,
    receipt: Option<ReceiptObject<'a>>,
    error: Option<ErrorObject<'a>>,
}

impl<'a> FinishedLine<'a> {
    pub(crate) fn new(finished: &'a Finished) -> Self {
        let receipt = finished.receipt.as_ref();
        let progress = finished.progress;
        FinishedLine {
            event: "finished",
            id: finished.id.as_deref(),
            outcome: finished.outcome,
            resumable: finished.resumable,
            instant: receipt.is_some_and(|receipt| receipt.instant),
            bytes_total: receipt.map_or(progress.bytes_total, |receipt| progress.bytes_total.max(receipt.size_bytes)),
            bytes_sent: progress.bytes_sent,
            bytes_resent: progress.bytes_resent,
            requests: progress.requests,
            retries: progress.retries,
            receipt: receipt.map(ReceiptObject::new),
            error: finished.error.as_ref().map(ErrorObject::new),
        }
    }
}

/// How an upload's run ended, for both forms of output.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// `None` when there is no upload to speak of.
    pub(crate) id: Option<String>,
    /// What it was for, for people.
    pub(crate) label: String,
    pub(crate) outcome: Outcome,
    pub(crate) resumable: bool,
    pub(crate) progress: Progress,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) error: Option<ErrorInfo>,
}

impl Finished {
    /// Refused before there was an upload.
    pub(crate) fn refused(label: impl Into<String>, error: ErrorInfo) -> Self {
        Finished {
            id: None,
            label: label.into(),
            outcome: Outcome::Failed,
            resumable: false,
            progress: Progress::default(),
            receipt: None,
            error: Some(error),
        }
    }
}

#[derive(Debug, Serialize)]
struct ReceiptObject<'a> {
    name: &'a str,
    path: Option<&'a [String]>,
    file_id: Option<&'a str>,
    size: u64,
    sha256: Option<&'a str>,
    crc64: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> ReceiptObject<'a> {
    fn new(receipt: &'a Receipt) -> Self {
        ReceiptObject {
            name: &receipt.name,
            path: receipt.path.as_deref(),
            file_id: receipt.file_id.as_deref(),
            size: receipt.size_bytes,
            sha256: receipt.sha256.as_deref(),
            crc64: receipt.crc64.as_deref(),
            request_id: receipt.request_id.as_deref(),
        }
    }
}

/// An error as scripts read it.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorObject<'a> {
    code: u32,
    name: &'static str,
    category: &'static str,
    disposition: &'static str,
    remedy: &'static str,
    detail: &'a str,
    http_status: Option<u16>,
    service_code: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> ErrorObject<'a> {
    pub(crate) fn new(error: &'a ErrorInfo) -> Self {
        ErrorObject {
            code: error.code.number(),
            name: error.name(),
            category: error.category().name(),
            disposition: error.disposition().name(),
            remedy: error.remedy().name(),
            detail: &error.detail,
            http_status: error.http_status,
            service_code: error.service_code.as_deref(),
            request_id: error.request_id.as_deref(),
        }
    }
}

/// A line of `list`.
#[derive(Debug, Serialize)]
pub(crate) struct ListLine<'a> {
    id: &'a str,
    service: &'static str,
    destination: &'a str,
    state: &'static str,
    reason: Option<&'static str>,
    bytes_acknowledged: u64,
    bytes_total: u64,
}

impl<'a> ListLine<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let (state, reason) = state_words(&snapshot.state);
        ListLine {
            id: &snapshot.id,
            service: snapshot.service.name(),
            destination: &snapshot.destination,
            state,
            reason,
            bytes_acknowledged: snapshot.progress.bytes_acknowledged,
            bytes_total: snapshot.progress.bytes_total,
        }
    }
}

/// The contract's words for a state, and for what it waits for.
pub(crate) fn state_words(state: &State) -> (&'static str, Option<&'static str>) {
    match state {
        State::Queued => ("queued", None),
        State::Active { phase } => (phase.name(), None),
        State::Waiting { waiting: Waiting { reason, .. } } => ("waiting", Some(reason.name())),
        State::Paused => ("paused", None),
        State::Completed { .. } => ("completed", None),
        State::Failed { .. } => ("failed", None),
        State::Cancelled { .. } => ("cancelled", None),
    }
}

#[cfg(test)]
mod tests {
    use partway::error::Code;

    use super::*;

    #[test]
    fn a_finished_line() {
        let receipt = Receipt {
            name: "a.bin".to_owned(),
            path: Some(vec!["d".to_owned(), "a.bin".to_owned()]),
            size_bytes: 7,
            crc64: Some("18446744073709551615".to_owned()),
            instant: true,
            ..Receipt::default()
        };
        let finished = Finished {
            id: Some("ID".to_owned()),
            label: "a.bin".to_owned(),
            outcome: Outcome::Completed,
            resumable: false,
            progress: Progress {
                bytes_total: 7,
                bytes_sent: 3,
                bytes_resent: 2,
                requests: 5,
                retries: 1,
                ..Progress::default()
            },
            receipt: Some(receipt),
            error: None,
        };
        assert_eq!(
            serde_json::to_string(&FinishedLine::new(&finished)).expect("text"),
            concat!(
                r#"{"event":"finished","id":"ID","outcome":"completed","resumable":false,"instant":true,"#,
                r#""bytes_total":7,"bytes_sent":3,"bytes_resent":2,"requests":5,"retries":1,"#,
                r#""receipt":{"name":"a.bin","path":["d","a.bin"],"file_id":null,"size":7,"sha256":null,"#,
                r#""crc64":"18446744073709551615","request_id":null},"error":null}"#
            )
        );
    }

    #[test]
    fn a_refusal() {
        let mut error = ErrorInfo::new(Code::QuotaExceeded, "no room");
        error.http_status = Some(403);
        error.service_code = Some("QuotaLimitReached".to_owned());
        let text = serde_json::to_string(&FinishedLine::new(&Finished::refused("x", error))).expect("text");
        assert_eq!(
            text,
            concat!(
                r#"{"event":"finished","id":null,"outcome":"failed","resumable":false,"instant":false,"#,
                r#""bytes_total":0,"bytes_sent":0,"bytes_resent":0,"requests":0,"retries":0,"receipt":null,"#,
                r#""error":{"code":4005,"name":"quota_exceeded","category":"service","disposition":"ask_user","#,
                r#""remedy":"free_cloud_space","detail":"no room","http_status":403,"service_code":"QuotaLimitReached","request_id":null}}"#
            )
        );
    }

    #[test]
    fn words_of_states() {
        use partway::engine::{Phase, WaitReason};
        let waiting = |reason| State::Waiting {
            waiting: Waiting {
                reason,
                since_unix_ms: 0,
                retry_in_ms: None,
                error: None,
                choices: vec![],
                needs_host: false,
                prepared: None,
            },
        };
        assert_eq!(state_words(&State::Active { phase: Phase::Reconciling }), ("reconciling", None));
        assert_eq!(state_words(&waiting(WaitReason::NetworkPolicy)), ("waiting", Some("policy")));
        assert_eq!(state_words(&State::Queued), ("queued", None));
    }
}
