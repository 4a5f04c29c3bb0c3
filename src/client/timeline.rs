//! What happened to an upload, for a bug report.

use serde_json::{Value, json};

use super::{Client, State, version};
use crate::engine::timeline::line;

impl Client {
    /// What the journal of an upload says, in order, and where it stands: JSON for a bug report. It holds no name, path, key, tag, token, URL or handle of
    /// the service. `None`: there is no such upload, or its journal can't be read now. **disk**
    pub fn timeline_json(&self, id: &str) -> Option<String> {
        let snapshot = self.snapshot(id)?;
        let explanation = self.explain(id)?;
        let records = self.inner.runtime.records(id).ok()?;
        let progress = snapshot.progress;
        let timeline = json!({
            "partway": version(),
            "id": snapshot.id,
            "service": snapshot.service.name(),
            "revision": snapshot.revision,
            "created_unix_ms": snapshot.created_unix_ms,
            "changed_unix_ms": snapshot.changed_unix_ms,
            "state": state(&snapshot.state),
            "progress": {
                "bytes_total": progress.bytes_total,
                "bytes_hashed": progress.bytes_hashed,
                "bytes_acknowledged": progress.bytes_acknowledged,
                "bytes_sent": progress.bytes_sent,
                "bytes_resent": progress.bytes_resent,
                "parts_done": progress.parts_done,
                "parts_total": progress.parts_total,
                "requests": progress.requests,
                "retries": progress.retries,
            },
            "explanation": {
                "blocked_by": explanation.blocked_by.iter().map(|reason| reason.name()).collect::<Vec<_>>(),
                "next_try_ms": explanation.next_try_ms,
                "attempts": explanation.attempts,
                "retries_left": explanation.retries_left,
                "remedy": explanation.remedy.name(),
                "text": explanation.text,
            },
            "journal": records.iter().map(line).collect::<Vec<Value>>(),
        });
        Some(timeline.to_string())
    }
}

fn state(state: &State) -> Value {
    match state {
        State::Queued => json!("queued"),
        State::Active { phase } => json!({ "active": phase.name() }),
        State::Waiting { waiting } => json!({
            "waiting": waiting.reason.name(),
            "since_unix_ms": waiting.since_unix_ms,
            "retry_in_ms": waiting.retry_in_ms,
            "needs_host": waiting.needs_host,
            "error": waiting.error,
        }),
        State::Paused => json!("paused"),
        State::Completed { .. } => json!("completed"),
        State::Failed { error } => json!({ "failed": error }),
        State::Cancelled { remote } => json!({ "cancelled": remote }),
    }
}
