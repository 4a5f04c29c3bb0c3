//! Accounts: signed out, asked for, asked for again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use partway::client::{
    Client, Credential, CredentialAsk, CredentialProvider, Network, Remote, SignOut, State, WaitReason, Why,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

type Answer = Box<dyn FnOnce(&CredentialAsk) + Send>;

/// Answers from a list, and notes why it was asked.
#[derive(Default)]
struct Listed {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Why>>,
}

impl Listed {
    fn of(answers: Vec<Answer>) -> Arc<Listed> {
        Arc::new(Listed { answers: Mutex::new(answers.into()), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<Why> {
        self.asked.lock().unwrap().clone()
    }
}

impl CredentialProvider for Listed {
    fn provide(&self, ask: CredentialAsk) {
        self.asked.lock().unwrap().push(ask.why());
        if let Some(answer) = self.answers.lock().unwrap().pop_front() {
            answer(&ask);
        }
    }
}

fn token() -> Credential {
    Credential::token("sandbox-token")
}

#[test]
fn uploads_of_an_account_that_is_signed_out_wait_and_nobody_is_asked() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    client.sign_out("me", SignOut::Hold);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential));
    client.wait_idle(Some(PATIENCE_MS));
    world.becomes("nothing is under way", || world.cloud.log().iter().all(|entry| entry.ended_ms.is_some()));
    world.cloud.remove_rule(stall);
    let (before, asked) = (world.cloud.log().len(), world.tokens.asked());
    client.resume(&one(&id));
    client.wait_idle(Some(PATIENCE_MS));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential));
    assert_eq!((world.cloud.log().len(), world.tokens.asked()), (before, asked));
    client.set_credential("me", token());
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
}

#[test]
fn signing_out_can_cancel_and_undoes_what_it_can() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let mine = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &mine, |snapshot| snapshot.progress.parts_done == 1);
    client.sign_out("somebody else", SignOut::Cancel);
    assert!(!client.snapshot(&mine).unwrap().state.ended());
    client.sign_out("me", SignOut::Cancel);
    let told = ended(&client, &mine).state;
    assert!(matches!(told, State::Cancelled { remote: Remote::Aborted | Remote::AbortPending }), "{told:?}");
    assert!(world.cloud.objects().is_empty());
}

#[test]
fn a_credential_that_will_be_over_is_replaced_while_uploads_go_on() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let soon = || Credential::Token { value: "sandbox-token".into(), expires_in_ms: Some(1_000) };
    let listed = Listed::of(vec![
        Box::new(move |ask| ask.supply(soon())),
        Box::new(|ask| ask.supply(Credential::token("sandbox-token-2"))),
    ]);
    let mut config = world.config();
    config.credentials = listed.clone();
    let client = Client::open(config).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    world.becomes("asked in time", || listed.asked() == [Why::First, Why::Expiring]);
    assert!(!matches!(client.snapshot(&id).unwrap().state, State::Waiting { .. }), "it goes on meanwhile");
    client.cancel(&one(&id));
    world.cloud.remove_rule(stall);
    ended(&client, &id);
}

#[test]
fn a_host_that_says_later_is_asked_again_then() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let listed = Listed::of(vec![
        Box::new(|ask| ask.later(Some(200))),
        Box::new(|ask| {
            ask.supply(token());
            // Answered once; what is said after that is said to nobody.
            ask.signed_out();
        }),
    ]);
    let mut config = world.config();
    config.credentials = listed.clone();
    let client = Client::open(config).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    assert_eq!(listed.asked().len(), 2);
}

#[test]
fn a_host_that_says_signed_out_is_not_asked_again() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let listed = Listed::of(vec![Box::new(|ask| ask.signed_out())]);
    let mut config = world.config();
    config.credentials = listed.clone();
    let client = Client::open(config).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, needs_host);
    client.resume(&one(&id));
    client.set_network(Network::online(1));
    client.wait_idle(Some(PATIENCE_MS));
    assert_eq!(listed.asked().len(), 1);
    client.set_credential("me", token());
    completed(&client, &id);
}
