//! Every change of the disk is told before and after it, in order.

use std::sync::{Arc, Mutex};

use super::*;
use crate::model::checkpoint::{Act, At, Checkpoint, Checkpoints};

#[derive(Default)]
struct Told {
    moments: Mutex<Vec<(Act, At)>>,
    /// The file that is looked at within a write.
    path: Mutex<Option<PathBuf>>,
    lengths: Mutex<Vec<u64>>,
}

impl Checkpoint for Told {
    fn reached(&self, act: Act, at: At) {
        self.moments.lock().expect("not poisoned").push((act, at));
        if let (Act::Write, At::Within, Some(path)) = (act, at, &*self.path.lock().expect("not poisoned")) {
            self.lengths.lock().expect("not poisoned").push(fs::metadata(path).expect("there").len());
        }
    }
}

impl Told {
    fn take(&self) -> Vec<(Act, At)> {
        std::mem::take(&mut self.moments.lock().expect("not poisoned"))
    }
}

fn around(acts: &[Act]) -> Vec<(Act, At)> {
    let within = |act: Act| (act == Act::Write).then_some((act, At::Within));
    acts.iter().flat_map(|act| [Some((*act, At::Before)), within(*act), Some((*act, At::After))]).flatten().collect()
}

#[test]
fn a_journals_life_is_told_in_order() {
    let temp = tempfile::tempdir().expect("a directory");
    let told = Arc::new(Told::default());
    let checkpoints = Checkpoints::new(Some(told.clone()));
    let dir = StateDir::open_watched(temp.path().join("state"), checkpoints).expect("a state directory");
    assert_eq!(told.take(), around(&[Act::MakeDir, Act::SyncDir, Act::Create, Act::Remove]));

    dir.create_all(&[(id(1), vec![plan()])]).expect("created");
    let made = [Act::Lock, Act::Remove, Act::Create, Act::Write, Act::Sync, Act::Rename, Act::SyncDir];
    assert_eq!(told.take(), around(&made));

    // Another process does not know whether all of it, and its name, was made to outlive the power: it makes sure before anything rests on it.
    let theirs = StateDir::open_watched(temp.path().join("state"), Checkpoints::new(Some(told.clone())));
    let theirs = theirs.expect("a state directory");
    told.take();
    let (mut journal, _, _) = theirs.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(told.take(), around(&[Act::Lock, Act::Sync]));
    *told.path.lock().expect("not poisoned") = Some(dir.journal_path(id(1)));
    let before = journal.len_bytes();
    journal.append(&part(1), Sync::Process).expect("appended");
    assert_eq!(told.take(), around(&[Act::Write]));
    let half = (journal.len_bytes() - before) / 2;
    assert_eq!(told.lengths.lock().expect("not poisoned").as_slice(), [before + half], "half of the line was written");
    journal.append(&part(2), Sync::Power).expect("appended");
    assert_eq!(told.take(), around(&[Act::Write, Act::Sync, Act::SyncDir]));
    assert_eq!(dir.read::<Record>(id(1)), Ok(vec![plan(), part(1), part(2)]));

    drop(journal);
    // Its name was made sure of by us, and what the other has written was not.
    let (mut journal, _, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(told.take(), around(&[Act::Lock, Act::Sync]));
    journal.append(&part(3), Sync::Power).expect("appended");
    assert_eq!(told.take(), around(&[Act::Write, Act::Sync]));
    drop(journal);
    // Nothing was written since we saw to it.
    let (mut journal, _, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(told.take(), around(&[Act::Lock]));
    journal.append_all([(&part(4), Sync::Process), (&part(5), Sync::Process)]).expect("appended");
    assert_eq!(told.take(), around(&[Act::Write]));
    drop(journal);
    let (journal, _, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(told.take(), around(&[Act::Lock, Act::Sync]));
    drop(journal);
    dir.remove(id(1)).expect("removed");
    assert_eq!(told.take(), around(&[Act::Lock, Act::Remove, Act::SyncDir, Act::Remove]));
}

/// The usual life of an upload in one process: what was made durable when it was made is not made so once more.
#[test]
fn a_journal_of_this_process_is_synced_once_when_it_is_made() {
    let temp = tempfile::tempdir().expect("a directory");
    let told = Arc::new(Told::default());
    let checkpoints = Checkpoints::new(Some(told.clone()));
    let dir = StateDir::open_watched(temp.path().join("state"), checkpoints).expect("a state directory");
    dir.create_all(&[(id(1), vec![plan()])]).expect("created");
    told.take();
    let (mut journal, _, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    assert_eq!(told.take(), around(&[Act::Lock]));
    journal.append(&part(1), Sync::Power).expect("appended");
    assert_eq!(told.take(), around(&[Act::Write, Act::Sync]));
}
