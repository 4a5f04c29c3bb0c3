//! Bytes that the host reads for us.

use std::ffi::c_void;

use super::{
    callback::calling,
    sized::{Sized_, read},
    status::{PARTWAY_OK, misuse, partway_status_t},
    word,
};
use crate::{
    client::HostReader,
    error::{Category, Code, ErrorInfo},
};

/// Reads a source that is no file. Set struct_size to sizeof(partway_reader_t). It is copied; what context points to must live until release is called.
///
/// The functions are called on threads of the library and may block. They must not call the library, throw, longjmp or end the thread. They return
/// PARTWAY_OK, or one of PARTWAY_ERROR_SOURCE_…; any other number counts as PARTWAY_ERROR_SOURCE_UNREADABLE.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_reader_t {
    /// sizeof(partway_reader_t).
    pub struct_size: usize,
    /// Given to each function.
    pub context: *mut c_void,
    /// Called once, after the last call of any other function, when nothing of the library holds the context any more: on any thread.
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
}

// SAFETY: repr(C), begins with its size; all else are pointers, optional functions and numbers, for which zero is a value.
unsafe impl Sized_ for partway_reader_t {
    const NAME: &'static str = "partway_reader_t";
    const FIRST_SIZE: usize = size_of::<partway_reader_t>();
}

/// The functions and their context; released when the last holder is gone.
pub(super) struct Reader {
    table: partway_reader_t,
}

// SAFETY: the functions and the context may be used from any thread, by several at once only if they say so: the header says so to whoever gives them,
// and the source keeps them apart.
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
        Ok(Reader { table })
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
        told(calling(|| unsafe { length(self.table.context, &raw mut len) })).map(|()| len)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let Some(read_at) = self.table.read_at else { return told(Code::SourceUnreadable.number()).map(|()| 0) };
        let (at, size, mut count) = (buf.as_mut_ptr(), buf.len(), 0);
        // SAFETY: as the header says; `size` bytes may be written to the buffer until the call is over. How many it says is checked by the source.
        told(calling(|| unsafe { read_at(self.table.context, offset, at, size, &raw mut count) })).map(|()| count)
    }

    fn concurrent(&self) -> bool {
        self.table.concurrent != 0
    }
}
