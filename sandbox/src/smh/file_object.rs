//! A finished file as the API shows it (smh §7.3).

use serde_json::{Value, json};

use super::names;
use crate::clock::iso8601;
use crate::head::Head;
use crate::store::StoredObject;
use crate::switches::Switches;

pub(crate) fn file_object(object: &StoredObject, switches: &Switches, head: &Head) -> Value {
    let (content_type, kind) = names::media(object.name());
    let number = |n: u64| if switches.size_as_number { json!(n) } else { json!(n.to_string()) };
    let mut body = json!({
        "path": object.path,
        "name": object.name(),
        "type": kind,
        "creationTime": iso8601(object.created_ms),
        "modificationTime": iso8601(object.modified_ms),
        "contentType": content_type,
        "size": number(object.size),
        "eTag": object.etag,
        "crc64": number(object.crc64),
        "isOverwritten": object.overwritten > 0,
        "virusAuditStatus": 0,
        "previewByDoc": false,
        "previewByCI": kind != "file",
        "previewAsIcon": kind == "image",
    });
    if !object.metadata.is_empty() {
        body["metaData"] = json!(object.metadata);
    }
    if !object.labels.is_empty() {
        body["labels"] = json!(object.labels);
    }
    let texts = [
        ("category", &object.category),
        ("localCreationTime", &object.local_creation_time),
        ("localModificationTime", &object.local_modification_time),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            body[name] = json!(text);
        }
    }
    if head.flag("with_inode") {
        body["inode"] = json!(format!("{:016x}", object.id));
    }
    if head.flag("with_content_cas") {
        body["contentCas"] = json!(content_cas(object));
    }
    body
}

/// Changes with each content.
pub(crate) fn content_cas(object: &StoredObject) -> String {
    format!("{}-{}-{}", object.id, object.revision, object.crc64)
}
