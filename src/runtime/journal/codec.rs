//! The codec on bytes in memory: for the simulator, whose disk is no file.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Id,
    line::{self, Header},
    scan::scan_from,
};
use crate::error::ErrorInfo;

/// The header line and the lines of the first records, as a new journal holds them.
pub fn create<R: Serialize>(id: Id, records: &[R]) -> Result<Vec<u8>, ErrorInfo> {
    let mut text = Vec::new();
    line::encode(&Header::of(id), &mut text)?;
    for record in records {
        line::encode(record, &mut text)?;
    }
    Ok(text)
}

/// Appends the line of one record.
pub fn append<R: Serialize>(record: &R, text: &mut Vec<u8>) -> Result<(), ErrorInfo> {
    line::encode(record, text)
}

/// The records of a journal and the length of its good beginning: what follows is a torn end. `None` when it is damaged.
pub fn read<R: DeserializeOwned>(id: Id, text: &[u8]) -> Option<(Vec<R>, usize)> {
    let scan = scan_from(text, text.len() as u64, id, |records| records.collect()).ok()?;
    Some((scan.records, usize::try_from(scan.good_bytes).ok()?))
}
