//! Letting go: of an upload that is forgotten, and of what killed processes left behind.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::append::OnDisk;
use super::fault::{OpenFault, io_error};
use super::lock::Lock;
use super::{Id, Journal, StateDir};
use crate::error::{Code, ErrorInfo};

impl StateDir {
    /// Deletes a journal that nobody has open (else `InUse`), for good when this returns. One that isn't there is as good as deleted.
    pub fn remove(&self, id: Id) -> Result<(), ErrorInfo> {
        self.check_writable()?;
        if !self.journal_path(id).exists() && !self.lock_path(id).exists() {
            return Ok(());
        }
        match self.lock_upload(id) {
            Ok(lock) => self.remove_locked(id, &lock),
            // No room for a lock file, hence no holder either. Forgetting is what makes room; it must not need any.
            Err(OpenFault::Io(error)) if error.code == Code::DiskFull && !self.lock_path(id).exists() => {
                self.unlink_journal(id)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Deletes a journal that the caller has open. After an error it is closed and may still be there.
    pub fn remove_open(&self, journal: Journal) -> Result<(), ErrorInfo> {
        journal.remove()
    }

    /// The journal goes first: a lock file without one is litter, a journal without one is an upload.
    pub(super) fn remove_locked(&self, id: Id, lock: &Lock) -> Result<(), ErrorInfo> {
        self.unlink_journal(id)?;
        self.discard_lock(id, lock);
        Ok(())
    }

    fn unlink_journal(&self, id: Id) -> Result<(), ErrorInfo> {
        self.unlink(&self.journal_path(id))
            .and_then(|()| self.sync_names())
            .map_err(|error| io_error("deleting a journal", &error))?;
        self.note_on_disk(id, OnDisk::Nothing);
        Ok(())
    }

    /// Deletes what killed processes left behind: temporary files, and lock files that have no journal and no holder. Does nothing while another
    /// handle is creating journals. How many files it deleted.
    pub fn sweep(&self) -> Result<usize, ErrorInfo> {
        let Some(_sweeping) = self.lock_sweeping()? else { return Ok(0) };
        let failed = |error: io::Error| io_error("sweeping the state directory", &error);
        let mut swept = 0;
        for entry in fs::read_dir(self.path()).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".tmp")) else { continue };
            // Only names that we give: the directory may hold a stranger's files.
            if Id::parse(stem).is_some() || stem.starts_with(".probe-") {
                self.unlink(&self.path().join(&name)).map_err(failed)?;
                swept += 1;
            }
        }
        for id in self.ids_of(".lock").map_err(failed)? {
            if self.journal_path(id).exists() {
                continue;
            }
            match self.lock_upload(id) {
                Ok(lock) => {
                    self.discard_lock(id, &lock);
                    swept += 1;
                }
                Err(OpenFault::InUse { .. }) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(swept)
    }

    /// One that is gone already is as good as removed.
    fn unlink(&self, path: &Path) -> io::Result<()> {
        match self.remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}
