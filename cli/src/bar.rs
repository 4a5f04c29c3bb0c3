//! How far uploads are, for people: bars on a terminal, lines elsewhere.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use partway::client::Snapshot;

use crate::{
    human::{bytes, state},
    json::state_words,
    output::note,
};

const DRAWS_PER_S: u8 = 8;
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// One bar an upload, on stderr.
pub(crate) struct Bars {
    all: MultiProgress,
    bars: HashMap<String, ProgressBar>,
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
            let bar = self.all.add(bar(label));
            // What an earlier run sent is no speed of this one.
            bar.set_position(progress.bytes_shown);
            bar.reset_eta();
            bar
        });
        bar.set_length(progress.bytes_total.max(1));
        bar.set_position(progress.bytes_shown);
        let parts = match progress.parts_total {
            0 => String::new(),
            total => format!(", {} of {total} parts", progress.parts_done),
        };
        bar.set_message(format!("{}{parts}", state(&snapshot.state)));
    }

    /// Takes it away.
    pub(crate) fn finish(&mut self, id: Option<&str>) {
        if let Some(bar) = id.and_then(|id| self.bars.remove(id)) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

/// A bar that counts bytes.
pub(crate) fn bar(label: &str) -> ProgressBar {
    let template = "{prefix} [{bar:24}] {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style.progress_chars("=> ")).with_prefix(label.to_owned())
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
