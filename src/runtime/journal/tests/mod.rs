//! What a journal promises, on the real disk.

mod crash;
mod damage;
mod full_disk;
mod life;
mod mounts;
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::*;

/// A record like the engine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Record {
    Plan { parts: u32, name: String },
    Part { n: u32, crc64: u64 },
}

fn plan() -> Record {
    Record::Plan { parts: 3, name: "a\n\"ü\u{0}".to_owned() }
}

fn part(n: u32) -> Record {
    Record::Part { n, crc64: u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
}

fn id(n: u32) -> Id {
    Id::parse(&format!("01K0000000000000000000{n:04}")).expect("an id")
}

fn state_dir() -> (tempfile::TempDir, StateDir) {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::open(temp.path().join("state")).expect("a state directory");
    (temp, dir)
}

/// A journal of the plan and `parts` parts, closed.
fn journal_of(dir: &StateDir, id: Id, parts: u32) -> PathBuf {
    let mut journal = dir.create(id, &[plan()], Sync::Process).expect("created");
    for n in 0..parts {
        journal.append(&part(n), Sync::Process).expect("appended");
    }
    dir.journal_path(id)
}

fn expected(parts: u32) -> Vec<Record> {
    std::iter::once(plan()).chain((0..parts).map(part)).collect()
}

fn names(dir: &StateDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.path())
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name != ".create.lock" && name != ".start.lock")
        .collect();
    names.sort();
    names
}

/// This test program again, as another process that runs only the test `role`, which does nothing unless it is called so.
fn child(role: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("our own path"));
    command
        .args(["--exact", &format!("runtime::journal::tests::{role}"), "--nocapture", "--test-threads=1"])
        .env("PARTWAY_TEST_STATE_DIR", dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// In such a process: where to work.
fn called_as_child() -> Option<PathBuf> {
    std::env::var_os("PARTWAY_TEST_STATE_DIR").map(PathBuf::from)
}
