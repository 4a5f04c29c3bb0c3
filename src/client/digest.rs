//! Everything that a service may ask to know of a source, in one reading.

use std::{sync::Arc, thread};

use super::{Digests, Source};
use crate::{
    channel::{Sender, channel},
    error::{Code, ErrorInfo},
    hash::{Digester, Wants},
};

const READ_BYTES: usize = 256 << 10;
/// One that is read into, and one for each of two threads.
const BUFFERS: usize = 3;

/// What a read brought: the first so many bytes.
type Piece = Arc<(Vec<u8>, usize)>;

/// Reads the source once: its digests, and the midstates of SHA-256 at each multiple of `part_size_bytes` (itself one of 64). A source that changes
/// meanwhile is `source_changed`. SHA-256 and SMH's chain of it cost the same, so a second thread computes the latter, until this returns; 768 KiB of buffers.
/// **waits**
pub fn digest(source: &Source, part_size_bytes: Option<u64>) -> Result<Digests, ErrorInfo> {
    let mut whole = Digester::new(Wants { sha256: true, pre_hash: true, part_size_bytes, ..Wants::default() })?;
    let chained = Digester::new(Wants { chain: true, crc64: true, ..Wants::default() })?;
    let source = source.what.open()?;
    let identity = source.identity()?;
    let (free, to_fill) = channel();
    let (filled, to_chain) = channel::<Piece>();
    for _ in 0..BUFFERS {
        free.send(vec![0; READ_BYTES]);
    }
    // Whoever is done with a piece last gives its buffer back.
    let done = |piece: Piece, free: &Sender<Vec<u8>>| {
        if let Some((buffer, _)) = Arc::into_inner(piece) {
            free.send(buffer);
        }
    };
    let chained = thread::scope(|scope| {
        let free_too = free.clone();
        let chain = move || {
            let mut chained = Some(chained);
            while let Some(piece) = to_chain.recv() {
                // A panic is no reason to keep the buffers that the reading waits for.
                chained = chained.and_then(|mut chained| {
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        chained.update(&piece.0[..piece.1]);
                        chained
                    }))
                    .ok()
                });
                done(piece, &free_too);
            }
            chained
        };
        let second = thread::Builder::new().name("partway-digest".to_owned()).spawn_scoped(scope, chain);
        let second = second.map_err(|_| ErrorInfo::new(Code::SourceUnreadable, "no thread to compute digests with"))?;
        // It ends when this does, whatever becomes of the reading.
        let filled = filled;
        while let Some(mut buffer) = to_fill.recv() {
            let count = source.read_at(whole.len_bytes(), &mut buffer)?;
            if count == 0 {
                break;
            }
            let piece = Arc::new((buffer, count));
            filled.send(piece.clone());
            whole.update(&piece.0[..count]);
            done(piece, &free);
        }
        drop(filled);
        let panicked = || ErrorInfo::new(Code::Bug, "computing digests panicked");
        second.join().ok().flatten().ok_or_else(panicked)
    })?;
    if !identity.same_as(&source.identity()?) || whole.len_bytes() != identity.size_bytes {
        return Err(ErrorInfo::new(Code::SourceChanged, "the source changed while it was being read"));
    }
    let Digests { beginning_hash, full_hash, crc64, .. } = chained.finish();
    Ok(Digests { beginning_hash, full_hash, crc64, ..whole.finish() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_come_to_what_one_does() {
        let bytes: Vec<u8> =
            (0..3 * READ_BYTES as u32 * 2 + 77).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        let wants = Wants { sha256: true, chain: true, crc64: true, pre_hash: true, part_size_bytes: Some(64 << 10) };
        let mut one = Digester::new(wants).expect("wants");
        one.update(&bytes);
        assert_eq!(digest(&Source::memory(bytes), Some(64 << 10)).expect("digests"), one.finish());
    }

    /// A source that fails in the middle ends both threads.
    #[test]
    fn a_source_that_fails_is_told() {
        struct Fails;
        impl crate::source::HostReader for Fails {
            fn len(&self) -> Result<u64, ErrorInfo> {
                Ok(8 << 20)
            }
            fn concurrent(&self) -> bool {
                false
            }
            fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
                if offset >= 1 << 20 { Err(ErrorInfo::new(Code::SourceDenied, "gone")) } else { Ok(buf.len()) }
            }
        }
        let source = Source::reader(std::sync::Arc::new(Fails));
        assert_eq!(digest(&source, None).expect_err("it fails").code, Code::SourceDenied);
    }

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
