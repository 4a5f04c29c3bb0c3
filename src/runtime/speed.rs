//! How fast an upload goes: bytes over the last seconds, from what its machine has counted.

use std::collections::VecDeque;

use crate::{engine::Progress, model::Tick};

/// The seconds that count.
const WINDOW_MS: u64 = 8_000;
/// Samples are at least this far apart: one a beat, not one a write.
const APART_MS: u64 = 250;
/// With less than this there is no rate to speak of.
const WINDOW_MS_MIN: u64 = 500;

/// Samples of one upload at work.
#[derive(Debug, Default)]
pub(super) struct Speed {
    samples: VecDeque<(Tick, u64)>,
}

impl Speed {
    /// Notes how much was sent by now, and fills in what follows from it.
    pub(super) fn fill(&mut self, now: Tick, progress: &mut Progress) {
        let sent = progress.bytes_sent;
        if self.samples.back().is_none_or(|(at, _)| now.since_ms(*at) >= APART_MS) {
            self.samples.push_back((now, sent));
        }
        while self.samples.len() > 1 && self.samples.front().is_some_and(|(at, _)| now.since_ms(*at) > WINDOW_MS) {
            self.samples.pop_front();
        }
        let Some((since, before)) = self.samples.front().copied() else { return };
        let ms = now.since_ms(since);
        if ms >= WINDOW_MS_MIN {
            progress.rate_bytes_per_s = sent.saturating_sub(before).saturating_mul(1_000) / ms;
        }
        let left = progress.bytes_total.saturating_sub(progress.bytes_shown);
        progress.eta_ms =
            (progress.rate_bytes_per_s > 0).then(|| left.saturating_mul(1_000) / progress.rate_bytes_per_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(speed: &mut Speed, ms: u64, sent: u64) -> Progress {
        let mut progress = Progress {
            bytes_total: 1_000_000,
            bytes_sent: sent,
            bytes_shown: sent.min(1_000_000),
            ..Progress::default()
        };
        speed.fill(Tick(ms), &mut progress);
        progress
    }

    #[test]
    fn a_steady_rate_is_told_and_a_stop_is_noticed() {
        let mut speed = Speed::default();
        assert_eq!(at(&mut speed, 1, 0).rate_bytes_per_s, 0);
        let mut last = Progress::default();
        for second in 1..=8 {
            last = at(&mut speed, 1 + second * 1_000, second * 100_000);
        }
        assert_eq!((last.rate_bytes_per_s, last.eta_ms), (100_000, Some(2_000)));
        for second in 9..=20 {
            last = at(&mut speed, 1 + second * 1_000, 800_000);
        }
        assert_eq!((last.rate_bytes_per_s, last.eta_ms), (0, None));
        assert!(speed.samples.len() < 40);
    }
}
