//! Renew a multipart task (smh §5).

use super::access;
use super::look::{key_of, upload_not_found};
use super::parts::part_number_range;
use super::refusal::Refusal;
use super::start::{RENEW_GRANTS, traffic_limit};
use super::start_body::object;
use super::task::Kind;
use super::upload_info::upload_info;
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::switches::Deployment;

pub(crate) fn renew(exchange: &Exchange, body: &[u8]) -> Result<Answer, Refusal> {
    let (library, space, key) = key_of(exchange)?;
    let body = object(&exchange.head, body)?;
    let shared = &exchange.shared;
    let world = &mut *shared.world();
    let caller = access::check(exchange, world, library, space, RENEW_GRANTS)?;
    let limit = traffic_limit(&exchange.head)?;
    let parts = match world.switches.deployment {
        Deployment::Private => part_number_range(&body, world.switches.part_numbers)?,
        Deployment::Public if world.switches.part_numbers_refused && body.contains_key("partNumberRange") => {
            return Err(Refusal::param("`partNumberRange` is not known here"));
        }
        Deployment::Public => Vec::new(),
    };
    let task = world.smh.tasks.get_mut(key).filter(|t| t.space == space && t.confirmed.is_none());
    let task = task.ok_or_else(upload_not_found)?;
    caller.owns(task)?;
    if task.kind != Kind::Multipart {
        return Err(Refusal::new(404, "NotMultipartUpload", "only multipart tasks are renewed"));
    }
    task.traffic_limit = limit.or(task.traffic_limit);
    let info = upload_info(shared, world, key, &parts).ok_or_else(upload_not_found)?;
    Ok(Answer::json(200, &info))
}
