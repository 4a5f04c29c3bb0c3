//! Detail of a file (koodrive §7).

use serde_json::{Value, json};

use super::access;
use super::fields::Fields;
use super::names;
use super::refusal::Refusal;
use super::switches::UnfinishedDetail;
use super::upload::Upload;
use crate::clock::iso8601;
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::route::Target;
use crate::store::StoredObject;

pub(crate) fn detail(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    let world = &mut *exchange.shared.world();
    access::check(exchange, world, body)?;
    let fields = Fields::of(&exchange.head, body)?;
    access::container(exchange, fields.text("containerId")?.as_deref(), true)?;
    let Target::File(id) = &exchange.route.target else { return Err(absent()) };
    let found = world.store.objects_of(Service::Koodrive).find(|o| o.file_id.as_ref() == Some(id));
    if let Some(object) = found {
        return Ok(finished(object, id));
    }
    let declared = world.switches.koodrive.unfinished_detail == UnfinishedDetail::Declared;
    world.koodrive.uploads.get(id).filter(|_| declared).map(unfinished).ok_or_else(absent)
}

fn absent() -> Refusal {
    Refusal::business(13_000_309, "the resource does not exist")
}

fn finished(object: &StoredObject, id: &str) -> Value {
    let mut detail = common(id, &object.space, &object.path);
    detail["fileType"] = json!(object.category);
    detail["mimeType"] = json!(object.content_type);
    detail["createdTime"] = json!(iso8601(object.created_ms));
    detail["editedTime"] = json!(iso8601(object.modified_ms));
    detail["size"] = json!(object.size);
    detail["sha256"] = json!(object.sha256);
    if let Some(description) = object.metadata.get("description") {
        detail["description"] = json!(description);
    }
    detail
}

fn unfinished(upload: &Upload) -> Value {
    let mut detail = common(&upload.file_id, &upload.container, &upload.path);
    detail["fileType"] = json!(upload.wanted.file_type);
    detail["mimeType"] = json!(upload.wanted.mime_type);
    detail["createdTime"] = json!(iso8601(upload.created_ms));
    detail["size"] = json!(upload.wanted.length);
    detail["sha256"] = json!(upload.wanted.sha256);
    detail["owners"] = json!([upload.user]);
    detail["state"] = json!("uploading");
    detail
}

fn common(id: &str, container: &str, path: &[String]) -> Value {
    let (name, parents) = path.split_last().map_or(("", path), |(name, parents)| (name.as_str(), parents));
    let parent = if parents.is_empty() { names::root_id(container) } else { parents.join("/") };
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    json!({
        "id": id,
        "fileName": name,
        "fileSuffix": suffix,
        "fullFileSuffix": suffix,
        "recycled": false,
        "parentFolder": [parent],
        "containers": [container],
    })
}
