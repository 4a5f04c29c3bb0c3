//! Networks: which may be used, and what a change of it does.

use std::{collections::BTreeSet, time::Instant};

use partway::{
    client::{Change, Client, Network, NetworkPolicy, Select, State, WaitReason},
    error::Code,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

fn metered(generation: u64) -> Network {
    Network { metered: true, ..Network::online(generation) }
}

#[test]
fn a_breach_of_the_policy_stops_a_part_at_once_and_spends_nothing() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    client.set_network(Network::online(1));
    let mut request = world.request(&file, "photo.jpg");
    request.network = NetworkPolicy::Unmetered;
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    // The same path, which costs something from now on.
    let since = Instant::now();
    client.set_network(metered(1));
    let under_way = || world.cloud.log().iter().any(|entry| entry.ended_ms.is_none());
    world.becomes("nothing is under way", || !under_way());
    assert!(since.elapsed().as_millis() < 1_000, "stopped after {:?}", since.elapsed());
    let told = until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::NetworkPolicy));
    assert_eq!(error_of(&told).unwrap().code, Code::NetworkNotAllowed);
    // Long before a request that nobody answers ends by itself.
    assert!(client.wait_idle(Some(10_000)).at_rest, "its parts are stopped");
    world.cloud.remove_rule(stall);
    let before = world.cloud.log().len();
    client.resume(&one(&id));
    client.wait_idle(Some(PATIENCE_MS));
    assert_eq!(world.cloud.log().len(), before, "nothing is sent over it, whoever says so");
    assert_eq!(client.idle().wants, NetworkPolicy::Unmetered);
    client.set_network(Network::online(1));
    completed(&client, &id);
    assert_eq!(client.snapshot(&id).unwrap().progress.retries, 0);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
}

#[test]
fn a_policy_needs_a_network_that_was_told() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let client = world.open();
    for policy in [NetworkPolicy::Unmetered, NetworkPolicy::NoRoaming] {
        let mut request = world.request(&file, "photo.jpg");
        request.network = policy;
        assert_eq!(client.start(request.clone()).unwrap_err().code, Code::InvalidArgument);
        let change = Change { network: Some(policy), ..Change::default() };
        assert_eq!(client.change(&Select::All, &change).unwrap_err().code, Code::InvalidArgument);
    }
    client.set_network(Network::online(1));
    let mut request = world.request(&file, "photo.jpg");
    request.network = NetworkPolicy::Unmetered;
    let id = start(&client, request);
    completed(&client, &id);
}

#[test]
fn uploads_in_line_wait_by_name_without_being_opened_and_go_on_with_another_policy() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let mut config = world.config();
    config.network = metered(1);
    let client = Client::open(config).unwrap();
    let all = (0..20).map(|number| {
        let mut request = world.request(&file, &format!("{number}.jpg"));
        request.network = if number % 2 == 0 { NetworkPolicy::Unmetered } else { NetworkPolicy::NoRoaming };
        request
    });
    client.set_network(Network { roaming: true, ..metered(2) });
    assert!(client.start_all(all.collect()).iter().all(Result::is_ok));
    let barred = |snapshot: &partway::client::Snapshot| waiting_for(snapshot) == Some(WaitReason::NetworkPolicy);
    world.becomes("all wait", || client.list(&Select::All).iter().all(barred));
    let idle = client.wait_idle(Some(PATIENCE_MS));
    assert_eq!((idle.active, idle.queued, idle.wants), (0, 0, NetworkPolicy::NoRoaming));
    let locks = std::fs::read_dir(world.state_dir()).unwrap().filter_map(Result::ok);
    let locks = locks.filter(|entry| entry.file_name().to_string_lossy().ends_with("0.lock")).count();
    assert_eq!((locks, world.cloud.log().len()), (0, 0), "no journal was locked");
    let change = Change { network: Some(NetworkPolicy::Any), ..Change::default() };
    assert_eq!(client.change(&Select::All, &change).unwrap(), 20);
    for snapshot in client.list(&Select::All) {
        completed(&client, &snapshot.id);
    }
}

#[test]
fn a_policy_outlives_the_process() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let mut config = world.config();
    config.autostart = false;
    let client = Client::open(config).unwrap();
    let id = start(&client, world.request(&file, "photo.jpg"));
    client.set_network(metered(1));
    let change = Change { network: Some(NetworkPolicy::Unmetered), ..Change::default() };
    assert_eq!(client.change(&one(&id), &change).unwrap(), 1);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::NetworkPolicy));
    assert!(client.close(5_000));
    drop(client);
    // Nobody told this one of a network: it waits rather than to guess.
    let client = world.open();
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::NetworkPolicy));
    client.wait_idle(Some(PATIENCE_MS));
    assert!(world.cloud.log().is_empty());
    client.set_network(Network::online(1));
    completed(&client, &id);
}

#[test]
fn a_new_generation_drops_the_sockets_of_the_old_path() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let client = world.open();
    let mut connections = vec![];
    for generation in 1..=3 {
        client.set_network(Network::online(generation));
        let before = world.cloud.log().len();
        let mut request = world.request(&file, &format!("{generation}.jpg"));
        request.key = format!("key {generation}");
        let id = start(&client, request);
        completed(&client, &id);
        connections.push(world.cloud.log()[before..].iter().map(|entry| entry.connection).collect::<BTreeSet<u64>>());
    }
    assert!(
        connections[0].is_disjoint(&connections[1]) && connections[1].is_disjoint(&connections[2]),
        "{connections:?}"
    );
}

#[test]
fn a_new_generation_ends_every_wait_for_another_try() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let busy = world.rule(Rule::new(
        Step::Begin,
        How::Status {
            status: 503,
            code: None,
            message: None,
            headers: [("Retry-After".to_owned(), "600".to_owned())].into(),
            body: None,
            process: false,
        },
    ));
    let client = world.open();
    client.set_network(Network::online(1));
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Retry));
    client.wait_idle(Some(PATIENCE_MS));
    world.cloud.remove_rule(busy);
    let before = world.cloud.log().len();
    let since = Instant::now();
    client.set_network(Network::online(2));
    world.wait("on again", |log| log.len() > before);
    assert!(since.elapsed().as_millis() < 1_000, "{:?}", since.elapsed());
    completed(&client, &id);
    assert!(matches!(client.snapshot(&id).unwrap().state, State::Completed { .. }));
}
