//! Huawei KooDrive.

mod access;
mod app_auth;
mod complete;
mod create;
mod create_body;
mod data;
mod detail;
mod fields;
mod flash;
mod links;
mod midstate;
mod names;
mod parts;
mod refusal;
mod renew;
mod route;
mod session;
mod sign;
mod switches;
mod tokens;
mod upload;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::body::{Body, End};
use crate::config::KoodriveConfig;
use crate::exchange::Exchange;
use crate::faults::{Plane, Step};
use crate::route::{Route, Target};

use refusal::{Refusal, code_value};
pub(crate) use route::{look_inside, owns, route, speaks_in_body};
use sign::Signer;
pub use switches::{AuthRefusal, KoodriveSwitches, TimeForm, UnfinishedDetail};
pub(crate) use tokens::Tokens;
pub(crate) use upload::Upload;
use upload::Uploads;

/// The longest is a call of 100 parts.
pub(crate) const API_BODY_BYTES_MAX: usize = 1 << 20;

/// What the service knows.
#[derive(Debug)]
pub(crate) struct KooDrive {
    pub(crate) uploads: Uploads,
    pub(crate) tokens: Tokens,
    signer: Signer,
}

impl KooDrive {
    pub(crate) fn new(config: &KoodriveConfig) -> Self {
        Self { uploads: Uploads::default(), tokens: Tokens::of(&config.tokens), signer: Signer::new() }
    }

    /// The remote path that a request is about; empty when it is unknown.
    pub(crate) fn remote_path(&mut self, route: &Route) -> String {
        let upload = match &route.target {
            Target::Space { rest, .. } => return rest.clone(),
            Target::File(id) => self.uploads.get(id),
            Target::Object { path, .. } => self.uploads.of_object(path).map(|u| &*u),
            Target::Token { .. } | Target::Nothing => None,
        };
        upload.map(|u| u.path.join("/")).unwrap_or_default()
    }

    /// Forgets the upload that a request speaks of.
    pub(crate) fn forget_of(&mut self, route: &Route) {
        let id = match &route.target {
            Target::File(id) => Some(id.clone()),
            Target::Object { path, .. } => self.uploads.of_object(path).map(|u| u.file_id.clone()),
            _ => None,
        };
        if let Some(id) = id {
            self.uploads.remove(&id);
        }
    }
}

/// The service's answer.
pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Answer, End> {
    let answered = match exchange.plane {
        Plane::Data => data::handle(exchange, body).await?,
        _ => match body.whole(API_BODY_BYTES_MAX).await? {
            None => Err(Refusal::gateway(413, "APIGW.0201", "the body is longer than 1 MiB")),
            Some(bytes) => api(exchange, &bytes).await.map(|body| good(exchange, body)),
        },
    };
    Ok(match answered {
        Ok(answer) => identified(answer, exchange),
        Err(refusal) => refused(exchange, &refusal),
    })
}

async fn api(exchange: &Exchange, body: &[u8]) -> Result<Value, Refusal> {
    match exchange.route.step {
        Step::Begin => create::create(exchange, body),
        Step::Renew => renew::renew(exchange, body),
        Step::Confirm => complete::complete(exchange, body).await,
        Step::Task => detail::detail(exchange, body),
        Step::Token => session::refresh(exchange, body),
        _ => Err(Refusal::gateway(404, "APIGW.0101", "The API does not exist or has not been published")),
    }
}

fn good(exchange: &Exchange, mut body: Value) -> Answer {
    let as_string = exchange.shared.world().switches.koodrive.code_as_string;
    body["code"] = code_value(0, as_string);
    if body["msg"].is_null() {
        body["msg"] = json!("Success.");
    }
    Answer::json(200, &body)
}

/// Adds the request ids that every answer carries.
fn identified(answer: Answer, exchange: &Exchange) -> Answer {
    let id = exchange.request_id.clone();
    match exchange.plane {
        Plane::Data => answer.with("Server", "OBS").with("x-amz-request-id", id),
        _ => answer.with("X-request-id", id),
    }
}

fn refused(exchange: &Exchange, refusal: &Refusal) -> Answer {
    let (as_200, as_string) = {
        let switches = &exchange.shared.world().switches.koodrive;
        (switches.errors_as_200, switches.code_as_string)
    };
    identified(refusal.answer(&exchange.request_id, as_200, as_string), exchange)
}

/// The answer of a fault: `code` in the service's error body.
pub(crate) fn made_up(exchange: &Exchange, status: u16, code: Option<String>, message: Option<String>) -> Answer {
    if status < 300 && code.is_none() {
        return identified(Answer::empty(status), exchange);
    }
    let refusal = Refusal::made_up(exchange.plane, status, code.filter(|c| !c.is_empty()), message);
    let as_string = exchange.shared.world().switches.koodrive.code_as_string;
    identified(refusal.answer(&exchange.request_id, false, as_string), exchange)
}

pub(crate) fn refuse_token(exchange: &Exchange) -> Answer {
    let refusal = access::unauthorized(&exchange.shared.world().switches.koodrive, "the token is unknown or over");
    refused(exchange, &refusal)
}
