//! A service's clock, as well as its answers tell it.
//!
//! The Date of the answer with the smallest round trip, anchored to our own tick. It only ranks work; whether a link is over is what the
//! service answers, never what a clock says. Requests that carry a date are dated by [`Dates`].

use crate::model::{Now, Tick};

/// After this an anchor gives way to a worse one: clocks drift.
const ANCHOR_MS_MAX: u64 = 10 * 60_000;
/// A Date has no milliseconds, and no two clocks run alike: more than this beside what an answer allows, and one of the clocks was set.
const SLACK_MS: u64 = 2_000;
/// Our date may lie so far from the service's without being at fault: dates have whole seconds.
const DATE_SLACK_MS: i64 = 1_000;
/// Other clocks that are tried in a row: the service's, and the phone's.
const DATE_TRIES_MAX: u32 = 2;

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

/// A wall clock, by our tick: one that is set meanwhile changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dating {
    pub(super) unix_ms: i64,
    pub(super) tick: Tick,
}

impl Dating {
    fn at(self, tick: Tick) -> i64 {
        self.unix_ms.saturating_add_unsigned(tick.since_ms(self.tick))
    }
}

/// How requests that carry our date are dated: by the clock that the service last accepted, by the phone's own before. `Date` headers may be wrong where
/// `X-Date` is checked by a clock that is right, so a refusal alone makes it change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dates {
    accepted: Option<Dating>,
    /// What a refusal was answered with.
    trying: Option<Dating>,
    /// Of the refusals in a row: what the first was dated by, and how many were answered.
    refused: Option<Dating>,
    tries: u32,
}

impl Dates {
    /// How to date a request now.
    pub(super) fn unix_ms(&self, now: Now) -> i64 {
        self.trying.or(self.accepted).map_or(now.unix_ms, |dating| dating.at(now.tick))
    }

    /// A request that was dated so at its start went well.
    pub(super) fn accept(&mut self, unix_ms: i64, started: Tick) {
        *self = Dates { accepted: Some(Dating { unix_ms, tick: started }), ..Dates::default() };
    }

    /// No other clock helped: it was not that one's fault.
    pub(super) fn try_first(&mut self, dating: Dating) {
        self.trying = Some(dating);
    }

    /// A request that was dated so at its start was refused, perhaps for that. True when there is another clock to date it by: the refusal's own `Date`, or
    /// the phone's.
    pub(super) fn change(&mut self, now: Now, unix_ms: i64, started: Tick, date: Option<i64>) -> bool {
        let sent = Dating { unix_ms, tick: started };
        let first = *self.refused.get_or_insert(sent);
        // As far off as the answer took is not off: nobody knows when in between it was written.
        let off = |candidate: i64, from: Dating| {
            let (earliest, latest) = (from.at(started.max(from.tick)), from.at(now.tick));
            candidate.saturating_add(DATE_SLACK_MS) < earliest || candidate > latest.saturating_add(DATE_SLACK_MS)
        };
        let phone = Some(now.unix_ms);
        let other = date.into_iter().chain(phone).find(|candidate| off(*candidate, sent) && off(*candidate, first));
        match other.filter(|_| self.tries < DATE_TRIES_MAX) {
            Some(unix_ms) => {
                self.tries += 1;
                self.trying = Some(Dating { unix_ms, tick: now.tick });
                true
            }
            None => {
                // It was not the date: what was accepted before is as good as ever. What is said again after a while may be the date's fault all the same.
                let trying = self.trying.filter(|_| self.accepted.is_none());
                *self = Dates { accepted: self.accepted, trying, ..Dates::default() };
                false
            }
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

    const HOUR_MS: i64 = 3_600_000;

    fn at(tick: u64, unix_ms: i64) -> Now {
        Now { tick: Tick(tick), unix_ms }
    }

    #[test]
    fn what_was_accepted_stays_whatever_dates_and_phones_say() {
        let mut dates = Dates::default();
        assert_eq!(dates.unix_ms(at(100, 50_000)), 50_000, "the phone's own");
        dates.accept(50_000, Tick(100));
        assert_eq!(dates.unix_ms(at(1_100, 9 * HOUR_MS)), 51_000, "a phone that is set says nothing");
        // The credential was refused, and the Date is wrong: it is tried, and what was accepted before counts on.
        assert!(dates.change(at(1_200, 51_100), 51_000, Tick(1_100), Some(HOUR_MS)));
        assert_eq!(dates.unix_ms(at(1_200, 51_100)), HOUR_MS);
        assert!(!dates.change(at(1_300, 51_200), HOUR_MS, Tick(1_200), Some(HOUR_MS)));
        assert_eq!(dates.unix_ms(at(1_300, 51_200)), 51_200);
    }

    #[test]
    fn a_refused_phone_gives_way_to_the_date_and_a_refused_date_to_the_phone() {
        let mut dates = Dates::default();
        assert!(dates.change(at(200, 5_100), 5_000, Tick(100), Some(HOUR_MS)));
        dates.accept(dates.unix_ms(at(300, 5_200)), Tick(300));
        assert_eq!(dates.unix_ms(at(300, 5_200)), HOUR_MS + 100);
        // The service's clock was set.
        assert!(dates.change(at(500, 5_400), HOUR_MS + 200, Tick(400), Some(9 * HOUR_MS)));
        assert!(dates.change(at(700, 5_600), 9 * HOUR_MS + 100, Tick(600), Some(9 * HOUR_MS)));
        assert_eq!(dates.unix_ms(at(700, 5_600)), 5_600, "the phone's own");
        assert!(!dates.change(at(800, 5_700), 5_600, Tick(700), Some(20 * HOUR_MS)), "an end to it");
    }

    #[test]
    fn what_is_not_off_or_not_told_is_no_other_clock() {
        let mut dates = Dates::default();
        assert!(!dates.change(at(2_100, 7_000), 5_000, Tick(100), Some(7_900)), "the answer took as long");
        assert!(!dates.change(at(2_100, 7_000), 5_000, Tick(100), None));
        // What is refused later is blamed on the date anew, and the phone is tried again once the Date was refused.
        assert!(dates.change(at(2_100, 7_000), 5_000, Tick(100), Some(HOUR_MS)));
        assert!(!dates.change(at(2_300, 7_200), HOUR_MS + 100, Tick(2_200), Some(HOUR_MS)), "neither of the two");
        assert!(dates.change(at(2_500, 7_400), HOUR_MS + 300, Tick(2_400), Some(HOUR_MS)));
        assert_eq!(dates.unix_ms(at(2_500, 7_400)), 7_400, "the phone's own");
    }
}
