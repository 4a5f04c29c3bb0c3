//! The digests that the services ask for.

/// CRC-64 of a followed by b.
pub fn combine_crc64(_a: u64, _b: u64, _len_b: u64) -> u64 {
    0
}
