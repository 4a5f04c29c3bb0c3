//! The directory that holds the journals.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::append::OnDisk;
use super::disk::{Disk, disk};
use super::fault::{OpenFault, ReadFault, Recovery, io_error};
use super::lock::{self, Kind, Line, Lock};
use super::scan::{Scan, ScanFault, scan, scan_from};
use super::{Id, Journal};
use crate::error::{Code, ErrorInfo};
use crate::model::SortedMap;
use crate::model::checkpoint::{Act, Checkpoints};

/// How often a reader looks again before it calls a journal damaged that somebody may be writing.
const READ_TRIES: u32 = 4;

/// The state directory: where the journals are. It is a path and holds no descriptor; calls may come from any thread and block on the disk.
#[derive(Clone)]
pub struct StateDir {
    path: PathBuf,
    writable: bool,
    checkpoints: Checkpoints,
    ours: Arc<Ours>,
}

/// What those who have the directory from the same opening know together.
struct Ours {
    /// Before the lock of those who start.
    starting: Line,
    /// Journals that outlive the power, or their names alone.
    on_disk: Mutex<SortedMap<Id, OnDisk>>,
}

impl Ours {
    fn new() -> Ours {
        Ours { starting: Line::default(), on_disk: Mutex::new(SortedMap::new()) }
    }
}

impl StateDir {
    /// The directory at `path`, created (0700, parents too) when it is not there, and proven to be writable by writing to it.
    ///
    /// Errors: `StateDirUnusable`; `DiskFull`; `JournalUnwritable` for what may pass, such as too many open files.
    pub fn open(path: impl Into<PathBuf>) -> Result<StateDir, ErrorInfo> {
        StateDir::open_watched(path, Checkpoints::default())
    }

    /// The same; somebody is told of everything that is done to the disk, from here on.
    pub fn open_watched(path: impl Into<PathBuf>, checkpoints: Checkpoints) -> Result<StateDir, ErrorInfo> {
        let dir = StateDir { path: path.into(), writable: true, checkpoints, ours: Arc::new(Ours::new()) };
        dir.make().and_then(|()| dir.probe()).map_err(|error| io_error("using the state directory", &error))?;
        Ok(dir)
    }

    /// The directory at `path` for listing and reading, without the right to write: everything else fails with `StateDirUnusable`, as this does
    /// when there is no such directory or it can't be read.
    pub fn open_read_only(path: impl Into<PathBuf>) -> Result<StateDir, ErrorInfo> {
        let checkpoints = Checkpoints::default();
        let dir = StateDir { path: path.into(), writable: false, checkpoints, ours: Arc::new(Ours::new()) };
        dir.list().map(|_| dir)
    }

    /// The ids of all journals, sorted. Every other file is passed over, those set aside as damaged included.
    pub fn list(&self) -> Result<Vec<Id>, ErrorInfo> {
        let mut ids = self.ids_of(".journal").map_err(|error| io_error("reading the state directory", &error))?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The ids of all journals and of those that were set aside as damaged, sorted.
    pub fn list_with_damaged(&self) -> Result<Vec<Id>, ErrorInfo> {
        let id_of = |name: &str| {
            let (stem, rest) = name.split_at_checked(Id::CHARS)?;
            let journal = rest.strip_prefix(".journal")?;
            Id::parse(stem).filter(|_| journal.is_empty() || journal.starts_with(".corrupt-"))
        };
        let mut ids = self.ids(id_of).map_err(|error| io_error("reading the state directory", &error))?;
        ids.sort_unstable();
        Ok(ids)
    }

    /// The records of a journal, without its lock and without changing anything. Somebody may be appending meanwhile: what is there is a prefix of
    /// what was appended, and a line that is only half there is left out.
    pub fn read<R: DeserializeOwned>(&self, id: Id) -> Result<Vec<R>, ReadFault> {
        self.fold(id, |records| records.collect())
    }

    /// What `fold` makes of the records of a journal, each as it is read; as [`StateDir::read`]. It is called again where somebody who is appending was in
    /// the way.
    pub fn fold<R: DeserializeOwned, T>(
        &self,
        id: Id,
        fold: impl Fn(&mut dyn Iterator<Item = R>) -> T,
    ) -> Result<T, ReadFault> {
        let mut tries = 1;
        loop {
            let file = File::open(self.journal_path(id)).map_err(ScanFault::Io);
            let read = file.and_then(|file| scan(&file, id, &fold));
            return match read {
                Ok(scan) => Ok(scan.records),
                // A writer that takes half a line back and writes another in its place can show us the start of the one and the end of the other.
                Err(ScanFault::Corrupt) if tries < READ_TRIES => {
                    tries += 1;
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                Err(ScanFault::Corrupt) => Err(ReadFault::Corrupt),
                Err(ScanFault::Version(found)) => Err(ReadFault::Version { found }),
                Err(ScanFault::Io(error)) if error.kind() == ErrorKind::NotFound => Err(ReadFault::Gone),
                Err(ScanFault::Io(error)) => Err(ReadFault::Io(io_error("reading a journal", &error))),
            };
        }
    }

    /// Locks a journal, reads it, and opens it for appending. A torn end is cut off; a damaged journal is set aside under another name.
    pub fn open_journal<R: DeserializeOwned>(&self, id: Id) -> Result<(Journal, Vec<R>, Recovery), OpenFault> {
        self.open_folded(id, |records| records.collect())
    }

    /// The same, and what `fold` makes of its records, each as it is read.
    pub fn open_folded<R: DeserializeOwned, T>(
        &self,
        id: Id,
        fold: impl FnOnce(&mut dyn Iterator<Item = R>) -> T,
    ) -> Result<(Journal, T, Recovery), OpenFault> {
        self.check_writable()?;
        // Asked first, so that no lock file is made for a journal that isn't there.
        if !self.journal_path(id).try_exists().unwrap_or(true) {
            return Err(OpenFault::Gone);
        }
        let lock = self.lock_upload(id)?;
        let file = match private().read(true).append(true).open(self.journal_path(id)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.discard_lock(id, &lock);
                return Err(OpenFault::Gone);
            }
            Err(error) => return Err(io_error("opening a journal", &error).into()),
        };
        match scan(&file, id, fold) {
            Ok(Scan { records, good_bytes, torn_bytes }) => {
                let mut disk = disk(file, &self.checkpoints);
                if torn_bytes > 0 {
                    disk.truncate(good_bytes).map_err(|error| io_error("cutting a journal's torn end", &error))?;
                }
                // Whoever created it may have been killed before the directory was synced, unless that was us.
                let mut on_disk = self.on_disk(id);
                // A process that was killed may have left records that no sync covers. What is acted on from here on must outlive the power. Where this
                // process brought the whole to the disk and it is not longer since then, nobody did: a journal grows by records, and loses none.
                if torn_bytes > 0 || on_disk != OnDisk::all(good_bytes) {
                    disk.sync().map_err(|error| io_error("syncing a journal", &error))?;
                    on_disk = if on_disk == OnDisk::Nothing { on_disk } else { OnDisk::all(good_bytes) };
                }
                let recovery = Recovery { cut_bytes: torn_bytes, unlocked: !lock.real };
                Ok((Journal::new(id, disk, good_bytes, self.clone(), on_disk, lock), records, recovery))
            }
            Err(ScanFault::Version(found)) => Err(OpenFault::Version { found }),
            Err(ScanFault::Io(error)) => Err(io_error("reading a journal", &error).into()),
            Err(ScanFault::Corrupt) => {
                drop(file);
                let kept_as = self.set_aside(id).map_err(|error| io_error("setting a journal aside", &error))?;
                self.discard_lock(id, &lock);
                Err(OpenFault::Corrupt { kept_as })
            }
        }
    }

    /// A journal that the caller has locked, opened once more, and how many bytes there are behind the first `good_bytes`; an error when there are less, or
    /// when those are not whole lines of its own.
    pub(super) fn open_again(&self, id: Id, good_bytes: u64) -> Result<(Box<dyn Disk>, u64), ErrorInfo> {
        let failed = |error: io::Error| io_error("opening a journal", &error);
        let file = private().read(true).append(true).open(self.journal_path(id)).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        // Only what was appended is looked at: what could not be undone may be anything.
        let reader = io::BufReader::new(&file).take(good_bytes);
        match scan_from::<serde::de::IgnoredAny, ()>(reader, good_bytes, id, |_| ()) {
            Ok(scan) if length >= good_bytes && scan.good_bytes == good_bytes => {
                Ok((disk(file, &self.checkpoints), length - good_bytes))
            }
            _ => Err(ErrorInfo::new(Code::JournalUnwritable, "the journal does not hold what was written to it")),
        }
    }

    /// Returns when the disk has what the journal of `id` says. A process that was killed in the middle of an append may have left a record that is
    /// written and not synced: before anyone is told of it, it must be as lasting as if its append had returned. The names of the directory are
    /// [`settle_names`](StateDir::settle_names)'.
    pub fn settle(&self, id: Id) -> Result<(), ErrorInfo> {
        File::open(self.journal_path(id))
            .and_then(|file| self.checkpoints.around(Act::Sync, || file.sync_data()))
            .map_err(|error| io_error("syncing a journal", &error))
    }

    /// Returns when the disk has the names of all journals.
    pub fn settle_names(&self) -> Result<(), ErrorInfo> {
        self.sync_names().map_err(|error| io_error("syncing the state directory", &error))
    }

    /// True when this process knows that the name of a journal outlives the power.
    pub fn has_settled_name(&self, id: Id) -> bool {
        self.on_disk(id) != OnDisk::Nothing
    }

    fn known_on_disk(&self) -> MutexGuard<'_, SortedMap<Id, OnDisk>> {
        self.ours.on_disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn on_disk(&self, id: Id) -> OnDisk {
        self.known_on_disk().get(&id).copied().unwrap_or(OnDisk::Nothing)
    }

    pub(super) fn note_on_disk(&self, id: Id, on_disk: OnDisk) {
        match on_disk {
            OnDisk::Nothing => self.known_on_disk().remove(&id),
            on_disk => self.known_on_disk().insert(id, on_disk),
        };
    }

    /// Runs `work` while no other process or thread is in here: two that start an upload of the same key at the same time must not make two.
    /// Waits for other processes at most 5 s, then fails with `InUse`; for other threads of this one as long as they take. Not to be entered again from
    /// within.
    pub fn with_start_lock<T>(&self, work: impl FnOnce() -> T) -> Result<T, ErrorInfo> {
        let _turn = self.ours.starting.turn();
        let _lock = self.lock_wide(".start.lock", Kind::Exclusive)?;
        Ok(work())
    }

    /// Held while journals are being created: what keeps [`StateDir::sweep`] off their temporary files.
    pub(super) fn lock_creating(&self) -> Result<Lock, ErrorInfo> {
        self.lock_wide(".create.lock", Kind::Shared)
    }

    /// Held while sweeping; `None` when journals are being created.
    pub(super) fn lock_sweeping(&self) -> Result<Option<Lock>, ErrorInfo> {
        self.check_writable()?;
        self.checkpoints
            .around(Act::Lock, || lock::try_plain(&self.path.join(".create.lock"), Kind::Exclusive))
            .map_err(|error| io_error("locking the state directory", &error))
    }

    fn lock_wide(&self, name: &str, kind: Kind) -> Result<Lock, ErrorInfo> {
        self.check_writable()?;
        self.checkpoints
            .around(Act::Lock, || lock::wait_plain(&self.path.join(name), kind, lock::WAIT))
            .map_err(|error| io_error("locking the state directory", &error))?
            .ok_or_else(|| ErrorInfo::new(Code::InUse, "another process holds the state directory"))
    }

    /// Renames a damaged journal to the first free name; the name.
    fn set_aside(&self, id: Id) -> io::Result<String> {
        let mut n = 1;
        loop {
            let name = format!("{id}.journal.corrupt-{n}");
            let path = self.path.join(&name);
            if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                self.rename(&self.journal_path(id), &path)?;
                self.sync_names()?;
                return Ok(name);
            }
            n += 1;
        }
    }

    /// Makes the directory and its parents where they are missing.
    fn make(&self) -> io::Result<()> {
        let absent = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
        let missing: Vec<&Path> = self.path.ancestors().take_while(absent).collect();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        self.checkpoints.around(Act::MakeDir, || builder.create(&self.path))?;
        for parent in missing.iter().filter_map(|dir| dir.parent()) {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            // A parent that isn't ours may not be opened; the system's own habit must do then.
            let _ = self.checkpoints.around(Act::SyncDir, || sync_dir(parent));
        }
        Ok(())
    }

    /// Asks the disk, because rights, mounts and quotas can't be told from a mode.
    fn probe(&self) -> io::Result<()> {
        static PROBES: AtomicU32 = AtomicU32::new(0);

        let name = format!(".probe-{}-{}.tmp", std::process::id(), PROBES.fetch_add(1, Ordering::Relaxed));
        let file = self.path.join(name);
        let wrote = self.checkpoints.around(Act::Create, || {
            let made = private().write(true).create(true).truncate(true).open(&file);
            made.and_then(|mut made| made.write_all(b"?"))
        });
        match (wrote, self.remove_file(&file)) {
            // Another process may have swept it.
            (Ok(()), Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            (wrote, _) => wrote,
        }
    }

    pub(super) fn check_writable(&self) -> Result<(), ErrorInfo> {
        if self.writable {
            return Ok(());
        }
        Err(ErrorInfo::new(Code::StateDirUnusable, "the state directory was opened for reading only"))
    }

    /// The ids before `suffix` in the names of the files.
    pub(super) fn ids_of(&self, suffix: &str) -> io::Result<Vec<Id>> {
        self.ids(|name| name.strip_suffix(suffix).and_then(Id::parse))
    }

    /// The ids that `id_of` finds in the names of the files.
    fn ids(&self, id_of: impl Fn(&str) -> Option<Id>) -> io::Result<Vec<Id>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            ids.extend(entry?.file_name().to_str().and_then(&id_of));
        }
        Ok(ids)
    }

    /// Returns when the names in the directory are on the disk.
    pub(super) fn sync_names(&self) -> io::Result<()> {
        self.checkpoints.around(Act::SyncDir, || sync_dir(&self.path))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.checkpoints.around(Act::Rename, || fs::rename(from, to))
    }

    pub(super) fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.checkpoints.around(Act::Remove, || fs::remove_file(path))
    }

    /// Who is told of what is done to the disk.
    pub(crate) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn journal_path(&self, id: Id) -> PathBuf {
        self.path.join(format!("{id}.journal"))
    }

    /// That another process has the journal open, if one does and says so. Opens nothing and keeps nobody away.
    pub fn in_use(&self, id: Id) -> Option<OpenFault> {
        super::lock::signer(&self.lock_path(id)).map(|pid| OpenFault::InUse { pid: Some(pid) })
    }

    pub(super) fn lock_path(&self, id: Id) -> PathBuf {
        self.path.join(format!("{id}.lock"))
    }

    pub(super) fn temp_path(&self, id: Id) -> PathBuf {
        self.path.join(format!("{id}.tmp"))
    }
}

/// Options for a file that only its owner may read. The standard library closes it in child programs.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Returns when the names in the directory are on the disk. Some file systems (FUSE on Android) refuse to sync a directory: they offer no more.
#[cfg(unix)]
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    use rustix::io::Errno;

    File::open(path)?.sync_all().or_else(|error| match Errno::from_io_error(&error) {
        Some(errno) if [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno) => Ok(()),
        _ => Err(error),
    })
}

/// Elsewhere a directory can't be opened, and names are on the disk when the system sees to it.
#[cfg(not(unix))]
pub(super) fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}
