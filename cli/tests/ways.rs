//! The ways in which a file can travel, from outside.

#![cfg(unix)]

mod support;

use partway_sandbox::Step;
use support::{MIB, World, run, terminate, to_the_end, until_proven};

fn count(world: &World, step: Step) -> usize {
    world.cloud.log().iter().filter(|entry| entry.step == step).count()
}

#[test]
fn modes() {
    for (mode, step) in [("simple", Step::Put), ("form", Step::Form), ("multipart", Step::Part), ("auto", Step::Put)] {
        let world = World::new();
        let (file, content) = world.file("a.bin", MIB + 7);
        let ran = run(&mut world.upload(&[&file], "d/it's a+b&c%.bin", &["--mode", mode]));
        assert_eq!(ran.end(), (Some(0), "completed", false, ""), "{mode}: {:?}", ran.finished());
        world.holds_only("d/it's a+b&c%.bin", &content);
        assert_eq!((count(&world, step), count(&world, Step::Confirm)), (1, 1), "{mode}");
        assert_eq!(ran.finished()["bytes_sent"].as_u64(), Some(content.len() as u64), "{mode}");
    }
}

#[test]
fn instant() {
    for (word, instant) in [("always", true), ("auto", true), ("off", false)] {
        let world = World::new();
        let (file, content) = world.file("a.bin", 5 * MIB);
        let first = run(&mut world.upload(&[&file], "first.bin", &["--instant", "off"]));
        assert_eq!(first.end(), (Some(0), "completed", false, ""));
        let ran = run(&mut world.upload(&[&file], "second.bin", &["--instant", word]));
        assert_eq!(ran.end(), (Some(0), "completed", false, ""), "{word}");
        let finished = ran.finished();
        let sent = if instant { 0 } else { content.len() as u64 };
        assert_eq!((finished["instant"].as_bool(), finished["bytes_sent"].as_u64()), (Some(instant), Some(sent)));
        assert_eq!(finished["receipt"]["path"], serde_json::json!(["second.bin"]), "{word}");
        assert_eq!(world.cloud.objects().len(), 2);
    }
}

#[test]
fn adopted() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 6 * MIB);
    let slow = ["--part-size", "1048576", "--parallel", "1", "--limit-rate", "4194304"];
    let mut begin = world.upload(&[&file], "a.bin", &slow);
    let (child, stdout, lines) = until_proven(&mut begin, 2 * MIB as u64);
    terminate(&child);
    let first = to_the_end(child, stdout, lines);
    let kept = first.events("progress").last().expect("progress")["bytes_acknowledged"].as_u64().expect("a number");
    let key = world.cloud.uploads()[0].confirm_key.clone();

    // As another device has it: nothing of the first run is known there.
    let mut command = support::partway(&["adopt", &key]);
    command.arg(&file).args(["--service", "smh", "--endpoint", &world.cloud.api_url(), "--library", "smh-sandbox"]);
    command.args(["--path", "a.bin", "--json", "--state-dir"]).arg(world.path("other"));
    let ran = run(command.env("PARTWAY_TOKEN", support::TOKEN));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""), "{:?}", ran.finished());
    world.holds_only("a.bin", &content);
    let sent = ran.finished()["bytes_sent"].as_u64().expect("a number");
    assert!(sent <= content.len() as u64 - kept, "{sent} of {} after {kept}", content.len());

    let several = run(&mut world.verb(&["adopt", "KEY", "a", "b", "--service", "smh", "--endpoint", "https://h"]));
    assert_eq!((several.code, several.finished()["error"]["category"].as_str()), (Some(2), Some("usage")));
}

#[test]
fn many_small_files_cost_three_requests_each_over_a_few_connections() {
    const FILES: usize = 100;
    let world = World::new();
    let files: Vec<_> = (0..FILES).map(|number| world.file(&format!("{number:03}.jpg"), 100 << 10).0).collect();
    let paths: Vec<_> = files.iter().map(std::path::PathBuf::as_path).collect();
    let ran = run(&mut world.upload(&paths, "album/", &["--parallel", "8"]));
    assert_eq!((ran.code, ran.events("finished").count()), (Some(0), FILES), "{}", ran.stderr);
    assert_eq!(world.cloud.objects().len(), FILES);
    let counts = [Step::Put, Step::Confirm].map(|step| count(&world, step));
    assert_eq!(counts, [FILES, FILES]);
    // The directory is missing for those alone that begin before it is made.
    let (begins, made) = (count(&world, Step::SimpleBegin), count(&world, Step::Mkdir));
    assert!((1..=8).contains(&made) && begins == FILES + made, "{begins} begins, {made} directories");
    let log = world.cloud.log();
    assert_eq!(log.len(), begins + made + 2 * FILES, "and nothing else");
    let connections: std::collections::BTreeSet<_> = log.iter().map(|entry| entry.connection).collect();
    // A worker keeps one to the API and one to the storage: eight, and two beside them.
    assert!(connections.len() <= 20, "{} connections", connections.len());
    // Those that were named first are begun first.
    let first: Vec<&str> =
        log.iter().filter(|entry| entry.step == Step::SimpleBegin).map(|entry| entry.path.as_str()).collect();
    assert!(first[..8].iter().all(|path| path.contains("/00")), "{:?}", &first[..8]);
}

#[test]
fn what_the_service_knows_is_shown() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 6 * MIB);
    let slow = ["--part-size", "1048576", "--parallel", "1", "--limit-rate", "4194304"];
    let (child, stdout, lines) = until_proven(&mut world.upload(&[&file], "d/a.bin", &slow), 2 * MIB as u64);
    terminate(&child);
    let ran = to_the_end(child, stdout, lines);
    let id = ran.finished()["id"].as_str().expect("an id").to_owned();
    let kept = ran.events("progress").last().expect("progress")["bytes_acknowledged"].as_u64().expect("a number");

    let plain = run(&mut world.verb(&["explain", &id]));
    assert!(plain.code == Some(0) && plain.lines[0].get("remote").is_none());
    let before = world.cloud.log().len();
    let told = run(&mut world.verb(&["explain", &id, "--remote"]));
    assert_eq!((told.code, told.lines.len()), (Some(0), 1), "{}", told.stderr);
    let remote = &told.lines[0]["remote"];
    assert_eq!((&remote["state"], &remote["complete"]), (&"found".into(), &false.into()));
    assert_eq!(remote["path"], serde_json::json!(["d", "a.bin"]));
    assert_eq!((&remote["type"], &remote["conflict_strategy"]), (&"file".into(), &"rename".into()));
    assert!(remote["created_unix_ms"].is_i64() && remote["error"].is_null());
    let parts = remote["parts"].as_array().expect("parts");
    let bytes: u64 = parts.iter().map(|part| part["size"].as_u64().expect("a size")).sum();
    assert!(bytes >= kept && parts.iter().all(|part| part["md5"].is_string()), "{remote}");
    assert_eq!(world.cloud.log().len(), before + 1, "one question, nothing else");

    let people = support::partway(&["explain", &id, "--remote", "--state-dir"])
        .arg(world.path("state"))
        .env("PARTWAY_TOKEN", support::TOKEN)
        .output()
        .expect("the command");
    let text = String::from_utf8(people.stdout).expect("text");
    for words in ["At the service it is not complete, begun", "Its place there: d/a.bin", "parts, "] {
        assert!(text.contains(words), "{text}");
    }

    let mut without = support::partway(&["explain", &id, "--remote", "--json", "--state-dir"]);
    let without = run(without.arg(world.path("state")));
    let remote = &without.lines[0]["remote"];
    assert_eq!((without.code, &remote["state"]), (Some(1), &"unknown".into()));
    assert_eq!(remote["error"]["name"], "credential_refused");

    world.cloud.forget_all();
    let gone = run(&mut world.verb(&["explain", &id, "--remote"]));
    assert_eq!((gone.code, &gone.lines[0]["remote"]["state"]), (Some(0), &"gone".into()));
    let done = run(&mut world.upload(&[&file], "d/a.bin", &["--part-size", "1048576"]));
    assert_eq!(done.end(), (Some(0), "completed", false, ""));
    world.holds_only("d/a.bin", &content);
}
