//! The lease in hand: how old, how long it will do, which refusal was for it. Renewal is single-flight and never loops, whatever the clocks say.

use crate::{
    model::{Part, Tick},
    service::Lease,
};

/// Links are renewed this long before their end, or a third of their life, whichever is less (smh §17.1).
pub(super) const LEAD_MS_MAX: u64 = 5 * 60_000;
/// After a cut that may hide an early refusal the next try of that part uses a lease younger than this.
pub(super) const FRESH_MS: u64 = 60_000;

/// A lease and its life as we saw it.
#[derive(Debug)]
pub(super) struct HeldLease {
    pub(super) lease: Lease,
    pub(super) generation: u32,
    obtained: Tick,
    /// From here on a fresh one is asked for. `None`: it was over by our reckoning when it came; then only the service's word counts, and no
    /// clock can make us ask in a loop.
    renew_at: Option<Tick>,
    /// The service refused it.
    pub(super) stale: bool,
}

impl HeldLease {
    /// A lease that just came; `service_unix_ms` is the service's clock at that moment.
    pub(super) fn new(lease: Lease, generation: u32, now: Tick, service_unix_ms: i64) -> Self {
        let left_ms =
            lease.expires_unix_ms.and_then(|end| u64::try_from(end - service_unix_ms).ok()).filter(|left| *left > 0);
        let renew_at = left_ms.map(|left| now.after_ms(left - LEAD_MS_MAX.min(left / 3)));
        Self { lease, generation, obtained: now, renew_at, stale: false }
    }

    /// True when that part may be sent with it now. `fresh`: only with a young one.
    pub(super) fn serves(&self, part: &Part, fresh: bool, now: Tick) -> bool {
        !self.stale
            && self.lease.covers(part.part_number)
            && self.renew_at.is_none_or(|at| now < at)
            && (!fresh || now.since_ms(self.obtained) < FRESH_MS)
    }

    /// Takes a newer one's place in: links for single parts add up, a shared one replaces all.
    pub(super) fn merge(self, older: Option<HeldLease>) -> HeldLease {
        let mut merged = self;
        if merged.lease.shared.is_none()
            && let Some(older) =
                older.filter(|older| !older.stale && older.renew_at.is_none_or(|at| merged.obtained < at))
        {
            for (part_number, link) in older.lease.links {
                merged.lease.links.entry(part_number).or_insert(link);
            }
            merged.renew_at = match (merged.renew_at, older.renew_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Link;

    const PART: Part = Part { part_number: 1, offset: 0, size_bytes: 1 };

    fn lease(expires_unix_ms: Option<i64>) -> Lease {
        let link = Link { url: "http://h/x".into(), headers: vec![] };
        Lease { shared: Some(link), expires_unix_ms, ..Lease::default() }
    }

    #[test]
    fn it_is_renewed_a_third_early_or_five_minutes() {
        let short = HeldLease::new(lease(Some(3_000)), 1, Tick(0), 0);
        assert!(short.serves(&PART, false, Tick(1_999)) && !short.serves(&PART, false, Tick(2_000)));
        let long = HeldLease::new(lease(Some(3_600_000)), 1, Tick(0), 0);
        assert!(long.serves(&PART, false, Tick(3_299_999)) && !long.serves(&PART, false, Tick(3_300_000)));
    }

    #[test]
    fn no_clock_makes_it_loop() {
        for expires in [None, Some(-86_400_000), Some(0)] {
            assert!(HeldLease::new(lease(expires), 1, Tick(0), 0).serves(&PART, false, Tick(u64::MAX)));
        }
    }

    #[test]
    fn a_suspect_part_wants_a_young_one() {
        let held = HeldLease::new(lease(None), 1, Tick(5), 0);
        assert!(held.serves(&PART, true, Tick(60_004)) && !held.serves(&PART, true, Tick(60_005)));
        assert!(!HeldLease { stale: true, ..held }.serves(&PART, false, Tick(6)));
    }
}
