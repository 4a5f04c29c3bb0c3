//! The digests of a source, given out.

use super::{
    error::partway_error_t,
    kept::{free_view, view},
    pointer::{Out, held},
    sized::no_padding,
    source::partway_source_t,
    status::{attempt, partway_status_t},
    text::partway_text_t,
    word,
};
use crate::client::digest;

/// A state of SHA-256 at the beginning of a part.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_midstate_t {
    /// From 2: part 1 begins with no state.
    pub part_number: u32,
    /// Not used.
    pub reserved: u32,
    /// Of the part's first byte.
    pub offset: u64,
    /// The eight words.
    pub h: [u32; 8],
}

no_padding!(partway_midstate_t { part_number, reserved, offset, h });

/// The digests of a source. Free it with partway_digests_free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_digests_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// Of the source.
    pub size_bytes: u64,
    /// SMH's digest of the first MiB; NULL inside below 1 MiB.
    pub beginning_hash: partway_text_t,
    /// SMH's chained digest; NULL inside below 1 MiB.
    pub full_hash: partway_text_t,
    /// SHA-256, lower-case hex.
    pub sha256: partway_text_t,
    /// CRC-64/XZ, decimal.
    pub crc64: partway_text_t,
    /// One for each part but the first; none without a part size.
    pub midstates: *const partway_midstate_t,
    /// How many.
    pub midstates_count: usize,
    /// KooDrive's digest of the beginning, lower-case hex.
    pub pre_hash: partway_text_t,
}

no_padding!(partway_digests_t {
    struct_size,
    size_bytes,
    beginning_hash,
    full_hash,
    sha256,
    crc64,
    midstates,
    midstates_count,
    pre_hash,
});

/// Reads a source once: its digests and, unless part_size_bytes is PARTWAY_NONE, the states of SHA-256 at each multiple of it, itself one of 64.
///
/// Blocks until it is read. Memory: the source stays yours; free the digests with partway_digests_free. Threads: any but the main one.
/// Errors: invalid_argument; source_changed when it changes meanwhile, and others of the category source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_source_digest(
    source: *const partway_source_t,
    part_size_bytes: u64,
    out_digests: *mut *mut partway_digests_t,
    out_error: *mut *mut partway_error_t,
) -> partway_status_t {
    attempt(out_error, || {
        // SAFETY: passed on.
        let (source, out) = unsafe { (held(source)?, Out::required(out_digests, "out_digests")?) };
        let digests = digest(&source.offer()?, word::some(part_size_bytes))?;
        let one = |state: &crate::client::PartMidstate| partway_midstate_t {
            part_number: state.part_number,
            reserved: 0,
            offset: state.offset,
            h: state.h,
        };
        out.put(view(|keep| partway_digests_t {
            struct_size: size_of::<partway_digests_t>(),
            size_bytes: digests.size_bytes,
            beginning_hash: keep.some_text(digests.beginning_hash.as_deref()),
            full_hash: keep.some_text(digests.full_hash.as_deref()),
            sha256: keep.some_text(digests.sha256.as_deref()),
            crc64: keep.some_text(digests.crc64.as_deref()),
            midstates_count: digests.midstates.len(),
            midstates: keep.all(digests.midstates.iter().map(one).collect()),
            pre_hash: keep.some_text(digests.pre_hash.as_deref()),
        }));
        Ok(())
    })
}

/// Frees digests. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_digests_free(digests: *mut partway_digests_t) {
    // SAFETY: passed on.
    unsafe { free_view(digests) }
}
