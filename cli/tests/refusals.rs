//! What is refused before anything is sent: exit 2, and one finished line for scripts.

mod support;

use std::fs;

use support::{partway, run};

const GOOD: &[&str] =
    &["upload", "FILE", "--service", "smh", "--endpoint", "http://127.0.0.1:9", "--library", "L", "--path", "p"];

/// Runs it with a real file in place of FILE, a state directory and a token.
fn refused(args: &[&str]) -> serde_json::Value {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("f");
    fs::write(&file, b"content").expect("a file");
    let state = dir.path().join("state");
    let mut command = partway(&[]);
    for arg in args {
        if *arg == "FILE" {
            command.arg(&file)
        } else {
            command.arg(arg)
        };
    }
    let ran = run(command.args(["--json", "--state-dir"]).arg(&state).env("PARTWAY_TOKEN", "canary"));
    assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
    assert_eq!(ran.lines.len(), 1, "{args:?}");
    let finished = ran.finished();
    assert!(finished["id"].is_null() && finished["receipt"].is_null(), "{args:?}");
    assert_eq!(
        (&finished["outcome"], &finished["resumable"], &finished["requests"]),
        (&"failed".into(), &false.into(), &0.into())
    );
    assert_eq!(finished["error"]["category"], "usage", "{args:?}");
    assert!(!ran.stderr.is_empty() && !ran.stderr.contains("canary"), "{args:?}");
    finished["error"].clone()
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    GOOD.iter().chain(more).copied().collect()
}

#[test]
fn what_can_not_be_read() {
    for args in [
        &["upload"][..],
        &["nonsense"],
        &with(&["--no-such-option"]),
        &with(&["--token", "x"]),
        &with(&["--limit-rate", "fast"]),
        &with(&["--parallel", "0"]),
        &with(&["--conflict", "perhaps"]),
        &with(&["--part-size", "-1"]),
        &["upload", "FILE", "--endpoint", "http://127.0.0.1:9", "--library", "L", "--path", "p"],
        &["explain"],
        &["sandbox", "--port", "70000"],
    ] {
        refused(args);
    }
}

#[test]
fn what_can_not_be() {
    for (more, word) in [
        (&["--meta", "nothing"][..], "K=V"),
        (&["--container", "c"], "koodrive"),
        (&["--content-cas", "t"], "overwrite"),
        (&["--proxy", "socks5://u:secret@h"], "--proxy"),
        (&["--ca-file", "/no/such/file"], "--ca-file"),
        (&["--part-size", "7"], "part size"),
    ] {
        let error = refused(&with(more));
        let detail = error["detail"].as_str().expect("text");
        assert!(detail.contains(word) && !detail.contains("secret"), "{more:?}: {detail}");
    }
    refused(&["upload", "FILE", "--service", "smh", "--endpoint", "ftp://h", "--library", "L", "--path", "p"]);
    refused(&["upload", "FILE", "--service", "smh", "--endpoint", "http://127.0.0.1:9", "--path", "p"]);
    refused(&["upload", "FILE", "--service", "smh", "--endpoint", "http://127.0.0.1:9", "--library", "L"]);
    refused(&["digest", "FILE", "--part-size", "63"]);
}

#[test]
fn an_id_that_is_not_there() {
    for verb in [&["resume"][..], &["cancel"], &["explain"], &["explain", "--remote"]] {
        let line = [verb, &["01M7WDNRZR1VYK827PWWTC5XX8"]].concat();
        assert_eq!(refused(&line)["name"], "unknown_upload", "{verb:?}");
    }
}

#[test]
fn an_upload_without_a_credential() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("f");
    fs::write(&file, b"content").expect("a file");
    let mut command = partway(&["upload"]);
    command.arg(&file).args(&GOOD[2..]).args(["--json", "--state-dir"]).arg(dir.path().join("state"));
    assert_eq!(run(&mut command).end(), (Some(2), "failed", false, "invalid_argument"));
    // An application's secret is no token, and a token no secret.
    let app = ["--app-id", "app", "--user-id", "1"];
    for (more, variable) in [(&[][..], "PARTWAY_APP_SECRET"), (&app, "PARTWAY_TOKEN")] {
        let mut command = partway(&["upload"]);
        command.arg(&file).args(["--service", "koodrive", "--endpoint", "http://127.0.0.1:9", "--container", "c"]);
        command.args(more).args(["--json", "--state-dir"]).arg(dir.path().join("state")).env(variable, "canary");
        assert_eq!(run(&mut command).end(), (Some(2), "failed", false, "invalid_argument"), "{more:?}");
    }
}

#[test]
fn a_file_that_is_none_is_an_error_of_the_source() {
    let dir = tempfile::tempdir().expect("a directory");
    for (path, name) in [(dir.path().join("none"), "source_not_found"), (dir.path().to_owned(), "source_unreadable")] {
        let mut command = partway(&["upload"]);
        command.arg(&path).args(&GOOD[2..]).args(["--json", "--state-dir"]).arg(dir.path().join("state"));
        let ran = run(command.env("PARTWAY_TOKEN", "canary"));
        assert_eq!(ran.end(), (Some(1), "failed", false, name));
        assert_eq!(ran.finished()["error"]["category"], "source");
        assert!(ran.finished()["id"].is_null());
    }
}

#[test]
fn people_are_told_what_happened_what_it_means_and_what_to_do() {
    let output = partway(&["resume", "NOBODY", "--state-dir"])
        .arg(std::env::temp_dir().join("partway-none"))
        .output()
        .expect("it");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(
        text.contains("unknown_upload") && text.contains("What it means: There is no upload of that id."),
        "{text}"
    );
}

#[test]
fn help_is_no_error() {
    let output = partway(&["upload", "--help"]).output().expect("the command");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("--token-command"));
}

#[test]
fn a_digest() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("f");
    fs::write(&file, (0..320u32).map(|i| (i % 251) as u8).collect::<Vec<_>>()).expect("a file");
    let ran = run(partway(&["digest", "--json", "--part-size", "128"]).arg(&file));
    assert_eq!((ran.code, ran.lines.len()), (Some(0), 1));
    let digest = &ran.lines[0];
    assert_eq!(digest["size"], 320);
    assert_eq!(digest["sha256"], "7f2fcab03c5e118e07abe79b7db86af8a7e78d2e312b68e58e1d262c7de84f39");
    assert!(digest["beginning_hash"].is_null() && digest["full_hash"].is_null() && digest["crc64"].is_string());
    assert_eq!(digest["midstates"].as_array().map(Vec::len), Some(2));
    assert_eq!((&digest["midstates"][0]["part_number"], &digest["midstates"][0]["offset"]), (&2.into(), &128.into()));
    assert_eq!(digest["midstates"][0]["h"].as_array().map(Vec::len), Some(8));
    let missing = run(partway(&["digest", "--json"]).arg(dir.path().join("none")));
    assert_eq!(missing.end(), (Some(1), "failed", false, "source_not_found"));
}
