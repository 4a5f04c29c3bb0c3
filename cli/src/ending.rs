//! Where a snapshot leaves a run: it goes on, it ended, or nothing that this run can do moves it.

use partway::{
    client::Snapshot,
    engine::{State, WaitReason, Waiting},
    error::{Category, Code, ErrorInfo},
};

use crate::{
    exit::Exit,
    human,
    json::{Finished, Outcome},
};

/// A longer pause than this, which only a service asks for, is not waited out: who started the run would think that it hangs.
const PAUSE_MS_MAX: u64 = 5 * 60_000;

/// See the module.
pub(crate) enum Stand {
    Goes,
    Ended(Finished),
    Stuck(Finished),
}

/// Where it leaves the run.
pub(crate) fn stand(snapshot: &Snapshot, label: &str) -> Stand {
    let base = finished(snapshot, label, Outcome::Failed);
    match &snapshot.state {
        State::Completed { receipt } => {
            Stand::Ended(Finished { outcome: Outcome::Completed, receipt: Some(receipt.clone()), ..base })
        }
        State::Failed { error } => {
            // Refused before anything was asked of the service: the same as if it had not begun.
            let refused = error.category() == Category::Usage && snapshot.progress.requests == 0;
            let id = base.id.filter(|_| !refused);
            Stand::Ended(Finished { id, error: Some(error.clone()), ..base })
        }
        State::Cancelled { remote } => {
            let error = ErrorInfo::new(Code::Cancelled, human::remote(*remote));
            Stand::Ended(Finished { outcome: Outcome::Cancelled, error: Some(error), ..base })
        }
        State::Waiting { waiting } if waiting.needs_host || waiting.reason == WaitReason::Elsewhere => {
            Stand::Stuck(Finished { resumable: true, error: Some(why(waiting)), ..base })
        }
        State::Waiting { waiting: waiting @ Waiting { reason: WaitReason::Retry, retry_in_ms: Some(ms), .. } }
            if *ms > PAUSE_MS_MAX =>
        {
            let mut error = why(waiting);
            error.detail = format!("{}; it wants to be left alone for {}", error.detail, human::duration(*ms));
            Stand::Stuck(Finished { resumable: true, error: Some(error), ..base })
        }
        State::Paused => {
            let error = ErrorInfo::new(Code::WrongState, "the upload was paused");
            Stand::Stuck(Finished { resumable: true, error: Some(error), ..base })
        }
        State::Queued | State::Active { .. } | State::Waiting { .. } => Stand::Goes,
    }
}

/// A signal came; what is proven is kept.
pub(crate) fn interrupted(snapshot: &Snapshot, label: &str) -> Finished {
    Finished { resumable: true, ..finished(snapshot, label, Outcome::Interrupted) }
}

/// Somebody else took the ending.
pub(crate) fn vanished(id: &str, label: &str) -> Finished {
    let error = ErrorInfo::new(Code::UnknownUpload, "the upload is gone: another process ended and forgot it");
    Finished { id: Some(id.to_owned()), ..Finished::refused(label, error) }
}

/// What it comes to.
pub(crate) fn exit(finished: &Finished) -> Exit {
    match finished.outcome {
        Outcome::Completed => Exit::Completed,
        Outcome::Interrupted => Exit::Interrupted,
        Outcome::Cancelled => Exit::Failed,
        Outcome::Failed if finished.id.is_none() => finished.error.as_ref().map_or(Exit::Failed, Exit::of),
        Outcome::Failed => Exit::Failed,
    }
}

fn finished(snapshot: &Snapshot, label: &str, outcome: Outcome) -> Finished {
    Finished {
        id: Some(snapshot.id.clone()),
        label: label.to_owned(),
        outcome,
        resumable: false,
        progress: snapshot.progress,
        receipt: None,
        error: None,
    }
}

/// What led to the wait; if nothing was kept, what the wait itself says.
fn why(waiting: &Waiting) -> ErrorInfo {
    if let Some(error) = &waiting.error {
        return error.clone();
    }
    let code = match waiting.reason {
        WaitReason::Network | WaitReason::NetworkPolicy => Code::Offline,
        WaitReason::Credential => Code::CredentialRefused,
        WaitReason::Source => Code::SourceNotFound,
        WaitReason::Conflict => Code::NameConflict,
        WaitReason::Disk => Code::DiskFull,
        WaitReason::Elsewhere => Code::InUse,
        _ => Code::GaveUp,
    };
    ErrorInfo::new(code, format!("the upload waits ({})", waiting.reason.name()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use partway::{
        engine::{Phase, Progress, Remote},
        model::{Receipt, ServiceName},
    };

    use super::*;

    fn at(state: State) -> Snapshot {
        Snapshot {
            id: "ID".to_owned(),
            key: "k".to_owned(),
            group: None,
            tags: BTreeMap::new(),
            service: ServiceName::Smh,
            account: "default".to_owned(),
            destination: "d".to_owned(),
            network: partway::model::NetworkPolicy::Any,
            revision: 1,
            state,
            progress: Progress::default(),
            created_unix_ms: 0,
            changed_unix_ms: 0,
        }
    }

    fn waiting(reason: WaitReason, needs_host: bool) -> State {
        State::Waiting {
            waiting: Waiting {
                reason,
                since_unix_ms: 0,
                retry_in_ms: None,
                error: None,
                choices: vec![],
                needs_host,
                prepared: None,
            },
        }
    }

    #[test]
    fn what_time_mends_goes_on() {
        for state in [
            State::Queued,
            State::Active { phase: Phase::Uploading },
            waiting(WaitReason::Network, false),
            waiting(WaitReason::Retry, false),
            waiting(WaitReason::Credential, false),
            waiting(WaitReason::Held, false),
        ] {
            assert!(matches!(stand(&at(state.clone()), "x"), Stand::Goes), "{state:?}");
        }
    }

    #[test]
    fn what_it_does_not_mend_ends_the_run_and_not_the_upload() {
        for (state, code) in [
            (waiting(WaitReason::Conflict, true), Code::NameConflict),
            (waiting(WaitReason::Credential, true), Code::CredentialRefused),
            (waiting(WaitReason::Source, true), Code::SourceNotFound),
            (waiting(WaitReason::Elsewhere, false), Code::InUse),
            (waiting(WaitReason::Retry, true), Code::GaveUp),
            (State::Paused, Code::WrongState),
        ] {
            let Stand::Stuck(finished) = stand(&at(state.clone()), "x") else { panic!("{state:?} goes on") };
            assert_eq!(finished.error.as_ref().map(|error| error.code), Some(code));
            assert!(finished.resumable && finished.id.is_some());
            assert_eq!((finished.outcome, exit(&finished)), (Outcome::Failed, Exit::Failed));
        }
    }

    #[test]
    fn a_pause_that_is_longer_than_a_run_ends_it_and_says_how_long() {
        let pause = |ms| {
            let mut state = waiting(WaitReason::Retry, false);
            if let State::Waiting { waiting } = &mut state {
                waiting.retry_in_ms = Some(ms);
                waiting.error = Some(ErrorInfo::new(Code::ServiceBusy, "the begin was refused"));
            }
            stand(&at(state), "x")
        };
        assert!(matches!(pause(PAUSE_MS_MAX), Stand::Goes));
        let Stand::Stuck(finished) = pause(86_400_000) else { panic!("it goes on") };
        let error = finished.error.as_ref().expect("an error");
        assert_eq!((error.code, finished.resumable, exit(&finished)), (Code::ServiceBusy, true, Exit::Failed));
        assert_eq!(error.detail, "the begin was refused; it wants to be left alone for 24 h");
    }

    #[test]
    fn endings() {
        let ended = |state| match stand(&at(state), "x") {
            Stand::Ended(finished) => finished,
            _ => panic!("not an ending"),
        };
        let completed = ended(State::Completed { receipt: Receipt::default() });
        assert_eq!((completed.outcome, exit(&completed)), (Outcome::Completed, Exit::Completed));
        let failed = ended(State::Failed { error: ErrorInfo::new(Code::RequestRefused, "no") });
        assert_eq!((failed.resumable, exit(&failed)), (false, Exit::Failed));
        let refused = ended(State::Failed { error: ErrorInfo::new(Code::PartSizeUnusable, "no") });
        assert_eq!((refused.id.as_deref(), exit(&refused)), (None, Exit::Usage));
        let cancelled = ended(State::Cancelled { remote: Remote::Aborted });
        assert_eq!(cancelled.outcome, Outcome::Cancelled);
    }
}
