//! SHA-256 whose inner state can be taken out: KooDrive wants it at the beginning of each part (koodrive §4.2).

use serde::Serialize;
use serde_json::Value;
use sha2::block_api::compress256;

use super::hex;
use crate::from_json::{FromJson, from_json};

/// What SHA-256 takes at a time; a midstate exists at multiples of it.
pub const BLOCK_BYTES: u64 = 64;

/// The hash value of no blocks (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] =
    [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19];

/// A running SHA-256. Full blocks are hashed where they lie; only the odd bytes between two updates are kept.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Sha256State")]
pub struct Sha256 {
    h: [u32; 8],
    len_bytes: u64,
    /// The first `len_bytes % 64` of it wait for more.
    block: [u8; 64],
}

/// The odd bytes are a person's.
impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sha256({} bytes)", self.len_bytes)
    }
}

/// The inner state at a block boundary: with it the bytes before `offset` need not be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Midstate {
    /// How many bytes are in it; a multiple of 64.
    pub offset: u64,
    /// The eight words, `hashCtx.h` of KooDrive (koodrive §4.2).
    pub h: [u32; 8],
}

from_json!(struct Midstate { offset, h });

impl Midstate {
    /// The number of **bits** so far as (low, high) 32-bit words: `nl` and `nh` of the service's `X-Amz-Iteration-Hash-Ctx`. The high word
    /// is 1 from 512 MiB on (koodrive §4.2).
    pub fn bit_count_words(&self) -> (u32, u32) {
        let bits = self.offset.wrapping_mul(8);
        (bits as u32, (bits >> 32) as u32)
    }
}

/// A [`Sha256`] in the journal. Up to 63 bytes of the content are in it when it is not taken at a block boundary.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Sha256State {
    /// The eight words after the last full block.
    pub h: [u32; 8],
    /// How many bytes were taken.
    pub len_bytes: u64,
    /// The `len_bytes % 64` last of them, in hex.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pending: String,
}

/// `pending` is a person's.
impl std::fmt::Debug for Sha256State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sha256State({} bytes)", self.len_bytes)
    }
}

from_json!(struct Sha256State { h, len_bytes, pending = default });

/// A journalled digest state that can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest state does not fit its own length")]
pub struct StateInvalid;

impl Sha256 {
    /// Of no bytes.
    pub fn new() -> Self {
        Self { h: INITIAL, len_bytes: 0, block: [0; 64] }
    }

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        let mut digest = Self::new();
        digest.update(bytes);
        digest.finish()
    }

    /// Goes on at a block boundary; `None` when the offset is none.
    pub fn from_midstate(midstate: &Midstate) -> Option<Self> {
        midstate.offset.is_multiple_of(BLOCK_BYTES).then_some(Self {
            h: midstate.h,
            len_bytes: midstate.offset,
            block: [0; 64],
        })
    }

    /// The inner state, if exactly a multiple of 64 bytes was taken.
    pub fn midstate(&self) -> Option<Midstate> {
        (self.pending_len() == 0).then_some(Midstate { offset: self.len_bytes, h: self.h })
    }

    /// How many bytes were taken.
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// Takes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let pending = self.pending_len();
        self.len_bytes += bytes.len() as u64;
        if pending > 0 {
            let (head, rest) = bytes.split_at(bytes.len().min(64 - pending));
            self.block[pending..pending + head.len()].copy_from_slice(head);
            if pending + head.len() < 64 {
                return;
            }
            compress256(&mut self.h, &[self.block]);
            bytes = rest;
        }
        let (blocks, rest) = bytes.as_chunks::<64>();
        compress256(&mut self.h, blocks);
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// The digest of all bytes so far; the stream can go on.
    pub fn finish(&self) -> [u8; 32] {
        let mut h = self.h;
        let pending = self.pending_len();
        // A one bit, zeros, and the number of bits in the last eight bytes (FIPS 180-4 §5.1.1): one block if that fits, else two.
        let mut tail = [0; 128];
        tail[..pending].copy_from_slice(&self.block[..pending]);
        tail[pending] = 0x80;
        let end = if pending < 56 { 64 } else { 128 };
        tail[end - 8..end].copy_from_slice(&self.len_bytes.wrapping_mul(8).to_be_bytes());
        compress256(&mut h, tail[..end].as_chunks().0);

        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(h) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// [`Sha256::finish`] in lower-case hex.
    pub fn finish_hex(&self) -> String {
        hex::encode(&self.finish())
    }

    fn pending_len(&self) -> usize {
        (self.len_bytes % BLOCK_BYTES) as usize
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Sha256> for Sha256State {
    fn from(digest: Sha256) -> Self {
        let pending = hex::encode(&digest.block[..digest.pending_len()]);
        Self { h: digest.h, len_bytes: digest.len_bytes, pending }
    }
}

impl FromJson for Sha256 {
    fn from_json(value: Value) -> Option<Self> {
        Sha256State::from_json(value)?.try_into().ok()
    }
}

from_json!(serde Sha256);

impl TryFrom<Sha256State> for Sha256 {
    type Error = StateInvalid;

    fn try_from(state: Sha256State) -> Result<Self, StateInvalid> {
        let mut digest = Self { h: state.h, len_bytes: state.len_bytes, block: [0; 64] };
        let pending = hex::decode(&state.pending).ok_or(StateInvalid)?;
        if pending.len() != digest.pending_len() {
            return Err(StateInvalid);
        }
        digest.block[..pending.len()].copy_from_slice(&pending);
        Ok(digest)
    }
}

#[cfg(test)]
#[path = "sha256_tests.rs"]
mod tests;
