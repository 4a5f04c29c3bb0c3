//! Create: the metadata of a file, and links for its first parts (koodrive §3).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, Caller};
use super::create_body::Wanted;
use super::fields::Fields;
use super::links::links;
use super::names::{self, Rename};
use super::refusal::Refusal;
use super::sign::BUCKET;
use super::upload::Upload;
use super::{flash, parts};
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::shared::World;
use crate::store::Standing;

/// What create and complete know of where a file goes.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) container: String,
    /// As asked for.
    pub(crate) path: Vec<String>,
}

pub(crate) fn create(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    let world = &mut *exchange.shared.world();
    let caller = access::check(exchange, world, body)?;
    let fields = Fields::of(&exchange.head, body)?;
    let wanted = Wanted::read(&fields, &world.switches.koodrive)?;
    let required = world.switches.koodrive.container_required;
    let container = access::container(exchange, wanted.container.as_deref(), required)?;
    let spot = Spot { path: path(world, &container, &wanted)?, container };
    let now_ms = exchange.shared.clock.now_ms();

    if let Some(existing) = same(world, &spot, &wanted) {
        return Ok(existing);
    }
    let path = names::place(world, &spot.container, &spot.path, wanted.rename, None, now_ms)?;
    if world.switches.koodrive.quota_at.at_start() {
        check_quota(world, wanted.length)?;
    }
    let spot = Spot { path, ..spot };
    if let Some(object) = flash::known(world, &caller, &wanted)? {
        let id = flash::copy(exchange, world, &spot, &wanted, object)?;
        let mut answer = described(&spot, &id);
        answer["rapidUpload"] = json!(true);
        return Ok(answer);
    }
    begin(exchange, world, &caller, spot, wanted)
}

fn begin(
    exchange: &Exchange,
    world: &mut World,
    caller: &Caller,
    spot: Spot,
    wanted: Wanted,
) -> Result<Value, Refusal> {
    let now_ms = exchange.shared.clock.now_ms();
    let mut upload = Upload {
        file_id: names::file_id(),
        upload_id: names::upload_id(now_ms),
        object_path: format!("/{BUCKET}/{}", names::object_key()),
        container: spot.container.clone(),
        path: spot.path.clone(),
        user: caller.user.clone(),
        share: caller.share.clone(),
        created_ms: now_ms,
        plan: BTreeMap::new(),
        parts: BTreeMap::new(),
        links: HashMap::new(),
        links_signed: 0,
        change_state_failures: 0,
        sealed: false,
        gate: Arc::default(),
        wanted,
    };
    let asked = std::mem::take(&mut upload.wanted.parts);
    parts::plan(&mut upload, &asked, &world.switches.koodrive)?;
    let numbers: Vec<u32> = asked.iter().map(|part| part.number).collect();
    let mut answer = described(&spot, &upload.file_id);
    answer["uploadId"] = json!(upload.upload_id);
    answer["multiParts"] = links(&exchange.shared, &world.switches, &world.koodrive.signer, &mut upload, &numbers);
    world.koodrive.uploads.add(upload);
    exchange.shared.log.wake();
    Ok(answer)
}

/// What every answer of create tells.
fn described(spot: &Spot, file_id: &str) -> Value {
    json!({
        "fileId": file_id,
        "containerId": spot.container,
        "fileName": spot.path.last(),
        "parentFolder": [parent_id(spot)],
        "exist": false,
    })
}

fn parent_id(spot: &Spot) -> String {
    match spot.path.split_last() {
        Some((_, parents)) if !parents.is_empty() => parents.join("/"),
        _ => names::root_id(&spot.container),
    }
}

/// Where the file goes, if its folder exists.
fn path(world: &World, container: &str, wanted: &Wanted) -> Result<Vec<String>, Refusal> {
    let parent = &wanted.parent;
    let mut path: Vec<String> = match parent.as_str() {
        "root" => Vec::new(),
        id if id == names::root_id(container) => Vec::new(),
        id => id.split('/').map(str::to_owned).collect(),
    };
    path.push(wanted.name.clone());
    if !world.store.parent_exists(container, &path) {
        return Err(Refusal::business(13_000_309, "the folder does not exist"));
    }
    Ok(path)
}

/// The answer about a file of this name and content, if it is asked for.
fn same(world: &World, spot: &Spot, wanted: &Wanted) -> Option<Value> {
    if wanted.rename != Rename::Auto {
        return None;
    }
    let Standing::Object(id) = world.store.at(&spot.container, &spot.path) else { return None };
    let object = world.store.object(id)?;
    let same = object.sha256.is_some() && object.sha256 == wanted.sha256 && object.size == wanted.length;
    let mut answer = described(spot, object.file_id.as_deref().filter(|_| same)?);
    answer["exist"] = json!(true);
    Some(answer)
}

pub(crate) fn check_quota(world: &World, size: u64) -> Result<(), Refusal> {
    match world.switches.koodrive.quota_bytes {
        Some(quota) if world.store.bytes(Service::Koodrive).saturating_add(size) > quota => {
            Err(Refusal::business(13_000_311, "the space has no room left"))
        }
        _ => Ok(()),
    }
}
