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
    /// What connections and reads may take; 0: no limit of its own. Fewer parts go at once where it does not reach for all.
    #[uniffi(default = None)]
    pub memory_bytes: Option<i64>,
    /// Sources that are open at once; 0: as many as uploads work.
    #[uniffi(default = None)]
    pub open_sources: Option<i32>,
}

impl From<Limits> for client::Limits {
    fn from(limits: Limits) -> client::Limits {
        let standard = client::Limits::default();
        let count = |value: i32| u32::try_from(value).unwrap_or(0);
        client::Limits {
            parallel_uploads: limits.parallel_uploads.map_or(standard.parallel_uploads, count),
            parallel_parts: limits.parallel_parts.map_or(standard.parallel_parts, count),
            rate_bytes_per_s: limits.rate_bytes_per_s.map_or(standard.rate_bytes_per_s, floored),
            memory_bytes: limits.memory_bytes.map_or(standard.memory_bytes, floored),
            open_sources: limits.open_sources.map_or(standard.open_sources, count),
        }
    }
}

mirror! {
    /// Whether there is a network.
    Online of client::Online: into {
        /// The host never said: requests are tried, and what happens to them tells.
        Unreported,
        /// There is none: uploads wait and spend nothing.
        Offline,
        /// There is one.
        Online,
    }
}

mirror! {
    /// Which networks an upload may use, the mildest first. A network that nobody told of meets none but `Any`.
    NetworkPolicy of client::NetworkPolicy: both {
        /// Every one.
        Any,
        /// None of a foreign operator.
        NoRoaming,
        /// None whose bytes cost something.
        Unmetered,
    }
}

/// What the host knows of the network; all of it is told anew with each change.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Network {
    /// Whether there is one.
    pub state: Online,
    /// Its bytes cost something.
    #[uniffi(default)]
    pub metered: bool,
    /// It is a foreign operator's.
    #[uniffi(default)]
    pub roaming: bool,
    /// Grows when the path changed: sockets of the old one are dropped, waits for another try end.
    #[uniffi(default)]
    pub generation: i64,
    /// The system's own number of a network that is not the default one. Kept, and not used by the built-in transport.
    #[uniffi(default = None)]
    pub bind_handle: Option<i64>,
}

impl From<Network> for client::Network {
    fn from(network: Network) -> client::Network {
        client::Network {
            state: network.state.into(),
            metered: network.metered,
            roaming: network.roaming,
            generation: floored(network.generation),
            // A handle is bits, not a number.
            bind_handle: network.bind_handle.map(i64::cast_unsigned),
        }
    }
}

/// What a scheduler needs to know.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Idle {
    /// Nothing works, and no upload has a lock or a connection.
    pub at_rest: bool,
    /// Uploads that work, or will by themselves soon.
    pub active: i32,
    /// Uploads in line.
    pub queued: i32,
    /// What is left to send of all that are not ended, as far as it is known.
    pub bytes_remaining: i64,
    /// When something will be tried again, at the earliest.
    pub next_wake_ms: Option<i64>,
    /// The mildest policy that would let something go on by itself: what network a scheduler should ask for.
    pub wants: NetworkPolicy,
    /// Uploads that only the host or a person can move.
    pub waiting_for_person: i32,
}

impl From<client::Idle> for Idle {
    fn from(idle: client::Idle) -> Idle {
        let client::Idle { at_rest, active, queued, bytes_remaining, next_wake_ms, wants, waiting_for_person } = idle;
        Idle {
            at_rest,
            active: int(active),
            queued: int(queued),
            bytes_remaining: long(bytes_remaining),
            next_wake_ms: next_wake_ms.map(long),
            wants: wants.into(),
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
