//! Why an upload does not move, and what would move it.

use super::{
    backoff::RETRIES_MAX,
    machine::Machine,
    record::Wish,
    view::{Phase, State, WaitReason, Waiting},
};
use crate::{
    error::Remedy,
    model::{Network, NetworkPolicy, Now},
};

/// Why it does not move, and what would move it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Where it stands.
    pub state: State,
    /// Since when, by the phone's clock.
    pub since_unix_ms: i64,
    /// Everything that holds it, the first one first: when that is gone the next one does.
    pub blocked_by: Vec<WaitReason>,
    /// When it is tried again without anybody's help.
    pub next_try_ms: Option<u64>,
    /// Failures in a row that led here.
    pub attempts: u32,
    /// How many more are tried before help is needed.
    pub retries_left: u32,
    /// What a person should do.
    pub remedy: Remedy,
    /// In one sentence, for developers.
    pub text: String,
}

impl Explanation {
    /// What can be said of an upload that nobody works on: `held` is the client, `network` what the host told of it.
    pub fn at_rest(
        state: &State,
        since_unix_ms: i64,
        held: bool,
        network: &Network,
        policy: NetworkPolicy,
    ) -> Explanation {
        let mut blocked_by = world(state, held, network, policy);
        if let State::Waiting { waiting } = state {
            add(&mut blocked_by, waiting.reason);
        }
        let next_try_ms = match state {
            State::Waiting { waiting } => waiting.retry_in_ms,
            _ => None,
        };
        Explanation {
            text: sentence(state, &blocked_by),
            remedy: remedy(state),
            state: state.clone(),
            since_unix_ms,
            blocked_by,
            next_try_ms,
            attempts: 0,
            retries_left: RETRIES_MAX,
        }
    }

    /// The same of one that failed so often in a row.
    pub(crate) fn after(self, attempts: u32) -> Explanation {
        Explanation { attempts, retries_left: RETRIES_MAX.saturating_sub(attempts), ..self }
    }
}

impl Machine {
    /// Why it does not move, and what would move it.
    pub fn explain(&self, now: Now) -> Explanation {
        let attempts = self.backoff.worst().map_or(0, |row| row.count);
        let state = self.state(now);
        let mut blocked_by = world(&state, self.held, &self.network, self.network_policy());
        let own = [
            (self.disk_error.is_some(), WaitReason::Disk),
            (!self.facts.handed_off.is_empty(), WaitReason::HandedOff),
            (self.facts.conflict_asked && self.facts.wish == Wish::Run, WaitReason::Conflict),
            (self.credential.none_now, WaitReason::Credential),
        ];
        for reason in own.into_iter().filter_map(|(is, reason)| is.then_some(reason)) {
            add(&mut blocked_by, reason);
        }
        if let State::Waiting { waiting } = &state {
            add(&mut blocked_by, waiting.reason);
        }
        let text = match (&state, self.backoff.worst()) {
            (State::Waiting { waiting: Waiting { error: Some(error), .. } }, _) => error.detail.clone(),
            (State::Active { .. }, Some(row)) => format!("trying again after: {}", row.error.detail),
            _ => sentence(&state, &blocked_by),
        };
        Explanation {
            remedy: remedy(&state),
            next_try_ms: match &state {
                State::Waiting { waiting: Waiting { retry_in_ms: Some(ms), .. } } => Some(*ms),
                _ => self.backoff.next_open(now.tick).map(|at| at.since_ms(now.tick)),
            },
            state,
            since_unix_ms: self.why_since_unix_ms,
            blocked_by,
            attempts,
            retries_left: RETRIES_MAX.saturating_sub(attempts),
            text,
        }
    }
}

fn add(reasons: &mut Vec<WaitReason>, reason: WaitReason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

/// What holds every upload like it.
fn world(state: &State, held: bool, network: &Network, policy: NetworkPolicy) -> Vec<WaitReason> {
    if state.ended() {
        return vec![];
    }
    let all = [
        (held, WaitReason::Held),
        (network.is_offline(), WaitReason::Network),
        (!policy.allows(network), WaitReason::NetworkPolicy),
    ];
    all.into_iter().filter_map(|(is, reason)| is.then_some(reason)).collect()
}

fn remedy(state: &State) -> Remedy {
    match state {
        State::Failed { error } => error.remedy(),
        State::Waiting { waiting } => match (&waiting.error, waiting.reason) {
            (Some(error), _) => error.remedy(),
            (None, WaitReason::Network | WaitReason::NetworkPolicy) => Remedy::WaitForNetwork,
            (None, WaitReason::Credential) => Remedy::SignInAgain,
            (None, WaitReason::Source) => Remedy::ChooseFileAgain,
            (None, WaitReason::Conflict) => Remedy::AnswerConflict,
            (None, WaitReason::Disk) => Remedy::FreeDeviceSpace,
            (None, WaitReason::Retry | WaitReason::Elsewhere) => Remedy::TryLater,
            (None, WaitReason::HandedOff | WaitReason::Held) => Remedy::None,
        },
        _ => Remedy::None,
    }
}

fn sentence(state: &State, blocked_by: &[WaitReason]) -> String {
    let held = blocked_by.contains(&WaitReason::Held);
    let text = match state {
        State::Queued if held => "in line, and the client is held: nothing starts before `go`",
        State::Queued => match blocked_by.first() {
            Some(WaitReason::Network) => "in line, and the device is offline",
            Some(_) => "in line, and the network that there is may not be used for this upload",
            None => "in line: others work first",
        },
        State::Active { phase: Phase::Uploading } => "parts are being sent",
        State::Active { phase } => return format!("at work: {}", phase.name()),
        State::Paused => "paused by the host: it stays until a resume",
        State::Waiting { waiting } => match (&waiting.error, waiting.reason) {
            (Some(error), _) => return error.detail.clone(),
            (None, WaitReason::Held) => "the client is held: nothing starts before `go`",
            (None, WaitReason::Credential) => "the host was asked for a credential and has not answered",
            (None, WaitReason::Source) => "the host was asked for the source and has not given it yet",
            (None, WaitReason::HandedOff) => "the operating system sends it",
            (None, reason) => return format!("waits: {}", reason.name()),
        },
        State::Completed { .. } => "the object exists",
        State::Failed { error } => return error.detail.clone(),
        State::Cancelled { .. } => "cancelled by the host",
    };
    text.to_owned()
}
