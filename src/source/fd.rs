//! A range of a file that the host opened.

use std::{
    fs::File,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::fs::{OFlags, fcntl_getfl};

use super::{Source, file};
use crate::{
    error::{Code, ErrorInfo},
    model::Identity,
};

/// A descriptor of a regular file, or a range of it (an asset inside of a package). Its own position is neither used nor moved. Closed on
/// drop.
pub struct FdSource {
    file: File,
    offset: u64,
    len_bytes: Option<u64>,
}

impl FdSource {
    /// Takes the descriptor over. The source is `len_bytes` bytes from `offset` of the file, or all from there to its end. A pipe, socket
    /// or device is `source_not_seekable`, a descriptor that is not open for reading `source_denied`, a range beyond the end of the file
    /// `invalid_argument`.
    pub fn new(fd: OwnedFd, offset: u64, len_bytes: Option<u64>) -> Result<Self, ErrorInfo> {
        let flags = fcntl_getfl(&fd).map_err(|errno| file::fault("inspecting", &errno.into()))?;
        let file = File::from(fd);
        let metadata = file.metadata().map_err(|error| file::fault("inspecting", &error))?;
        file::check_type(metadata.file_type())?;
        if flags.intersection(OFlags::RWMODE) == OFlags::WRONLY {
            return Err(ErrorInfo::new(Code::SourceDenied, "the descriptor is not open for reading"));
        }
        let end = offset.checked_add(len_bytes.unwrap_or(0));
        if end.is_none_or(|end| end > metadata.len()) {
            return Err(ErrorInfo::new(
                Code::InvalidArgument,
                format!(
                    "the range from {offset}, {len_bytes:?} bytes, reaches beyond the file's {} bytes",
                    metadata.len()
                ),
            ));
        }
        Ok(Self { file, offset, len_bytes })
    }

    /// As [`FdSource::new`] with a duplicate (close-on-exec) of the descriptor: the caller's may be closed at any time.
    pub fn duplicate(fd: BorrowedFd<'_>, offset: u64, len_bytes: Option<u64>) -> Result<Self, ErrorInfo> {
        let fd = fd.try_clone_to_owned().map_err(|error| file::fault("duplicating", &error))?;
        Self::new(fd, offset, len_bytes)
    }
}

impl Source for FdSource {
    /// The file's, with the size of the range: less than asked for when the file became too short for it.
    fn identity(&self) -> Result<Identity, ErrorInfo> {
        let mut identity = file::identity(&self.file)?;
        let rest = identity.size_bytes.saturating_sub(self.offset);
        identity.size_bytes = self.len_bytes.map_or(rest, |len| len.min(rest));
        Ok(identity)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let room = self.len_bytes.map_or(u64::MAX, |len| len.saturating_sub(offset));
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(buf.len());
        match self.offset.checked_add(offset) {
            Some(at) if room > 0 => file::read_at(&self.file, at, &mut buf[..room]),
            _ => Ok(0),
        }
    }

    fn file(&self) -> Option<(&File, u64)> {
        Some((&self.file, self.offset))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Seek as _, SeekFrom, Write as _},
        os::fd::AsFd as _,
    };

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        file
    }

    #[test]
    fn a_range_of_a_file() {
        let mut file = file(b"0123456789");
        file.seek(SeekFrom::Start(1)).expect("seek");
        let source = FdSource::duplicate(file.as_fd(), 3, Some(4)).expect("a source");
        assert_eq!(source.identity().expect("identity").size_bytes, 4);
        let mut buf = [b'-'; 8];
        assert_eq!(source.read_at(1, &mut buf).expect("read"), 3);
        assert_eq!(&buf, b"456-----");
        assert_eq!(source.read_at(4, &mut buf).expect("read"), 0);
        assert_eq!(source.read_at(u64::MAX, &mut buf).expect("read"), 0);
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "123456789", "the caller's position has not moved");
        drop(file);
        assert_eq!(source.read_at(0, &mut buf).expect("read"), 4, "the caller's descriptor is closed");
    }

    #[test]
    fn to_the_end_of_a_file_that_grows_and_shrinks() {
        let mut writer = file(b"0123456789");
        let to_end = FdSource::duplicate(writer.as_fd(), 4, None).expect("a source");
        let range = FdSource::duplicate(writer.as_fd(), 4, Some(6)).expect("a source");
        let sizes = || [&to_end, &range].map(|source| source.identity().expect("identity").size_bytes);
        assert_eq!(sizes(), [6, 6]);
        writer.write_all(b"ab").expect("written");
        assert_eq!(sizes(), [8, 6]);
        writer.set_len(5).expect("cut");
        assert_eq!(sizes(), [1, 1]);
        writer.set_len(2).expect("cut");
        assert_eq!(sizes(), [0, 0]);
        assert_eq!(to_end.read_at(0, &mut [0; 4]).expect("read"), 0);
    }

    #[test]
    fn what_cannot_be_read_from_the_middle_is_refused() {
        let code = |result: Result<FdSource, ErrorInfo>| result.map(|_| ()).expect_err("refused").code;
        let (pipe, _writer) = std::io::pipe().expect("a pipe");
        assert_eq!(code(FdSource::new(pipe.into(), 0, None)), Code::SourceNotSeekable);
        let (socket, _other) = std::os::unix::net::UnixStream::pair().expect("a socket");
        assert_eq!(code(FdSource::new(socket.into(), 0, None)), Code::SourceNotSeekable);
        let device = File::open("/dev/null").expect("a device");
        assert_eq!(code(FdSource::new(device.into(), 0, None)), Code::SourceNotSeekable);
        let directory = File::open("/").expect("a directory");
        assert_eq!(code(FdSource::new(directory.into(), 0, None)), Code::SourceUnreadable);
        let named = tempfile::NamedTempFile::new().expect("a file");
        let write_only = File::options().write(true).open(named.path()).expect("open");
        assert_eq!(code(FdSource::new(write_only.into(), 0, None)), Code::SourceDenied);
    }

    #[test]
    fn a_range_beyond_the_end_is_refused() {
        for (offset, len) in [(11, None), (0, Some(11)), (10, Some(1)), (u64::MAX, Some(1)), (1, Some(u64::MAX))] {
            let refused = FdSource::new(file(b"0123456789").into(), offset, len).map(|_| ()).expect_err("refused");
            assert_eq!(refused.code, Code::InvalidArgument, "{offset} {len:?}");
        }
        assert!(FdSource::new(file(b"0123456789").into(), 10, None).is_ok());
        assert!(FdSource::new(file(b"").into(), 0, Some(0)).is_ok());
    }
}
