//! What one sees of an upload: derived, never stored.

use super::record::Remote;
use crate::{
    error::ErrorInfo,
    from_json::from_json,
    model::{ConflictChoice, Receipt},
};

/// Where an upload stands. Closed; the last three are endings, and each upload reaches exactly one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// In line.
    Queued,
    /// At work.
    Active {
        /// On what.
        phase: Phase,
    },
    /// Something outside must change first; it goes on by itself once it does.
    Waiting {
        /// What.
        waiting: Waiting,
    },
    /// The host said so.
    Paused,
    /// The object exists.
    Completed {
        /// As the service told it.
        receipt: Receipt,
    },
    /// It will not.
    Failed {
        /// Why.
        error: ErrorInfo,
    },
    /// The host did not want it any more.
    Cancelled {
        /// What could be undone at the service.
        remote: Remote,
    },
}

impl State {
    /// True when they differ in nothing but how long a wait still lasts, and since when it does.
    pub fn is_like(&self, other: &State) -> bool {
        match (self, other) {
            (State::Waiting { waiting: a }, State::Waiting { waiting: b }) => {
                let untimed = |waiting: &Waiting| Waiting {
                    retry_in_ms: waiting.retry_in_ms.map(|_| 0),
                    since_unix_ms: 0,
                    ..waiting.clone()
                };
                untimed(a) == untimed(b)
            }
            _ => self == other,
        }
    }

    /// True for the last three.
    pub fn ended(&self) -> bool {
        matches!(self, State::Completed { .. } | State::Failed { .. } | State::Cancelled { .. })
    }
}

/// What an active upload is at. May grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Comparing proven parts with a source that may be another one.
    Verifying,
    /// Hashing ahead of sending.
    Hashing,
    /// Opening a session, or finding the one from before.
    Starting,
    /// Sending parts.
    Uploading,
    /// Getting fresh links.
    Renewing,
    /// Having the object made.
    Completing,
    /// Finding out what became of a complete whose answer was lost.
    Reconciling,
}

impl Phase {
    /// The word that the command line prints.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Verifying => "verifying",
            Phase::Hashing => "hashing",
            Phase::Starting => "starting",
            Phase::Uploading => "uploading",
            Phase::Renewing => "renewing",
            Phase::Completing => "completing",
            Phase::Reconciling => "reconciling",
        }
    }
}

/// What an upload waits for. May grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(into = "&'static str")]
#[non_exhaustive]
pub enum WaitReason {
    /// The device is offline.
    Network,
    /// The network there is may not be used.
    NetworkPolicy,
    /// The next try.
    Retry,
    /// A credential.
    Credential,
    /// The source.
    Source,
    /// An answer to a conflict.
    Conflict,
    /// The operating system, which has it.
    HandedOff,
    /// Space for the journal.
    Disk,
    /// `go`.
    Held,
    /// Another process, which has it.
    Elsewhere,
}

from_json!(enum WaitReason {
    "network" = Network,
    "policy" = NetworkPolicy,
    "retry" = Retry,
    "credential" = Credential,
    "source" = Source,
    "conflict" = Conflict,
    "handed_off" = HandedOff,
    "disk" = Disk,
    "held" = Held,
    "elsewhere" = Elsewhere,
});

impl From<WaitReason> for &'static str {
    fn from(reason: WaitReason) -> &'static str {
        reason.name()
    }
}

impl Progress {
    /// True when nothing that is counted differs: how fast it goes follows from that.
    pub fn counts_as(&self, other: &Progress) -> bool {
        let counted = |progress: &Progress| Progress { rate_bytes_per_s: 0, eta_ms: None, ..*progress };
        counted(self) == counted(other)
    }
}

impl WaitReason {
    /// True for what no retry of an upload's own ends: the world, or what holds all uploads.
    pub(super) fn is_of_the_world(self) -> bool {
        matches!(self, WaitReason::Network | WaitReason::NetworkPolicy | WaitReason::Held | WaitReason::HandedOff)
    }

    /// The word that the command line prints.
    pub fn name(self) -> &'static str {
        match self {
            WaitReason::Network => "network",
            WaitReason::NetworkPolicy => "policy",
            WaitReason::Retry => "retry",
            WaitReason::Credential => "credential",
            WaitReason::Source => "source",
            WaitReason::Conflict => "conflict",
            WaitReason::HandedOff => "handed_off",
            WaitReason::Disk => "disk",
            WaitReason::Held => "held",
            WaitReason::Elsewhere => "elsewhere",
        }
    }
}

/// A named wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// For what.
    pub reason: WaitReason,
    /// Since when, by the phone's clock.
    pub since_unix_ms: i64,
    /// When it is tried again without anybody's help.
    pub retry_in_ms: Option<u64>,
    /// What led to it.
    pub error: Option<ErrorInfo>,
    /// What a person can answer.
    pub choices: Vec<ConflictChoice>,
    /// Waiting alone will hardly help: the host or a person has to do something, or the retry budget is spent.
    pub needs_host: bool,
    /// The host is preparing the source, as far as it said: 0 to 1.
    pub prepared: Option<f32>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Of the file; 0 until it was opened.
    pub bytes_total: u64,
    /// Taken by the digest pass, where one runs.
    pub bytes_hashed: u64,
    /// Of proven parts.
    pub bytes_acknowledged: u64,
    /// For a bar: acknowledged and in flight; never falls, never above the total.
    pub bytes_shown: u64,
    /// Body bytes of data requests given to the socket in this run.
    pub bytes_sent: u64,
    /// Those of them for stretches that were sent before, in this run or an earlier one (then counted whole: what of it left is not known).
    pub bytes_resent: u64,
    /// Body bytes a second, over the last seconds; 0 while nothing is sent.
    pub rate_bytes_per_s: u64,
    /// How long the rest will take at that rate; `None` while there is none.
    pub eta_ms: Option<u64>,
    /// Parts that are proven.
    pub parts_done: u32,
    /// Parts of the plan.
    pub parts_total: u32,
    /// Requests of this run.
    pub requests: u64,
    /// Failures of this run that led to another try.
    pub retries: u64,
}
