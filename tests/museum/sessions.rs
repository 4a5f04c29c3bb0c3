//! Defects 5, 9, 10, 12, 13 and 16: sessions, links, credentials, and what is believed.

use partway::{
    client::{Remote, State, WaitReason},
    error::Code,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

const SIZE: u64 = 5 * MIB + 9;

/// 5: A lock that was not taken was given back, a queue stood still for 15 s, and a cancel dropped only those sessions whose key the app had handed in. Here
/// a cancel is told at once, and drops the session that this very run began.
#[test]
fn d05_a_cancel_drops_the_session_that_this_run_began() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    assert_eq!(world.open_tasks(), 1);
    client.cancel(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
    assert_eq!((world.open_tasks(), world.requests(Step::Cancel)), (0, 1), "{}", world.told());
}

/// 9: The function that was to abort was empty: cancelled sessions stayed at the service. Here one that another process began, and that was paused since, is
/// aborted as well, and a service that did not hear is told again.
#[test]
fn d09_an_abort_reaches_the_service() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    client.pause(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    world.leave(client);
    world.rule(Rule::new(Step::Cancel, How::DropBefore).once());
    let client = world.open();
    client.cancel(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
    assert_eq!((world.open_tasks(), world.requests(Step::Cancel)), (0, 2), "{}", world.told());
}

/// 10: A storage that refuses every link was asked for ever: each 403 renewed, each renewal sent again. Here that is bounded, and then a wait.
#[test]
fn d10_links_that_are_refused_for_ever_are_renewed_a_bounded_number_of_times() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    world.rule(Rule::new(Step::Part, How::early(403, "AccessDenied")));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let stands = until_long(&client, &id, needs_host);
    assert_eq!(error_of(&stands).unwrap().code, Code::LinkRefused);
    let counts = [Step::Part, Step::Renew].map(|step| world.requests(step));
    // Two at once with young links; from then on 0.3, 0.6, 1.2, 2.4 and then 4.8 s at least between them, for 90 s.
    assert!(counts.iter().all(|count| (1..=25).contains(count)), "{counts:?}\n{}", world.told());
}

/// 12: Links that seemed over by the device's own clock were renewed at once, and the answer had them renewed again; the token was the first one for ever;
/// a confirm whose answer was lost was simply an error. Here a service a day behind or ahead, whose links live for less than our lead, costs a renewal now and
/// then; a token that is over is replaced; a lost confirm is looked up.
#[test]
fn d12_a_fast_clock_is_no_storm_a_token_is_replaced_a_confirm_is_settled() {
    each(&[-86_400_000, 0, 86_400_000], |offset_ms| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.cloud.set_clock_offset_ms(*offset_ms);
        world.cloud.set_switches(|switches| switches.link_ttl_ms = 20_000);
        world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
        world.cloud.add_token("fresh-token");
        let stall = world.rule(Rule::new(Step::Part, How::Delay { ms: 300 }).part(6).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        world.wait("the last part", |log| log.iter().any(|entry| entry.rule == Some(stall)));
        world.tokens.set(Some("fresh-token"));
        world.cloud.revoke_token("sandbox-token");
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert!(world.requests(Step::Renew) <= 2, "{}", world.told());
        assert_eq!(world.tokens.asked(), 2);
    });
}

/// 13: A session that was gone, and then a 403 to the look at the file: that was told as success. Here nothing is success but what the service says of the
/// object: the upload waits to be let in.
#[test]
fn d13_a_403_proves_nothing() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    world.rule(Rule::new(Step::Confirm, How::DropBefore).once());
    world.rule(Rule::new(Step::Task, How::Forget).once());
    let forbidden = world.rule(Rule::new(Step::Head, How::status(403, "NoPermission")));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let stands = until_long(&client, &id, |snapshot| needs_host(snapshot) || snapshot.state.ended());
    assert_eq!(waiting_for(&stands), Some(WaitReason::Credential), "{stands:?}");
    assert!(world.cloud.objects().is_empty());
    world.cloud.remove_rule(forbidden);
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
}

/// 16: A wrong Date was believed. No clock decides here whether a link is good: the storage's answer does.
#[test]
fn d16_a_service_whose_date_is_a_day_off_or_missing_is_no_hindrance() {
    each(&[(0, true), (86_400_000, false), (-86_400_000, false)], |(offset_ms, omit_date)| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        world.cloud.set_clock_offset_ms(*offset_ms);
        world.cloud.set_switches(|switches| switches.omit_date = *omit_date);
        world.rule(Rule::new(Step::Part, How::Expire).part(3).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert!(world.requests(Step::Renew) <= 2, "{}", world.told());
    });
}
