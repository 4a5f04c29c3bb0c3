//! A journal that is open for appending.

use std::fmt;
use std::io;

use serde::Serialize;

use super::disk::{Disk, write_all};
use super::fault::io_error;
use super::lock::Lock;
use super::{FILE_BYTES_MAX, Id, RESERVED_BYTES, StateDir, Sync, line};
use crate::error::{Code, ErrorInfo};

/// One upload's journal, locked and open for appending. Dropping it closes the file and frees the lock. It may move between threads.
pub struct Journal {
    id: Id,
    disk: Box<dyn Disk>,
    good_bytes: u64,
    poisoned: bool,
    dir: StateDir,
    on_disk: OnDisk,
    /// What is being written, kept for its capacity.
    lines: Vec<u8>,
    // Dropped after the file, so that whoever gets the lock next finds nobody writing.
    lock: Lock,
}

/// What of a journal outlives the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// Its name may not: a synced record of a file without a name is no record.
    Nothing,
    /// Its name does; its bytes may not.
    Name,
    /// Its name does, and all of it when it was so long. Records are only ever put behind that.
    Bytes(u32),
}

impl OnDisk {
    /// All of a journal of that length.
    pub(super) fn all(good_bytes: u64) -> OnDisk {
        // None is longer than fits.
        u32::try_from(good_bytes).map_or(OnDisk::Name, OnDisk::Bytes)
    }
}

impl Journal {
    pub(super) fn new(
        id: Id,
        disk: Box<dyn Disk>,
        good_bytes: u64,
        dir: StateDir,
        on_disk: OnDisk,
        lock: Lock,
    ) -> Journal {
        Journal { id, disk, good_bytes, poisoned: false, dir, on_disk, lines: Vec::new(), lock }
    }

    /// Whose journal it is.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Its length in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.good_bytes
    }

    /// True when nothing more can be appended before a [`reopen`](Journal::reopen).
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// True when an ordinary record may be appended. Behind that there is room for the last words of an upload alone: what a host wants of it, and its end.
    pub fn has_room(&self) -> bool {
        self.good_bytes < FILE_BYTES_MAX - RESERVED_BYTES
    }

    /// Opens a poisoned journal anew and finds out what the disk has. The lock stays held all the while, so that nobody else can have written in between;
    /// what is behind the last record that was appended is cut off.
    ///
    /// Errors, after which it is as poisoned as before: `DiskFull`, `StateDirUnusable`, `JournalUnwritable` (also when what was appended is not there any
    /// more).
    pub fn reopen(&mut self) -> Result<(), ErrorInfo> {
        let (disk, torn_bytes) = self.dir.open_again(self.id, self.good_bytes)?;
        self.disk = disk;
        if torn_bytes > 0 {
            self.disk.truncate(self.good_bytes).map_err(|error| io_error("cutting a journal's torn end", &error))?;
        }
        self.sync().map_err(|error| io_error("syncing a journal", &error))?;
        self.poisoned = false;
        Ok(())
    }

    /// Appends one record, in one write, and returns when it has outlived what `sync` says.
    ///
    /// Errors as those of [`append_all`](Journal::append_all).
    pub fn append<R: Serialize>(&mut self, record: &R, sync: Sync) -> Result<(), ErrorInfo> {
        self.append_all([(record, sync)])
    }

    /// Appends several records, in one write, and returns when all of them have outlived what any of them says: all or none.
    ///
    /// After an error the record is not in the journal, and appending may be tried again: the file was made as long as it was before. When that
    /// failed too, or when the sync failed (after which a system may say yes to the next one without having written anything), the journal is
    /// poisoned: every later append fails, and what the file holds is known when it is opened anew.
    ///
    /// Errors: `DiskFull`, `StateDirUnusable`, `JournalUnwritable` (also at [`FILE_BYTES_MAX`]); `Bug` for a record that is longer than a line.
    pub fn append_all<'a, R: Serialize + 'a>(
        &mut self,
        records: impl IntoIterator<Item = (&'a R, Sync)>,
    ) -> Result<(), ErrorInfo> {
        if self.poisoned {
            return Err(ErrorInfo::new(Code::JournalUnwritable, "an earlier write to the journal could not be undone"));
        }
        self.lines.clear();
        let mut power = false;
        for (record, sync) in records {
            line::encode(record, &mut self.lines)?;
            power |= sync == Sync::Power;
        }
        let length = self.good_bytes + self.lines.len() as u64;
        if length > FILE_BYTES_MAX {
            return Err(ErrorInfo::new(Code::JournalUnwritable, "the journal is as long as it may be"));
        }
        if let Err(error) = write_all(self.disk.as_mut(), &self.lines) {
            self.undo();
            return Err(io_error("appending to the journal", &error));
        }
        if power && let Err(error) = self.sync() {
            self.undo();
            self.poisoned = true;
            return Err(io_error("syncing the journal", &error));
        }
        self.good_bytes = length;
        if power {
            self.on_disk = OnDisk::all(length);
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.sync()?;
        if self.on_disk == OnDisk::Nothing {
            self.dir.sync_names()?;
            self.on_disk = OnDisk::Name;
        }
        Ok(())
    }

    /// Takes half a line back at once, so that none can ever stand between two good ones. A full disk does not hinder it.
    fn undo(&mut self) {
        self.poisoned |= self.disk.truncate(self.good_bytes).is_err();
        // That it is so short again is not known to outlive the power: what was taken back could be there once more.
        if self.on_disk != OnDisk::Nothing {
            self.on_disk = OnDisk::Name;
        }
    }

    /// Deletes it, for good when this returns.
    pub(super) fn remove(mut self) -> Result<(), ErrorInfo> {
        self.on_disk = OnDisk::Nothing;
        self.dir.remove_locked(self.id, &self.lock)
    }

    /// As if it were so long already.
    #[cfg(test)]
    pub(crate) fn pretend_bytes(&mut self, good_bytes: u64) {
        self.good_bytes = good_bytes;
    }

    /// As if the last write could not have been undone.
    #[cfg(test)]
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
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

impl Drop for Journal {
    fn drop(&mut self) {
        // While nobody else can open it.
        self.dir.note_on_disk(self.id, self.on_disk);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("id", &self.id).field("len_bytes", &self.good_bytes).finish_non_exhaustive()
    }
}
