//! Bytes that the host already holds.

use std::sync::Arc;

use super::Source;
use crate::{
    error::{Code, ErrorInfo},
    hash::Crc64,
    model::Identity,
};

/// The most bytes that a source may keep in memory: 8 MiB. More belongs into a file.
pub const MEMORY_BYTES_MAX: usize = 8 << 20;

/// Bytes in memory, which never change.
pub struct MemorySource {
    bytes: Arc<[u8]>,
    crc64: u64,
}

impl MemorySource {
    /// Keeps up to [`MEMORY_BYTES_MAX`] bytes; more are `invalid_argument`.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, ErrorInfo> {
        let bytes = bytes.into();
        if bytes.len() > MEMORY_BYTES_MAX {
            return Err(ErrorInfo::new(
                Code::InvalidArgument,
                format!("{} bytes are too many for a source in memory; the most is {MEMORY_BYTES_MAX}", bytes.len()),
            ));
        }
        let mut crc64 = Crc64::new();
        crc64.update(&bytes);
        Ok(Self { bytes, crc64: crc64.value() })
    }
}

impl Source for MemorySource {
    /// No system tells anything of them, so their CRC-64 stands where a file has its inode: the same bytes, handed in again after a restart,
    /// are the same source.
    fn identity(&self) -> Result<Identity, ErrorInfo> {
        Ok(Identity { size_bytes: self.bytes.len() as u64, inode: Some(self.crc64), ..Identity::default() })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_anywhere() {
        let source = MemorySource::new(*b"0123456789").expect("a source");
        let mut buf = [b'-'; 4];
        assert_eq!(source.read_at(8, &mut buf).expect("read"), 2);
        assert_eq!(&buf, b"89--");
        assert_eq!(source.read_at(10, &mut buf).expect("read"), 0);
        assert_eq!(source.read_at(u64::MAX, &mut buf).expect("read"), 0);
    }

    #[test]
    fn the_same_bytes_are_the_same_source() {
        let identity = |bytes: &[u8]| MemorySource::new(bytes).expect("a source").identity().expect("identity");
        assert!(identity(b"abc").same_as(&identity(b"abc")));
        assert!(identity(b"").same_as(&identity(b"")));
        assert!(!identity(b"abc").same_as(&identity(b"abd")));
        assert!(!identity(b"abc").same_as(&identity(b"abcd")));
    }

    #[test]
    fn eight_mib_at_most() {
        assert!(MemorySource::new(vec![0; MEMORY_BYTES_MAX]).is_ok());
        let refused = MemorySource::new(vec![0; MEMORY_BYTES_MAX + 1]).map(|_| ()).expect_err("too many");
        assert_eq!(refused.code, Code::InvalidArgument);
    }
}
