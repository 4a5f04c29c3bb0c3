//! `partway explain`

use partway::{
    client::{RemoteLook, Snapshot},
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
    output,
    remote::{self, RemoteObject},
    signals,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<RemoteObject<'a>>,
}

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, ErrorInfo> {
    // There is nothing to keep.
    signals::on_first(signals::end)?;
    let tokens = if args.remote { Tokens::find(args.transfer.token_command.as_deref()) } else { Tokens::None };
    let client = client::open(client::config(&args.common, &args.transfer, tokens)?, None)?;
    let unknown = || ErrorInfo::new(Code::UnknownUpload, "the ID is not in the state directory");
    let mut snapshot = client.snapshot(&args.id).ok_or_else(unknown)?;
    let told = client.explain(&args.id).ok_or_else(unknown)?;
    let elsewhere = client::look_elsewhere(&client, &mut snapshot);
    let explanation = as_found(told, elsewhere.then_some(&snapshot.state));
    let look = args.remote.then(|| client.look_remote(&args.id));
    client.close(client::CLOSE_MS);
    if args.common.json {
        output::json_line(&object(&snapshot, &explanation, look.as_ref()));
    } else {
        tell(&snapshot, &explanation);
        look.iter().for_each(remote::tell);
    }
    Ok(if elsewhere || matches!(look, Some(Err(_))) { Exit::Failed } else { Exit::Completed })
}

/// What holds it when this command is over: nothing is let go in here, and that is no answer. What another process has is that one's to tell of.
fn as_found(told: Explanation, elsewhere: Option<&State>) -> Explanation {
    let text = match elsewhere.unwrap_or(&told.state) {
        State::Queued => "nothing works on it: it goes on when it is resumed".to_owned(),
        state if elsewhere.is_some() => error(state).map(|error| error.detail.clone()).unwrap_or_default(),
        _ => told.text.clone(),
    };
    match elsewhere {
        None => Explanation { text, ..told },
        Some(state) => Explanation { text, next_try_ms: None, attempts: 0, state: state.clone(), ..told },
    }
}

fn error(state: &State) -> Option<&ErrorInfo> {
    match state {
        State::Waiting { waiting } => waiting.error.as_ref(),
        State::Failed { error } => Some(error),
        _ => None,
    }
}

fn object<'a>(
    snapshot: &'a Snapshot,
    explanation: &'a Explanation,
    look: Option<&'a Result<RemoteLook, ErrorInfo>>,
) -> ExplainObject<'a> {
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
        remote: look.map(RemoteObject::new),
    }
}

fn tell(snapshot: &Snapshot, explanation: &Explanation) {
    let age = human::duration(remote::age_ms(explanation.since_unix_ms));
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
