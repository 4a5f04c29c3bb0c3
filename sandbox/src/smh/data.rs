//! The data plane: PUT of a part or of a whole object (smh §4). Everything that the head tells is checked before the
//! body is read.

use super::form;
use super::parts::PART_NUMBER_MAX;
use super::refusal::Refusal;
use super::sign::{PartScope, Signed};
use super::task::Task;
use crate::answer::Answer;
use crate::body::{Body, End};
use crate::exchange::Exchange;
use crate::faults::Step;
use crate::random::to_hex;
use crate::route::Target;
use crate::shared::World;
use crate::store::{NotTaken, Part, Receiver};
use crate::switches::{Deployment, ExpiredAnswer};

/// A signature may begin this much later than the service's clock.
const SKEW_MS: i64 = 900_000;

pub(crate) async fn handle(exchange: &Exchange, body: &mut Body) -> Result<Result<Answer, Refusal>, End> {
    let received = match exchange.route.step {
        Step::Part | Step::Put => put(exchange, body).await,
        Step::Form => form::post(exchange, body).await,
        _ => return Ok(Err(Refusal::new(405, "MethodNotAllowed", "only PUT, and POST of a form to /"))),
    };
    match received {
        Ok(answer) => Ok(Ok(answer)),
        Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
        Err(Stop::Ended(End::Silent)) => {
            Ok(Err(Refusal::new(400, "RequestTimeout", "the body did not arrive in time")))
        }
        Err(Stop::Ended(end)) => Err(end),
    }
}

/// Why bytes were not taken.
pub(crate) enum Stop {
    Refused(Refusal),
    Ended(End),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NotTaken> for Stop {
    fn from(why: NotTaken) -> Self {
        Self::Refused(why.into())
    }
}

impl From<End> for Stop {
    fn from(end: End) -> Self {
        Self::Ended(end)
    }
}

async fn put(exchange: &Exchange, body: &mut Body) -> Result<Answer, Stop> {
    let mut receiver = accept(exchange)?;
    while let Some(chunk) = body.chunk().await? {
        receiver.take(&chunk)?;
    }
    let received = receiver.finish(exchange.shared.clock.now_ms())?;
    let part = received.part.clone();
    let Target::Object { path, .. } = &exchange.route.target else { return Err(no_such_upload().into()) };
    {
        let world = &mut *exchange.shared.world();
        // A simple object may be written while its signature lives, though nobody waits for it any more.
        match world.smh.tasks.of_object(path).filter(|t| t.is_open()) {
            Some(task) => store_part(task, exchange.route.part.unwrap_or(1), received.keep()),
            None if exchange.route.step == Step::Part => return Err(no_such_upload().into()),
            None => {}
        }
    }
    exchange.shared.log.wake();
    Ok(stored(exchange, 200, &part))
}

/// Everything that can be refused on the head.
fn accept(exchange: &Exchange) -> Result<Receiver, Refusal> {
    let head = &exchange.head;
    let Target::Object { path, upload_id } = &exchange.route.target else {
        return Err(Refusal::new(400, "InvalidURI", "the path is not UTF-8"));
    };
    let world = &mut *exchange.shared.world();
    let size_max = world.switches.put_size_bytes_max;
    check_framing(exchange, size_max)?;
    let signed = match world.switches.deployment {
        Deployment::Public => world.smh.signer.check_cos(head, path)?,
        Deployment::Private => {
            let scope = PartScope { path, upload_id: upload_id.as_deref().unwrap_or(""), part: exchange.route.part };
            world.smh.signer.check_part(head, scope)?
        }
    };
    check_time(exchange, world, path, signed)?;
    if exchange.route.step == Step::Part {
        let known = world.smh.tasks.of_object(path).is_some_and(|task| {
            !task.upload_id.is_empty() && upload_id.as_deref() == Some(&*task.upload_id) && task.is_open()
        });
        if !known {
            return Err(no_such_upload());
        }
        if !exchange.route.part.is_some_and(|n| (1..=PART_NUMBER_MAX).contains(&n)) {
            return Err(Refusal::new(400, "InvalidArgument", "partNumber is out of 1..=10000"));
        }
    }
    Ok(Receiver::new(&world.store.place, world.switches.discard, size_max, head.header("content-md5"))?)
}

/// A length, and nothing of the API's (smh §4.1).
pub(crate) fn check_framing(exchange: &Exchange, size_max: u64) -> Result<(), Refusal> {
    let head = &exchange.head;
    if head.header("transfer-encoding").is_some() || head.content_length().is_none() {
        return Err(Refusal::new(411, "MissingContentLength", "Content-Length is missing"));
    }
    if head.content_length() > Some(size_max) {
        return Err(NotTaken::TooLarge.into());
    }
    if ["access_token", "library_secret", "user_id"].into_iter().any(|name| head.param(name).is_some()) {
        return Err(Refusal::new(400, "InvalidArgument", "a parameter of the API does not belong on the data plane"));
    }
    if head.headers().any(|(name, _)| name.starts_with("x-smh-")) {
        return Err(Refusal::new(400, "InvalidArgument", "a header of the API does not belong on the data plane"));
    }
    Ok(())
}

pub(crate) fn check_time(exchange: &Exchange, world: &mut World, path: &str, signed: Signed) -> Result<(), Refusal> {
    let now_ms = exchange.shared.clock.now_ms();
    let newest = world.smh.tasks.of_object(path).map_or(0, |t| t.generation);
    let ended = world.switches.new_signature_ends_old && signed.generation < newest;
    let expired = exchange.twist.expired || ended || now_ms >= signed.until_ms;
    let private = world.switches.deployment == Deployment::Private;
    let skewed = || Refusal::new(403, "RequestTimeTooSkewed", "the time of the request differs too much");
    match world.switches.expired_answer {
        _ if !expired && now_ms < signed.from_ms.saturating_sub(SKEW_MS) => Err(skewed()),
        _ if !expired => Ok(()),
        ExpiredAnswer::RequestTimeTooSkewed => Err(skewed()),
        ExpiredAnswer::Auto if private => Err(skewed()),
        ExpiredAnswer::Auto | ExpiredAnswer::RequestHasExpired => {
            Err(Refusal::new(403, "AccessDenied", "Request has expired"))
        }
        ExpiredAnswer::ExpiredToken400 => Err(Refusal::new(400, "ExpiredToken", "the security token is over")),
        ExpiredAnswer::ExpiredToken403 => Err(Refusal::new(403, "ExpiredToken", "the security token is over")),
    }
}

/// Keeps a part; the one of its number that came before goes.
pub(crate) fn store_part(task: &mut Task, number: u32, part: Part) {
    if let Some(old) = task.parts.insert(number, part) {
        crate::store::remove(old.file.as_deref());
    }
}

pub(crate) fn stored(exchange: &Exchange, status: u16, part: &Part) -> Answer {
    let mut tag = part.tag;
    tag[0] ^= u8::from(exchange.twist.wrong_etag);
    let crc64 = part.crc64 ^ u64::from(exchange.twist.wrong_crc);
    Answer::empty(status).with("ETag", format!("\"{}\"", to_hex(&tag))).with("x-cos-hash-crc64ecma", crc64.to_string())
}

fn no_such_upload() -> Refusal {
    Refusal::new(404, "NoSuchUpload", "the upload is unknown, aborted or completed")
}
