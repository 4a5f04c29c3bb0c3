//! Bytes that are only described: a stretch is a list of blocks, and a block is 16 bytes that name it, then zeros. Its CRC-64 is the real one.

use std::{cell::RefCell, collections::HashMap};

use partway::hash::{Crc64, combine};

/// What the phone's files are made of; also what goes to the socket at a time.
pub const BLOCK_BYTES: u64 = 256 << 10;

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
}

impl Block {
    fn crc64(self) -> u64 {
        CRCS.with_borrow_mut(|crcs| {
            *crcs.entry(self).or_insert_with(|| {
                let mut bytes = vec![0; self.len as usize];
                let name = [self.id.to_le_bytes(), (!self.id).to_le_bytes()].concat();
                let named = name.len().min(bytes.len());
                bytes[..named].copy_from_slice(&name[..named]);
                let mut crc = Crc64::new();
                crc.update(&bytes);
                crc.value()
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
        let first = usize::try_from(offset / BLOCK_BYTES).ok()?;
        let mut left = len;
        let mut blocks = vec![];
        for block in self.0.get(first..).unwrap_or_default() {
            if left == 0 {
                break;
            }
            let taken = block.len.min(left);
            blocks.push(Block { len: taken, ..*block });
            left -= taken;
        }
        (left == 0).then_some(Stretch(blocks))
    }

    pub fn append(&mut self, other: &Stretch) {
        self.0.extend_from_slice(&other.0);
    }
}
