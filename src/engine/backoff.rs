//! When to try again: decorrelated jitter from an injected generator, one count for each purpose, a budget for each.

use super::OpKind;
use crate::{
    error::ErrorInfo,
    model::{SortedMap, Tick},
};

/// Failures in a row of one purpose before help is needed; and so long must the first of them be ago.
pub(super) const RETRIES_MAX: u32 = 10;
/// See [`RETRIES_MAX`]: an outage of that length is waited out, however quickly it refuses.
pub(super) const BUDGET_MS_MIN: u64 = 90_000;
/// The least delay after a first failure. It doubles with each that follows, up to [`DELAY_FLOOR_MS_MAX`].
pub(super) const DELAY_MS_MIN: u64 = 300;
/// From the fifth failure in a row on no delay is less: at most 17 tries a minute of one purpose.
const DELAY_FLOOR_MS_MAX: u64 = 4_800;
/// The greatest delay of our own choice; a service's Retry-After may be longer.
pub(super) const DELAY_MS_MAX: u64 = 15_000;
/// After a spent budget it is still tried again, this much later.
pub(super) const EXHAUSTED_RETRY_MS: u64 = 15 * 60_000;
/// Rows that outlive a machine which gives its place: the worst ones.
const ROWS_KEPT: usize = 4;

/// What failures are counted by. A success of the same purpose forgets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// Reaching the service at all, whatever for.
    Reach,
    /// Reaching where it stores. The service's own answers say nothing of that.
    Storage,
    /// Sessions in a row that were lost. One that is begun says nothing of that.
    Session,
    /// One kind of operation.
    Op(OpKind),
}

/// One row of failures.
#[derive(Clone, Debug)]
pub(super) struct Failures {
    pub(super) count: u32,
    /// When the first of the row failed.
    since: Tick,
    delay_ms: u64,
    /// Nothing of this purpose starts before.
    pub(super) gate: Tick,
    /// Attempts that began before this belong to the same incident.
    last: Tick,
    pub(super) error: ErrorInfo,
}

/// The budget of one upload.
#[derive(Debug)]
pub(super) struct Backoff {
    rng: fastrand::Rng,
    rows: SortedMap<Purpose, Failures>,
    /// Nothing at all starts before: the service asked for it, or can't be reached.
    pub(super) gate: Option<(Tick, ErrorInfo)>,
    /// Failures in all that led to another try.
    pub(super) retries: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), rows: SortedMap::new(), gate: None, retries: 0 }
    }

    /// An attempt that began at `started` failed. `wide`: it says something about the service, not about this one operation.
    pub(super) fn failed(&mut self, purpose: Purpose, started: Tick, now: Tick, error: ErrorInfo, wide: bool) {
        let before = self.rows.get(&purpose).map(|row| (row.count, row.since, row.delay_ms, row.last));
        let (count, since, delay_ms, last) = before.unwrap_or((0, now, DELAY_MS_MIN, Tick(0)));
        // Four parts that broke off together are one failure.
        let same_incident = before.is_some() && started < last;
        let floor_ms = (DELAY_MS_MIN << count.min(8)).min(DELAY_FLOOR_MS_MAX);
        let drawn = floor_ms..=(delay_ms * 3).clamp(floor_ms, DELAY_MS_MAX);
        let delay_ms = if same_incident { delay_ms } else { self.rng.u64(drawn) };
        let asked_ms = error.retry_after_ms.unwrap_or(0);
        let row = Failures {
            count: if same_incident { count } else { count + 1 },
            since,
            delay_ms,
            gate: now.after_ms(delay_ms.max(asked_ms)),
            last: now,
            error,
        };
        self.retries += 1;
        let later = self.gate.as_ref().is_none_or(|(gate, _)| *gate < row.gate);
        if (wide || asked_ms > 0) && later {
            self.gate = Some((row.gate, row.error.clone()));
        }
        self.rows.insert(purpose, row);
    }

    /// The purpose was served.
    pub(super) fn succeeded(&mut self, purpose: Purpose) {
        self.rows.remove(&purpose);
    }

    /// Forgets everything: the host says that things changed.
    pub(super) fn reset(&mut self) {
        self.rows.clear();
        self.gate = None;
    }

    /// True when this may start now.
    pub(super) fn open(&self, purpose: Purpose, now: Tick) -> bool {
        self.gate.as_ref().is_none_or(|(gate, _)| *gate <= now)
            && self.rows.get(&purpose).is_none_or(|row| row.gate <= now)
    }

    /// The failures of a purpose.
    pub(super) fn row(&self, purpose: Purpose) -> Option<&Failures> {
        self.rows.get(&purpose)
    }

    /// A purpose whose budget is spent: it failed often enough, for long enough.
    pub(super) fn exhausted(&self) -> Option<&Failures> {
        self.rows.values().find(|row| row.count > RETRIES_MAX && row.last.since_ms(row.since) >= BUDGET_MS_MIN)
    }

    /// What a machine that gives its place hands on: the worst rows, whatever their number was.
    pub(super) fn shortened(mut self) -> Self {
        while self.rows.len() > ROWS_KEPT
            && let Some(least) = self.rows.iter().min_by_key(|(_, row)| row.count).map(|(purpose, _)| *purpose)
        {
            self.rows.remove(&least);
        }
        self
    }

    /// The row with the most failures: what an explanation speaks of.
    pub(super) fn worst(&self) -> Option<&Failures> {
        self.rows.values().max_by_key(|row| row.count)
    }

    /// Why nothing of a purpose may start now. What closed the gate for all is known longer than its row: another success forgets that.
    pub(super) fn reason(&self, purpose: Purpose, now: Tick) -> Option<&ErrorInfo> {
        let wide = self.gate.as_ref().filter(|(gate, _)| *gate > now).map(|(_, error)| error);
        wide.or_else(|| self.row(purpose).map(|row| &row.error)).or_else(|| self.worst().map(|row| &row.error))
    }

    /// The next moment at which something closed opens.
    pub(super) fn next_open(&self, now: Tick) -> Option<Tick> {
        let gates = self.rows.values().map(|row| row.gate).chain(self.gate.as_ref().map(|(gate, _)| *gate));
        gates.filter(|gate| *gate > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn error(retry_after_ms: Option<u64>) -> ErrorInfo {
        ErrorInfo { retry_after_ms, ..ErrorInfo::new(Code::ServiceError, "again") }
    }

    #[test]
    fn delays_stay_within_their_bounds_and_the_budget_ends() {
        let mut backoff = Backoff::new(7);
        let (purpose, mut now) = (Purpose::Op(OpKind::Begin), Tick(1));
        for tries in 1.. {
            backoff.failed(purpose, now, now, error(None), false);
            let gate = backoff.row(purpose).expect("a row").gate;
            let least = [300, 600, 1_200, 2_400].get(tries as usize - 1).copied().unwrap_or(4_800);
            assert!((least..=DELAY_MS_MAX).contains(&gate.since_ms(now)), "{tries}");
            assert!(!backoff.open(purpose, now) && backoff.open(purpose, gate));
            assert!(backoff.open(Purpose::Op(OpKind::Sign), now), "another purpose is free");
            if backoff.exhausted().is_some() {
                assert!(tries > RETRIES_MAX && now.0 > BUDGET_MS_MIN, "{tries} by {now:?}");
                break;
            }
            assert!(tries <= RETRIES_MAX || now.0 <= BUDGET_MS_MIN, "{tries} by {now:?}");
            now = gate;
        }
    }

    /// Whatever the seed, and however quickly the service refuses.
    #[test]
    fn tries_a_minute_are_bounded_and_no_outage_below_the_budget_ends_it() {
        for seed in 0..500 {
            let (mut backoff, purpose) = (Backoff::new(seed), Purpose::Op(OpKind::Sign));
            let mut tries = vec![];
            let mut now = Tick(1);
            while backoff.exhausted().is_none() {
                tries.push(now.0);
                backoff.failed(purpose, now, now, error(None), false);
                now = backoff.row(purpose).expect("a row").gate;
            }
            assert!(tries.last().is_some_and(|last| last - tries[0] >= BUDGET_MS_MIN));
            assert!(tries.len() <= 24, "{} tries", tries.len());
            let a_minute = |from: &u64| tries.iter().filter(|at| (*from..from + 60_000).contains(*at)).count();
            assert!(tries.iter().map(a_minute).max() <= Some(17));
        }
    }

    #[test]
    fn what_is_handed_on_is_the_worst() {
        let mut backoff = Backoff::new(7);
        for number in 1..=9 {
            for _ in 0..number {
                backoff.failed(Purpose::Op(OpKind::Part(number)), Tick(1_000), Tick(1_000), error(None), false);
            }
        }
        let kept = backoff.shortened();
        assert_eq!(kept.rows.len(), ROWS_KEPT);
        assert_eq!(kept.worst().map(|row| row.count), Some(9));
    }

    #[test]
    fn parts_that_broke_off_together_are_one_failure() {
        let mut backoff = Backoff::new(7);
        for _ in 0..4 {
            backoff.failed(Purpose::Reach, Tick(10), Tick(100), error(None), true);
        }
        assert_eq!(backoff.row(Purpose::Reach).expect("a row").count, 1);
        backoff.failed(Purpose::Reach, Tick(101), Tick(200), error(None), true);
        assert_eq!(backoff.row(Purpose::Reach).expect("a row").count, 2);
    }

    #[test]
    fn retry_after_holds_everything() {
        let mut backoff = Backoff::new(7);
        backoff.failed(Purpose::Op(OpKind::Part(3)), Tick(0), Tick(0), error(Some(60_000)), false);
        assert!(!backoff.open(Purpose::Op(OpKind::Begin), Tick(59_999)));
        assert!(backoff.open(Purpose::Op(OpKind::Begin), Tick(60_000)));
        assert_eq!(backoff.next_open(Tick(5)), Some(Tick(60_000)));
    }
}
