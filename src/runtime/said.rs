//! What a host says of an upload: to its machine, or, when it is at rest, straight into its journal.

use super::{
    LogLevel,
    disk::Job,
    driver::Driver,
    message::{Loaded, Said},
    row::{Row, Stage},
    sources::{self, TempCopy, When},
};
use crate::{
    engine::{Command, Event, SourceRecord, State, Tuning, WaitReason},
    model::Now,
    source::{SourceOffer, SourceWhat},
};

impl Driver {
    pub(super) fn command(&mut self, number: usize, command: Command) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        if command == Command::Resume {
            self.schedule.open(row.hosts.iter().map(|host| &**host));
        }
        // An ended upload has nothing to be told.
        if row.state.ended() {
            return;
        }
        if let Command::Tune(tuning) = &command {
            let Tuning { priority, network, rate_bytes_per_s, .. } = *tuning;
            row.priority = priority.unwrap_or(row.priority);
            row.policy = network.unwrap_or(row.policy);
            if let (Some(live), Some(rate)) = (row.live(), rate_bytes_per_s) {
                live.rate.set(rate);
            }
        }
        match &row.stage {
            Stage::Live(_) => self.event(number, Event::Command(command)),
            _ => {
                row.commands.push(command);
                // What a host says is tried at once.
                row.wake = None;
            }
        }
    }

    /// The host gives the source anew: in this process as it is, and for the next one what a journal can hold of it.
    pub(super) fn attach(&mut self, number: usize, offer: SourceOffer) {
        let Some(row) = self.rows.get_mut(&number).filter(|row| !row.state.ended()) else { return };
        let record = record_of(&offer);
        row.offer = (!matches!(offer.what, SourceWhat::Later)).then(|| Box::new(offer.what));
        row.again_if(&[WaitReason::Source]);
        if let Some(record) = record {
            self.command(number, Command::SourceIs(Box::new(record)));
        }
        self.command(number, Command::LookAgain);
    }

    /// Sends to the disk what was said of uploads at rest. No machine is made for that, so all of them may go at once.
    pub(super) fn keep_what_was_said(&mut self, now: Now) {
        let mut all = vec![];
        for (number, row) in &mut self.rows {
            let due = row.wake.is_none_or(|wake| wake <= now.tick);
            if matches!(row.stage, Stage::Idle) && due && !row.needs_machine && !row.commands.is_empty() {
                row.stage = Stage::Saying;
                row.wake = None;
                all.push((*number, row.id, std::mem::take(&mut row.commands)));
            }
        }
        if !all.is_empty() {
            self.disk.submit(Job::Say { all });
        }
    }

    pub(super) fn said(&mut self, number: usize, commands: Vec<Command>, said: Said) {
        let now = self.clock.now();
        let Some(row) = self.rows.get_mut(&number) else { return };
        let facts = match said {
            Said::Kept(facts) => facts,
            Said::NeedsMachine => {
                again(row, commands);
                row.stage = Stage::Idle;
                row.needs_machine = true;
                return;
            }
            Said::Not(loaded) => {
                // What the host said is not lost: it is said again when the journal can be had.
                if !matches!(loaded, Loaded::Lost(_)) {
                    again(row, commands);
                }
                return self.loaded(number, loaded);
            }
        };
        row.stage = Stage::Idle;
        let looks = |command: &Command| !matches!(command, Command::Tune(_) | Command::Pause);
        let before = std::mem::replace(&mut row.state, State::Queued);
        let (eligible, wake, progress, waited) = (row.eligible, row.wake, row.progress, row.waited);
        row.waited = false;
        row.rests_as(&facts, now.unix_ms);
        row.progress.bytes_shown = progress.bytes_shown.max(row.progress.bytes_shown);
        let stood = matches!(&before, State::Waiting { waiting }
            if !matches!(waiting.reason, WaitReason::Elsewhere | WaitReason::Disk | WaitReason::Held));
        // A wait that nothing of this ended goes on.
        if row.state == State::Queued && stood && !commands.iter().any(looks) {
            row.state = before;
            row.eligible = eligible;
            row.wake = wake;
            row.waited = waited;
        } else {
            row.wake = None;
            row.try_now();
            if let Some(copy) = TempCopy::of(&facts, None, When::Ended).filter(|_| !before.ended()) {
                self.sources.submit(sources::Job::Remove(copy));
            }
        }
        let row_id = row.id;
        if row.state.ended() {
            row.offer = None;
            let kept_ms = self.ended_kept_ms.filter(|_| facts.ended_unix_ms.is_some());
            row.forget_at = row.forget_at.or(kept_ms.map(|ms| now.tick.after_ms(ms)));
        }
        if let Some(gone) = row.forget.take() {
            return if row.state.ended() { self.remove(number, gone) } else { drop(gone) };
        }
        self.logger.log(LogLevel::Debug, "upload", || format!("{row_id}: what the host said is kept"));
        if self.look_at(number, now).is_none() {
            self.publish(number, now);
        }
        self.dirty = true;
    }

    /// Shows of an upload at rest what of the world keeps it there; gives the reason when that is news.
    pub(super) fn look_at(&mut self, number: usize, now: Now) -> Option<()> {
        let network = self.network;
        let row = self.rows.get_mut(&number)?;
        if !matches!(row.stage, Stage::Idle) || row.state.ended() {
            return None;
        }
        let waits = match &row.state {
            State::Queued => None,
            State::Waiting { waiting } if matches!(waiting.reason, WaitReason::Network | WaitReason::NetworkPolicy) => {
                Some(waiting.reason)
            }
            _ => return None,
        };
        let barred = row.barred(&network);
        if barred == waits {
            return None;
        }
        row.eligible = true;
        row.wake = None;
        row.state = barred.map_or(State::Queued, |reason| super::standing::barred(reason, now.unix_ms));
        self.publish(number, now);
        Some(())
    }

    /// The same for all of them.
    pub(super) fn look_at_the_line(&mut self) {
        let now = self.clock.now();
        let all: Vec<usize> = self.rows.keys().copied().collect();
        for number in all {
            self.look_at(number, now);
        }
    }
}

/// Says it again, before what was said since.
fn again(row: &mut Row, mut commands: Vec<Command>) {
    commands.append(&mut row.commands);
    row.commands = commands;
}

/// What a journal can hold of a source; `None`: nothing new.
pub(super) fn record_of(offer: &SourceOffer) -> Option<SourceRecord> {
    let (path, delete_at_end) = match &offer.what {
        SourceWhat::Path { path, delete_at_end } => (path.to_str().map(str::to_owned), *delete_at_end),
        _ => (None, false),
    };
    let told = path.is_some() || !offer.token.is_empty();
    told.then(|| SourceRecord { path, token: offer.token.clone(), delete_at_end })
}
