//! A journal for a bug report: what happened in which order, and nothing of a person's.

use serde_json::{Value, json};

use super::record::{Ending, Record};
use crate::model::Identity;

/// One record without names, paths, tokens, the service's handles and the host's own words.
pub fn line(record: &Record) -> Value {
    match record {
        Record::Upload(upload) => json!({
            "record": "upload",
            "id": upload.id,
            "created_unix_ms": upload.created_unix_ms,
            "service": upload.target.service().name(),
            "source": if upload.source.path.is_some() { "path" } else { "host" },
            "token_bytes": upload.source.token.len(),
            "conflict": upload.conflict,
            "on_change": upload.on_change,
            "instant": upload.instant,
            "network": upload.network,
            "verify_source": upload.verify_source,
            "part_size_bytes": upload.part_size_bytes,
            "parallel_parts": upload.parallel_parts,
            "rate_bytes_per_s": upload.rate_bytes_per_s,
            "give_up_after_ms": upload.give_up_after_ms,
            "adopted": upload.adopted.is_some(),
            "continues": upload.continues,
        }),
        Record::Plan { plan, identity } => json!({ "record": "plan", "plan": plan, "source": source(identity) }),
        Record::Session { .. } => json!({ "record": "session" }),
        Record::Alive { unix_ms } => json!({ "record": "alive", "unix_ms": unix_ms }),
        Record::Try { part_number } => json!({ "record": "try", "part_number": part_number }),
        Record::Part { part_number, crc64 } => {
            json!({ "record": "part", "part_number": part_number, "crc64": crc64.to_string() })
        }
        Record::Missing { part_numbers } => json!({ "record": "missing", "part_numbers": part_numbers }),
        Record::Identity { identity } => json!({ "record": "identity", "source": source(identity) }),
        Record::Hashed { part_number, crc64, .. } => {
            json!({ "record": "hashed", "part_number": part_number, "crc64": crc64.to_string() })
        }
        Record::BeginIntent { proof } => json!({ "record": "begin_intent", "size_bytes": proof.size_bytes }),
        Record::BeginNo { looked } => json!({ "record": "begin_no", "looked": looked }),
        Record::BeginTaken => json!({ "record": "begin_taken" }),
        Record::BeginRefused => json!({ "record": "begin_refused" }),
        Record::CompleteIntent { proof } => json!({ "record": "complete_intent", "size_bytes": proof.size_bytes }),
        Record::CompleteNo { looked } => json!({ "record": "complete_no", "looked": looked }),
        Record::Settled => json!({ "record": "settled" }),
        Record::ConflictAsked { .. } => json!({ "record": "conflict_asked" }),
        Record::Conflict { conflict } => json!({ "record": "conflict", "conflict": conflict }),
        Record::OnChange { on_change } => json!({ "record": "on_change", "on_change": on_change }),
        Record::Wish { wish } => json!({ "record": "wish", "wish": wish }),
        Record::Tuned { tuning } => json!({ "record": "tuned", "tuning": tuning }),
        Record::Waits(wait) => json!({ "record": "waits", "waits": wait.waits.name(), "error": wait.error }),
        Record::Source { source } => {
            json!({ "record": "source", "source": if source.path.is_some() { "path" } else { "host" } })
        }
        Record::HandedOff { part_numbers, .. } => json!({ "record": "handed_off", "part_numbers": part_numbers }),
        Record::HandedBack { .. } => json!({ "record": "handed_back" }),
        Record::Restart { why } => json!({ "record": "restart", "why": why }),
        Record::Ending { ending, unix_ms } => {
            json!({ "record": "ending", "unix_ms": unix_ms, "ending": ended(ending) })
        }
    }
}

fn source(identity: &Identity) -> Value {
    json!({
        "size_bytes": identity.size_bytes,
        "has_times": identity.mtime_ns.is_some(),
        "has_inode": identity.inode.is_some(),
    })
}

fn ended(ending: &Ending) -> Value {
    match ending {
        Ending::Completed(receipt) => json!({
            "completed": { "size_bytes": receipt.size_bytes, "instant": receipt.instant, "overwritten": receipt.overwritten,
                "request_id": receipt.request_id.as_deref().and_then(crate::redact::label) },
        }),
        Ending::Failed(error) => json!({ "failed": error }),
        Ending::Cancelled(remote) => json!({ "cancelled": remote }),
    }
}
