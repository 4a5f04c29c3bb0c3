//! One line of a journal: checksum, space, JSON, line feed.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::{Deserialize, Serialize};

use super::{Id, LINE_BYTES_MAX, VERSION};
use crate::error::{Code, ErrorInfo};

/// Bytes of a line before its JSON: eight hex digits and the space.
const PREFIX_BYTES: usize = 9;

/// The first line. Its own shape never changes, so that every version can read every other's.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) partway_journal: u32,
    pub(super) id: String,
}

impl Header {
    pub(super) fn of(id: Id) -> Header {
        Header { partway_journal: VERSION, id: id.as_str().to_owned() }
    }
}

static CRC_32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

fn crc32(json: &[u8]) -> String {
    format!("{:08x}", CRC_32.checksum(json))
}

/// Appends the line of `record` to `out`. Fails, with `out` as it was, when the record is no JSON or longer than a line may be: a bug of ours.
pub(super) fn encode<T: Serialize>(record: &T, out: &mut Vec<u8>) -> Result<(), ErrorInfo> {
    let start = out.len();
    out.extend_from_slice(&[b' '; PREFIX_BYTES]);
    let written = serde_json::to_writer(&mut *out, record);
    out.push(b'\n');
    if written.is_err() || out.len() - start > LINE_BYTES_MAX {
        out.truncate(start);
        return Err(ErrorInfo::new(Code::Bug, "a record does not fit a journal's line"));
    }
    let json = start + PREFIX_BYTES;
    let crc = crc32(&out[json..out.len() - 1]);
    out[start..start + crc.len()].copy_from_slice(crc.as_bytes());
    Ok(())
}

/// The JSON of a whole line, its line feed included; `None` when a byte of it is not as it was written. Only the spelling that [`encode`] writes
/// is taken (an upper-case digit is a flipped bit too).
pub(super) fn decode(line: &[u8]) -> Option<&[u8]> {
    let (prefix, json) = line.strip_suffix(b"\n")?.split_at_checked(PREFIX_BYTES)?;
    (prefix.strip_suffix(b" ")? == crc32(json).as_bytes()).then_some(json)
}

/// True when a whole good line ends at a line feed of `bytes`, wherever it begins: also behind a line feed that was lost.
pub(super) fn holds_good_line(bytes: &[u8]) -> bool {
    bytes.split_inclusive(|&b| b == b'\n').any(|line| {
        // Only a place that looks like a prefix is worth a checksum, and JSON cannot hold another line's whole JSON at its own end.
        (0..line.len().saturating_sub(PREFIX_BYTES)).any(|at| {
            let like_hex = line[at..at + 8].iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            like_hex
                && decode(&line[at..]).is_some_and(|json| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_documented() {
        let mut out = Vec::new();
        encode(&serde_json::json!({"a": 1}), &mut out).expect("a line");
        // CRC-32/ISO-HDLC of {"a":1}, computed by zlib.
        assert_eq!(String::from_utf8(out).expect("text"), "561bacaf {\"a\":1}\n");
        assert_eq!(crc32(b"123456789"), "cbf43926");
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_nothing() {
        let mut out = b"before".to_vec();
        assert!(encode(&"x".repeat(LINE_BYTES_MAX), &mut out).is_err());
        assert_eq!(out, b"before");
        let fits = LINE_BYTES_MAX - PREFIX_BYTES - 3;
        assert!(encode(&"x".repeat(fits), &mut out).is_ok());
        assert!(encode(&"x".repeat(fits + 1), &mut out).is_err());
    }

    #[test]
    fn short_and_empty_lines_are_bad() {
        for line in [&b""[..], b"\n", b" \n", b"00000000\n", b"00000000 ", b"0000000 {}\n"] {
            assert_eq!(decode(line), None);
        }
    }
}
