//! Digests of a source, and what else needs no client.

use super::{
    NativeError, Source,
    number::{int, long, unsigned_or_none},
};
use crate::client;

/// What one pass over a source computed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Digests {
    /// Of the source.
    pub size_bytes: i64,
    /// SMH's digest of the first MiB; `null` below 1 MiB.
    pub beginning_hash: Option<String>,
    /// SMH's chained digest; `null` below 1 MiB.
    pub full_hash: Option<String>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// Decimal.
    pub crc64: Option<String>,
    /// KooDrive's digest of the beginning, lower-case hex.
    pub pre_hash: Option<String>,
    /// One for each part but the first, in order.
    pub midstates: Vec<PartMidstate>,
}

/// Where SHA-256 stands at the beginning of a part.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PartMidstate {
    /// From 2: part 1 begins with no state.
    pub part_number: i32,
    /// Of the part's first byte.
    pub offset: i64,
    /// The eight words.
    pub h: Vec<i64>,
}

impl From<client::Digests> for Digests {
    fn from(digests: client::Digests) -> Digests {
        let client::Digests { size_bytes, beginning_hash, full_hash, sha256, crc64, pre_hash, midstates } = digests;
        let midstate = |midstate: client::PartMidstate| PartMidstate {
            part_number: int(midstate.part_number),
            offset: long(midstate.offset),
            h: midstate.h.into_iter().map(i64::from).collect(),
        };
        Digests {
            size_bytes: long(size_bytes),
            beginning_hash,
            full_hash,
            sha256,
            crc64,
            pre_hash,
            midstates: midstates.into_iter().map(midstate).collect(),
        }
    }
}

/// Reads the source once: its digests, and the midstates of SHA-256 at each multiple of `part_size_bytes` (itself one of 64). Blocks.
#[uniffi::export(default(part_size_bytes = None))]
pub fn digest(source: Source, part_size_bytes: Option<i64>) -> Result<Digests, NativeError> {
    let part_size_bytes = unsigned_or_none("part_size_bytes", part_size_bytes)?;
    Ok(client::digest(&source.try_into()?, part_size_bytes)?.into())
}

/// The library's version, such as `0.1.0`. No I/O.
#[uniffi::export]
pub fn version() -> String {
    client::version().to_owned()
}
