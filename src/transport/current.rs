//! The request that a lane is at: what its connection, its body and its connector must know of each other.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    CancelToken, TransportFault,
    buffers::Spare,
    fault,
    setup::{Setup, millis},
};
use crate::{
    error::Code,
    model::{
        checkpoint::{Act, At},
        http::HEADERS_BYTES_MAX,
    },
};

/// One a lane.
pub(super) struct Current {
    pub(super) setup: Arc<Setup>,
    state: Mutex<State>,
    /// What its connections send from.
    pub(super) output: Spare,
}

#[derive(Default)]
struct State {
    /// Counts requests, so that a connection notices that it serves another one.
    request: u64,
    cancel: CancelToken,
    patience: Duration,
    /// Something of the request was given to a connection.
    left: bool,
    reused: bool,
    /// The answer is here before all of the request was sent.
    early: bool,
    /// Since when nothing but the answer is awaited.
    waiting_since: Option<Instant>,
    /// That all of it was sent has been told.
    told: bool,
    /// Bytes that came for this request.
    received: u64,
    head_done: bool,
    fault: Option<TransportFault>,
}

impl Current {
    pub(super) fn new(setup: Arc<Setup>) -> Current {
        Current { setup, state: Mutex::default(), output: Spare::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new request.
    pub(super) fn begin(&self, cancel: &CancelToken, patience_ms: u64) {
        let mut state = self.state();
        let request = state.request + 1;
        let patience = millis(patience_ms).min(self.setup.patience_max);
        *state = State { request, cancel: cancel.clone(), patience, ..State::default() };
    }

    /// The number of this request.
    pub(super) fn request(&self) -> u64 {
        self.state().request
    }

    /// The token of this request.
    pub(super) fn cancel(&self) -> CancelToken {
        self.state().cancel.clone()
    }

    /// A connection took the request; it had served one before.
    pub(super) fn taken(&self, reused: bool) {
        let mut state = self.state();
        state.left = true;
        state.reused = reused;
    }

    /// Something is being sent (again).
    pub(super) fn sending(&self) {
        self.state().waiting_since = None;
    }

    /// All of the request was given to a connection, and its answer is awaited.
    pub(super) fn sent(&self) {
        let mut state = self.state();
        let first = !std::mem::replace(&mut state.told, true) && !state.early;
        drop(state);
        if first {
            self.setup.checkpoints.at(Act::Request, At::Within);
        }
    }

    /// The request began to leave; and on a connection that had served one before.
    pub(super) fn left(&self) -> (bool, bool) {
        let state = self.state();
        (state.left, state.reused)
    }

    /// The answer came before the request was sent.
    pub(super) fn set_answered_early(&self) {
        self.state().early = true;
    }

    /// The answer came before the request was sent.
    pub(super) fn answered_early(&self) -> bool {
        self.state().early
    }

    /// Counts what came.
    pub(super) fn received(&self, bytes: usize) {
        self.state().received += bytes as u64;
    }

    /// The answer's headers were read, and what comes is its body.
    pub(super) fn head_done(&self) -> bool {
        self.state().head_done
    }

    /// The answer's headers were read.
    pub(super) fn set_head_done(&self) {
        self.state().head_done = true;
    }

    /// Until when the next byte of the answer may come; `begun`: a piece of its headers is here. An error when the headers, interim answers included, outgrew their limit.
    pub(super) fn answer_deadline(&self, begun: bool) -> Result<Instant, TransportFault> {
        let mut state = self.state();
        if !state.head_done && state.received > HEADERS_BYTES_MAX as u64 {
            return Err(fault::malformed(Code::AnswerTooLarge, "The answer's headers were too large."));
        }
        let now = Instant::now();
        let since = *state.waiting_since.get_or_insert(now);
        let first = since + state.patience;
        let last = first + self.setup.answer;
        // An interim answer, even many, is no beginning of the answer.
        Ok(if begun || state.head_done { last.min(now + self.setup.stall) } else { first })
    }

    /// Remembers the first fault.
    pub(super) fn note(&self, fault: TransportFault) {
        self.state().fault.get_or_insert(fault);
    }

    /// Remembers the first fault and is an error for ureq: of a kind that it never takes for the end of an answer.
    pub(super) fn fail(&self, fault: TransportFault) -> ureq::Error {
        self.note(fault);
        ureq::Error::Io(io::ErrorKind::Other.into())
    }

    /// The first fault.
    pub(super) fn take_fault(&self) -> Option<TransportFault> {
        self.state().fault.take()
    }
}
