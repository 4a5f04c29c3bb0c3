//! Complete a task: check what came, make the object (smh §7).

use std::path::PathBuf;
use std::sync::Arc;

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest, Md5};
use serde_json::Value;

use super::access;
use super::file_object::file_object;
use super::look::{key_of, upload_not_found};
use super::naming;
use super::refusal::Refusal;
use super::start::{CONFIRM_GRANTS, check_quota, content_cas, strategy};
use super::start_body::{about, object, text};
use super::task::{About, Kind, Strategy, Task};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::random::to_hex;
use crate::shared::World;
use crate::store::{Scratch, StoredObject};
use crate::switches::{ConfirmAgain, Switches};

pub(crate) async fn confirm(exchange: &Exchange, body: &[u8]) -> Result<Answer, Refusal> {
    let (library, space, key) = key_of(exchange)?;
    let body = object(&exchange.head, body)?;
    let crc64 = match text(&body, "crc64")? {
        None => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| Refusal::param("`crc64` is not a decimal number"))?),
    };
    let said = Said { crc64, strategy: strategy(&exchange.head)?, about: about(&exchange.head, &body)? };
    let gate = {
        let world = &mut *exchange.shared.world();
        let caller = access::check(exchange, world, library, space, CONFIRM_GRANTS)?;
        let task = world.smh.tasks.get(key).filter(|t| t.space == space).ok_or_else(upload_not_found)?;
        caller.owns(task)?;
        Arc::clone(&task.gate)
    };
    let _held = gate.lock().await;
    let content = {
        let world = &mut *exchange.shared.world();
        let task = world.smh.tasks.get(key).ok_or_else(upload_not_found)?;
        if let Some(file) = &task.confirmed {
            return again(&world.switches, file);
        }
        let content = check_content(task, &world.switches, said.crc64)?;
        if world.switches.quota_at.at_confirm() {
            check_quota(world, content.size)?;
        }
        placed(exchange, world, task, &said)?;
        if let Some(task) = world.smh.tasks.get_mut(key) {
            task.sealed = true;
        }
        content
    };
    let _seal = Seal { exchange, key };
    let place = exchange.shared.world().store.place.clone();
    let pieces = content.pieces.clone();
    let assembled = tokio::task::spawn_blocking(move || place.join(&pieces)).await;
    let assembled = match assembled {
        Ok(assembled) => assembled.map_err(|e| Refusal::broken(&e))?,
        Err(_) => return Err(Refusal::broken(&std::io::Error::other("the object could not be made"))),
    };
    let answer = finish(exchange, key, &said, &content, assembled);
    // Nobody who waits for the log is kept from looking at what it tells.
    exchange.shared.log.wake();
    answer
}

/// Opens the task again when confirm ends in any way, the client's going included.
struct Seal<'a> {
    exchange: &'a Exchange,
    key: &'a str,
}

impl Drop for Seal<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.exchange.shared.world().smh.tasks.get_mut(self.key) {
            task.sealed = false;
        }
    }
}

/// What confirm says beside its key.
struct Said {
    crc64: Option<u64>,
    strategy: Option<Strategy>,
    about: About,
}

/// What an object will consist of.
struct Content {
    pieces: Vec<PathBuf>,
    size: u64,
    crc64: u64,
    etag: String,
    parts: u32,
}

fn again(switches: &Switches, file: &Value) -> Result<Answer, Refusal> {
    match switches.confirm_again {
        ConfirmAgain::Same => Ok(Answer::json(200, file)),
        ConfirmAgain::Refuse => Err(Refusal::new(409, "UploadComplete", "the task is confirmed already")),
    }
}

fn check_content(task: &Task, switches: &Switches, crc64: Option<u64>) -> Result<Content, Refusal> {
    if task.parts.is_empty() {
        return Err(Refusal::new(switches.upload_incomplete_status, "UploadIncomplete", "nothing was uploaded"));
    }
    if !task.parts.keys().copied().eq(1..=u32::try_from(task.parts.len()).unwrap_or(u32::MAX)) {
        return Err(Refusal::new(400, "MultipartUploadIncomplete", "the parts are not contiguous from 1"));
    }
    let parts: Vec<_> = task.parts.values().collect();
    if parts.iter().rev().skip(1).any(|part| part.size < switches.part_size_bytes_min) {
        return Err(Refusal::new(400, "MultipartUploadPartTooSmall", "a part that is not the last is too small"));
    }
    let size = parts.iter().map(|part| part.size).sum();
    let all = parts.iter().fold(0, |crc, part| checksum_combine(CrcAlgorithm::Crc64Xz, crc, part.crc64, part.size));
    if crc64.is_some_and(|crc| crc != all) {
        return Err(Refusal::new(400, "BadCrc64", "the content has another crc64"));
    }
    let etag = match (task.kind, parts.first()) {
        (Kind::Simple | Kind::Form, Some(part)) => format!("\"{}\"", to_hex(&part.tag)),
        _ => {
            let tags = parts.iter().fold(Md5::new(), |md5, part| md5.chain_update(part.tag));
            format!("\"{}-{}\"", to_hex(&tags.finalize()), parts.len())
        }
    };
    let count = if task.kind == Kind::Multipart { u32::try_from(parts.len()).unwrap_or(u32::MAX) } else { 0 };
    let pieces = parts.iter().filter_map(|part| part.file.clone()).collect();
    Ok(Content { pieces, size, crc64: all, etag, parts: count })
}

fn placed(exchange: &Exchange, world: &World, task: &Task, said: &Said) -> Result<Vec<String>, Refusal> {
    let strategy = said.strategy.unwrap_or(task.strategy);
    // A service that notices conflicts at start only must put a file somewhere all the same.
    let strategy = if world.switches.conflict_at.at_confirm() || strategy == Strategy::Overwrite {
        strategy
    } else {
        Strategy::Rename
    };
    naming::place(&world.store, &task.space, &task.path, strategy, content_cas(&exchange.head, world))
}

fn finish(
    exchange: &Exchange,
    key: &str,
    said: &Said,
    content: &Content,
    assembled: Option<Scratch>,
) -> Result<Answer, Refusal> {
    let world = &mut *exchange.shared.world();
    let task = world.smh.tasks.get(key).ok_or_else(upload_not_found)?;
    let path = placed(exchange, world, task, said)?;
    let mut about = task.about.clone();
    about.updated_by(said.about.clone());
    let now_ms = exchange.shared.clock.now_ms();
    let object = StoredObject {
        id: 0,
        service: Service::Smh,
        space: task.space.clone(),
        content_type: super::names::media(path.last().map_or("", String::as_str)).0.to_owned(),
        path,
        size: content.size,
        crc64: content.crc64,
        etag: content.etag.clone(),
        sha256: None,
        md5: None,
        beginning_hash: None,
        full_hash: None,
        file: None,
        created_ms: now_ms,
        modified_ms: now_ms,
        overwritten: 0,
        revision: 0,
        instant: false,
        parts: content.parts,
        metadata: about.metadata,
        labels: about.labels.unwrap_or_default(),
        category: about.category,
        local_creation_time: about.local_creation_time,
        local_modification_time: about.local_modification_time,
        confirm_key: Some(key.to_owned()),
        file_id: None,
    };
    let assembled = assembled.as_ref().and_then(|s| s.path());
    let id = world.store.insert(object, assembled).map_err(|e| Refusal::broken(&e))?;
    let file = world.store.object(id).map(|o| file_object(o, &world.switches, &exchange.head)).unwrap_or_default();
    if let Some(task) = world.smh.tasks.get_mut(key) {
        task.confirmed = Some(file.clone());
        for part in std::mem::take(&mut task.parts).into_values() {
            crate::store::remove(part.file.as_deref());
        }
    }
    Ok(Answer::json(200, &file))
}
