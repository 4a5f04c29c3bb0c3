//! Where the host and the worker meet: what the one wants of the body, what the other gives, and the answer.

use std::{
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{HttpResponse, TransportFault};
use crate::{
    error::{Code, ErrorInfo},
    transport::FileRange,
};

pub(super) type Hook = Box<dyn FnOnce() + Send>;

/// What the host wants of the body.
pub(super) enum Wish {
    Read(usize),
    Rewind,
    Range,
}

/// What it gets.
pub(super) enum Given {
    Bytes(Vec<u8>),
    Rewound,
    Range(Option<FileRange>),
}

/// How the host ended the call.
pub(super) enum Reply {
    Response(HttpResponse),
    Fault(TransportFault),
    /// Nobody can answer it any more.
    Dropped,
}

/// What the worker has to do next.
pub(super) enum Turn {
    Wish(Wish),
    /// The host says that so many bytes of the body are on their way.
    Sent(u64),
    Reply(Reply),
    Cancelled,
    /// Nothing happened for too long.
    Silent,
}

#[derive(Default)]
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Of pulling a body: one at a time.
    turn: Mutex<()>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wish: Option<Wish>,
    given: Option<Result<Given, ErrorInfo>>,
    sent: u64,
    answered: bool,
    reply: Option<Reply>,
    cancelled: bool,
    /// The worker has left.
    over: bool,
    hook: Option<Hook>,
}

pub(super) fn is_over() -> ErrorInfo {
    ErrorInfo::new(Code::Cancelled, "the request is over")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---- the host's side

impl Exchange {
    /// Has the worker do something with the body.
    pub(super) fn ask(&self, wish: Wish) -> Result<Given, ErrorInfo> {
        let _turn = locked(&self.turn);
        let mut state = locked(&self.state);
        if state.over || state.answered || state.cancelled {
            return Err(is_over());
        }
        state.given = None;
        state.wish = Some(wish);
        self.changed.notify_all();
        let waits = |state: &mut State| !state.over && state.given.is_none();
        let mut state = self.changed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.given.take().unwrap_or_else(|| Err(is_over()))
    }

    pub(super) fn note_sent(&self, bytes: u64) {
        let mut state = locked(&self.state);
        state.sent = state.sent.max(bytes);
        self.changed.notify_all();
    }

    /// The first one counts: whether this was it.
    pub(super) fn reply(&self, reply: Reply) -> bool {
        let mut state = locked(&self.state);
        if state.over || mem::replace(&mut state.answered, true) {
            return false;
        }
        state.reply = Some(reply);
        self.changed.notify_all();
        true
    }

    pub(super) fn is_cancelled(&self) -> bool {
        locked(&self.state).cancelled
    }

    /// Keeps the hook, or runs it when it is too late for that.
    pub(super) fn set_hook(&self, hook: Hook) {
        let mut state = locked(&self.state);
        let old = match (state.over, state.cancelled) {
            (true, true) => {
                drop(state);
                return hook();
            }
            (true, false) => Some(hook),
            (false, _) => state.hook.replace(hook),
        };
        // Dropping one is the host's code: not under the lock.
        drop(state);
        drop(old);
    }
}

// ---- the worker's side

impl Exchange {
    /// Nobody wants the answer any more. Called from the driver: it only leaves word.
    pub(super) fn cancel(&self) {
        locked(&self.state).cancelled = true;
        self.changed.notify_all();
    }

    /// Waits for the host. An answer that is here counts, whatever else happened; `followed`: up to where the host's word on what it sent is known.
    pub(super) fn next(&self, patience: Duration, followed: &mut u64) -> Turn {
        let until = Instant::now() + patience;
        let mut state = locked(&self.state);
        loop {
            if let Some(reply) = state.reply.take() {
                return Turn::Reply(reply);
            }
            if state.cancelled {
                return Turn::Cancelled;
            }
            if let Some(wish) = state.wish.take() {
                return Turn::Wish(wish);
            }
            if state.sent > *followed {
                *followed = state.sent;
                return Turn::Sent(state.sent);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Turn::Silent;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn give(&self, given: Result<Given, ErrorInfo>) {
        locked(&self.state).given = Some(given);
        self.changed.notify_all();
    }

    /// The worker leaves. `abandoned`: without an answer of the host's, which is then told.
    pub(super) fn end(&self, abandoned: bool) {
        let mut state = locked(&self.state);
        state.over = true;
        state.cancelled = abandoned;
        let hook = state.hook.take();
        drop(state);
        self.changed.notify_all();
        if let (Some(hook), true) = (hook, abandoned) {
            hook();
        }
    }
}
