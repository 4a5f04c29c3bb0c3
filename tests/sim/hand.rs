//! The random hand of the host and of the world; and, after the storm, the hand that mends what only a host can mend.

use partway::{
    engine::{Command, Event, OpKind, State, Tuning, WaitReason},
    model::{Conflict, OnChange},
};

use super::world::{Due, World};

impl World {
    fn any_row(&mut self) -> usize {
        self.rng.usize(0..self.disks.len())
    }

    /// The host does something.
    pub fn hand(&mut self) {
        if self.calm {
            return;
        }
        let row = self.any_row();
        match self.rng.u32(0..16) {
            0 | 1 => self.command(row, Command::Pause),
            2..=5 => self.command(row, Command::Resume),
            6 => self.hold(true),
            7 | 8 => self.hold(false),
            9 => {
                let parts = self.rng.u32(1..6).min(self.options.parallel_parts);
                self.command(row, Command::Tune(Tuning { parallel_parts: Some(parts), ..Tuning::default() }));
            }
            10 => {
                let conflict =
                    if self.rng.bool() { Conflict::Rename } else { Conflict::Overwrite { if_version: None } };
                self.command(row, Command::Conflict(conflict));
            }
            11 => {
                let on_change = if self.rng.bool() { OnChange::Restart } else { OnChange::Fail };
                self.command(row, Command::OnChange(on_change));
            }
            12 => self.give_back(row),
            13 => {
                let secret = self.cloud.base_mut().mint();
                self.credential(0, Some(secret));
            }
            _ if self.options.cancels && self.rng.u32(0..3) == 0 => {
                self.oracles.of[row].excuse.cancelled = true;
                self.command(row, Command::Cancel);
            }
            _ => {}
        }
        let ms = self.rng.u64(100..6_000);
        self.after(ms, Due::Hand);
    }

    fn hold(&mut self, held: bool) {
        let Some(phone) = &mut self.phone else { return };
        phone.held = held;
        self.note(|_| format!("host: {}", if held { "hold" } else { "go" }));
        self.all_live(Event::Command(if held { Command::Hold } else { Command::Go }));
        if !held {
            self.again_if(&[WaitReason::Held]);
        }
    }

    /// The host has the file again.
    fn give_back(&mut self, row: usize) {
        if self.sources[row].gone {
            self.sources[row].gone = false;
            self.sources[row].replace_by_a_copy();
        }
        self.command(row, Command::Resume);
    }

    fn set_network(&mut self, online: Option<bool>) {
        let Some(phone) = &mut self.phone else { return };
        phone.online = online;
        phone.network_generation += 1;
        phone.schedule.reset();
        let network = phone.network();
        self.note(|_| format!("network: {online:?}"));
        self.all_live(Event::Network(network));
        if online != Some(false) {
            self.again_if(&[WaitReason::Network, WaitReason::Retry]);
        }
    }

    /// The world does something.
    pub fn weather(&mut self) {
        if self.calm {
            return;
        }
        let options = self.options.clone();
        let row = self.any_row();
        if options.source_changed_unseen && self.rng.bool() {
            return self.change_unseen(row);
        }
        match self.rng.u32(0..13) {
            0 if options.tokens_die => self.cloud.base_mut().tokens.clear(),
            1 if options.tasks_forgotten => self.forget_task(),
            2 if options.parts_lost => self.lose_part(),
            3 if options.service_clock_jumps => {
                let by = self.rng.i64(-4_000_000..4_000_000);
                self.cloud.base_mut().clock_offset_ms += by;
                self.oracles.clock_jumped(self.tick);
            }
            4 if options.phone_clock_jumps => self.phone_offset_ms += self.rng.i64(-90_000_000..90_000_000),
            5 if options.sleeps => self.asleep_until = self.tick + self.rng.u64(1_000..400_000),
            6 if options.network_flaps => {
                let online = [None, Some(true), Some(true), Some(false)][self.rng.usize(0..4)];
                self.set_network(online);
            }
            7 if options.source_touched => {
                if self.rng.bool() {
                    self.sources[row].touch();
                } else {
                    self.sources[row].replace_by_a_copy();
                }
                self.source_moved(row, "touched");
            }
            8 if options.source_changed => {
                let blocks = self.sources[row].content.0.len();
                if blocks > 0 {
                    let at = self.rng.usize(0..blocks);
                    self.sources[row].change(at);
                }
                self.source_moved(row, "changed");
            }
            9 if options.source_changed => {
                let version = self.rng.usize(0..self.sources[row].versions.len());
                self.sources[row].restore(version);
                self.source_moved(row, "as it was once");
            }
            10 if options.source_resized => {
                let size = self.sources[row].content.len();
                let size = if self.rng.bool() { size + self.rng.u64(1..3_000_000) } else { self.rng.u64(0..=size) };
                self.sources[row].resize(size);
                self.source_moved(row, "resized");
            }
            11 if options.source_gone => {
                self.sources[row].gone = true;
                self.sources[row].touch();
                self.source_moved(row, "gone");
            }
            12 if options.crashes => self.crash(),
            _ => {}
        }
        let ms = self.rng.u64(1..=u64::from(options.weather));
        self.after(ms, Due::Weather);
    }

    fn source_moved(&mut self, row: usize, how: &str) {
        self.note(|_| format!("u{row} source {how}"));
        self.oracles.of[row].source_touched = true;
    }

    fn change_unseen(&mut self, row: usize) {
        let flying = self.flights.values().filter(|flight| flight.row == row && !flight.done);
        let flying: Vec<OpKind> = flying.map(|flight| flight.op.kind).collect();
        if let Some(offset) = self.oracles.of[row].hashed_and_not_sent(&flying) {
            self.sources[row].change_without_a_trace(offset);
            self.source_moved(row, "changed without a trace");
        }
    }

    fn forget_task(&mut self) {
        let all = self.cloud.all();
        if all.is_empty() {
            return;
        }
        let (handle, upload) = all[self.rng.usize(0..all.len())].clone();
        self.cloud.forget(&handle);
        self.note(|_| format!("the service forgets a task of u{upload}"));
        self.oracles.of[upload].excuse.gone = true;
    }

    fn lose_part(&mut self) {
        let some: Vec<(String, usize, Vec<u32>)> = self
            .cloud
            .open()
            .into_iter()
            .map(|(handle, upload)| (self.cloud.parts(&handle).into_iter().collect(), handle, upload))
            .filter(|(parts, ..): &(Vec<u32>, _, _)| !parts.is_empty())
            .map(|(parts, handle, upload)| (handle, upload, parts))
            .collect();
        if some.is_empty() {
            return;
        }
        let (handle, upload, parts) = &some[self.rng.usize(0..some.len())];
        let number = parts[self.rng.usize(0..parts.len())];
        self.cloud.lose(handle, number);
        self.note(|_| format!("the service loses part {number} of u{upload}"));
    }

    /// Nothing goes wrong from here on.
    pub fn calm(&mut self) {
        self.note(|_| "== calm ==".to_owned());
        self.calm = true;
        self.asleep_until = 0;
        self.flights.values_mut().filter(|flight| !flight.done).for_each(|flight| {
            if !matches!(flight.fate, super::network::Fate::Cut { .. } | super::network::Fate::Stalled { .. }) {
                flight.fate = super::network::Fate::Clean;
            }
        });
        self.after(1, Due::Heal);
    }

    /// Only what a host or a person must do; everything else has to find its own way.
    pub fn heal(&mut self) {
        self.after(30_000, Due::Heal);
        let Some(phone) = &self.phone else { return };
        let states: Vec<State> = phone.rows.iter().map(|row| row.state.clone()).collect();
        if phone.held {
            self.hold(false);
        }
        if self.phone.as_ref().is_some_and(|phone| phone.online == Some(false)) {
            self.set_network(Some(true));
        }
        for (row, state) in states.into_iter().enumerate() {
            let reason = match &state {
                State::Waiting { waiting } if waiting.needs_host => Some(waiting.reason),
                State::Paused => {
                    self.command(row, Command::Resume);
                    None
                }
                _ => None,
            };
            match reason {
                Some(WaitReason::Conflict) => self.command(row, Command::Conflict(Conflict::Rename)),
                Some(WaitReason::Source) => {
                    self.command(row, Command::OnChange(OnChange::Restart));
                    self.give_back(row);
                }
                Some(WaitReason::Credential) => {
                    let secret = self.cloud.base_mut().mint();
                    self.credential(0, Some(secret));
                    self.command(row, Command::Resume);
                }
                // A budget for the upload as a whole is waited for longer than anything else.
                Some(WaitReason::Retry) if state_waits_ms(&state) > 3_600_000 => self.command(row, Command::Resume),
                _ => {}
            }
        }
    }
}

fn state_waits_ms(state: &State) -> u64 {
    match state {
        State::Waiting { waiting } => waiting.retry_in_ms.unwrap_or(0),
        _ => 0,
    }
}
