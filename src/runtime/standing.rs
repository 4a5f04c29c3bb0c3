//! Where uploads stand: shown when it changes, and what follows for places, journals and whoever waits for rest.

use super::{
    Idle, LogLevel,
    disk::Job,
    driver::Driver,
    message::Removed,
    row::{Row, Stage},
    sources::{self, TempCopy, When},
};
use crate::{
    channel::{Sender, channel},
    engine::{Command, Event, Remote, State, WaitReason, Waiting, policy_error},
    error::{Code, ErrorInfo},
    model::{NetworkPolicy, Now, Tick},
};

/// Progress alone is published this often at most.
const PUBLISH_MS: u64 = 100;
/// A rate that falls is told this often.
const RATE_MS: u64 = 1_000;
/// A wait longer than this gives the upload's place to another.
const KEEP_PLACE_MS: u64 = 20_000;
/// An ending that was found is shown for so long at least: the wall clock, which tells its age, may be wrong, and the host has yet to see it.
const FOUND_KEPT_MS_MIN: u64 = 30_000;

impl Driver {
    /// A machine has nothing to do for now: is it worth its place?
    pub(super) fn rested(&mut self, number: usize, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Stage::Live(live) = &mut row.stage else { return };
        let mut state = live.machine.state(now);
        let wake = live.wake;
        let prepared = live.prepared.filter(|_| matches!(state, State::Active { .. } | State::Queued));
        if let Some(fraction) = prepared {
            state = preparing(fraction, now.unix_ms);
        }
        let mut progress = live.machine.progress();
        let busy = live.machine.is_busy();
        let over = live.done;
        let mut parks = prepared.is_none() && live.machine.gives_place(now, KEEP_PLACE_MS);
        // Between two tries of an abort others get theirs.
        parks |= state.ended() && wake.is_some();
        let leaves = (over || parks) && !busy;
        let since = now.tick.since_ms(row.published);
        let news = !row.progress.counts_as(&progress);
        let slows = row.progress.rate_bytes_per_s > 0;
        let changed = !row.state.is_like(&state);
        let due = leaves || news && since >= PUBLISH_MS || slows && since >= RATE_MS || !over && since >= self.beat_ms;
        // An ending is told once; what a stopped part still had to count comes too late for it.
        let due = due && !row.state.ended();
        let tells = changed || due && (news || slows || !leaves);
        let explanation = (tells && !state.ended()).then(|| live.machine.explain(now));
        let ends = state.ended() && !row.state.ended();
        let facts = live.machine.facts();
        let copy = if ends { TempCopy::of(facts, live.machine.identity(), When::Ended) } else { None };
        let kept = ends && facts.ended_unix_ms.is_some();
        if !leaves {
            live.speed.fill(now.tick, &mut progress);
        } else {
            self.leave(number, &state, wake, over, now);
        }
        if let Some(copy) = copy {
            self.sources.submit(sources::Job::Remove(copy));
        }
        let kept_ms = self.ended_kept_ms.filter(|_| kept);
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.forget_at = row.forget_at.or(kept_ms.map(|ms| now.tick.after_ms(ms)));
        if tells {
            self.board.set_explanation(row.id.as_str(), explanation);
            self.dirty |= changed;
            row.state = state;
            row.progress = progress;
            self.publish(number, now);
        }
        // Held back, not lost: nothing else may ever happen that would show it.
        let beat = self.beat_ms;
        let Some(row) = self.rows.get_mut(&number) else { return };
        // Of an upload that has ended nothing more is told.
        if row.state.ended() {
            return;
        }
        let published = row.published;
        let in_ms = match (row.progress.counts_as(&progress), row.progress.rate_bytes_per_s) {
            (false, _) => PUBLISH_MS,
            (true, 0) => beat,
            (true, _) => RATE_MS,
        };
        if let Some(live) = row.live().filter(|live| !live.done) {
            let at = published.after_ms(in_ms);
            live.wake = Some(live.wake.map_or(at, |wake| wake.min(at)));
        }
    }

    /// Its journal is closed, and its place is another's.
    fn leave(&mut self, number: usize, state: &State, wake: Option<Tick>, over: bool, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let Stage::Live(live) = &row.stage else { return };
        let unkept = live.machine.unkept();
        row.eligible = !over
            && match state {
                State::Waiting { waiting } => waiting.retry_in_ms.is_some(),
                // Its place is another's; the abort is tried again when there is one, unless the host has taken the ending.
                State::Cancelled { remote: Remote::AbortPending } => row.forget.is_none(),
                _ => false,
            };
        row.wake = wake.filter(|_| row.eligible);
        if !unkept.is_empty() && !state.ended() {
            // The disk refused what the host said: that is said again, before what was said since.
            let since = std::mem::replace(&mut row.commands, unkept);
            row.commands.extend(since);
            row.wake = Some(now.tick.after_ms(super::driver::LOOK_AGAIN_MS));
        }
        // What was counted is not forgotten because its place is another's.
        if let (Stage::Live(mut live), false) = (std::mem::replace(&mut row.stage, Stage::Closing), over) {
            row.memory = Some(Box::new(live.machine.hand_on()));
        }
        if over {
            row.offer = None;
        }
        let id = row.id;
        self.live.remove(&number);
        self.dirty = true;
        self.disk.submit(Job::Close { row: number, id });
    }

    pub(super) fn publish(&mut self, number: usize, now: Now) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.published = now.tick;
        if let Some(mut snapshot) = self.board.snapshot(row.id.as_str()) {
            if std::mem::discriminant(&snapshot.state) != std::mem::discriminant(&row.state) {
                snapshot.changed_unix_ms = now.unix_ms;
            }
            if !snapshot.state.is_like(&row.state) {
                let (id, state) = (row.id, &row.state);
                self.logger.log(level_of(state), "upload", || format!("{id}: {}", words_of(state)));
            }
            snapshot.network = row.policy;
            snapshot.state = row.state.clone();
            snapshot.progress = row.progress;
            self.outlet.changed(self.board.publish(snapshot));
        }
    }

    // ---- endings

    pub(super) fn forget(&mut self, number: usize, gone: Sender<()>) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        if !row.state.ended() {
            return;
        }
        match row.stage {
            Stage::Idle => self.remove(number, gone),
            Stage::Removing => {}
            _ => {
                row.forget = Some(gone);
                row.eligible = false;
                // What was still to be undone at the service is left: nobody waits for it any more.
                self.event(number, Event::Command(Command::Hold));
            }
        }
    }

    /// Another upload took its proof over: what is left of this one ends without a word.
    pub(super) fn supersede(&mut self, number: usize, gone: Sender<()>) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.superseded = true;
        }
        self.forget(number, gone);
    }

    /// The disk removes it. The row stays until that is done.
    pub(super) fn remove(&mut self, number: usize, gone: Sender<()>) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.stage = Stage::Removing;
            self.disk.submit(Job::Remove {
                row: number,
                id: row.id,
                board: self.board.clone(),
                outlet: self.outlet.clone(),
                gone,
                superseded: row.superseded,
            });
        }
    }

    pub(super) fn removed(&mut self, number: usize, removed: Removed) {
        match removed {
            Removed::Gone(copy) => {
                if let Some(row) = self.rows.remove(&number) {
                    self.by_id.remove(&row.id);
                }
                if let Some(copy) = copy {
                    self.sources.submit(sources::Job::Remove(copy));
                }
            }
            // It is still there, so it is still shown; it goes when the host says so again, or when its time is over once more.
            Removed::Not => {
                let again = self.clock.tick().after_ms(super::driver::LOOK_AGAIN_MS);
                if let Some(row) = self.rows.get_mut(&number) {
                    row.stage = Stage::Idle;
                    row.forget_at = row.forget_at.map(|_| again);
                    let id = row.id;
                    self.logger.log(LogLevel::Error, "journal", || format!("{id}: it could not be removed"));
                }
            }
        }
    }

    /// Another process has removed its journal: it is no upload of this one any more, and it did not end here.
    pub(super) fn vanish(&mut self, number: usize) {
        let Some(row) = self.rows.remove(&number) else { return };
        self.by_id.remove(&row.id);
        if self.board.remove(row.id.as_str()) {
            self.outlet.forgotten(row.id.as_str());
        }
        if let Some(gone) = row.forget {
            gone.send(());
        }
    }

    pub(super) fn closed(&mut self, number: usize) {
        let now = self.clock.now();
        let Some(row) = self.rows.get_mut(&number) else { return };
        row.stage = Stage::Idle;
        if let Some(gone) = row.forget.take() {
            return self.remove(number, gone);
        }
        self.look_at(number, now);
    }

    /// Ended uploads whose time is over are forgotten; what else goes on by itself is known by its time.
    pub(super) fn stand_by(&mut self, now: Now) {
        let over_at = |row: &Row| {
            let rests = matches!(row.stage, Stage::Idle) && row.state.ended() && !row.eligible;
            row.forget_at.filter(|_| rests)
        };
        let over: Vec<usize> = self
            .rows
            .iter()
            .filter(|(_, row)| over_at(row).is_some_and(|at| at <= now.tick))
            .map(|(number, _)| *number)
            .collect();
        for number in over {
            self.remove(number, channel().0);
        }
        // One whose time has come stands in line, and a place that becomes free is noticed anyway.
        let unix = |at: i64| now.tick.after_ms(u64::try_from(at.saturating_sub(now.unix_ms)).unwrap_or(0).max(1));
        let next = |row: &Row| {
            let idle = matches!(row.stage, Stage::Idle);
            let retries = row.eligible && self.goes(row) && row.barred(&self.network).is_none();
            let wake = row.wake.filter(|at| idle && *at > now.tick && (retries || !row.commands.is_empty()));
            let gives_up = row
                .gives_up_unix_ms
                .filter(|at| idle && !row.over && !row.state.ended() && self.goes(row) && *at > now.unix_ms)
                .map(unix);
            wake.into_iter().chain(gives_up).chain(over_at(row)).min()
        };
        self.rest_wake = self.rows.values().filter_map(|row| next(row)).min();
        if let Some(rest) = self.board.set_idle(self.idle(now), self.heard) {
            self.outlet.idle(rest);
        }
    }

    /// When an ending that was found is forgotten by itself. How old it is only the wall clock tells, across processes.
    pub(super) fn found_forget_at(&self, ended_unix_ms: Option<i64>, now: Now) -> Option<Tick> {
        let (kept_ms, ended_unix_ms) = (self.ended_kept_ms?, ended_unix_ms?);
        let age_ms = u64::try_from(now.unix_ms.saturating_sub(ended_unix_ms)).unwrap_or(0);
        let left_ms = kept_ms.saturating_sub(age_ms).max(kept_ms.min(FOUND_KEPT_MS_MIN));
        Some(now.tick.after_ms(left_ms))
    }

    fn idle(&self, now: Now) -> Idle {
        let mut idle = Idle::default();
        let mut wants: Option<NetworkPolicy> = None;
        for row in self.rows.values().filter(|row| !row.state.ended()) {
            idle.bytes_remaining += row.progress.bytes_total.saturating_sub(row.progress.bytes_acknowledged);
            // What an earlier process waited for is tried again as soon as it may be.
            let person = !row.waited && matches!(&row.state, State::Waiting { waiting } if waiting.needs_host);
            if !person && row.state != State::Paused {
                wants = Some(wants.map_or(row.policy, |mildest| mildest.min(row.policy)));
            }
            match (&row.stage, &row.state) {
                _ if person => idle.waiting_for_person += 1,
                (Stage::Live(_) | Stage::Loading, _) => idle.active += 1,
                (_, State::Queued) => idle.queued += 1,
                _ if row.waited => idle.queued += 1,
                _ => {}
            }
        }
        idle.wants = wants.unwrap_or_default();
        idle.next_wake_ms = self.next_wake().map(|at| at.since_ms(now.tick));
        let line = |row: &Row| row.may_load(now, &self.network) && (self.goes(row) || !row.commands.is_empty());
        idle.at_rest = self.at_rest() && !self.rows.values().any(|row| line(row));
        idle
    }
}

fn waits(reason: WaitReason, error: Option<ErrorInfo>, prepared: Option<f32>, unix_ms: i64) -> State {
    let waiting = Waiting {
        reason,
        since_unix_ms: unix_ms,
        retry_in_ms: None,
        error,
        choices: vec![],
        needs_host: false,
        prepared,
    };
    State::Waiting { waiting }
}

/// Of an upload that the network keeps from going on.
pub(super) fn barred(reason: WaitReason, unix_ms: i64) -> State {
    let error = match reason {
        WaitReason::NetworkPolicy => policy_error(),
        _ => ErrorInfo::new(Code::Offline, "the device is offline"),
    };
    waits(reason, Some(error), None, unix_ms)
}

/// Of an upload whose service asked for rest.
pub(super) fn rests(until: Tick, now: Now) -> State {
    let error = ErrorInfo::new(Code::ServiceBusy, "the service asked for rest");
    match waits(WaitReason::Retry, Some(error), None, now.unix_ms) {
        State::Waiting { waiting } => {
            State::Waiting { waiting: Waiting { retry_in_ms: Some(until.since_ms(now.tick)), ..waiting } }
        }
        state => state,
    }
}

fn preparing(fraction: f32, unix_ms: i64) -> State {
    waits(WaitReason::Source, None, Some(fraction), unix_ms)
}

fn level_of(state: &State) -> LogLevel {
    match state {
        State::Failed { .. } => LogLevel::Warn,
        State::Waiting { waiting } if waiting.needs_host => LogLevel::Warn,
        State::Active { .. } => LogLevel::Debug,
        _ => LogLevel::Info,
    }
}

fn words_of(state: &State) -> String {
    match state {
        State::Queued => "queued".to_owned(),
        State::Active { phase } => format!("active, {}", phase.name()),
        State::Waiting { waiting } => {
            let why = waiting.error.as_ref().map(|error| format!(", {}", error.log_line())).unwrap_or_default();
            format!("waiting, {}{why}", waiting.reason.name())
        }
        State::Paused => "paused".to_owned(),
        State::Completed { receipt } => format!("completed, {} bytes", receipt.size_bytes),
        State::Failed { error } => format!("failed, {}", error.log_line()),
        State::Cancelled { remote } => format!("cancelled, {remote:?}"),
    }
}
