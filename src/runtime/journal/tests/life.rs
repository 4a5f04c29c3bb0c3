//! The ordinary life of a journal: made, appended to, listed, shared, removed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::error::Code;

#[test]
fn what_was_appended_is_read() {
    let (_temp, dir) = state_dir();
    let mut journal = dir.create(id(1), &[plan(), part(0)], Sync::Power).expect("created");
    journal.append(&part(1), Sync::Process).expect("appended");
    journal.append(&part(2), Sync::Power).expect("appended");
    let path = dir.journal_path(id(1));
    assert_eq!(journal.len_bytes(), fs::metadata(&path).expect("there").len());
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(3)));
    drop(journal);
    let (mut journal, records, recovery) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!((records, recovery), (expected(3), Recovery::default()));
    journal.append(&part(3), Sync::Process).expect("appended");
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(4)));
    let text = fs::read_to_string(path).expect("text");
    let header = format!(" {{\"partway_journal\":1,\"id\":\"{}\"}}", id(1));
    assert!(text.lines().next().expect("a line").ends_with(&header));
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn only_journals_are_listed() {
    let (_temp, dir) = state_dir();
    for n in [3, 1, 2] {
        journal_of(&dir, id(n), 0);
    }
    for name in ["notes.txt", "short.journal", &format!("{}.journal.corrupt-1", id(9)), &format!("{}.tmp", id(8))] {
        fs::write(dir.path().join(name), "x").expect("written");
    }
    assert_eq!(dir.list(), Ok(vec![id(1), id(2), id(3)]));
    let reader = StateDir::open_read_only(dir.path()).expect("readable");
    assert_eq!(reader.list(), Ok(vec![id(1), id(2), id(3)]));
    assert_eq!(reader.read::<Record>(id(1)), Ok(expected(0)));
    let refused = reader.create(id(4), &[plan()], Sync::Process).expect_err("read only");
    assert_eq!(refused.code, Code::StateDirUnusable);
    assert!(StateDir::open_read_only(dir.path().join("nowhere")).is_err());
}

#[test]
fn two_handles_are_one_too_many() {
    let (_temp, dir) = state_dir();
    let journal = dir.create(id(1), &[plan()], Sync::Process).expect("created");
    let in_use = OpenFault::InUse { pid: Some(std::process::id()) };
    assert_eq!(dir.open_journal::<Record>(id(1)).expect_err("in use"), in_use);
    assert_eq!(dir.remove(id(1)).expect_err("in use").code, Code::InUse);
    drop(journal);
    let (journal, ..) = dir.open_journal::<Record>(id(1)).expect("free");
    assert_eq!(dir.open_journal::<Record>(id(1)).expect_err("in use"), in_use);
    drop(journal);
    assert_eq!(fs::read(dir.lock_path(id(1))).expect("a lock file"), b"");
}

#[test]
fn an_id_is_created_once() {
    let (_temp, dir) = state_dir();
    let path = journal_of(&dir, id(1), 2);
    let before = fs::read(&path).expect("there");
    assert_eq!(dir.create(id(1), &[part(9)], Sync::Power).expect_err("taken").code, Code::Bug);
    assert!(dir.create_all(&[(id(2), vec![plan()]), (id(1), vec![plan()])]).is_err());
    assert_eq!(fs::read(&path).expect("there"), before);
    assert_eq!(dir.list(), Ok(vec![id(1)]));
    assert!(!names(&dir).iter().any(|name| name.ends_with(".tmp")));
    assert!(dir.create::<Record>(id(3), &[], Sync::Power).is_err());
}

#[test]
fn a_batch_appears_together() {
    let (_temp, dir) = state_dir();
    let batch: Vec<_> = (0..200).map(|n| (id(n), expected(n % 3))).collect();
    dir.create_all(&batch).expect("created");
    assert_eq!(names(&dir).len(), 200);
    for (id, records) in &batch {
        assert_eq!(dir.open_journal::<Record>(*id).expect("unlocked").1, *records);
    }
    // The last of these has nothing to begin with: none of them is made.
    let bad: Vec<_> = (200..210).map(|n| (id(n), if n == 209 { vec![] } else { expected(1) })).collect();
    assert!(dir.create_all(&bad).is_err());
    assert_eq!(dir.list().expect("listed").len(), 200);
    dir.create_all::<Record>(&[]).expect("nothing to do");
}

#[test]
fn removing_is_idempotent_and_leaves_nothing() {
    let (_temp, dir) = state_dir();
    journal_of(&dir, id(1), 1);
    journal_of(&dir, id(2), 1);
    dir.remove(id(1)).expect("removed");
    dir.remove(id(1)).expect("removed already");
    let (journal, ..) = dir.open_journal::<Record>(id(2)).expect("opened");
    dir.remove_open(journal).expect("removed");
    assert_eq!(names(&dir), Vec::<String>::new());
    assert_eq!(dir.open_journal::<Record>(id(1)).expect_err("gone"), OpenFault::Gone);
    assert_eq!(dir.read::<Record>(id(1)), Err(ReadFault::Gone));
    assert_eq!(names(&dir), Vec::<String>::new(), "asking leaves no lock file");
}

#[test]
fn sweeping_takes_only_what_is_stale() {
    let (_temp, dir) = state_dir();
    let held = dir.create(id(1), &[plan()], Sync::Process).expect("created");
    journal_of(&dir, id(2), 0);
    let tmp = format!("{}.tmp", id(3));
    let lock = format!("{}.lock", id(4));
    for name in [&tmp, &lock, ".probe-1-0.tmp", "strangers.tmp", "strangers.lock"] {
        fs::write(dir.path().join(name), "x").expect("written");
    }
    {
        let _creating = dir.lock_creating().expect("creating");
        assert_eq!(dir.sweep(), Ok(0), "another handle is creating");
    }
    assert_eq!(dir.sweep(), Ok(3));
    assert_eq!(dir.sweep(), Ok(0));
    let left = names(&dir);
    assert_eq!(left.len(), 6, "{left:?}");
    drop(held);
}

#[test]
fn one_at_a_time_starts() {
    let (_temp, dir) = state_dir();
    let inside = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    dir.with_start_lock(|| {
                        assert!(!inside.swap(true, Ordering::SeqCst));
                        std::thread::yield_now();
                        inside.store(false, Ordering::SeqCst);
                    })
                    .expect("entered");
                }
            });
        }
    });
    let start = Instant::now();
    let nested = dir.with_start_lock(|| dir.with_start_lock(|| ()).expect_err("held").code).expect("entered");
    assert_eq!(nested, Code::InUse);
    assert!((Duration::from_secs(5)..Duration::from_secs(8)).contains(&start.elapsed()));
}

#[test]
fn what_was_set_aside_is_listed_with_the_others_where_that_is_wanted() {
    let (_temp, dir) = state_dir();
    journal_of(&dir, id(2), 0);
    for name in [&format!("{}.journal.corrupt-1", id(1)), &format!("{}.lock", id(3)), &format!("{}.journalist", id(4))]
    {
        fs::write(dir.path().join(name), "x").expect("written");
    }
    assert_eq!(dir.list(), Ok(vec![id(2)]));
    assert_eq!(dir.list_with_damaged(), Ok(vec![id(1), id(2)]));
}

#[test]
fn locking_and_removing_race_safely() {
    let (_temp, dir) = state_dir();
    let holders = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..300 {
                    if let Ok(lock) = dir.lock_upload(id(1)) {
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold one lock");
                        std::thread::yield_now();
                        holders.fetch_sub(1, Ordering::SeqCst);
                        dir.discard_lock(id(1), &lock);
                    }
                }
            });
        }
    });
    assert_eq!(names(&dir), Vec::<String>::new());
}

#[test]
fn reading_while_appending_sees_a_prefix() {
    let (_temp, dir) = state_dir();
    let mut journal = dir.create(id(1), &[plan()], Sync::Process).expect("created");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..5000 {
                journal.append(&part(n), Sync::Process).expect("appended");
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut before = 0;
        while !done.load(Ordering::SeqCst) {
            let records = dir.read::<Record>(id(1)).expect("readable");
            assert!(records.len() >= before);
            before = records.len();
            assert_eq!(records, expected(before as u32 - 1));
        }
    });
    assert_eq!(dir.read::<Record>(id(1)), Ok(expected(5000)));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look() {
    use std::os::unix::fs::PermissionsExt;

    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::open(temp.path().join("a/b/state")).expect("made");
    journal_of(&dir, id(1), 1);
    dir.create_all(&[(id(2), vec![plan()])]).expect("created");
    dir.with_start_lock(|| ()).expect("entered");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    for made in ["a", "a/b", "a/b/state"] {
        assert_eq!(mode(&temp.path().join(made)), 0o700, "{made}");
    }
    for entry in fs::read_dir(dir.path()).expect("listed") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_directory_that_cannot_be_is_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    fs::write(temp.path().join("file"), "x").expect("written");
    for path in [temp.path().join("file"), temp.path().join("file/below"), PathBuf::from("/proc/partway-canary")] {
        let Err(error) = StateDir::open(&path) else { panic!("{} was taken", path.display()) };
        assert_eq!(error.code, Code::StateDirUnusable, "{error}");
        assert!(!format!("{error} {error:?}").contains('/'), "a path leaks: {error}");
    }
}

#[test]
fn an_id_is_26_plain_characters() {
    assert_eq!(id(7).as_str().parse::<String>().as_deref(), Ok("01K00000000000000000000007"));
    for bad in [
        "",
        "01k00000000000000000000007",
        "01K0000000000000000000000",
        "01K000000000000000000000077",
        "../../../../../../../../etc",
    ] {
        assert_eq!(Id::parse(bad), None, "{bad}");
    }
}
