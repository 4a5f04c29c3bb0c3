//! Instant uploads: proven with the credential in hand, and never made twice, whatever answer is lost.

use partway::{
    client::{Client, State, UploadRequest},
    error::Code,
    model::{Conflict, ConflictChoice, InstantMode, Receipt},
};
use partway_sandbox::{How, Rule, Step};

use crate::{common::*, world};

/// A world that has the content under another name, and perhaps other content under the wanted one.
struct Known {
    world: World,
    client: Client,
    request: UploadRequest,
    /// What is there before.
    before: usize,
}

impl Known {
    fn new(taken: bool) -> Known {
        let world = world();
        let client = world.open();
        let file = world.file("film.mp4", 11 * MIB);
        completed(&client, &start(&client, world.request(&file, "known.mp4")));
        if taken {
            let other = world.file("other", MIB);
            completed(
                &client,
                &start(&client, UploadRequest { key: "other".into(), ..world.request(&other, "film.mp4") }),
            );
        }
        let mut request = world.request(&file, "film.mp4");
        request.instant = InstantMode::Always;
        let before = world.cloud.objects().len();
        Known { world, client, request, before }
    }

    fn run(&self) -> Receipt {
        let id = start(&self.client, self.request.clone());
        let receipt = completed(&self.client, &id);
        self.made(1);
        receipt
    }

    /// It waits to be told what to do about the name.
    fn conflicts(&self, id: &str) {
        let snapshot = until(&self.client, id, |snapshot| needs_host(snapshot) || snapshot.state.ended());
        assert_eq!(error_of(&snapshot).map(|error| error.code), Some(Code::NameConflict), "{}", self.world.told());
        assert!(!snapshot.state.ended());
    }

    fn made(&self, count: usize) {
        let objects = self.world.cloud.objects();
        assert_eq!(objects.len(), self.before + count, "{objects:?}\n{}", self.world.told());
    }
}

#[test]
fn a_free_name_is_instant_and_nothing_is_sent() {
    let known = Known::new(false);
    let sent = known.world.parts_sent().len();
    let receipt = known.run();
    assert_eq!((receipt.name.as_str(), receipt.instant, known.world.parts_sent().len()), ("film.mp4", true, sent));
}

#[test]
fn a_taken_name_is_renamed_as_was_asked_and_the_bytes_are_sent() {
    let known = Known::new(true);
    let receipt = known.run();
    assert!(!receipt.instant && receipt.name.starts_with("film_"), "{receipt:?}");
}

#[test]
fn a_taken_name_that_may_stay_if_it_is_the_same_makes_nothing() {
    let mut known = Known::new(false);
    known.request.conflict = Conflict::KeepIfSame;
    known.run();
    known.request.key = "again".into();
    let id = start(&known.client, known.request.clone());
    assert!(completed(&known.client, &id).instant);
    known.made(1);
}

/// koodrive §3.3: only the digest tells what is the same, so it is always said, also where hashing takes long and where a session was lost.
#[test]
fn what_is_the_same_is_kept_without_being_asked_for_an_instant_upload() {
    let world = world();
    let client = world.open();
    let file = world.file("film.mp4", 11 * MIB);
    let request = |key: &str| UploadRequest {
        key: key.into(),
        conflict: Conflict::KeepIfSame,
        instant: InstantMode::Auto,
        ..world.request(&file, "film.mp4")
    };
    world.rule(Rule::new(Step::Part, How::status(404, "NoSuchUpload")).once());
    completed(&client, &start(&client, request("first")));
    completed(&client, &start(&client, request("again")));
    assert_eq!(world.cloud.objects().len(), 1, "{}", world.told());

    let off = client.start(UploadRequest { instant: InstantMode::Off, ..request("off") }).expect_err("no digest");
    assert_eq!(off.code, Code::Unsupported);
    assert!(off.detail.contains("`Always`"), "{}", off.detail);

    // Answered so, an upload that was not to hash does.
    let asked = UploadRequest { conflict: Conflict::Ask, instant: InstantMode::Off, ..request("asked") };
    let id = start(&client, asked);
    until(&client, &id, needs_host);
    client.answer_conflict(&id, ConflictChoice::KeepIfSame).unwrap();
    assert!(completed(&client, &id).instant);
    assert_eq!(world.cloud.objects().len(), 1, "{}", world.told());
}

/// The digest was of no use to the session that was begun; to the one that the answer begins it is.
#[test]
fn what_is_the_same_is_kept_also_where_that_is_only_answered_at_the_end() {
    each(&[InstantMode::Off, InstantMode::Always], |instant| {
        let world = world();
        let client = world.open();
        let file = world.file("film.mp4", 2 * world.part());
        let stall = world.rule(Rule::new(Step::Part, How::StallAnswer).part(2).once());
        let request = |key: &str, conflict: Conflict, instant: InstantMode| UploadRequest {
            key: key.into(),
            conflict,
            instant,
            ..world.request(&file, "film.mp4")
        };
        let id = start(&client, request("asked", Conflict::Ask, *instant));
        world.becomes("stored", || world.cloud.uploads().first().is_some_and(|upload| upload.parts.len() == 2));
        completed(&client, &start(&client, request("other", Conflict::Rename, InstantMode::Off)));
        world.cloud.remove_rule(stall);
        client.set_network(partway::client::Network::online(1));
        until(&client, &id, needs_host);
        client.answer_conflict(&id, ConflictChoice::KeepIfSame).unwrap();
        assert!(completed(&client, &id).instant);
        assert_eq!(world.cloud.objects().len(), 1, "{}", world.told());
    });
}

#[test]
fn a_lost_answer_makes_one_object_under_any_policy() {
    let policies = [Conflict::Rename, Conflict::KeepIfSame, Conflict::Refuse, Conflict::Ask];
    each(&policies, |conflict| {
        for times in 1..=3 {
            let mut known = Known::new(false);
            known.request.conflict = conflict.clone();
            known.world.rule(Rule::new(Step::Begin, How::DropAfter).times(times));
            let id = start(&known.client, known.request.clone());
            // Whether the name is ours is asked in words that might make a second one: only who may take another name says them.
            if matches!(conflict, Conflict::Refuse | Conflict::Ask) {
                known.conflicts(&id);
                known.made(1);
                known.client.answer_conflict(&id, ConflictChoice::KeepIfSame).unwrap();
            }
            assert_eq!(completed(&known.client, &id).name, "film.mp4", "lost {times} times");
            known.made(1);
        }
    });
}

#[test]
fn a_lost_answer_about_a_taken_name_is_settled() {
    for times in 1..=2 {
        let known = Known::new(true);
        known.world.rule(Rule::new(Step::Begin, How::DropAfter).times(times));
        // Those that were lost made nothing: had they, the name would be ours.
        let receipt = known.run();
        assert!(receipt.instant && receipt.name.starts_with("film_"), "lost {times} times: {receipt:?}");
    }
}

/// koodrive §3.3: who allowed no other name is asked before one is taken, whatever was lost; the content known to the service or not.
#[test]
fn a_lost_answer_takes_no_other_name_unasked() {
    let lost = [How::DropAfter, How::DropBefore, How::status(500, ""), How::status(503, "")];
    let cases: Vec<_> = [Conflict::Refuse, Conflict::Ask]
        .into_iter()
        .flat_map(|conflict| lost.iter().map(move |how| (conflict.clone(), how.clone())))
        .collect();
    each(&cases, |(conflict, how)| {
        for is_known in [true, false] {
            let mut known = Known::new(true);
            known.request.conflict = conflict.clone();
            if !is_known {
                let file = known.world.file("new.mp4", 6 * MIB);
                known.request = UploadRequest { conflict: conflict.clone(), ..known.world.request(&file, "film.mp4") };
                known.request.instant = InstantMode::Always;
            }
            known.world.rule(Rule::new(Step::Begin, how.clone()).once());
            let id = start(&known.client, known.request.clone());
            known.conflicts(&id);
            known.made(0);
            assert!(known.world.cloud.uploads().is_empty(), "{}", known.world.told());
            known.client.answer_conflict(&id, ConflictChoice::Rename).unwrap();
            assert!(completed(&known.client, &id).name.starts_with("film_"));
            known.made(1);
        }
    });
}

/// Nothing tells whether the name is ours: a cancel says so, in this process and in the next.
#[test]
fn a_lost_answer_is_still_open_when_the_question_is_answered_by_a_cancel() {
    each(&[false, true], |restarts| {
        let mut known = Known::new(false);
        known.request.conflict = Conflict::Refuse;
        known.world.rule(Rule::new(Step::Begin, How::DropAfter).once());
        let id = start(&known.client, known.request.clone());
        known.conflicts(&id);
        if *restarts {
            known.world.leave(known.client);
            known.client = known.world.open();
        }
        known.client.answer_conflict(&id, ConflictChoice::Cancel).unwrap();
        match ended(&known.client, &id).state {
            State::Failed { error } => assert_eq!(error.code, Code::OutcomeUnknown),
            other => panic!("guessed: {other:?}"),
        }
        known.world.cloud.clear_rules();
        // Asked for anew it is still known that the name may be ours.
        known.request.conflict = Conflict::Rename;
        let id = start(&known.client, known.request.clone());
        assert_eq!(completed(&known.client, &id).name, "film.mp4");
        assert_eq!(known.world.cloud.objects().len(), known.before + 1);
    });
}

#[test]
fn where_a_begin_that_may_take_another_name_is_lost_it_is_not_guessed() {
    let known = Known::new(true);
    known.world.rule(Rule::new(Step::Begin, How::DropAfter).once());
    // The second one hears that the name is taken, the third one may take another name.
    known.world.rule(Rule::new(Step::Begin, How::DropAfter).after(1).once());
    let id = start(&known.client, known.request.clone());
    match ended(&known.client, &id).state {
        State::Failed { error } => assert_eq!(error.code, Code::OutcomeUnknown),
        other => panic!("guessed: {other:?}"),
    }
}

#[test]
fn a_lost_answer_is_settled_by_the_next_process() {
    let Known { world, client, request, before } = Known::new(false);
    world.rule(Rule::new(Step::Begin, How::StallAnswer));
    let id = start(&client, request);
    world.becomes("made", || world.cloud.objects().len() == before + 1);
    world.leave(client);
    world.cloud.clear_rules();
    let client = world.open();
    assert!(completed(&client, &id).instant);
    assert_eq!(world.cloud.objects().len(), before + 1, "{}", world.told());
}

#[test]
fn the_proof_is_made_anew_for_a_new_credential() {
    let known = Known::new(false);
    // A proof for the old token would be refused.
    known.world.cloud.set_switches(|switches| switches.koodrive.proof_strict = true);
    known.world.rule(Rule::new(Step::Begin, How::RefuseToken).once());
    known.world.add_token("fresh-token");
    known.world.tokens.set(Some("Bearer fresh-token"));
    let begun = known.world.requests(Step::Begin);
    assert!(known.run().instant, "{}", known.world.told());
    assert_eq!(known.world.requests(Step::Begin), begun + 2);
}

#[test]
fn a_begin_whose_digest_is_refused_goes_on_without() {
    let known = Known::new(false);
    known.world.rule(Rule::new(Step::Begin, How::status(400, "13000102")).once());
    assert!(!known.run().instant);
}
