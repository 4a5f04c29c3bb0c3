//! What nobody knows of the real service (smh §17): each row is a switch of the emulator, and either way the upload arrives, or ends as it should.
//!
//! Rows without a test here: 13 (the least life of a token) is the server's affair, 17 is about another SDK; 16 (which 5xx goes with which name) needs no
//! switch, for any answer can be made by a rule.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use partway::{
    client::{State, UploadRequest, WaitReason},
    error::Code,
    model::{Conflict, ConflictChoice, InstantMode, SmhMode, SmhTarget, Target},
};
use partway_sandbox::{ConfirmAgain, Deployment, ExpiredAnswer, How, InstantScope, Rule, Shape, Step, Switches, When};

const SIZE: u64 = 3 * MIB + 17;

fn world(switch: impl FnOnce(&mut Switches)) -> World {
    let world = World::new();
    world.cloud.set_switches(switch);
    world
}

/// Uploads it; it must be the one object.
fn arrives(world: &World, change: impl FnOnce(&mut UploadRequest)) -> String {
    let file = world.file("photo.jpg", SIZE);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    change(&mut request);
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    client.close(5_000);
    id
}

fn smh(request: &mut UploadRequest, change: impl FnOnce(&mut SmhTarget)) {
    if let Target::Smh(target) = &mut request.target {
        change(target);
    }
}

/// Row 1: links live for a while that only `expiration` tells.
#[test]
fn links_live_briefly_or_long() {
    each(&[1_500, 600_000], |ttl| {
        let world = world(|switches| switches.link_ttl_ms = *ttl);
        // The first part is long enough under way for the shorter links to end.
        world.rule(Rule::new(Step::Part, How::Delay { ms: 1_700 }).part(1).once());
        arrives(&world, |request| request.parallel_parts = Some(1));
        let renewals = world.requests(Step::Renew);
        assert!(if *ttl == 1_500 { (1..=8).contains(&renewals) } else { renewals == 0 }, "{ttl}: {renewals}");
    });
}

/// Row 2: a second confirm is answered with the file, or with 409 `UploadComplete`. It is only sent where the look in between told of an open task.
#[test]
fn a_second_confirm_is_repeated_or_refused() {
    each(&[ConfirmAgain::Same, ConfirmAgain::Refuse], |again| {
        let world = world(|switches| switches.confirm_again = *again);
        world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
        let stale = serde_json::json!({"confirmed": false, "path": ["photo.jpg"], "uploadId": "u", "parts": []});
        world.rule(Rule::new(Step::Task, How::body_json(stale)).once());
        arrives(&world, |_| {});
        let looks = if *again == ConfirmAgain::Same { 1 } else { 2 };
        assert_eq!((world.requests(Step::Confirm), world.requests(Step::Task)), (2, looks), "{}", world.told());
    });
}

/// Row 3: `UploadIncomplete` is 404 or 400: decided by the code.
#[test]
fn nothing_uploaded_is_404_or_400() {
    each(&[404, 400], |status| {
        let world = world(|switches| switches.upload_incomplete_status = *status);
        // The storage says that it has it, and hasn't.
        let headers = [("ETag".to_owned(), "\"0\"".to_owned())].into();
        let lie =
            How::Status { status: 200, code: None, message: None, headers, body: Some(String::new()), process: false };
        world.rule(Rule::new(Step::Put, lie).once());
        arrives(&world, |request| smh(request, |target| target.mode = SmhMode::Simple));
        assert_eq!((world.requests(Step::Put), world.requests(Step::Confirm)), (2, 2), "{}", world.told());
    });
}

/// Row 4: a task lives on for ever, or is forgotten in time: then it is begun anew.
#[test]
fn a_task_is_kept_or_forgotten() {
    each(&[None, Some(3_600_000)], |ttl| {
        let world = world(|switches| switches.task_ttl_ms = *ttl);
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(4));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 3);
        world.leave(client);
        world.cloud.remove_rule(stall);
        world.cloud.set_clock_offset_ms(86_400_000);
        world.cloud.clear_log();
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        let (begins, parts) = if ttl.is_some() { (1, 4) } else { (0, 1) };
        assert_eq!((world.requests(Step::Begin), world.parts_sent().len()), (begins, parts), "{}", world.told());
    });
}

/// Row 5: `partNumberRange` on the public cloud is passed over, or refused. It is not sent there unless the caller says that it is the other one.
#[test]
fn part_numbers_on_the_public_cloud() {
    each(&[false, true], |refused| {
        let world = world(|switches| switches.part_numbers_refused = *refused);
        arrives(&world, |_| {});
        assert_eq!(world.requests(Step::Begin), 1);
    });
    let passed_over = world(|_| {});
    arrives(&passed_over, |request| smh(request, |target| target.private = true));
    let refused = world(|switches| switches.part_numbers_refused = true);
    let client = refused.open();
    let mut request = refused.request(&refused.file("photo.jpg", SIZE), "photo.jpg");
    smh(&mut request, |target| target.private = true);
    request.instant = InstantMode::Off;
    let id = start(&client, request);
    let snapshot = ended(&client, &id);
    assert_eq!(error_of(&snapshot).unwrap().code, Code::RequestRefused);
    assert!(refused.requests(Step::Begin) <= 3, "each wording once\n{}", refused.told());
}

/// Row 6: the private deployment takes them as a string, as an array, or both.
#[test]
fn part_numbers_as_text_or_array() {
    each(&[(Shape::Either, 1), (Shape::Text, 1), (Shape::Numbers, 2)], |(shape, begins)| {
        let world = world(|switches| {
            switches.deployment = Deployment::Private;
            switches.part_numbers = *shape;
        });
        arrives(&world, |request| {
            smh(request, |target| target.private = true);
            request.instant = InstantMode::Off;
        });
        assert_eq!(world.requests(Step::Begin), *begins, "{}", world.told());
    });
}

/// Row 7: `size` in a body is a string, as the documents say. A service that wants a number is not asked whether it has the content.
#[test]
fn a_size_as_text_or_number() {
    each(&[(Shape::Either, true), (Shape::Text, true), (Shape::Numbers, false)], |(shape, instant)| {
        let world = World::new();
        let theirs = world.file("theirs.jpg", SIZE);
        let client = world.open();
        let mut first = world.request(&theirs, "theirs.jpg");
        first.instant = InstantMode::Off;
        let id = start(&client, first);
        completed(&client, &id);
        world.cloud.set_switches(|switches| switches.body_size = *shape);
        let id = start(&client, world.request(&theirs, "ours.jpg"));
        assert_eq!(completed(&client, &id).instant, *instant, "{}", world.told());
        assert_eq!(world.cloud.objects().len(), 2);
    });
}

/// Row 8: a start is 201 or 200.
#[test]
fn a_start_is_201_or_200() {
    each(&[201, 200], |status| {
        for mode in [SmhMode::Simple, SmhMode::Form, SmhMode::Multipart] {
            let world = world(|switches| switches.start_status = *status);
            arrives(&world, |request| smh(request, |target| target.mode = mode));
        }
    });
}

/// Row 9: a taken name under `ask` is noticed at the start, at the confirm, or at both.
#[test]
fn a_taken_name_is_noticed_at_start_or_confirm() {
    each(&[When::Start, When::Confirm, When::Both], |at| {
        let world = world(|switches| switches.conflict_at = *at);
        let theirs = world.file("theirs.jpg", MIB);
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let id = start(&client, world.request(&theirs, "photo.jpg"));
        completed(&client, &id);
        let mut request = world.request(&file, "photo.jpg");
        (request.key, request.conflict) = ("ours".into(), Conflict::Ask);
        let id = start(&client, request);
        until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Conflict));
        let sent = world.parts_sent().len();
        assert_eq!(sent, if *at == When::Confirm { 1 + 4 } else { 1 }, "{}", world.told());
        client.answer_conflict(&id, ConflictChoice::Rename).unwrap();
        assert_eq!(completed(&client, &id).name, "photo (1).jpg");
        world.hold_promises_beside(&file, &[&theirs]);
    });
}

/// Row 10: what the storage says when a signature is over.
#[test]
fn an_over_signature_is_said_in_any_of_its_ways() {
    let ways = [
        ExpiredAnswer::RequestHasExpired,
        ExpiredAnswer::RequestTimeTooSkewed,
        ExpiredAnswer::ExpiredToken400,
        ExpiredAnswer::ExpiredToken403,
    ];
    each(&ways, |answer| {
        for deployment in [Deployment::Public, Deployment::Private] {
            let world = world(|switches| {
                switches.expired_answer = *answer;
                switches.deployment = deployment;
            });
            world.rule(Rule::new(Step::Part, How::Expire).part(2).once());
            arrives(&world, |request| smh(request, |target| target.private = deployment == Deployment::Private));
            assert_eq!((world.requests(Step::Renew), world.parts_sent().len()), (1, 5), "{}", world.told());
        }
    });
}

/// Row 11: more calls in a second than the service likes.
#[test]
fn a_bound_on_calls_is_kept_to() {
    each(&[None, Some(3)], |max| {
        let world = world(|switches| switches.api_calls_per_s_max = *max);
        let mut config = world.config();
        config.limits.parallel_uploads = 4;
        let client = partway::client::Client::open(config).unwrap();
        let files: Vec<_> = (0..4).map(|number| world.file(&format!("{number}.jpg"), MIB + number)).collect();
        let ids: Vec<String> =
            files.iter().zip(0..).map(|(file, n)| start(&client, world.request(file, &format!("{n}.jpg")))).collect();
        ids.iter().for_each(|id| drop(completed(&client, id)));
        assert_eq!(world.cloud.objects().len(), 4);
        let log = world.cloud.log();
        let refused = log.iter().filter(|entry| entry.status == Some(429)).count();
        assert!(if max.is_some() { (1..=60).contains(&refused) } else { refused == 0 }, "{refused}\n{}", world.told());
        world.nothing_acknowledged_is_sent_again();
    });
}

/// Row 12: where content is known. What is asked is the same, in two steps.
#[test]
fn content_is_known_in_the_library_in_the_space_or_nowhere() {
    let cases = [
        (true, InstantScope::Library, true),
        (true, InstantScope::Space, false),
        (false, InstantScope::Library, false),
    ];
    each(&cases, |(instant, scope, hit)| {
        let world = world(|switches| (switches.instant, switches.instant_scope) = (*instant, *scope));
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let mut theirs = world.request(&file, "theirs.jpg");
        smh(&mut theirs, |target| target.space = "another".into());
        let id = start(&client, theirs);
        completed(&client, &id);
        let begins = world.requests(Step::Begin);
        let id = start(&client, world.request(&file, "ours.jpg"));
        assert_eq!(completed(&client, &id).instant, *hit);
        assert_eq!(world.requests(Step::Begin) - begins, if *hit { 2 } else { 1 }, "{}", world.told());
    });
}

/// Row 14: failures inside a 200.
#[test]
fn failures_are_statuses_or_stand_inside_a_200() {
    each(&[false, true], |inside| {
        let world = world(|switches| switches.errors_as_200 = *inside);
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        // The parent is missing, then the token is over, then the task is forgotten.
        let id = start(&client, world.request(&file, "album/photo.jpg"));
        world.rule(Rule::new(Step::Confirm, How::Forget).once());
        world.tokens.set(Some("fresh-token"));
        world.cloud.add_token("fresh-token");
        world.cloud.revoke_token("sandbox-token");
        completed(&client, &id);
        world.sole_object(&file);
    });
}

/// Rows 15 and, of the same kind, smh §1.1, §3.2, §6: numbers as texts, texts as numbers, a path without its slash.
#[test]
fn values_come_in_either_type() {
    let cases: [fn(&mut Switches); 5] = [
        |_| {},
        |switches| switches.domain_num_as_string = true,
        |switches| switches.size_as_number = true,
        |switches| switches.numeric_headers = true,
        |switches| switches.part_info_path_without_slash = true,
    ];
    each(&[0, 1, 2, 3, 4], |case| {
        let world = world(cases[*case]);
        let file = world.file("photo.jpg", SIZE);
        // The second process takes its links from the look at the task.
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(3));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 3);
        world.leave(client);
        world.cloud.remove_rule(stall);
        let client = world.open();
        let receipt = completed(&client, &id);
        let object = world.sole_object(&file);
        assert_eq!((receipt.size_bytes, receipt.crc64), (SIZE, Some(object.crc64.to_string())));
        world.hold_promises_after(&file, 1);
    });
}

/// Row 16: any name under any 5xx is waited out.
#[test]
fn a_5xx_is_waited_out_whatever_its_name() {
    let names = ["InternalServerError", "ServerOverloaded", "RequestTimeout", "NobodyKnowsThis", ""];
    let cases: Vec<_> = [500, 502, 503, 504].into_iter().flat_map(|status| names.map(|name| (status, name))).collect();
    each(&cases, |(status, name)| {
        let world = World::new();
        world.rule(Rule::new(Step::Begin, How::status(*status, name)).once());
        arrives(&world, |_| {});
        assert_eq!(world.requests(Step::Begin), 2, "{}", world.told());
    });
}

/// Row 18: get task may list only some parts. What it leaves out is sent again where nothing else proves it, and never where the journal does.
#[test]
fn a_list_may_be_cut_or_have_gaps() {
    let cases: [fn(&mut Switches); 3] =
        [|_| {}, |switches| switches.list_parts_max = Some(1), |switches| switches.list_parts_hidden = vec![2]];
    each(&[0, 1, 2], |case| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(4));
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 3);
        let confirm_key = world.confirm_key();
        world.leave(client);
        world.cloud.remove_rule(stall);
        world.cloud.set_switches(cases[*case]);
        // Gone on with by a stranger, who has only the list.
        let stranger = World {
            service: world.service,
            cloud: world.cloud,
            dir: tempfile::tempdir().unwrap(),
            tokens: world.tokens.clone(),
        };
        stranger.cloud.clear_log();
        let client = stranger.open();
        let mut request = stranger.request(&file, "photo.jpg");
        request.adopt = Some(partway::client::Adopt { confirm_key, part_size_bytes: Some(MIB) });
        let theirs = start(&client, request);
        completed(&client, &theirs);
        stranger.sole_object(&file);
        let mut sent = stranger.parts_sent();
        sent.sort_unstable();
        assert_eq!(sent, [vec![4], vec![2, 3, 4], vec![2, 4]][*case], "{}", stranger.told());
        let _ = id;
    });
}

/// Row 19: a library that takes no extensions says so, and so does the upload's end.
#[test]
fn an_extension_that_is_refused_is_said() {
    let world = world(|switches| switches.extensions_refused = true);
    let file = world.file("photo", SIZE);
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let snapshot = ended(&client, &id);
    let State::Failed { error } = &snapshot.state else { panic!("{snapshot:?}") };
    assert_eq!((error.code, error.service_code.as_deref()), (Code::NameRefused, Some("ExtnameNotAllowed")));
    assert_eq!(world.requests(Step::Begin), 1);
    let id = start(&client, world.request(&file, "photo"));
    completed(&client, &id);
}

/// Row 20: a newer signature ends the older ones, or both stay good.
#[test]
fn a_newer_signature_ends_the_older_or_not() {
    each(&[false, true], |ends| {
        let world = world(|switches| switches.new_signature_ends_old = *ends);
        world.rule(Rule::new(Step::Part, How::Expire).part(1).once());
        arrives(&world, |_| {});
        assert!(world.requests(Step::Renew) <= 4, "{}", world.told());
    });
}
