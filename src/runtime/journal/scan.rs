//! Reading a journal from its start, and telling a torn end from damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use serde::de::DeserializeOwned;

use super::line::{Header, decode, holds_good_line};
use super::{FILE_BYTES_MAX, Id, LINE_BYTES_MAX, VERSION};

/// What a journal holds.
pub(super) struct Scan<R> {
    pub(super) records: Vec<R>,
    /// Bytes up to the end of the last good line.
    pub(super) good_bytes: u64,
    /// Bytes after it: the torn end.
    pub(super) torn_bytes: u64,
}

/// Why there is nothing to be had from it.
pub(super) enum ScanFault {
    Io(io::Error),
    Corrupt,
    Version(u32),
}

impl From<io::Error> for ScanFault {
    fn from(error: io::Error) -> Self {
        ScanFault::Io(error)
    }
}

/// Reads the journal of `id` up to the length that it has now.
///
/// What follows the last good line is a torn end, and is left out: an append that was cut short, or what a loss of power made of appends that no
/// sync had covered. It is damage instead when a good line stands after it, when it is longer than a line may be, or when it touches the header or
/// the first record, which reached the disk before the file got its name.
pub(super) fn scan<R: DeserializeOwned>(file: &File, id: Id) -> Result<Scan<R>, ScanFault> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    scan_from(reader, length, id)
}

/// The same of the first `length` bytes of any reader.
pub(super) fn scan_from<R: DeserializeOwned>(reader: impl BufRead, length: u64, id: Id) -> Result<Scan<R>, ScanFault> {
    if length > FILE_BYTES_MAX {
        return Err(ScanFault::Corrupt);
    }
    let mut reader = reader.take(length);
    let mut line = Vec::new();

    next_line(&mut reader, &mut line)?;
    let mut good_bytes = line.len() as u64;
    check_header(&line, id)?;

    let mut records = Vec::new();
    loop {
        next_line(&mut reader, &mut line)?;
        let Some(json) = decode(&line) else { break };
        // The bytes are as they were written and we don't understand them: a newer version has a record that we don't know.
        records.push(serde_json::from_slice(json).map_err(|_| ScanFault::Version(VERSION))?);
        good_bytes += line.len() as u64;
    }

    if records.is_empty() {
        return Err(ScanFault::Corrupt);
    }
    let torn_bytes = length.saturating_sub(good_bytes);
    if torn_bytes > LINE_BYTES_MAX as u64 {
        return Err(ScanFault::Corrupt);
    }
    reader.read_to_end(&mut line)?;
    if holds_good_line(&line) {
        return Err(ScanFault::Corrupt);
    }
    Ok(Scan { records, good_bytes, torn_bytes })
}

/// The next line with its line feed; without one at the end of the file or where a line is too long; empty after the end.
fn next_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)?;
    Ok(())
}

fn check_header(line: &[u8], id: Id) -> Result<(), ScanFault> {
    let json = decode(line).ok_or(ScanFault::Corrupt)?;
    let header: Header = serde_json::from_slice(json).map_err(|_| ScanFault::Corrupt)?;
    match header.partway_journal {
        newer if newer > VERSION => Err(ScanFault::Version(newer)),
        0 => Err(ScanFault::Corrupt),
        _ if header.id != id.as_str() => Err(ScanFault::Corrupt),
        _ => Ok(()),
    }
}
