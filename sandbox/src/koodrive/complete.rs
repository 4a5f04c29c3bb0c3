//! Complete: check what came, make the object (koodrive §6).

use std::path::PathBuf;
use std::sync::Arc;

use crc_fast::{CrcAlgorithm, checksum_combine};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::create::{Spot, check_quota};
use super::fields::Fields;
use super::midstate::{INITIAL, Midstate};
use super::refusal::Refusal;
use super::switches::KoodriveSwitches;
use super::upload::{Came, Upload};
use super::{access, flash, names};
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::random::to_hex;
use crate::store::{Scratch, StoredObject};
use crate::switches::ConfirmAgain;

pub(crate) async fn complete(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    let (file_id, said, gate) = {
        let world = &mut *exchange.shared.world();
        let caller = access::check(exchange, world, body)?;
        let fields = Fields::of(&exchange.head, body)?;
        let (file_id, said) = (fields.some_text("fileId")?, fields.digest("sha256")?);
        let finished = || world.store.objects_of(Service::Koodrive).any(|o| o.file_id.as_ref() == Some(&file_id));
        if world.switches.koodrive.complete_again == ConfirmAgain::Same && finished() {
            return Ok(json!({ "msg": "success." }));
        }
        let upload = world.koodrive.uploads.get_mut(&file_id).ok_or_else(Refusal::no_task)?;
        caller.owns(upload)?;
        if upload.change_state_failures < world.switches.koodrive.change_state_failures {
            upload.change_state_failures += 1;
            return Err(Refusal::business(13_000_403, "change file state failed"));
        }
        (file_id, said, Arc::clone(&upload.gate))
    };
    let _held = gate.lock().await;
    let made = make(exchange, &file_id, said.as_deref()).await;
    let world = &mut *exchange.shared.world();
    if made.as_ref().is_err_and(Refusal::is_integrity) && world.switches.koodrive.integrity_failure_ends_upload {
        world.koodrive.uploads.remove(&file_id);
    }
    made
}

async fn make(exchange: &Exchange, file_id: &str, said: Option<&str>) -> Result<Value, Refusal> {
    let (content, place, discard) = {
        let world = &mut *exchange.shared.world();
        let upload = world.koodrive.uploads.get_mut(file_id).ok_or_else(Refusal::no_task)?;
        let content = Content::of(upload, &world.switches.koodrive)?;
        if let Some(sha256) = &content.sha256 {
            check_digest(upload, said, sha256)?;
        }
        upload.sealed = true;
        (content, world.store.place.clone(), world.switches.discard)
    };
    let _seal = Seal { exchange, file_id };
    let (pieces, known) = (content.pieces.clone(), content.sha256.clone());
    let made = tokio::task::spawn_blocking(move || {
        let whole = match place.join(&pieces)? {
            None if !discard => Some(place.scratch()?.1),
            whole => whole,
        };
        let sha256 = match (known, whole.as_ref().and_then(Scratch::path)) {
            (None, Some(path)) => Some(Midstate::of_file(path)?),
            (known, _) => known,
        };
        Ok((whole, sha256))
    });
    let made: std::io::Result<_> =
        made.await.unwrap_or_else(|_| Err(std::io::Error::other("the object could not be made")));
    let (whole, sha256) = made.map_err(|e| Refusal::broken(&e))?;
    finish(exchange, file_id, said, &Content { sha256, ..content }, whole)
}

/// Opens the upload again when complete ends in any way, the client's going included.
struct Seal<'a> {
    exchange: &'a Exchange,
    file_id: &'a str,
}

impl Drop for Seal<'_> {
    fn drop(&mut self) {
        if let Some(upload) = self.exchange.shared.world().koodrive.uploads.get_mut(self.file_id) {
            upload.sealed = false;
        }
    }
}

/// What an object will consist of.
struct Content {
    pieces: Vec<PathBuf>,
    size: u64,
    crc64: u64,
    etag: String,
    parts: u32,
    /// `None`: only the whole tells.
    sha256: Option<String>,
}

impl Content {
    fn of(upload: &Upload, switches: &KoodriveSwitches) -> Result<Self, Refusal> {
        let parts: Vec<&Came> = upload.parts.values().collect();
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        if !upload.parts.keys().copied().eq(1..=count) {
            return Err(Refusal::integrity("the parts are not contiguous from 1"));
        }
        let size = parts.iter().map(|came| came.part.size).sum();
        if size != upload.wanted.length {
            return Err(Refusal::integrity("the parts are not as long as the file"));
        }
        if parts.iter().rev().skip(1).any(|came| came.part.size < switches.part_size_bytes_min) {
            return Err(Refusal::integrity("a part that is not the last is too small"));
        }
        let sha256 = chained(upload)?;
        let crc64 = parts.iter().map(|came| (came.part.crc64, came.part.size));
        let tags = parts.iter().fold(Md5::new(), |md5, came| md5.chain_update(came.part.tag));
        Ok(Self {
            pieces: parts.iter().filter_map(|came| came.part.file.clone()).collect(),
            size,
            crc64: crc64.fold(0, |crc, (next, size)| checksum_combine(CrcAlgorithm::Crc64Xz, crc, next, size)),
            etag: format!("\"{}-{count}\"", to_hex(&tags.finalize())),
            parts: count,
            sha256,
        })
    }
}

/// The digest at the end of the chain of contexts; `None` when a part has none.
fn chained(upload: &Upload) -> Result<Option<String>, Refusal> {
    let mut end = Midstate::at(INITIAL, 0);
    let mut offset = 0;
    for (number, came) in &upload.parts {
        let planned = upload.plan.get(number).ok_or_else(|| Refusal::integrity("a part was not planned"))?;
        if planned.offset.is_some_and(|said| said != offset) {
            return Err(Refusal::integrity(&format!("part {number} begins elsewhere")));
        }
        if *number > 1 && planned.context.is_none() {
            return Ok(None);
        }
        if planned.context.is_some() && planned.context != end.words() {
            return Err(Refusal::integrity(&format!("the context of part {number} is not the state before it")));
        }
        let Some(next) = &came.end else { return Ok(None) };
        end = next.clone();
        offset += came.part.size;
    }
    Ok(Some(end.digest()))
}

fn check_digest(upload: &Upload, said: Option<&str>, sha256: &str) -> Result<(), Refusal> {
    let wrong = |wanted: Option<&str>| wanted.is_some_and(|wanted| wanted != sha256);
    if wrong(said) || wrong(upload.wanted.sha256.as_deref()) {
        return Err(Refusal::integrity("the content has another SHA-256"));
    }
    Ok(())
}

fn finish(
    exchange: &Exchange,
    file_id: &str,
    said: Option<&str>,
    content: &Content,
    whole: Option<Scratch>,
) -> Result<Value, Refusal> {
    let world = &mut *exchange.shared.world();
    let upload = world.koodrive.uploads.get(file_id).ok_or_else(Refusal::no_task)?;
    if let Some(sha256) = &content.sha256 {
        check_digest(upload, said, sha256)?;
    }
    if world.switches.koodrive.quota_at.at_confirm() {
        check_quota(world, content.size)?;
    }
    let now_ms = exchange.shared.clock.now_ms();
    let wanted = &upload.wanted;
    let path = names::place(world, &upload.container, &upload.path, wanted.rename, Some(file_id), now_ms)?;
    let spot = Spot { container: upload.container.clone(), path };
    let object = StoredObject {
        size: content.size,
        crc64: content.crc64,
        etag: content.etag.clone(),
        sha256: content.sha256.clone(),
        parts: content.parts,
        created_ms: upload.created_ms,
        ..flash::object(&spot, wanted, file_id, now_ms)
    };
    let whole = whole.as_ref().and_then(Scratch::path);
    world.store.insert(object, whole).map_err(|e| Refusal::broken(&e))?;
    world.koodrive.uploads.remove(file_id);
    exchange.shared.log.wake();
    Ok(json!({ "msg": "success." }))
}
