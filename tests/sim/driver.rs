//! The contract of the product's driver, on one thread without time of its own: it feeds machines, lends slots of the product's scheduler, carries
//! out steps, and gives an upload's place to another when its wait is long.

use std::collections::BTreeSet;

use partway::{
    engine::{
        Command, Event, Facts, Limits, Machine, OpId, OpKind, Record, Slots, SourceRecord, State, Step, UploadRecord,
        WaitReason, Wish, Work,
    },
    error::{Code, ErrorInfo},
    model::{Conflict, Credential, Identity, InstantMode, OnChange, SmhTarget, Target, Tick},
    runtime::{journal::Id, schedule::Schedule},
    service,
};

use super::{
    disk::Disk,
    smh::{API, Object},
    world::{Due, World},
};

const KEEP_PLACE_MS: u64 = 20_000;
const ASK_MS_MAX: u64 = 60_000;
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
    hosts: BTreeSet<String>,
    wake: Option<Tick>,
    done: bool,
}

pub struct Row {
    pub stage: Stage,
    pub state: State,
    eligible: bool,
    wake: Option<Tick>,
    commands: Vec<Command>,
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
    secret: Option<String>,
    generation: u64,
    ask: Option<(u64, u64)>,
    asks: u64,
    asking: BTreeSet<usize>,
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
    /// Uploads are started: durable before anything else happens.
    pub fn set_up(&mut self) {
        let options = self.options.clone();
        if !options.parents_missing {
            self.smh.dirs.insert("dir".to_owned());
        }
        for row in 0..options.uploads {
            let path = format!("dir/u{row}.bin");
            if options.name_taken {
                let content = super::source::Source::new(90 + row, 1_000).content;
                self.smh.objects.insert(path.clone(), Object { content, created_unix_ms: 0, upload: None });
            }
            let id = format!("{row:026}");
            let target = Target::Smh(SmhTarget {
                endpoint: API.to_owned(),
                account: "a".to_owned(),
                library: "lib".to_owned(),
                path,
                create_parents: true,
                private: options.private,
                ..SmhTarget::default()
            });
            let upload = UploadRecord {
                id: id.clone(),
                key: format!("k{row}"),
                created_unix_ms: row as i64,
                target,
                source: SourceRecord::default(),
                group: None,
                tags: Default::default(),
                priority: 0,
                conflict: match options.conflict {
                    0 => Conflict::Rename,
                    1 => Conflict::Ask,
                    _ => Conflict::Overwrite { if_version: None },
                },
                on_change: if options.on_change_restarts { OnChange::Restart } else { OnChange::Fail },
                instant: InstantMode::Off,
                part_size_bytes: Some(options.part_size_bytes),
                parallel_parts: None,
            };
            self.disks.push(Disk::new(Id::parse(&id).expect("an id"), &Record::Upload(Box::new(upload))));
        }
    }

    /// A process starts and finds what the disk has.
    pub fn boot(&mut self) {
        self.note(|_| "-- the process starts --".to_owned());
        let mut rows = vec![];
        for row in 0..self.disks.len() {
            let Some(records) = self.disks[row].load() else {
                return self.violated(format!("u{row}: journal damaged"));
            };
            self.recall(row, &records);
            let facts = Facts::new(records).expect("facts");
            let state = match (&facts.ending, facts.wish) {
                (Some(partway::engine::Ending::Completed(receipt)), _) => State::Completed { receipt: receipt.clone() },
                (Some(partway::engine::Ending::Failed(error)), _) => State::Failed { error: error.clone() },
                (Some(partway::engine::Ending::Cancelled(remote)), _) => State::Cancelled { remote: *remote },
                (None, Wish::Pause) => State::Paused,
                (None, _) => State::Queued,
            };
            if state.ended() {
                // As the product does before it tells of an ending that it found.
                self.disks[row].settle();
            }
            self.seen(row, &state, None);
            let pending = State::Cancelled { remote: partway::engine::Remote::AbortPending };
            let eligible = state == State::Queued || state == pending;
            rows.push(Row { stage: Stage::Idle, state, eligible, wake: None, commands: vec![] });
        }
        self.phone = Some(Phone {
            rows,
            schedule: Schedule::new(self.options.parallel_parts),
            parts: 0,
            controls: 0,
            held: false,
            online: None,
            network_generation: 0,
            secret: None,
            generation: 0,
            ask: None,
            asks: 0,
            asking: BTreeSet::new(),
        });
    }

    /// What a journal says becomes a machine.
    pub fn loaded(&mut self, row: usize) {
        let Some(records) = self.disks[row].load() else { return self.violated(format!("u{row}: journal damaged")) };
        let facts = Facts::new(records).expect("facts");
        let service = service::open(&facts.upload.target).expect("a service");
        let (now, seed) = (self.now(), self.rng.u64(..));
        let limits = Limits { parallel_parts: self.options.parallel_parts };
        let Some(phone) = &mut self.phone else { return };
        let mut machine = Machine::new(facts, service, limits, seed, now);
        if phone.held {
            machine.handle(now, Event::Command(Command::Hold));
        }
        machine.handle(now, Event::Network { online: phone.online, generation: phone.network_generation });
        for command in std::mem::take(&mut phone.rows[row].commands) {
            machine.handle(now, Event::Command(command));
        }
        let live = Live { machine, opened: None, flights: vec![], hosts: BTreeSet::new(), wake: None, done: false };
        phone.rows[row].stage = Stage::Live(Box::new(live));
        self.oracles.of[row].new_machine();
    }

    pub fn event(&mut self, row: usize, event: Event) {
        let now = self.now();
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
            let Stage::Live(live) = &mut phone.rows[row].stage else { return };
            let hosts = live.hosts.iter().map(String::as_str);
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
            Step::Start { op, work: Work::Hash { .. } } => self.violated(format!("{op:?} with instant off")),
            Step::Start { op, work: Work::Read { range, md5, .. } } => {
                self.note(|_| format!("u{row} read {op:?}"));
                self.may_read(row, op);
                let ms = self.rng.u64(5..400);
                self.after(ms, Due::Read { row, op, range, md5 });
            }
            Step::Stop { op } => {
                self.note(|_| format!("u{row} stop {op:?}"));
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

    fn want_credential(&mut self, row: usize, refused: Option<u64>) {
        let Some(phone) = &mut self.phone else { return };
        if let Some(secret) = &phone.secret
            && refused.is_none_or(|refused| phone.generation > refused)
        {
            let credential = Some(Credential::token(secret.clone()));
            let generation = phone.generation;
            return self.event(row, Event::Credential { credential, generation });
        }
        phone.asking.insert(row);
        if phone.ask.is_some() {
            return;
        }
        phone.asks += 1;
        let ask = phone.asks;
        phone.ask = Some((ask, self.tick + ASK_MS_MAX));
        self.after(ASK_MS_MAX, Due::Wake);
        let secret = if self.chance(self.options.host_has_none) { None } else { Some(self.smh.mint()) };
        let slow = self.chance(self.options.host_slow);
        let ms = if slow { self.rng.u64(1_000..100_000) } else { self.rng.u64(1..200) };
        self.after(ms, Due::Credential { ask, secret });
    }

    /// The host answers an ask, or gives one unasked (`ask` 0).
    pub fn credential(&mut self, ask: u64, secret: Option<String>) {
        let Some(phone) = &mut self.phone else { return };
        let open = phone.ask.is_some_and(|(number, _)| number == ask);
        if open {
            phone.ask = None;
        }
        if secret.is_none() && !open {
            return;
        }
        let given = secret.is_some();
        if given {
            phone.generation += 1;
            phone.secret.clone_from(&secret);
        }
        let generation = phone.generation;
        let mut rows = std::mem::take(&mut phone.asking);
        if ask == 0 {
            rows.extend(0..phone.rows.len());
        }
        for row in rows {
            self.event(row, Event::Credential { credential: secret.clone().map(Credential::token), generation });
        }
        if given {
            self.again_if(&[WaitReason::Credential]);
        }
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
            entry.stage = Stage::Idle;
        }
        let changed = entry.state != state;
        entry.state = state.clone();
        let gate = phone.schedule.next_open(now.tick);
        for at in [wake, gate].into_iter().flatten() {
            self.after(at.since_ms(now.tick).max(1), Due::Wake);
        }
        if changed {
            self.note(|_| format!("u{row} {state:?}"));
        }
        self.check_secrets(|| format!("{state:?} {explanation:?}"));
        self.seen(row, &state, Some((progress, &explanation)));
    }

    fn credential_expired(&mut self) {
        let rows = self.phone.as_mut().map(|phone| std::mem::take(&mut phone.asking)).unwrap_or_default();
        for row in rows {
            self.event(row, Event::Credential { credential: None, generation: 0 });
        }
        self.after(1, Due::Wake);
    }

    /// A request is over: the scheduler and the machine hear of it.
    pub fn answered(&mut self, row: usize, host: &str, event: Event) {
        let now = Tick(self.tick);
        let Some(phone) = &mut self.phone else { return };
        if let Event::Answered { op, result, .. } = &event {
            use partway::model::http::TransportFault;
            match result {
                Ok(answer) => phone.schedule.answered(now, host, answer.status, answer.retry_after_ms()),
                Err(TransportFault::Cancelled | TransportFault::Source(_)) => {}
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
        let live = phone.live(row)?;
        live.hosts.insert(host.to_owned());
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
