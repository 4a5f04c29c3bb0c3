//! The file of the demonstration, and what must be stored in the end.

use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

use partway::{
    error::ErrorInfo,
    hash::{Digester, Wants},
};

use super::trouble;

/// Without a FILE.
pub(super) const GENERATED_BYTES: u64 = 64 << 20;
const BLOCK_BYTES: usize = 1 << 20;

/// What a file contains.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) size: u64,
    pub(super) sha256: Option<String>,
    pub(super) crc64: Option<String>,
}

impl Content {
    pub(super) fn read(path: &Path) -> Result<Content, ErrorInfo> {
        let mut digester = Digester::new(Wants { sha256: true, crc64: true, ..Wants::default() })?;
        let mut file = File::open(path).map_err(|error| crate::file::source_error(&error))?;
        let mut block = vec![0; BLOCK_BYTES];
        loop {
            match file.read(&mut block).map_err(|error| crate::file::source_error(&error))? {
                0 => break,
                count => digester.update(&block[..count]),
            }
        }
        let digests = digester.finish();
        Ok(Content { size: digests.size_bytes, sha256: digests.sha256, crc64: digests.crc64 })
    }
}

/// Bytes that nothing can compress or take for others.
pub(super) fn generate(dir: &Path) -> Result<PathBuf, ErrorInfo> {
    let path = dir.join("partway-demo.bin");
    let write = || {
        let mut file = File::create(&path)?;
        let mut random = fastrand::Rng::new();
        let mut block = vec![0; BLOCK_BYTES];
        for _ in 0..GENERATED_BYTES / BLOCK_BYTES as u64 {
            random.fill(&mut block);
            file.write_all(&block)?;
        }
        Ok(())
    };
    write().map_err(|error: std::io::Error| trouble(&error))?;
    Ok(path)
}
