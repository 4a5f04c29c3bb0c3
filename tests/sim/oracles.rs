//! The promises, as questions that are asked at every step. They know only what left the machine: records, requests, answers, objects, states.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use partway::{
    engine::{Ending, Explanation, OpId, OpKind, Progress, Record, RestartReason, State, WaitReason},
    model::{
        PartPlan,
        http::{Answer, ByteRange, Request, TransportFault},
    },
};

use super::{
    cloud::{CANARY, Which},
    options::Options,
    world::World,
};

/// Control requests of one upload within ten seconds: each kind has a gate, so more is a loop.
const CONTROLS_IN_10_S_MAX: usize = 40;
/// What went wrong is not tried again sooner.
const DELAY_MS_MIN: u64 = 300;

/// Failures in a row, and how long since the first of them, before a budget may be spent.
const FAILURES_MIN: u32 = 10;
const BUDGET_MS_MIN: u64 = 90_000;
/// Where failures to reach what stores are counted: no part has that number.
const STORAGE: OpKind = OpKind::Part(0);
/// Hashing stays this close to the next part to send.
const AHEAD_BYTES_MAX: u64 = 64 << 20;
/// Bytes that may be sent without a part more being proven: this, and so many times the file, and what is under way.
const RESENT_BYTES_MAX: u64 = 64 << 20;
const RESENT_FILES_MAX: u64 = 4;

/// Failures in a row of one kind of request.
#[derive(Clone, Copy, Debug)]
struct InARow {
    count: u32,
    since: u64,
}

/// What went on that excuses an ending or a restart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excuse {
    pub fatal: bool,
    pub gone: bool,
    pub rotten: bool,
    pub cancelled: bool,
    /// A complete was given up, and a look said that it had made nothing: where a name was taken, nothing may be able to tell more.
    pub doubted: bool,
    /// A begin that may make the object was about to leave.
    pub begun: bool,
    /// A begin that was given up made the object later.
    pub overtaken: bool,
}

/// What is known of one upload.
#[derive(Debug, Default)]
pub struct Of {
    pub excuse: Excuse,
    pub stopped_reads: Vec<OpId>,
    pub source_touched: bool,
    /// The journal holds a record that the disk said it could not write.
    pub echoed: bool,
    /// It had its session dropped itself.
    dropped: bool,
    // The journal, as it is.
    plan: Option<PartPlan>,
    /// The proven parts, as they were sent.
    proven: BTreeMap<u32, u64>,
    /// The hashed parts, as they were hashed.
    hashed: BTreeMap<u32, u64>,
    begin_intent: bool,
    integrity_restarts: u32,
    intent: bool,
    /// Where its line ends.
    intent_at: usize,
    ending: Option<Ending>,
    session: bool,
    // What the host was told.
    pub announced: Option<State>,
    shown: u64,
    // What left.
    unsettled: bool,
    /// Begins that may have made the object, and nothing says yet whether they did.
    pub begins_in_doubt: u32,
    /// A host asked for a pause until then.
    closed: BTreeMap<String, u64>,
    rows: BTreeMap<Option<OpKind>, InARow>,
    /// Parts on their way to the journal.
    keeping: BTreeSet<u32>,
    /// The most that was ever proven of this content, and what was sent since.
    proven_high: u64,
    sent_since: u64,
    refused_signatures: BTreeSet<u64>,
    lease_came: Option<u64>,
    lease_spent: bool,
    controls: VecDeque<u64>,
    /// Parts that the service listed as they are in the file, in this machine's life.
    adoptable: BTreeSet<u32>,
    /// When a kind of request went wrong last, unless the host said since that things changed.
    failed_at: BTreeMap<OpKind, u64>,
    pub objects: usize,
    /// Begins that may have made the object, and that no answer settled.
    pub begins_lost: u32,
}

impl Of {
    pub fn new_machine(&mut self) {
        self.shown = 0;
        self.stopped_reads.clear();
        self.adoptable.clear();
        self.failed_at.clear();
        self.lease_came = None;
        self.refused_signatures.clear();
        self.keeping.clear();
    }

    /// A new process knows nothing of what went wrong before.
    pub fn new_process(&mut self) {
        self.things_changed();
        self.sent_since = 0;
    }

    /// The host says that things changed: everything may be tried at once.
    pub fn things_changed(&mut self) {
        self.failed_at.clear();
        self.closed.clear();
        self.rows.clear();
        self.sent_since = 0;
    }

    fn size_of(&self, number: u32) -> u64 {
        self.plan.and_then(|plan| plan.part(number)).map_or(0, |part| part.size_bytes)
    }

    /// Where a part begins that was hashed and has not been sent.
    pub fn hashed_and_not_sent(&self, flying: &[OpKind]) -> Option<u64> {
        let unsent = |number: &&u32| !self.proven.contains_key(number) && !flying.contains(&OpKind::Part(**number));
        let number = *self.hashed.keys().find(unsent)?;
        Some(self.plan?.part(number)?.offset)
    }

    pub fn stopped_late(&mut self, kind: OpKind, tick: u64) {
        if self.failed_at.get(&kind) == Some(&tick) {
            self.failed_at.remove(&kind);
        }
    }

    fn failed(&mut self, kind: Option<OpKind>, tick: u64) {
        let row = self.rows.entry(kind).or_insert(InARow { count: 0, since: tick });
        row.count += 1;
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::Upload(upload) => self.session = upload.adopted.is_some(),
            Record::Plan { plan, .. } => self.plan = Some(*plan),
            Record::Session { .. } => (self.session, self.begin_intent) = (true, false),
            Record::BeginIntent { .. } => (self.begin_intent, self.excuse.begun) = (true, true),
            Record::BeginNo { .. } => self.begin_intent = false,
            Record::Hashed { part_number, crc64, .. } => {
                self.hashed.insert(*part_number, *crc64);
            }
            Record::Part { part_number, crc64 } => {
                self.keeping.remove(part_number);
                self.proven.insert(*part_number, *crc64);
                let proven = self.proven.keys().map(|number| self.size_of(*number)).sum();
                if proven > self.proven_high {
                    (self.proven_high, self.sent_since) = (proven, 0);
                }
            }
            Record::Missing { part_numbers } => {
                part_numbers.iter().for_each(|number| {
                    self.proven.remove(number);
                });
            }
            Record::CompleteIntent { .. } => self.intent = true,
            Record::CompleteNo { looked } => {
                self.intent = false;
                self.excuse.doubted |= looked;
            }
            Record::ConflictAsked { in_doubt } => {
                self.intent = false;
                self.begin_intent &= in_doubt;
            }
            Record::Restart { why } => {
                self.proven.clear();
                self.adoptable.clear();
                self.intent = false;
                self.begin_intent = false;
                self.session = false;
                self.integrity_restarts += u32::from(*why == RestartReason::Integrity);
                if matches!(why, RestartReason::Integrity | RestartReason::Changed) {
                    self.hashed.clear();
                }
                if *why == RestartReason::Changed {
                    self.plan = None;
                    (self.proven_high, self.sent_since) = (0, 0);
                }
            }
            Record::Ending { ending, .. } => self.ending = Some(ending.clone()),
            _ => {}
        }
    }
}

fn part_of(kind: OpKind) -> Option<u32> {
    match kind {
        OpKind::Part(number) => Some(number),
        _ => None,
    }
}

#[derive(Debug)]
pub struct Oracles {
    pub of: Vec<Of>,
    pub failure: Option<String>,
    paranoid: bool,
    pub clock_jumped: Option<u64>,
}

impl Oracles {
    pub fn new(options: &Options) -> Oracles {
        let of = (0..options.uploads).map(|_| Of::default()).collect();
        Oracles { of, failure: None, paranoid: options.storm_ms.is_multiple_of(8), clock_jumped: None }
    }

    pub fn clock_jumped(&mut self, tick: u64) {
        self.clock_jumped = Some(tick);
    }
}

impl World {
    /// No secret in any text that anyone could log. Asked in one run of eight: texts are slow.
    pub fn check_secrets(&mut self, text: impl FnOnce() -> String) {
        if self.oracles.paranoid && text().contains(CANARY) {
            self.violated("a secret is in a text");
        }
    }

    /// A process read a journal.
    pub fn recall(&mut self, row: usize, records: &[Record]) {
        let of = &mut self.oracles.of[row];
        let known = Of { ..Of::default() };
        (of.plan, of.intent, of.session, of.ending) = (known.plan, known.intent, known.session, None);
        of.proven.clear();
        of.hashed.clear();
        (of.begin_intent, of.integrity_restarts) = (false, 0);
        of.echoed = false;
        records.iter().for_each(|record| of.apply(record));
        of.intent_at = self.disks[row].text.len();
        let ended_before = of.announced.clone();
        if let (Some(announced), None) = (ended_before, of.ending.clone()) {
            self.violated(format!("u{row}: the ending {announced:?} was lost"));
        }
    }

    /// A record is in the journal.
    pub fn kept(&mut self, row: usize, record: &Record) {
        let before = self.oracles.of[row].ending.clone();
        self.oracles.of[row].apply(record);
        if matches!(record, Record::CompleteIntent { .. } | Record::BeginIntent { .. }) {
            self.oracles.of[row].intent_at = self.disks[row].text.len();
        }
        if let (Some(before), Record::Ending { ending, .. }) = (&before, record)
            && !matches!((before, ending), (Ending::Cancelled(_), Ending::Cancelled(_)))
            && before != ending
        {
            self.violated(format!("u{row} ended twice: {before:?}, then {ending:?}"));
        }
    }

    /// A record is about to be written.
    pub fn may_commit(&mut self, row: usize, record: &Record) {
        if let Record::Part { part_number, .. } = record {
            self.oracles.of[row].keeping.insert(*part_number);
        }
        let of = &self.oracles.of[row];
        let what = match record {
            Record::Restart { why: RestartReason::Integrity } if of.integrity_restarts > 0 && !of.echoed => {
                "began over for a second time though what is put together stays wrong"
            }
            Record::Restart { why: RestartReason::SessionGone }
                if !of.excuse.gone && !of.dropped && !self.task_is_gone(row) =>
            {
                "began over though the session was never gone"
            }
            Record::Restart { why: RestartReason::Changed } if self.sources[row].versions.len() < 2 => {
                "began over though the bytes never changed"
            }
            Record::Restart { why: RestartReason::Integrity }
                if !of.excuse.rotten
                    && !self.options.parts_lost
                    && self.options.late + self.options.duplicated == 0 =>
            {
                "began over though the service stored what was sent"
            }
            Record::Missing { .. } if !self.options.parts_lost && !of.excuse.gone && self.options.late == 0 => {
                "gave parts up that the service never lost"
            }
            _ => return,
        };
        self.violated(format!("u{row} {what}: {record:?}"));
    }

    fn task_is_gone(&self, row: usize) -> bool {
        !self.cloud.open().iter().any(|(_, upload)| *upload == row)
    }

    /// A request is about to leave.
    pub fn may_send(&mut self, row: usize, op: OpId, request: &Request) {
        let tick = self.tick;
        let flying = self.flights.values().filter(|flight| !flight.done);
        let (mut parts, mut controls, mut same) = (0, 0, false);
        for flight in flying {
            *(if matches!(flight.op.kind, OpKind::Part(_)) { &mut parts } else { &mut controls }) += 1;
            same |= flight.row == row && flight.op.kind == op.kind;
        }
        let parallel = self.options.parallel_parts;
        let many_links = self.options.private || self.options.service == Which::KooDrive;
        let (may_make, makes_no_second) = (self.cloud.may_make(request), self.cloud.makes_no_second(request));
        let signature = self.cloud.signature_of(request);
        let host = request.host();
        let faults_of_clock = self.oracles.clock_jumped.is_some();
        let of = &mut self.oracles.of[row];
        let mut wrong = None;
        let mut demand = |holds: bool, what: &str| {
            if !holds && wrong.is_none() {
                wrong = Some(what.to_owned());
            }
        };
        demand(!same, "two of a kind under way");
        demand(parts + controls < parallel + 2, "more requests under way than allowed");
        demand(of.failed_at.get(&op.kind).is_none_or(|at| tick >= at + DELAY_MS_MIN), "repeated without a delay");
        demand(of.ending.is_none() || op.kind == OpKind::Abort, "went on after its ending");
        demand(of.closed.get(host).is_none_or(|until| tick >= *until), "a Retry-After that was not waited for");
        match op.kind {
            OpKind::Begin => {
                demand(
                    !may_make || of.begin_intent,
                    "a begin that may make the object without its intent in the journal",
                );
                let settled = of.begins_in_doubt == 0 || makes_no_second;
                demand(settled, "a begin while what an earlier one made is unknown");
                of.begins_in_doubt += u32::from(may_make);
            }
            OpKind::Part(number) => {
                demand(parts < parallel, "more parts under way than allowed");
                demand(!of.proven.contains_key(&number), "a proven part is sent again");
                let size = of.plan.map_or(0, |plan| plan.size_bytes);
                let most = RESENT_BYTES_MAX + RESENT_FILES_MAX * size;
                demand(of.sent_since <= most, "bytes are sent again and again");
                demand(!of.adoptable.contains(&number), "a listed part is sent again unread");
                demand(of.session && of.plan.is_some(), "a part without a kept session");
                demand(signature.is_none_or(|id| !of.refused_signatures.contains(&id)), "a refused link is used again");
            }
            OpKind::Discard => of.dropped = true,
            OpKind::Sign => {
                let young = of.lease_came.is_some_and(|came| tick - came < 500) && !of.lease_spent;
                demand(many_links || !young || faults_of_clock, "renewed a fresh lease");
                of.lease_spent = false;
                of.lease_came = None;
            }
            OpKind::Complete => {
                demand(of.intent, "a complete without its intent in the journal");
                demand(!of.unsettled, "a complete while the outcome of another is unknown");
                let plan = of.plan.map_or(0, |plan| plan.parts_total() as usize);
                demand(of.proven.len() == plan, "a complete before every part was proven");
                let unlike = of.hashed.iter().any(|(number, crc64)| of.proven.get(number) != Some(crc64));
                demand(!unlike, "a complete of other bytes than were hashed");
                of.unsettled = true;
            }
            _ => {}
        }
        if !matches!(op.kind, OpKind::Part(_)) {
            of.controls.push_back(tick);
            while of.controls.front().is_some_and(|at| *at + 10_000 < tick) {
                of.controls.pop_front();
            }
            demand(of.controls.len() <= CONTROLS_IN_10_S_MAX, "control requests in a loop");
        }
        let synced = self.disks[row].synced >= of.intent_at;
        let needs_sync = op.kind == OpKind::Complete || op.kind == OpKind::Begin && may_make;
        demand(!needs_sync || synced, "an intent that no sync covers");
        if let Some(what) = wrong {
            self.violated(format!("u{row} {op:?}: {what}"));
        }
    }

    pub fn may_read(&mut self, row: usize, op: OpId) {
        if let OpKind::Read(number) = op.kind {
            self.oracles.of[row].adoptable.remove(&number);
        }
    }

    /// A stretch is about to go into the digest pass.
    pub fn may_hash(&mut self, row: usize, op: OpId, range: ByteRange, passed: u64) {
        let flying = self.flights.values().filter(|flight| !flight.done && flight.row == row);
        let busy: BTreeSet<u32> = flying.filter_map(|flight| part_of(flight.op.kind)).collect();
        let of = &self.oracles.of[row];
        let Some(plan) = of.plan else { return };
        let kept: u64 = of.hashed.keys().map(|number| of.size_of(*number)).sum();
        // The one part that is larger than the bound goes alone.
        let reaches = range.offset + range.len.min(AHEAD_BYTES_MAX);
        let to_send = plan.parts().find(|part| {
            let number = part.part_number;
            !of.proven.contains_key(&number) && !of.keeping.contains(&number) && !busy.contains(&number)
        });
        let ahead = of.session && to_send.is_some_and(|part| reaches > part.offset + AHEAD_BYTES_MAX);
        if range.offset != kept || passed != kept {
            self.violated(format!("u{row} {op:?}: hashes from {} on, and {kept} bytes are hashed", range.offset));
        } else if ahead {
            self.violated(format!("u{row} {op:?}: hashes too far ahead"));
        }
    }

    /// The phone is about to hear of a request.
    pub fn heard(&mut self, number: u64, result: &Result<Answer, TransportFault>) {
        let flight = &self.flights[&number];
        let (row, kind) = (flight.row, flight.op.kind);
        let signature = self.cloud.signature_of(&flight.request);
        let host = flight.request.host().to_owned();
        let may_make = self.cloud.may_make(&flight.request);
        let settles = result.as_ref().is_ok_and(|answer| self.cloud.settles(kind, answer));
        let listed = result.as_ref().map(|answer| self.cloud.listed(answer)).unwrap_or_default();
        let sent = if part_of(kind).is_some() { flight.sent.len() } else { 0 };
        let flying: BTreeSet<u32> = self
            .flights
            .values()
            .filter(|flight| flight.row == row && !flight.done)
            .filter_map(|flight| part_of(flight.op.kind))
            .collect();
        let (tick, content) = (self.tick, &self.sources[row].content);
        let of = &mut self.oracles.of[row];
        let broke = matches!(
            result,
            Err(TransportFault::Cut { reused: false, .. } | TransportFault::Stalled(_) | TransportFault::Malformed(_))
        );
        if broke && !flight.stopped {
            of.failed_at.insert(kind, tick);
        }
        of.sent_since += sent;
        match result {
            Ok(answer) if (200..300).contains(&answer.status) => drop(of.rows.remove(&Some(kind))),
            Ok(_) => of.failed(Some(kind), tick),
            Err(TransportFault::Unreached(_)) => of.failed(part_of(kind).map(|_| STORAGE), tick),
            Err(TransportFault::Cancelled { .. } | TransportFault::Source(_)) => {}
            Err(_) => of.failed(Some(kind), tick),
        }
        if result.is_ok() {
            of.rows.remove(&None);
        }
        if result.is_ok() && part_of(kind).is_some() {
            of.rows.remove(&Some(STORAGE));
        }
        if let Ok(answer) = result
            && let (429 | 503, Some(ms)) = (answer.status, answer.retry_after_ms())
        {
            of.closed.insert(host, tick + ms);
        }
        match (kind, result) {
            (OpKind::Begin, Err(TransportFault::Unreached(_))) if may_make => of.begins_in_doubt -= 1,
            (OpKind::Begin, Ok(answer)) if settles => {
                let done = (200..300).contains(&answer.status);
                of.begins_in_doubt = if done { 0 } else { of.begins_in_doubt - u32::from(may_make) };
            }
            (OpKind::Part(_), Ok(answer)) if matches!(answer.status, 401 | 403) => {
                of.refused_signatures.extend(signature);
                of.lease_spent = true;
            }
            (OpKind::Part(_), Ok(answer)) if answer.status >= 300 => of.lease_spent = true,
            (OpKind::Part(_), Err(_)) => of.lease_spent = true,
            (OpKind::Sign, Ok(answer))
                if answer.status == 200 && answer.header("content-type") != Some("text/html") =>
            {
                of.lease_came = Some(tick)
            }
            (OpKind::Begin, _) if may_make => of.begins_lost += 1,
            (OpKind::Complete, Err(TransportFault::Unreached(_))) => of.unsettled = false,
            (OpKind::Complete, Ok(_)) => of.unsettled &= !settles,
            (OpKind::Probe, Ok(_)) if settles => (of.unsettled, of.begins_in_doubt) = (false, 0),
            (OpKind::Inspect, Ok(_)) if settles => {
                of.unsettled = false;
                let Some(plan) = of.plan else { return };
                of.adoptable.clear();
                for (number, md5) in listed {
                    let part = plan.part(number).and_then(|part| content.range(part.offset, part.size_bytes));
                    let same = part.is_some_and(|part| md5 == part.md5());
                    if same && !of.proven.contains_key(&number) && !flying.contains(&number) {
                        of.adoptable.insert(number);
                    }
                }
            }
            _ => {}
        }
    }

    /// The host may see this.
    pub fn seen(&mut self, row: usize, state: &State, more: Option<(Progress, &Explanation)>) {
        let tick = self.tick;
        let of = &mut self.oracles.of[row];
        let mut wrong = None;
        if state.ended() {
            let other = of.announced.as_ref().is_some_and(|before| {
                before != state && !matches!((before, state), (State::Cancelled { .. }, State::Cancelled { .. }))
            });
            if other {
                wrong = Some(format!("the ending became another: {:?}", of.announced));
            }
            if of.ending.is_none() {
                wrong = Some("an ending that is not in the journal".to_owned());
            }
            of.announced = Some(state.clone());
        } else if of.announced.is_some() {
            wrong = Some("came back to life".to_owned());
        }
        if let Some((progress, explanation)) = more {
            let kept: u64 = of.plan.map_or(0, |plan| {
                of.proven.keys().filter_map(|number| plan.part(*number)).map(|part| part.size_bytes).sum()
            });
            if progress.bytes_acknowledged > kept && !of.echoed {
                wrong = Some(format!("{} bytes acknowledged, {kept} kept", progress.bytes_acknowledged));
            }
            if progress.bytes_total == 0 {
                of.shown = 0;
            }
            if progress.bytes_shown < of.shown || progress.bytes_shown > progress.bytes_total {
                wrong = Some(format!("progress fell from {} to {}", of.shown, progress.bytes_shown));
            }
            of.shown = progress.bytes_shown;
            if let State::Waiting { waiting } = state {
                let named = matches!(waiting.reason, WaitReason::Held | WaitReason::Credential);
                let tried = matches!(waiting.reason, WaitReason::Retry | WaitReason::Disk);
                if tried && waiting.retry_in_ms.is_none() {
                    wrong = Some("a wait for another try that nothing ends".to_owned());
                }
                let spent = of.rows.values().any(|row| row.count > FAILURES_MIN && tick >= row.since + BUDGET_MS_MIN);
                // Who waits for a credential or for the source has spent no budget, whatever was counted before.
                let gave_up = waiting.needs_host && waiting.reason == WaitReason::Retry;
                if gave_up && explanation.retries_left == 0 && !spent {
                    wrong = Some("gave up before its budget was spent".to_owned());
                }
                if !named && (waiting.error.is_none() || explanation.text.is_empty()) {
                    wrong = Some("a wait without an explanation".to_owned());
                }
            }
        }
        if let Some(what) = wrong {
            self.violated(format!("u{row}: {what}; {state:?}"));
        }
    }
}
