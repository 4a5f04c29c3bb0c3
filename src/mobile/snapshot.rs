//! What one sees of an upload: one value.

use std::collections::HashMap;

use super::{
    ConflictChoice, ErrorInfo, NetworkPolicy, Remedy, Service,
    number::{int, long},
};
use crate::{client, model};

/// Everything about one upload at one moment.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Snapshot {
    /// 26 characters.
    pub id: String,
    /// The host's own name for it.
    pub key: String,
    /// The host's own grouping.
    pub group: Option<String>,
    /// The host's own notes.
    pub tags: HashMap<String, String>,
    /// Which service it goes to.
    pub service: Service,
    /// The account whose credential it uses.
    pub account: String,
    /// Where to, for people: never for a log.
    pub destination: String,
    /// Which networks it may use.
    pub network: NetworkPolicy,
    /// Grows with every change within one process: a late callback can be told from a new one.
    pub revision: i64,
    /// Where it stands.
    pub state: State,
    /// How far it is.
    pub progress: Progress,
    /// When it was started, by the phone's clock.
    pub created_unix_ms: i64,
    /// When its state changed last, by the phone's clock.
    pub changed_unix_ms: i64,
}

impl From<client::Snapshot> for Snapshot {
    fn from(snapshot: client::Snapshot) -> Snapshot {
        let client::Snapshot {
            id,
            key,
            group,
            tags,
            service,
            account,
            destination,
            network,
            revision,
            state,
            progress,
            created_unix_ms,
            changed_unix_ms,
        } = snapshot;
        Snapshot {
            id,
            key,
            group,
            tags: tags.into_iter().collect(),
            service: service.into(),
            account,
            destination,
            network: network.into(),
            revision: long(revision),
            state: state.into(),
            progress: progress.into(),
            created_unix_ms,
            changed_unix_ms,
        }
    }
}

/// Where an upload stands. Closed; the last three are endings, and each upload reaches exactly one of them.
#[derive(Clone, PartialEq, uniffi::Enum)]
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

impl From<client::State> for State {
    fn from(state: client::State) -> State {
        match state {
            client::State::Queued => State::Queued,
            client::State::Active { phase } => State::Active { phase: phase.into() },
            client::State::Waiting { waiting } => State::Waiting { waiting: waiting.into() },
            client::State::Paused => State::Paused,
            client::State::Completed { receipt } => State::Completed { receipt: receipt.into() },
            client::State::Failed { error } => State::Failed { error: error.into() },
            client::State::Cancelled { remote } => State::Cancelled { remote: remote.into() },
        }
    }
}

mirror! {
    /// What an active upload is at. May grow.
    Phase of client::Phase: out {
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
}

mirror! {
    /// What an upload waits for. May grow.
    WaitReason of client::WaitReason: out {
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
}

mirror! {
    /// What a cancel could undo at the service.
    Remote of client::Remote: out {
        /// The session is gone.
        Aborted,
        /// Not reached yet; it is tried again.
        AbortPending,
        /// There was none.
        NothingThere,
        /// The service has no way to do it.
        CannotAbort,
    }
}

/// A named wait.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Waiting {
    /// For what.
    pub reason: WaitReason,
    /// Since when, by the phone's clock.
    pub since_unix_ms: i64,
    /// When it is tried again without anybody's help.
    pub retry_in_ms: Option<i64>,
    /// What led to it.
    pub error: Option<ErrorInfo>,
    /// What a person can answer.
    pub choices: Vec<ConflictChoice>,
    /// Waiting alone will hardly help: the host or a person has to do something, or the retry budget is spent.
    pub needs_host: bool,
    /// The host is preparing the source, as far as it said: 0 to 1.
    pub prepared: Option<f32>,
}

impl From<client::Waiting> for Waiting {
    fn from(waiting: client::Waiting) -> Waiting {
        let client::Waiting { reason, since_unix_ms, retry_in_ms, error, choices, needs_host, prepared } = waiting;
        Waiting {
            reason: reason.into(),
            since_unix_ms,
            retry_in_ms: retry_in_ms.map(long),
            error: error.map(Into::into),
            choices: choices.into_iter().map(Into::into).collect(),
            needs_host,
            prepared,
        }
    }
}

/// How far it is.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Progress {
    /// Of the file; 0 until it was opened.
    pub bytes_total: i64,
    /// Taken by the digest pass, where one runs.
    pub bytes_hashed: i64,
    /// Of proven parts.
    pub bytes_acknowledged: i64,
    /// For a bar: acknowledged and in flight; never falls, never above the total.
    pub bytes_shown: i64,
    /// Body bytes of data requests given to the socket in this run.
    pub bytes_sent: i64,
    /// Those of them for stretches that were sent before, in this run or an earlier one.
    pub bytes_resent: i64,
    /// Body bytes a second, over the last seconds; 0 while nothing is sent.
    pub rate_bytes_per_s: i64,
    /// How long the rest will take at that rate; `null` while there is none.
    pub eta_ms: Option<i64>,
    /// Parts that are proven.
    pub parts_done: i32,
    /// Parts of the plan.
    pub parts_total: i32,
    /// Requests of this run.
    pub requests: i64,
    /// Failures of this run that led to another try.
    pub retries: i64,
}

impl From<client::Progress> for Progress {
    fn from(progress: client::Progress) -> Progress {
        let client::Progress {
            bytes_total,
            bytes_hashed,
            bytes_acknowledged,
            bytes_shown,
            bytes_sent,
            bytes_resent,
            rate_bytes_per_s,
            eta_ms,
            parts_done,
            parts_total,
            requests,
            retries,
        } = progress;
        Progress {
            bytes_total: long(bytes_total),
            bytes_hashed: long(bytes_hashed),
            bytes_acknowledged: long(bytes_acknowledged),
            bytes_shown: long(bytes_shown),
            bytes_sent: long(bytes_sent),
            bytes_resent: long(bytes_resent),
            rate_bytes_per_s: long(rate_bytes_per_s),
            eta_ms: eta_ms.map(long),
            parts_done: int(parts_done),
            parts_total: int(parts_total),
            requests: long(requests),
            retries: long(retries),
        }
    }
}

/// The finished object, as the service told it.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Receipt {
    /// Its final name, after conflict handling.
    pub name: String,
    /// Its final path, name included; `null` when the service gives none.
    pub path: Option<Vec<String>>,
    /// The service's id of it.
    pub file_id: Option<String>,
    /// Its size.
    pub size_bytes: i64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: Option<String>,
    /// CRC-64/XZ of the content, decimal.
    pub crc64: Option<String>,
    /// The version to name in a later overwrite.
    pub version: Option<String>,
    /// The service had the content already.
    pub instant: bool,
    /// A file of the same name was replaced.
    pub overwritten: bool,
    /// The service's id of the request that made it.
    pub request_id: Option<String>,
    /// The service's own last answer, whole.
    pub service_json: Option<String>,
}

impl From<model::Receipt> for Receipt {
    fn from(receipt: model::Receipt) -> Receipt {
        let model::Receipt {
            name,
            path,
            file_id,
            size_bytes,
            sha256,
            crc64,
            version,
            instant,
            overwritten,
            request_id,
            service_json,
        } = receipt;
        Receipt {
            name,
            path,
            file_id,
            size_bytes: long(size_bytes),
            sha256,
            crc64,
            version,
            instant,
            overwritten,
            request_id,
            service_json,
        }
    }
}

/// Why it does not move, and what would move it.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Explanation {
    /// Where it stands.
    pub state: State,
    /// Since when, by the phone's clock.
    pub since_unix_ms: i64,
    /// Everything that holds it, the first one first: when that is gone the next one does.
    pub blocked_by: Vec<WaitReason>,
    /// When it is tried again without anybody's help.
    pub next_try_ms: Option<i64>,
    /// Failures in a row that led here.
    pub attempts: i32,
    /// How many more are tried before help is needed.
    pub retries_left: i32,
    /// What a person should do.
    pub remedy: Remedy,
    /// In one sentence, for developers.
    pub text: String,
}

impl From<client::Explanation> for Explanation {
    fn from(explanation: client::Explanation) -> Explanation {
        let client::Explanation { state, since_unix_ms, blocked_by, next_try_ms, attempts, retries_left, remedy, text } =
            explanation;
        Explanation {
            state: state.into(),
            since_unix_ms,
            blocked_by: blocked_by.into_iter().map(Into::into).collect(),
            next_try_ms: next_try_ms.map(long),
            attempts: int(attempts),
            retries_left: int(retries_left),
            remedy: remedy.into(),
            text,
        }
    }
}
