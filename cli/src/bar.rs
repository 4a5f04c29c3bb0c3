//! How far uploads are, for people: bars on a terminal, lines elsewhere.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use partway::client::Snapshot;

use crate::{
    human::{bytes, duration, state},
    json::state_words,
    output::note,
};

const DRAWS_PER_S: u8 = 8;
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Before that a rate says nothing.
const PACE_MIN: Duration = Duration::from_millis(500);

/// One bar, with the rate of this run: what an earlier one sent is no speed of it.
pub(crate) struct Bar {
    bar: ProgressBar,
    since: Instant,
    first: Option<u64>,
}

impl Bar {
    /// A bar that counts bytes.
    pub(crate) fn new(label: &str) -> Bar {
        let template = "{prefix} [{bar:24}] {bytes}/{total_bytes} {msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(1).with_style(style.progress_chars("=> ")).with_prefix(label.to_owned());
        Bar { bar, since: Instant::now(), first: None }
    }

    /// So far, and what it is at.
    pub(crate) fn set(&mut self, done: u64, total: u64, at: &str) {
        if total > 0 && self.first.is_none() {
            self.since = Instant::now();
            self.first = Some(done);
        }
        self.bar.set_length(total.max(1));
        self.bar.set_position(done);
        let pace =
            pace(done.saturating_sub(self.first.unwrap_or(done)), total.saturating_sub(done), self.since.elapsed());
        self.bar.set_message(format!("{pace}{at}"));
    }

    /// Leaves it on the screen as it is.
    pub(crate) fn leave(&self) {
        self.bar.abandon();
    }
}

/// The rate and the time left, if they can be told.
fn pace(sent: u64, left: u64, elapsed: Duration) -> String {
    if sent == 0 || elapsed < PACE_MIN {
        return String::new();
    }
    let per_s = (sent as f64 / elapsed.as_secs_f64()).max(1.0);
    let left_ms = (left as f64 / per_s * 1000.0) as u64;
    format!("{}/s, {} left, ", bytes(per_s as u64), duration(left_ms))
}

/// One bar an upload, on stderr.
pub(crate) struct Bars {
    all: MultiProgress,
    bars: HashMap<String, Bar>,
}

impl Bars {
    pub(crate) fn new() -> Self {
        Bars {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S)),
            bars: HashMap::new(),
        }
    }

    /// Shows it as it is.
    pub(crate) fn update(&mut self, label: &str, snapshot: &Snapshot) {
        let progress = snapshot.progress;
        let bar = self.bars.entry(snapshot.id.clone()).or_insert_with(|| {
            let bar = Bar::new(label);
            self.all.add(bar.bar.clone());
            bar
        });
        let parts = match progress.parts_total {
            0 => String::new(),
            total => format!(", {} of {total} parts", progress.parts_done),
        };
        bar.set(progress.bytes_shown, progress.bytes_total, &format!("{}{parts}", state(&snapshot.state)));
    }

    /// Takes it away.
    pub(crate) fn finish(&mut self, id: Option<&str>) {
        if let Some(bar) = id.and_then(|id| self.bars.remove(id)) {
            bar.bar.finish_and_clear();
            self.all.remove(&bar.bar);
        }
    }

    /// Prints something beside the bars that are left.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.all.suspend(print)
    }
}

/// A line a change of state, and now and then one in between.
#[derive(Default)]
pub(crate) struct Plain {
    told: HashMap<String, Instant>,
}

impl Plain {
    pub(crate) fn state(&mut self, label: &str, snapshot: &Snapshot) {
        note(&format!("{label}: {}", state(&snapshot.state)));
    }

    pub(crate) fn progress(&mut self, label: &str, snapshot: &Snapshot) {
        let now = Instant::now();
        let told = self.told.entry(snapshot.id.clone()).or_insert(now);
        if now.duration_since(*told) < PLAIN_EVERY {
            return;
        }
        *told = now;
        let progress = snapshot.progress;
        let (done, total) = (bytes(progress.bytes_acknowledged), bytes(progress.bytes_total));
        note(&format!("{label}: {}, {done} of {total}", state_words(&snapshot.state).0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_told_once_there_is_one() {
        assert_eq!(pace(0, 9, Duration::from_secs(9)), "");
        assert_eq!(pace(9, 9, Duration::from_millis(1)), "");
        assert_eq!(pace(4 << 20, 6 << 20, Duration::from_secs(2)), "2.0 MiB/s, 3 s left, ");
    }
}
