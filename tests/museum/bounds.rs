//! Defects 18 and 23: very many parts, and the places that uploads take.

use partway::{
    client::{Client, Credential, State},
    engine::{Event, Facts, Limits, Machine, OpKind, Record, Slots, Step as Next, UploadRecord},
    error::Code,
    model::{
        Identity, Now, SmhTarget, Target, Tick,
        http::{Answer, Sent},
    },
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

const PARALLEL: u32 = 3;
const PARTS: u32 = 10_000;
const PART_SIZE_BYTES: u64 = 8 * MIB;

fn at(tick: u64) -> Now {
    Now { tick: Tick(tick), unix_ms: 1_700_000_000_000 }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: vec![], body: body.as_bytes().to_vec() }
}

/// 18: All parts were handed to an executor at once, whose queue took 5,000: larger files could not be uploaded. Here a part is begun when there is a
/// place for it: of 10,000 never more than the places are out, and each is sent once.
#[test]
fn d18_ten_thousand_parts_never_wait_in_a_queue() {
    let target =
        SmhTarget { endpoint: "https://h".into(), library: "l".into(), path: "p".into(), ..SmhTarget::default() };
    let upload: UploadRecord = serde_json::from_value(serde_json::json!({
        "id": "01M7WGK9FAE3HBHQ5J1H6PWT0B", "key": "k", "created_unix_ms": 0, "target": Target::Smh(target), "source": {},
        "instant": "off", "part_size_bytes": PART_SIZE_BYTES,
    }))
    .unwrap();
    let service = partway::service::open(&upload.target).unwrap();
    let facts = Facts::new([Record::Upload(Box::new(upload))]).unwrap();
    let mut machine = Machine::new(facts, service, Limits { parallel_parts: PARALLEL }, 1, at(1));
    let identity = Identity { size_bytes: u64::from(PARTS) * PART_SIZE_BYTES, inode: Some(1), ..Identity::default() };
    let (mut out, mut sent, mut tick) = (vec![], vec![0; PARTS as usize + 1], 1);
    while machine.facts().ending.is_none() {
        tick += 1;
        let mut slots = Slots { parts: PARALLEL - out.len() as u32, controls: 2, reads: 1, opens_at: None };
        match machine.poll(at(tick), &mut slots) {
            Next::Commit { id, .. } => machine.handle(at(tick), Event::Committed(id)),
            Next::AskSource => machine.handle(at(tick), Event::Source(Ok(identity.clone()))),
            Next::AskCredential { .. } => {
                let credential = Some(Credential::token("t"));
                machine.handle(at(tick), Event::Credential { credential, generation: 1 });
            }
            Next::Start { op, .. } => {
                let (body, status) = match op.kind {
                    OpKind::Part(number) => {
                        out.push((op, number));
                        assert!(out.len() <= PARALLEL as usize);
                        continue;
                    }
                    OpKind::Begin => (
                        r#"{"confirmKey":"k","domain":"d","path":"/o","uploadId":"u","headers":{"Authorization":"q"}}"#,
                        201,
                    ),
                    OpKind::Complete => (r#"{"path":["p"],"name":"p"}"#, 200),
                    other => panic!("{other:?}"),
                };
                let result = Ok(answer(status, body));
                machine.handle(at(tick), Event::Answered { op, result, sent: Sent::default() });
            }
            Next::Wait { .. } => {
                // The latest first: never the order in which they went out.
                let (op, number) =
                    out.pop().unwrap_or_else(|| panic!("it stands still: {:?}", machine.state(at(tick))));
                sent[number as usize] += 1;
                let (result, sent) = (Ok(answer(200, "")), Sent { bytes: PART_SIZE_BYTES, crc64: 0 });
                machine.handle(at(tick), Event::Answered { op, result, sent });
            }
            Next::Stop { .. } | Next::Done => panic!("{:?}", machine.state(at(tick))),
        }
    }
    assert!(sent[1..].iter().all(|count| *count == 1));
    assert_eq!(machine.facts().proven.len(), PARTS as usize);
}

/// 23, of a year of them: uploads that were cancelled in line crashed it or blocked it, and places that uploads had taken were never given back. Here the
/// rest goes on.
#[test]
fn d23_cancelled_and_failed_uploads_give_their_places_back() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Begin, How::status(400, "IllegalFileName")).path_contains("bad"));
    let stall = world.rule(Rule::new(Step::Begin, How::StallAnswer).path_contains("first").once());
    let mut config = world.config();
    config.limits.parallel_uploads = 1;
    let client = Client::open(config).unwrap();
    let first = start(&client, world.request(&file, "first.jpg"));
    world.wait("it has the one place", |log| log.iter().any(|entry| entry.rule == Some(stall)));
    let bad: Vec<String> = (0..5).map(|n| start(&client, world.request(&file, &format!("bad-{n}.jpg")))).collect();
    let queued: Vec<String> =
        (0..5).map(|n| start(&client, world.request(&file, &format!("queued-{n}.jpg")))).collect();
    let last = start(&client, world.request(&file, "last.jpg"));
    for id in &queued {
        client.cancel(&one(id));
    }
    client.cancel(&one(&first));
    for id in bad {
        let snapshot = ended(&client, &id);
        assert!(matches!(&snapshot.state, State::Failed { error } if error.code == Code::NameRefused), "{snapshot:?}");
    }
    for id in queued.iter().chain([&first]) {
        assert!(matches!(ended(&client, id).state, State::Cancelled { .. }));
    }
    completed(&client, &last);
    world.sole_object(&file);
    // What is refused for good is not asked again.
    assert_eq!(world.requests(Step::Begin), 1 + 5 + 1, "{}", world.told());
}

/// 23, too: an attempt from before a pause paused the upload that had been resumed since.
#[test]
fn d23_what_an_earlier_attempt_leaves_behind_stops_no_later_one() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB);
    // The answers to the first round come long after it was given up.
    world.rule(Rule::new(Step::Part, How::Delay { ms: 400 }).times(3));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.wait_requests(Step::Part, 3);
    client.pause(&one(&id));
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
}
