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
