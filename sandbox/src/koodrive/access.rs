//! Who asks, and whether they may (koodrive §2, §8).

use super::app_auth;
use super::refusal::{Code, Refusal};
use super::switches::{AuthRefusal, KoodriveSwitches};
use super::upload::Upload;
use crate::clock::parse_compact;
use crate::exchange::Exchange;
use crate::shared::World;

/// `X-Date` may be so old.
const DATE_AGE_MS_MAX: i64 = 900_000;
const TRACE_ID_CHARS: usize = 58;

/// The caller of a call.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) user: String,
    /// What the proof of a flash upload is made from (koodrive §3.4).
    pub(crate) proof_origin: String,
    /// The shared folder that the call works in.
    pub(crate) share: Option<String>,
}

impl Caller {
    /// A call works in the folder that create worked in.
    pub(crate) fn owns(&self, upload: &Upload) -> Result<(), Refusal> {
        if self.share != upload.share {
            return Err(Refusal::business(13_000_411, "the file is not in this space"));
        }
        Ok(())
    }
}

/// Checks the headers of a call and whose it is.
pub(crate) fn check(exchange: &Exchange, world: &mut World, body: &[u8]) -> Result<Caller, Refusal> {
    let (head, config) = (&exchange.head, &exchange.shared.config.koodrive);
    let switches = &world.switches.koodrive;
    let denied = |why: &str| unauthorized(switches, why);
    let now_ms = exchange.shared.clock.now_ms();
    let Some(authorization) = head.header("authorization") else { return Err(denied("Authorization is missing")) };
    let user = head.header("x-user-id");
    let by_app = authorization.starts_with(app_auth::ALGORITHM);
    if by_app {
        let date = head.header("x-date").ok_or_else(|| denied("X-Date is missing"))?;
        check_date(date, now_ms).map_err(denied)?;
        app_auth::check(&config.apps, head, authorization, body).map_err(|why| denied(&why))?;
    } else if !world.koodrive.tokens.used(authorization, now_ms, switches.token_idle_ms) {
        return Err(denied("the token is unknown or over"));
    } else {
        check_token_headers(exchange, switches, now_ms)?;
    }
    if user.is_some_and(|user| !config.users.is_empty() && !config.users.iter().any(|u| u == user)) {
        return Err(denied("there is no such user"));
    }
    let trace_id =
        |text: &str| text.len() == TRACE_ID_CHARS && text.bytes().all(|c| c == b'_' || c.is_ascii_alphanumeric());
    if head.header("x-traceid").is_some_and(|text| !trace_id(text)) {
        return Err(Refusal::param("X-Traceid is not 58 letters, digits and underscores"));
    }
    let user = user.unwrap_or("").to_owned();
    Ok(Caller {
        proof_origin: if by_app { user.clone() } else { authorization.to_owned() },
        user,
        share: head.header("x-hw-share-folder-id").map(str::to_owned),
    })
}

fn check_token_headers(exchange: &Exchange, switches: &KoodriveSwitches, now_ms: i64) -> Result<(), Refusal> {
    let head = &exchange.head;
    if let Some(name) = ["x-user-id", "x-date"].into_iter().find(|name| head.header(name).is_none())
        && switches.headers_required
    {
        return Err(Refusal::param(format!("{name} is missing")));
    }
    match head.header("x-date") {
        Some(date) if switches.check_date => check_date(date, now_ms).map_err(Refusal::param),
        _ => Ok(()),
    }
}

fn check_date(date: &str, now_ms: i64) -> Result<(), &'static str> {
    let at_ms = parse_compact(date).ok_or("X-Date is not yyyyMMdd'T'HHmmss'Z'")?;
    if at_ms > now_ms {
        return Err("X-Date is in the future");
    }
    if now_ms - at_ms > DATE_AGE_MS_MAX {
        return Err("X-Date is more than 15 minutes ago");
    }
    Ok(())
}

pub(crate) fn unauthorized(switches: &KoodriveSwitches, why: &str) -> Refusal {
    let (status, code) = match switches.auth_refusal {
        AuthRefusal::Gateway => (401, Code::Gateway("APIGW.0301".to_owned())),
        AuthRefusal::Business401 => (401, Code::Business(13_000_101)),
        AuthRefusal::Business400 => (400, Code::Business(13_000_101)),
    };
    Refusal { status, code, message: format!("authentication failed: {why}"), more: Vec::new() }
}

/// The container that a call names.
pub(crate) fn container(exchange: &Exchange, given: Option<&str>, required: bool) -> Result<String, Refusal> {
    let known = &exchange.shared.config.koodrive.container;
    match given {
        None | Some("") if required => Err(super::fields::missing("containerId")),
        None | Some("") => Ok(known.clone()),
        Some(given) if given == known => Ok(known.clone()),
        Some(_) => Err(Refusal::business(13_000_301, "the space does not exist")),
    }
}
