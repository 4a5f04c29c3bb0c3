//! Uploads against the emulator, from outside: what scripts see.

#![cfg(unix)]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use partway_sandbox::{How, Rule, Step};
use support::{MIB, TOKEN, World, partway, run, terminate, to_the_end, until_proven};

/// Slow enough to be caught half-way: parts of 1 MiB, one at a time.
const SLOW: &[&str] = &["--part-size", "1048576", "--parallel", "1", "--limit-rate", "4194304"];
const PARTS: &[&str] = &["--part-size", "1048576"];

#[test]
fn an_upload() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 5 * MIB + 7);
    let ran = run(&mut world.upload(&[&file], "d/e/a.bin", PARTS));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    world.holds_only("d/e/a.bin", &content);
    let finished = ran.finished();
    let size = content.len() as u64;
    assert_eq!((finished["bytes_total"].as_u64(), finished["bytes_sent"].as_u64()), (Some(size), Some(size)));
    assert_eq!((finished["bytes_resent"].as_u64(), finished["retries"].as_u64()), (Some(0), Some(0)));
    assert_eq!(finished["receipt"]["size"].as_u64(), Some(size));
    assert_eq!(finished["receipt"]["path"], serde_json::json!(["d", "e", "a.bin"]));
    let object = world.cloud.object("-", "d/e/a.bin").expect("the object");
    assert_eq!(finished["receipt"]["crc64"], object.crc64.to_string());
    assert!(object.local_modification_time.is_some());
    let last = ran.events("progress").last().expect("progress");
    assert_eq!(last["bytes_acknowledged"].as_u64(), Some(size));
    assert!(ran.events("state").any(|line| line["state"] == "uploading"));
    assert!(world.list().is_empty(), "an ending that was printed is forgotten");
}

#[test]
fn a_directory_of_several_one_of_them_missing() {
    let world = World::new();
    let (a, content) = world.file("a.bin", MIB);
    let (b, _) = world.file("b.bin", 2 * MIB);
    let missing = world.path("none");
    let ran = run(&mut world.upload(&[&a, &missing, &b], "d", &[]));
    assert_eq!(ran.code, Some(1));
    let outcomes: Vec<_> = ran.events("finished").map(|line| line["outcome"].as_str().expect("a word")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "completed").count(), 2);
    assert_eq!(
        ran.events("finished").find(|line| line["id"].is_null()).expect("one")["error"]["name"],
        "source_not_found"
    );
    assert_eq!(world.cloud.objects().len(), 2);
    let stored = world.cloud.object("-", "d/a.bin").expect("a").file.expect("a content");
    assert!(fs::read(stored).expect("a content") == content);
}

#[test]
fn interrupted_and_continued() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 6 * MIB);
    let (child, stdout, lines) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), 2 * MIB as u64);
    terminate(&child);
    let first = to_the_end(child, stdout, lines);
    assert_eq!(first.end(), (Some(3), "interrupted", true, ""));

    let listed = world.list();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["id"], first.finished()["id"]);
    assert_eq!((&listed[0]["service"], &listed[0]["bytes_total"]), (&"smh".into(), &(6 * MIB).into()));
    let kept = listed[0]["bytes_acknowledged"].as_u64().expect("a number");
    assert!(kept >= 2 * MIB as u64);

    let explained = run(&mut world.verb(&["explain", listed[0]["id"].as_str().expect("an id")]));
    assert_eq!((explained.code, explained.lines.len()), (Some(0), 1));
    assert_eq!(explained.lines[0]["id"], listed[0]["id"]);

    let second = run(&mut world.upload(&[&file], "a.bin", &["--conflict", "overwrite", "--parallel", "2"]));
    assert_eq!(second.end(), (Some(0), "completed", false, ""));
    assert_eq!(second.finished()["id"], first.finished()["id"]);
    assert_eq!(
        second.finished()["bytes_sent"].as_u64(),
        Some(6 * MIB as u64 - kept),
        "proven parts are not sent again"
    );
    world.holds_only("a.bin", &content);
    assert_eq!(world.cloud.uploads().len(), 1, "one session");
}

#[test]
fn killed_and_resumed() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 6 * MIB);
    let (mut child, _, _) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), 3 * MIB as u64);
    child.kill().expect("a kill");
    child.wait().expect("an end");
    let id = world.list()[0]["id"].as_str().expect("an id").to_owned();
    let ran = run(&mut world.verb(&["resume", &id]));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    let number = |field: &str| ran.finished()[field].as_u64().expect("a number");
    assert!(number("bytes_sent") <= 3 * MIB as u64 && number("bytes_resent") <= MIB as u64, "{:?}", ran.finished());
    world.holds_only("a.bin", &content);
    let nothing = run(&mut world.verb(&["resume"]));
    assert_eq!((nothing.code, nothing.lines.len()), (Some(0), 0));
}

#[test]
fn killed_three_times_in_a_row() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 8 * MIB);
    for proven in [2, 4, 6] {
        let mut command = world.upload(&[&file], "a.bin", SLOW);
        let (mut child, _, _) = until_proven(&mut command, proven * MIB as u64);
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    let ran = run(&mut world.upload(&[&file], "a.bin", &[]));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
    let log = world.cloud.log();
    let begins = log.iter().filter(|entry| entry.step == partway_sandbox::Step::Begin).count();
    assert_eq!(begins, 1, "one session");
    // What was acknowledged, and so much of it that the next run knew, was not sent again: one part may be in flight at each kill.
    let stored =
        log.iter().filter(|entry| entry.step == partway_sandbox::Step::Part && entry.status == Some(200)).count();
    assert!(stored <= 8 + 3, "{stored} parts were stored");
}

#[test]
fn an_ending_that_nobody_saw_is_told_once() {
    let world = World::new();
    let (file, content) = world.file("a.bin", MIB);
    let mut command = world.upload(&[&file], "a.bin", &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    world.holds_only("a.bin", &content);
    assert_eq!(world.list()[0]["state"], "completed");
    // Also when the file is gone by now.
    fs::remove_file(&file).expect("removed");
    let requests = world.cloud.log().len();
    let again = run(&mut world.upload(&[&file], "a.bin", &[]));
    assert_eq!(again.end(), (Some(0), "completed", false, ""));
    assert_eq!((again.lines.len(), again.finished()["bytes_sent"].as_u64()), (1, Some(0)));
    assert_eq!(world.cloud.log().len(), requests, "nothing is asked");
    assert!(world.list().is_empty());
}

#[test]
fn a_failure_that_nobody_saw_is_told_once_and_nothing_is_sent() {
    let world = World::new();
    let (file, content) = world.file("a.bin", MIB);
    let rule = world.cloud.add_rule(Rule::new(Step::Confirm, How::status(451, "UnavailableForLegalReasons")));
    let mut command = world.upload(&[&file], "a.bin", &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(1));
    assert_eq!(world.list()[0]["state"], "failed");
    world.cloud.remove_rule(rule);
    let requests = world.cloud.log().len();
    let again = run(&mut world.upload(&[&file], "a.bin", &[]));
    assert_eq!(again.end(), (Some(1), "failed", false, "content_refused"));
    assert_eq!((again.lines.len(), world.cloud.log().len()), (1, requests), "nothing is asked");
    // It was told: the same command begins anew.
    assert_eq!(run(&mut world.upload(&[&file], "a.bin", &[])).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn a_2_says_that_nothing_was_sent() {
    let world = World::new();
    let (file, _) = world.file("a.bin", MIB);
    let (large, _) = world.file("large.bin", 1);
    // More parts than there may be; a file of holes costs nothing.
    fs::File::options().write(true).open(&large).and_then(|file| file.set_len(20 << 30)).expect("a large file");
    let alone = run(&mut world.upload(&[&large], "d/", PARTS));
    assert_eq!(alone.end(), (Some(2), "failed", false, "part_size_unusable"));
    let both = run(&mut world.upload(&[&file, &large], "d", PARTS));
    let outcomes: Vec<&str> = both.events("finished").filter_map(|line| line["outcome"].as_str()).collect();
    assert!(outcomes.contains(&"completed") && outcomes.contains(&"failed"), "{:?}", both.lines);
    assert_eq!((both.code, outcomes.len()), (Some(1), 2), "{:?}", both.lines);
}

/// A command that hangs, and what it started, are gone with the process that asked.
#[test]
fn a_command_that_hangs_outlives_nothing() {
    let world = World::new();
    let (file, _) = world.file("a.bin", MIB);
    let mark = world.path("mark");
    let hangs = format!("sleep 300 & touch '{}'; wait", mark.display());
    let mut upload = world.upload(&[&file], "a.bin", &["--token-command", &hangs]);
    let mut child = upload.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command");
    let since = Instant::now();
    while !mark.exists() {
        assert!(since.elapsed() < Duration::from_secs(30), "it is not asked");
        std::thread::yield_now();
    }
    terminate(&child);
    // Whatever still had it would keep this from ending.
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().expect("its stderr"), &mut said).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(3), "{said}");
    assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
}

#[test]
fn a_refused_credential_keeps_the_upload() {
    let world = World::new();
    let (file, content) = world.file("a.bin", MIB);
    let refused = run(world.upload(&[&file], "a.bin", &[]).env("PARTWAY_TOKEN", "canary-token"));
    assert_eq!(refused.end(), (Some(1), "failed", true, "credential_refused"));
    assert!(!format!("{:?}{}", refused.lines, refused.stderr).contains("canary"));
    assert_eq!(run(&mut world.upload(&[&file], "a.bin", &[])).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn a_command_gives_the_credential_and_a_fresh_one() {
    let world = World::new();
    let (file, content) = world.file("a.bin", MIB);
    // The first answer is of no use, the second is.
    let count = world.path("count");
    let command = format!("if [ -e {0} ]; then echo ' {TOKEN} '; else touch {0}; echo stale; fi", count.display());
    let mut upload = world.upload(&[&file], "a.bin", &["--token-command", &command]);
    assert_eq!(run(upload.env_remove("PARTWAY_TOKEN")).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn a_conflict_is_answered_by_the_next_run() {
    let world = World::new();
    let (old, _) = world.file("old.bin", MIB);
    let (file, content) = world.file("new.bin", 3 * MIB);
    assert_eq!(run(&mut world.upload(&[&old], "a.bin", &[])).code, Some(0));
    for _ in 0..2 {
        let asked = run(&mut world.upload(&[&file], "a.bin", &["--part-size", "1048576", "--conflict", "ask"]));
        assert_eq!(asked.end(), (Some(1), "failed", true, "name_conflict"));
    }
    let answered = run(&mut world.upload(&[&file], "a.bin", &["--conflict", "overwrite"]));
    assert_eq!(answered.end(), (Some(0), "completed", false, ""));
    assert_eq!(world.cloud.object("-", "a.bin").expect("it").size, content.len() as u64);
    world.holds_only("a.bin", &content);
}

#[test]
fn a_changed_file() {
    let world = World::new();
    let (file, mut content) = world.file("a.bin", 6 * MIB);
    let (mut child, _, _) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), 2 * MIB as u64);
    child.kill().expect("a kill");
    child.wait().expect("an end");
    content[5] ^= 1;
    fs::write(&file, &content).expect("a change");
    let failed = run(&mut world.upload(&[&file], "a.bin", PARTS));
    assert_eq!(failed.end(), (Some(1), "failed", true, "source_changed"));
    let restarted = run(&mut world.upload(&[&file], "a.bin", &["--part-size", "1048576", "--on-change", "restart"]));
    assert_eq!(restarted.end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn a_file_that_is_gone_keeps_the_upload() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 6 * MIB);
    let (mut child, _, _) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), 2 * MIB as u64);
    child.kill().expect("a kill");
    child.wait().expect("an end");
    fs::rename(&file, world.path("away")).expect("a rename");
    let gone = run(&mut world.upload(&[&file], "a.bin", PARTS));
    assert_eq!(gone.end(), (Some(1), "failed", true, "source_not_found"));
    assert!(gone.finished()["id"].is_string());
    fs::rename(world.path("away"), &file).expect("a rename");
    assert_eq!(run(&mut world.upload(&[&file], "a.bin", PARTS)).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn cancelled_and_undone() {
    let world = World::new();
    let (file, _) = world.file("a.bin", 6 * MIB);
    let (mut child, _, _) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), MIB as u64);
    child.kill().expect("a kill");
    child.wait().expect("an end");
    let id = world.list()[0]["id"].as_str().expect("an id").to_owned();
    let cancelled = run(&mut world.verb(&["cancel", &id]));
    assert_eq!(cancelled.code, Some(0), "{}", cancelled.stderr);
    assert_eq!(cancelled.finished()["outcome"], "cancelled");
    assert!(world.cloud.uploads().is_empty() && world.cloud.objects().is_empty());
    assert!(world.list().is_empty());
}

#[test]
fn another_process_has_it() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 12 * MIB);
    let (child, stdout, lines) = until_proven(&mut world.upload(&[&file], "a.bin", SLOW), MIB as u64);
    let id = lines[0]["id"].as_str().expect("an id").to_owned();
    let second = run(&mut world.upload(&[&file], "a.bin", SLOW));
    assert_eq!(second.end(), (Some(1), "failed", true, "in_use"));
    let detail = second.finished()["error"]["detail"].as_str().expect("text").to_owned();
    assert!(detail.contains(&child.id().to_string()), "{detail}");
    let cancel = run(&mut world.verb(&["cancel", &id]));
    assert_eq!((cancel.code, cancel.finished()["error"]["name"].as_str()), (Some(1), Some("in_use")));
    let listed = world.list();
    assert_eq!((listed.len(), &listed[0]["state"], &listed[0]["reason"]), (1, &"waiting".into(), &"elsewhere".into()));
    let explained = run(&mut world.verb(&["explain", &id]));
    assert_eq!((explained.code, explained.lines.len()), (Some(1), 1));
    let error = &explained.lines[0]["error"];
    assert_eq!((&error["name"], error["detail"].as_str()), (&"in_use".into(), Some(detail.as_str())));
    assert_eq!(to_the_end(child, stdout, lines).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

/// What `list` and `explain` say of the only upload.
fn told(world: &World) -> (serde_json::Value, serde_json::Value) {
    let listed = world.list().remove(0);
    let explained = run(&mut world.verb(&["explain", listed["id"].as_str().expect("an id")]));
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    let explained = explained.lines[0].clone();
    assert_eq!((&listed["state"], &listed["reason"]), (&explained["state"], &explained["reason"]));
    let text = explained["text"].as_str().expect("a text");
    assert!(!text.is_empty() && !text.contains("held") && !text.contains("go`"), "{text}");
    (listed, explained)
}

/// They said "in line, and the client is held", whatever it was: the client was the command's own.
#[test]
fn what_blocks_an_upload_is_told_when_nothing_runs() {
    let world = World::new();
    let (file, content) = world.file("a.bin", 2 * MIB);
    // Throttled, and interrupted in that.
    let mut busy = How::status(503, "SlowDown");
    if let How::Status { headers, .. } = &mut busy {
        headers.insert("Retry-After".to_owned(), "240".to_owned());
    }
    let busy = world.cloud.add_rule(Rule::new(Step::Part, busy));
    let mut child = world.upload(&[&file], "a.bin", PARTS).stdout(Stdio::piped()).spawn().expect("the command");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let throttled = |line: std::io::Result<String>| line.expect("text").contains(r#""reason":"retry""#);
    assert!(lines.any(throttled));
    terminate(&child);
    assert_eq!(child.wait().expect("an end").code(), Some(3));
    let (listed, explained) = told(&world);
    assert_eq!((&listed["state"], &listed["reason"]), (&"waiting".into(), &"retry".into()));
    assert_eq!(explained["error"]["http_status"], 503);
    assert!(explained["attempts"].as_u64() > Some(0));
    assert!(explained["next_try_ms"].as_u64().is_some_and(|ms| ms > 120_000 && ms <= 240_000), "{explained}");
    world.cloud.remove_rule(busy);

    // Its file is gone: that is what it waits for now.
    fs::rename(&file, world.path("away")).expect("a rename");
    let id = listed["id"].as_str().expect("an id");
    assert_eq!(run(&mut world.verb(&["resume", id])).end(), (Some(1), "failed", true, "source_not_found"));
    let (listed, explained) = told(&world);
    assert_eq!((&listed["reason"], &explained["error"]["name"]), (&"source".into(), &"source_not_found".into()));
    fs::rename(world.path("away"), &file).expect("a rename");

    // A credential that nobody takes.
    let mut refused = world.verb(&["resume", id]);
    assert_eq!(run(refused.env("PARTWAY_TOKEN", "stale")).end(), (Some(1), "failed", true, "credential_refused"));
    let (listed, explained) = told(&world);
    assert_eq!((&listed["reason"], &explained["error"]["name"]), (&"credential".into(), &"credential_refused".into()));

    // All is well again: nothing of that is believed, nor told.
    let ran = run(&mut world.verb(&["resume", id]));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    assert!(
        ran.events("state").all(|line| line["reason"].is_null() || line["reason"] == "credential"),
        "{:?}",
        ran.lines
    );
    world.holds_only("a.bin", &content);
}

/// Those in line behind another are not taken for stuck because they were that in an earlier run.
#[test]
fn one_that_was_stuck_is_tried_though_its_turn_comes_late() {
    let world = World::new();
    let mut files = vec![];
    for name in ["a.bin", "b.bin"] {
        let (file, _) = world.file(name, 6 * MIB);
        let gone = run(world.upload(&[&file], name, PARTS).env("PARTWAY_TOKEN", "stale"));
        assert_eq!(gone.end(), (Some(1), "failed", true, "credential_refused"));
        files.push(file);
    }
    assert!(world.list().iter().all(|line| line["reason"] == "credential"), "{:?}", world.list());
    let ran = run(&mut world.verb(&["resume", "--parallel", "1", "--limit-rate", "2097152"]));
    assert_eq!(ran.code, Some(0), "{:?}", ran.lines);
    assert_eq!(world.cloud.objects().len(), 2);
}

#[test]
fn only_what_was_named_goes_on() {
    let world = World::new();
    for name in ["a.bin", "b.bin"] {
        let (file, _) = world.file(name, 6 * MIB);
        let (mut child, _, _) = until_proven(&mut world.upload(&[&file], name, SLOW), MIB as u64);
        child.kill().expect("a kill");
        child.wait().expect("an end");
    }
    let before = world.list();
    let ran = run(&mut world.verb(&["resume", before[1]["id"].as_str().expect("an id")]));
    assert_eq!(ran.end(), (Some(0), "completed", false, ""));
    assert_eq!(world.list(), before[..1], "the other one is as it was");
    assert_eq!(world.cloud.objects().len(), 1);
}

#[test]
fn a_lost_answer_makes_no_second_object() {
    let world = World::new();
    world.cloud.add_rule(Rule::new(Step::Confirm, How::DropAfter).once());
    let (file, content) = world.file("a.bin", 2 * MIB);
    assert_eq!(run(&mut world.upload(&[&file], "a.bin", PARTS)).end(), (Some(0), "completed", false, ""));
    world.holds_only("a.bin", &content);
}

#[test]
fn the_sandbox_runs_until_it_is_told_to_stop() {
    let mut child = partway(&["sandbox", "--port", "0", "--json"]).stdout(Stdio::piped()).spawn().expect("the command");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("text");
    let addresses: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    for field in ["api", "data", "control", "library", "space", "token"] {
        assert!(addresses[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    terminate(&child);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn the_sandbox_serves_tls_and_says_whom_to_trust() {
    let world = World::new();
    let mut child = partway(&["sandbox", "--tls", "--json"]).stdout(Stdio::piped()).spawn().expect("the command");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("text");
    let addresses: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let text = |field: &str| addresses[field].as_str().expect("text").to_owned();
    let (api, ca_file) = (text("api"), text("ca_file"));
    assert!(api.starts_with("https://") && text("data").starts_with("https://"), "{line}");
    assert!(text("control").starts_with("http://"), "{line}");
    let (file, _) = world.file("a.bin", MIB);
    let mut command = world.verb(&["upload"]);
    command.arg(&file).args(["--service", "smh", "--endpoint", &api, "--library", "smh-sandbox"]);
    let end = run(command.args(["--path", "a.bin", "--ca-file", &ca_file]));
    terminate(&child);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert!(!std::path::Path::new(&ca_file).exists(), "it goes with the sandbox");
    assert_eq!(end.end(), (Some(0), "completed", false, ""), "{}", end.stderr);
}

#[test]
fn the_demo() {
    demo(&["demo", "--json"]);
}

#[test]
fn the_demo_of_the_other_service() {
    demo(&["demo", "--service", "koodrive", "--json"]);
}

fn demo(args: &[&str]) {
    let begun = Instant::now();
    let ran = run(&mut partway(args));
    assert_eq!((ran.code, ran.lines.len()), (Some(0), 1), "{}", ran.stderr);
    let report = &ran.lines[0];
    assert_eq!((&report["verified"], &report["killed"], &report["sessions"]), (&true.into(), &true.into(), &1.into()));
    let kept = report["bytes_kept"].as_u64().expect("a number");
    assert!(kept >= report["bytes_total"].as_u64().expect("a number") / 2);
    assert!(begun.elapsed() < Duration::from_secs(30));
}
