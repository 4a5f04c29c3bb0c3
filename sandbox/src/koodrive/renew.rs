//! UploadUrl: links for more parts, or new ones (koodrive §4).

use serde_json::{Value, json};

use super::fields::{Fields, missing};
use super::links::links;
use super::refusal::Refusal;
use super::{access, parts};
use crate::exchange::Exchange;

pub(crate) fn renew(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    let world = &mut *exchange.shared.world();
    let caller = access::check(exchange, world, body)?;
    let fields = Fields::of(&exchange.head, body)?;
    let file_id = fields.some_text("fileId")?;
    let list = fields.list("multiParts")?.filter(|list| !list.is_empty()).ok_or_else(|| missing("multiParts"))?;
    let asked = parts::read(list, &world.switches.koodrive)?;
    let koodrive = &mut world.koodrive;
    let upload = koodrive.uploads.get_mut(&file_id).filter(|u| !u.sealed).ok_or_else(Refusal::no_task)?;
    caller.owns(upload)?;
    parts::plan(upload, &asked, &world.switches.koodrive)?;
    let numbers: Vec<u32> = asked.iter().map(|part| part.number).collect();
    let parts = links(&exchange.shared, &world.switches, &koodrive.signer, upload, &numbers);
    exchange.shared.log.wake();
    Ok(json!({ "multiParts": parts }))
}
