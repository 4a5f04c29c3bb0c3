//! One run: uploads followed to their ends, told as they go.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use partway::{
    client::{Client, Listener, Select, Snapshot},
    engine::{State, WaitReason},
    error::ErrorInfo,
};

use crate::{
    args::{Common, Transfer},
    client,
    credential::Tokens,
    ending::{self, Stand},
    exit::Exit,
    json::{Finished, state_words},
    output::Output,
    signals,
};

/// At most five lines of progress a second.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// How long what was true before this run's commands may still be shown before it is believed.
const STALE: Duration = Duration::from_secs(2);

enum News {
    Changes(Vec<Snapshot>),
    Interrupted,
}

struct Teller(Sender<News>);

impl Listener for Teller {
    fn on_changes(&self, changes: &[Snapshot]) {
        // Nobody listens any more once the run is over.
        drop(self.0.send(News::Changes(changes.to_vec())));
    }
}

/// The uploads of one run.
pub(crate) struct Run {
    pub(crate) client: Client,
    transfer: Transfer,
    news: Receiver<News>,
    output: Output,
    watched: Vec<Watched>,
    worst: Exit,
}

struct Watched {
    id: String,
    label: String,
    /// As it was before this run's commands.
    before: u64,
    revision: u64,
    state: Option<(&'static str, Option<&'static str>)>,
    progress: Option<(u64, u64, u64)>,
    progress_at: Option<Instant>,
    over: bool,
}

impl Run {
    /// Opens the client; nothing moves before [`Run::go`].
    pub(crate) fn open(common: &Common, transfer: &Transfer, tokens: Tokens) -> Result<Run, ErrorInfo> {
        let config = client::config(common, transfer, tokens)?;
        let (teller, news) = mpsc::channel();
        let interrupt = teller.clone();
        signals::on_first(move || drop(interrupt.send(News::Interrupted)))?;
        Ok(Run {
            client: client::open(config, Some(Arc::new(Teller(teller))))?,
            transfer: transfer.clone(),
            news,
            output: Output::new(common.json),
            watched: Vec::new(),
            worst: Exit::Completed,
        })
    }

    /// Follows an upload; one that is followed already is not followed twice.
    pub(crate) fn follow(&mut self, id: String, label: String) {
        if self.watched.iter().any(|watched| watched.id == id) {
            return;
        }
        let (before, revision, state) = (0, 0, None);
        let (progress, progress_at, over) = (None, None, false);
        self.watched.push(Watched { id, label, before, revision, state, progress, progress_at, over });
    }

    /// There will be no upload for this.
    pub(crate) fn refuse(&mut self, label: String, error: ErrorInfo) {
        let exit = Exit::of(&error);
        self.output.finished(&Finished::refused(label, error));
        self.worst = self.worst.max(exit);
    }

    /// Lets the followed uploads go on until each is over, or a signal comes.
    pub(crate) fn go(mut self) -> Exit {
        for at in 0..self.watched.len() {
            let id = self.watched[at].id.clone();
            self.watched[at].before = self.client.snapshot(&id).map_or(0, |snapshot| snapshot.revision);
            self.look(at, Instant::now());
        }
        let begun = Instant::now();
        if !self.is_over() {
            self.bound();
            // Other uploads of the directory are not meant.
            let ids: Vec<String> =
                self.watched.iter().filter(|watched| !watched.over).map(|watched| watched.id.clone()).collect();
            self.client.go_only(&ids);
        }
        while !self.is_over() {
            match self.news.recv_timeout(PROGRESS_EVERY) {
                Ok(News::Changes(changes)) => changes.into_iter().for_each(|snapshot| self.seen(snapshot, begun)),
                Ok(News::Interrupted) => self.interrupt(),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    for at in 0..self.watched.len() {
                        self.look(at, begun);
                    }
                }
            }
        }
        self.client.close(client::CLOSE_MS);
        // A 2 says that nothing was sent.
        if self.worst == Exit::Usage && !self.watched.is_empty() { Exit::Failed } else { self.worst }
    }

    fn is_over(&self) -> bool {
        self.watched.iter().all(|watched| watched.over)
    }

    fn bound(&self) {
        let left = self.watched.iter().filter(|watched| !watched.over).count();
        self.client.set_limits(client::limits(&self.transfer, left));
    }

    /// Asks how it stands: what was not told because it came too soon after the last line is told now.
    fn look(&mut self, at: usize, begun: Instant) {
        if self.watched[at].over {
            return;
        }
        match self.client.snapshot(&self.watched[at].id) {
            Some(snapshot) => self.seen(snapshot, begun),
            None => {
                let Watched { id, label, .. } = &self.watched[at];
                let finished = ending::vanished(id, label);
                self.finish(at, &finished, false);
            }
        }
    }

    fn seen(&mut self, snapshot: Snapshot, begun: Instant) {
        let Some(at) = self.watched.iter().position(|watched| watched.id == snapshot.id) else { return };
        let watched = &mut self.watched[at];
        if watched.over || snapshot.revision < watched.revision {
            return;
        }
        let stand = ending::stand(&snapshot, &watched.label);
        let stale = snapshot.revision <= watched.before && begun.elapsed() < STALE;
        if stale && (matches!(stand, Stand::Stuck(_)) || matches!(snapshot.state, State::Waiting { .. })) {
            return;
        }
        watched.revision = snapshot.revision;
        let words = state_words(&snapshot.state);
        // "Held" is how the client was opened, for the moment that it takes to let it go.
        let tells = !snapshot.state.ended() && words.1 != Some(WaitReason::Held.name());
        if tells && watched.state != Some(words) {
            watched.state = Some(words);
            self.output.state(&watched.label, &snapshot);
        }
        let followed = watched.state.is_some();
        self.progress(at, &snapshot, followed && !matches!(stand, Stand::Goes));
        match stand {
            Stand::Goes => {}
            Stand::Ended(finished) => self.finish(at, &finished, true),
            Stand::Stuck(finished) => self.finish(at, &finished, false),
        }
    }

    fn progress(&mut self, at: usize, snapshot: &Snapshot, last: bool) {
        let watched = &mut self.watched[at];
        let progress = snapshot.progress;
        let now = (progress.bytes_total, progress.bytes_acknowledged, progress.bytes_sent);
        let due = watched.progress_at.is_none_or(|told| told.elapsed() >= PROGRESS_EVERY);
        let news = watched.progress != Some(now) && !snapshot.state.ended();
        if last || (news && due) {
            watched.progress = Some(now);
            watched.progress_at = Some(Instant::now());
            self.output.progress(&watched.label, snapshot);
        }
    }

    /// Tells that it is over; an ending that was told is forgotten.
    fn finish(&mut self, at: usize, finished: &Finished, ended: bool) {
        self.watched[at].over = true;
        match self.is_over() {
            // Its place is for no upload that was not meant.
            true => drop(self.client.hold(0)),
            false => self.bound(),
        }
        let told = self.output.finished(finished);
        self.worst = self.worst.max(ending::exit(finished));
        if ended && told {
            self.client.forget(&Select::one(&self.watched[at].id));
        }
    }

    fn interrupt(&mut self) {
        self.client.hold(client::CLOSE_MS);
        for at in 0..self.watched.len() {
            let Watched { id, label, over: false, .. } = &self.watched[at] else { continue };
            let snapshot = self.client.snapshot(id);
            let stand = snapshot.as_ref().map(|snapshot| ending::stand(snapshot, label));
            match (stand, snapshot) {
                (Some(Stand::Ended(finished)), _) => self.finish(at, &finished, true),
                (_, Some(snapshot)) => {
                    let finished = ending::interrupted(&snapshot, label);
                    self.progress(at, &snapshot, true);
                    self.finish(at, &finished, false);
                }
                (_, None) => {
                    let finished = ending::vanished(id, label);
                    self.finish(at, &finished, false);
                }
            }
        }
    }
}
