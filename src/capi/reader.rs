//! Bytes that the host reads for us.

use std::{
    ffi::c_void,
    sync::{Mutex, PoisonError},
};

use super::{
    callback::calling,
    sized::{Sized_, no_padding, read},
    status::{PARTWAY_OK, misuse, partway_status_t},
    word,
};
use crate::{
    client::HostReader,
    error::{Category, Code, ErrorInfo},
};

/// Reads a source that is no file. Set struct_size to sizeof(partway_reader_t). It is copied; what context points to must live until release is called.
///
/// The functions are called on threads of the library, and within your own calls where these ask for what the reader has: length in partway_client_start and
/// partway_client_start_all, length and read_at in partway_source_digest. They may block, and the call with them. They must not call the library, throw,
/// longjmp or end the thread. They return PARTWAY_OK, or one of PARTWAY_ERROR_SOURCE_…; any other number counts as PARTWAY_ERROR_SOURCE_UNREADABLE.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_reader_t {
    /// sizeof(partway_reader_t).
    pub struct_size: usize,
    /// Given to each function.
    pub context: *mut c_void,
    /// Called once, after the last call of any other function, when nothing of the library holds the context any more: on any thread, also within the call of
    /// yours that lets go of it, such as partway_source_free, partway_request_free or partway_request_set_source. It may free, and calls nothing else.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// The whole length in bytes, now.
    pub length: Option<unsafe extern "C" fn(context: *mut c_void, out_length: *mut u64) -> partway_status_t>,
    /// Fills the beginning of buffer from offset and says how much. Fewer bytes than size are normal; 0 means that the source has become shorter than
    /// its length. The same offset may be asked for again.
    pub read_at: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            offset: u64,
            buffer: *mut u8,
            size: usize,
            out_count: *mut usize,
        ) -> partway_status_t,
    >,
    /// Not 0: several threads may read at once; else they wait for each other.
    pub concurrent: u32,
    /// Not used: 0.
    pub reserved: u32,
}

no_padding!(partway_reader_t { struct_size, context, release, length, read_at, concurrent, reserved });

// SAFETY: repr(C), begins with its size; all else are pointers, optional functions and numbers, for which zero is a value.
unsafe impl Sized_ for partway_reader_t {
    const NAME: &'static str = "partway_reader_t";
    const FIRST_SIZE: usize = size_of::<partway_reader_t>();

    fn reserved(&self) -> u32 {
        self.reserved
    }
}

/// The functions and their context; released when the last holder is gone.
pub(super) struct Reader {
    table: partway_reader_t,
    /// Of a reader that wants one call at a time. What opens a source keeps its own calls apart; a source that is open twice, such as for two uploads, has two
    /// of these.
    turn: Option<Mutex<()>>,
}

// SAFETY: the functions and the context may be used from any thread, by several at once only if they say so: the header says so to whoever gives them,
// and `turn` keeps them apart.
unsafe impl Send for Reader {}
// SAFETY: as above.
unsafe impl Sync for Reader {}

impl Reader {
    /// # Safety
    /// `table` is NULL or a table as the header says.
    pub(super) unsafe fn read(table: *const partway_reader_t) -> Result<Reader, ErrorInfo> {
        // SAFETY: passed on.
        let table = unsafe { read(table) }?;
        if table.length.is_none() || table.read_at.is_none() {
            // Not a reader yet, so nothing is released: the caller still has its context.
            return Err(misuse("a reader has both length and read_at"));
        }
        let turn = (table.concurrent == 0).then(Mutex::default);
        Ok(Reader { table, turn })
    }

    fn in_turn<T>(&self, call: impl FnOnce() -> T) -> T {
        // It guards no data of ours.
        let _turn = self.turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        calling(call)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(release) = self.table.release {
            // SAFETY: as the header says; this is the last holder, so it is the last call.
            calling(|| unsafe { release(self.table.context) });
        }
    }
}

/// What a function of the host's returned.
fn told(status: partway_status_t) -> Result<(), ErrorInfo> {
    if status == PARTWAY_OK {
        return Ok(());
    }
    let code = word::known_code(status).filter(|code| code.category() == Category::Source);
    Err(ErrorInfo::new(code.unwrap_or(Code::SourceUnreadable), "the host's reader failed"))
}

impl HostReader for Reader {
    fn len(&self) -> Result<u64, ErrorInfo> {
        let Some(length) = self.table.length else { return told(Code::SourceUnreadable.number()).map(|()| 0) };
        let mut len = 0;
        // SAFETY: as the header says; the place lives until the call is over.
        told(self.in_turn(|| unsafe { length(self.table.context, &raw mut len) })).map(|()| len)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let Some(read_at) = self.table.read_at else { return told(Code::SourceUnreadable.number()).map(|()| 0) };
        let (at, size, mut count) = (buf.as_mut_ptr(), buf.len(), 0);
        // SAFETY: as the header says; `size` bytes may be written to the buffer until the call is over. How many it says is checked by the source.
        told(self.in_turn(|| unsafe { read_at(self.table.context, offset, at, size, &raw mut count) })).map(|()| count)
    }

    fn concurrent(&self) -> bool {
        self.table.concurrent != 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Inside {
        now: AtomicU32,
        met: AtomicBool,
    }

    unsafe extern "C" fn length(_: *mut c_void, out_length: *mut u64) -> partway_status_t {
        // SAFETY: a place of the caller's.
        unsafe { out_length.write(1) };
        PARTWAY_OK
    }

    unsafe extern "C" fn read_at(
        context: *mut c_void,
        _: u64,
        _: *mut u8,
        _: usize,
        out_count: *mut usize,
    ) -> partway_status_t {
        // SAFETY: the context is an `Inside` that outlives the reader; the place is the caller's.
        let inside = unsafe {
            out_count.write(1);
            &*context.cast::<Inside>()
        };
        if inside.now.fetch_add(1, Ordering::SeqCst) > 0 {
            inside.met.store(true, Ordering::SeqCst);
        }
        std::thread::yield_now();
        inside.now.fetch_sub(1, Ordering::SeqCst);
        PARTWAY_OK
    }

    /// One reader, opened twice at the same time, as by an upload and a digest of its source.
    fn meets(concurrent: u32) -> bool {
        let inside = Inside::default();
        let table = partway_reader_t {
            struct_size: size_of::<partway_reader_t>(),
            context: (&raw const inside).cast_mut().cast(),
            release: None,
            length: Some(length),
            read_at: Some(read_at),
            concurrent,
            reserved: 0,
        };
        // SAFETY: a whole table, whose functions and context live as long as the reader.
        let reader = unsafe { Reader::read(&raw const table) }.expect("a reader");
        assert_eq!(reader.len().expect("a length"), 1);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        reader.read_at(0, &mut [0]).expect("read");
                    }
                });
            }
        });
        inside.met.load(Ordering::SeqCst)
    }

    #[test]
    fn nobody_meets_in_a_reader_that_does_not_want_it() {
        assert!(!meets(0));
    }
}
