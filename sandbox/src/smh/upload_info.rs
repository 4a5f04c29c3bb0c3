//! What a client needs to send bytes: the answer of start and renew, and `uploadPartInfo` of get task (smh §2, §3, §5).

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::sign::{PartScope, Signed};
use super::task::{Kind, Task};
use crate::clock::iso8601;
use crate::shared::{Shared, World};
use crate::switches::Deployment;

/// COS's own upper bound, in bits a second.
const TRAFFIC_LIMIT_MAX: u64 = 838_860_800;

/// Signs a task once more; `None` if there is no such task. `parts` are the numbers that the private deployment was
/// asked for.
pub(crate) fn upload_info(shared: &Shared, world: &mut World, key: &str, parts: &[u32]) -> Option<Value> {
    let now_ms = shared.clock.now_ms();
    let ttl_ms = i64::try_from(world.switches.link_ttl_ms).unwrap_or(i64::MAX);
    let task = world.smh.tasks.get_mut(key)?;
    task.generation += 1;
    let task = task.clone();
    let signed = Signed { generation: task.generation, from_ms: now_ms, until_ms: now_ms.saturating_add(ttl_ms) };
    let mut info = json!({
        "domain": shared.domain(),
        "path": task.object_path,
        "confirmKey": task.confirm_key,
        "expiration": iso8601(signed.until_ms),
        "availableDomainNum": domain_num(world),
    });
    if task.kind == Kind::Multipart {
        info["uploadId"] = json!(task.upload_id);
    }
    match (task.kind, world.switches.deployment) {
        (Kind::Form, _) => {
            info["path"] = json!("/");
            info["form"] = form(world, &task, signed);
        }
        (Kind::Multipart, Deployment::Private) => info["parts"] = part_headers(world, &task, signed, parts),
        (Kind::Simple, Deployment::Private) => {
            let scope = PartScope { path: &task.object_path, upload_id: "", part: None };
            info["headers"] = strings(world.smh.signer.part_headers(scope, signed));
        }
        (Kind::Simple | Kind::Multipart, Deployment::Public) => info["headers"] = cos_headers(world, &task, signed),
    }
    Some(info)
}

pub(crate) fn domain_num(world: &World) -> Value {
    if world.switches.domain_num_as_string { json!("1") } else { json!(1) }
}

fn cos_headers(world: &World, task: &Task, signed: Signed) -> Value {
    let mut headers = vec![("Content-Type".to_owned(), task.content_type().to_owned())];
    if task.kind == Kind::Simple {
        headers.push(("Cache-Control".to_owned(), "max-age=31536000".to_owned()));
        headers.push(("x-cos-acl".to_owned(), "default".to_owned()));
        headers.push(("x-cos-storage-class".to_owned(), "STANDARD".to_owned()));
    }
    let numeric = world.switches.numeric_headers;
    let limit = task.traffic_limit.map(|limit| limit.saturating_mul(8).min(TRAFFIC_LIMIT_MAX));
    if let Some(limit) = limit.or(numeric.then_some(TRAFFIC_LIMIT_MAX)) {
        headers.push(("x-cos-traffic-limit".to_owned(), limit.to_string()));
    }
    let mut headers = strings(world.smh.signer.cos_headers(headers, &task.object_path, signed));
    if numeric && let Some(limit) = headers["x-cos-traffic-limit"].as_str().and_then(|l| l.parse::<u64>().ok()) {
        headers["x-cos-traffic-limit"] = json!(limit);
    }
    headers
}

fn part_headers(world: &World, task: &Task, signed: Signed, parts: &[u32]) -> Value {
    let one = |n: &u32| {
        let scope = PartScope { path: &task.object_path, upload_id: &task.upload_id, part: Some(*n) };
        (n.to_string(), json!({ "headers": strings(world.smh.signer.part_headers(scope, signed)) }))
    };
    Value::Object(parts.iter().map(one).collect())
}

fn form(world: &World, task: &Task, signed: Signed) -> Value {
    let key = task.object_path.trim_start_matches('/');
    let policy = json!({
        "expiration": iso8601(signed.until_ms),
        "conditions": [{ "key": key }, { "acl": "default" }, ["starts-with", "$Content-Type", ""]],
    });
    let policy = base64::engine::general_purpose::STANDARD.encode(policy.to_string());
    let mut fields = vec![
        ("key".to_owned(), key.to_owned()),
        ("acl".to_owned(), "default".to_owned()),
        ("Content-Type".to_owned(), task.content_type().to_owned()),
    ];
    fields.extend(world.smh.signer.form_fields(&policy, signed, &task.object_path));
    strings(fields)
}

fn strings(pairs: Vec<(String, String)>) -> Value {
    Value::Object(pairs.into_iter().map(|(n, v)| (n, Value::String(v))).collect::<Map<_, _>>())
}
