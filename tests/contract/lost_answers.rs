//! Whatever answer or request is lost, there is exactly one object, it is the file, and nothing proven is sent twice.
use std::collections::BTreeMap;

use crate::common::*;
use partway::{
    client::{Phase, Remote, State},
    error::Code,
    model::ServiceName,
};
use partway_sandbox::{ConfirmAgain, How, Rule, Step};

const PARTS: u64 = 5;
const SIZE: u64 = PARTS * MIB + 17;

fn lost() -> [How; 3] {
    [How::DropBefore, How::DropAfter, How::Reset]
}

fn processed(status: u16, code: &str) -> How {
    let code = Some(code.to_owned());
    How::Status { status, code, message: None, headers: BTreeMap::new(), body: None, process: true }
}

fn word<'a>(service: ServiceName, smh: &'a str, koodrive: &'a str) -> &'a str {
    if service == ServiceName::Smh { smh } else { koodrive }
}

fn code(service: ServiceName, smh: u16, koodrive: u16) -> u16 {
    if service == ServiceName::Smh { smh } else { koodrive }
}

for_each_service!(
    a_begin_that_is_lost_is_said_again,
    a_part_that_is_lost_is_sent_again_and_no_other,
    a_part_that_is_cut_in_its_body_is_sent_again_and_no_other,
    every_part_answer_lost_at_once_costs_one_more_round,
    a_renewal_that_is_lost_is_asked_again,
    a_confirm_that_did_its_work_is_never_sent_again,
    a_confirm_that_never_arrived_is_sent_until_it_does,
    a_confirm_and_the_look_after_it_may_both_be_lost,
    a_lost_confirm_is_settled_by_the_next_process,
    a_stalled_confirm_shows_as_completing,
);

/// An upload during which one thing goes wrong.
fn survives(service: ServiceName, prepare: impl Fn(&World)) -> World {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 17);
    prepare(&world);
    let client = world.open();
    let id = start(&client, world.request(&file, "Camera/photo.jpg"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    world
}

fn a_begin_that_is_lost_is_said_again(service: ServiceName) {
    each(&lost(), |how| {
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Begin, how.clone()).after(world.first_begin()).once());
        });
        assert_eq!(world.parts_sent().len(), 6, "each part once");
    });
}

#[test]
fn a_directory_whose_making_was_lost_is_made_once() {
    each(&lost(), |how| {
        let world = survives(ServiceName::Smh, |world| {
            world.rule(Rule::new(Step::Mkdir, how.clone()).once());
        });
        assert_eq!(world.requests(Step::Mkdir), 2);
    });
}

fn a_part_that_is_lost_is_sent_again_and_no_other(service: ServiceName) {
    each(&lost(), |how| {
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Part, how.clone()).part(3).once());
        });
        let mut parts = world.parts_sent();
        parts.sort_unstable();
        assert_eq!(parts, [1, 2, 3, 3, 4, 5, 6]);
    });
}

fn a_part_that_is_cut_in_its_body_is_sent_again_and_no_other(service: ServiceName) {
    each(&[0, 1, 65_536, MIB - 1], |after_bytes| {
        let how = How::DropBody { after_bytes: *after_bytes };
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Part, how.clone()).part(2).once());
        });
        assert_eq!(world.parts_sent().len(), 7, "{}", world.told());
    });
}

fn every_part_answer_lost_at_once_costs_one_more_round(service: ServiceName) {
    let world = survives(service, |world| {
        world.rule(Rule::new(Step::Part, How::DropAfter).times(4));
    });
    assert!(world.parts_sent().len() <= 10, "{}", world.told());
}

fn a_renewal_that_is_lost_is_asked_again(service: ServiceName) {
    each(&lost(), |how| {
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Part, How::Expire).part(3).once());
            world.rule(Rule::new(Step::Renew, how.clone()).once());
        });
        assert!(service == ServiceName::KooDrive || world.requests(Step::Renew) == 2, "{}", world.told());
        assert_eq!(world.parts_sent().len(), 7);
    });
}

#[test]
fn an_inspection_that_is_lost_is_asked_again() {
    each(&lost(), |how| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
        let id = {
            let client = world.open();
            let id = start(&client, world.request(&file, "photo.jpg"));
            until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
            assert!(client.close(5_000), "it rests within five seconds");
            id
        };
        world.cloud.remove_rule(stall);
        world.rule(Rule::new(Step::Task, how.clone()).once());
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.requests(Step::Task), 2, "{}", world.told());
        assert_eq!(acknowledged(&world.cloud.log()), [1, 2, 3, 4, 5, 6]);
    });
}

fn a_confirm_that_did_its_work_is_never_sent_again(service: ServiceName) {
    let cases = [
        How::DropAfter,
        How::CutAnswer { after_bytes: 0 },
        How::CutAnswer { after_bytes: 20 },
        How::CutAnswer { after_bytes: 200 },
        processed(500, "InternalServerError"),
        processed(502, ""),
        processed(503, "ServerOverloaded"),
        processed(504, ""),
        processed(429, "RateLimitExceeded"),
        processed(code(service, 409, 400), word(service, "UploadComplete", "13000401")),
        processed(code(service, 404, 400), word(service, "UploadNotFound", "13000403")),
        How::body_text(""),
        How::body_text("<html>captive</html>"),
        How::body_text("{}"),
        How::body_nested(5_000),
    ];
    each(&cases, |how| {
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Confirm, how.clone()));
        });
        assert_eq!(world.requests(Step::Confirm), 1, "{}", world.told());
        assert_eq!(world.parts_sent().len(), 6, "no byte was sent again");
    });
}

fn a_confirm_that_never_arrived_is_sent_until_it_does(service: ServiceName) {
    each(&[1, 2], |times| {
        let world = survives(service, |world| {
            world.rule(Rule::new(Step::Confirm, How::DropBefore).times(*times));
        });
        assert_eq!(world.requests(Step::Confirm) as u64, times + 1);
        assert_eq!(world.requests(Step::Task) as u64, *times, "its outcome is looked up before each one more");
        assert_eq!(world.parts_sent().len(), 6);
    });
}

fn a_confirm_and_the_look_after_it_may_both_be_lost(service: ServiceName) {
    each(&lost(), |how| {
        let world = survives(service, |world| {
            world.cloud.set_switches(|switches| switches.confirm_again = ConfirmAgain::Refuse);
            world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
            world.rule(Rule::new(Step::Task, how.clone()).times(2));
        });
        assert_eq!(world.requests(Step::Confirm), 1, "{}", world.told());
        assert_eq!(world.requests(Step::Task), 3);
    });
}

fn a_lost_confirm_is_settled_by_the_next_process(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part() + 17);
    world.rule(Rule::new(Step::Confirm, How::DropAfter));
    world.rule(Rule::new(Step::Task, How::StallAnswer));
    let id = {
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        world.wait_requests(Step::Task, 1);
        assert!(client.close(5_000));
        id
    };
    world.cloud.clear_rules();
    let client = world.open();
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    assert_eq!((world.requests(Step::Confirm), world.parts_sent().len()), (1, 6), "{}", world.told());
}

#[test]
fn a_confirm_whose_task_was_forgotten_is_settled_by_looking_at_the_path() {
    let world = survives(ServiceName::Smh, |world| {
        world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
        world.rule(Rule::new(Step::Task, How::Forget));
    });
    assert_eq!((world.requests(Step::Head), world.requests(Step::Confirm), world.parts_sent().len()), (1, 1, 6));
}

#[test]
fn the_look_at_the_path_may_be_lost_too() {
    each(&lost(), |how| {
        let world = survives(ServiceName::Smh, |world| {
            world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
            world.rule(Rule::new(Step::Task, How::Forget));
            world.rule(Rule::new(Step::Head, how.clone()).times(2));
        });
        assert_eq!((world.requests(Step::Head), world.requests(Step::Confirm), world.parts_sent().len()), (3, 1, 6));
    });
}

#[test]
fn an_upload_that_was_forgotten_before_its_confirm_arrived_begins_anew() {
    let world = survives(ServiceName::Smh, |world| {
        world.rule(Rule::new(Step::Confirm, How::DropBefore).once());
        world.rule(Rule::new(Step::Task, How::Forget).once());
    });
    assert_eq!((world.requests(Step::Head), world.parts_sent().len()), (1, 12), "{}", world.told());
}

#[test]
fn where_nothing_proves_the_outcome_it_is_not_guessed() {
    let world = World::new();
    let theirs = world.file("theirs", 2 * MIB);
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let first = start(&client, world.request(&theirs, "photo.jpg"));
    completed(&client, &first);
    world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
    world.rule(Rule::new(Step::Task, How::Forget));
    let mut request = world.request(&file, "photo.jpg");
    request.key = "another".into();
    let id = start(&client, request);
    match ended(&client, &id).state {
        State::Failed { error } => assert_eq!((error.code, error.code.number()), (Code::OutcomeUnknown, 7001)),
        other => panic!("guessed: {other:?}"),
    }
    world.hold_promises_beside(&file, &[&theirs]);
    assert_eq!(world.requests(Step::Confirm), 2, "no second confirm of ours");
}

#[test]
fn a_cancel_whose_answer_is_lost_leaves_nothing_open() {
    each(&lost(), |how| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
        world.rule(Rule::new(Step::Cancel, how.clone()).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
        client.cancel(&one(&id));
        match ended(&client, &id).state {
            State::Cancelled { remote: Remote::Aborted | Remote::AbortPending } => {}
            other => panic!("{other:?}"),
        }
        until(&client, &id, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
        assert_eq!((world.open_tasks(), world.cloud.objects().len()), (0, 0), "{}", world.told());
        world.hold_promises(&file);
    });
}

fn a_stalled_confirm_shows_as_completing(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Confirm, How::StallAnswer).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.becomes("made", || world.cloud.objects().len() == 1);
    until(&client, &id, |snapshot| snapshot.state == State::Active { phase: Phase::Completing });
    // What a phone does when its network changed under a request.
    client.set_network(partway::client::Network::online(1));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    assert_eq!(world.requests(Step::Confirm), 1);
}
