//! What the service itself tells of an upload: asked for in any state, and nothing of the upload changes for it.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, atomic::AtomicU32};

use common::*;
use partway::{
    client::{Client, RemoteLook, RemoteTask, State, WaitReason},
    error::Code,
    model::Conflict,
};
use partway_sandbox::{Config as CloudConfig, Deployment, How, Rule, Step};

const SIZE: u64 = 3 * MIB + 1;

/// Held where two parts are there and the third hangs.
fn caught(world: &World) -> (Client, String, u64) {
    let file = world.file("photo.jpg", SIZE);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(3));
    let client = world.open();
    let mut request = world.request(&file, "album/photo.jpg");
    request.conflict = Conflict::Ask;
    request.parallel_parts = Some(1);
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    (client, id, stall)
}

fn found(client: &Client, id: &str) -> RemoteTask {
    match client.look_remote(id).unwrap() {
        RemoteLook::Found(task) => task,
        other => panic!("{other:?}"),
    }
}

fn numbers(task: &RemoteTask) -> Vec<(u32, u64)> {
    task.parts.iter().flatten().map(|part| (part.part_number, part.size_bytes)).collect()
}

#[test]
fn an_active_a_paused_and_a_completed_one() {
    let world = World::new();
    let (client, id, stall) = caught(&world);
    let (before, journal) = (client.snapshot(&id).unwrap(), bytes_of_journals(&world));
    let task = found(&client, &id);
    assert_eq!((task.complete, numbers(&task)), (Some(false), vec![(1, MIB), (2, MIB)]));
    assert!(task.parts.iter().flatten().all(|part| part.md5.is_some()));
    assert_eq!((task.kind.as_deref(), task.conflict_strategy.as_deref()), (Some("image"), Some("ask")));
    assert_eq!(task.path, Some(vec!["album".to_owned(), "photo.jpg".to_owned()]));
    assert!(task.created_unix_ms.is_some_and(|at| at > 1_700_000_000_000) && task.request_id.is_some());
    assert_eq!(client.snapshot(&id).unwrap().state, before.state);
    assert_eq!((bytes_of_journals(&world), world.requests(Step::Task)), (journal, 1), "nothing was written");

    client.pause(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    assert_eq!(numbers(&found(&client, &id)).len(), 2);
    assert_eq!(client.snapshot(&id).unwrap().state, State::Paused);

    world.cloud.remove_rule(stall);
    client.resume(&one(&id));
    completed(&client, &id);
    let task = found(&client, &id);
    assert_eq!((task.complete, task.path), (Some(true), Some(vec!["album".to_owned(), "photo.jpg".to_owned()])));
}

fn bytes_of_journals(world: &World) -> u64 {
    let entries = std::fs::read_dir(world.state_dir()).unwrap();
    entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn one_that_another_client_works_on() {
    let world = World::new();
    let (client, id, stall) = caught(&world);
    let mut config = world.config();
    config.apart = true;
    let second = Client::open(config).unwrap();
    until(&second, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Elsewhere));
    assert_eq!(numbers(&found(&second, &id)).len(), 2);
    assert_eq!(waiting_for(&second.snapshot(&id).unwrap()), Some(WaitReason::Elsewhere));
    second.close(5_000);
    world.cloud.remove_rule(stall);
    client.hold(5_000);
    client.go();
    completed(&client, &id);
    world.nothing_acknowledged_is_sent_again();
}

#[test]
fn while_the_client_is_held_nothing_else_moves() {
    let world = World::new();
    let (client, id, stall) = caught(&world);
    client.hold(5_000);
    let parts = world.requests(Step::Part);
    assert_eq!(numbers(&found(&client, &id)).len(), 2);
    assert_eq!(waiting_for(&client.snapshot(&id).unwrap()), Some(WaitReason::Held));
    assert_eq!(world.requests(Step::Part), parts);
    world.cloud.remove_rule(stall);
    client.go();
    completed(&client, &id);
}

#[test]
fn a_parent_that_is_gone_is_no_place() {
    let world = World::new();
    let (client, id, _) = caught(&world);
    let task = serde_json::json!({"confirmed": false, "path": null, "type": "image", "creationTime": "2021-02-01T08:15:58.000Z",
        "conflictResolutionStrategy": "ask", "uploadId": "u", "parts": []});
    world.rule(Rule::new(Step::Task, How::body_json(task)).once());
    let task = found(&client, &id);
    assert_eq!((task.path, task.parts, task.created_unix_ms), (None, Some(vec![]), Some(1_612_167_358_000)));
}

#[test]
fn forgotten_there_never_begun_and_unknown_here() {
    let world = World::new();
    let (client, id, _) = caught(&world);
    world.cloud.forget_all();
    assert_eq!(client.look_remote(&id), Ok(RemoteLook::Gone));
    client.close(5_000);

    let other = World::new();
    other.rule(Rule::new(Step::Begin, How::StallAnswer));
    let client = other.open();
    let id = start(&client, other.request(&other.file("photo.jpg", SIZE), "photo.jpg"));
    other.wait_requests(Step::Begin, 1);
    assert_eq!(client.look_remote(&id), Ok(RemoteLook::NoSession));
    assert_eq!(client.look_remote("nobody").unwrap_err().code, Code::UnknownUpload);
    assert_eq!(client.look_remote("01M7WDNRZR1VYK827PWWTC5XX8").unwrap_err().code, Code::UnknownUpload);
    assert_eq!(other.requests(Step::Task), 0);
}

#[test]
fn a_simple_one_lists_no_parts() {
    let world = World::new();
    let file = world.file("photo.jpg", 17);
    let client = world.open();
    let id = start(&client, world.request_by(partway::model::SmhMode::Simple, &file, "photo.jpg"));
    completed(&client, &id);
    let task = found(&client, &id);
    assert_eq!((task.complete, task.parts, task.kind.as_deref()), (Some(true), None, Some("image")));
}

#[test]
fn the_private_deployment_is_asked_in_its_own_words() {
    let world = World::new();
    world.cloud.set_switches(|switches| switches.deployment = Deployment::Private);
    let (client, id, _) = caught(&world);
    assert_eq!(numbers(&found(&client, &id)).len(), 2);
    assert_eq!(world.requests(Step::Task), 1);
}

#[test]
fn a_refused_credential_is_replaced_once_and_a_missing_one_is_an_error() {
    let world = World::new();
    let (client, id, _) = caught(&world);
    let asked = world.tokens.asked();
    world.cloud.add_token("fresh-token");
    world.cloud.revoke_token("sandbox-token");
    world.tokens.set(Some("fresh-token"));
    assert_eq!(numbers(&found(&client, &id)).len(), 2);
    assert_eq!((world.requests(Step::Task), world.tokens.asked() - asked), (2, 1));

    world.cloud.revoke_token("fresh-token");
    world.tokens.set(None);
    let error = client.look_remote(&id).unwrap_err();
    assert_eq!(
        (error.code, error.http_status),
        (Code::CredentialRefused, Some(403)),
        "what the service said is not hidden"
    );
    assert_eq!(error.service_code.as_deref(), Some("InvalidAccessToken"));
    assert_eq!(world.requests(Step::Task), 3);
}

#[test]
fn trouble_is_typed_and_bounded() {
    let world = World::new();
    let (client, id, _) = caught(&world);
    let cases: [(How, Code, usize); 4] = [
        (How::status(500, "InternalServerError"), Code::ServiceError, 3),
        (How::status(403, "NoPermission"), Code::PermissionDenied, 1),
        (How::body_text("<html>sign in</html>"), Code::AnswerMalformed, 3),
        (How::Reset, Code::ConnectionCut, 1),
    ];
    for (how, code, requests) in cases {
        world.cloud.clear_log();
        let rule = world.rule(Rule::new(Step::Task, how));
        assert_eq!(client.look_remote(&id).unwrap_err().code, code);
        assert_eq!(world.requests(Step::Task), requests, "{code:?}");
        world.cloud.remove_rule(rule);
    }
    assert!(matches!(client.snapshot(&id).unwrap().state, State::Active { .. }));
}

#[test]
fn a_closed_client_says_so() {
    let world = World::new();
    let (client, id, _) = caught(&world);
    client.close(5_000);
    assert_eq!(client.look_remote(&id).unwrap_err().code, Code::Closed);
}

/// Never answers.
struct Silent(AtomicU32, std::sync::Mutex<Vec<partway::client::CredentialAsk>>);

impl partway::client::CredentialProvider for Silent {
    fn provide(&self, ask: partway::client::CredentialAsk) {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.1.lock().unwrap().push(ask);
    }
}

#[test]
fn a_host_that_is_still_to_answer_ends_the_wait_by_a_push_or_a_close() {
    let world = World::new();
    let (first, id, _) = caught(&world);
    first.close(5_000);
    for pushes in [true, false] {
        let silent = Arc::new(Silent(AtomicU32::new(0), std::sync::Mutex::default()));
        let mut config = world.config();
        (config.credentials, config.autostart) = (silent.clone(), false);
        let client = Client::open(config).unwrap();
        let look = std::thread::spawn({
            let (client, id) = (client.clone(), id.clone());
            move || client.look_remote(&id)
        });
        world.becomes("asked", || silent.0.load(std::sync::atomic::Ordering::SeqCst) == 1);
        if pushes {
            client.set_credential("me", partway::client::Credential::token("sandbox-token"));
            assert!(matches!(look.join().unwrap(), Ok(RemoteLook::Found(_))));
        } else {
            client.close(1_000);
            assert_eq!(look.join().unwrap().unwrap_err().code, Code::Closed);
        }
    }
}

#[test]
fn koodrive_tells_what_its_detail_tells() {
    let mut config = CloudConfig::default();
    config.koodrive.tokens = vec!["Bearer sandbox-token".to_owned()];
    let world = World { tokens: Tokens::of("Bearer sandbox-token"), ..World::with(config) };
    let file = world.file("film.mp4", 6 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(2));
    let client = world.open();
    let id = start(&client, world.koodrive_request(&file, "film.mp4"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    let task = found(&client, &id);
    assert_eq!((task.complete, task.parts), (Some(false), None), "it lists nothing");
    world.cloud.remove_rule(stall);
    client.hold(5_000);
    client.go();
    completed(&client, &id);
    let task = found(&client, &id);
    assert_eq!((task.complete, task.path), (None, Some(vec!["film.mp4".to_owned()])));
    assert_eq!((task.size_bytes, task.sha256.map(|sha256| sha256.len())), (Some(6 * MIB), Some(64)));
}
