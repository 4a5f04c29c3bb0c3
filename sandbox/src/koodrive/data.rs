//! The storage: PUT of a part (koodrive §5). Everything that the head tells is checked before the body is read.

use super::links::parse_context;
use super::midstate::{INITIAL, Midstate};
use super::refusal::Refusal;
use super::sign::Signed;
use super::upload::{Came, Planned, Upload};
use crate::answer::Answer;
use crate::body::{Body, End};
use crate::clock::iso8601;
use crate::exchange::Exchange;
use crate::faults::Step;
use crate::random::to_hex;
use crate::route::Target;
use crate::store::{NotTaken, Receiver};

/// A link may begin this much later than the service's clock.
const SKEW_MS: i64 = 900_000;

/// Headers of the API, which the storage must not see.
const FOREIGN: [&str; 4] = ["authorization", "x-user-id", "x-date", "x-traceid"];

pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Result<Answer, Refusal>, End> {
    if exchange.route.step != Step::Part {
        return Ok(Err(Refusal::storage(405, "MethodNotAllowed", "only PUT")));
    }
    let Target::Object { path, upload_id } = &exchange.route.target else {
        return Ok(Err(Refusal::storage(400, "InvalidURI", "the path is not UTF-8")));
    };
    let (planned, mut receiver, mut state) = match accept(exchange, path, upload_id.as_deref()) {
        Ok(accepted) => accepted,
        Err(refusal) => return Ok(Err(refusal)),
    };
    loop {
        match body.chunk().await {
            Ok(Some(chunk)) => {
                if let Some(state) = &mut state {
                    state.update(&chunk);
                }
                if let Err(why) = receiver.take(&chunk) {
                    return Ok(Err(why.into()));
                }
            }
            Ok(None) => break,
            Err(End::Silent) => {
                return Ok(Err(Refusal::storage(400, "RequestTimeout", "the body did not arrive in time")));
            }
            Err(end) => return Err(end),
        }
    }
    Ok(keep(exchange, path, &planned, receiver, state))
}

type Accepted = (Planned, Receiver, Option<Midstate>);

/// Everything that can be refused on the head.
fn accept(exchange: &Exchange, path: &str, upload_id: Option<&str>) -> Result<Accepted, Refusal> {
    let head = &exchange.head;
    let world = &mut *exchange.shared.world();
    let size_max = world.switches.put_size_bytes_max;
    if head.header("transfer-encoding").is_some() || head.content_length().is_none() {
        return Err(Refusal::storage(411, "MissingContentLength", "Content-Length is missing"));
    }
    if head.content_length() > Some(size_max) {
        return Err(NotTaken::TooLarge.into());
    }
    if let Some(name) = FOREIGN.into_iter().find(|name| head.header(name).is_some()) {
        return Err(Refusal::storage(400, "InvalidArgument", format!("{name} does not belong on the data plane")));
    }
    let signed = world.koodrive.signer.check(head, path)?;
    let upload = world.koodrive.uploads.of_object(path);
    let link = upload.as_ref().and_then(|u| u.links.get(&signed.signature).copied());
    let now_ms = exchange.shared.clock.now_ms();
    let until_ms = link.map_or(signed.from_ms.saturating_add(signed.expires_s.saturating_mul(1000)), |l| l.until_ms);
    if exchange.twist.expired || now_ms >= until_ms {
        return Err(expired(&signed, until_ms, now_ms));
    }
    if now_ms < signed.from_ms.saturating_sub(SKEW_MS) {
        return Err(Refusal::storage(403, "RequestTimeTooSkewed", "the time of the request differs too much"));
    }
    let open = upload.filter(|u| !u.sealed && upload_id == Some(&u.upload_id));
    let upload = open.ok_or_else(no_such_upload)?;
    let number = exchange.route.part.unwrap_or(0);
    let planned = upload.plan.get(&number).cloned().ok_or_else(no_such_upload)?;
    if let Some(link) = upload.links.get_mut(&signed.signature) {
        if link.used && world.switches.koodrive.single_use_urls {
            return Err(Refusal::storage(403, "AccessDenied", "the link was used already"));
        }
        link.used = true;
    }
    let serial = planned.context.is_none() && number > 1;
    if serial && world.switches.koodrive.serial_in_order && (1..number).any(|n| !upload.parts.contains_key(&n)) {
        let why = "a part without X-Amz-Iteration-Hash-Ctx came before one that it follows";
        return Err(Refusal::storage(400, "InvalidPartOrder", why));
    }
    let state = match signed.context.as_deref().map(parse_context) {
        Some(Some((words, bytes))) => Some(Midstate::at(words, bytes)),
        Some(None) => return Err(Refusal::storage(400, "InvalidArgument", "X-Amz-Iteration-Hash-Ctx is unreadable")),
        None => (number == 1).then(|| Midstate::at(INITIAL, 0)),
    };
    let content_md5 = head.header("content-md5");
    Ok((planned, Receiver::new(&world.store.place, world.switches.discard, size_max, content_md5)?, state))
}

fn expired(signed: &Signed, until_ms: i64, now_ms: i64) -> Refusal {
    Refusal::storage(403, "AccessDenied", "Request has expired")
        .with("X-Amz-Expires", signed.expires_s.to_string())
        .with("Expires", iso8601(until_ms))
        .with("ServerTime", iso8601(now_ms))
}

fn no_such_upload() -> Refusal {
    Refusal::storage(404, "NoSuchUpload", "the upload is unknown, aborted or completed")
}

fn keep(
    exchange: &Exchange,
    path: &str,
    planned: &Planned,
    receiver: Receiver,
    end: Option<Midstate>,
) -> Result<Answer, Refusal> {
    let received = receiver.finish(exchange.shared.clock.now_ms())?;
    let mut tag = received.part.tag;
    {
        let world = &mut *exchange.shared.world();
        let upload = world.koodrive.uploads.of_object(path).filter(|u| !u.sealed).ok_or_else(no_such_upload)?;
        if world.switches.koodrive.digest_at_put && !fits(upload, planned, end.as_ref()) {
            return Err(Refusal::storage(400, "BadDigest", "the iteration context does not fit the content"));
        }
        upload.keep(planned.number, Came { part: received.keep(), end });
    }
    exchange.shared.log.wake();
    tag[0] ^= u8::from(exchange.twist.wrong_etag);
    Ok(Answer::empty(200).with("ETag", format!("\"{}\"", to_hex(&tag))))
}

/// Whether a part goes with its neighbours, as far as they are known.
fn fits(upload: &Upload, planned: &Planned, end: Option<&Midstate>) -> bool {
    let Some(end) = end else { return true };
    let before = planned.number.checked_sub(1).and_then(|n| upload.parts.get(&n)?.end.as_ref()?.words());
    if before.is_some() && planned.context.is_some() && before != planned.context {
        return false;
    }
    let next = upload.plan.get(&(planned.number + 1)).and_then(|next| next.context);
    if next.is_some() && next != end.words() {
        return false;
    }
    let last = planned.offset.map(|offset| offset + planned.size) == Some(upload.wanted.length);
    !last || upload.wanted.sha256.as_ref().is_none_or(|sha256| *sha256 == end.digest())
}
