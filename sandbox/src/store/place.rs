//! Where files are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The sandbox's directory. A temporary one goes with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    temporary: bool,
    last: AtomicU64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

impl Place {
    pub(crate) fn new(directory: Option<&Path>) -> io::Result<Self> {
        let (directory, temporary) = match directory {
            Some(directory) => (directory.to_path_buf(), false),
            None => (fresh_temporary(), true),
        };
        fs::create_dir_all(directory.join("objects"))?;
        fs::create_dir_all(directory.join("parts"))?;
        let directory = directory.canonicalize()?;
        Ok(Self { inner: Arc::new(Inner { directory, temporary, last: AtomicU64::new(0) }) })
    }

    pub(crate) fn nowhere() -> Self {
        Self { inner: Arc::new(Inner { directory: PathBuf::new(), temporary: false, last: AtomicU64::new(0) }) }
    }

    pub(crate) fn object(&self, id: u64) -> PathBuf {
        self.inner.directory.join("objects").join(id.to_string())
    }

    /// A new file for bytes that are not an object yet. It is removed unless it is kept.
    pub(crate) fn scratch(&self) -> io::Result<(File, Scratch)> {
        let n = self.inner.last.fetch_add(1, Ordering::Relaxed);
        let path = self.inner.directory.join("parts").join(format!("{}-{n}", std::process::id()));
        let file = File::options().write(true).create(true).truncate(true).open(&path)?;
        Ok((file, Scratch { path: Some(path) }))
    }
}

impl Place {
    /// The pieces as one file; `None` if there is no piece.
    pub(crate) fn join(&self, pieces: &[PathBuf]) -> io::Result<Option<Scratch>> {
        if pieces.is_empty() {
            return Ok(None);
        }
        let (mut whole, scratch) = self.scratch()?;
        for piece in pieces {
            io::copy(&mut File::open(piece)?, &mut whole)?;
        }
        Ok(Some(scratch))
    }

    /// Another file of this content.
    pub(crate) fn duplicate(&self, file: &Path) -> io::Result<Scratch> {
        let (_, scratch) = self.scratch()?;
        if let Some(to) = scratch.path() {
            // The content of an object never changes in place, so a second name for it will do.
            let linked = fs::remove_file(to).and_then(|()| fs::hard_link(file, to));
            linked.or_else(|_| fs::copy(file, to).map(drop))?;
        }
        Ok(scratch)
    }
}

fn fresh_temporary() -> PathBuf {
    std::env::temp_dir().join(format!("partway-sandbox-{}-{}", std::process::id(), crate::random::hex(8)))
}

/// A file that goes unless it is kept.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: Option<PathBuf>,
}

impl Scratch {
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub(crate) fn keep(mut self) -> Option<PathBuf> {
        self.path.take()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        super::remove(self.path.as_deref());
    }
}
