//! What KooDrive's documents leave open (koodrive §14): the emulator does each both ways, and an upload ends well either way.

use partway::{
    client::{State, UploadRequest},
    error::Code,
    model::{Conflict, InstantMode, KooDriveEdition, KooDriveTarget, Target},
};
use partway_sandbox::{AuthRefusal, ConfirmAgain, How, KoodriveSwitches, Rule, Step, TimeForm, UnfinishedDetail};

use crate::{common::*, world};

/// An upload of three parts, the last of them small, to a service that is like this, with one thing going wrong.
fn arrives(switch: impl FnOnce(&mut KoodriveSwitches), prepare: impl FnOnce(&World, &mut UploadRequest)) -> World {
    arrives_in(3, switch, prepare)
}

fn arrives_in(
    parts: u64,
    switch: impl FnOnce(&mut KoodriveSwitches),
    prepare: impl FnOnce(&World, &mut UploadRequest),
) -> World {
    let world = world();
    world.cloud.set_switches(|switches| switch(&mut switches.koodrive));
    let file = world.file("film.mp4", (parts - 1) * world.part() + 77);
    let mut request = world.request(&file, "film.mp4");
    prepare(&world, &mut request);
    let client = world.open();
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    world
}

/// These move megabytes: not all of them at once.
fn each_of_a_few<T: Sync + std::fmt::Debug>(cases: &[T], run: impl Fn(&T) + Sync) {
    cases.chunks(4).for_each(|cases| each(cases, &run));
}

fn target(request: &mut UploadRequest) -> &mut KooDriveTarget {
    match &mut request.target {
        Target::KooDrive(target) => target,
        Target::Smh(_) => panic!("not KooDrive"),
    }
}

/// §14.6
#[test]
fn a_batch_that_is_too_long_is_halved_until_it_is_taken() {
    each(&[100, 4, 3, 2, 1], |most| {
        // Hashed first, so that create could name all six.
        let world = arrives_in(
            6,
            |switches| switches.parts_per_call_max = *most,
            |_, request| request.instant = InstantMode::Always,
        );
        // With the digest, without it, then halved.
        assert!(world.requests(Step::Begin) <= 5, "{}", world.told());
        assert_eq!(world.parts_sent().len(), 6, "{}", world.told());
    });
}

/// §14.6
#[test]
fn a_batch_of_links_that_is_too_long_is_halved() {
    let world = arrives_in(
        6,
        |switches| switches.parts_per_call_max = 1,
        |world, _| {
            // While the first part is on its way hashing gets ahead, so that the next asking names several.
            world.rule(Rule::new(Step::Part, How::Delay { ms: 600 }).part(1).once());
            world.rule(Rule::new(Step::Renew, How::Delay { ms: 600 }).once());
        },
    );
    assert_eq!(world.parts_sent().len(), 6, "{}", world.told());
}

/// §14.7
#[test]
fn a_service_may_compare_the_digest_at_each_part_or_at_the_end() {
    each(&[false, true], |at_put| drop(arrives(|switches| switches.digest_at_put = *at_put, |_, _| {})));
}

/// §14.9
#[test]
fn a_link_may_serve_once_or_again() {
    let failures = [
        How::DropAfter,
        How::Reset,
        How::DropBody { after_bytes: 100_000 },
        How::status(500, "InternalError"),
        How::status(503, "SlowDown"),
        How::early_reset(503, "SlowDown"),
    ];
    let cases: Vec<(bool, How)> = failures.into_iter().flat_map(|how| [(false, how.clone()), (true, how)]).collect();
    each_of_a_few(&cases, |(once, how)| {
        let rule = |world: &World| _ = world.rule(Rule::new(Step::Part, how.clone()).part(2).once());
        let world = arrives(|switches| switches.single_use_urls = *once, |world, _| rule(world));
        let log = world.cloud.log();
        let tries: Vec<u64> =
            of(&log, Step::Part).filter(|entry| entry.part == Some(2)).map(|entry| entry.seq).collect();
        assert_eq!(tries.len(), 2, "{}", world.told());
        let fresh = of(&log, Step::Renew).any(|entry| (tries[0]..tries[1]).contains(&entry.seq));
        assert!(fresh, "each try has a link of its own\n{}", world.told());
    });
}

/// §14.10, and what detail shows of a file that is not complete.
#[test]
fn a_lost_complete_is_settled_whatever_detail_and_a_second_complete_say() {
    let mut cases = vec![];
    for again in [ConfirmAgain::Same, ConfirmAgain::Refuse] {
        for detail in [UnfinishedDetail::Absent, UnfinishedDetail::Declared] {
            for how in [How::DropAfter, How::DropBefore] {
                // Hashed first: create declares the digest.
                cases.extend(
                    [InstantMode::Always, InstantMode::Off].map(|instant| (again, detail, how.clone(), instant)),
                );
            }
        }
    }
    each_of_a_few(&cases, |(again, detail, how, instant)| {
        let world = arrives(
            |switches| {
                switches.complete_again = *again;
                switches.unfinished_detail = *detail;
            },
            |world, request| {
                request.instant = *instant;
                world.rule(Rule::new(Step::Confirm, how.clone()).once());
            },
        );
        assert_eq!(world.parts_sent().len(), 3, "no byte was sent again\n{}", world.told());
        assert!(world.requests(Step::Confirm) <= 2, "{}", world.told());
    });
}

/// §14.12
#[test]
fn codes_are_numbers_or_texts_in_good_and_bad_statuses() {
    each(&[(false, false), (false, true), (true, false), (true, true)], |(as_string, as_200)| {
        let world = world();
        world.cloud.set_switches(|switches| {
            switches.koodrive.code_as_string = *as_string;
            switches.koodrive.errors_as_200 = *as_200;
            switches.koodrive.change_state_failures = 1;
        });
        let file = world.file("film.mp4", MIB);
        let client = world.open();
        completed(&client, &start(&client, world.request(&file, "film.mp4")));
        let mut taken =
            UploadRequest { key: "taken".into(), conflict: Conflict::Refuse, ..world.request(&file, "film.mp4") };
        taken.instant = InstantMode::Off;
        let id = start(&client, taken);
        let snapshot = until(&client, &id, |snapshot| needs_host(snapshot) || snapshot.state.ended());
        assert_eq!(error_of(&snapshot).unwrap().code, Code::NameConflict);
        assert_eq!(world.cloud.objects().len(), 1);
    });
}

/// §14.16
#[test]
fn an_empty_file_has_an_empty_part_or_none() {
    each(
        &[
            (true, InstantMode::Off),
            (true, InstantMode::Always),
            (false, InstantMode::Off),
            (false, InstantMode::Always),
        ],
        |(parts, instant)| {
            let world = world();
            world.cloud.set_switches(|switches| switches.koodrive.empty_parts = *parts);
            let file = world.file("empty", 0);
            let client = world.open();
            let id = start(&client, UploadRequest { instant: *instant, ..world.request(&file, "empty") });
            assert_eq!(completed(&client, &id).size_bytes, 0);
            world.sole_object(&file);
            assert_eq!(world.parts_sent().len(), usize::from(*parts), "{}", world.told());
        },
    );
}

/// §14.2, §2
#[test]
fn fields_and_headers_are_needed_or_not() {
    each(&[false, true], |needed| {
        arrives(
            |switches| {
                switches.container_required = *needed;
                switches.headers_required = *needed;
                switches.check_date = *needed;
                switches.unfinished_names_taken = *needed;
                switches.shuffle_parts = *needed;
                switches.replan = *needed;
            },
            |_, request| {
                let target = target(request);
                target.user_id = Some("1505084218764547200".into());
                target.language = Some("zh-CN".into());
            },
        );
    });
}

/// §14.1: the value is whatever it is.
#[test]
fn a_token_is_taken_as_it_is_and_refused_in_three_ways() {
    each(&[AuthRefusal::Gateway, AuthRefusal::Business401, AuthRefusal::Business400], |refusal| {
        let world = arrives(
            |switches| switches.auth_refusal = *refusal,
            |world, _| {
                world.cloud.only_koodrive_tokens(&["AT 0123456789abcdef"]);
                world.tokens.set(Some("AT 0123456789abcdef"));
            },
        );
        assert_eq!(world.tokens.asked(), 1);
        let world = world_with_an_old_token(*refusal);
        assert_eq!(world.tokens.asked(), 2, "{}", world.told());
    });
}

/// A token that was good at the begin and is over at the complete.
fn world_with_an_old_token(refusal: AuthRefusal) -> World {
    arrives(
        |switches| switches.auth_refusal = refusal,
        |world, _| {
            world.rule(Rule::new(Step::Confirm, How::RefuseToken).once());
            world.add_token("fresh-token");
            world.tokens.then.lock().unwrap().replace("Bearer fresh-token".to_owned());
        },
    )
}

/// §14.20
#[test]
fn a_shared_folder_is_named_in_every_call() {
    arrives(
        |_| {},
        |world, request| {
            target(request).shared_folder = Some("shared-1".into());
            world.rule(Rule::new(Step::Part, How::Expire).part(2).once());
            world.rule(Rule::new(Step::Confirm, How::DropBefore).once());
        },
    );
}

/// §3.1
#[test]
fn editions_disagree_about_names_and_times() {
    let rows = [
        (KooDriveEdition::Current, 250, TimeForm::Iso),
        (KooDriveEdition::International2024, 80, TimeForm::Iso),
        (KooDriveEdition::Carrier, 250, TimeForm::Blank),
    ];
    each(&rows, |(edition, chars, form)| {
        let world = world();
        world.cloud.set_switches(|switches| {
            switches.koodrive.name_chars_max = *chars;
            switches.koodrive.time_form = *form;
        });
        let file = world.file("film.mp4", MIB);
        let client = world.open();
        let request = |chars: usize| {
            let mut request = world.request(&file, &"é".repeat(chars));
            target(&mut request).edition = *edition;
            target(&mut request).created_unix_ms = Some(1_692_337_429_000);
            request
        };
        completed(&client, &start(&client, request(*chars)));
        world.sole_object(&file);
        let refused = client.start(request(*chars + 1)).expect_err("too long");
        assert_eq!(refused.code, Code::InvalidArgument);
    });
}

/// §9, §14.19: a throttled gateway.
#[test]
fn a_gateway_that_throttles_is_waited_for() {
    each(&[(429, "APIG.0308"), (503, "APIGW.0308"), (429, "")], |(status, code)| {
        arrives(
            |_| {},
            |world, _| {
                for step in [Step::Begin, Step::Renew, Step::Confirm] {
                    world.rule(Rule::new(step, How::status(*status, code)).once());
                }
            },
        );
    });
}

/// §4.3: links that are over, in every batch.
#[test]
fn links_that_are_over_in_every_batch_cost_one_more_each() {
    let world = arrives(
        |_| {},
        |world, _| {
            for part in 1..=3 {
                world.rule(Rule::new(Step::Part, How::Expire).part(part).once());
            }
        },
    );
    assert_eq!(world.parts_sent().len(), 6, "{}", world.told());
}

/// §6: the file is in another state for a while.
#[test]
fn a_complete_that_is_to_be_called_again_is() {
    let world = arrives(|switches| switches.change_state_failures = 2, |_, _| {});
    assert_eq!(world.requests(Step::Confirm), 3, "{}", world.told());
}

/// §3.3, §9: nobody guesses what is to become of a taken name.
#[test]
fn a_taken_name_is_asked_about_and_the_answer_goes_on() {
    each(&[InstantMode::Off, InstantMode::Always], |instant| {
        let world = world();
        let client = world.open();
        let other = world.file("other", MIB);
        completed(&client, &start(&client, UploadRequest { key: "other".into(), ..world.request(&other, "film.mp4") }));
        let file = world.file("film.mp4", 2 * MIB);
        let request = UploadRequest { conflict: Conflict::Ask, instant: *instant, ..world.request(&file, "film.mp4") };
        let id = start(&client, request);
        until(&client, &id, needs_host);
        client.answer_conflict(&id, partway::model::ConflictChoice::Rename).unwrap();
        let receipt = completed(&client, &id);
        assert!(receipt.name.starts_with("film_"), "{receipt:?}");
        assert_eq!(world.cloud.objects().len(), 2);
        assert!(matches!(ended(&client, &id).state, State::Completed { .. }));
    });
}

/// §3.3: the policy is create's alone; a name that is taken meanwhile is noticed at complete.
#[test]
fn a_name_that_is_taken_meanwhile_is_renamed_all_the_same() {
    each(&[(InstantMode::Off, Conflict::Ask), (InstantMode::Always, Conflict::Rename)], |(instant, conflict)| {
        let world = world();
        let client = world.open();
        let file = world.file("film.mp4", 2 * world.part());
        let stall = world.rule(Rule::new(Step::Part, How::StallAnswer).part(2));
        let request =
            UploadRequest { instant: *instant, conflict: conflict.clone(), ..world.request(&file, "film.mp4") };
        let id = start(&client, request);
        world.becomes("stored", || world.cloud.uploads().first().is_some_and(|upload| upload.parts.len() == 2));
        let other = world.file("other", MIB);
        completed(&client, &start(&client, UploadRequest { key: "other".into(), ..world.request(&other, "film.mp4") }));
        world.cloud.remove_rule(stall);
        client.set_network(partway::client::Network::online(1));
        if *conflict == Conflict::Ask {
            until(&client, &id, needs_host);
            client.answer_conflict(&id, partway::model::ConflictChoice::Rename).unwrap();
        }
        let receipt = completed(&client, &id);
        assert!(receipt.name.starts_with("film_"), "{receipt:?}");
        assert_eq!(world.cloud.objects().len(), 2, "{}", world.told());
    });
}
