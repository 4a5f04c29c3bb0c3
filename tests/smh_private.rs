//! The deployment that signs each part on its own.
#![allow(clippy::unwrap_used)]

mod common;

use std::{collections::BTreeMap, path::Path};

use common::*;
use partway::{
    client::UploadRequest,
    model::{InstantMode, SmhMode, SmhTarget, Target},
};
use partway_sandbox::{Deployment, How, Rule, Step};

const SIZE: u64 = 5 * MIB + 17;

fn world(deployment: Deployment) -> World {
    let world = World::new();
    world.cloud.set_switches(|switches| switches.deployment = deployment);
    world
}

/// An upload whose caller says so.
fn request(world: &World, file: &Path, private: bool) -> UploadRequest {
    let mut request = world.request(file, "photo.jpg");
    request.target = Target::Smh(SmhTarget { private, ..world.target("photo.jpg") });
    request
}

fn uploaded(world: &World, size: u64, private: bool) {
    let file = world.file("photo.jpg", size);
    let client = world.open();
    let id = start(&client, request(world, &file, private));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn param_invalid() -> How {
    let code = Some("ParamInvalid".to_owned());
    How::Status { status: 400, code, message: None, headers: BTreeMap::new(), body: None, process: false }
}

#[test]
fn links_come_in_windows_of_a_hundred() {
    let world = world(Deployment::Private);
    uploaded(&world, 102 * MIB, true);
    assert_eq!((world.requests(Step::Begin), world.requests(Step::Renew)), (1, 1), "{}", world.told());
    assert_eq!(world.parts_sent().len(), 102);
}

#[test]
fn what_the_answers_show_wins_over_the_setting() {
    // Said, true, and how many starts that takes.
    let cases = [
        (true, Deployment::Private, 1),
        (true, Deployment::Public, 1),
        (false, Deployment::Private, 2),
        (false, Deployment::Public, 1),
    ];
    each(&cases, |(said, deployment, begins)| {
        let world = world(*deployment);
        world.rule(Rule::new(Step::Part, How::Expire).part(3).once());
        uploaded(&world, SIZE, *said);
        assert_eq!((world.requests(Step::Begin), world.requests(Step::Renew)), (*begins, 1), "{}", world.told());
        assert_eq!(world.parts_sent().len(), 7);
    });
}

#[test]
fn numbers_as_text_may_be_refused() {
    let world = world(Deployment::Private);
    world.rule(Rule::new(Step::Begin, param_invalid()).once());
    uploaded(&world, SIZE, true);
    assert_eq!(world.requests(Step::Begin), 2, "{}", world.told());
}

#[test]
fn a_start_that_is_refused_whatever_it_says_ends() {
    let world = world(Deployment::Private);
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Begin, param_invalid()));
    let client = world.open();
    let id = start(&client, request(&world, &file, false));
    let error = error_of(&ended(&client, &id)).unwrap();
    assert_eq!(error.service_code.as_deref(), Some("ParamInvalid"));
    // Each wording, and at last without the question whether the content is known.
    assert_eq!(world.requests(Step::Begin), 4, "{}", world.told());
}

#[test]
fn continued_by_the_next_process() {
    each(&[true, false], |said| {
        let world = world(Deployment::Private);
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
        let id = {
            let client = world.open();
            let id = start(&client, request(&world, &file, *said));
            until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
            world.leave(client);
            id
        };
        world.cloud.remove_rule(stall);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(acknowledged(&world.cloud.log()), [1, 2, 3, 4, 5, 6]);
        assert_eq!((world.requests(Step::Task), world.requests(Step::Renew)), (1, 1), "{}", world.told());
    });
}

#[test]
fn a_lost_confirm_is_settled() {
    let world = world(Deployment::Private);
    world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
    uploaded(&world, SIZE, true);
    assert_eq!((world.requests(Step::Confirm), world.requests(Step::Task)), (1, 1), "{}", world.told());
}

#[test]
fn whole_files_travel_there_too() {
    let cases = [(SmhMode::Simple, true), (SmhMode::Form, true), (SmhMode::Auto, true), (SmhMode::Simple, false)];
    each(&cases, |(mode, private)| {
        let world = world(Deployment::Private);
        let file = world.file("photo.jpg", MIB);
        let client = world.open();
        let mut request = world.request(&file, "photo.jpg");
        request.target = Target::Smh(SmhTarget { private: *private, mode: *mode, ..world.target("photo.jpg") });
        world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
        let id = start(&client, request);
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.requests(Step::Confirm), 1, "{}", world.told());
    });
}

#[test]
fn content_is_recognised_there_too() {
    let world = world(Deployment::Private);
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let mut first = world.request(&file, "first.jpg");
    first.instant = InstantMode::Off;
    let id = start(&client, first);
    completed(&client, &id);
    let sent = world.parts_sent().len();
    let id = start(&client, request(&world, &file, true));
    assert!(completed(&client, &id).instant);
    assert_eq!((world.parts_sent().len(), world.cloud.objects().len()), (sent, 2), "{}", world.told());
}
