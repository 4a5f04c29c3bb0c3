//! Tencent Smart Media Hosting.

mod access;
mod cancel;
mod confirm;
mod data;
mod directory;
mod file_object;
mod form;
mod instant;
mod look;
mod names;
mod naming;
mod parts;
mod refusal;
mod renew;
mod route;
mod sign;
mod start;
mod start_body;
mod task;
mod token_call;
mod tokens;
mod upload_info;

use crate::answer::Answer;
use crate::body::{Body, End};
use crate::exchange::Exchange;
use crate::faults::{Plane, Step};
use crate::route::{Route, Target};

pub(crate) use refusal::Refusal;
pub(crate) use route::route;
pub(crate) use sign::Signer;
pub(crate) use task::{Kind, Task, Tasks};
pub(crate) use tokens::Tokens;

/// A body on the API is JSON of a few fields.
pub(crate) const API_BODY_BYTES_MAX: usize = 1 << 20;

/// What the service knows.
#[derive(Debug)]
pub(crate) struct Smh {
    pub(crate) tasks: Tasks,
    pub(crate) tokens: Tokens,
    pub(crate) signer: Signer,
    /// API calls in this second of the service's clock.
    second: i64,
    calls: u64,
}

impl Smh {
    pub(crate) fn new(tokens: &[String]) -> Self {
        Self { tasks: Tasks::default(), tokens: Tokens::fixed(tokens), signer: Signer::new(), second: 0, calls: 0 }
    }

    /// The remote path that a request is about; empty when it is unknown.
    pub(crate) fn remote_path(&mut self, route: &Route) -> String {
        let task = match &route.target {
            Target::Space { rest, .. } if is_by_key(route.step) => self.tasks.get(rest),
            Target::Space { rest, .. } => return rest.clone(),
            Target::Object { path, .. } => self.tasks.of_object(path).map(|t| &*t),
            Target::Token { .. } | Target::File(_) | Target::Nothing => None,
        };
        task.map(|t| t.path.join("/")).unwrap_or_default()
    }

    pub(crate) fn forget_newest(&mut self) {
        if let Some(key) = self.tasks.newest_key() {
            self.tasks.remove(&key);
        }
    }

    /// Forgets the task that a request speaks of.
    pub(crate) fn forget_of(&mut self, route: &Route) {
        let key = match &route.target {
            Target::Space { rest, .. } if is_by_key(route.step) => Some(rest.clone()),
            Target::Object { path, .. } => self.tasks.of_object(path).map(|t| t.confirm_key.clone()),
            _ => None,
        };
        if let Some(key) = key {
            self.tasks.remove(&key);
        }
    }
}

pub(crate) fn is_begin(step: Step) -> bool {
    matches!(step, Step::Begin | Step::SimpleBegin | Step::FormBegin)
}

fn is_by_key(step: Step) -> bool {
    matches!(step, Step::Renew | Step::Task | Step::Confirm | Step::Cancel)
}

/// The service's answer.
pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Answer, End> {
    let answered = match exchange.plane {
        Plane::Data => data::handle(exchange, body).await?,
        _ => match body.whole(API_BODY_BYTES_MAX).await? {
            None => Err(Refusal::new(413, "RequestEntityTooLarge", "the body is longer than 1 MiB")),
            Some(bytes) => api(exchange, &bytes).await,
        },
    };
    Ok(match answered {
        Ok(answer) => identified(answer, exchange),
        Err(refusal) => refused(exchange, &refusal),
    })
}

async fn api(exchange: &Exchange, body: &[u8]) -> Result<Answer, Refusal> {
    paced(exchange)?;
    match exchange.route.step {
        Step::Begin => start::start(exchange, Kind::Multipart, body).await,
        Step::SimpleBegin => start::start(exchange, Kind::Simple, body).await,
        Step::FormBegin => start::start(exchange, Kind::Form, body).await,
        Step::Renew => renew::renew(exchange, body),
        Step::Task => look::task(exchange),
        Step::Confirm => confirm::confirm(exchange, body).await,
        Step::Cancel => cancel::cancel(exchange).await,
        Step::Head => look::head(exchange),
        Step::Mkdir => directory::make(exchange),
        Step::Info => directory::info(exchange),
        Step::Token => token_call::token(exchange),
        _ => Err(Refusal::new(404, "RouteNotFound", "there is no such call")),
    }
}

/// What time does to the service: tasks that are too old go, and so many calls a second are answered.
fn paced(exchange: &Exchange) -> Result<(), Refusal> {
    let world = &mut *exchange.shared.world();
    let now_ms = exchange.shared.clock.now_ms();
    if let Some(ttl_ms) = world.switches.task_ttl_ms {
        world.smh.tasks.remove_before(now_ms.saturating_sub_unsigned(ttl_ms));
    }
    let second = now_ms.div_euclid(1_000);
    if world.smh.second != second {
        (world.smh.second, world.smh.calls) = (second, 0);
    }
    world.smh.calls += 1;
    match world.switches.api_calls_per_s_max {
        Some(max) if world.smh.calls > max => Err(Refusal::new(429, "RateLimitExceeded", "too many calls in a second")),
        _ => Ok(()),
    }
}

/// Adds the request ids that every answer carries (smh §11.1).
fn identified(answer: Answer, exchange: &Exchange) -> Answer {
    if exchange.plane == Plane::Data {
        return answer.with("Server", "tencent-cos").with("x-cos-request-id", exchange.request_id.clone());
    }
    answer.with("x-request-id", exchange.request_id.clone()).with("x-smh-request-id", exchange.request_id.clone())
}

fn refused(exchange: &Exchange, refusal: &Refusal) -> Answer {
    let as_200 = exchange.shared.world().switches.errors_as_200;
    let answer = refusal.answer(exchange.plane, &exchange.head.path, &exchange.request_id, as_200);
    if exchange.head.method == "HEAD" {
        return identified(Answer::empty(refusal.status), exchange);
    }
    identified(answer, exchange)
}

/// The answer of a fault: `code` in the service's error body.
pub(crate) fn made_up(exchange: &Exchange, status: u16, code: Option<String>, message: Option<String>) -> Answer {
    let code = code.unwrap_or_else(|| refusal::usual_code(exchange.plane, status).to_owned());
    let refusal = Refusal { status, code, message: message.unwrap_or_else(|| "made up by a rule".to_owned()) };
    if status < 300 {
        return identified(Answer::empty(status), exchange);
    }
    identified(refusal.answer(exchange.plane, &exchange.head.path, &exchange.request_id, false), exchange)
}

pub(crate) fn refuse_token(exchange: &Exchange) -> Answer {
    refused(exchange, &tokens::invalid_access_token())
}
