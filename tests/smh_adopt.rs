//! Uploads that something else began are gone on with: what the service has is read and compared, the rest is sent.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::*;
use partway::{
    client::{Adopt, Client, UploadRequest},
    error::Code,
    model::SmhMode,
};
use partway_sandbox::{How, Rule, Step};

const SIZE: u64 = 5 * MIB + 17;

/// Something else sends so many parts of it and is seen no more; gives the handle.
fn begun(world: &World, file: &Path, part_size_bytes: u64, parts: u64) -> String {
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(parts));
    let confirm = world.rule(Rule::new(Step::Confirm, How::DropBefore));
    let mut config = world.config();
    config.state_dir = world.dir.path().join("elsewhere");
    // In order, so that it is known which.
    config.limits.parallel_parts = 1;
    let client = Client::open(config).unwrap();
    let mut request = world.request_by(SmhMode::Multipart, file, "photo.jpg");
    request.part_size_bytes = Some(part_size_bytes);
    let id = start(&client, request);
    until(&client, &id, |snapshot| u64::from(snapshot.progress.parts_done) == parts);
    // It is caught when it stalls, or else with all that it has sent.
    let (next, most) = (parts as usize + 1, SIZE.div_ceil(part_size_bytes) as usize);
    world.wait_requests(Step::Part, next.min(most));
    world.leave(client);
    world.cloud.remove_rule(stall);
    world.cloud.remove_rule(confirm);
    world.confirm_key()
}

fn request(world: &World, file: &Path, confirm_key: &str) -> UploadRequest {
    let mut request = world.request(file, "photo.jpg");
    request.part_size_bytes = None;
    request.adopt = Some(Adopt { confirm_key: confirm_key.to_owned(), part_size_bytes: None });
    request
}

#[test]
fn what_the_service_has_is_not_sent_again() {
    // Their part size, parts that they sent, parts that are sent in all.
    let cases = [(MIB, 3, 6), (MIB, 1, 6), (2 * MIB, 2, 3), (8 * MIB, 1, 1), (MIB, 0, 2), (MIB + 1, 3, 6)];
    each(&cases, |(part_size_bytes, theirs, all)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let key = begun(&world, &file, *part_size_bytes, *theirs);
        let client = world.open();
        let id = start(&client, request(&world, &file, &key));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        let progress = client.snapshot(&id).unwrap().progress;
        assert_eq!(progress.bytes_sent, SIZE.saturating_sub(theirs * part_size_bytes), "{}", world.told());
        assert_eq!(acknowledged(&world.cloud.log()).len(), *all, "{}", world.told());
        assert_eq!((world.requests(Step::Begin), world.open_tasks()), (1, 0), "no other task was begun");
    });
}

#[test]
fn how_it_is_cut_may_be_said() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let key = begun(&world, &file, MIB, 0);
    let client = world.open();
    let mut request = request(&world, &file, &key);
    request.adopt = Some(Adopt { confirm_key: key, part_size_bytes: Some(MIB) });
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(acknowledged(&world.cloud.log()), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_part_of_another_content_is_sent_again() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let key = begun(&world, &file, MIB, 3);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[MIB as usize + 5] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let client = world.open();
    let id = start(&client, request(&world, &file, &key));
    completed(&client, &id);
    world.sole_object(&file);
    let theirs_changed = world.parts_sent().iter().filter(|part| **part == 2).count();
    assert_eq!((theirs_changed, client.snapshot(&id).unwrap().progress.bytes_sent), (2, 3 * MIB + 17));
}

#[test]
fn killed_while_it_is_gone_on_with() {
    each(&[Step::Task, Step::Part], |step| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let key = begun(&world, &file, MIB, 3);
        let how = if *step == Step::Task { How::StallAnswer } else { How::Stall { after_bytes: 0 } };
        let stall = world.rule(Rule::new(*step, how));
        let before = world.requests(*step);
        let id = {
            let client = world.open();
            let id = start(&client, request(&world, &file, &key));
            world.wait_requests(*step, before + 1);
            world.leave(client);
            id
        };
        world.cloud.remove_rule(stall);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!((acknowledged(&world.cloud.log()).len(), world.requests(Step::Begin)), (6, 1), "{}", world.told());
    });
}

#[test]
fn one_that_is_forgotten_or_done() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let key = begun(&world, &file, MIB, 3);
    world.cloud.forget_all();
    let client = world.open();
    let id = start(&client, request(&world, &file, &key));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_sent, SIZE, "begun anew");

    let done = world.cloud.uploads().into_iter().find(|task| task.confirmed).unwrap();
    let mut request = request(&world, &file, &done.confirm_key);
    request.key = "again".into();
    let id = start(&client, request);
    assert_eq!(completed(&client, &id).name, "photo.jpg");
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_sent, 0);
    world.sole_object(&file);
}

#[test]
fn a_handle_that_is_none_is_refused() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    for key in ["", "..", "a b"] {
        let refused = client.start(request(&world, &file, key)).expect_err("no handle");
        assert_eq!(refused.code, Code::InvalidArgument, "{key}");
    }
    assert!(world.cloud.log().is_empty());
}
