//! Runs the command, and reads what it prints.

#![allow(dead_code)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use partway_sandbox::{Config, Sandbox};
use serde_json::Value;

pub(crate) const TOKEN: &str = "sandbox-token";
pub(crate) const MIB: usize = 1 << 20;

/// The command, knowing nothing of this machine.
pub(crate) fn partway(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partway"));
    command.args(args).env_remove("PARTWAY_TOKEN").stdin(Stdio::null());
    command
}

/// One run that ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<Value>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Ran {
        let text = String::from_utf8(output.stdout.clone()).expect("text");
        let lines =
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
        Ran { code: output.status.code(), lines, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    pub(crate) fn events<'a>(&'a self, event: &'a str) -> impl Iterator<Item = &'a Value> {
        self.lines.iter().filter(move |line| line["event"] == event)
    }

    /// The one finished line, the last of all.
    pub(crate) fn finished(&self) -> &Value {
        assert_eq!(self.events("finished").count(), 1, "{:?}\n{}", self.lines, self.stderr);
        let last = self.lines.last().expect("a line");
        assert_eq!(last["event"], "finished");
        last
    }

    /// `(exit code, outcome, resumable, name of the error)`
    pub(crate) fn end(&self) -> (Option<i32>, &str, bool, &str) {
        let finished = self.finished();
        (
            self.code,
            finished["outcome"].as_str().expect("an outcome"),
            finished["resumable"].as_bool().expect("a word"),
            finished["error"]["name"].as_str().unwrap_or(""),
        )
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    Ran::of(&command.output().expect("the command"))
}

/// A cloud, a directory for files and one for state.
pub(crate) struct World {
    pub(crate) cloud: Sandbox,
    pub(crate) dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            cloud: Sandbox::start(Config::default()).expect("a sandbox"),
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file that no other is equal to.
    pub(crate) fn file(&self, name: &str, bytes: usize) -> (PathBuf, Vec<u8>) {
        let mut random = fastrand::Rng::with_seed(name.bytes().map(u64::from).sum());
        let mut content = vec![0; bytes];
        random.fill(&mut content);
        let path = self.path(name);
        fs::write(&path, &content).expect("a file");
        (path, content)
    }

    /// A verb with JSON, the state directory and the token.
    pub(crate) fn verb(&self, args: &[&str]) -> Command {
        let mut command = partway(args);
        command.args(["--json", "--state-dir"]).arg(self.path("state")).env("PARTWAY_TOKEN", TOKEN);
        command
    }

    /// An upload to the cloud.
    pub(crate) fn upload(&self, files: &[&Path], remote: &str, more: &[&str]) -> Command {
        let mut command = self.verb(&["upload"]);
        command.args(files).args(["--service", "smh", "--endpoint", &self.cloud.api_url()]);
        command.args(["--library", "smh-sandbox", "--path", remote]).args(more);
        command
    }

    pub(crate) fn list(&self) -> Vec<Value> {
        let ran = run(partway(&["list", "--json", "--state-dir"]).arg(self.path("state")));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.lines
    }

    /// What is stored there is exactly this, and there is nothing else.
    pub(crate) fn holds_only(&self, remote: &str, content: &[u8]) {
        let objects = self.cloud.objects();
        assert_eq!(objects.len(), 1, "{objects:?}");
        let object = self.cloud.object("-", remote).unwrap_or_else(|| panic!("{remote} is not there: {objects:?}"));
        let stored = fs::read(object.file.expect("a content")).expect("a content");
        assert!(stored == content, "what is stored differs");
    }
}

/// Starts it and lets it be until that many bytes are proven; gives it and what it printed so far.
// A panic here ends the test, and with it whatever it left behind.
#[allow(clippy::zombie_processes)]
pub(crate) fn until_proven(
    command: &mut Command,
    bytes: u64,
) -> (Child, BufReader<std::process::ChildStdout>, Vec<Value>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output"));
    let mut lines = vec![];
    loop {
        let mut line = String::new();
        assert_ne!(stdout.read_line(&mut line).expect("text"), 0, "it ended too soon: {lines:?}");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        let proven = event["bytes_acknowledged"].as_u64().unwrap_or(0);
        lines.push(event);
        if proven >= bytes {
            return (child, stdout, lines);
        }
    }
}

/// Reads it to its end.
pub(crate) fn to_the_end(mut child: Child, stdout: BufReader<std::process::ChildStdout>, mut lines: Vec<Value>) -> Ran {
    lines.extend(stdout.lines().map(|line| serde_json::from_str(&line.expect("text")).expect("JSON")));
    Ran { code: child.wait().expect("an end").code(), lines, stderr: String::new() }
}

/// SIGTERM.
pub(crate) fn terminate(child: &Child) {
    let status = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(status.success());
}
