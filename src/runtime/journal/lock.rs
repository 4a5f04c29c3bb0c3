//! Locks between handles and processes, by `flock`: they end with the process, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// How long a directory-wide lock is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(5);

const POLL: Duration = Duration::from_millis(5);

/// Who else may hold a lock at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Others that share it.
    Shared,
    /// Nobody.
    Exclusive,
}

/// A lock that is held until it is dropped.
pub(super) struct Lock {
    file: File,
    /// False when the file system knows no locks.
    pub(super) real: bool,
    /// True when the file says whose it is.
    signed: bool,
}

/// What became of one try.
pub(super) enum Attempt {
    Held(Lock),
    /// Somebody else holds it: this process, if it said so.
    Busy(Option<u32>),
}

/// Tries once to hold `path` alone, and writes this process's id into it for those who find it taken.
pub(super) fn try_signed(path: &Path) -> io::Result<Attempt> {
    loop {
        if let Some(attempt) = sign(open(path)?, path)? {
            return Ok(attempt);
        }
    }
}

/// Tries to hold a file that was opened by the name `path`; `None` when the name is gone or another file's by now.
///
/// A lock file may be unlinked by the one who holds it, and whoever opened it before that would hold a lock that nobody else can see.
fn sign(mut file: File, path: &Path) -> io::Result<Option<Attempt>> {
    let real = match flock(&file, Kind::Exclusive)? {
        Flocked::Busy => return Ok(Some(Attempt::Busy(read_pid(&mut file)))),
        Flocked::Yes if !is_still(&file, path)? => return Ok(None),
        taken => taken == Flocked::Yes,
    };
    // For people only: a full disk must not keep the lock from being taken.
    let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    Ok(Some(Attempt::Held(Lock { file, real, signed: true })))
}

/// The other process that holds `path`, if the file says whose it is. Nobody is kept from it: only a file that was left signed, by who holds it or was
/// killed, is tried at all.
pub(super) fn signer(path: &Path) -> Option<u32> {
    let mut file = super::state_dir::private().read(true).open(path).ok()?;
    let pid = read_pid(&mut file).filter(|pid| *pid != std::process::id())?;
    let taken = flock(&file, Kind::Shared).ok()?;
    if taken == Flocked::Yes {
        unlock(&file);
    }
    (taken == Flocked::Busy).then_some(pid)
}

/// Tries once to hold `path`, whose file is never unlinked.
pub(super) fn try_plain(path: &Path, kind: Kind) -> io::Result<Option<Lock>> {
    let file = open(path)?;
    let taken = flock(&file, kind)?;
    Ok((taken != Flocked::Busy).then(|| Lock { file, real: taken == Flocked::Yes, signed: false }))
}

/// Tries for as long as `wait`; `None` when it was never free.
pub(super) fn wait_plain(path: &Path, kind: Kind, wait: Duration) -> io::Result<Option<Lock>> {
    let start = Instant::now();
    loop {
        let lock = try_plain(path, kind)?;
        if lock.is_some() || start.elapsed() >= wait {
            return Ok(lock);
        }
        thread::sleep(POLL);
    }
}

/// The threads of this process before a directory-wide lock: one of them asks the system for it, the others stand in line and cost nothing. Asking by turns of
/// [`POLL`] they would all ask at once, and some of many would never be the one that finds it free.
#[derive(Default)]
pub(super) struct Line {
    front: Mutex<Option<ThreadId>>,
    freed: Condvar,
}

/// The turn of one thread, until it is dropped.
pub(super) struct Turn<'a>(Option<&'a Line>);

impl Line {
    fn front(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else has it, as long as that takes: each does what it has to do on the disk, and goes. Who has the turn already gets another: the
    /// system tells it that the lock is taken.
    pub(super) fn turn(&self) -> Turn<'_> {
        let me = thread::current().id();
        let mut front = self.front();
        if *front == Some(me) {
            return Turn(None);
        }
        while front.is_some() {
            front = self.freed.wait(front).unwrap_or_else(PoisonError::into_inner);
        }
        *front = Some(me);
        Turn(Some(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(line) = self.0 {
            *line.front() = None;
            line.freed.notify_one();
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.signed {
            let _ = self.file.set_len(0);
        }
        // Said aloud: a child that was forked and has not yet become its program holds a copy of the descriptor, and closing ours would not free it.
        unlock(&self.file);
    }
}

fn open(path: &Path) -> io::Result<File> {
    super::state_dir::private().read(true).write(true).create(true).truncate(false).open(path)
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.parse().ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flocked {
    Yes,
    Busy,
    /// This file system knows no locks.
    Unknown,
}

#[cfg(unix)]
fn flock(file: &File, kind: Kind) -> io::Result<Flocked> {
    use rustix::fs::FlockOperation;
    use rustix::io::Errno;

    let operation = match kind {
        Kind::Shared => FlockOperation::NonBlockingLockShared,
        Kind::Exclusive => FlockOperation::NonBlockingLockExclusive,
    };
    loop {
        return match rustix::fs::flock(file, operation) {
            Ok(()) => Ok(Flocked::Yes),
            Err(Errno::WOULDBLOCK) => Ok(Flocked::Busy),
            Err(Errno::INTR) => continue,
            // Two numbers on some systems, one on others.
            Err(error) if [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS].contains(&error) => Ok(Flocked::Unknown),
            Err(error) => Err(error.into()),
        };
    }
}

#[cfg(unix)]
fn unlock(file: &File) {
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(named) => Ok(ours.dev() == named.dev() && ours.ino() == named.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn flock(_: &File, _: Kind) -> io::Result<Flocked> {
    Ok(Flocked::Unknown)
}

#[cfg(not(unix))]
fn unlock(_: &File) {}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_lock_without_a_name_is_no_lock() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = temp.path().join("lock");
        let late = open(&path).expect("opened");
        let too_late = open(&path).expect("opened");
        std::fs::remove_file(&path).expect("unlinked");
        assert!(sign(late, &path).expect("no fault").is_none());
        let holder = try_signed(&path).expect("no fault");
        assert!(matches!(holder, Attempt::Held(_)));
        assert!(sign(too_late, &path).expect("no fault").is_none(), "the name is another file's");
        assert!(matches!(try_signed(&path), Ok(Attempt::Busy(Some(pid))) if pid == std::process::id()));
    }

    #[test]
    fn a_forked_copy_does_not_keep_the_lock() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = temp.path().join("lock");
        let Ok(Attempt::Held(lock)) = try_signed(&path) else { panic!("it is free") };
        let _copy = lock.file.try_clone().expect("copied");
        drop(lock);
        assert!(matches!(try_signed(&path), Ok(Attempt::Held(_))));
    }

    #[test]
    fn a_shared_lock_keeps_out_only_the_exclusive() {
        let temp = tempfile::tempdir().expect("a directory");
        let path = temp.path().join("lock");
        let one = try_plain(&path, Kind::Shared).expect("no fault").expect("free");
        let two = try_plain(&path, Kind::Shared).expect("no fault").expect("shared");
        assert!(try_plain(&path, Kind::Exclusive).expect("no fault").is_none());
        drop((one, two));
        assert!(try_plain(&path, Kind::Exclusive).expect("no fault").is_some());
    }
}
