//! A queue between threads. The standard one comes with three kinds of queue for each type that goes through it, 4 kB each time (docs/adr/0017); this one
//! is a lock and a condition.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A queue without bounds. What is in it when nobody takes any more is dropped with its last end.
pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let line = Arc::new(Line { state: Mutex::new(State { queue: VecDeque::new(), senders: 1 }), news: Condvar::new() });
    (Sender(line.clone()), Receiver(line))
}

struct Line<T> {
    state: Mutex<State<T>>,
    news: Condvar,
}

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
}

impl<T> Line<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts in; never waits.
pub(crate) struct Sender<T>(Arc<Line<T>>);

impl<T> Sender<T> {
    pub(crate) fn send(&self, value: T) {
        self.0.lock().queue.push_back(value);
        self.0.news.notify_one();
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Sender(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.news.notify_all();
    }
}

impl<T> std::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

/// Takes out, in order. Of several each value has one taker.
pub(crate) struct Receiver<T>(Arc<Line<T>>);

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver(self.0.clone())
    }
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// Not yet.
    TimedOut,
    /// There never will be: nobody is left who could send.
    Closed,
}

impl<T> Receiver<T> {
    /// The next one; `None` when there never will be one. **waits**
    pub(crate) fn recv(&self) -> Option<T> {
        self.take(None).ok()
    }

    /// The next one, if it comes until then. A time that is over is no wait. **waits**
    pub(crate) fn recv_until(&self, until: Instant) -> Result<T, Nothing> {
        self.take(Some(until))
    }

    fn take(&self, until: Option<Instant>) -> Result<T, Nothing> {
        let mut state = self.0.lock();
        loop {
            if let Some(value) = state.queue.pop_front() {
                return Ok(value);
            }
            if state.senders == 0 {
                return Err(Nothing::Closed);
            }
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.0.news.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Err(Nothing::TimedOut),
                Some(left) => self.0.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn what_was_sent_comes_in_order_also_after_its_sender() {
        let (sender, receiver) = channel();
        let second = sender.clone();
        sender.send(1);
        drop(sender);
        second.send(2);
        assert_eq!((receiver.recv(), receiver.recv()), (Some(1), Some(2)));
        assert_eq!(receiver.recv_until(Instant::now()), Err(Nothing::TimedOut));
        drop(second);
        assert_eq!((receiver.recv(), receiver.recv_until(Instant::now())), (None, Err(Nothing::Closed)));
    }

    #[test]
    fn whoever_waits_is_woken_by_a_value_and_by_the_last_sender() {
        let (sender, receiver) = channel();
        let taker = receiver.clone();
        let all = thread::spawn(move || std::iter::from_fn(|| taker.recv()).collect::<Vec<u8>>());
        sender.send(7);
        drop(sender);
        assert_eq!(all.join().expect("it ends"), [7]);
        let (sender, receiver) = channel::<u8>();
        let late = thread::spawn(move || receiver.recv_until(Instant::now() + Duration::from_secs(600)));
        drop(sender);
        assert_eq!(late.join().expect("it ends"), Err(Nothing::Closed));
    }

    #[test]
    fn what_nobody_took_is_dropped_with_the_last_end() {
        let value = Arc::new(());
        let (sender, receiver) = channel();
        sender.send(value.clone());
        drop(receiver);
        sender.send(value.clone());
        drop(sender);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
