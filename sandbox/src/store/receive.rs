//! Takes bytes in: counts, sums and stores them, 64 KiB at a time.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest, Md5};

use super::{Place, Scratch};

/// Bytes that came: a part, or the whole of an upload without parts (number 1).
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) size: u64,
    pub(crate) crc64: u64,
    /// MD5, or with `discard` something made from the crc64.
    pub(crate) tag: [u8; 16],
    pub(crate) file: Option<PathBuf>,
    pub(crate) modified_ms: i64,
}

/// Why bytes were not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    TooLarge,
    /// Content-MD5 is no MD5.
    InvalidDigest,
    /// Content-MD5 is another MD5.
    BadDigest,
    /// Something broke in the sandbox itself, a full disk for one.
    Broken(std::io::Error),
}

impl NotTaken {
    /// Status, code and message, which the storages of both services share.
    pub(crate) fn told(&self) -> (u16, &'static str, String) {
        match self {
            Self::TooLarge => (400, "EntityTooLarge", "the body is longer than one upload may be".to_owned()),
            Self::InvalidDigest => (400, "InvalidDigest", "Content-MD5 is not the base64 of 16 bytes".to_owned()),
            Self::BadDigest => (400, "BadDigest", "the body has another MD5 than Content-MD5 says".to_owned()),
            Self::Broken(error) => (500, "InternalError", format!("sandbox: {error}")),
        }
    }
}

/// Bytes that are coming in.
pub(crate) struct Receiver {
    size: u64,
    size_max: u64,
    crc: Crc,
    md5: Option<Md5>,
    content_md5: Option<String>,
    file: Option<(File, Scratch)>,
}

impl Receiver {
    /// `discard` keeps nothing and computes an MD5 only to check `content_md5`.
    pub(crate) fn new(
        place: &Place,
        discard: bool,
        size_max: u64,
        content_md5: Option<&str>,
    ) -> Result<Self, NotTaken> {
        let file = if discard { None } else { Some(place.scratch().map_err(NotTaken::Broken)?) };
        Ok(Self {
            size: 0,
            size_max,
            crc: Crc::new(CrcAlgorithm::Crc64Xz),
            md5: (!discard || content_md5.is_some()).then(Md5::new),
            content_md5: content_md5.map(str::to_owned),
            file,
        })
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.size += bytes.len() as u64;
        if self.size > self.size_max {
            return Err(NotTaken::TooLarge);
        }
        self.crc.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some((file, _)) = &mut self.file {
            file.write_all(bytes).map_err(NotTaken::Broken)?;
        }
        Ok(())
    }

    /// The part, its file still unkept: it goes unless the caller keeps it.
    pub(crate) fn finish(self, now_ms: i64) -> Result<Received, NotTaken> {
        let crc64 = self.crc.finalize();
        let md5: Option<[u8; 16]> = self.md5.map(|md5| md5.finalize().into());
        if let (Some(wanted), Some(md5)) = (&self.content_md5, md5) {
            let wanted = base64::engine::general_purpose::STANDARD.decode(wanted).unwrap_or_default();
            if wanted.len() != md5.len() {
                return Err(NotTaken::InvalidDigest);
            }
            if wanted != md5 {
                return Err(NotTaken::BadDigest);
            }
        }
        let tag = md5.filter(|_| self.file.is_some()).unwrap_or_else(|| crc_tag(crc64));
        let part = Part { size: self.size, crc64, tag, file: None, modified_ms: now_ms };
        Ok(Received { part, scratch: self.file.map(|(_, scratch)| scratch) })
    }
}

/// Bytes that came, kept by [`Received::keep`].
pub(crate) struct Received {
    pub(crate) part: Part,
    scratch: Option<Scratch>,
}

impl Received {
    pub(crate) fn keep(self) -> Part {
        let file: Option<PathBuf> = self.scratch.and_then(Scratch::keep);
        Part { file, ..self.part }
    }
}

fn crc_tag(crc64: u64) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&crc64.to_be_bytes());
    tag[8..].copy_from_slice(&(!crc64).to_be_bytes());
    tag
}
