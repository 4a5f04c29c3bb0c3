//! Instant uploads: proven with the credential in hand, and never made twice, whatever answer is lost.

use partway::{
    client::{Client, State, UploadRequest},
    error::Code,
    model::{Conflict, InstantMode, Receipt},
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

#[test]
fn a_lost_answer_makes_one_object_under_any_policy() {
    let policies = [Conflict::Rename, Conflict::KeepIfSame, Conflict::Refuse, Conflict::Ask];
    each(&policies, |conflict| {
        for times in 1..=3 {
            let mut known = Known::new(false);
            known.request.conflict = conflict.clone();
            known.world.rule(Rule::new(Step::Begin, How::DropAfter).times(times));
            assert_eq!(known.run().name, "film.mp4", "lost {times} times");
        }
    });
}

#[test]
fn a_lost_answer_about_a_taken_name_is_settled() {
    each(&[Conflict::Rename, Conflict::Refuse, Conflict::Ask], |conflict| {
        for times in 1..=2 {
            let mut known = Known::new(true);
            known.request.conflict = conflict.clone();
            known.world.rule(Rule::new(Step::Begin, How::DropAfter).times(times));
            // Those that were lost made nothing: had they, the name would be ours.
            let receipt = known.run();
            assert!(receipt.instant && receipt.name.starts_with("film_"), "lost {times} times: {receipt:?}");
            known.made(1);
        }
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
