//! `partway cancel`

use std::{
    thread,
    time::{Duration, Instant},
};

use partway::{
    client::{Client, Select, Snapshot},
    engine::{Remote, State, WaitReason},
    error::{Code, ErrorInfo},
};

use crate::{
    args::CancelArgs,
    client,
    credential::Tokens,
    ending::{self, Stand},
    exit::Exit,
    json::{Finished, Outcome},
    output::Output,
    signals,
};

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the ending may take.
const ENDING_MAX: Duration = Duration::from_secs(30);
/// How long the service is given to undo.
const ABORT_MAX: Duration = Duration::from_secs(10);
/// Another process that has it is believed after so long.
const ELSEWHERE_MIN: Duration = Duration::from_millis(500);

pub(crate) fn run(args: &CancelArgs) -> Result<Exit, ErrorInfo> {
    // Without a credential it can still be cancelled, only not undone at the service.
    let tokens = Tokens::find(args.transfer.token_command.as_deref());
    let mut config = client::config(&args.common, &args.transfer, tokens)?;
    config.limits.parallel_uploads = 1;
    signals::on_first(|| {})?;
    let client = client::open(config, None)?;
    let unknown = || ErrorInfo::new(Code::UnknownUpload, "the ID is not in the state directory");
    let snapshot = client.snapshot(&args.id).ok_or_else(unknown)?;
    let finished = cancel(&client, snapshot)?;
    let told = Output::new(args.common.json).finished(&finished);
    if told && !finished.resumable {
        client.forget(&Select::one(&args.id));
    }
    client.close(client::CLOSE_MS);
    Ok(match finished.outcome {
        // Cancelled is what was wanted; an ending that came before is gone now as well.
        _ if told && !finished.resumable => Exit::Completed,
        Outcome::Interrupted => Exit::Interrupted,
        _ => Exit::Failed,
    })
}

/// It ended, and what it left at the service is still to be undone.
fn pending(snapshot: &Snapshot) -> bool {
    matches!(snapshot.state, State::Cancelled { remote: Remote::AbortPending })
}

/// Cancels it and waits; what is resumable in the end was not cancelled.
fn cancel(client: &Client, before: Snapshot) -> Result<Finished, ErrorInfo> {
    let label = before.destination.clone();
    if let (Stand::Ended(finished), false) = (ending::stand(&before, &label), pending(&before)) {
        return Ok(finished);
    }
    let which = Select::one(&before.id);
    client.cancel(&which);
    client.go_only(std::slice::from_ref(&before.id));
    let begun = Instant::now();
    let mut ended_at = None;
    loop {
        let Some(snapshot) = client.snapshot(&before.id) else { return Ok(ending::vanished(&before.id, &label)) };
        let elsewhere =
            matches!(&snapshot.state, State::Waiting { waiting } if waiting.reason == WaitReason::Elsewhere);
        match ending::stand(&snapshot, &label) {
            Stand::Ended(finished) => {
                let since = *ended_at.get_or_insert_with(Instant::now);
                if !pending(&snapshot) || since.elapsed() >= ABORT_MAX || signals::seen() {
                    return Ok(finished);
                }
            }
            Stand::Stuck(finished) if elsewhere && begun.elapsed() >= ELSEWHERE_MIN => return Ok(finished),
            Stand::Goes | Stand::Stuck(_) if signals::seen() => {
                client.hold(client::CLOSE_MS);
                return Ok(ending::interrupted(&snapshot, &label));
            }
            Stand::Goes | Stand::Stuck(_) if begun.elapsed() >= ENDING_MAX => {
                let error = ErrorInfo::new(Code::GaveUp, "the upload did not end in time; it will when it is next run");
                return Ok(Finished {
                    outcome: Outcome::Failed,
                    error: Some(error),
                    ..ending::interrupted(&snapshot, &label)
                });
            }
            Stand::Goes | Stand::Stuck(_) => {}
        }
        thread::sleep(LOOK_EVERY);
    }
}
