//! One pass to hash and one to send, over all runs of the command, with kills in between: what was read is what the kernel counted.

#![cfg(target_os = "linux")]

mod support;

use std::{fs, process::Stdio};

use support::{MIB, Ran, World, partway, run, to_the_end, until_proven};

const PART: usize = 5 * MIB;
const PARALLEL: usize = 2;
const STOPS: usize = 3;

fn upload(world: &World, file: &std::path::Path, more: &[&str]) -> std::process::Command {
    let mut command = partway(&["upload"]);
    command.arg(file).args(["--json", "--service", "koodrive", "--endpoint", &world.cloud.koodrive_url()]);
    command.args(["--container", &world.cloud.config().koodrive.container, "--instant", "off"]);
    command.args(["--part-size", &PART.to_string(), "--parallel", &PARALLEL.to_string()]).args(more);
    command.arg("--state-dir").arg(world.path("state")).env("PARTWAY_TOKEN", "Bearer sandbox-token");
    command
}

/// Everything that a process has read by now.
fn read_by(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).expect("its counters");
    let count = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    count.expect("a count").parse().expect("a number")
}

#[test]
fn kills_cost_no_more_reading_than_what_was_in_flight() {
    let world = World::new();
    let size = 8 * PART + 100;
    let (file, content) = world.file("film.mp4", size);
    let (small, _) = world.file("small", 1);
    // What a run reads beside its file.
    let beside = {
        let (child, stdout, lines) = until_proven(&mut upload(&world, &small, &["--name", "small"]), 1);
        let read = read_by(child.id());
        assert_eq!(to_the_end(child, stdout, lines).end().0, Some(0));
        read
    };
    let mut read = 0;
    for stop in 1..=STOPS {
        // Slow enough to be caught between two parts.
        let mut command = upload(&world, &file, &["--limit-rate", "20000000"]);
        let (mut child, _stdout, _) = until_proven(&mut command, (stop * 2 * PART) as u64);
        read += read_by(child.id());
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    let mut command = upload(&world, &file, &[]);
    let (mut child, stdout, lines) = until_proven(command.stderr(Stdio::inherit()), (STOPS * 2 * PART) as u64);
    // A process that has ended keeps its counters until it is waited for.
    let ran = {
        use std::io::BufRead;
        let lines = lines
            .into_iter()
            .chain(stdout.lines().map(|line| serde_json::from_str(&line.expect("text")).expect("JSON")));
        let lines = lines.collect();
        read += read_by(child.id());
        Ran { code: child.wait().expect("an end").code(), lines, stderr: String::new() }
    };
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    let objects = world.cloud.objects();
    let object = objects.iter().find(|object| object.path == ["film.mp4"]).expect("the object");
    assert!(fs::read(object.file.as_ref().expect("its content")).expect("its content") == content);
    assert_eq!(objects.len(), 2);
    // Both passes once; at each kill what was being sent and what was being hashed; and what each run reads beside the file.
    let least = 2 * size as u64;
    let most = least + (STOPS * (PARALLEL + 1) * PART) as u64 + (STOPS as u64 + 1) * (beside + MIB as u64);
    assert!((least..=most).contains(&read), "{read} bytes were read of {size}, {beside} beside it");
    assert!(run(partway(&["list", "--json", "--state-dir"]).arg(world.path("state"))).lines.is_empty());
}
