//! The driver's one queue, and the driver itself while it sleeps.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::message::Message;

/// Messages in, in order. Anyone may post; the driver takes.
#[derive(Default)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    posted: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Message>,
    closed: bool,
    /// What brings the driver's thread to life when it is not.
    wake: Option<Wake>,
}

/// Brings the driver's thread to life.
pub(super) type Wake = Box<dyn FnOnce() + Send>;

/// What the wish to sleep led to.
pub(super) enum Sleep {
    /// The thread may end.
    Asleep,
    /// There is a message already.
    Again(Wake),
    /// It is over.
    Closed,
}

/// What a take led to.
pub(super) enum Taken {
    /// These, in order.
    Messages(VecDeque<Message>),
    /// The time is up.
    TimedOut,
    /// No more.
    Closed,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one in.
    pub(super) fn post(&self, message: Message) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.queue.push_back(message);
        let wake = state.wake.take();
        drop(state);
        self.posted.notify_one();
        if let Some(wake) = wake {
            wake();
        }
    }

    /// Takes all there are; waits for the first one, at most so long.
    pub(super) fn take(&self, wait: Option<Duration>) -> Taken {
        let mut state = self.lock();
        loop {
            if !state.queue.is_empty() {
                return Taken::Messages(std::mem::take(&mut state.queue));
            }
            if state.closed {
                return Taken::Closed;
            }
            state = match wait {
                None => self.posted.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let (state, timeout) =
                        self.posted.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.queue.is_empty() {
                        return Taken::TimedOut;
                    }
                    state
                }
            };
        }
    }

    /// The driver's thread wants to end: `wake` brings it back with the next message.
    pub(super) fn sleep(&self, wake: Wake) -> Sleep {
        let mut state = self.lock();
        if state.closed {
            let unheard = std::mem::take(&mut state.queue);
            drop(state);
            // Whoever waits for an answer to one of these hears that there will be none.
            drop(unheard);
            return Sleep::Closed;
        }
        if !state.queue.is_empty() {
            return Sleep::Again(wake);
        }
        state.wake = Some(wake);
        Sleep::Asleep
    }

    /// The driver got no thread: `wake` tries again with the next message, whatever there is already.
    pub(super) fn lie_down(&self, wake: Wake) {
        let mut state = self.lock();
        if state.closed {
            let unheard = std::mem::take(&mut state.queue);
            drop(state);
            return drop((wake, unheard));
        }
        state.wake = Some(wake);
    }

    /// No more messages; the driver ends.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let wake = state.wake.take();
        // A driver at work takes what is left itself.
        let unheard = wake.as_ref().map(|_| std::mem::take(&mut state.queue));
        drop(state);
        self.posted.notify_all();
        // A driver that sleeps is dropped with its waker.
        drop((wake, unheard));
    }
}
