//! Time as an input. Nothing below `runtime` reads a clock.

/// Milliseconds since an origin that the runtime chose, on a clock that goes on while the device sleeps and never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// This tick, `ms` later.
    pub fn after_ms(self, ms: u64) -> Tick {
        Tick(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this tick; 0 if it is not earlier.
    pub fn since_ms(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The present: the tick, which orders and waits, and the phone's own wall clock, which only dates records and may be wrong or jump.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The clock that never goes back.
    pub tick: Tick,
    /// The phone's wall clock.
    pub unix_ms: i64,
}
