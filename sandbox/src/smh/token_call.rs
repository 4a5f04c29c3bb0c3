//! `/api/v1/token…` (smh §10).

use serde_json::json;

use super::refusal::Refusal;
use super::tokens::{Token, invalid_access_token};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::random;
use crate::route::Target;

const PERIOD_S: u64 = 86_400;
const PERIOD_S_MAX: u64 = 315_360_000;

pub(crate) fn token(exchange: &Exchange) -> Result<Answer, Refusal> {
    let Target::Token { library, token } = &exchange.route.target else {
        return Err(Refusal::new(404, "RouteNotFound", "there is no such call"));
    };
    match (exchange.head.method.as_str(), library, token) {
        ("GET" | "POST", None, None) => create(exchange),
        ("POST", Some(library), Some(token)) => renew(exchange, library, token),
        ("DELETE", Some(library), Some(token)) => delete(exchange, library, token),
        ("DELETE", Some(library), None) => delete_of_user(exchange, library),
        _ => Err(Refusal::new(404, "RouteNotFound", "there is no such call")),
    }
}

fn create(exchange: &Exchange) -> Result<Answer, Refusal> {
    let head = &exchange.head;
    let library = head.param("library_id").unwrap_or("");
    check_secret(exchange, library)?;
    let world = &mut *exchange.shared.world();
    let least = world.switches.token_period_s_min;
    let period_s = match head.param("period") {
        None => PERIOD_S,
        Some(text) => text
            .parse()
            .ok()
            .filter(|p| (least..=PERIOD_S_MAX).contains(p))
            .ok_or_else(|| Refusal::param(format!("period is out of {least}..={PERIOD_S_MAX} seconds")))?,
    };
    let list = |name: &str| head.param(name).unwrap_or("").split(',').filter(|s| !s.is_empty()).map(str::to_owned);
    let period_ms = i64::try_from(period_s).unwrap_or(i64::MAX).saturating_mul(1000);
    let token = Token {
        spaces: list("space_id").collect(),
        user: head.param("user_id").unwrap_or("").to_owned(),
        client: head.param("client_id").unwrap_or("").to_owned(),
        grants: list("grant").collect(),
        period_ms,
        expires_ms: Some(exchange.shared.clock.now_ms().saturating_add(period_ms)),
    };
    let text = random::hex(32);
    world.smh.tokens.add(text.clone(), token);
    Ok(given(&text, period_ms))
}

fn renew(exchange: &Exchange, library: &str, text: &str) -> Result<Answer, Refusal> {
    check_library(exchange, library)?;
    let now_ms = exchange.shared.clock.now_ms();
    let world = &mut *exchange.shared.world();
    let period_ms = world.smh.tokens.used(text, now_ms)?.period_ms;
    Ok(given(text, period_ms))
}

fn delete(exchange: &Exchange, library: &str, text: &str) -> Result<Answer, Refusal> {
    check_library(exchange, library)?;
    if exchange.shared.world().smh.tokens.revoke(text) { Ok(Answer::empty(204)) } else { Err(invalid_access_token()) }
}

fn delete_of_user(exchange: &Exchange, library: &str) -> Result<Answer, Refusal> {
    check_secret(exchange, library)?;
    let head = &exchange.head;
    let user = head.param("user_id").filter(|u| !u.is_empty()).ok_or_else(|| Refusal::param("user_id is missing"))?;
    let client = head.param("client_id");
    let of_user = |token: &Token| token.user == user && client.is_none_or(|client| token.client == client);
    exchange.shared.world().smh.tokens.retain(|token| !of_user(token));
    Ok(Answer::empty(204))
}

fn given(text: &str, period_ms: i64) -> Answer {
    Answer::json(200, &json!({ "accessToken": text, "expiresIn": period_ms / 1000 }))
}

fn check_library(exchange: &Exchange, library: &str) -> Result<(), Refusal> {
    if library == exchange.shared.config.library { Ok(()) } else { Err(invalid_access_token()) }
}

fn check_secret(exchange: &Exchange, library: &str) -> Result<(), Refusal> {
    let config = &exchange.shared.config;
    let secret = exchange.head.param("library_secret").unwrap_or("");
    if library.is_empty() || secret.is_empty() {
        return Err(Refusal::new(400, "EmptyLibraryIdOrSecret", "library_id or library_secret is missing"));
    }
    if library != config.library || secret != config.library_secret {
        return Err(Refusal::new(404, "WrongLibraryIdOrSecret", "there is no such library, or its secret is another"));
    }
    Ok(())
}
