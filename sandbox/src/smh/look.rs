//! Looking without changing: get task (smh §6) and HEAD file (smh §1.3).

use serde_json::{Value, json};

use super::access;
use super::names::{self, What};
use super::refusal::Refusal;
use super::task::{Kind, Strategy, Task};
use super::upload_info::{domain_num, upload_info};
use crate::answer::Answer;
use crate::clock::iso8601;
use crate::exchange::Exchange;
use crate::random::to_hex;
use crate::route::Target;
use crate::store::Standing;
use crate::switches::{Deployment, Switches};

/// Library, space and confirm key of a call on a task.
pub(crate) fn key_of(exchange: &Exchange) -> Result<(&str, &str, &str), Refusal> {
    match &exchange.route.target {
        Target::Space { library, space, rest } => Ok((library, space, rest)),
        _ => Err(Refusal::new(404, "RouteNotFound", "there is no such call")),
    }
}

pub(crate) fn upload_not_found() -> Refusal {
    Refusal::new(404, "UploadNotFound", "there is no such upload task")
}

pub(crate) fn task(exchange: &Exchange) -> Result<Answer, Refusal> {
    let (library, space, key) = key_of(exchange)?;
    let shared = &exchange.shared;
    let world = &mut *shared.world();
    let caller = access::check(exchange, world, library, space, &[])?;
    let private = world.switches.deployment == Deployment::Private;
    let without_info = exchange.head.flag("no_upload_part_info");
    if private && !without_info {
        return Err(Refusal::param("uploadPartInfo is unsupported under current deployment"));
    }
    let task = world.smh.tasks.get(key).filter(|t| t.space == space).ok_or_else(upload_not_found)?.clone();
    caller.owns(&task)?;
    let path = match &task.confirmed {
        Some(file) => file["path"].clone(),
        None if world.store.parent_exists(space, &task.path) => json!(task.path),
        None => Value::Null,
    };
    let mut body = json!({
        "confirmed": task.confirmed.is_some(),
        "path": path,
        "type": names::media(task.path.last().map_or("", String::as_str)).1,
        "creationTime": iso8601(task.created_ms),
        "conflictResolutionStrategy": task.strategy.name(),
        "force": task.strategy == Strategy::Overwrite,
        "availableDomainNum": domain_num(world),
    });
    if task.kind == Kind::Multipart {
        body["uploadId"] = json!(if task.confirmed.is_some() { "" } else { task.upload_id.as_str() });
        body["parts"] = listed(&task, &world.switches);
    }
    if task.kind == Kind::Multipart && task.confirmed.is_none() && !without_info {
        let mut info = upload_info(shared, world, key, &[]).ok_or_else(upload_not_found)?;
        if let Value::Object(info) = &mut info {
            info.remove("confirmKey");
            info.remove("availableDomainNum");
        }
        if world.switches.part_info_path_without_slash {
            info["path"] = json!(task.object_path.trim_start_matches('/'));
        }
        body["uploadPartInfo"] = info;
    }
    Ok(Answer::json(200, &body))
}

fn listed(task: &Task, switches: &Switches) -> Value {
    let shown = task.parts.iter().filter(|(n, _)| !switches.list_parts_hidden.contains(n));
    let parts = shown.take(switches.list_parts_max.unwrap_or(usize::MAX)).map(|(n, part)| {
        json!({
            "PartNumber": n,
            "LastModified": iso8601(part.modified_ms),
            "ETag": format!("\"{}\"", to_hex(&part.tag)),
            "Size": part.size,
        })
    });
    Value::Array(parts.collect())
}

pub(crate) fn head(exchange: &Exchange) -> Result<Answer, Refusal> {
    let (library, space, rest) = key_of(exchange)?;
    let world = &mut *exchange.shared.world();
    access::check(exchange, world, library, space, &[])?;
    let path = names::parse(rest, What::File)?;
    let object = match world.store.at(space, &path) {
        Standing::Object(id) => world.store.object(id),
        _ => None,
    };
    let Some(object) = object else { return Err(Refusal::new(404, "FileNotFound", "there is no such file")) };
    Ok(Answer::empty(200)
        .with("x-smh-type", names::media(object.name()).1)
        .with("x-smh-size", object.size.to_string())
        .with("x-smh-crc64", object.crc64.to_string())
        .with("x-smh-etag", object.etag.clone())
        .with("x-smh-creation-time", iso8601(object.created_ms)))
}
