//! A journal appears whole or not at all: written beside its place, synced, renamed.

use std::fs;
use std::io::ErrorKind;

use serde::Serialize;

use super::append::OnDisk;
use super::disk::{Disk, disk, write_all};
use super::fault::{OpenFault, io_error};
use super::line::{self, Header};
use super::lock::Lock;
use super::state_dir::private;
use super::{FILE_BYTES_MAX, Id, Journal, StateDir, Sync};
use crate::error::{Code, ErrorInfo};
use crate::model::checkpoint::Act;

impl StateDir {
    /// Creates the journal of a new upload with its first records, at least one, and opens it for appending.
    ///
    /// It appears whole or not at all, after a loss of power too. `Sync::Power` also means that it stays: the directory is synced. After an error
    /// there is no journal of that id. An id that has a journal already is a bug of ours and changes nothing.
    pub fn create<R: Serialize>(&self, id: Id, records: &[R], sync: Sync) -> Result<Journal, ErrorInfo> {
        let _creating = self.lock_creating()?;
        let lock = self.lock_upload(id).map_err(ErrorInfo::from)?;
        let made = self.write_new(id, records).and_then(|(disk, length)| {
            self.place(id)?;
            match sync {
                Sync::Process => Ok((disk, length)),
                Sync::Power => self.sync_or_withdraw(&[id]).map(|()| (disk, length)),
            }
        });
        match made {
            Ok((disk, length)) => {
                let on_disk = if sync == Sync::Power { OnDisk::all(length) } else { OnDisk::Nothing };
                Ok(Journal::new(id, disk, length, self.clone(), on_disk, lock))
            }
            Err(error) => {
                self.discard_lock(id, &lock);
                Err(error)
            }
        }
    }

    /// Creates the journals of many new uploads as [`StateDir::create`] does with `Sync::Power`, at the price of one sync of the directory, and opens
    /// none of them.
    ///
    /// After an error there is none of them. A kill in between leaves some of them whole and the others not there: a journal is one upload's.
    pub fn create_all<R: Serialize>(&self, uploads: &[(Id, Vec<R>)]) -> Result<(), ErrorInfo> {
        let _creating = self.lock_creating()?;
        let mut lengths = Vec::with_capacity(uploads.len());
        // Everything that may want space comes first; renaming hardly ever fails.
        for (done, (id, records)) in uploads.iter().enumerate() {
            match self.write_new(*id, records) {
                Ok((_, length)) => lengths.push((*id, OnDisk::all(length))),
                Err(error) => {
                    for (id, _) in &uploads[..done] {
                        let _ = self.remove_file(&self.temp_path(*id));
                    }
                    return Err(error);
                }
            }
        }
        let ids: Vec<Id> = uploads.iter().map(|(id, _)| *id).collect();
        for (placed, id) in ids.iter().enumerate() {
            if let Err(error) = self.place(*id) {
                self.withdraw(&ids[..placed]);
                for id in &ids[placed..] {
                    let _ = self.remove_file(&self.temp_path(*id));
                }
                return Err(error);
            }
        }
        self.sync_or_withdraw(&ids)?;
        lengths.into_iter().for_each(|(id, on_disk)| self.note_on_disk(id, on_disk));
        Ok(())
    }

    /// Writes header and records to the temporary file of `id` and syncs it; leaves none after an error. Returns it, open for appending, and its length.
    fn write_new<R: Serialize>(&self, id: Id, records: &[R]) -> Result<(Box<dyn Disk>, u64), ErrorInfo> {
        if records.is_empty() {
            return Err(ErrorInfo::new(Code::Bug, "a journal begins with a record"));
        }
        let mut text = Vec::new();
        line::encode(&Header::of(id), &mut text)?;
        for record in records {
            line::encode(record, &mut text)?;
        }
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(ErrorInfo::new(Code::Bug, "the first records are longer than a journal may be"));
        }
        if fs::symlink_metadata(self.journal_path(id)).is_ok() {
            return Err(ErrorInfo::new(Code::Bug, "there is a journal of that id"));
        }
        let path = self.temp_path(id);
        // One that a killed process left behind; a living one can't have been given our id.
        let _ = self.remove_file(&path);
        let made = self.checkpoints().around(Act::Create, || private().append(true).create_new(true).open(&path));
        let written = made.and_then(|file| {
            let mut disk = disk(file, self.checkpoints());
            write_all(disk.as_mut(), &text)?;
            disk.sync()?;
            Ok(disk)
        });
        match written {
            Ok(disk) => Ok((disk, text.len() as u64)),
            Err(error) => {
                if error.kind() != ErrorKind::AlreadyExists {
                    let _ = self.remove_file(&path);
                }
                Err(io_error("creating a journal", &error))
            }
        }
    }

    fn place(&self, id: Id) -> Result<(), ErrorInfo> {
        self.rename(&self.temp_path(id), &self.journal_path(id)).map_err(|error| {
            let _ = self.remove_file(&self.temp_path(id));
            io_error("placing a journal", &error)
        })
    }

    /// A journal whose creation is reported as failed must not come to life at the next start.
    fn sync_or_withdraw(&self, ids: &[Id]) -> Result<(), ErrorInfo> {
        self.sync_names().map_err(|error| {
            self.withdraw(ids);
            io_error("syncing the state directory", &error)
        })
    }

    fn withdraw(&self, ids: &[Id]) {
        for id in ids {
            let _ = self.remove_file(&self.journal_path(*id));
        }
    }

    /// Unlinks a lock file that has no journal. It is still held: whoever waits for it finds that it has no name any more.
    pub(super) fn discard_lock(&self, id: Id, _held: &Lock) {
        if fs::symlink_metadata(self.journal_path(id)).is_err() {
            let _ = self.remove_file(&self.lock_path(id));
        }
    }

    /// The lock of one upload.
    pub(super) fn lock_upload(&self, id: Id) -> Result<Lock, OpenFault> {
        use super::lock::{Attempt, try_signed};

        match self.checkpoints().around(Act::Lock, || try_signed(&self.lock_path(id))) {
            Ok(Attempt::Held(lock)) => Ok(lock),
            Ok(Attempt::Busy(pid)) => Err(OpenFault::InUse { pid }),
            Err(error) => Err(io_error("locking a journal", &error).into()),
        }
    }
}
