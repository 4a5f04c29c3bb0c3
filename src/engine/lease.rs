//! The links in hand: how old each is, how long it will do, which refusal was for it. Renewal is single-flight and never loops, whatever the clocks say.

use crate::{
    model::{Part, SortedMap, Tick, http::host_of},
    service::Lease,
};

/// Links are renewed this long before their end, or a third of their life, whichever is less (smh §17.1).
pub(super) const LEAD_MS_MAX: u64 = 5 * 60_000;
/// After a cut that may hide an early refusal the next try of that part uses a link younger than this.
pub(super) const FRESH_MS: u64 = 60_000;
/// The place of the one link that serves every part.
const SHARED: u32 = 0;

/// One link's life as we saw it.
#[derive(Clone, Copy, Debug)]
struct Life {
    generation: u32,
    obtained: Tick,
    /// From here on a fresh one is asked for. `None`: it was over by our reckoning when it came; then only the service's word counts, and no
    /// clock can make us ask in a loop.
    renew_at: Option<Tick>,
    /// The service refused it.
    stale: bool,
}

/// The links in hand, of one answer or of several.
#[derive(Debug, Default)]
pub(super) struct HeldLease {
    pub(super) lease: Lease,
    lives: SortedMap<u32, Life>,
    generation: u32,
}

impl HeldLease {
    /// Links that just came; `service_unix_ms` is the service's clock at that moment. A shared one replaces all, others add up.
    pub(super) fn take(&mut self, lease: Lease, now: Tick, service_unix_ms: i64) {
        self.generation += 1;
        let left_ms =
            lease.expires_unix_ms.and_then(|end| u64::try_from(end - service_unix_ms).ok()).filter(|left| *left > 0);
        let renew_at = left_ms.map(|left| now.after_ms(left - LEAD_MS_MAX.min(left / 3)));
        let life = Life { generation: self.generation, obtained: now, renew_at, stale: false };
        if lease.shared.is_some() {
            self.lives.clear();
            self.lives.insert(SHARED, life);
            self.lease = lease;
            return;
        }
        self.lives.remove(&SHARED);
        self.lease.shared = None;
        self.lives.extend(lease.links.keys().map(|part_number| (*part_number, life)));
        self.lease.links.extend(lease.links);
    }

    fn place(&self, part_number: u32) -> u32 {
        if self.lease.shared.is_some() && !self.lease.links.contains_key(&part_number) { SHARED } else { part_number }
    }

    /// True when that part may be sent with what is in hand; `fresh`: only with a young link.
    pub(super) fn serves(&self, part: &Part, fresh: bool, now: Tick) -> bool {
        self.lives.get(&self.place(part.part_number)).is_some_and(|life| {
            !life.stale && life.renew_at.is_none_or(|at| now < at) && (!fresh || now.since_ms(life.obtained) < FRESH_MS)
        })
    }

    /// Names the link that a part goes out with.
    pub(super) fn generation_of(&self, part_number: u32) -> u32 {
        self.lives.get(&self.place(part_number)).map_or(0, |life| life.generation)
    }

    /// The link that a part went out with was refused. One that has been replaced since is not meant.
    pub(super) fn refuse(&mut self, part_number: u32, generation: u32) {
        let place = self.place(part_number);
        if let Some(life) = self.lives.get_mut(&place)
            && life.generation == generation
        {
            life.stale = true;
        }
    }

    /// Nobody answered where the link leads that a part went out with: no other to the same host is tried either. One that has been replaced since is not
    /// meant.
    pub(super) fn refuse_host(&mut self, part_number: u32, generation: u32) {
        let host_at = |lease: &Lease, place: u32| {
            let link = if place == SHARED { lease.shared.as_ref() } else { lease.links.get(&place) };
            link.map(|link| host_of(link.url.expose()).to_owned())
        };
        let host = host_at(&self.lease, self.place(part_number));
        if self.generation_of(part_number) == generation {
            let there = self.lives.iter_mut().filter(|(place, _)| host_at(&self.lease, **place) == host);
            there.for_each(|(_, life)| life.stale = true);
        }
    }

    /// The part is proven: a link of its own is of no use any more.
    pub(super) fn forget(&mut self, part_number: u32) {
        if self.lease.links.remove(&part_number).is_some() {
            self.lives.remove(&part_number);
        }
    }

    /// Nothing in hand is worth anything.
    pub(super) fn clear(&mut self) {
        self.lease = Lease::default();
        self.lives.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Link;

    fn part(part_number: u32) -> Part {
        Part { part_number, offset: 0, size_bytes: 1 }
    }

    fn link() -> Link {
        Link { url: "http://h/x".into(), headers: vec![] }
    }

    fn shared(expires_unix_ms: Option<i64>, now: Tick) -> HeldLease {
        let mut held = HeldLease::default();
        held.take(Lease { shared: Some(link()), expires_unix_ms, ..Lease::default() }, now, 0);
        held
    }

    fn single(numbers: impl IntoIterator<Item = u32>, expires_unix_ms: i64) -> Lease {
        let links = numbers.into_iter().map(|number| (number, link())).collect();
        Lease { links, expires_unix_ms: Some(expires_unix_ms), ..Lease::default() }
    }

    #[test]
    fn it_is_renewed_a_third_early_or_five_minutes() {
        let short = shared(Some(3_000), Tick(0));
        assert!(short.serves(&part(1), false, Tick(1_999)) && !short.serves(&part(1), false, Tick(2_000)));
        let long = shared(Some(3_600_000), Tick(0));
        assert!(long.serves(&part(1), false, Tick(3_299_999)) && !long.serves(&part(1), false, Tick(3_300_000)));
    }

    #[test]
    fn no_clock_makes_it_loop() {
        for expires in [None, Some(-86_400_000), Some(0)] {
            assert!(shared(expires, Tick(0)).serves(&part(1), false, Tick(u64::MAX)));
        }
    }

    #[test]
    fn a_suspect_part_wants_a_young_one() {
        let held = shared(None, Tick(5));
        assert!(held.serves(&part(1), true, Tick(60_004)) && !held.serves(&part(1), true, Tick(60_005)));
    }

    #[test]
    fn a_refusal_is_for_the_link_that_went_out() {
        let mut held = HeldLease::default();
        held.take(single(1..=2, 9_000), Tick(0), 0);
        let old = held.generation_of(1);
        held.refuse(1, old);
        assert!(
            !held.serves(&part(1), false, Tick(1)) && held.serves(&part(2), false, Tick(1)),
            "the other link is as good as before"
        );
        held.take(single([1], 9_000), Tick(2), 0);
        held.refuse(1, old);
        assert!(held.serves(&part(1), false, Tick(3)), "a late refusal of the old one says nothing of the new one");
    }

    #[test]
    fn a_host_that_does_not_answer_is_left() {
        let mut held = HeldLease::default();
        held.take(single(1..=2, 9_000), Tick(0), 0);
        let old = held.generation_of(1);
        let other = Link { url: "http://i/x".into(), headers: vec![] };
        let elsewhere = Lease { links: [(3, other)].into_iter().collect(), ..Lease::default() };
        held.take(elsewhere, Tick(1), 0);
        held.refuse_host(1, old);
        assert_eq!([1, 2, 3].map(|number| held.serves(&part(number), false, Tick(2))), [false, false, true]);
        held.take(single([1], 9_000), Tick(3), 0);
        held.refuse_host(1, old);
        assert!(held.serves(&part(1), false, Tick(4)), "a late word of the old one says nothing of the new one");
    }

    #[test]
    fn links_live_and_go_each_on_their_own() {
        let mut held = HeldLease::default();
        held.take(single([1], 3_000), Tick(0), 0);
        held.take(single([2], 9_000), Tick(0), 0);
        assert!(!held.serves(&part(1), false, Tick(2_500)) && held.serves(&part(2), false, Tick(2_500)));
        assert!(!held.serves(&part(3), false, Tick(1)));
        held.forget(2);
        assert!(!held.serves(&part(2), false, Tick(1)) && !held.lease.covers(2));
    }
}
