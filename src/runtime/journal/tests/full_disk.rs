//! A disk that fails at any byte: never half a line between two good ones.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::append::OnDisk;
use super::super::disk::Disk;
use super::*;
use crate::error::Code;

/// What the disk does; shared with the test that turns it.
#[derive(Default)]
struct Faults {
    /// Bytes that still fit; all when `u64::MAX`.
    room: AtomicU64,
    sync_fails: AtomicBool,
    truncate_fails: AtomicBool,
    writes: AtomicU64,
}

struct Faulty {
    real: Box<dyn Disk>,
    faults: Arc<Faults>,
}

fn errno(number: rustix::io::Errno) -> io::Error {
    number.into()
}

impl Disk for Faulty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.faults.writes.fetch_add(1, Ordering::SeqCst);
        let room = self.faults.room.load(Ordering::SeqCst);
        if room == 0 {
            return Err(errno(rustix::io::Errno::NOSPC));
        }
        let written = self.real.write(&bytes[..bytes.len().min(room.try_into().unwrap_or(usize::MAX))])?;
        if room != u64::MAX {
            self.faults.room.fetch_sub(written as u64, Ordering::SeqCst);
        }
        Ok(written)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.faults.sync_fails.load(Ordering::SeqCst) {
            return Err(errno(rustix::io::Errno::IO));
        }
        self.real.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if self.faults.truncate_fails.load(Ordering::SeqCst) {
            return Err(errno(rustix::io::Errno::IO));
        }
        self.real.truncate(length)
    }
}

fn faulty(dir: &StateDir) -> (Journal, Arc<Faults>) {
    let mut journal = dir.create(id(1), &[plan()], Sync::Process).expect("created");
    let faults = Arc::new(Faults { room: AtomicU64::new(u64::MAX), ..Faults::default() });
    let shared = faults.clone();
    journal.replace_disk(|real| Box::new(Faulty { real, faults: shared }));
    (journal, faults)
}

#[test]
fn a_line_is_one_write() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    for n in 0..10 {
        journal.append(&part(n), Sync::Power).expect("appended");
    }
    assert_eq!(faults.writes.load(Ordering::SeqCst), 10);
}

#[test]
fn a_disk_that_is_full_at_any_byte_loses_nothing() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    let mut line = Vec::new();
    line::encode(&part(1), &mut line).expect("a line");
    let lines = line.len() as u64;
    journal.append(&part(0), Sync::Process).expect("appended");
    for room in 0..lines {
        let next = part(room as u32 + 1);
        let before = fs::read(dir.journal_path(id(1))).expect("there");
        faults.room.store(room, Ordering::SeqCst);
        let full = journal.append(&next, Sync::Process).expect_err("full");
        assert_eq!(full.code, Code::DiskFull);
        assert_eq!(fs::read(dir.journal_path(id(1))).expect("there"), before, "half a line at {room}");
        faults.room.store(u64::MAX, Ordering::SeqCst);
        journal.append(&next, Sync::Process).expect("room again");
    }
    drop(journal);
    let (_, records, recovery) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!((records, recovery.cut_bytes), (expected(lines as u32 + 1), 0));
}

#[test]
fn what_cannot_be_undone_poisons() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    journal.append(&part(0), Sync::Process).expect("appended");
    faults.room.store(7, Ordering::SeqCst);
    faults.truncate_fails.store(true, Ordering::SeqCst);
    assert_eq!(journal.append(&part(1), Sync::Process).expect_err("full").code, Code::DiskFull);
    faults.room.store(u64::MAX, Ordering::SeqCst);
    faults.truncate_fails.store(false, Ordering::SeqCst);
    assert!(journal.is_poisoned());
    assert_eq!(journal.append(&part(1), Sync::Process).expect_err("poisoned").code, Code::JournalUnwritable);
    drop(journal);
    let (mut journal, records, recovery) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!((records, recovery.cut_bytes), (expected(1), 7));
    journal.append(&part(1), Sync::Process).expect("a new handle goes on");
}

/// What was taken back may be there once more after a loss of power, as long as nobody made sure that it is not: the next opening does.
#[test]
fn what_was_taken_back_is_made_sure_of() {
    let (_temp, dir) = state_dir();
    dir.create_all(&[(id(1), vec![plan()])]).expect("created");
    let (mut journal, ..) = dir.open_journal::<Record>(id(1)).expect("opened");
    let faults = Arc::new(Faults { room: AtomicU64::new(u64::MAX), ..Faults::default() });
    let shared = faults.clone();
    journal.replace_disk(|real| Box::new(Faulty { real, faults: shared }));
    journal.append(&part(0), Sync::Power).expect("appended");
    assert!(matches!(dir.on_disk(id(1)), OnDisk::Bytes(_)));
    faults.room.store(7, Ordering::SeqCst);
    assert_eq!(journal.append(&part(1), Sync::Power).expect_err("full").code, Code::DiskFull);
    drop(journal);
    assert_eq!(dir.on_disk(id(1)), OnDisk::Name);
}

/// Opened anew it keeps its lock: nobody else may have written in between.
#[test]
fn what_is_poisoned_is_opened_anew_under_the_same_lock() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    journal.append(&part(0), Sync::Process).expect("appended");
    faults.room.store(7, Ordering::SeqCst);
    faults.truncate_fails.store(true, Ordering::SeqCst);
    assert_eq!(journal.append(&part(1), Sync::Process).expect_err("full").code, Code::DiskFull);
    assert!(journal.is_poisoned());
    journal.reopen().expect("the disk is well again");
    assert!(dir.open_journal::<Record>(id(1)).is_err(), "it is locked");
    journal.append(&part(1), Sync::Power).expect("appended");
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(2)));
}

#[test]
fn a_batch_is_one_write_and_all_or_nothing() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    let batch = |from: u32| [(part(from), Sync::Process), (part(from + 1), Sync::Power)];
    journal.append_all(batch(0).iter().map(|(record, sync)| (record, *sync))).expect("appended");
    assert_eq!(faults.writes.load(Ordering::SeqCst), 1);
    let before = fs::read(dir.journal_path(id(1))).expect("there");
    faults.room.store(60, Ordering::SeqCst);
    let full = journal.append_all(batch(2).iter().map(|(record, sync)| (record, *sync))).expect_err("full");
    assert_eq!(full.code, Code::DiskFull);
    assert_eq!(
        fs::read(dir.journal_path(id(1))).expect("there"),
        before,
        "not even the first, for which there was room"
    );
}

#[test]
fn a_sync_that_failed_is_never_believed_again() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    journal.append(&part(0), Sync::Power).expect("appended");
    faults.sync_fails.store(true, Ordering::SeqCst);
    assert_eq!(journal.append(&part(1), Sync::Power).expect_err("EIO").code, Code::JournalUnwritable);
    faults.sync_fails.store(false, Ordering::SeqCst);
    assert_eq!(journal.append(&part(1), Sync::Power).expect_err("poisoned").code, Code::JournalUnwritable);
    drop(journal);
    assert_eq!(dir.open_journal::<Record>(id(1)).expect("opened").1, expected(1));
}

#[test]
fn a_synced_record_has_a_synced_name() {
    let (temp, dir) = state_dir();
    let (mut journal, _) = faulty(&dir);
    // A directory that is not where it was can't be synced: so it is seen that it would have been.
    let away = temp.path().join("away");
    fs::rename(dir.path(), &away).expect("moved");
    journal.append(&part(0), Sync::Process).expect("needs no name");
    assert_eq!(journal.append(&part(1), Sync::Power).expect_err("no name").code, Code::StateDirUnusable);
    assert!(journal.is_poisoned());
    fs::rename(&away, dir.path()).expect("moved");
    drop(journal);
    let (mut journal, records, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(records, expected(1));
    journal.append(&part(1), Sync::Power).expect("appended");
    fs::rename(dir.path(), &away).expect("moved");
    journal.append(&part(2), Sync::Power).expect("the directory is synced once");
}

#[test]
fn a_record_that_is_too_long_costs_nothing() {
    let (_temp, dir) = state_dir();
    let (mut journal, faults) = faulty(&dir);
    let long = Record::Plan { parts: 0, name: "x".repeat(LINE_BYTES_MAX) };
    assert_eq!(journal.append(&long, Sync::Power).expect_err("too long").code, Code::Bug);
    assert_eq!(faults.writes.load(Ordering::SeqCst), 0);
    journal.append(&part(0), Sync::Power).expect("appended");
}
