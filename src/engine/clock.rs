//! A service's clock, as well as its answers tell it.
//!
//! The Date of the answer with the smallest round trip, anchored to our own tick. It only ranks work and dates requests; whether a link is over is
//! what the service answers, never what a clock says.

use crate::model::{Now, Tick};

/// After this an anchor gives way to a worse one: clocks drift.
const ANCHOR_MS_MAX: u64 = 10 * 60_000;
/// A Date has no milliseconds, and no two clocks run alike: more than this beside what an answer allows, and one of the clocks was set.
const SLACK_MS: u64 = 2_000;

#[derive(Clone, Copy, Debug)]
struct Anchor {
    date_unix_ms: i64,
    received: Tick,
    round_trip_ms: u64,
}

/// What is known of one service's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServiceClock {
    anchor: Option<Anchor>,
}

impl ServiceClock {
    /// An answer with a `Date` came.
    pub(super) fn observe(&mut self, date_unix_ms: i64, sent: Tick, received: Tick) {
        let round_trip_ms = received.since_ms(sent);
        let better = self.anchor.is_none_or(|anchor| {
            let estimate = anchor.date_unix_ms.saturating_add_unsigned(received.since_ms(anchor.received));
            let allowed_ms = round_trip_ms + anchor.round_trip_ms + SLACK_MS;
            round_trip_ms <= anchor.round_trip_ms
                || received.since_ms(anchor.received) > ANCHOR_MS_MAX
                || estimate.abs_diff(date_unix_ms) > allowed_ms
        });
        if better {
            self.anchor = Some(Anchor { date_unix_ms, received, round_trip_ms });
        }
    }

    /// The date by which a request was refused: what was believed before was wrong.
    pub(super) fn correct(&mut self, date_unix_ms: i64, sent: Tick, received: Tick) {
        self.anchor = None;
        self.observe(date_unix_ms, sent, received);
    }

    /// The service's clock now; the phone's own without an anchor.
    pub(super) fn unix_ms(&self, now: Now) -> i64 {
        match self.anchor {
            Some(anchor) => {
                anchor.date_unix_ms.saturating_add(i64::try_from(now.tick.since_ms(anchor.received)).unwrap_or(0))
            }
            None => now.unix_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(tick: u64) -> Now {
        Now { tick: Tick(tick), unix_ms: 5 }
    }

    #[test]
    fn the_smallest_round_trip_wins_until_it_is_old() {
        let mut clock = ServiceClock::default();
        assert_eq!(clock.unix_ms(now(3)), 5, "no anchor: the phone's own");
        clock.observe(1_000_000, Tick(100), Tick(150));
        clock.observe(1_000_000, Tick(200), Tick(900));
        assert_eq!(clock.unix_ms(now(1_150)), 1_001_000, "a slow answer moves nothing");
        clock.observe(2_000_000, Tick(1_000), Tick(1_010));
        assert_eq!(clock.unix_ms(now(1_010)), 2_000_000);
        clock.observe(2_699_000, Tick(700_000), Tick(702_000));
        assert_eq!(clock.unix_ms(now(702_000)), 2_699_000, "an old anchor gives way");
        clock.correct(7_000_000, Tick(702_000), Tick(710_000));
        assert_eq!(clock.unix_ms(now(710_000)), 7_000_000, "a refusal's date counts, however slow it was");
    }

    #[test]
    fn a_clock_that_was_set_is_believed_at_once() {
        let mut clock = ServiceClock::default();
        clock.observe(1_000_000, Tick(100), Tick(110));
        clock.observe(9_000_000, Tick(200), Tick(900));
        assert_eq!(clock.unix_ms(now(1_000)), 9_000_100);
        clock.observe(500_000, Tick(2_000), Tick(2_900));
        assert_eq!(clock.unix_ms(now(2_900)), 500_000);
    }
}
