//! What sources that are files share: which are taken, what identifies them, how they are read, what their errors mean.

use std::{
    fs::{File, FileType, Metadata},
    io,
};

use crate::{
    error::{Code, ErrorInfo},
    model::Identity,
};

/// Refuses whatever is no regular file: it has no bytes, or none that could be read a second time.
pub(super) fn check_type(kind: FileType) -> Result<(), ErrorInfo> {
    if kind.is_file() {
        Ok(())
    } else if kind.is_dir() {
        Err(ErrorInfo::new(Code::SourceUnreadable, "the source is a directory"))
    } else {
        Err(ErrorInfo::new(Code::SourceNotSeekable, "the source is a pipe, socket or device, not a regular file"))
    }
}

/// A failure to open or read, told by its kind: the system's own text might name the file. `doing` completes "… failed".
pub(super) fn fault(doing: &str, error: &io::Error) -> ErrorInfo {
    let code = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Code::SourceNotFound,
        io::ErrorKind::PermissionDenied => Code::SourceDenied,
        io::ErrorKind::NotSeekable => Code::SourceNotSeekable,
        _ => Code::SourceUnreadable,
    };
    let detail = match error.raw_os_error() {
        Some(number) => format!("{doing} the source failed: {:?} (system error {number})", error.kind()),
        None => format!("{doing} the source failed: {:?}", error.kind()),
    };
    ErrorInfo::new(code, detail)
}

/// All that the system tells of an open file.
pub(super) fn identity(file: &File) -> Result<Identity, ErrorInfo> {
    let metadata = file.metadata().map_err(|error| fault("inspecting", &error))?;
    Ok(identity_of(&metadata))
}

#[cfg(unix)]
fn identity_of(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;

    /// `None` outside the years 1677 to 2262, which no honest file system says.
    fn nanoseconds(seconds: i64, nanoseconds: i64) -> Option<i64> {
        seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
    }
    Identity {
        size_bytes: metadata.len(),
        mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        inode: Some(metadata.ino()),
        device: Some(metadata.dev()),
    }
}

#[cfg(not(unix))]
fn identity_of(metadata: &Metadata) -> Identity {
    let since_1970 = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Identity {
        size_bytes: metadata.len(),
        mtime_ns: since_1970.and_then(|time| i64::try_from(time.as_nanos()).ok()),
        ..Identity::default()
    }
}

/// One positional read; the file's own position plays no part, so workers don't disturb each other.
pub(super) fn read_at(file: &File, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
    loop {
        match pread(file, offset, buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(|error| fault("reading", &error)),
        }
    }
}

#[cfg(unix)]
fn pread(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn pread(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

#[cfg(not(any(unix, windows)))]
fn pread(_: &File, _: u64, _: &mut [u8]) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_code() {
        for (kind, code) in [
            (io::ErrorKind::NotFound, Code::SourceNotFound),
            (io::ErrorKind::NotADirectory, Code::SourceNotFound),
            (io::ErrorKind::PermissionDenied, Code::SourceDenied),
            (io::ErrorKind::NotSeekable, Code::SourceNotSeekable),
            (io::ErrorKind::Other, Code::SourceUnreadable),
            (io::ErrorKind::InvalidInput, Code::SourceUnreadable),
        ] {
            assert_eq!(fault("reading", &kind.into()).code, code, "{kind:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_systems_numbers_have_their_codes() {
        use rustix::io::Errno;
        for (errno, code) in [
            (Errno::NOENT, Code::SourceNotFound),
            (Errno::ACCESS, Code::SourceDenied),
            (Errno::PERM, Code::SourceDenied),
            (Errno::SPIPE, Code::SourceNotSeekable),
            (Errno::IO, Code::SourceUnreadable),
            (Errno::MFILE, Code::SourceUnreadable),
        ] {
            let told = fault("opening", &errno.into());
            assert_eq!(told.code, code, "{errno:?}");
            assert!(told.detail.contains(&format!("system error {}", errno.raw_os_error())), "{}", told.detail);
        }
    }

    #[test]
    fn a_systems_text_never_gets_into_the_detail() {
        let told = fault("opening", &io::Error::other("/home/anna/secret.jpg"));
        assert_eq!(told.detail, "opening the source failed: Other");
    }
}
