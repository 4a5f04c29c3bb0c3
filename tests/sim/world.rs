//! The virtual world: one clock, one queue of what is due, everything drawn from one seed.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use partway::{
    engine::{CommitId, OpId, Record},
    hash::Digester,
    model::{
        Now, Tick,
        http::{Answer, ByteRange, TransportFault},
    },
};

use super::{
    cloud::{self, Cloud},
    disk::Disk,
    driver::Phone,
    network::Flight,
    options::Options,
    oracles::Oracles,
    source::Source,
};

/// From the calm on everything must have ended within this: a spent budget waits a quarter of an hour.
const CALM_MS_MAX: u64 = 4 * 3_600_000;
/// Lines of the trace that are kept, unless `PARTWAY_SIM_TRACE` says otherwise.
const TRACE_LINES: usize = 60;

/// A stretch of a source, and what is made of it.
#[derive(Debug)]
pub struct Reading {
    pub range: ByteRange,
    pub md5: bool,
    pub keep: bool,
    pub pass: Option<Box<Digester>>,
}

/// What is due at a tick.
#[derive(Debug)]
pub enum Due {
    /// The head of a request, or the next block of its body, leaves.
    Block(u64),
    /// A request reaches the service whole; `heard`: its answer goes back.
    Serve { flight: u64, heard: bool },
    /// The phone hears of a request.
    Deliver { flight: u64, result: Result<Answer, TransportFault> },
    /// The disk has an append before it.
    Append { row: usize, commit: CommitId, record: Record },
    /// A source was opened.
    Opened { row: usize },
    /// A stretch of a source was read.
    Read { row: usize, op: OpId, read: Reading },
    /// A journal was read.
    Loaded { row: usize },
    /// The host answers for a credential.
    Credential { ask: u64, secret: Option<String> },
    /// Something that machines wait for.
    Wake,
    /// The host does something.
    Hand,
    /// The world does something.
    Weather,
    /// The process starts again.
    Boot,
    /// From here on nothing goes wrong any more.
    Calm,
    /// The host mends what only it can mend.
    Heal,
}

impl Due {
    /// True for what dies with the process and sleeps with the phone.
    fn on_the_phone(&self) -> bool {
        !matches!(self, Due::Serve { .. } | Due::Weather | Due::Boot | Due::Calm | Due::Heal | Due::Hand)
    }
}

pub struct World {
    pub options: Options,
    pub rng: Rng,
    pub tick: u64,
    pub phone_offset_ms: i64,
    pub queue: BTreeMap<(u64, u64), Due>,
    pub serial: u64,
    pub cloud: Box<dyn Cloud>,
    pub sources: Vec<Source>,
    pub disks: Vec<Disk>,
    pub disk_free_at: u64,
    pub phone: Option<Phone>,
    pub flights: BTreeMap<u64, Flight>,
    pub asleep_until: u64,
    pub calm: bool,
    /// A crash was drawn between two steps.
    pub crashing: bool,
    pub oracles: Oracles,
    pub trace: Option<VecDeque<String>>,
    trace_lines: usize,
    /// A digest of everything that happened, to compare replays.
    pub digest: u64,
}

impl World {
    pub fn new(seed: u64, traced: bool) -> World {
        World::with(seed, traced, |_| {})
    }

    /// The same with options that a regression needs.
    pub fn with(seed: u64, traced: bool, change: impl Fn(&mut Options)) -> World {
        let mut rng = Rng::with_seed(seed);
        let mut options = Options::draw(&mut rng);
        change(&mut options);
        let cloud = cloud::build(&options);
        let files = options.sizes_bytes.iter().enumerate();
        let sources = files.map(|(number, size)| Source::new(number, *size, options.block_bytes)).collect();
        let mut world = World {
            oracles: Oracles::new(&options),
            options,
            rng,
            tick: 1,
            phone_offset_ms: 0,
            queue: BTreeMap::new(),
            serial: 0,
            cloud,
            sources,
            disks: vec![],
            disk_free_at: 0,
            phone: None,
            flights: BTreeMap::new(),
            asleep_until: 0,
            calm: false,
            crashing: false,
            trace: traced.then(VecDeque::new),
            trace_lines: super::number("PARTWAY_SIM_TRACE").map_or(TRACE_LINES, |lines| lines as usize),
            digest: 0,
        };
        world.set_up();
        world
    }

    pub fn chance(&mut self, per_mille: u32) -> bool {
        !self.calm && per_mille > 0 && self.rng.u32(0..1_000) < per_mille
    }

    pub fn now(&self) -> Now {
        Now { tick: Tick(self.tick), unix_ms: 1_760_000_000_000 + self.tick as i64 + self.phone_offset_ms }
    }

    pub fn after(&mut self, ms: u64, due: Due) {
        self.serial += 1;
        self.queue.insert((self.tick + ms, self.serial), due);
    }

    pub fn note(&mut self, line: impl FnOnce(&World) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>9} {}", self.tick, line(self));
            if let Some(lines) = &mut self.trace {
                lines.push_back(line);
                if lines.len() > self.trace_lines {
                    lines.pop_front();
                }
            }
        }
    }

    pub fn violated(&mut self, what: impl Into<String>) {
        self.oracles.failure.get_or_insert(what.into());
    }

    /// Runs to the end; what the oracles have to say.
    pub fn run(&mut self) -> Result<(), String> {
        self.after(0, Due::Boot);
        self.after(self.options.storm_ms, Due::Calm);
        if self.options.weather > 0 {
            self.after(100, Due::Weather);
        }
        if self.options.hand {
            self.after(200, Due::Hand);
        }
        let deadline = self.options.storm_ms + CALM_MS_MAX;
        while let Some(((tick, _), due)) = self.queue.pop_first() {
            self.tick = self.tick.max(tick);
            if due.on_the_phone() && self.tick < self.asleep_until {
                let left = self.asleep_until - self.tick;
                self.after(left, due);
                continue;
            }
            self.digest = self.digest.wrapping_mul(0x100_0000_01b3) ^ self.tick ^ self.queue.len() as u64;
            self.happen(due);
            if self.phone.is_some() && self.tick >= self.asleep_until {
                self.turn();
            }
            if std::mem::take(&mut self.crashing) {
                self.crash();
            }
            if let Some(what) = self.oracles.failure.take() {
                return Err(what);
            }
            if self.calm && self.over() {
                return self.check_the_end();
            }
            if self.tick > deadline {
                return Err(format!("not over {CALM_MS_MAX} ms after the calm: {}", self.standing()));
            }
        }
        Err(format!("nothing is due any more, yet not all has ended: {}", self.standing()))
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Block(flight) => self.block(flight),
            Due::Serve { flight, heard } => self.serve(flight, heard),
            Due::Deliver { flight, result } => self.deliver(flight, result),
            Due::Append { row, commit, record } => self.append(row, commit, record),
            Due::Opened { row } => self.opened(row),
            Due::Read { row, op, read } => self.read(row, op, read),
            Due::Loaded { row } => self.loaded(row),
            Due::Credential { ask, secret } => self.credential(ask, secret),
            Due::Wake => {}
            Due::Hand => self.hand(),
            Due::Weather => self.weather(),
            Due::Boot => self.boot(),
            Due::Calm => self.calm(),
            Due::Heal => self.heal(),
        }
    }

    /// The process dies. What had left the phone goes on its way; with the power also goes what no sync had covered.
    pub fn crash(&mut self) {
        if self.phone.take().is_none() {
            return;
        }
        let power = self.options.power_goes && self.rng.bool();
        self.note(|_| format!("-- {} --", if power { "POWER OFF" } else { "KILLED" }));
        let dead: Vec<(u64, u64)> =
            self.queue.iter().filter(|(_, due)| due.on_the_phone()).map(|(key, _)| *key).collect();
        let mut writing = vec![];
        for key in dead {
            if let Some(Due::Append { row, record, .. }) = self.queue.remove(&key) {
                writing.push((row, record));
            }
        }
        self.lose(writing, power);
        self.flights.values_mut().for_each(|flight| flight.done = true);
        self.disk_free_at = 0;
        let ms = self.rng.u64(1..10_000);
        self.after(ms, Due::Boot);
    }

    fn over(&self) -> bool {
        self.phone.as_ref().is_some_and(Phone::over)
    }

    fn standing(&self) -> String {
        self.phone.as_ref().map_or("no process".to_owned(), Phone::standing)
    }
}
