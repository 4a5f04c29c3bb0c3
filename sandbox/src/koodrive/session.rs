//! Refresh of a session (koodrive §8.1).

use serde_json::{Value, json};

use super::refusal::Refusal;
use super::{access, app_auth};
use crate::exchange::Exchange;
use crate::random;

/// Gives a new token for one that lives; the old one goes on.
pub(crate) fn refresh(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    let world = &mut *exchange.shared.world();
    let head = &exchange.head;
    if head.header("authorization").is_some_and(|value| value.starts_with(app_auth::ALGORITHM)) {
        return Err(access::unauthorized(&world.switches.koodrive, "sessions are not for applications"));
    }
    access::check(exchange, world, body)?;
    if head.header("x-session-id").is_none_or(str::is_empty) {
        return Err(Refusal::param("x-session-id is missing"));
    }
    let token = format!("Bearer {}", random::hex(24));
    world.koodrive.tokens.add(&token);
    Ok(json!({ "accessToken": token }))
}
