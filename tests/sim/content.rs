//! Bytes that are only described: a stretch is a list of blocks, and a block is 16 bytes that name it, then zeros. Its CRC-64 is the real one; what
//! stands for its other digests is in [`super::digest`].

use std::{cell::RefCell, collections::HashMap};

use partway::hash::{Crc64, combine};

/// One block, or the beginning of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub id: u64,
    pub len: u64,
}

/// Some bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch(pub Vec<Block>);

thread_local! {
    static CRCS: RefCell<HashMap<Block, u64>> = RefCell::default();
    static ZEROS: RefCell<HashMap<u64, u64>> = RefCell::default();
}

fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.value()
}

impl Block {
    fn crc64(self) -> u64 {
        CRCS.with_borrow_mut(|crcs| {
            *crcs.entry(self).or_insert_with(|| {
                let name = [self.id.to_le_bytes(), (!self.id).to_le_bytes()].concat();
                let named = name.len().min(self.len as usize);
                let zeros = self.len - named as u64;
                let rest =
                    ZEROS.with_borrow_mut(|crcs| *crcs.entry(zeros).or_insert_with(|| crc64(&vec![0; zeros as usize])));
                combine(crc64(&name[..named]), rest, zeros)
            })
        })
    }
}

impl Stretch {
    pub fn len(&self) -> u64 {
        self.0.iter().map(|block| block.len).sum()
    }

    pub fn crc64(&self) -> u64 {
        self.0.iter().fold(0, |crc, block| combine(crc, block.crc64(), block.len))
    }

    /// Stands for the MD5: different bytes, different text.
    pub fn md5(&self) -> String {
        let crc = self.crc64();
        format!("{crc:016x}{:016x}", crc.rotate_left(29) ^ self.len())
    }

    /// The bytes of a range that begins at a block; `None` when it goes beyond the end.
    pub fn range(&self, offset: u64, len: u64) -> Option<Stretch> {
        let (mut at, mut left) = (0, len);
        let mut blocks = vec![];
        for block in &self.0 {
            if left == 0 {
                break;
            }
            if at >= offset {
                let taken = block.len.min(left);
                blocks.push(Block { len: taken, ..*block });
                left -= taken;
            }
            at += block.len;
        }
        (left == 0).then_some(Stretch(blocks))
    }

    /// A few bytes at any place, as good as any others: they depend on the block and on where in it they are.
    pub fn bytes(&self, offset: u64, len: u64) -> Option<Vec<u8>> {
        let byte = |at: u64| {
            let mut from = 0;
            let block = self.0.iter().find(|block| {
                from += block.len;
                at < from
            })?;
            let mixed = (block.id ^ (at - (from - block.len))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Some((mixed >> 32) as u8)
        };
        (offset..offset + len).map(byte).collect()
    }

    pub fn append(&mut self, other: &Stretch) {
        self.0.extend_from_slice(&other.0);
    }
}
