//! The three start calls (smh §1.4, §2, §3).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::access;
use super::instant;
use super::names::{self, What};
use super::naming;
use super::parts::part_number_range;
use super::refusal::Refusal;
use super::start_body::{about, number, object};
use super::task::{About, Kind, Strategy, Task};
use super::upload_info::upload_info;
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::faults::Service;
use crate::head::Head;
use crate::random;
use crate::route::Target;
use crate::shared::World;
use crate::switches::{Deployment, Shape};

/// What a start asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) space: String,
    pub(crate) path: Vec<String>,
    pub(crate) strategy: Strategy,
    pub(crate) user: String,
    pub(crate) about: About,
}

pub(crate) async fn start(exchange: &Exchange, kind: Kind, body: &[u8]) -> Result<Answer, Refusal> {
    let head = &exchange.head;
    let Target::Space { library, space, rest } = &exchange.route.target else {
        return Err(Refusal::new(404, "RouteNotFound", "there is no such call"));
    };
    let body = object(head, body)?;
    if let Some(other) = ["copyFrom", "from", "linkTo"].into_iter().find(|name| body.contains_key(*name)) {
        return Err(Refusal::param(format!(
            "`{other}` makes this a copy, move or link, which the sandbox does not do"
        )));
    }
    let strategy = strategy(head)?.unwrap_or(Strategy::Rename);
    let wanted = {
        let world = &mut *exchange.shared.world();
        let caller = access::check(exchange, world, library, space, begin_grants(strategy))?;
        let path = names::parse(rest, What::File)?;
        let wanted = Wanted { space: space.clone(), path, strategy, user: caller.user, about: about(head, &body)? };
        check_room(head, &body, world, &wanted)?;
        wanted
    };
    if let Some(answer) = instant::try_instant(exchange, &wanted, &body).await? {
        return Ok(answer);
    }
    begin(exchange, kind, wanted, &body)
}

fn begin(exchange: &Exchange, kind: Kind, wanted: Wanted, body: &Map<String, Value>) -> Result<Answer, Refusal> {
    let shared = &exchange.shared;
    let world = &mut *shared.world();
    let private = world.switches.deployment == Deployment::Private && kind == Kind::Multipart;
    if !private && world.switches.part_numbers_refused && body.contains_key("partNumberRange") {
        return Err(Refusal::param("`partNumberRange` is not known here"));
    }
    let parts = if private { part_number_range(body, world.switches.part_numbers)? } else { Vec::new() };
    let confirm_key = random::hex(32);
    let name = wanted.path.last().map_or("", String::as_str);
    let object_path = format!("/smh{}/{}{}", random::hex(6), random::hex(12), names::extension(name));
    let upload_id = if kind == Kind::Multipart {
        format!("{}{}", shared.clock.now_ms() / 1000, random::hex(24))
    } else {
        String::new()
    };
    world.smh.tasks.add(Task {
        confirm_key: confirm_key.clone(),
        kind,
        upload_id,
        object_path,
        space: wanted.space,
        path: wanted.path,
        strategy: wanted.strategy,
        user: wanted.user,
        created_ms: shared.clock.now_ms(),
        traffic_limit: traffic_limit(&exchange.head)?,
        generation: 0,
        about: wanted.about,
        parts: BTreeMap::new(),
        confirmed: None,
        sealed: false,
        gate: std::sync::Arc::default(),
    });
    let info = upload_info(shared, world, &confirm_key, &parts).unwrap_or_default();
    shared.log.wake();
    Ok(Answer::json(world.switches.start_status, &info))
}

/// Directories, names and space, before anything is made.
fn check_room(head: &Head, body: &Map<String, Value>, world: &World, wanted: &Wanted) -> Result<(), Refusal> {
    traffic_limit(head)?;
    let filesize = match head.param("filesize") {
        Some(text) => Some(text.parse::<u64>().map_err(|_| Refusal::param("filesize is not a whole number"))?),
        None => number(body, "size")?,
    };
    match (world.switches.body_size, body.get("size")) {
        (Shape::Text, Some(Value::Number(_))) => return Err(Refusal::param("`size` must be a string")),
        (Shape::Numbers, Some(Value::String(_))) => return Err(Refusal::param("`size` must be a number")),
        _ => {}
    }
    let name = wanted.path.last().map_or("", String::as_str);
    if world.switches.extensions_refused && !names::extension(name).is_empty() {
        return Err(Refusal::new(400, "ExtnameNotAllowed", "names with an extension are not taken"));
    }
    if !world.store.parent_exists(&wanted.space, &wanted.path) {
        return Err(Refusal::new(404, "DirectoryNotFound", "the parent directory does not exist"));
    }
    if world.switches.conflict_at.at_start() {
        naming::place(&world.store, &wanted.space, &wanted.path, wanted.strategy, content_cas(head, world))?;
    }
    if world.switches.quota_at.at_start() {
        check_quota(world, filesize.unwrap_or(0))?;
    }
    Ok(())
}

pub(crate) fn check_quota(world: &World, size: u64) -> Result<(), Refusal> {
    match world.switches.quota_bytes {
        Some(quota) if world.store.bytes(Service::Smh).saturating_add(size) > quota => {
            Err(Refusal::new(400, "QuotaLimitReached", "the library has no space left"))
        }
        _ => Ok(()),
    }
}

/// The private deployment ignores it (smh §1.4).
pub(crate) fn content_cas<'a>(head: &'a Head, world: &World) -> Option<&'a str> {
    head.param("content_cas").filter(|_| world.switches.deployment == Deployment::Public)
}

pub(crate) fn strategy(head: &Head) -> Result<Option<Strategy>, Refusal> {
    let Some(text) = head.param("conflict_resolution_strategy") else { return Ok(None) };
    let unknown = || Refusal::new(400, "InvalidConflictResolutionStrategy", "ask, rename or overwrite");
    Strategy::parse(text).map(Some).ok_or_else(unknown)
}

pub(crate) fn traffic_limit(head: &Head) -> Result<Option<u64>, Refusal> {
    let Some(text) = head.param("traffic_limit") else { return Ok(None) };
    match text.parse() {
        Ok(limit @ 102_400..=104_857_600) => Ok(Some(limit)),
        _ => Err(Refusal::param("traffic_limit is out of 102400..=104857600 bytes a second")),
    }
}

/// `_force` is the form that may overwrite (smh §10).
fn begin_grants(strategy: Strategy) -> &'static [&'static str] {
    match strategy {
        Strategy::Overwrite => &["upload_file_force", "begin_upload_force"],
        _ => &["upload_file", "upload_file_force", "begin_upload", "begin_upload_force"],
    }
}

pub(crate) const RENEW_GRANTS: &[&str] = &["upload_file", "upload_file_force", "begin_upload", "begin_upload_force"];
pub(crate) const CONFIRM_GRANTS: &[&str] = &["upload_file", "upload_file_force", "confirm_upload"];
