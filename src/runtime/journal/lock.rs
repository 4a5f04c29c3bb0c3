//! Locks between handles and processes, by `flock`: they end with the process, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
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
///
/// A lock file may be unlinked by the one who holds it. Whoever opened it before that would hold a lock that nobody can see; so the file behind
/// the name is compared with the one that was locked, and another try is made when they differ.
pub(super) fn try_signed(path: &Path) -> io::Result<Attempt> {
    loop {
        let mut file = open(path)?;
        match flock(&file, Kind::Exclusive)? {
            Flocked::Busy => return Ok(Attempt::Busy(read_pid(&mut file))),
            Flocked::Yes if !is_still(&file, path)? => continue,
            taken => {
                // For people only: a full disk must not keep the lock from being taken.
                let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                return Ok(Attempt::Held(Lock { file, real: taken == Flocked::Yes, signed: true }));
            }
        }
    }
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
        std::thread::sleep(POLL);
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
            Err(Errno::NOTSUP | Errno::NOSYS) => Ok(Flocked::Unknown),
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
