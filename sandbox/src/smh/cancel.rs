//! Cancel a task (smh §8).

use super::access;
use super::look::{key_of, upload_not_found};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::exchange::Exchange;

/// 204 also after confirm: the file stays, the task goes.
pub(crate) async fn cancel(exchange: &Exchange) -> Result<Answer, Refusal> {
    let (library, space, key) = key_of(exchange)?;
    let gate = {
        let world = &mut *exchange.shared.world();
        let caller = access::check(exchange, world, library, space, super::start::RENEW_GRANTS)?;
        let task = world.smh.tasks.get(key).filter(|t| t.space == space).ok_or_else(upload_not_found)?;
        caller.owns(task)?;
        std::sync::Arc::clone(&task.gate)
    };
    let _held = gate.lock().await;
    exchange.shared.world().smh.tasks.remove(key).ok_or_else(upload_not_found)?;
    exchange.shared.log.wake();
    Ok(Answer::empty(204))
}
