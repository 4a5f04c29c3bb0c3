//! Files that travel whole: one PUT, or one form.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::*;
use partway::model::SmhMode;
use partway_sandbox::{How, Rule, Step};

const SIZE: u64 = 3 * MIB + 5;

/// The start and the data request of each way.
const WAYS: [(SmhMode, Step, Step); 2] =
    [(SmhMode::Simple, Step::SimpleBegin, Step::Put), (SmhMode::Form, Step::FormBegin, Step::Form)];

/// Each way with each of those.
fn ways<T: Clone>(cases: &[T]) -> Vec<((SmhMode, Step, Step), T)> {
    WAYS.into_iter().flat_map(|way| cases.iter().map(move |case| (way, case.clone()))).collect()
}

fn lost() -> [How; 3] {
    [How::DropBefore, How::DropAfter, How::Reset]
}

fn refused(status: u16, code: &str) -> How {
    let code = Some(code.to_owned());
    How::Status { status, code, message: None, headers: BTreeMap::new(), body: None, process: false }
}

/// An upload during which something goes wrong.
fn survives(mode: SmhMode, prepare: impl Fn(&World)) -> World {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    prepare(&world);
    let client = world.open();
    let id = start(&client, world.request_by(mode, &file, "Camera/photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    world
}

#[test]
fn a_file_arrives_whole_and_once() {
    let auto = (SmhMode::Auto, Step::SimpleBegin, Step::Put);
    let cases: Vec<_> = ways(&[0, 1, MIB, SIZE]).into_iter().chain([(auto, 0), (auto, 17), (auto, MIB)]).collect();
    each(&cases, |((mode, begin, data), size)| {
        let world = World::new();
        let file = world.file("photo.jpg", *size);
        let client = world.open();
        let id = start(&client, world.request_by(*mode, &file, "Camera/2026/photo.jpg"));
        let receipt = completed(&client, &id);
        assert_eq!((receipt.size_bytes, receipt.instant), (*size, false));
        world.sole_object(&file);
        let counts = [*data, Step::Confirm, Step::Renew, Step::Part, Step::Cancel].map(|step| world.requests(step));
        assert_eq!(counts, [1, 1, 0, 0, 0], "{}", world.told());
        // One that found no parent directory, and one.
        assert_eq!(world.requests(*begin), 2, "{}", world.told());
        let progress = client.snapshot(&id).unwrap().progress;
        assert_eq!((progress.bytes_sent, progress.bytes_resent, progress.bytes_acknowledged), (*size, 0, *size));
        world.hold_promises(&file);
    });
}

#[test]
fn a_file_above_the_part_size_travels_in_parts() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB + 1);
    let client = world.open();
    let id = start(&client, world.request_by(SmhMode::Auto, &file, "photo.jpg"));
    completed(&client, &id);
    assert_eq!((world.requests(Step::Put), world.parts_sent().len()), (0, 2));
}

#[test]
fn names_that_need_escaping() {
    let names = ["a b+c%41&d=e;f.csv", "it's 100%.bin", "影 é.mp4", "~!@#$^()_{}[].x", " edge .y"];
    each(&ways(&names), |((mode, ..), name)| {
        let world = World::new();
        let file = world.file("photo.jpg", MIB);
        let client = world.open();
        let id = start(&client, world.request_by(*mode, &file, &format!("{name}/{name}")));
        assert_eq!(completed(&client, &id).name, *name);
        assert_eq!(world.sole_object(&file).path, [*name, *name]);
    });
}

#[test]
fn a_link_that_is_over_before_the_bytes_come_is_begun_again() {
    each(&WAYS, |(mode, begin, data)| {
        let world = survives(*mode, |world| {
            world.cloud.make_directory("-", "Camera");
            world.rule(Rule::new(*data, How::Expire).once());
        });
        let counts = [*begin, *data, Step::Cancel, Step::Confirm, Step::Renew].map(|step| world.requests(step));
        assert_eq!(counts, [2, 2, 1, 1, 0], "the old task is dropped, nothing is renewed\n{}", world.told());
        world.becomes("dropped", || world.open_tasks() == 0);
    });
}

#[test]
fn links_that_never_live_long_enough_are_no_endless_loop() {
    each(&WAYS, |(mode, _, data)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(*data, How::Expire));
        let client = world.open();
        let id = start(&client, world.request_by(*mode, &file, "photo.jpg"));
        until(&client, &id, needs_host);
        assert!(world.requests(*data) <= 16, "{}", world.told());
        world.cloud.clear_rules();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
    });
}

#[test]
fn any_answer_may_be_lost() {
    let cases: Vec<_> = lost().into_iter().flat_map(|how| (0..3).map(move |which| (how.clone(), which))).collect();
    each(&ways(&cases), |((mode, begin, data), (how, which))| {
        let step = [*begin, *data, Step::Confirm][*which];
        let world = survives(*mode, |world| {
            world.cloud.make_directory("-", "Camera");
            world.rule(Rule::new(step, how.clone()).once());
        });
        let sent = world.requests(*data);
        assert_eq!(sent, if *which == 1 { 2 } else { 1 }, "{}", world.told());
        if *how == How::DropAfter && *which == 2 {
            assert_eq!(world.requests(Step::Confirm), 1, "{}", world.told());
        }
    });
}

#[test]
fn bytes_that_the_service_lost_are_sent_again() {
    let codes = ["CosObjectNonexistent", "UploadIncomplete"];
    each(&ways(&codes), |((mode, begin, data), code)| {
        let world = survives(*mode, |world| {
            world.cloud.make_directory("-", "Camera");
            world.rule(Rule::new(Step::Confirm, refused(404, code)).once());
        });
        let counts = [*begin, *data, Step::Confirm].map(|step| world.requests(step));
        assert_eq!(counts, [1, 2, 2], "{}", world.told());
    });
}

#[test]
fn killed_while_the_bytes_go_out() {
    each(&WAYS, |(mode, _, data)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(*data, How::Stall { after_bytes: MIB }));
        let id = {
            let client = world.open();
            let id = start(&client, world.request_by(*mode, &file, "photo.jpg"));
            world.wait_requests(*data, 1);
            world.leave(client);
            id
        };
        world.cloud.remove_rule(stall);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.requests(*data), 2, "{}", world.told());
    });
}

#[test]
fn killed_before_the_confirm_nothing_is_sent_again() {
    each(&ways(&[How::DropBefore, How::StallAnswer]), |((mode, begin, data), how)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let rule = world.rule(Rule::new(Step::Confirm, how.clone()));
        let id = {
            let client = world.open();
            let id = start(&client, world.request_by(*mode, &file, "photo.jpg"));
            world.wait_requests(Step::Confirm, 1);
            world.leave(client);
            id
        };
        world.cloud.remove_rule(rule);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!((world.requests(*begin), world.requests(*data)), (1, 1), "{}", world.told());
    });
}

#[test]
fn damaged_on_the_way_it_is_sent_again() {
    each(&WAYS, |(mode, _, data)| {
        let world = survives(*mode, |world| {
            world.rule(Rule::new(*data, How::Corrupt { bit: 77 }).once());
        });
        assert_eq!(world.requests(*data), 2, "{}", world.told());
    });
}

#[test]
fn a_service_that_loses_the_bytes_for_ever_is_no_endless_loop() {
    each(&ways(&["CosObjectNonexistent", "UploadIncomplete"]), |((mode, _, data), code)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Confirm, refused(404, code)));
        let client = world.open();
        let id = start(&client, world.request_by(*mode, &file, "photo.jpg"));
        world.wait_requests(Step::Confirm, 4);
        let log = world.cloud.log();
        let at: Vec<u64> = of(&log, Step::Confirm).map(|entry| entry.ms).collect();
        assert!(at[3] - at[0] >= 900, "each failure is waited out: {at:?}");
        assert!(of(&log, *data).count() <= at.len() + 1, "{}", world.told());
        world.cloud.clear_rules();
        completed(&client, &id);
        world.sole_object(&file);
    });
}
