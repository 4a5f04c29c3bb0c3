//! SHA-256 that can begin in the middle.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::block_api::compress256;

use crate::random::to_hex;

/// The state before the first byte.
pub(crate) const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

const BLOCK: usize = 64;

/// SHA-256 after some bytes.
#[derive(Debug, Clone)]
pub(crate) struct Midstate {
    words: [u32; 8],
    /// Bytes since the last whole block.
    rest: Vec<u8>,
    bytes: u64,
}

impl Midstate {
    /// The state after so many bytes, which are whole blocks.
    pub(crate) fn at(words: [u32; 8], bytes: u64) -> Self {
        Self { words, rest: Vec::new(), bytes }
    }

    pub(crate) fn update(&mut self, mut data: &[u8]) {
        self.bytes = self.bytes.wrapping_add(data.len() as u64);
        if !self.rest.is_empty() {
            let (head, tail) = data.split_at(data.len().min(BLOCK - self.rest.len()));
            self.rest.extend_from_slice(head);
            data = tail;
            if self.rest.len() < BLOCK {
                return;
            }
            let rest = std::mem::take(&mut self.rest);
            compress256(&mut self.words, rest.as_chunks().0);
        }
        let (blocks, rest) = data.as_chunks();
        compress256(&mut self.words, blocks);
        self.rest.extend_from_slice(rest);
    }

    /// The words, if they say everything.
    pub(crate) fn words(&self) -> Option<[u32; 8]> {
        self.rest.is_empty().then_some(self.words)
    }

    /// The digest, in hex.
    pub(crate) fn digest(&self) -> String {
        let mut words = self.words;
        let mut tail = self.rest.clone();
        tail.push(0x80);
        tail.resize(if tail.len() <= BLOCK - 8 { BLOCK - 8 } else { 2 * BLOCK - 8 }, 0);
        tail.extend_from_slice(&self.bytes.wrapping_mul(8).to_be_bytes());
        compress256(&mut words, tail.as_chunks().0);
        to_hex(&words.map(u32::to_be_bytes).concat())
    }

    /// The digest of a file, in hex.
    pub(crate) fn of_file(path: &Path) -> io::Result<String> {
        let mut file = File::open(path)?;
        let mut state = Self::at(INITIAL, 0);
        let mut chunk = vec![0; 1 << 16];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(state.digest()),
                n => state.update(&chunk[..n]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_can_be_continued_at_any_block() {
        let content: Vec<u8> = (0..320_u32).map(|i| (i % 251) as u8).collect();
        let whole = "7f2fcab03c5e118e07abe79b7db86af8a7e78d2e312b68e58e1d262c7de84f39";
        let from = |words, at: usize| {
            let mut state = Midstate::at(words, at as u64);
            content[at..].chunks(7).for_each(|chunk| state.update(chunk));
            state
        };
        assert_eq!(from(INITIAL, 0).digest(), whole);
        let at_128 =
            [0x5932_53ad, 0xfb4c_c018, 0xbe61_1395, 0x485e_47c1, 0x5a5b_271d, 0xfb8d_a14f, 0xe8f7_7fb4, 0xd05e_acbc];
        assert_eq!(from(at_128, 128).digest(), whole);
        let mut state = Midstate::at(INITIAL, 0);
        state.update(&content[..100]);
        assert_eq!(state.words(), None);
        state.update(&content[100..128]);
        assert_eq!(state.words(), Some(at_128));
    }

    #[test]
    fn padding_is_right_around_the_edge_of_a_block() {
        use sha2::{Digest, Sha256};
        for size in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128] {
            let content = vec![7; size];
            let mut state = Midstate::at(INITIAL, 0);
            state.update(&content);
            assert_eq!(state.digest(), to_hex(&Sha256::digest(&content)), "{size}");
        }
    }
}
