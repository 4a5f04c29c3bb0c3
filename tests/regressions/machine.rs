//! Promises of one machine, driven by hand: its time, its disk, its source and its service are what the test says.

use std::{collections::VecDeque, time::Duration};

use partway::{
    client::Credential,
    engine::{
        Command, CommitId, Ending, Event, Facts, Limits, Machine, OpId, OpKind, ReadDigest, Record, Remote,
        RestartReason, Slots, State, Step, UploadRecord, WaitReason, Work,
    },
    error::{Code, ErrorInfo},
    model::{
        Identity, Network, Now, SmhMode, SmhTarget, Target, Tick,
        http::{Answer, Request, Sent, TransportFault},
    },
};
use serde_json::{Value, json};

use crate::fake::{koodrive, smh};

mod budgets;

const MIB: u64 = 1 << 20;
/// What an answer of the service's end says.
const SESSION: &str = r#"{"confirmKey":"k","domain":"d","path":"/o","uploadId":"u","headers":{"Authorization":"q"}}"#;
const FILE: &str = r#"{"path":["y.bin"],"name":"y.bin","type":"file"}"#;
/// Steps that a machine may take at one tick: more is a loop.
const STEPS_MAX: usize = 500;

/// A machine, and who does what it asks for.
struct Hand {
    machine: Machine,
    now: Now,
    identity: Identity,
    /// The file is another one each time that it is looked at.
    touched: bool,
    /// Why it can't be opened.
    unopened: Option<Code>,
    /// The disk does nothing until it is told to.
    disk_stands: bool,
    slots: Slots,
    appending: VecDeque<(CommitId, Record)>,
    kept: Vec<Record>,
    started: Vec<(OpId, Work)>,
    stopped: Vec<OpId>,
    done: bool,
}

impl Hand {
    fn new(target: Target, size_bytes: u64, more: Value) -> Hand {
        Hand::over(vec![], target, size_bytes, more)
    }

    /// Over a journal that says this already.
    fn over(records: Vec<Record>, target: Target, size_bytes: u64, more: Value) -> Hand {
        let now = Now { tick: Tick(1_000), unix_ms: 1_790_000_000_000 };
        let mut upload = json!({
            "id": "01M7WGK9FAE3HBHQ5J1H6PWT0B", "key": "k", "created_unix_ms": now.unix_ms, "target": target,
            "source": {}, "instant": "off",
        });
        for (name, value) in more.as_object().unwrap() {
            upload[name] = value.clone();
        }
        let upload: UploadRecord = serde_json::from_value(upload).unwrap();
        let service = partway::service::open(&upload.target).unwrap();
        let facts = Facts::new([Record::Upload(Box::new(upload))].into_iter().chain(records)).unwrap();
        Hand {
            machine: Machine::new(facts, service, Limits { parallel_parts: 3 }, 1, now),
            now,
            identity: Identity { size_bytes, inode: Some(1), mtime_ns: Some(1), ..Identity::default() },
            touched: false,
            unopened: None,
            disk_stands: false,
            slots: Slots { parts: 3, controls: 5, reads: 1, opens_at: None },
            appending: VecDeque::new(),
            kept: vec![],
            started: vec![],
            stopped: vec![],
            done: false,
        }
    }

    fn after(&mut self, ms: u64) {
        self.now = Now { tick: self.now.tick.after_ms(ms), unix_ms: self.now.unix_ms + ms as i64 };
    }

    fn handle(&mut self, event: Event) {
        self.machine.handle(self.now, event);
    }

    /// Until it rests.
    fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            match self.machine.poll(self.now, &mut self.slots.clone()) {
                Step::Commit { id, record } => {
                    self.appending.push_back((id, record));
                    if !self.disk_stands {
                        self.append();
                    }
                }
                Step::AskSource => {
                    if self.touched {
                        self.identity.mtime_ns = self.identity.mtime_ns.map(|ns| ns + 1);
                    }
                    let source = self.unopened.map_or_else(|| Ok(self.identity.clone()), |code| Err(error(code)));
                    self.handle(Event::Source(source));
                }
                Step::AskCredential { .. } => {
                    let credential = Some(Credential::token("t"));
                    self.handle(Event::Credential { credential, generation: self.now.tick.0 });
                }
                Step::Start { op, work } => self.started.push((op, work)),
                Step::Stop { op } => self.stopped.push(op),
                Step::Wait { .. } => return,
                Step::Done => {
                    self.done = true;
                    return;
                }
            }
        }
        panic!("{STEPS_MAX} steps at one tick: {:?}", self.state());
    }

    /// The disk carries out the next append.
    fn append(&mut self) {
        let (id, record) = self.appending.pop_front().expect("an append");
        self.kept.push(record);
        self.handle(Event::Committed(id));
    }

    /// The disk refuses the next append.
    fn refuse(&mut self) {
        let (id, _) = self.appending.pop_front().expect("an append");
        self.handle(Event::CommitFailed(id, ErrorInfo::new(Code::DiskFull, "full")));
    }

    /// What it started that is of this kind. A session that was left is dropped on the way, and links are renewed.
    fn take(&mut self, kind: OpKind) -> (OpId, Work) {
        self.run();
        let on_the_way = |op: &OpId| op.kind != kind && matches!(op.kind, OpKind::Discard | OpKind::Sign);
        while let Some(at) = self.started.iter().position(|(op, _)| on_the_way(op)) {
            let (op, _) = self.started.remove(at);
            let (status, body) = if op.kind == OpKind::Sign { (200, SESSION) } else { (204, "") };
            self.answered(op, status, body);
            self.run();
        }
        let at = self.started.iter().position(|(op, _)| op.kind == kind);
        let at = at.unwrap_or_else(|| panic!("no {kind:?} but {:?}; {:?}", self.kinds(), self.state()));
        self.started.remove(at)
    }

    fn kinds(&self) -> Vec<OpKind> {
        self.started.iter().map(|(op, _)| op.kind).collect()
    }

    fn request(&mut self, kind: OpKind) -> (OpId, Request) {
        match self.take(kind) {
            (op, Work::Send(request)) => (op, request),
            (op, work) => panic!("{op:?}: {work:?}"),
        }
    }

    fn answered(&mut self, op: OpId, status: u16, body: &str) {
        let answer = Answer { status, headers: vec![], body: body.as_bytes().to_vec() };
        self.handle(Event::Answered { op, result: Ok(answer), sent: Sent::default() });
    }

    fn failed(&mut self, op: OpId, fault: TransportFault, bytes: u64) {
        self.handle(Event::Answered { op, result: Err(fault), sent: Sent { bytes, crc64: 0 } });
    }

    /// The next request of that kind is answered so.
    fn answer(&mut self, kind: OpKind, status: u16, body: &str) {
        let (op, _) = self.request(kind);
        self.answered(op, status, body);
    }

    /// A part arrives.
    fn stored(&mut self, number: u32) {
        let (op, request) = self.request(OpKind::Part(number));
        let sent = Sent { bytes: request.body.range().unwrap().len, crc64: 0 };
        let answer = Answer { status: 200, ..Answer::default() };
        self.handle(Event::Answered { op, result: Ok(answer), sent });
    }

    /// Zeros go into the digest pass.
    fn hashed(&mut self, kind: OpKind) {
        let (op, Work::Hash { range, mut digester }) = self.take(kind) else { panic!("no pass") };
        digester.update(&vec![0; range.len as usize]);
        let digest = ReadDigest { crc64: 0, md5: None, bytes: None, digester: Some(digester) };
        self.handle(Event::Read { op, result: Ok(digest) });
    }

    /// All of a small file is hashed, and proven to be in hand.
    fn offered(&mut self) {
        self.hashed(OpKind::Hash(1));
        let (op, Work::Read { range, .. }) = self.take(OpKind::Proof) else { panic!("no proof") };
        let bytes = Some(vec![0; range.len as usize]);
        self.handle(Event::Read { op, result: Ok(ReadDigest { crc64: 0, md5: None, bytes, digester: None }) });
    }

    fn state(&self) -> State {
        self.machine.state(self.now)
    }

    fn waits_for(&self) -> Option<WaitReason> {
        match self.state() {
            State::Waiting { waiting } => Some(waiting.reason),
            _ => None,
        }
    }

    fn needs_host(&self) -> bool {
        matches!(self.state(), State::Waiting { waiting } if waiting.needs_host)
    }

    fn endings(&self) -> Vec<Ending> {
        let ending = |record: &Record| match record {
            Record::Ending { ending, .. } => Some(ending.clone()),
            _ => None,
        };
        self.kept.iter().filter_map(ending).collect()
    }

    /// The code of the one ending.
    fn failure(&self) -> Code {
        match self.endings().as_slice() {
            [Ending::Failed(error)] => error.code,
            endings => panic!("{endings:?}; {:?}", self.state()),
        }
    }
}

/// A file of so many parts, begun.
fn begun(parts: u64, more: Value) -> Hand {
    let mut all = json!({ "part_size_bytes": MIB });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut hand = Hand::new(smh("y.bin"), parts * MIB, all);
    hand.answer(OpKind::Begin, 201, SESSION);
    hand.run();
    hand
}

fn error(code: Code) -> ErrorInfo {
    ErrorInfo::new(code, "as the test says")
}

fn stalled() -> TransportFault {
    TransportFault::Stalled(error(Code::Stalled))
}

fn cut() -> TransportFault {
    TransportFault::Cut { error: error(Code::ConnectionCut), reused: false }
}

// ---- dates

/// `20251103T070140Z`, in milliseconds since 1970.
fn basic_ms(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    let (y, m) = (if month <= 2 { year - 1 } else { year }, (month + 9) % 12);
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719_468;
    (days * 86_400 + number(9..11) * 3_600 + number(11..13) * 60 + number(13..15)) * 1_000
}

/// A KooDrive whose clock is so far from the phone's, and whose `Date` is so far from that clock.
struct Dated {
    hand: Hand,
    clock_ms: i64,
    date_ms: i64,
    refusal: (u16, &'static str),
}

impl Dated {
    const FILE: &str = r#"{"fileId":"F1","fileName":"y.bin","code":0,
        "multiParts":[{"partNumber":1,"uploadUrl":"https://obs.example.com/x?partNumber=1"}]}"#;
    /// What a date that is not in the last 15 minutes is told (koodrive §2, §9).
    const REFUSALS: [(u16, &str); 4] = [
        (401, r#"{"error_code":"APIG.0301","error_msg":"X-Date is wrong"}"#),
        (401, r#"{"code":13000101,"msg":"request error"}"#),
        (400, r#"{"code":13000102,"msg":"Verify parameters failed."}"#),
        (400, r#"{"code":13000101,"msg":"authentication failed"}"#),
    ];

    fn new(clock_ms: i64, date_ms: i64, refusal: (u16, &'static str)) -> Dated {
        Dated { hand: Hand::new(koodrive("y.bin"), 100, json!({})), clock_ms, date_ms, refusal }
    }

    /// The next request of that kind, until one is dated as it may be: that one is answered so. The number of them.
    fn answer(&mut self, kind: OpKind, status: u16, body: &str) -> u32 {
        for requests in 1..=4 {
            let (op, request) = self.hand.request(kind);
            let date = request.headers.iter().find(|(name, _)| name == "X-Date").expect("a date");
            let now = self.hand.now.unix_ms + self.clock_ms;
            let accepted = (now - 900_000..=now).contains(&basic_ms(date.1.expose()));
            let (status, body) = if accepted { (status, body) } else { self.refusal };
            self.hand.after(100);
            let at = std::time::UNIX_EPOCH + Duration::from_millis((now + self.date_ms) as u64);
            let headers = vec![("date".to_owned(), httpdate::fmt_http_date(at))];
            let answer = Answer { status, headers, body: body.as_bytes().to_vec() };
            self.hand.handle(Event::Answered { op, result: Ok(answer), sent: Sent::default() });
            if accepted {
                return requests;
            }
        }
        panic!("never dated as it may be: {} {} {:?}", self.clock_ms, self.date_ms, self.refusal);
    }

    fn send(&mut self) {
        self.hand.hashed(OpKind::Hash(1));
        self.hand.stored(1);
    }

    /// Begun, sent and completed: the requests that began and completed it.
    fn runs(&mut self) -> (u32, u32) {
        let begins = self.answer(OpKind::Begin, 200, Self::FILE);
        self.send();
        self.hand.after(60_000);
        let completes = self.answer(OpKind::Complete, 200, r#"{"code":0}"#);
        self.hand.run();
        assert!(matches!(self.hand.endings().as_slice(), [Ending::Completed(_)]), "{:?}", self.hand.state());
        (begins, completes)
    }
}

const OFF_MS: [i64; 8] = [-86_400_000, -3_600_000, -1_200_000, -600_000, 5_000, 60_000, 3_600_000, 86_400_000];

/// A `Date` that was wrong replaced a clock that had just been accepted, and the complete was refused for good.
#[test]
fn requests_are_dated_by_the_clock_that_was_accepted() {
    for date_ms in OFF_MS {
        for refusal in Dated::REFUSALS {
            assert_eq!(Dated::new(0, date_ms, refusal).runs(), (1, 1), "{date_ms} {refusal:?}");
        }
    }
}

#[test]
fn a_phone_whose_clock_is_refused_is_dated_by_the_refusal() {
    for clock_ms in [-86_400_000, -3_600_000, 3_600_000, 86_400_000, -400 * 86_400_000] {
        for refusal in Dated::REFUSALS {
            assert_eq!(Dated::new(clock_ms, 0, refusal).runs(), (2, 1), "{clock_ms} {refusal:?}");
        }
    }
}

/// What was accepted goes on by ticks, whatever the phone is set to and the answers say meanwhile; a service whose clock is set is followed.
#[test]
fn a_clock_that_is_set_under_way_is_asked_about_once() {
    for refusal in Dated::REFUSALS {
        let mut dated = Dated::new(-3_600_000, 0, refusal);
        assert_eq!(dated.answer(OpKind::Begin, 200, Dated::FILE), 2);
        dated.send();
        // The service's time goes on as it did.
        dated.hand.now.unix_ms += 7_200_000;
        (dated.clock_ms, dated.date_ms) = (-10_800_000, 86_400_000);
        assert_eq!(dated.answer(OpKind::Complete, 400, r#"{"code":13000403}"#), 1, "{refusal:?}");
        dated.hand.after(15_000);
        (dated.clock_ms, dated.date_ms) = (20_000_000, 0);
        assert_eq!(dated.answer(OpKind::Inspect, 200, r#"{"id":"F1","size":0}"#), 2, "{refusal:?}");
    }
}

/// The service's clock was set while a refusal for the date was on its way, again and again: in the end nothing but the old ones was tried.
#[test]
fn a_clock_that_is_set_between_refusals_is_followed_all_the_same() {
    let mut dated = Dated::new(0, 0, Dated::REFUSALS[0]);
    dated.answer(OpKind::Begin, 200, Dated::FILE);
    dated.send();
    let mut refused = 0;
    while refused < 6 {
        dated.clock_ms += 86_400_000;
        dated.hand.run();
        while dated.hand.kinds().is_empty() {
            dated.hand.after(15_000);
            dated.hand.run();
        }
        let (op, _) = dated.hand.started.remove(0);
        let at = std::time::UNIX_EPOCH + Duration::from_millis((dated.hand.now.unix_ms + dated.clock_ms) as u64);
        let headers = vec![("date".to_owned(), httpdate::fmt_http_date(at))];
        let body = dated.refusal.1.as_bytes().to_vec();
        let answer = Answer { status: dated.refusal.0, headers, body };
        dated.hand.handle(Event::Answered { op, result: Ok(answer), sent: Sent::default() });
        refused += 1;
    }
    dated.hand.run();
    while dated.hand.kinds().is_empty() {
        dated.hand.after(15_000);
        dated.hand.run();
    }
    let kind = dated.hand.kinds()[0];
    assert!(dated.answer(kind, 200, r#"{"code":0,"id":"F1","size":0}"#) <= 3);
}

/// A token that ran out where `Date` is wrong: that is tried once, and what was accepted before counts on.
#[test]
fn a_token_that_ran_out_under_a_wrong_date_costs_one_request_more() {
    for (date_ms, refusal) in OFF_MS.into_iter().flat_map(|date_ms| Dated::REFUSALS.map(|refusal| (date_ms, refusal))) {
        let mut dated = Dated::new(0, date_ms, refusal);
        dated.answer(OpKind::Begin, 200, Dated::FILE);
        dated.send();
        dated.answer(OpKind::Complete, 401, r#"{"code":"13000101","msg":"token expired"}"#);
        let mut completes = 0;
        while dated.hand.endings().is_empty() {
            completes += dated.answer(OpKind::Complete, 200, r#"{"code":0}"#);
            dated.hand.run();
        }
        assert!(completes <= 2, "{date_ms}: {completes}");
    }
}

// ---- a cancel

/// An abort that was answered by what an abort can't be answered by was sent again as fast as answers came.
#[test]
fn an_abort_that_comes_to_nothing_is_tried_a_few_times_and_not_at_once() {
    for (status, body) in [(409, r#"{"code":"PathNotFound"}"#), (403, r#"{"code":"NoPermission"}"#), (500, "")] {
        let mut hand = begun(1, json!({}));
        hand.handle(Event::Command(Command::Cancel));
        let mut aborts = vec![];
        for _ in 0..50 {
            hand.run();
            for (op, _) in std::mem::take(&mut hand.started) {
                match op.kind {
                    OpKind::Abort => {
                        aborts.push(hand.now.tick.0);
                        hand.answered(op, status, body);
                    }
                    _ => hand.failed(op, TransportFault::Cancelled { left: true }, 0),
                }
            }
            hand.after(100);
        }
        // So long as it would take to be tried for the last time.
        for _ in 0..20 {
            hand.after(15_000);
            hand.run();
            for (op, _) in std::mem::take(&mut hand.started) {
                aborts.push(hand.now.tick.0);
                hand.answered(op, status, body);
            }
        }
        assert!(hand.done, "{:?}", hand.state());
        assert!((2..=6).contains(&aborts.len()), "{status}: {aborts:?}");
        assert!(aborts.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{status}: {aborts:?}");
        assert_eq!(hand.endings(), [Ending::Cancelled(Remote::AbortPending)]);
    }
}

fn held_back() -> [TransportFault; 3] {
    [
        TransportFault::Cancelled { left: false },
        TransportFault::Unreached(error(Code::ConnectFailed)),
        TransportFault::Unsigned(error(Code::CredentialRefused)),
    ]
}

/// A begin that may make the object was stopped before it left; the cancel ended as outcome unknown.
#[test]
fn a_begin_that_was_stopped_before_it_left_made_nothing() {
    for fault in held_back() {
        let mut hand = Hand::new(koodrive("y.bin"), 100, json!({ "instant": "always" }));
        hand.offered();
        let (op, _) = hand.request(OpKind::Begin);
        assert!(matches!(hand.kept.last(), Some(Record::BeginIntent { .. })));
        hand.handle(Event::Command(Command::Cancel));
        hand.run();
        hand.after(1_000);
        hand.run();
        assert_eq!(hand.stopped, [op]);
        hand.failed(op, fault, 0);
        hand.run();
        assert_eq!(hand.endings(), [Ending::Cancelled(Remote::NothingThere)]);
    }
}

/// A begin that may have made the object was lost, and its repeat heard that the name was taken: the cancel said that there was nothing.
#[test]
fn a_begin_that_was_lost_is_in_doubt_while_the_name_is_taken() {
    for (lost, ending) in [(true, None), (false, Some(Ending::Cancelled(Remote::NothingThere)))] {
        let more = json!({ "instant": "always", "conflict": "keep_if_same" });
        let mut hand = Hand::new(koodrive("y.bin"), 100, more);
        hand.offered();
        if lost {
            let (op, _) = hand.request(OpKind::Begin);
            hand.failed(op, cut(), 0);
            hand.run();
            hand.after(15_000);
        }
        hand.answer(OpKind::Begin, 400, r#"{"code":13000405}"#);
        hand.handle(Event::Command(Command::Cancel));
        hand.run();
        match ending {
            Some(ending) => assert_eq!(hand.endings(), [ending]),
            None => assert_eq!(hand.failure(), Code::OutcomeUnknown),
        }
    }
}

/// The same of a complete: what became of it was looked for, and where nothing tells the end was outcome unknown.
#[test]
fn a_complete_that_was_stopped_before_it_left_made_nothing() {
    for fault in held_back() {
        let mut hand = begun(1, json!({}));
        hand.stored(1);
        let (op, _) = hand.request(OpKind::Complete);
        hand.handle(Event::Command(Command::Cancel));
        hand.run();
        assert_eq!(hand.stopped, [op]);
        hand.failed(op, fault, 0);
        // Nothing is looked up: what there is to undo is undone.
        hand.answer(OpKind::Abort, 204, "");
        hand.run();
        assert_eq!(hand.endings(), [Ending::Cancelled(Remote::Aborted)]);
    }
}

/// One that may have left is looked for.
#[test]
fn a_complete_that_was_stopped_on_its_way_is_looked_for() {
    let mut hand = begun(1, json!({}));
    hand.stored(1);
    let (op, _) = hand.request(OpKind::Complete);
    hand.handle(Event::Command(Command::Cancel));
    hand.run();
    hand.failed(op, TransportFault::Cancelled { left: true }, 0);
    hand.request(OpKind::Inspect);
}

// ---- a disk that refuses

/// What had failed went to the disk again while the disk still had some of the same round: what came back later stood behind what had come after it.
#[test]
fn what_could_not_be_kept_goes_again_once_the_disk_has_answered_for_all_of_it() {
    let mut hand = begun(3, json!({}));
    hand.disk_stands = true;
    hand.appending.clear();
    [1, 2, 3].iter().for_each(|number| hand.stored(*number));
    hand.run();
    let numbers = |hand: &Hand| {
        let number = |(_, record): &(CommitId, Record)| match record {
            Record::Part { part_number, .. } => *part_number,
            other => panic!("{other:?}"),
        };
        hand.appending.iter().map(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&hand), [1, 2, 3]);
    hand.refuse();
    for _ in 0..2 {
        hand.after(6_000);
        hand.handle(Event::Command(Command::Resume));
        hand.run();
        hand.refuse();
    }
    hand.after(6_000);
    hand.run();
    assert_eq!(numbers(&hand), [1, 2, 3], "in their order, once");
    let rounds: Vec<u32> = hand.appending.iter().map(|(id, _)| id.round).collect();
    assert_eq!(rounds, [1, 1, 1]);
}

/// A part's record that was still on its way when all was to be sent again came to stand behind the restart, and counted for the new session.
#[test]
fn a_restart_waits_for_the_records_of_parts() {
    let mut hand = begun(2, json!({}));
    hand.disk_stands = true;
    hand.appending.clear();
    hand.stored(1);
    hand.run();
    assert!(matches!(hand.appending.front(), Some((_, Record::Part { part_number: 1, .. }))));
    hand.answer(OpKind::Part(2), 404, "<Error><Code>NoSuchUpload</Code></Error>");
    hand.answer(OpKind::Inspect, 404, r#"{"code":"UploadNotFound"}"#);
    hand.run();
    assert_eq!(hand.appending.len(), 1, "{:?}", hand.appending);
    hand.append();
    hand.run();
    let restart = matches!(hand.appending.front(), Some((_, Record::Restart { why: RestartReason::SessionGone })));
    assert!(restart, "{:?}", hand.appending);
}

// ---- a source that never rests

fn proven(parts: u64, identity: Identity) -> Vec<Record> {
    let mut records = vec![
        Record::Plan { plan: partway::model::PartPlan { size_bytes: parts * MIB, part_size_bytes: MIB }, identity },
        serde_json::from_value(json!({ "r": "session", "session": { "confirm_key": "k", "mode": "multipart" } }))
            .unwrap(),
    ];
    records.extend((1..parts as u32).map(|part_number| Record::Part { part_number, crc64: 0 }));
    records
}

/// A file that something touched all the time was compared from its first part on each time, at the pace of the disk and for ever.
#[test]
fn a_file_that_is_touched_whenever_it_is_read_is_let_rest() {
    let identity = Identity { size_bytes: 4 * MIB, inode: Some(1), mtime_ns: Some(0), ..Identity::default() };
    let more = json!({ "part_size_bytes": MIB });
    let mut hand = Hand::over(proven(4, identity), smh("y.bin"), 4 * MIB, more);
    hand.touched = true;
    let mut reads = 0;
    let mut rests = vec![];
    while rests.len() < 12 {
        hand.run();
        match hand.started.pop() {
            Some((op, Work::Read { .. })) => {
                reads += 1;
                assert!(reads < 50, "read for ever: {:?}", hand.state());
                hand.handle(Event::Read { op, result: Err(error(Code::SourceChanged)) });
            }
            Some((op, _)) => panic!("{op:?}"),
            None => {
                let State::Waiting { waiting } = hand.state() else { panic!("{:?}", hand.state()) };
                assert_eq!((waiting.reason, waiting.needs_host), (WaitReason::Source, true));
                assert_eq!(waiting.error.map(|error| error.code), Some(Code::SourceChanged));
                let rest_ms = waiting.retry_in_ms.expect("it is looked at again");
                rests.push(rest_ms);
                // It gives its place, and what it counted goes on.
                let memory = hand.machine.hand_on();
                hand.machine.recall(memory);
                hand.after(rest_ms);
            }
        }
    }
    assert!(rests.windows(2).all(|pair| pair[0] <= pair[1]), "{rests:?}");
    assert_eq!((rests[0], rests[11]), (5_000, 15 * 60_000));
    assert!(reads <= 4 + rests.len(), "one look after each rest: {reads}");
    // Left alone it goes on with all that is proven.
    hand.touched = false;
    for number in 1..=3 {
        let (op, _) = hand.take(OpKind::Read(number));
        let digest = ReadDigest { crc64: 0, md5: None, bytes: None, digester: None };
        hand.handle(Event::Read { op, result: Ok(digest) });
    }
    hand.answer(OpKind::Inspect, 200, r#"{"confirmed":false,"uploadId":"u","parts":[]}"#);
    hand.run();
    assert_eq!(hand.machine.facts().proven.len(), 3);
}

/// A read that failed by chance had all that was compared before compared once more.
#[test]
fn what_was_compared_counts_as_long_as_the_file_stays_as_it_is() {
    let identity = Identity { size_bytes: 4 * MIB, inode: Some(1), mtime_ns: Some(0), ..Identity::default() };
    let more = json!({ "part_size_bytes": MIB });
    let mut hand = Hand::over(proven(4, identity), smh("y.bin"), 4 * MIB, more);
    let digest = || Ok(ReadDigest { crc64: 0, md5: None, bytes: None, digester: None });
    let (op, _) = hand.take(OpKind::Read(1));
    hand.handle(Event::Read { op, result: digest() });
    let (op, _) = hand.take(OpKind::Read(2));
    hand.handle(Event::Read { op, result: Err(error(Code::SourceChanged)) });
    let (op, _) = hand.take(OpKind::Read(2));
    hand.handle(Event::Read { op, result: Err(error(Code::SourceChanged)) });
    // Another one by its looks: from the beginning.
    hand.identity.mtime_ns = Some(9);
    hand.handle(Event::Command(Command::LookAgain));
    hand.run();
    hand.take(OpKind::Read(1));
}

// ---- what is believed

/// A service said that it had the file, and nothing of it had been shown to it: completed, without a byte.
#[test]
fn a_file_that_was_not_offered_is_not_done() {
    let mut hand = Hand::new(smh("y.bin"), 3 * MIB, json!({ "part_size_bytes": MIB }));
    let file = format!(r#"{{"path":["y.bin"],"name":"y.bin","size":"{}"}}"#, 3 * MIB);
    hand.answer(OpKind::Begin, 200, &file);
    hand.run();
    assert_eq!((hand.endings(), hand.waits_for()), (vec![], Some(WaitReason::Retry)));
    hand.after(15_000);
    hand.answer(OpKind::Begin, 201, SESSION);
    hand.request(OpKind::Part(1));
}

/// The beginning of a file of one block is all of it.
#[test]
fn a_file_of_one_block_may_be_known_by_its_beginning() {
    for (size, done) in [(MIB, true), (MIB + 1, false)] {
        let mut hand = Hand::new(smh("y.bin"), size, json!({ "instant": "always" }));
        hand.hashed(OpKind::Beginning);
        let file = format!(r#"{{"path":["y.bin"],"name":"y.bin","size":"{size}"}}"#);
        hand.answer(OpKind::Begin, 200, &file);
        hand.run();
        assert_eq!(matches!(hand.endings().as_slice(), [Ending::Completed(_)]), done, "{:?}", hand.state());
    }
    // Of one block, and the service speaks of another file.
    let mut hand = Hand::new(smh("y.bin"), MIB, json!({ "instant": "always" }));
    hand.hashed(OpKind::Beginning);
    hand.answer(OpKind::Begin, 200, r#"{"path":["y.bin"],"name":"y.bin","size":"7"}"#);
    hand.run();
    assert_eq!(hand.endings(), []);
}

// ---- slow and odd networks

fn whole(mode: SmhMode) -> Target {
    let Target::Smh(target) = smh("y.bin") else { unreachable!() };
    Target::Smh(SmhTarget { mode, ..target })
}

const SIMPLE: &str = r#"{"confirmKey":"k","domain":"d","path":"/o","headers":{"Authorization":"q"}}"#;

/// A small file on a slow network: each stall counted as a session that was lost, and the fourth one asked for help.
#[test]
fn a_small_file_on_a_slow_network_is_tried_as_often_as_any() {
    let mut hand = Hand::new(whole(SmhMode::Simple), MIB, json!({}));
    for stall in 1..=10 {
        hand.answer(OpKind::Begin, 201, SIMPLE);
        let (op, _) = hand.request(OpKind::Part(1));
        hand.after(70_000);
        hand.failed(op, stalled(), 400_000);
        hand.run();
        assert!(!hand.needs_host(), "stall {stall}: {:?}", hand.state());
        hand.after(15_000);
    }
    // Its own row of failures bounds it.
    hand.answer(OpKind::Begin, 201, SIMPLE);
    let (op, _) = hand.request(OpKind::Part(1));
    hand.after(70_000);
    hand.failed(op, stalled(), 400_000);
    hand.run();
    assert!(hand.needs_host(), "{:?}", hand.state());
}

/// Links that nobody takes are another matter: there is no row of failures that would end that.
#[test]
fn a_small_file_whose_links_are_refused_asks_for_help() {
    let mut hand = Hand::new(whole(SmhMode::Simple), MIB, json!({}));
    let mut begins = 0;
    while !hand.needs_host() {
        begins += 1;
        assert!(begins < 20, "for ever");
        hand.answer(OpKind::Begin, 201, SIMPLE);
        hand.answer(OpKind::Part(1), 403, "");
        hand.run();
        // Ever more slowly.
        hand.after(if hand.needs_host() { 0 } else { 15_000 });
        hand.run();
    }
    assert!(begins <= 5, "{begins}");
}

/// Once a part had been cut off each later try of it asked first, also where nobody on the way understands that: no way back.
#[test]
fn a_part_that_asked_in_vain_does_not_ask_the_next_time() {
    let mut hand = begun(1, json!({}));
    let mut asked = vec![];
    let faults = [
        (cut(), 9),
        (stalled(), 0),
        (cut(), 9),
        (TransportFault::Malformed(error(Code::AnswerMalformed)), 0),
        (cut(), 0),
    ];
    for (fault, bytes) in faults {
        let (op, request) = hand.request(OpKind::Part(1));
        asked.push(request.expect_continue);
        hand.failed(op, fault, bytes);
        hand.run();
        hand.after(15_000);
    }
    let (_, request) = hand.request(OpKind::Part(1));
    asked.push(request.expect_continue);
    assert_eq!(asked, [false, true, false, true, false, true]);
}

/// 417 was no answer that was known: the upload failed.
#[test]
fn who_does_not_want_to_be_asked_is_not_asked_again() {
    let mut hand = begun(1, json!({}));
    let (op, _) = hand.request(OpKind::Part(1));
    hand.failed(op, cut(), 9);
    hand.run();
    hand.after(15_000);
    let (op, request) = hand.request(OpKind::Part(1));
    assert!(request.expect_continue);
    hand.answered(op, 417, "");
    hand.run();
    hand.after(15_000);
    for _ in 0..3 {
        let (op, request) = hand.request(OpKind::Part(1));
        assert!(!request.expect_continue);
        hand.failed(op, cut(), 9);
        hand.run();
        hand.after(15_000);
    }
    hand.stored(1);
    hand.answer(OpKind::Complete, 200, FILE);
    hand.run();
    assert!(matches!(hand.endings().as_slice(), [Ending::Completed(_)]));
}

/// One whose host had asked for time looked like one in line, and kept its place for as long as that was.
#[test]
fn who_waits_for_a_host_to_open_says_so_and_gives_its_place() {
    let mut hand = Hand::new(smh("y.bin"), MIB, json!({}));
    let opens = hand.now.tick.after_ms(60_000);
    hand.slots = Slots { parts: 0, controls: 0, reads: 1, opens_at: Some(opens) };
    hand.run();
    let State::Waiting { waiting } = hand.state() else { panic!("{:?}", hand.state()) };
    assert_eq!((waiting.reason, waiting.retry_in_ms, waiting.needs_host), (WaitReason::Retry, Some(60_000), false));
    assert_eq!(waiting.error.map(|error| error.code), Some(Code::ServiceBusy));
    assert!(hand.machine.gives_place(hand.now, 20_000));
    assert!(hand.machine.explain(hand.now).next_try_ms.is_some());
    // Others work first: that is in line.
    hand.slots.opens_at = None;
    hand.run();
    assert_eq!(hand.state(), State::Queued);
    // A part waits the same way.
    hand.slots = Slots { parts: 3, controls: 5, reads: 1, opens_at: None };
    hand.answer(OpKind::Begin, 201, SESSION);
    hand.slots = Slots { parts: 0, controls: 0, reads: 1, opens_at: Some(opens) };
    hand.run();
    assert_eq!(hand.waits_for(), Some(WaitReason::Retry));
    hand.slots = Slots { parts: 3, controls: 5, reads: 1, opens_at: None };
    hand.after(60_000);
    hand.request(OpKind::Part(1));
}

// ---- what it waits for, for the next process

impl Hand {
    /// The waits that were kept.
    fn waits(&self) -> Vec<(WaitReason, Code, i64, Option<i64>)> {
        let waits = self.kept.iter().filter_map(|record| match record {
            Record::Waits(wait) => Some((wait.waits, wait.error.code, wait.since_unix_ms, wait.next_try_unix_ms)),
            _ => None,
        });
        waits.collect()
    }
}

/// After a run that ended stuck an upload was in line, and that was all that anybody could learn of it.
#[test]
fn a_wait_that_lasts_is_kept_once() {
    let mut hand = Hand::new(smh("y.bin"), MIB, json!({}));
    let since = hand.now.unix_ms;
    hand.answer(OpKind::Begin, 403, r#"{"code":"QuotaLimitReached","message":"m"}"#);
    hand.run();
    assert!(hand.needs_host(), "{:?}", hand.state());
    let next = since + 15 * 60_000;
    assert_eq!(hand.waits(), [(WaitReason::Retry, Code::QuotaExceeded, since, Some(next))]);
    assert!(hand.machine.gives_place(hand.now, 20_000) && !hand.machine.is_busy());
    for _ in 0..3 {
        hand.after(60_000);
        hand.run();
    }
    assert_eq!(hand.waits().len(), 1, "it is known");
    // Its time comes, and it is the same again.
    hand.after(12 * 60_000);
    hand.answer(OpKind::Begin, 403, r#"{"code":"QuotaLimitReached","message":"m"}"#);
    hand.run();
    assert_eq!(hand.waits().len(), 2);
    // The wait is over.
    hand.after(15 * 60_000);
    hand.answer(OpKind::Begin, 201, SESSION);
    hand.run();
    assert!(hand.machine.facts().wait.is_none());
}

#[test]
fn a_short_wait_is_kept_when_it_is_let_go_in_it() {
    let mut hand = begun(1, json!({}));
    let (op, _) = hand.request(OpKind::Part(1));
    hand.answered(op, 503, "");
    hand.run();
    assert_eq!((hand.waits_for(), hand.waits().len()), (Some(WaitReason::Retry), 0), "over in a moment");
    let since = hand.now.unix_ms;
    hand.after(100);
    hand.handle(Event::Command(Command::Hold));
    hand.run();
    assert_eq!(hand.waits_for(), Some(WaitReason::Held));
    let waits = hand.waits();
    assert_eq!(
        waits.iter().map(|wait| (wait.0, wait.1, wait.2)).collect::<Vec<_>>(),
        [(WaitReason::Retry, Code::ServiceBusy, since)]
    );
    assert!(waits[0].3.is_some_and(|next| next > hand.now.unix_ms));
    hand.after(60_000);
    hand.run();
    assert_eq!(hand.waits().len(), 1);
    // Held at work, it waited for nothing.
    let mut hand = begun(1, json!({}));
    hand.take(OpKind::Part(1));
    hand.handle(Event::Command(Command::Hold));
    hand.run();
    // Nor is the world what it waits for: the next process looks for itself.
    hand.handle(Event::Command(Command::Go));
    hand.handle(Event::Network(Network::offline(1)));
    hand.run();
    assert_eq!((hand.waits_for(), hand.waits()), (Some(WaitReason::Network), vec![]));
}

#[test]
fn waits_do_not_fill_a_journal() {
    let mut hand = begun(1, json!({}));
    let retry_after = |seconds: u64| Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), seconds.to_string())],
        body: vec![],
    };
    for round in 0..1_000 {
        let (op, _) = hand.request(OpKind::Part(1));
        let result = Ok(retry_after(30 + round % 7));
        hand.handle(Event::Answered { op, result, sent: Sent::default() });
        hand.run();
        hand.after(40_000);
        hand.handle(Event::Command(Command::Resume));
    }
    assert_eq!(hand.machine.facts().waits_kept as usize, hand.waits().len());
    assert_eq!(hand.waits().len(), 200, "and not a thousand");
}

// ---- its own time

const WEEK_MS: u64 = 7 * 24 * 3_600_000;

/// A device that began at 1970 was told the time by its network, and everything gave up at once.
#[test]
fn a_clock_that_is_set_is_no_time_that_passed() {
    let mut hand = begun(1, json!({ "give_up_after_ms": WEEK_MS, "created_unix_ms": 5 }));
    for unix_ms in [1_790_000_000_000, 5, 3_000_000_000_000] {
        hand.now.unix_ms = unix_ms;
        hand.run();
        assert_eq!(hand.endings(), [], "{unix_ms}");
    }
    hand.after(WEEK_MS - 1);
    hand.run();
    assert_eq!(hand.endings(), []);
    hand.after(1);
    hand.run();
    assert_eq!(hand.failure(), Code::GaveUp);
}

/// Also a machine that came later counts from when the process first knew of the upload.
#[test]
fn its_own_time_outlives_its_machine() {
    let mut hand = begun(1, json!({ "give_up_after_ms": WEEK_MS }));
    let known = hand.now;
    hand.now.unix_ms += 3 * WEEK_MS as i64;
    let memory = hand.machine.hand_on();
    let mut later = Hand::new(smh("y.bin"), MIB, json!({ "give_up_after_ms": WEEK_MS }));
    later.now = hand.now;
    later.machine.recall(memory);
    later.answer(OpKind::Begin, 201, SESSION);
    later.run();
    assert_eq!(later.endings(), []);
    // The runtime may say so, too.
    later.machine.seen_since(Now { tick: Tick(0), ..known });
    later.now.tick = Tick(WEEK_MS);
    later.run();
    assert_eq!(later.failure(), Code::GaveUp);
}

/// Who gave up left its session at the service, for ever.
#[test]
fn who_gives_up_has_its_session_dropped_and_ends_once() {
    for (status, body) in [(204, ""), (404, r#"{"code":"UploadNotFound"}"#), (400, r#"{"code":"ParamInvalid"}"#)] {
        let mut hand = begun(2, json!({ "give_up_after_ms": WEEK_MS }));
        hand.stored(1);
        hand.after(WEEK_MS);
        hand.run();
        assert_eq!(hand.failure(), Code::GaveUp);
        hand.answer(OpKind::Abort, status, body);
        hand.run();
        for (op, _) in std::mem::take(&mut hand.started) {
            hand.failed(op, TransportFault::Cancelled { left: true }, 0);
        }
        hand.run();
        assert!(hand.done && !hand.kinds().contains(&OpKind::Abort), "{:?}", hand.kinds());
        assert_eq!(hand.failure(), Code::GaveUp);
    }
}

/// It gave up while a complete, of which only a look said that it had made nothing, could still be carried out: failed, and then there was an object.
#[test]
fn who_gives_up_settles_first_what_may_have_made_the_object() {
    let doubtful = || {
        let mut hand = begun(1, json!({ "give_up_after_ms": WEEK_MS }));
        hand.stored(1);
        let (op, _) = hand.request(OpKind::Complete);
        hand.failed(op, cut(), 0);
        hand.answer(OpKind::Inspect, 200, r#"{"confirmed":false,"uploadId":"u","parts":[]}"#);
        hand.run();
        assert!(hand.kept.contains(&Record::CompleteNo { looked: true }), "{:?}", hand.kept);
        hand.after(WEEK_MS);
        hand.run();
        // It is open, so it is dropped; and then its place is looked at.
        while hand.kinds() == [OpKind::Inspect] {
            hand.answer(OpKind::Inspect, 200, r#"{"confirmed":false,"uploadId":"u","parts":[]}"#);
            hand.run();
        }
        hand.answer(OpKind::Discard, 204, "");
        hand
    };
    let mut hand = doubtful();
    hand.answer(OpKind::Probe, 404, "");
    hand.run();
    assert_eq!(hand.failure(), Code::GaveUp);
    // It was carried out in between.
    let mut hand = doubtful();
    let (op, _) = hand.request(OpKind::Probe);
    let headers = [
        ("x-smh-size", MIB.to_string()),
        ("x-smh-crc64", "0".into()),
        ("x-smh-creation-time", "2051-07-24T10:34:32.000Z".into()),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let answer = Answer { status: 200, headers, body: vec![] };
    hand.handle(Event::Answered { op, result: Ok(answer), sent: Sent::default() });
    hand.run();
    assert!(matches!(hand.endings().as_slice(), [Ending::Completed(_)]), "{:?}", hand.endings());
}
