//! What appending asks of a disk.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use crate::model::checkpoint::{Act, At, Checkpoints};

/// The three calls that appending makes of a disk, so that tests can let each of them fail.
pub(super) trait Disk: Send {
    /// Writes a beginning of `bytes` at the end of the file; says how much.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Returns when the disk has everything.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes the file `length` bytes long.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A file that was opened for appending.
impl Disk for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// A file, and somebody who is told what is done to it.
struct Watched {
    file: File,
    checkpoints: Checkpoints,
}

impl Disk for Watched {
    /// In two halves, so that there is a moment between them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Watched { file, checkpoints } = self;
        checkpoints.around(Act::Write, || {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            file.write_all(first)?;
            checkpoints.at(Act::Write, At::Within);
            file.write_all(second)?;
            Ok(bytes.len())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.checkpoints.around(Act::Sync, || self.file.sync_data())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.checkpoints.around(Act::Truncate, || self.file.set_len(length))
    }
}

/// The disk of a file that was opened for appending.
pub(super) fn disk(file: File, checkpoints: &Checkpoints) -> Box<dyn Disk> {
    if checkpoints.any() { Box::new(Watched { file, checkpoints: checkpoints.clone() }) } else { Box::new(file) }
}

/// One write as a rule; the rest after a short one, which then tells why it was short.
pub(super) fn write_all(disk: &mut dyn Disk, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match disk.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
