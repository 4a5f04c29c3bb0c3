//! An upload that failed or was cancelled is begun again with everything that was proven.

use super::record::{Ending, Record, RestartReason};
use crate::error::Code;

/// The records of the new upload: those of the old one under a new id, less how it ended and what led to that. `None` when there is nothing to begin
/// again: it has not ended, or the object exists.
pub fn again(records: Vec<Record>, id: &str, unix_ms: i64) -> Option<Vec<Record>> {
    let ending = records.iter().rev().find_map(|record| match record {
        Record::Ending { ending, .. } => Some(ending.clone()),
        _ => None,
    })?;
    if matches!(ending, Ending::Completed(_)) {
        return None;
    }
    let mut plan = None;
    let mut kept = vec![];
    for record in records {
        match record {
            Record::Upload(upload) => {
                let continues = Some(upload.id.clone());
                let mut upload = *upload;
                upload.id = id.to_owned();
                upload.created_unix_ms = unix_ms;
                upload.continues = continues;
                kept.push(Record::Upload(Box::new(upload)));
            }
            // A pause or a cancel was the old one's; what the operating system was given is void.
            Record::Wish { .. } | Record::Ending { .. } | Record::HandedOff { .. } | Record::HandedBack { .. } => {}
            // How often the service put together something else is not held against the new one; the cut stays what it was.
            Record::Restart { why: RestartReason::Integrity } => {
                kept.push(Record::Restart { why: RestartReason::Changed });
                kept.extend(plan.clone());
            }
            Record::Plan { .. } => {
                plan = Some(record.clone());
                kept.push(record);
            }
            record => kept.push(record),
        }
    }
    // What it proved led to an object that is not the file: none of it is trusted.
    if matches!(&ending, Ending::Failed(error) if error.code == Code::IntegrityFailed) {
        kept.push(Record::Restart { why: RestartReason::Changed });
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Facts, Remote, Wish},
        error::ErrorInfo,
    };

    fn journal(middle: &str, ending: Ending) -> Vec<Record> {
        let upload =
            r#"{"r":"upload","id":"old","key":"k","created_unix_ms":1,"target":{"service":"smh"},"source":{}}"#;
        let plan = r#"{"r":"plan","plan":{"size_bytes":192,"part_size_bytes":64},"identity":{"size_bytes":192}}"#;
        let read = |line: &str| serde_json::from_str::<Record>(line).expect("a record");
        let mut records = vec![read(upload), read(plan)];
        records.extend(middle.lines().map(str::trim).filter(|line| !line.is_empty()).map(read));
        records.push(Record::Wish { wish: Wish::Cancel });
        records.push(Record::Ending { ending, unix_ms: 2 });
        records
    }

    const PARTS: &str = r#"
        {"r":"part","part_number":1,"crc64":"7"}
        {"r":"part","part_number":3,"crc64":"9"}"#;

    #[test]
    fn all_proof_is_kept_and_the_old_wish_is_not() {
        for ending in [Ending::Cancelled(Remote::Aborted), Ending::Failed(ErrorInfo::new(Code::GaveUp, "over"))] {
            let facts = Facts::new(again(journal(PARTS, ending), "new", 5).expect("begun again")).expect("facts");
            assert_eq!((facts.upload.id.as_str(), facts.upload.continues.as_deref()), ("new", Some("old")));
            assert_eq!((facts.upload.created_unix_ms, facts.bytes_proven, facts.proven.len()), (5, 128, 2));
            assert!(facts.ending.is_none() && facts.wish == Wish::Run);
        }
    }

    #[test]
    fn what_made_a_wrong_object_is_not_trusted_again() {
        let wrong = Ending::Failed(ErrorInfo::new(Code::IntegrityFailed, "other bytes"));
        let restarted = r#"{"r":"restart","why":"integrity"}"#.to_owned() + PARTS;
        let facts = Facts::new(again(journal(&restarted, wrong), "new", 5).expect("begun again")).expect("facts");
        assert_eq!((facts.proven.len(), facts.integrity_restarts), (0, 0));
        // Another end after the restart keeps what was proven since.
        let gone = Ending::Cancelled(Remote::Aborted);
        let facts = Facts::new(again(journal(&restarted, gone), "new", 5).expect("begun again")).expect("facts");
        assert_eq!((facts.proven.len(), facts.integrity_restarts), (2, 0));
    }

    #[test]
    fn nothing_to_begin_again() {
        assert!(again(journal("", Ending::Completed(Default::default())), "new", 5).is_none());
        let mut running = journal("", Ending::Cancelled(Remote::Aborted));
        running.pop();
        assert!(again(running, "new", 5).is_none());
    }
}
