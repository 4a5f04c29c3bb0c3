//! A journal that is open for appending.

use std::fmt;
use std::io;

use serde::Serialize;

use super::disk::{Disk, write_all};
use super::fault::io_error;
use super::lock::Lock;
use super::{FILE_BYTES_MAX, Id, StateDir, Sync, line};
use crate::error::{Code, ErrorInfo};

/// One upload's journal, locked and open for appending. Dropping it closes the file and frees the lock. It may move between threads.
pub struct Journal {
    id: Id,
    disk: Box<dyn Disk>,
    good_bytes: u64,
    poisoned: bool,
    /// The state directory, while it is not known that the journal's name is on the disk: a synced record of a file without a name is no record.
    unsynced_dir: Option<StateDir>,
    /// The line that is being written, kept for its capacity.
    line: Vec<u8>,
    // Dropped after the file, so that whoever gets the lock next finds nobody writing.
    lock: Lock,
}

impl Journal {
    /// `unsynced_dir`: the state directory, unless it was synced since the journal has its name.
    pub(super) fn new(
        id: Id,
        disk: Box<dyn Disk>,
        good_bytes: u64,
        unsynced_dir: Option<StateDir>,
        lock: Lock,
    ) -> Journal {
        Journal { id, disk, good_bytes, poisoned: false, unsynced_dir, line: Vec::new(), lock }
    }

    /// Whose journal it is.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Its length in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.good_bytes
    }

    /// True when nothing more can be appended through this handle; a new one, opened after this was dropped, finds out what the disk has.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Appends one record, in one write, and returns when it has outlived what `sync` says.
    ///
    /// After an error the record is not in the journal, and appending may be tried again: the file was made as long as it was before. When that
    /// failed too, or when the sync failed (after which a system may say yes to the next one without having written anything), the journal is
    /// poisoned: every later append fails, and what the file holds is known when it is opened anew.
    ///
    /// Errors: `DiskFull`, `StateDirUnusable`, `JournalUnwritable` (also at [`FILE_BYTES_MAX`]); `Bug` for a record that is longer than a line.
    pub fn append<R: Serialize>(&mut self, record: &R, sync: Sync) -> Result<(), ErrorInfo> {
        if self.poisoned {
            return Err(ErrorInfo::new(Code::JournalUnwritable, "an earlier write to the journal could not be undone"));
        }
        self.line.clear();
        line::encode(record, &mut self.line)?;
        let length = self.good_bytes + self.line.len() as u64;
        if length > FILE_BYTES_MAX {
            return Err(ErrorInfo::new(Code::JournalUnwritable, "the journal is as long as it may be"));
        }
        if let Err(error) = write_all(self.disk.as_mut(), &self.line) {
            self.undo();
            return Err(io_error("appending to the journal", &error));
        }
        if sync == Sync::Power
            && let Err(error) = self.sync()
        {
            self.undo();
            self.poisoned = true;
            return Err(io_error("syncing the journal", &error));
        }
        self.good_bytes = length;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.sync()?;
        if let Some(dir) = &self.unsynced_dir {
            dir.sync_names()?;
            self.unsynced_dir = None;
        }
        Ok(())
    }

    /// Takes half a line back at once, so that none can ever stand between two good ones. A full disk does not hinder it.
    fn undo(&mut self) {
        self.poisoned |= self.disk.truncate(self.good_bytes).is_err();
    }

    /// The lock, once the file is closed.
    pub(super) fn close(self) -> Lock {
        self.lock
    }

    #[cfg(test)]
    pub(super) fn replace_disk(&mut self, with: impl FnOnce(Box<dyn Disk>) -> Box<dyn Disk>) {
        struct Nothing;
        impl Disk for Nothing {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Ok(0)
            }
            fn sync(&mut self) -> io::Result<()> {
                Ok(())
            }
            fn truncate(&mut self, _: u64) -> io::Result<()> {
                Ok(())
            }
        }
        let old = std::mem::replace(&mut self.disk, Box::new(Nothing));
        self.disk = with(old);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("id", &self.id).field("len_bytes", &self.good_bytes).finish_non_exhaustive()
    }
}
