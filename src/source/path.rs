//! A file by its path.

use std::{
    fs::{self, File, OpenOptions},
    path::Path,
};

use super::{Source, file};
use crate::{error::ErrorInfo, model::Identity};

/// A regular file, open for reading. It stays the file that was opened when another one takes its path.
pub struct PathSource {
    file: File,
}

impl PathSource {
    /// Opens a regular file; never waits for a pipe's other end. Links are followed. A directory is `source_unreadable`, a pipe, socket or
    /// device `source_not_seekable`, a missing file `source_not_found`, EACCES and EPERM `source_denied`.
    pub fn open(path: &Path) -> Result<PathSource, ErrorInfo> {
        // Looked at before it is opened: to open a device can do something, and a socket can't be opened at all.
        let metadata = fs::metadata(path).map_err(|error| file::fault("opening", &error))?;
        file::check_type(metadata.file_type())?;
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;

            use rustix::fs::OFlags;
            // In between it may have been replaced by a pipe or a terminal. Close-on-exec is set by the standard library.
            options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
        }
        let file = options.open(path).map_err(|error| file::fault("opening", &error))?;
        let metadata = file.metadata().map_err(|error| file::fault("opening", &error))?;
        file::check_type(metadata.file_type())?;
        #[cfg(unix)]
        {
            // A user-space file system may pass the flag on to its reads; a read shall wait for its bytes.
            use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
            let flags = fcntl_getfl(&file).map_err(|errno| file::fault("opening", &errno.into()))?;
            fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))
                .map_err(|errno| file::fault("opening", &errno.into()))?;
        }
        Ok(Self { file })
    }
}

impl Source for PathSource {
    fn identity(&self) -> Result<Identity, ErrorInfo> {
        file::identity(&self.file)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        file::read_at(&self.file, offset, buf)
    }

    fn file(&self) -> Option<(&File, u64)> {
        Some((&self.file, 0))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::error::Code;

    fn refused(path: &Path) -> ErrorInfo {
        let Err(error) = PathSource::open(path) else { panic!("opened") };
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            assert!(!error.detail.contains(name), "a name leaked: {}", error.detail);
        }
        error
    }

    #[test]
    fn reads_from_anywhere() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"0123456789").expect("written");
        let source = PathSource::open(file.path()).expect("open");
        let mut buf = [0; 4];
        assert_eq!(source.read_at(8, &mut buf).expect("read"), 2);
        assert_eq!(source.read_at(3, &mut buf).expect("read"), 4);
        assert_eq!(&buf, b"3456");
        assert_eq!(source.read_at(10, &mut buf).expect("read"), 0);
        assert_eq!(source.read_at(1 << 40, &mut buf).expect("read"), 0);
        assert_eq!(source.read_at(u64::MAX, &mut buf).expect_err("no such place").code, Code::SourceUnreadable);
    }

    #[test]
    fn identity_follows_the_open_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("f");
        fs::write(&path, b"one").expect("written");
        let source = PathSource::open(&path).expect("open");
        let before = source.identity().expect("identity");
        assert_eq!(before.size_bytes, 3);
        assert!(before.same_as(&source.identity().expect("identity")));

        // Appended to: another size, the same inode.
        fs::OpenOptions::new().append(true).open(&path).expect("open").write_all(b"!").expect("written");
        let grown = source.identity().expect("identity");
        assert_eq!(grown.size_bytes, 4);
        assert!(!before.same_as(&grown));

        // Replaced: this source still is, and reads, the old one.
        fs::write(directory.path().join("g"), b"two").expect("written");
        fs::rename(directory.path().join("g"), &path).expect("renamed");
        assert_eq!(source.identity().expect("identity").inode, before.inode);
        let mut buf = [0; 3];
        assert_eq!(source.read_at(0, &mut buf).expect("read"), 3);
        assert_eq!(&buf, b"one");
        let other = PathSource::open(&path).expect("open").identity().expect("identity");
        assert!(!before.same_as(&other));
    }

    #[cfg(unix)]
    #[test]
    fn times_are_in_nanoseconds() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 123_456_789);
        file.as_file().set_modified(time).expect("set");
        let identity = PathSource::open(file.path()).expect("open").identity().expect("identity");
        assert_eq!(identity.mtime_ns, Some(1_700_000_000_123_456_789));
        assert!(identity.ctime_ns.is_some() && identity.inode.is_some() && identity.device.is_some());
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(refused(directory.path()).code, Code::SourceUnreadable);
        assert_eq!(refused(&directory.path().join("missing")).code, Code::SourceNotFound);
        fs::write(directory.path().join("file"), b"").expect("written");
        assert_eq!(refused(&directory.path().join("file/below")).code, Code::SourceNotFound);
        assert_eq!(refused(Path::new("")).code, Code::SourceNotFound);
        assert_eq!(refused(Path::new("nul\0inside")).code, Code::SourceUnreadable);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_a_socket_and_a_device_are_refused_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let fifo = directory.path().join("anna.fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
            .expect("a fifo");
        // Nobody holds its other end: an open that waits would wait for ever.
        assert_eq!(refused(&fifo).code, Code::SourceNotSeekable);
        let socket = directory.path().join("anna.socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        assert_eq!(refused(&socket).code, Code::SourceNotSeekable);
        assert_eq!(refused(Path::new("/dev/null")).code, Code::SourceNotSeekable);
    }

    #[cfg(unix)]
    #[test]
    fn the_descriptor_blocks_and_closes_on_exec() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let source = PathSource::open(file.path()).expect("open");
        let flags = rustix::fs::fcntl_getfl(&source.file).expect("flags");
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
        let flags = rustix::io::fcntl_getfd(&source.file).expect("flags");
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("file"), b"abc").expect("written");
        std::os::unix::fs::symlink("file", directory.path().join("link")).expect("a link");
        std::os::unix::fs::symlink("nowhere", directory.path().join("broken")).expect("a link");
        let source = PathSource::open(&directory.path().join("link")).expect("open");
        assert_eq!(source.identity().expect("identity").size_bytes, 3);
        assert_eq!(refused(&directory.path().join("broken")).code, Code::SourceNotFound);
    }
}
