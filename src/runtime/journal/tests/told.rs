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

    let (mut journal, _, _) = dir.open_journal::<Record>(id(1)).expect("opened");
    // What another process wrote and did not sync is made sure of before anything rests on it.
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
    dir.remove(id(1)).expect("removed");
    assert_eq!(told.take(), around(&[Act::Lock, Act::Remove, Act::SyncDir, Act::Remove]));
}
