//! What README.md says becomes of an upload, done to one: a test a sentence.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::*;
use partway::{
    client::{Change, Client, Credential, Network, State, WaitReason},
    error::Code,
    model::OnChange,
};
use partway_sandbox::{How, Rule, Step};

const PARTS: u64 = 12;
const PARALLEL: usize = 4;

#[test]
fn killed() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.add_rule(Rule::new(Step::Part, How::Delay { ms: 100 }));
    let mut first = another_process(&world, &file, "exec \"$0\" \"$@\"");
    wait_for_parts(&world, 6);
    first.kill().unwrap();
    first.wait().unwrap();
    world.cloud.clear_rules();

    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.requests(Step::Begin), 1, "it went on, it did not begin again");
    let again = world.parts_sent().len() - PARTS as usize;
    assert!(again <= PARALLEL, "only what was in flight was sent again, not {again} parts");
}

#[test]
fn offline() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    let client = world.open();
    client.set_network(Network::offline(1));
    let id = start(&client, world.request(&file, "film.mp4"));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Network));
    assert!(world.cloud.log().is_empty(), "nothing was tried");
    client.set_network(Network::online(2));
    completed(&client, &id);
    assert_eq!(client.snapshot(&id).unwrap().progress.retries, 0, "being offline spends nothing");
    world.sole_object(&file);
}

#[test]
fn its_links_expire() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.add_rule(Rule::new(Step::Part, How::Expire).after(3).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    completed(&client, &id);
    world.sole_object(&file);
    assert!(world.requests(Step::Renew) >= 1, "fresh links were asked for");
    assert_eq!(world.requests(Step::Begin), 1, "the session stayed");
}

#[test]
fn its_token_expires() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.only_tokens(&["fresh"]);
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    let snapshot = until(
        &client,
        &id,
        |snapshot| matches!(&snapshot.state, State::Waiting { waiting } if waiting.needs_host && waiting.reason == WaitReason::Credential),
    );
    assert!(world.tokens.asked() > 1, "the host was asked again after the refusal");
    assert!(!snapshot.state.ended());
    world.tokens.set(Some("fresh"));
    client.set_credential("me", Credential::token("fresh"));
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn the_file_changes() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.add_rule(Rule::new(Step::Part, How::Delay { ms: 100 }));
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done >= 4);
    client.pause(&one(&id));
    until(&client, &id, |snapshot| matches!(snapshot.state, State::Paused));
    client.wait_idle(Some(PATIENCE_MS));

    // Touched: the same bytes go on.
    std::fs::copy(&file, world.dir.path().join("copy")).unwrap();
    std::fs::rename(world.dir.path().join("copy"), &file).unwrap();
    client.resume(&one(&id));
    let proven = client.snapshot(&id).unwrap().progress.parts_done;
    until(&client, &id, |snapshot| snapshot.progress.parts_done > proven || snapshot.state.ended());
    client.pause(&one(&id));
    until(&client, &id, |snapshot| matches!(snapshot.state, State::Paused));
    client.wait_idle(Some(PATIENCE_MS));
    assert_eq!(world.requests(Step::Begin), 1);

    // Other bytes: it waits, and says why.
    std::fs::write(&file, content(PARTS * MIB, 99)).unwrap();
    client.resume(&one(&id));
    let snapshot = until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    let State::Waiting { waiting } = snapshot.state else { unreachable!() };
    assert_eq!(waiting.error.map(|error| error.code), Some(Code::SourceChanged));
    assert!(world.cloud.objects().is_empty());

    client.change(&one(&id), &Change { on_change: Some(OnChange::Restart), ..Change::default() }).unwrap();
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn an_answer_is_lost() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.add_rule(Rule::new(Step::Part, How::DropAfter).part(5).once());
    world.cloud.add_rule(Rule::new(Step::Confirm, How::DropAfter).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.requests(Step::Confirm), 1, "it looked before it would have asked again");
}

#[test]
fn the_service_forgets() {
    let world = World::new();
    let file = world.file("film.mp4", PARTS * MIB);
    world.cloud.add_rule(Rule::new(Step::Part, How::Forget).after(3).once());
    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.requests(Step::Begin), 2, "it began again by itself");
}

#[cfg(unix)]
#[test]
fn the_disk_is_full() {
    let world = World::new();
    let file = world.file("film.mp4", 4 * PARTS * MIB);
    // No file may grow beyond 4 KiB: the journal meets its end somewhere among the parts.
    let mut first = another_process(&world, &file, "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"");
    let deadline = Instant::now() + Duration::from_millis(PATIENCE_MS);
    let told = world.dir.path().join("waits-for-disk");
    while !told.exists() {
        assert!(Instant::now() < deadline && first.try_wait().unwrap().is_none(), "it does not wait for the disk");
        std::thread::sleep(Duration::from_millis(10));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(world.cloud.objects().is_empty());

    let client = world.open();
    let id = start(&client, world.request(&file, "film.mp4"));
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(world.requests(Step::Begin), 1, "it went on");
    let again = world.parts_sent().len() - 4 * PARTS as usize;
    assert!(again <= PARALLEL, "only what the journal could not take was sent again, not {again} parts");
}

// ---- another process

/// Runs [`the_other_process`] under `shell`.
fn another_process(world: &World, file: &Path, shell: &str) -> Child {
    Command::new("sh")
        .args(["-c", shell])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "the_other_process", "--nocapture"])
        .env("PARTWAY_TEST_API", world.cloud.api_url())
        .env("PARTWAY_TEST_DIR", world.dir.path())
        .env("PARTWAY_TEST_FILE", file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// No test of its own: what [`another_process`] runs. It uploads, and leaves a file when the upload waits for the disk.
#[test]
fn the_other_process() {
    let of = |name| std::env::var(name).ok();
    let (Some(api), Some(dir), Some(file)) = (of("PARTWAY_TEST_API"), of("PARTWAY_TEST_DIR"), of("PARTWAY_TEST_FILE"))
    else {
        return;
    };
    let (file, dir) = (Path::new(&file), Path::new(&dir));
    let mut config = partway::client::Config::new(dir.join("state"), Tokens::of("sandbox-token"));
    config.limits.parallel_parts = PARALLEL as u32;
    let client = Client::open(config).unwrap();
    let mut request = request_to(&api, file, "film.mp4");
    request.part_size_bytes = Some(MIB);
    let id = start(&client, request);
    until(&client, &id, |snapshot| {
        if waiting_for(snapshot) == Some(WaitReason::Disk) {
            std::fs::File::create(dir.join("waits-for-disk")).unwrap();
        }
        snapshot.state.ended()
    });
}

fn wait_for_parts(world: &World, count: usize) {
    let answered = |log: &[partway_sandbox::LogEntry]| {
        let parts = log.iter().filter(|entry| entry.step == Step::Part && entry.status == Some(200));
        (parts.count() >= count).then_some(())
    };
    assert!(world.cloud.wait_log(Duration::from_millis(PATIENCE_MS), answered).is_some(), "too few parts came");
}

fn request_to(api: &str, file: &Path, remote: &str) -> partway::client::UploadRequest {
    let target = partway::model::SmhTarget {
        endpoint: api.to_owned(),
        account: "me".into(),
        library: "smh-sandbox".into(),
        space: "-".into(),
        path: remote.into(),
        create_parents: true,
        ..partway::model::SmhTarget::default()
    };
    partway::client::UploadRequest::new(
        remote,
        partway::model::Target::Smh(target),
        partway::client::Source::path(file),
    )
}
