//! Credentials end, are refused and come late: one refresh for all who were refused, and a wait by name where there is none.
use std::sync::{Arc, Mutex};

use crate::common::*;
use partway::{
    client::{Client, Credential, CredentialAsk, CredentialProvider, WaitReason, Why},
    model::{ServiceName, Target},
};
use partway_sandbox::{How, Rule, Step};

const PARTS: u64 = 3;

for_each_service!(
    many_uploads_that_are_refused_cost_one_refresh,
    a_token_that_ends_at_any_step_is_replaced_there,
    a_token_that_ends_while_an_outcome_is_looked_up_is_replaced,
    a_host_without_a_credential_is_waited_for_and_set_credential_goes_on,
    an_ask_that_is_dropped_is_an_answer,
    a_refused_token_that_comes_back_the_same_is_no_loop,
    fresh_tokens_that_are_all_refused_are_no_loop,
    accounts_do_not_share_a_credential,
);

/// Keeps its asks, so that a test answers them when it likes.
#[derive(Default)]
struct Slow {
    asks: Mutex<Vec<CredentialAsk>>,
    whys: Mutex<Vec<Why>>,
}

impl CredentialProvider for Slow {
    fn provide(&self, ask: CredentialAsk) {
        self.whys.lock().unwrap().push(ask.why());
        self.asks.lock().unwrap().push(ask);
    }
}

impl Slow {
    fn open(world: &World) -> (Arc<Slow>, Client) {
        let slow = Arc::new(Slow::default());
        let mut config = world.config();
        config.credentials = slow.clone();
        (slow, Client::open(config).unwrap())
    }

    fn answer(&self, world: &World, token: Option<&str>) {
        world.becomes("asked", || !self.asks.lock().unwrap().is_empty());
        let ask = self.asks.lock().unwrap().remove(0);
        match token {
            Some(token) => ask.supply(Credential::token(world.token(token))),
            None => drop(ask),
        }
    }

    fn asked(&self) -> Vec<Why> {
        self.whys.lock().unwrap().clone()
    }
}

fn waits_for_a_credential(client: &Client, id: &str) {
    let wanted = |snapshot: &_| waiting_for(snapshot) == Some(WaitReason::Credential) && needs_host(snapshot);
    until(client, id, wanted);
}

fn many_uploads_that_are_refused_cost_one_refresh(service: ServiceName) {
    let world = World::of(service);
    let files: Vec<_> = (0..6).map(|n| world.file(&format!("{n}.jpg"), MIB + n)).collect();
    let mut config = world.config();
    config.limits.parallel_uploads = 6;
    let client = Client::open(config).unwrap();
    // All of them have sent their part when the token ends.
    let stalls = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }));
    let ids: Vec<String> =
        files.iter().enumerate().map(|(n, file)| start(&client, world.request(file, &format!("{n}.jpg")))).collect();
    world.wait_requests(Step::Begin, 6);
    world.becomes("begun", || world.open_tasks() == 6);
    // One that is under way when the network changes may be acknowledged and not heard of.
    world.wait_requests(Step::Part, 4);
    world.only_token("fresh-token");
    world.tokens.set(Some(&world.token("fresh-token")));
    world.cloud.remove_rule(stalls);
    client.set_network(partway::client::Network::online(1));
    ids.iter().for_each(|id| drop(completed(&client, id)));
    assert_eq!(world.cloud.objects().len(), 6);
    assert_eq!(world.tokens.asked(), 2, "the first, and one refresh\n{}", world.told());
    world.nothing_acknowledged_is_sent_again();
    world.no_secret_on_disk();
}

fn a_token_that_ends_at_any_step_is_replaced_there(service: ServiceName) {
    let steps = [Step::Begin, Step::Renew, Step::Confirm, Step::Mkdir];
    // KooDrive makes no folder.
    let steps = if service == ServiceName::Smh { &steps[..] } else { &steps[..3] };
    each(steps, |step| {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part());
        world.rule(Rule::new(Step::Part, How::Expire).once());
        world.rule(Rule::new(*step, How::RefuseToken).once());
        let (slow, client) = Slow::open(&world);
        let id = start(&client, world.request(&file, "a/photo.jpg"));
        slow.answer(&world, Some("sandbox-token"));
        world.add_token("fresh-token");
        slow.answer(&world, Some("fresh-token"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(slow.asked(), [Why::First, Why::Refused]);
        assert_eq!(world.parts_sent().len(), 4, "{}", world.told());
    });
}

fn a_token_that_ends_while_an_outcome_is_looked_up_is_replaced(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
    world.rule(Rule::new(Step::Task, How::RefuseToken).once());
    let (slow, client) = Slow::open(&world);
    let id = start(&client, world.request(&file, "photo.jpg"));
    slow.answer(&world, Some("sandbox-token"));
    world.add_token("fresh-token");
    slow.answer(&world, Some("fresh-token"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    assert_eq!(world.requests(Step::Confirm), 1);
}

#[test]
fn a_look_at_the_path_that_is_forbidden_waits_until_the_host_gives_a_credential() {
    let world = World::new();
    let file = world.file("photo.jpg", PARTS * world.part());
    world.rule(Rule::new(Step::Confirm, How::DropAfter).once());
    world.rule(Rule::new(Step::Task, How::Forget));
    // An answer without a body: it can't be told from a lack of permission.
    world.rule(Rule::new(Step::Head, How::RefuseToken).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    waits_for_a_credential(&client, &id);
    let asked = world.cloud.log().len();
    // The gate of the lost confirm opens within a second; that must not end a wait for a person.
    let on = world.cloud.wait_log(std::time::Duration::from_millis(1_500), |log| (log.len() > asked).then_some(()));
    assert_eq!(on, None, "it went on by itself\n{}", world.told());
    client.set_credential("me", Credential::token(world.token("sandbox-token")));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn a_host_without_a_credential_is_waited_for_and_set_credential_goes_on(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    world.tokens.set(None);
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    waits_for_a_credential(&client, &id);
    assert_eq!((world.cloud.log().len(), world.tokens.asked()), (0, 1), "asked once, sent nothing");
    client.set_credential("me", Credential::token(world.token("sandbox-token")));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn an_ask_that_is_dropped_is_an_answer(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let (slow, client) = Slow::open(&world);
    let id = start(&client, world.request(&file, "photo.jpg"));
    slow.answer(&world, None);
    waits_for_a_credential(&client, &id);
    client.resume(&one(&id));
    slow.answer(&world, Some("sandbox-token"));
    completed(&client, &id);
    assert_eq!(slow.asked().len(), 2);
    world.hold_promises(&file);
}

fn a_refused_token_that_comes_back_the_same_is_no_loop(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    world.only_token("fresh-token");
    world.cloud.remove_rule(stall);
    client.set_network(partway::client::Network::online(1));
    waits_for_a_credential(&client, &id);
    assert!(world.tokens.asked() <= 4 && world.requests(Step::Confirm) <= 3, "{}", world.told());
    assert!(world.cloud.objects().is_empty());
    client.set_credential("me", Credential::token(world.token("fresh-token")));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn fresh_tokens_that_are_all_refused_are_no_loop(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let rule = world.rule(Rule::new(Step::Begin, How::RefuseToken));
    let (slow, client) = Slow::open(&world);
    let id = start(&client, world.request(&file, "photo.jpg"));
    for n in 0..3 {
        slow.answer(&world, Some(&format!("fresh-token-{n}")));
    }
    waits_for_a_credential(&client, &id);
    assert_eq!((slow.asked().len(), world.requests(Step::Begin)), (3, 3), "{}", world.told());
    world.cloud.remove_rule(rule);
    client.set_credential("me", Credential::token(world.token("sandbox-token")));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn accounts_do_not_share_a_credential(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", MIB);
    let (slow, client) = Slow::open(&world);
    let mut request = world.request(&file, "other.jpg");
    match &mut request.target {
        Target::Smh(target) => target.account = "other".into(),
        Target::KooDrive(target) => target.account = "other".into(),
    }
    let mine = start(&client, world.request(&file, "photo.jpg"));
    let other = start(&client, request);
    world.becomes("both asked", || slow.asked().len() == 2);
    client.set_credential("me", Credential::token(world.token("sandbox-token")));
    completed(&client, &mine);
    assert!(!client.snapshot(&other).unwrap().state.ended());
    client.set_credential("other", Credential::token(world.token("sandbox-token")));
    completed(&client, &other);
}
