//! Bounds, the network, and how much there is to do.

use super::{
    ErrorInfo,
    number::{floored, int, long},
};
use crate::client;

/// Bounds of one client.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Limits {
    /// Uploads that work at once.
    #[uniffi(default = None)]
    pub parallel_uploads: Option<i32>,
    /// Parts that are sent at once, over all uploads.
    #[uniffi(default = None)]
    pub parallel_parts: Option<i32>,
    /// Body bytes a second, over all uploads; 0: no limit.
    #[uniffi(default = None)]
    pub rate_bytes_per_s: Option<i64>,
}

impl From<Limits> for client::Limits {
    fn from(limits: Limits) -> client::Limits {
        let standard = client::Limits::default();
        let count = |value: i32| u32::try_from(value).unwrap_or(0);
        client::Limits {
            parallel_uploads: limits.parallel_uploads.map_or(standard.parallel_uploads, count),
            parallel_parts: limits.parallel_parts.map_or(standard.parallel_parts, count),
            rate_bytes_per_s: limits.rate_bytes_per_s.map_or(standard.rate_bytes_per_s, floored),
        }
    }
}

/// What the host knows of the network.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Network {
    /// `null`: it never said. Offline, uploads wait and spend nothing.
    pub online: Option<bool>,
    /// Grows when the path changed: sockets of the old one are dropped, waits end.
    pub generation: i64,
}

impl From<Network> for client::Network {
    fn from(network: Network) -> client::Network {
        client::Network { online: network.online, generation: floored(network.generation) }
    }
}

/// What a scheduler needs to know.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Idle {
    /// Uploads that work, or will by themselves soon.
    pub active: i32,
    /// Uploads in line.
    pub queued: i32,
    /// What is left to send of all that are not ended, as far as it is known.
    pub bytes_remaining: i64,
    /// When something will be tried again, at the earliest.
    pub next_wake_ms: Option<i64>,
    /// Uploads that only the host or a person can move.
    pub waiting_for_person: i32,
}

impl From<client::Idle> for Idle {
    fn from(idle: client::Idle) -> Idle {
        let client::Idle { active, queued, bytes_remaining, next_wake_ms, waiting_for_person } = idle;
        Idle {
            active: int(active),
            queued: int(queued),
            bytes_remaining: long(bytes_remaining),
            next_wake_ms: next_wake_ms.map(long),
            waiting_for_person: int(waiting_for_person),
        }
    }
}

/// A journal that could not be read at open. It was left as it is, or set aside if it was damaged; no other upload is harmed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// Whose.
    pub id: String,
    /// Why.
    pub error: ErrorInfo,
}

impl From<client::Problem> for Problem {
    fn from(problem: client::Problem) -> Problem {
        Problem { id: problem.id, error: problem.error.into() }
    }
}
