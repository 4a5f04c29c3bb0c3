//! What the service itself tells of an upload, for scripts and for people.

use partway::{
    client::{ListedPart, RemoteLook, RemoteTask},
    error::ErrorInfo,
};
use serde::Serialize;

use crate::{human, json::ErrorObject, output};

/// `remote` in what `explain --remote` prints: `state` is `found`, `gone`, `none` (there is nothing to ask for) or `unknown` (the service did not tell).
#[derive(Serialize)]
pub(crate) struct RemoteObject<'a> {
    state: &'static str,
    complete: Option<bool>,
    created_unix_ms: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<&'a str>,
    conflict_strategy: Option<&'a str>,
    path: Option<&'a [String]>,
    size: Option<u64>,
    sha256: Option<&'a str>,
    parts: Option<Vec<PartObject<'a>>>,
    request_id: Option<&'a str>,
    error: Option<ErrorObject<'a>>,
}

#[derive(Serialize)]
struct PartObject<'a> {
    part_number: u32,
    size: u64,
    md5: Option<&'a str>,
}

impl<'a> PartObject<'a> {
    fn new(part: &'a ListedPart) -> Self {
        PartObject { part_number: part.part_number, size: part.size_bytes, md5: part.md5.as_deref() }
    }
}

impl<'a> RemoteObject<'a> {
    pub(crate) fn new(look: &'a Result<RemoteLook, ErrorInfo>) -> Self {
        static NOTHING: std::sync::LazyLock<RemoteTask> = std::sync::LazyLock::new(RemoteTask::default);
        let (state, task) = match look {
            Ok(RemoteLook::Found(task)) => ("found", task),
            Ok(RemoteLook::Gone) => ("gone", &*NOTHING),
            Ok(RemoteLook::NoSession) => ("none", &*NOTHING),
            Err(_) => ("unknown", &*NOTHING),
        };
        RemoteObject {
            state,
            complete: task.complete,
            created_unix_ms: task.created_unix_ms,
            kind: task.kind.as_deref(),
            conflict_strategy: task.conflict_strategy.as_deref(),
            path: task.path.as_deref(),
            size: task.size_bytes,
            sha256: task.sha256.as_deref(),
            parts: task.parts.as_ref().map(|parts| parts.iter().map(PartObject::new).collect()),
            request_id: task.request_id.as_deref(),
            error: look.as_ref().err().map(ErrorObject::new),
        }
    }
}

/// The same in words.
pub(crate) fn tell(look: &Result<RemoteLook, ErrorInfo>) {
    match look {
        Ok(RemoteLook::Found(task)) => tell_task(task),
        Ok(RemoteLook::Gone) => say("The service does not know of it (any more)."),
        Ok(RemoteLook::NoSession) => say("There is nothing to ask the service for: nothing of it was begun there."),
        Err(error) => {
            say("What the service knows could not be found out.");
            say(&human::error(error));
        }
    }
}

fn say(text: &str) {
    output::line(&format!("  {text}"));
}

fn tell_task(task: &RemoteTask) {
    let standing = match task.complete {
        Some(true) => "is complete",
        Some(false) => "is not complete",
        None => "is known",
    };
    let created =
        task.created_unix_ms.map(|at| format!(", begun {} ago", human::duration(age_ms(at)))).unwrap_or_default();
    say(&format!("At the service it {standing}{created}."));
    match &task.path {
        Some(path) => say(&format!("Its place there: {}", path.join("/"))),
        None => say("The service names no place for it: its directory may be gone."),
    };
    if let Some(kind) = &task.kind {
        say(&format!("Type: {kind}"));
    }
    if let Some(strategy) = &task.conflict_strategy {
        say(&format!("When the name is taken: {strategy}"));
    }
    if let Some(size) = task.size_bytes {
        say(&format!("Size: {}", human::bytes(size)));
    }
    if let Some(parts) = &task.parts {
        let bytes = parts.iter().map(|part| part.size_bytes).sum();
        say(&format!("It has {} parts, {}.", parts.len(), human::bytes(bytes)));
    }
}

/// How long ago that was, by this machine's clock.
pub(crate) fn age_ms(unix_ms: i64) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    u64::try_from(now.saturating_sub(u128::try_from(unix_ms).unwrap_or(0))).unwrap_or(u64::MAX)
}
