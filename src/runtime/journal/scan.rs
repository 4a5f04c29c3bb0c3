//! Reading a journal from its start, and telling a torn end from damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::line::{Header, decode, holds_good_line};
use super::{FILE_BYTES_MAX, Id, LINE_BYTES_MAX, VERSION};

/// What a journal holds.
pub(super) struct Scan<T> {
    /// What was made of its records.
    pub(super) records: T,
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

/// Reads the journal of `id` up to the length that it has now; `fold` is given each record as it is read, so that a long journal is never there as a whole.
///
/// What follows the last good line is a torn end, and is left out: an append that was cut short, or what a loss of power made of appends that no
/// sync had covered. It is damage instead when a good line stands after it, when it is longer than a line may be, or when it touches the header or
/// the first record, which reached the disk before the file got its name.
pub(super) fn scan<R: DeserializeOwned, T>(
    file: &File,
    id: Id,
    fold: impl FnOnce(&mut dyn Iterator<Item = R>) -> T,
) -> Result<Scan<T>, ScanFault> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(0))?;
    scan_from(reader, length, id, fold)
}

/// The same of the first `length` bytes of any reader.
pub(super) fn scan_from<R: DeserializeOwned, T>(
    reader: impl BufRead,
    length: u64,
    id: Id,
    fold: impl FnOnce(&mut dyn Iterator<Item = R>) -> T,
) -> Result<Scan<T>, ScanFault> {
    if length > FILE_BYTES_MAX {
        return Err(ScanFault::Corrupt);
    }
    let mut lines = Lines { reader: reader.take(length), line: Vec::new(), good_bytes: 0, records: 0, fault: None };
    next_line(&mut lines.reader, &mut lines.line)?;
    check_header(&lines.line, id)?;
    lines.good_bytes = lines.line.len() as u64;

    let mut of = Records { lines: &mut lines, over: false, record: PhantomData };
    let records = fold(&mut of);
    // Whoever folds need not have wanted all of them.
    of.by_ref().for_each(drop);

    if let Some(fault) = lines.fault {
        return Err(fault);
    }
    if lines.records == 0 {
        return Err(ScanFault::Corrupt);
    }
    let good_bytes = lines.good_bytes;
    let torn_bytes = length.saturating_sub(good_bytes);
    if torn_bytes > LINE_BYTES_MAX as u64 {
        return Err(ScanFault::Corrupt);
    }
    lines.reader.read_to_end(&mut lines.line)?;
    if holds_good_line(&lines.line) {
        return Err(ScanFault::Corrupt);
    }
    Ok(Scan { records, good_bytes, torn_bytes })
}

/// How far a journal was read.
struct Lines<B> {
    reader: io::Take<B>,
    /// The last one; after the end what stands in the place of the next.
    line: Vec<u8>,
    good_bytes: u64,
    records: u64,
    fault: Option<ScanFault>,
}

/// Its records, one after the other, until the first line that is none.
struct Records<'a, B, R> {
    lines: &'a mut Lines<B>,
    over: bool,
    record: PhantomData<R>,
}

impl<B: BufRead, R: DeserializeOwned> Iterator for Records<'_, B, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        if self.over {
            return None;
        }
        self.over = true;
        let lines = &mut *self.lines;
        if let Err(error) = next_line(&mut lines.reader, &mut lines.line) {
            lines.fault = Some(error.into());
            return None;
        }
        let Ok(record) = serde_json::from_slice(decode(&lines.line)?) else {
            // The bytes are as they were written and we don't understand them: a newer version has a record that we don't know.
            lines.fault = Some(ScanFault::Version(VERSION));
            return None;
        };
        lines.good_bytes += lines.line.len() as u64;
        lines.records += 1;
        self.over = false;
        Some(record)
    }
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
