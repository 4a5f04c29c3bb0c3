//! Bounds of a client, given in.

use super::sized::{Sized_, no_padding};
use crate::client::Limits;

/// Bounds of a client. Set struct_size to sizeof(partway_limits_t); 0 elsewhere is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_limits_t {
    /// sizeof(partway_limits_t).
    pub struct_size: usize,
    /// Uploads that work at once; 2 by default.
    pub parallel_uploads: u32,
    /// Parts that are sent at once, over all uploads; 3 by default.
    pub parallel_parts: u32,
    /// Bytes a second, over all uploads; no limit by default.
    pub rate_bytes_per_s: u64,
    /// What connections and reads may take; no limit of its own by default. Fewer parts go at once where it does not reach for all.
    pub memory_bytes: u64,
    /// Sources that are open at once; as many as uploads work by default.
    pub open_sources: u32,
    /// Not used: 0.
    pub reserved: u32,
}

no_padding!(partway_limits_t {
    struct_size,
    parallel_uploads,
    parallel_parts,
    rate_bytes_per_s,
    memory_bytes,
    open_sources,
    reserved
});

// SAFETY: repr(C), begins with its size; all else are numbers.
unsafe impl Sized_ for partway_limits_t {
    const NAME: &'static str = "partway_limits_t";
    const FIRST_SIZE: usize = size_of::<partway_limits_t>();

    fn reserved(&self) -> u32 {
        self.reserved
    }
}

pub(super) fn limits(given: &partway_limits_t) -> Limits {
    let default = Limits::default();
    let or = |number: u32, default: u32| if number == 0 { default } else { number };
    Limits {
        parallel_uploads: or(given.parallel_uploads, default.parallel_uploads),
        parallel_parts: or(given.parallel_parts, default.parallel_parts),
        rate_bytes_per_s: given.rate_bytes_per_s,
        memory_bytes: given.memory_bytes,
        open_sources: given.open_sources,
    }
}
