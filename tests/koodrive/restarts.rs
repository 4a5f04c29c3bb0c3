//! When all has to be sent again, and when not: once for a wrong whole, once for a session that is gone or too old, never for anything else.

use std::io::Write;

use partway::{
    client::{Client, State},
    engine::Record,
    error::Code,
    runtime::journal::codec,
};
use partway_sandbox::{How, Rule, Step};

use crate::{common::*, world};

const PARTS: u64 = 4;

/// An upload of four parts that was closed when two were proven.
fn half() -> (World, std::path::PathBuf, String) {
    let world = world();
    let file = world.file("film.mp4", PARTS * world.part());
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    world.leave(client);
    world.cloud.remove_rule(stall);
    (world, file, id)
}

fn now_unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// What an older run would have written last.
fn last_heard_of(world: &World, id: &str, unix_ms: i64) {
    let mut line = vec![];
    codec::append(&Record::Alive { unix_ms }, &mut line).unwrap();
    let path = world.state_dir().join(format!("{id}.journal"));
    std::fs::File::options().append(true).open(path).unwrap().write_all(&line).unwrap();
}

#[test]
fn a_session_that_was_left_for_a_day_is_begun_anew() {
    const HOUR_MS: i64 = 3_600_000;
    // A phone whose clock was set back does not make it old.
    for (ago_ms, begins) in [(25 * HOUR_MS, 2), (23 * HOUR_MS, 1), (-25 * HOUR_MS, 1)] {
        let (world, file, id) = half();
        last_heard_of(&world, &id, now_unix_ms() - ago_ms);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.no_secret_on_disk();
        assert_eq!(world.requests(Step::Begin), begins, "{ago_ms}\n{}", world.told());
        // Once is enough: the new session is young.
        world.leave(client);
        let client = world.open();
        completed(&client, &id);
        assert_eq!(world.requests(Step::Begin), begins);
    }
}

#[test]
fn a_session_that_the_service_forgot_is_begun_anew() {
    let (world, file, id) = half();
    world.cloud.forget_all();
    let client = world.open();
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.requests(Step::Begin), 2, "{}", world.told());
}

#[test]
fn a_session_that_is_known_is_gone_on_with() {
    let (world, file, id) = half();
    let client = world.open();
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    assert_eq!(world.requests(Step::Begin), 1);
    assert_eq!(acknowledged(&world.cloud.log()), [1, 2, 3, 4], "{}", world.told());
}

fn fails_of_integrity(client: &Client, id: &str) {
    match ended(client, id).state {
        State::Failed { error } => assert_eq!(error.code, Code::IntegrityFailed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wrong_whole_is_sent_anew_once_over_all_runs() {
    let world = world();
    let file = world.file("film.mp4", 2 * world.part());
    world.rule(Rule::new(Step::Confirm, How::status(400, "13000402")));
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    world.wait("sent anew", |log| of(log, Step::Part).any(|entry| entry.rule == Some(stall)));
    assert_eq!(world.requests(Step::Confirm), 1);
    world.leave(client);
    world.cloud.remove_rule(stall);
    let client = world.open();
    fails_of_integrity(&client, &id);
    assert_eq!((world.requests(Step::Begin), world.requests(Step::Confirm)), (2, 2), "{}", world.told());
    assert!(world.cloud.objects().is_empty());
}

#[test]
fn a_part_that_arrives_damaged_is_found_at_the_end_and_mended_once() {
    for at_put in [false, true] {
        let world = world();
        world.cloud.set_switches(|switches| switches.koodrive.digest_at_put = at_put);
        let file = world.file("film.mp4", 3 * world.part());
        world.rule(Rule::new(Step::Part, How::Corrupt { bit: 4_000_001 }).part(2).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "film.mp4"));
        completed(&client, &id);
        world.sole_object(&file);
        // A service that compares at once has only that part sent again.
        let sent = if at_put { 4 } else { 6 };
        assert_eq!(world.parts_sent().len(), sent, "{}", world.told());
    }
}
