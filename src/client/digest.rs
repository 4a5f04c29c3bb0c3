//! Everything that a service may ask to know of a source, in one reading.

use super::{Digests, Source};
use crate::{
    error::{Code, ErrorInfo},
    hash::{Digester, Wants},
};

const READ_BYTES: usize = 256 << 10;

/// Reads the source once: its digests, and the midstates of SHA-256 at each multiple of `part_size_bytes` (itself one of 64). A source that changes
/// meanwhile is `source_changed`. **waits**
pub fn digest(source: &Source, part_size_bytes: Option<u64>) -> Result<Digests, ErrorInfo> {
    let mut digester =
        Digester::new(Wants { sha256: true, chain: true, crc64: true, pre_hash: true, part_size_bytes })?;
    let source = source.what.open()?;
    let identity = source.identity()?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match source.read_at(digester.len_bytes(), &mut buffer)? {
            0 => break,
            count => digester.update(&buffer[..count]),
        }
    }
    if !identity.same_as(&source.identity()?) || digester.len_bytes() != identity.size_bytes {
        return Err(ErrorInfo::new(Code::SourceChanged, "the source changed while it was being read"));
    }
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_bytes_in_memory() {
        let digests = digest(&Source::memory(b"abc".to_vec()), None).expect("digests");
        assert_eq!(digests.size_bytes, 3);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digests.sha256.as_deref(), Some(sha256));
        assert_eq!((digests.full_hash, digests.midstates.len()), (None, 0));
        let parts = digest(&Source::memory(vec![1; 200]), Some(64)).expect("digests");
        assert_eq!(parts.midstates.iter().map(|midstate| midstate.offset).collect::<Vec<_>>(), [64, 128, 192]);
        assert_eq!(digest(&Source::memory(vec![]), Some(65)).expect_err("no multiple").code, Code::PartSizeUnusable);
        assert_eq!(digest(&Source::later(*b"token"), None).expect_err("nothing to read").code, Code::SourceNotFound);
    }
}
