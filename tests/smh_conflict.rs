//! A taken name is a question; whatever the answer is, no byte of the file is sent again for it.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::*;
use partway::{
    client::{Change, Client, UploadRequest, WaitReason},
    error::Code,
    model::{Conflict, ConflictChoice},
};
use partway_sandbox::{Step, When};

const SIZE: u64 = 3 * MIB + 1;

/// A world in which the name is taken.
fn taken() -> (World, PathBuf, PathBuf) {
    let world = World::new();
    let theirs = world.file("theirs", MIB);
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let id = start(&client, world.request(&theirs, "album/photo.jpg"));
    completed(&client, &id);
    client.forget(&one(&id));
    assert!(client.close(5_000));
    world.cloud.clear_log();
    (world, file, theirs)
}

fn request(world: &World, file: &std::path::Path, conflict: Conflict) -> UploadRequest {
    let mut request = world.request(file, "album/photo.jpg");
    request.conflict = conflict;
    request
}

fn asks(client: &Client, id: &str) {
    let snapshot = until(client, id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Conflict));
    let partway::client::State::Waiting { waiting } = &snapshot.state else { unreachable!() };
    assert!(waiting.needs_host && waiting.error.as_ref().unwrap().code == Code::NameConflict);
    let choices = [ConflictChoice::Rename, ConflictChoice::Overwrite, ConflictChoice::Cancel];
    assert_eq!(waiting.choices, choices);
}

fn paths(world: &World) -> Vec<String> {
    let mut paths: Vec<String> = world.cloud.objects().iter().map(|object| object.path.join("/")).collect();
    paths.sort();
    paths
}

#[test]
fn a_question_is_answered_by_rename_or_overwrite_without_a_byte_sent_again() {
    for at in [When::Start, When::Confirm, When::Both] {
        for again in [false, true] {
            each(&[ConflictChoice::Rename, ConflictChoice::Overwrite], |choice| {
                let (world, file, theirs) = taken();
                world.cloud.set_switches(|switches| switches.conflict_at = at);
                let mut client = world.open();
                let id = start(&client, request(&world, &file, Conflict::Ask));
                asks(&client, &id);
                if again {
                    // A person may take longer than a process lives.
                    assert!(client.close(5_000));
                    client = world.open();
                    asks(&client, &id);
                }
                client.answer_conflict(&id, *choice).unwrap();
                let receipt = completed(&client, &id);
                assert_eq!(receipt.overwritten, *choice == ConflictChoice::Overwrite, "{at:?}");
                assert_eq!(world.parts_sent().len(), 4, "{at:?} {}", world.told());
                match choice {
                    ConflictChoice::Overwrite => drop(world.sole_object(&file)),
                    _ => assert_eq!(paths(&world).len(), 2),
                }
                assert!(paths(&world).contains(&"album/photo.jpg".to_owned()));
                world.hold_promises_beside(&file, &[&theirs]);
            });
        }
    }
}

#[test]
fn a_question_is_answered_by_a_change_too() {
    let (world, file, theirs) = taken();
    let client = world.open();
    let id = start(&client, request(&world, &file, Conflict::Ask));
    asks(&client, &id);
    let change = Change { conflict: Some(Conflict::Rename), ..Change::default() };
    client.change(&one(&id), &change).unwrap();
    completed(&client, &id);
    assert_eq!((paths(&world).len(), world.parts_sent().len()), (2, 4));
    world.hold_promises_beside(&file, &[&theirs]);
}

#[test]
fn a_question_is_answered_by_cancel_and_nothing_is_left_open() {
    let (world, file, theirs) = taken();
    let client = world.open();
    let id = start(&client, request(&world, &file, Conflict::Ask));
    asks(&client, &id);
    client.answer_conflict(&id, ConflictChoice::Cancel).unwrap();
    ended(&client, &id);
    world.becomes("closed", || world.open_tasks() == 0);
    assert_eq!(paths(&world), ["album/photo.jpg"]);
    world.hold_promises_beside(&file, &[&theirs]);
}

#[test]
fn a_resume_is_no_answer() {
    let (world, file, theirs) = taken();
    let client = world.open();
    let id = start(&client, request(&world, &file, Conflict::Ask));
    asks(&client, &id);
    let requests = world.cloud.log().len();
    client.resume(&one(&id));
    client.wait_idle(Some(5_000));
    asks(&client, &id);
    assert_eq!(world.cloud.log().len(), requests);
    world.hold_promises_beside(&file, &[&theirs]);
}

#[test]
fn what_is_no_choice_is_refused() {
    let (world, file, _) = taken();
    let client = world.open();
    let id = start(&client, request(&world, &file, Conflict::Ask));
    asks(&client, &id);
    let error = client.answer_conflict(&id, ConflictChoice::KeepIfSame).unwrap_err();
    assert_eq!(error.code, Code::WrongState);
    client.answer_conflict(&id, ConflictChoice::Rename).unwrap();
    completed(&client, &id);
    assert_eq!(client.answer_conflict(&id, ConflictChoice::Rename).unwrap_err().code, Code::WrongState);
}

#[test]
fn overwrite_and_rename_ask_nothing() {
    each(&[When::Start, When::Confirm], |at| {
        for (conflict, objects) in [(Conflict::Overwrite { if_version: None }, 1), (Conflict::Rename, 2)] {
            let (world, file, theirs) = taken();
            world.cloud.set_switches(|switches| switches.conflict_at = *at);
            let client = world.open();
            let id = start(&client, request(&world, &file, conflict));
            completed(&client, &id);
            assert_eq!((paths(&world).len(), world.parts_sent().len()), (objects, 4));
            assert_eq!(world.requests(Step::Confirm), 1);
            world.hold_promises_beside(&file, &[&theirs]);
        }
    });
}

#[test]
fn a_lost_confirm_of_an_overwrite_makes_one_object() {
    let (world, file, theirs) = taken();
    world.rule(partway_sandbox::Rule::new(Step::Confirm, partway_sandbox::How::DropAfter).once());
    let client = world.open();
    let id = start(&client, request(&world, &file, Conflict::Overwrite { if_version: None }));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!((world.requests(Step::Confirm), world.parts_sent().len()), (1, 4));
    world.hold_promises_beside(&file, &[&theirs]);
}
