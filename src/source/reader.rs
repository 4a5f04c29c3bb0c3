//! Bytes that the host reads for us.

use std::sync::{Arc, Mutex, PoisonError};

use super::Source;
use crate::{
    error::{Code, ErrorInfo},
    model::Identity,
};

/// What a host implements when its bytes are no file. Called from our own threads.
#[expect(clippy::len_without_is_empty, reason = "a host need not say twice that there is nothing")]
pub trait HostReader: Send + Sync {
    /// The whole length in bytes, now.
    fn len(&self) -> Result<u64, ErrorInfo>;

    /// Fills the beginning of `buf` from `offset`: how many bytes. Fewer than `buf` holds are normal, 0 means that the source has become
    /// shorter than its length. The same offset may be asked for again.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo>;

    /// True when several threads may read at once; else they wait for each other.
    fn concurrent(&self) -> bool;
}

/// A [`HostReader`] as a source.
pub struct ReaderSource {
    reader: Arc<dyn HostReader>,
    stamp: u64,
    len_bytes: u64,
    turn: Option<Mutex<()>>,
}

impl ReaderSource {
    /// Asks for the length once: nothing beyond it will be read.
    pub fn new(reader: Arc<dyn HostReader>) -> Result<Self, ErrorInfo> {
        let len_bytes = reader.len()?;
        let turn = (!reader.concurrent()).then(Mutex::default);
        Ok(Self { reader, len_bytes, turn, stamp: fastrand::u64(..) })
    }

    fn in_turn<T>(&self, call: impl FnOnce(&dyn HostReader) -> T) -> T {
        // The lock guards no data of ours: a host that panicked while it was held has left nothing half done here.
        let _turn = self.turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        call(self.reader.as_ref())
    }
}

impl Source for ReaderSource {
    /// The size, and a stamp of this very opening in the place of an inode: while it stays open it is the same source, opened again it is proven
    /// again.
    fn identity(&self) -> Result<Identity, ErrorInfo> {
        Ok(Identity {
            size_bytes: self.in_turn(|reader| reader.len())?,
            inode: Some(self.stamp),
            ..Identity::default()
        })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let room = self.len_bytes.saturating_sub(offset);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        let count = self.in_turn(|reader| reader.read_at(offset, &mut buf[..room]))?;
        // Never asked for more than the length, so this is also the check against bytes from beyond it.
        if count > room {
            return Err(ErrorInfo::new(
                Code::SourceUnreadable,
                format!("the host's reader returned {count} bytes where {room} were asked for"),
            ));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// Answers each call with what the test says.
    struct Host<F> {
        len: u64,
        concurrent: bool,
        read: F,
    }

    impl<F: Fn(u64, &mut [u8]) -> Result<usize, ErrorInfo> + Send + Sync> HostReader for Host<F> {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(self.len)
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            (self.read)(offset, buf)
        }

        fn concurrent(&self) -> bool {
            self.concurrent
        }
    }

    fn source(
        len: u64,
        concurrent: bool,
        read: impl Fn(u64, &mut [u8]) -> Result<usize, ErrorInfo> + Send + Sync + 'static,
    ) -> ReaderSource {
        ReaderSource::new(Arc::new(Host { len, concurrent, read })).expect("a source")
    }

    #[test]
    fn never_asks_beyond_the_length() {
        let source = source(10, true, |offset, buf| {
            assert!(offset + buf.len() as u64 <= 10 && !buf.is_empty());
            Ok(buf.len())
        });
        assert_eq!(source.identity().expect("identity").size_bytes, 10);
        for (offset, expected) in [(0, 8), (4, 6), (10, 0), (11, 0), (u64::MAX, 0)] {
            assert_eq!(source.read_at(offset, &mut [0; 8]).expect("read"), expected, "{offset}");
        }
    }

    #[test]
    fn more_than_was_asked_for_is_an_error() {
        let more = source(10, true, |_, buf| Ok(buf.len() + 1));
        assert_eq!(more.read_at(0, &mut [0; 8]).expect_err("more than the buffer").code, Code::SourceUnreadable);
        let beyond = source(10, true, |_, _| Ok(8));
        assert_eq!(beyond.read_at(4, &mut [0; 8]).expect_err("beyond the length").code, Code::SourceUnreadable);
    }

    #[test]
    fn the_hosts_own_error_is_passed_on() {
        let denied = source(10, false, |_, _| Err(ErrorInfo::new(Code::SourceDenied, "the phone is locked")));
        assert_eq!(denied.read_at(0, &mut [0; 8]).expect_err("denied").code, Code::SourceDenied);
        struct Gone;
        impl HostReader for Gone {
            fn len(&self) -> Result<u64, ErrorInfo> {
                Err(ErrorInfo::new(Code::SourceNotFound, "gone"))
            }
            fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, ErrorInfo> {
                Ok(0)
            }
            fn concurrent(&self) -> bool {
                true
            }
        }
        assert_eq!(ReaderSource::new(Arc::new(Gone)).map(|_| ()).expect_err("gone").code, Code::SourceNotFound);
    }

    #[test]
    fn one_at_a_time_unless_it_is_concurrent() {
        let inside = Arc::new(AtomicUsize::new(0));
        let overlapped = Arc::new(AtomicBool::new(false));
        let source = source(1000, false, {
            let (inside, overlapped) = (inside.clone(), overlapped.clone());
            move |_, buf| {
                if inside.fetch_add(1, Ordering::SeqCst) > 0 {
                    overlapped.store(true, Ordering::SeqCst);
                }
                std::thread::sleep(std::time::Duration::from_millis(2));
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok(buf.len())
            }
        });
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for offset in 0..5 {
                        source.read_at(offset, &mut [0; 8]).expect("read");
                    }
                });
            }
        });
        assert!(!overlapped.load(Ordering::SeqCst));

        // Two threads that meet inside of the reader: this ends only if both may be there.
        let meeting = std::sync::Barrier::new(2);
        let together = self::source(1000, true, move |_, buf| {
            meeting.wait();
            Ok(buf.len())
        });
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| together.read_at(0, &mut [0; 8]).expect("read"));
            }
        });
    }

    #[test]
    fn a_host_that_panicked_once_is_asked_again() {
        let first = AtomicBool::new(true);
        let source = source(10, false, move |_, buf| {
            assert!(!first.swap(false, Ordering::SeqCst), "the host's own fault");
            Ok(buf.len())
        });
        let read = || source.read_at(0, &mut [0; 4]);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
        assert_eq!(read().expect("read"), 4);
    }
}
