//! One proxied connection, and what happens to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What befalls a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strike {
    /// TCP RST to both.
    Reset,
    /// Closed towards both; what still comes is answered with a reset.
    Close,
    /// The client is told that nothing more comes; what it sends is still taken and passed on.
    HalfClose,
    /// Open for ever: what comes is taken and goes nowhere.
    Blackhole,
    /// One byte is another one, once.
    Corrupt,
}

/// How fast bytes go, in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// How much later they arrive, in milliseconds.
    pub latency_ms: u64,
    /// Up to so much later still, by chance, and never out of order.
    pub jitter_ms: u64,
    /// At most so many a second; 0 is no limit.
    pub bytes_per_s: u64,
    /// So many of the next ones are written one by one, a millisecond apart.
    pub trickled_bytes: u64,
}

/// A proxied connection.
#[derive(Debug, Clone)]
pub struct Link(pub(super) Arc<LinkState>);

impl Link {
    /// Now. [`Strike::Corrupt`] is for the next bytes of either direction.
    pub fn strike(&self, strike: Strike) {
        self.0.strike(strike);
    }

    /// When the next bytes go that way: none of them arrives, or, corrupted, all of them.
    pub fn strike_on(&self, way: Way, strike: Strike) {
        self.0.state().armed = Some(Armed { way, records: 0, strike });
    }

    /// From the next bytes on.
    pub fn set_pace(&self, pace: Pace) {
        self.0.set_pace(pace);
    }

    /// Bytes that came to be carried that way.
    pub fn came(&self, way: Way) -> u64 {
        self.0.came(way).load(Ordering::SeqCst)
    }

    /// Neither side has gone and nothing has cut it.
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }
}

/// Waits for its moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Armed {
    pub(super) way: Way,
    pub(super) records: u32,
    pub(super) strike: Strike,
}

/// What the pumps of a connection do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    Carry,
    /// Take and drop.
    Swallow,
    /// Say to the client that nothing more comes, carry on the other way.
    HalfClosed,
    Close,
    Reset,
    /// Both sides are gone.
    Over,
}

#[derive(Debug)]
pub(super) struct LinkState {
    course: watch::Sender<Course>,
    strikes: Arc<AtomicU64>,
    came: [AtomicU64; 2],
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) armed: Option<Armed>,
    pub(super) pace: Pace,
}

impl LinkState {
    pub(super) fn new(pace: Pace, armed: Option<Armed>, strikes: Arc<AtomicU64>) -> Self {
        Self {
            course: watch::Sender::new(Course::Carry),
            strikes,
            came: Default::default(),
            state: Mutex::new(State { armed, pace }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn came(&self, way: Way) -> &AtomicU64 {
        &self.came[usize::from(way == Way::ToClient)]
    }

    pub(super) fn course(&self) -> watch::Receiver<Course> {
        self.course.subscribe()
    }

    pub(super) fn is_open(&self) -> bool {
        *self.course.borrow() == Course::Carry
    }

    pub(super) fn over(&self) {
        self.set_course(Course::Over);
    }

    pub(super) fn set_pace(&self, pace: Pace) {
        self.state().pace = pace;
    }

    pub(super) fn strike(&self, strike: Strike) {
        let course = match strike {
            Strike::Reset => Course::Reset,
            Strike::Close => Course::Close,
            Strike::HalfClose => Course::HalfClosed,
            Strike::Blackhole => Course::Swallow,
            Strike::Corrupt => {
                let way = Way::ToClient;
                self.state().armed = Some(Armed { way, records: 0, strike });
                return;
            }
        };
        self.strikes.fetch_add(1, Ordering::SeqCst);
        self.set_course(course);
    }

    pub(super) fn set_course(&self, course: Course) {
        self.course.send_replace(course);
    }

    /// What is due before bytes go that way in which so many records had begun before; it is due once.
    pub(super) fn due(&self, way: Way, records: u32) -> Option<Strike> {
        let mut state = self.state();
        let armed = state.armed.take_if(|armed| armed.way == way && records >= armed.records)?;
        if armed.strike == Strike::Corrupt {
            self.strikes.fetch_add(1, Ordering::SeqCst);
        }
        Some(armed.strike)
    }

    /// The pace now; how many of the next bytes are trickled is used up by it.
    pub(super) fn pace(&self, bytes: u64) -> Pace {
        let mut state = self.state();
        let pace = state.pace;
        state.pace.trickled_bytes = pace.trickled_bytes.saturating_sub(bytes);
        pace
    }
}

impl Pace {
    /// When what came just now goes on.
    pub(super) fn delay(&self) -> Duration {
        let jitter = if self.jitter_ms == 0 { 0 } else { crate::random::number() % (self.jitter_ms + 1) };
        Duration::from_millis(self.latency_ms + jitter)
    }
}
