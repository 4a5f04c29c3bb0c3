//! Processes that are killed, at any moment.

use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;

use super::*;

/// In a child: appends for ever and says so after each record.
#[test]
fn child_appends() {
    let Some(path) = called_as_child() else { return };
    let dir = StateDir::open(path).expect("a state directory");
    let (mut journal, records, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    let mut out = std::io::stdout();
    for n in records.len() as u32 - 1.. {
        let sync = if n % 16 == 0 { Sync::Power } else { Sync::Process };
        journal.append(&part(n), sync).expect("appended");
        writeln!(out, "\nack {n}").expect("said");
    }
}

/// In a child: creates batches for ever.
#[test]
fn child_creates() {
    let Some(path) = called_as_child() else { return };
    let dir = StateDir::open(path).expect("a state directory");
    let mut out = std::io::stdout();
    writeln!(out, "\nack").expect("said");
    for n in 0..400 {
        let batch: Vec<_> = (n * 20..n * 20 + 20).map(|n| (id(n), expected(3))).collect();
        dir.create_all(&batch).expect("created");
    }
}

/// Starts a child, waits until it says something, then kills it within `micros` µs. What it said.
fn killed(role: &str, dir: &StateDir, micros: u64) -> String {
    let mut child = child(role, dir.path()).spawn().expect("started");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("\nack") {
        assert_ne!(out.read_line(&mut said).expect("text"), 0, "the child ended: {said}");
    }
    std::thread::sleep(Duration::from_micros(fastrand::u64(..micros)));
    child.kill().expect("killed");
    child.wait().expect("ended");
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("read");
    said + &String::from_utf8_lossy(&rest)
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let (_temp, dir) = state_dir();
    journal_of(&dir, id(1), 0);
    for round in 0..30 {
        let said = killed("crash::child_appends", &dir, 15_000);
        let last: u32 = said
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .filter_map(|line| line.trim_end().strip_prefix("ack ")?.parse().ok())
            .max()
            .expect("acknowledged");
        let read = dir.read::<Record>(id(1)).expect("readable");
        let (_, records, _) = dir.open_journal::<Record>(id(1)).expect("the lock died with its holder");
        assert_eq!(records, read);
        assert!(records.len() as u32 > last + 1, "round {round}: {} records, {last} acknowledged", records.len());
        assert_eq!(records, expected(records.len() as u32 - 1), "round {round}");
    }
}

#[test]
fn a_killed_creator_leaves_whole_journals_only() {
    for _ in 0..10 {
        let (_temp, dir) = state_dir();
        killed("crash::child_creates", &dir, 40_000);
        for id in dir.list().expect("listed") {
            assert_eq!(dir.read::<Record>(id), Ok(expected(3)));
        }
        dir.sweep().expect("swept");
        assert!(names(&dir).iter().all(|name| name.ends_with(".journal")));
    }
}

#[test]
fn a_killed_holder_frees_its_lock() {
    let (_temp, dir) = state_dir();
    journal_of(&dir, id(1), 0);
    let mut child = child("crash::child_appends", dir.path()).spawn().expect("started");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut said = String::new();
    while !said.contains("\nack") {
        assert_ne!(out.read_line(&mut said).expect("text"), 0, "the child ended: {said}");
    }
    let fault = dir.open_journal::<Record>(id(1)).expect_err("in use");
    assert_eq!(fault, OpenFault::InUse { pid: Some(child.id()) });
    assert_eq!(dir.in_use(id(1)), Some(fault), "also to who only looks");
    dir.read::<Record>(id(1)).expect("reading needs no lock");
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_eq!(dir.in_use(id(1)), None, "what it wrote into its lock is still there");
    let journal = dir.open_journal::<Record>(id(1)).expect("free");
    assert_eq!((dir.in_use(id(1)), dir.in_use(id(2))), (None, None), "this process's own, and one that is not there");
    drop(journal);
}
