//! File systems that really are full, or really are read-only. Each runs in a child with mounts of its own, and is passed over where that is refused.

use super::*;
use crate::error::{Code, ErrorInfo};

/// Runs `role` in a child that has a tmpfs of 64 KiB and 64 files mounted at its state directory; false when mounting is refused here.
fn on_tiny_disk(role: &str) -> bool {
    let temp = tempfile::tempdir().expect("a directory");
    let program = child(role, temp.path());
    let mut wrapped = Command::new("unshare");
    wrapped
        .args(["--mount", "sh", "-c", r#"mount -t tmpfs -o size=64k,nr_inodes=64 none "$0" || exit 77; exec "$@""#])
        .arg(temp.path())
        .arg(program.get_program())
        .args(program.get_args())
        .env("PARTWAY_TEST_STATE_DIR", temp.path());
    let Ok(output) = wrapped.output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("1 passed") {
        return true;
    }
    assert!(!text.contains("running 1 test"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    false
}

fn mount(args: &[&str], path: &Path) {
    assert!(Command::new("mount").args(args).arg(path).status().expect("run").success());
}

#[test]
fn child_fills_the_disk() {
    let Some(path) = called_as_child() else { return };
    let dir = StateDir::open(&path).expect("room yet");
    dir.create_all(&[(id(2), expected(5))]).expect("room yet");
    let mut journal = dir.create(id(1), &[plan()], Sync::Power).expect("room yet");
    let mut n = 0;
    let full = loop {
        match journal.append(&part(n), if n % 2 == 0 { Sync::Power } else { Sync::Process }) {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full.code, Code::DiskFull);
    assert!(!journal.is_poisoned());
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(n)));
    // Whatever room is left in a last page is taken, then creating must fail and leave nothing.
    let batch: Vec<_> = (10..40).map(|n| (id(n), expected(2))).collect();
    assert_eq!(dir.create_all(&batch).expect_err("full").code, Code::DiskFull);
    assert_eq!(dir.create(id(3), &expected(2), Sync::Power).expect_err("full").code, Code::DiskFull);
    assert_eq!(dir.list(), Ok(vec![id(1), id(2)]));
    assert!(!names(&dir).iter().any(|name| name.ends_with(".tmp")));
    let Err(full) = StateDir::open(&path) else { panic!("there is no room for a probe") };
    assert_eq!(full.code, Code::DiskFull);
    drop(journal);
    let (mut journal, records, recovery) = dir.open_journal::<Record>(id(1)).expect("opened on a full disk");
    assert_eq!((records, recovery.cut_bytes), (expected(n), 0));
    dir.remove(id(2)).expect("forgetting needs no room");
    journal.append(&part(n), Sync::Power).expect("room again");
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(n + 1)));
}

#[test]
fn child_runs_out_of_files() {
    let Some(path) = called_as_child() else { return };
    let dir = StateDir::open(&path).expect("room yet");
    dir.create_all(&[(id(1), expected(1)), (id(2), expected(1))]).expect("room yet");
    while fs::write(dir.path().join(format!("other-{}", names(&dir).len())), "").is_ok() {}
    assert_eq!(dir.create_all(&[(id(3), expected(1))]).expect_err("full").code, Code::DiskFull);
    let fault = dir.open_journal::<Record>(id(1)).expect_err("there is no room for a lock file");
    assert_eq!(ErrorInfo::from(fault).code, Code::DiskFull);
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(1)));
    dir.remove(id(2)).expect("forgetting needs no lock file");
    assert_eq!(dir.open_journal::<Record>(id(1)).expect("room again").1, expected(1));
}

#[test]
fn child_loses_the_right_to_write() {
    let Some(path) = called_as_child() else { return };
    let dir = StateDir::open(&path).expect("writable yet");
    journal_of(&dir, id(1), 2);
    mount(&["-o", "remount,ro"], &path);
    let Err(error) = StateDir::open(&path) else { panic!("it is read-only") };
    assert_eq!(error.code, Code::StateDirUnusable);
    let reader = StateDir::open_read_only(&path).expect("readable");
    assert_eq!(reader.list(), Ok(vec![id(1)]));
    assert_eq!(reader.read::<Record>(id(1)), Ok(expected(2)));
    for refused in [
        ErrorInfo::from(dir.open_journal::<Record>(id(1)).expect_err("read-only")),
        dir.create(id(2), &[plan()], Sync::Process).expect_err("read-only"),
        dir.create_all(&[(id(2), vec![plan()])]).expect_err("read-only"),
        dir.remove(id(1)).expect_err("read-only"),
        dir.sweep().expect_err("read-only"),
    ] {
        assert_eq!(refused.code, Code::StateDirUnusable, "{refused}");
        assert!(!refused.to_string().contains('/'));
    }
}

#[test]
fn a_disk_that_is_really_full() {
    if !on_tiny_disk("mounts::child_fills_the_disk") {
        eprintln!("passed over: mounting is refused here");
    }
}

#[test]
fn a_disk_that_really_takes_no_more_files() {
    if !on_tiny_disk("mounts::child_runs_out_of_files") {
        eprintln!("passed over: mounting is refused here");
    }
}

#[test]
fn a_disk_that_is_really_read_only() {
    if !on_tiny_disk("mounts::child_loses_the_right_to_write") {
        eprintln!("passed over: mounting is refused here");
    }
}
