//! The digests that the services ask for, each as a stream: any split of the input gives the same result, and whatever a killed pass must
//! go on from can be journalled.

mod chain;
mod crc64;
#[cfg(all(target_endian = "little", any(target_arch = "aarch64", target_arch = "x86_64")))]
mod crc64_blocks;
mod digester;
pub mod hex;
mod md5;
mod sha256;

pub use chain::{CHAIN_BLOCK_BYTES, Chain};
pub use crc64::{Crc64, combine, decimal, from_decimal};
pub use digester::{Digester, Digests, PRE_HASH_BYTES, PartMidstate, Wants};
pub use md5::Md5;
pub use sha256::{BLOCK_BYTES, Midstate, Sha256, Sha256State, StateInvalid};
