//! Content that the service has already (smh §9.2).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::file_object::file_object;
use super::naming;
use super::refusal::Refusal;
use super::start::{Wanted, content_cas};
use super::start_body::{number, text};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::shared::World;
use crate::store::StoredObject;
use crate::switches::InstantScope;

/// The service recognises nothing smaller.
const SIZE_MIN: u64 = 1 << 20;

/// 202 or 200 when the content, or its beginning, is known; `None` when bytes must come.
pub(crate) async fn try_instant(
    exchange: &Exchange,
    wanted: &Wanted,
    body: &Map<String, Value>,
) -> Result<Option<Answer>, Refusal> {
    let beginning = hash(body, "beginningHash")?;
    let full = hash(body, "fullHash")?;
    let size = number(body, "size")?;
    let Some(size) = size.filter(|size| *size >= SIZE_MIN) else { return Ok(None) };
    if (beginning.is_none() && full.is_none()) || !exchange.shared.world().switches.instant {
        return Ok(None);
    }
    let shared = Arc::clone(&exchange.shared);
    // A panic while hashing is the sandbox's own; the content then counts as unknown.
    let _ = tokio::task::spawn_blocking(move || shared.complete_hashes(Some(size))).await;

    let world = &mut *exchange.shared.world();
    let one_space = world.switches.instant_scope == InstantScope::Space;
    let same = |object: &&StoredObject| {
        object.size == size
            && (!one_space || object.space == wanted.space)
            && (beginning.is_none() || object.beginning_hash == beginning)
            && (full.is_none() || object.full_hash == full)
    };
    let Some(known) = world.store.objects_of(Service::Smh).find(same).cloned() else { return Ok(None) };
    if full.is_none() {
        return Ok(Some(Answer::empty(202)));
    }
    let id = copy(exchange, world, wanted, known)?;
    let Some(object) = world.store.object(id) else { return Ok(None) };
    Ok(Some(Answer::json(200, &file_object(object, &world.switches, &exchange.head))))
}

fn copy(exchange: &Exchange, world: &mut World, wanted: &Wanted, known: StoredObject) -> Result<u64, Refusal> {
    let cas = content_cas(&exchange.head, world);
    let path = naming::place(&world.store, &wanted.space, &wanted.path, wanted.strategy, cas)?;
    super::start::check_quota(world, known.size)?;
    let now_ms = exchange.shared.clock.now_ms();
    let about = wanted.about.clone();
    let scratch = match &known.file {
        None => None,
        Some(file) => Some(world.store.place.duplicate(file).map_err(|e| Refusal::broken(&e))?),
    };
    let object = StoredObject {
        id: 0,
        space: wanted.space.clone(),
        content_type: super::names::media(path.last().map_or("", String::as_str)).0.to_owned(),
        path,
        created_ms: now_ms,
        modified_ms: now_ms,
        overwritten: 0,
        revision: 0,
        instant: true,
        parts: 0,
        metadata: about.metadata,
        labels: about.labels.unwrap_or_default(),
        category: about.category,
        local_creation_time: about.local_creation_time,
        local_modification_time: about.local_modification_time,
        confirm_key: None,
        file: None,
        ..known
    };
    let id = world.store.insert(object, scratch.as_ref().and_then(|s| s.path())).map_err(|e| Refusal::broken(&e))?;
    exchange.shared.log.wake();
    Ok(id)
}

fn hash(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match text(body, name)? {
        Some(hash) if hash.len() != 64 || !hash.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) => {
            Err(Refusal::param(format!("`{name}` is not a SHA-256 in lower-case hex")))
        }
        hash => Ok(hash),
    }
}
