//! The phone's files, and what happens to them.

use partway::model::Identity;

use super::content::{Block, Stretch};

/// One file.
#[derive(Debug)]
pub struct Source {
    pub content: Stretch,
    pub identity: Identity,
    pub gone: bool,
    /// Everything that it ever held.
    pub versions: Vec<Stretch>,
    block_bytes: u64,
    next_block: u64,
    stamp: i64,
}

impl Source {
    /// A file of that size; `number` keeps the blocks of different files apart.
    pub fn new(number: usize, size_bytes: u64, block_bytes: u64) -> Source {
        let mut source = Source {
            content: Stretch::default(),
            identity: Identity::default(),
            gone: false,
            versions: vec![],
            block_bytes,
            next_block: (number as u64) << 32,
            stamp: 1_000,
        };
        source.resize(size_bytes);
        source.identity.inode = Some(7_000 + number as u64);
        source.identity.device = Some(1);
        source.versions.clear();
        source.keep();
        source
    }

    fn keep(&mut self) {
        self.identity.size_bytes = self.content.len();
        self.versions.push(self.content.clone());
    }

    fn block_id(&mut self) -> u64 {
        self.next_block += 1;
        self.next_block
    }

    fn stamp(&mut self) -> Option<i64> {
        self.stamp += 1;
        Some(self.stamp)
    }

    /// Same bytes, other times.
    pub fn touch(&mut self) {
        self.identity.mtime_ns = self.stamp();
        self.identity.ctime_ns = self.stamp();
    }

    /// Same bytes, another file.
    pub fn replace_by_a_copy(&mut self) {
        self.touch();
        self.identity.inode = self.identity.inode.map(|inode| inode + 100);
    }

    /// Other bytes somewhere, same size.
    pub fn change(&mut self, at: usize) {
        self.touch();
        let id = self.block_id();
        if let Some(block) = self.content.0.get_mut(at) {
            block.id = id;
        }
        self.keep();
    }

    /// One block is another from there on, and nothing else tells of it.
    pub fn change_without_a_trace(&mut self, offset: u64) {
        let id = self.block_id();
        let at = usize::try_from(offset / self.block_bytes).unwrap_or(usize::MAX);
        if let Some(block) = self.content.0.get_mut(at) {
            block.id = id;
            self.keep();
        }
    }

    /// The bytes of a former version again.
    pub fn restore(&mut self, version: usize) {
        self.touch();
        self.content = self.versions[version].clone();
        self.keep();
    }

    /// Grown or truncated.
    pub fn resize(&mut self, size_bytes: u64) {
        self.touch();
        let mut blocks = vec![];
        let mut left = size_bytes;
        for index in 0.. {
            if left == 0 {
                break;
            }
            let len = left.min(self.block_bytes);
            let id = match self.content.0.get(index) {
                Some(block) => block.id,
                None => self.block_id(),
            };
            blocks.push(Block { id, len });
            left -= len;
        }
        self.content = Stretch(blocks);
        self.keep();
    }
}
