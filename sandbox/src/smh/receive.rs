//! Takes bytes in: counts, sums and stores them, 64 KiB at a time.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest, Md5};

use super::refusal::Refusal;
use super::task::Part;
use crate::store::{Place, Scratch};

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
    pub(crate) fn new(place: &Place, discard: bool, size_max: u64, content_md5: Option<&str>) -> Result<Self, Refusal> {
        let file = if discard { None } else { Some(place.scratch().map_err(|e| Refusal::broken(&e))?) };
        Ok(Self {
            size: 0,
            size_max,
            crc: Crc::new(CrcAlgorithm::Crc64Xz),
            md5: (!discard || content_md5.is_some()).then(Md5::new),
            content_md5: content_md5.map(str::to_owned),
            file,
        })
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.size += bytes.len() as u64;
        if self.size > self.size_max {
            return Err(too_large());
        }
        self.crc.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some((file, _)) = &mut self.file {
            file.write_all(bytes).map_err(|e| Refusal::broken(&e))?;
        }
        Ok(())
    }

    /// The part, its file still unkept: it goes unless the caller keeps it.
    pub(crate) fn finish(self, now_ms: i64) -> Result<Received, Refusal> {
        let crc64 = self.crc.finalize();
        let md5: Option<[u8; 16]> = self.md5.map(|md5| md5.finalize().into());
        if let (Some(wanted), Some(md5)) = (&self.content_md5, md5) {
            let wanted = base64::engine::general_purpose::STANDARD.decode(wanted).unwrap_or_default();
            if wanted.len() != md5.len() {
                return Err(Refusal::new(400, "InvalidDigest", "Content-MD5 is not the base64 of 16 bytes"));
            }
            if wanted != md5 {
                return Err(Refusal::new(400, "BadDigest", "the body has another MD5 than Content-MD5 says"));
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

pub(crate) fn too_large() -> Refusal {
    Refusal::new(400, "EntityTooLarge", "the body is longer than one upload may be")
}

fn crc_tag(crc64: u64) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&crc64.to_be_bytes());
    tag[8..].copy_from_slice(&(!crc64).to_be_bytes());
    tag
}
