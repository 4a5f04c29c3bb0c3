//! Ranges of a source, whole or not at all.

use std::sync::Arc;

use super::Source;
use crate::{
    error::{Code, ErrorInfo},
    hash::Crc64,
};

/// Fills `buf` from `offset`, over as many short reads as it takes. A source that ends before is `source_changed`.
pub fn read_exact_at(source: &dyn Source, offset: u64, buf: &mut [u8]) -> Result<(), ErrorInfo> {
    let mut done = 0;
    while done < buf.len() {
        done += read_some(source, offset, done as u64, &mut buf[done..])?;
    }
    Ok(())
}

/// Walks a range of a source once, or again from its beginning, and knows what it handed out. The shape of a request's body.
pub struct RangeReader {
    source: Arc<dyn Source>,
    offset: u64,
    len_bytes: u64,
    done_bytes: u64,
    crc64: Crc64,
}

impl RangeReader {
    /// At the first of `len_bytes` bytes from `offset`.
    pub fn new(source: Arc<dyn Source>, offset: u64, len_bytes: u64) -> Self {
        Self { source, offset, len_bytes, done_bytes: 0, crc64: Crc64::new() }
    }

    /// Fills the beginning of `buf`: how many bytes. 0 only at the end of the range (or for an empty `buf`); a source that ends before is
    /// `source_changed`, so a body is never silently too short.
    pub fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let room = self.len_bytes - self.done_bytes;
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        let count = read_some(self.source.as_ref(), self.offset, self.done_bytes, &mut buf[..room])?;
        self.crc64.update(&buf[..count]);
        self.done_bytes += count as u64;
        Ok(count)
    }

    /// Back to the first byte of the range; the count and the CRC begin again too.
    pub fn rewind(&mut self) {
        self.done_bytes = 0;
        self.crc64 = Crc64::new();
    }

    /// Where the range begins in the source.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How long the range is, in bytes.
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// How many bytes were handed out since the beginning of the range.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes
    }

    /// CRC-64/XZ of exactly those bytes.
    pub fn crc64(&self) -> u64 {
        self.crc64.value()
    }
}

/// One read, `done` bytes into the range at `offset`, of at least one byte.
fn read_some(source: &dyn Source, offset: u64, done: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
    let at = offset
        .checked_add(done)
        .ok_or_else(|| ErrorInfo::new(Code::InvalidArgument, "a range of the source ends beyond 2^64 bytes"))?;
    match source.read_at(at, buf)? {
        0 => {
            Err(ErrorInfo::new(Code::SourceChanged, format!("the source ended at {at}, inside of a range to be read")))
        }
        count if count > buf.len() => Err(ErrorInfo::new(Code::Bug, "a source returned more bytes than asked for")),
        count => Ok(count),
    }
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
