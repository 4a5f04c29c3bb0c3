//! An upload that failed or was cancelled is begun again with everything that was proven.

use super::{
    Facts,
    record::{Ending, Record, RestartReason, UploadRecord},
};
use crate::{error::Code, model::Conflict};

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
            // A pause or a cancel was the old one's, and what it waited for; what the operating system was given is void.
            Record::Wish { .. }
            | Record::Ending { .. }
            | Record::Waits(_)
            | Record::HandedOff { .. }
            | Record::HandedBack { .. } => {}
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

/// The records of an upload that is asked for once more after an earlier one of its key failed or was cancelled: what that one had proven, if it was for the
/// same place and cut alike; everything else as it is asked for now.
pub fn asked_again(records: Vec<Record>, asked: UploadRecord) -> Vec<Record> {
    let old = records.first().and_then(|record| match record {
        Record::Upload(old) => Some((old.id.clone(), fits(old, &asked), old.part_size_bytes, old.adopted.clone())),
        _ => None,
    });
    let Some((old_id, fits, part_size_bytes, adopted)) = old else { return vec![Record::Upload(Box::new(asked))] };
    let conflict = asked.conflict.clone();
    let asked = UploadRecord { continues: Some(old_id), ..asked };
    let Some(proof) = again(records, &asked.id, asked.created_unix_ms).filter(|_| fits) else {
        return vec![Record::Upload(Box::new(asked))];
    };
    let mut kept = vec![Record::Upload(Box::new(UploadRecord { part_size_bytes, adopted, ..asked }))];
    for record in proof.into_iter().skip(1) {
        match record {
            // What was said of the earlier one.
            Record::Source { .. } | Record::Tuned { .. } | Record::OnChange { .. } => {}
            Record::Conflict { .. } => kept.push(Record::Conflict { conflict: conflict.clone() }),
            record => kept.push(record),
        }
    }
    // A question that is open is answered by what is asked for now; the session stands by what it was begun with.
    let facts = Facts::new(kept.iter().cloned()).ok().filter(|facts| facts.conflict_asked);
    if let Some(facts) = facts.filter(|_| conflict != Conflict::Ask) {
        // What a begin may have made is not forgotten: none was begun then.
        if facts.begin_intent.is_none() {
            kept.push(Record::Restart { why: RestartReason::SessionGone });
        }
        kept.push(Record::Conflict { conflict });
    }
    kept
}

/// Whether what one upload proved is proof for the other.
fn fits(old: &UploadRecord, asked: &UploadRecord) -> bool {
    let cut_alike = asked.part_size_bytes.is_none() || asked.part_size_bytes == old.part_size_bytes;
    let adopts = asked.adopted.is_some() && asked.adopted != old.adopted;
    old.target == asked.target && old.verify_source == asked.verify_source && cut_alike && !adopts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{Facts, Remote, Wish},
        error::ErrorInfo,
        model::OnChange,
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

    fn upload(line: &str) -> UploadRecord {
        serde_json::from_str(line).expect("an upload")
    }

    const ASKED: &str = r#"{"id":"new","key":"k","created_unix_ms":5,"target":{"service":"smh"},"source":{"path":"b"},
        "priority":3,"conflict":"refuse"}"#;

    fn gone() -> Ending {
        Ending::Cancelled(Remote::Aborted)
    }

    #[test]
    fn asked_again_it_is_as_asked_for_now_with_what_was_proven() {
        let said = PARTS.to_owned()
            + r#"
            {"r":"source","source":{"path":"a"}}
            {"r":"tuned","tuning":{"priority":9}}
            {"r":"on_change","on_change":"restart"}
            {"r":"conflict","conflict":"keep_if_same"}"#;
        let records = asked_again(journal(&said, gone()), upload(ASKED));
        let facts = Facts::new(records).expect("facts");
        assert_eq!((facts.upload.id.as_str(), facts.upload.continues.as_deref()), ("new", Some("old")));
        assert_eq!((facts.bytes_proven, facts.upload.priority), (128, 3));
        assert_eq!(facts.upload.source.path.as_deref(), Some("b"));
        assert_eq!((facts.conflict, facts.on_change), (Conflict::Refuse, OnChange::Fail));
    }

    #[test]
    fn for_another_place_or_cut_nothing_is_proven() {
        let other_place = ASKED.replace(r#""service":"smh""#, r#""service":"smh","path":"elsewhere""#);
        let other_cut = ASKED.replace(r#""priority":3"#, r#""part_size_bytes":128"#);
        for asked in [other_place, other_cut] {
            let records = asked_again(journal(PARTS, gone()), upload(&asked));
            assert_eq!(records.len(), 1, "{asked}");
            assert_eq!(Facts::new(records).expect("facts").upload.continues.as_deref(), Some("old"));
        }
    }

    #[test]
    fn an_open_question_is_answered_by_what_is_asked_for_now() {
        let open = PARTS.to_owned()
            + r#"
            {"r":"conflict_asked"}"#;
        let facts = Facts::new(asked_again(journal(&open, gone()), upload(ASKED))).expect("facts");
        assert_eq!((facts.conflict_asked, facts.conflict, facts.bytes_proven), (false, Conflict::Refuse, 0));
        // One that had an answer is not open; the session goes on.
        let answered = open
            + r#"
            {"r":"conflict","conflict":"rename"}"#;
        let facts = Facts::new(asked_again(journal(&answered, gone()), upload(ASKED))).expect("facts");
        assert_eq!((facts.conflict_asked, facts.conflict, facts.bytes_proven), (false, Conflict::Refuse, 128));
    }

    #[test]
    fn nothing_to_begin_again() {
        assert!(again(journal("", Ending::Completed(Default::default())), "new", 5).is_none());
        let mut running = journal("", Ending::Cancelled(Remote::Aborted));
        running.pop();
        assert!(again(running, "new", 5).is_none());
    }
}
