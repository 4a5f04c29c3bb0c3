//! `partway explain`

use partway::{
    client::Snapshot,
    engine::{Explanation, State},
    error::{Code, ErrorInfo},
};
use serde::Serialize;

use crate::{
    args::ExplainArgs,
    client,
    credential::Tokens,
    exit::Exit,
    human,
    json::{ErrorObject, state_words},
    output, unbuilt,
};

#[derive(Serialize)]
struct ExplainObject<'a> {
    id: &'a str,
    service: &'static str,
    destination: &'a str,
    state: &'static str,
    reason: Option<&'static str>,
    since_unix_ms: i64,
    next_try_ms: Option<u64>,
    attempts: u32,
    retries_left: u32,
    bytes_acknowledged: u64,
    bytes_total: u64,
    text: &'a str,
    error: Option<ErrorObject<'a>>,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, ErrorInfo> {
    unbuilt::explain(args)?;
    let client = client::open(client::config(&args.common, &args.transfer, Tokens::None)?, None)?;
    let unknown = || ErrorInfo::new(Code::UnknownUpload, "the ID is not in the state directory");
    let snapshot = client.snapshot(&args.id).ok_or_else(unknown)?;
    let explanation = client.explain(&args.id).ok_or_else(unknown)?;
    client.close(client::CLOSE_MS);
    if args.common.json {
        output::json_line(&object(&snapshot, &explanation));
    } else {
        tell(&snapshot, &explanation);
    }
    Ok(Exit::Completed)
}

fn error(state: &State) -> Option<&ErrorInfo> {
    match state {
        State::Waiting { waiting } => waiting.error.as_ref(),
        State::Failed { error } => Some(error),
        _ => None,
    }
}

fn object<'a>(snapshot: &'a Snapshot, explanation: &'a Explanation) -> ExplainObject<'a> {
    let (state, reason) = state_words(&explanation.state);
    ExplainObject {
        id: &snapshot.id,
        service: snapshot.service.name(),
        destination: &snapshot.destination,
        state,
        reason,
        since_unix_ms: explanation.since_unix_ms,
        next_try_ms: explanation.next_try_ms,
        attempts: explanation.attempts,
        retries_left: explanation.retries_left,
        bytes_acknowledged: snapshot.progress.bytes_acknowledged,
        bytes_total: snapshot.progress.bytes_total,
        text: &explanation.text,
        error: error(&explanation.state).map(ErrorObject::new),
    }
}

fn tell(snapshot: &Snapshot, explanation: &Explanation) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let age = now.saturating_sub(u128::try_from(explanation.since_unix_ms).unwrap_or(0));
    let age = human::duration(u64::try_from(age).unwrap_or(u64::MAX));
    output::line(&format!("{} to {} at {}", snapshot.id, snapshot.destination, snapshot.service.name()));
    output::line(&format!("  It is {} for {age}: {}", human::state(&explanation.state), explanation.text));
    let progress = snapshot.progress;
    let (done, total) = (human::bytes(progress.bytes_acknowledged), human::bytes(progress.bytes_total));
    output::line(&format!("  {done} of {total} are proven and will not be sent again."));
    if explanation.attempts > 0 {
        output::line(&format!(
            "  {} failures in a row, {} more tries.",
            explanation.attempts, explanation.retries_left
        ));
    }
    if let Some(next) = explanation.next_try_ms {
        output::line(&format!("  It is tried again in {}.", human::duration(next)));
    }
    if let Some(error) = error(&explanation.state) {
        output::line(&format!("  {}", human::error(error)));
    }
}
