//! Defects 11, 14, 15, 20 and 22: what of an upload outlives trouble and kills.

use partway::{
    engine::{Facts, Record, UploadRecord},
    error::Code,
    model::{Identity, PartPlan},
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

const SIZE: u64 = 5 * MIB + 9;

/// 11: Parts that ran beside each other were all noted under the number of the last one. Here each is proven under its own: after a kill, those that came
/// behind a gap count too, and only the gap is sent.
#[test]
fn d11_parts_that_end_out_of_order_are_each_noted_as_themselves() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 5);
    world.leave(client);
    world.cloud.remove_rule(stall);
    world.cloud.clear_log();
    let client = world.open();
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.parts_sent(), [2], "{}", world.told());
}

/// 14: Any refusal cleared the session and its parts, the last part was never reused, a 504 was repeated without end, and one link that was over had all
/// parts signed again. Here a refusal that somebody can mend is a wait, and nothing proven is sent again, the last part included.
#[test]
fn d14_a_refusal_throws_nothing_away() {
    let cases = [
        (Step::Confirm, How::status(400, "QuotaLimitReached")),
        (Step::Confirm, How::status(403, "NoPermission")),
        (Step::Part, How::status(504, "")),
    ];
    each(&cases, |(step, how)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let rule = world.rule(match step {
            Step::Part => Rule::new(*step, how.clone()).part(1),
            _ => Rule::new(*step, how.clone()),
        });
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until_long(&client, &id, needs_host);
        let refused = world.cloud.log().iter().filter(|entry| entry.rule == Some(rule)).count();
        assert!((1..=15).contains(&refused), "{refused}\n{}", world.told());
        let tasks = world.cloud.uploads().len();
        client.close(5_000);
        world.cloud.remove_rule(rule);
        world.cloud.clear_log();
        let client = world.open();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        let sent = world.parts_sent();
        assert_eq!(sent, if *step == Step::Part { vec![1] } else { vec![] }, "{}", world.told());
        assert_eq!((world.requests(Step::Begin), world.requests(Step::Renew)), (0, 0), "{}", world.told());
        assert_eq!((tasks, world.cloud.uploads().len()), (1, 1));
    });
}

/// 15: The bytes of what had been sent were added up in 32 bits: past 2 GiB a resume went on at a wrong place. Here they are 64 bits from end to end.
#[test]
fn d15_what_is_proven_past_4_gib_adds_up() {
    let gib = 1 << 30;
    let plan = PartPlan { size_bytes: 9 * gib + 5, part_size_bytes: gib };
    let upload: UploadRecord = serde_json::from_value(serde_json::json!({
        "id": "01M7WGK9FAE3HBHQ5J1H6PWT0B", "key": "k", "created_unix_ms": 0, "source": {},
        "target": partway::model::Target::Smh(partway::model::SmhTarget::default()),
    }))
    .unwrap();
    let identity = Identity { size_bytes: plan.size_bytes, ..Identity::default() };
    let parts = [1, 2, 3, 4, 5, 6, 8, 10].map(|part_number| Record::Part { part_number, crc64: 7 });
    let records = [Record::Upload(Box::new(upload)), Record::Plan { plan, identity }];
    let facts = Facts::new(records.into_iter().chain(parts)).unwrap();
    assert_eq!((facts.bytes_proven, facts.proven.len(), facts.all_proven()), (7 * gib + 5, 8, false));
    let part = |number| plan.part(number).map(|part| (part.offset, part.size_bytes));
    assert_eq!(
        [part(7), part(9), part(10), part(11)],
        [Some((6 * gib, gib)), Some((8 * gib, gib)), Some((9 * gib, 5)), None]
    );
}

/// 20: The journal was deleted and written anew, and only when the app went to the background: a kill at any other moment lost it. Here a line is added for
/// each thing that became true: whatever a kill leaves is enough. The directory as it is found while parts are sent is what a kill leaves.
#[test]
fn d20_what_a_kill_leaves_at_any_moment_is_enough() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Part, How::Delay { ms: 30 }));
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.parallel_parts = Some(1);
    let id = start(&client, request);
    let mut left = vec![];
    for parts in 0..=5 {
        let snapshot = until(&client, &id, |snapshot| snapshot.progress.parts_done >= parts || snapshot.state.ended());
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join("state")).unwrap();
        let name = format!("state/{id}.journal");
        std::fs::copy(world.dir.path().join(&name), copy.path().join(&name)).unwrap();
        left.push((snapshot.progress.parts_done, copy));
    }
    completed(&client, &id);
    client.close(5_000);
    for (parts, copy) in left {
        let mut config = world.config();
        (config.state_dir, config.autostart) = (copy.path().join("state"), false);
        let client = partway::client::Client::open(config).unwrap();
        let kept = client.snapshot(&id).unwrap().progress.parts_done;
        assert!(kept >= parts, "{kept} of {parts} are kept");
        client.close(5_000);
    }
}

/// 22: An upload that failed forgot all that it knew of its parts: the next try began at zero. Here a budget that is spent is a wait, and a later try goes
/// on where it was.
#[test]
fn d22_a_spent_budget_keeps_what_is_proven() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let rule = world.rule(Rule::new(Step::Part, How::DropBefore).part(4));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let stands = until_long(&client, &id, needs_host);
    assert!(error_of(&stands).is_some_and(|error| error.code != Code::Bug), "{stands:?}");
    assert_eq!(stands.progress.parts_done, 5);
    world.cloud.remove_rule(rule);
    world.cloud.clear_log();
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.parts_sent(), [4]);
}
