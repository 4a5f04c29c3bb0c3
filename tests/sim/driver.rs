//! The contract of the product's driver, on one thread without time of its own: it feeds machines, lends slots of the product's scheduler, carries
//! out steps, and gives an upload's place to another when its wait is long.

use std::collections::BTreeSet;

use partway::{
    engine::{Command, Event, Machine, Memory, OpId, OpKind, Slots, State, Step, WaitReason, Work},
    error::{Code, ErrorInfo},
    model::{Identity, Network, Online, Tick},
    runtime::schedule::Schedule,
};

use super::world::{Due, Reading, World};

const KEEP_PLACE_MS: u64 = 20_000;
/// Steps of one machine at one tick: more is a loop.
const STEPS_MAX: u32 = 5_000;

pub enum Stage {
    Idle,
    Loading,
    Live(Box<Live>),
}

pub struct Live {
    pub machine: Machine,
    pub opened: Option<Identity>,
    pub flights: Vec<(OpId, u64)>,
    pub wake: Option<Tick>,
    pub done: bool,
}

pub struct Row {
    pub stage: Stage,
    pub state: State,
    pub eligible: bool,
    pub wake: Option<Tick>,
    pub commands: Vec<Command>,
    pub hosts: BTreeSet<String>,
    pub memory: Option<Memory>,
}

/// One process.
pub struct Phone {
    pub rows: Vec<Row>,
    pub schedule: Schedule,
    pub parts: u32,
    pub controls: u32,
    pub held: bool,
    pub online: Option<bool>,
    pub network_generation: u64,
    pub secret: Option<String>,
    pub generation: u64,
    pub ask: Option<(u64, u64)>,
    pub asks: u64,
    pub asking: BTreeSet<usize>,
}

impl Phone {
    /// What the host told of the network.
    pub fn network(&self) -> Network {
        let state = match self.online {
            None => Online::Unreported,
            Some(false) => Online::Offline,
            Some(true) => Online::Online,
        };
        Network { state, generation: self.network_generation, ..Network::default() }
    }
}

impl Phone {
    pub fn over(&self) -> bool {
        self.rows.iter().all(|row| row.state.ended() && matches!(row.stage, Stage::Idle) && !row.eligible)
    }

    pub fn standing(&self) -> String {
        self.rows.iter().enumerate().map(|(at, row)| format!("u{at} {:?}; ", row.state)).collect()
    }

    fn live(&mut self, row: usize) -> Option<&mut Live> {
        match &mut self.rows[row].stage {
            Stage::Live(live) => Some(live),
            _ => None,
        }
    }
}

impl World {
    pub fn event(&mut self, row: usize, event: Event) {
        let now = self.now();
        if matches!(event, Event::Network(_) | Event::Command(Command::Resume | Command::Go)) {
            self.oracles.of[row].things_changed();
        }
        self.check_secrets(|| format!("{event:?}"));
        if let Some(live) = self.phone.as_mut().and_then(|phone| phone.live(row)) {
            live.done = false;
            live.machine.handle(now, event);
        }
    }

    pub fn command(&mut self, row: usize, command: Command) {
        self.note(|_| format!("u{row} host: {command:?}"));
        let Some(phone) = &mut self.phone else { return };
        let entry = &mut phone.rows[row];
        if command == Command::Resume {
            phone.schedule.open(entry.hosts.iter().map(String::as_str));
            self.oracles.of[row].things_changed();
        }
        match entry.stage {
            Stage::Live(_) => self.event(row, Event::Command(command)),
            _ if entry.state.ended() => {}
            _ => entry.commands.push(command),
        }
    }

    pub fn all_live(&mut self, event: Event) {
        (0..self.disks.len()).for_each(|row| self.event(row, event.clone()));
    }

    /// Those that wait for one of these stand in line again.
    pub fn again_if(&mut self, reasons: &[WaitReason]) {
        for row in self.phone.iter_mut().flat_map(|phone| &mut phone.rows) {
            let waits = matches!(&row.state, State::Waiting { waiting } if reasons.contains(&waiting.reason));
            if waits && matches!(row.stage, Stage::Idle) {
                (row.eligible, row.wake) = (true, None);
            }
        }
    }

    pub fn turn(&mut self) {
        for row in 0..self.disks.len() {
            self.drive(row);
            if self.crashing || self.oracles.failure.is_some() {
                return;
            }
        }
        let (now, most) = (Tick(self.tick), self.options.parallel_uploads);
        let Some(phone) = &mut self.phone else { return };
        let busy = |row: &Row| !matches!(row.stage, Stage::Idle) && !row.state.ended();
        let mut places = most.saturating_sub(phone.rows.iter().filter(|row| busy(row)).count());
        let mut loading = vec![];
        for (number, row) in phone.rows.iter_mut().enumerate() {
            let due = row.eligible && row.wake.is_none_or(|wake| wake <= now) && !phone.held && places > 0;
            if matches!(row.stage, Stage::Idle) && (due || !row.commands.is_empty()) {
                places = places.saturating_sub(1);
                row.stage = Stage::Loading;
                row.wake = None;
                loading.push(number);
            }
        }
        for row in loading {
            let ms = self.rng.u64(1..20);
            self.after(ms, Due::Loaded { row });
        }
    }

    fn drive(&mut self, row: usize) {
        for _ in 0..STEPS_MAX {
            let now = self.now();
            let Some(phone) = &mut self.phone else { return };
            let (parts, controls) = (phone.parts, phone.controls);
            let entry = &mut phone.rows[row];
            let Stage::Live(live) = &mut entry.stage else { return };
            let hosts = entry.hosts.iter().map(String::as_str);
            let mut slots: Slots = phone.schedule.lend(now.tick, hosts, parts, controls);
            match live.machine.poll(now, &mut slots) {
                Step::Wait { until } => {
                    live.wake = until;
                    return self.rested(row);
                }
                Step::Done => {
                    (live.wake, live.done) = (None, true);
                    return self.rested(row);
                }
                step => {
                    self.check_secrets(|| format!("{step:?}"));
                    self.carry_out(row, step);
                }
            }
            if self.chance(self.options.crash_between_steps) {
                self.crashing = true;
            }
            if self.crashing || self.oracles.failure.is_some() {
                return;
            }
        }
        self.violated(format!("u{row}: {STEPS_MAX} steps at one tick"));
    }

    fn carry_out(&mut self, row: usize, step: Step) {
        match step {
            Step::Commit { id, record } => {
                self.note(|_| format!("u{row} commit {record:?}"));
                self.may_commit(row, &record);
                self.submit(row, id, record);
            }
            Step::Start { op, work: Work::Send(request) } => self.send(row, op, request),
            Step::Start { op, work: Work::Hash { range, digester } } => {
                self.note(|_| format!("u{row} hash {op:?} {range:?}"));
                self.may_hash(row, op, range, digester.len_bytes());
                let ms = self.rng.u64(5..400);
                self.after(
                    ms,
                    Due::Read { row, op, read: Reading { range, md5: false, keep: false, pass: Some(digester) } },
                );
            }
            Step::Start { op, work: Work::Read { range, md5, keep } } => {
                self.note(|_| format!("u{row} read {op:?}"));
                self.may_read(row, op);
                let ms = self.rng.u64(5..400);
                self.after(ms, Due::Read { row, op, read: Reading { range, md5, keep, pass: None } });
            }
            Step::Stop { op } => {
                self.note(|_| format!("u{row} stop {op:?}"));
                // Told at the tick at which it was answered: asked to stop, nothing went wrong.
                self.oracles.of[row].stopped_late(op.kind, self.tick);
                self.stop(row, op);
            }
            Step::AskCredential { refused } => self.want_credential(row, refused),
            Step::AskSource => {
                self.note(|_| format!("u{row} asks for its source"));
                if let Some(live) = self.phone.as_mut().and_then(|phone| phone.live(row)) {
                    live.opened = None;
                }
                let ms = self.rng.u64(1..30);
                self.after(ms, Due::Opened { row });
            }
            Step::Wait { .. } | Step::Done => {}
        }
    }

    /// The source as the machine has it open.
    pub fn opened_as(&mut self, row: usize) -> Option<Identity> {
        self.phone.as_mut()?.live(row)?.opened.clone()
    }

    pub fn opened(&mut self, row: usize) {
        let source = &self.sources[row];
        let result = if source.gone {
            Err(ErrorInfo::new(Code::SourceNotFound, "there is no such file"))
        } else {
            Ok(source.identity.clone())
        };
        if let Some(live) = self.phone.as_mut().and_then(|phone| phone.live(row)) {
            live.opened = result.clone().ok();
        }
        self.event(row, Event::Source(result));
    }

    /// A machine has nothing to do for now.
    fn rested(&mut self, row: usize) {
        let now = self.now();
        let expired = self.phone.as_mut().and_then(|phone| phone.ask.take_if(|(_, by)| *by <= now.tick.0).map(|_| ()));
        if expired.is_some() {
            self.credential_expired();
        }
        let Some(phone) = &mut self.phone else { return };
        let entry = &mut phone.rows[row];
        let Stage::Live(live) = &mut entry.stage else { return };
        let state = live.machine.state(now);
        let progress = live.machine.progress();
        let explanation = live.machine.explain(now);
        let (over, busy, wake) = (live.done, live.machine.is_busy(), live.wake);
        let parks = match &state {
            State::Waiting { waiting } => {
                waiting.needs_host
                    || waiting.retry_in_ms.is_some_and(|ms| ms > KEEP_PLACE_MS)
                    || matches!(waiting.reason, WaitReason::Network | WaitReason::Held)
            }
            State::Paused => true,
            _ => false,
        };
        if (over || parks) && !busy {
            entry.eligible = !over && matches!(&state, State::Waiting { waiting } if waiting.retry_in_ms.is_some());
            entry.wake = wake.filter(|_| entry.eligible);
            if let (Stage::Live(mut live), false) = (std::mem::replace(&mut entry.stage, Stage::Idle), over) {
                entry.memory = Some(live.machine.hand_on());
            }
        }
        let endless = matches!(&state, State::Waiting { waiting } if waiting.retry_in_ms.is_some() && wake.is_none());
        let changed = entry.state != state;
        entry.state = state.clone();
        let gate = phone.schedule.next_open(now.tick);
        for at in [wake, gate].into_iter().flatten() {
            self.after(at.since_ms(now.tick).max(1), Due::Wake);
        }
        if endless {
            self.violated(format!("u{row} waits without a wake: {state:?}"));
        }
        if changed {
            self.note(|_| format!("u{row} {state:?}"));
        }
        self.check_secrets(|| format!("{state:?} {explanation:?}"));
        self.seen(row, &state, Some((progress, &explanation)));
    }

    /// A request is over: the scheduler and the machine hear of it.
    pub fn answered(&mut self, row: usize, host: &str, event: Event) {
        let now = Tick(self.tick);
        let Some(phone) = &mut self.phone else { return };
        if let Event::Answered { op, result, .. } = &event {
            use partway::model::http::TransportFault;
            match result {
                Ok(answer) => phone.schedule.answered(now, host, answer.status, answer.retry_after_ms()),
                Err(TransportFault::Cancelled { .. } | TransportFault::Source(_)) => {}
                Err(_) => phone.schedule.failed(now, host),
            }
            let count = if matches!(op.kind, OpKind::Part(_)) { &mut phone.parts } else { &mut phone.controls };
            *count -= 1;
            if let Some(live) = phone.live(row) {
                live.flights.retain(|(other, _)| other != op);
            }
        }
        self.event(row, event);
    }

    /// A request leaves: counted, its host known to the scheduler.
    pub fn leaves(&mut self, row: usize, op: OpId, host: &str, flight: u64) -> Option<Identity> {
        let phone = self.phone.as_mut()?;
        *(if matches!(op.kind, OpKind::Part(_)) { &mut phone.parts } else { &mut phone.controls }) += 1;
        phone.rows[row].hosts.insert(host.to_owned());
        let live = phone.live(row)?;
        live.flights.push((op, flight));
        live.opened.clone()
    }

    pub fn stop(&mut self, row: usize, op: OpId) {
        let live = self.phone.as_mut().and_then(|phone| phone.live(row));
        let flight =
            live.and_then(|live| live.flights.iter().find(|(other, _)| *other == op).map(|(_, flight)| *flight));
        match flight {
            Some(flight) => self.cancel_flight(flight),
            None => self.oracles.of[row].stopped_reads.push(op),
        }
    }
}
