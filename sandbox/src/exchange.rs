//! One request: which it is, what goes wrong with it, its answer, its line in the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;

use crate::answer::Answer;
use crate::body::{Body, End, Hold};
use crate::clock::http_date;
use crate::faults::{Asked, How, Plane};
use crate::head::Head;
use crate::hostile::{Script, Then};
use crate::log::{LogEntry, redacted_query};
use crate::route::{Route, route};
use crate::shared::Shared;
use crate::{services, smh};

/// What a fault changes in the handling of a request.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Twist {
    pub(crate) expired: bool,
    pub(crate) wrong_crc: bool,
    pub(crate) wrong_etag: bool,
}

/// A request on its way to its handler.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) shared: Arc<Shared>,
    pub(crate) plane: Plane,
    pub(crate) head: Head,
    pub(crate) route: Route,
    pub(crate) twist: Twist,
    pub(crate) request_id: String,
}

/// Ends the line in the log also when the client goes and the request is dropped.
pub(crate) struct Line {
    shared: Arc<Shared>,
    seq: Option<u64>,
    status: Option<u16>,
    read: Arc<AtomicU64>,
}

impl Line {
    /// Says that a rule lets the request stand still, and leaves its end to whoever keeps this.
    fn standing(&mut self) -> Line {
        if let Some(seq) = self.seq {
            self.shared.log.stand(seq, Some(self.read.load(Ordering::Relaxed)));
        }
        Line {
            shared: Arc::clone(&self.shared),
            seq: self.seq.take(),
            status: self.status,
            read: Arc::clone(&self.read),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(seq) = self.seq {
            self.shared.log.end(seq, self.status, self.read.load(Ordering::Relaxed));
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct From {
    pub(crate) connection: u64,
    pub(crate) peer: Option<SocketAddr>,
}

/// How a connection ends that gets no answer in order.
pub(crate) struct Unanswered {
    pub(crate) script: Script,
    /// The request is under way for as long as its connection stands still.
    pub(crate) standing: Option<Line>,
}

/// Answers, or says how the connection ends.
pub(crate) async fn exchange(
    shared: Arc<Shared>,
    plane: Plane,
    from: From,
    request: Request<Incoming>,
) -> Result<Answer, Unanswered> {
    let close = |script| Unanswered { script, standing: None };
    let head = Head::of(&request);
    let mut route = route(plane, &head);
    let n = shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let (timeout, resets, look_inside) = {
        let world = shared.world();
        let timeout = Duration::from_millis(world.switches.body_timeout_ms);
        (timeout, world.switches.refusal_resets, world.rules.look_inside())
    };
    let read = Arc::new(AtomicU64::new(0));
    let mut body = Body::new(request.into_body(), Arc::clone(&read), timeout);
    if look_inside && crate::koodrive::speaks_in_body(plane, &route) {
        let bytes = body.peek(smh::API_BODY_BYTES_MAX).await.map_err(|_| close(Script::Close))?;
        crate::koodrive::look_inside(&mut route, &bytes);
    }
    let rule = {
        let world = &mut *shared.world();
        let remote = world.remote_path(&route);
        let (service, step, part) = (route.service, route.step, route.part);
        let asked = Asked { service, plane, step, part, paths: [&head.path, &remote] };
        if plane == Plane::Control { None } else { world.rules.hit(asked) }
    };
    let entry = LogEntry {
        seq: 0,
        ms: shared.log.elapsed_ms(),
        ended_ms: None,
        service: route.service,
        plane,
        step: route.step,
        method: head.method.clone(),
        path: route.log_path.clone(),
        query: redacted_query(&head.raw_query),
        part: route.part,
        status: None,
        body_bytes: 0,
        rule: rule.as_ref().map(|(id, _)| *id),
        stands: false,
        connection: from.connection,
        peer: from.peer,
        expect: head.expects_continue(),
        headers: head.headers().map(|(name, _)| name.to_owned()).collect(),
    };
    let seq = (plane != Plane::Control).then(|| shared.log.begin(entry));
    let mut line = Line { shared: Arc::clone(&shared), seq, status: None, read };
    let request_id = format!("sandbox-{n:08x}");
    let mut exchange = Exchange { shared, plane, head, route, twist: Twist::default(), request_id };
    let (id, how) = rule.unzip();
    let at = (id.unwrap_or_default(), seq.unwrap_or_default());
    let outcome = exchange.act(at, how, &mut body).await;
    match outcome {
        Ok((answer, after)) => {
            line.status = Some(answer.status);
            let stands = matches!(after, After::Half(_));
            let standing = stands.then(|| line.standing());
            exchange.sent(answer, after, &body, resets).map_err(|script| Unanswered { script, standing })
        }
        Err(End::Script(Script::Hold)) => Err(Unanswered { script: Script::Hold, standing: Some(line.standing()) }),
        Err(End::Script(script)) => Err(close(script)),
        Err(End::Gone | End::Silent) => Err(close(Script::Close)),
    }
}

/// How an answer is sent.
enum After {
    /// By hyper.
    Orderly,
    Early,
    EarlyReset,
    Trickle(u64),
    Cut(u64),
    Half(u64),
}

impl Exchange {
    async fn act(
        &mut self,
        (rule, seq): (u64, u64),
        how: Option<How>,
        body: &mut Body,
    ) -> Result<(Answer, After), End> {
        let script = |script| Err(End::Script(script));
        match how {
            None => {}
            Some(How::DropBefore) => return script(Script::Close),
            Some(How::Reset) => return script(Script::Reset),
            Some(How::DropBody { after_bytes }) => body.stop = Some((after_bytes, Some(Script::Close))),
            Some(How::Stall { after_bytes }) => body.stop = Some((after_bytes, Some(Script::Hold))),
            Some(How::Hold { after_bytes: 0 }) => self.shared.released(rule, seq).await,
            Some(How::Hold { after_bytes }) => {
                body.hold = Some(Hold { after: after_bytes, rule, seq, shared: Arc::clone(&self.shared) });
            }
            Some(How::HoldAnswer) => {
                let answer = self.handle(body).await?;
                self.shared.released(rule, seq).await;
                return Ok((answer, After::Orderly));
            }
            Some(How::SlowRead { bytes_per_s }) => body.pace = Some(bytes_per_s),
            Some(How::Delay { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(How::Expire) => self.twist.expired = true,
            Some(How::WrongCrc) => self.twist.wrong_crc = true,
            Some(How::WrongEtag) => self.twist.wrong_etag = true,
            Some(How::Corrupt { bit }) => body.flip = Some(bit),
            Some(How::DropAfter) => {
                self.handle(body).await?;
                return script(Script::Close);
            }
            Some(How::StallAnswer) => {
                self.handle(body).await?;
                return script(Script::Hold);
            }
            Some(How::CutAnswer { after_bytes }) => {
                return Ok((self.handle(body).await?, After::Cut(after_bytes)));
            }
            Some(How::HalfAnswer { after_bytes }) => return Ok((self.handle(body).await?, After::Half(after_bytes))),
            Some(How::Trickle { bytes_per_s }) => return Ok((self.handle(body).await?, After::Trickle(bytes_per_s))),
            Some(How::Status { status, code, message, headers, body: text, process }) => {
                if process {
                    self.handle(body).await?;
                }
                body.skip().await?;
                return Ok((self.made_up(status, code, message, headers, text), After::Orderly));
            }
            Some(How::Early { status, code, message, headers, body: text }) => {
                return Ok((self.made_up(status, code, message, headers, text), After::Early));
            }
            Some(How::EarlyReset { status, code, message, headers, body: text }) => {
                return Ok((self.made_up(status, code, message, headers, text), After::EarlyReset));
            }
            Some(How::Raw { text, base64 }) => {
                return script(Script::Write { bytes: raw_bytes(text, base64), then: Then::Linger });
            }
            Some(How::EndlessBody) => {
                let head =
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                let filler = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
                return script(Script::Endless { head, filler });
            }
            Some(How::EndlessHeaders) => {
                let filler = format!("X-Filler: {}\r\n", "x".repeat(1000)).into_bytes();
                return script(Script::Endless { head: b"HTTP/1.1 200 OK\r\n".to_vec(), filler });
            }
            Some(How::Redirect { location }) => {
                body.skip().await?;
                let answer = self.made_up(307, None, None, std::iter::once(("Location".to_owned(), location)), None);
                return Ok((answer, After::Orderly));
            }
            Some(How::RefuseToken) => {
                body.skip().await?;
                return Ok((services::refuse_token(self), After::Orderly));
            }
            Some(How::Forget) if smh::is_begin(self.route.step) => {
                let answer = self.handle(body).await?;
                self.shared.world().forget_newest(self.route.service);
                return Ok((answer, After::Orderly));
            }
            Some(How::Forget) => self.shared.world().forget_of(&self.route),
            Some(How::BodyOverride { json, text }) => {
                let mut answer = self.handle(body).await?;
                let bytes = text.unwrap_or_else(|| json.map(|j| j.to_string()).unwrap_or_default()).into_bytes();
                answer.body = crate::answer::Payload::Bytes(bytes);
                return Ok((answer, After::Orderly));
            }
        }
        Ok((self.handle(body).await?, After::Orderly))
    }

    async fn handle(&self, body: &mut Body) -> Result<Answer, End> {
        services::handle(self, body).await
    }

    fn made_up(
        &self,
        status: u16,
        code: Option<String>,
        message: Option<String>,
        headers: impl IntoIterator<Item = (String, String)>,
        body: Option<String>,
    ) -> Answer {
        let mut answer = services::made_up(self, status, code, message);
        if let Some(body) = body {
            answer.body = crate::answer::Payload::Bytes(body.into_bytes());
        }
        for (name, value) in headers {
            answer.set(&name, value);
        }
        answer
    }

    fn sent(&self, mut answer: Answer, after: After, body: &Body, resets: bool) -> Result<Answer, Script> {
        if !self.shared.world().switches.omit_date {
            answer.set("Date", http_date(self.shared.clock.now_ms()));
        }
        let wire = |answer: &Answer| answer.to_wire(self.head.method == "HEAD");
        match after {
            After::Orderly if body.is_over() => Ok(answer),
            After::Orderly if resets => Err(Script::Write { bytes: wire(&answer), then: Then::Reset }),
            After::Orderly | After::Early => Err(Script::Write { bytes: wire(&answer), then: Then::Linger }),
            After::EarlyReset => Err(Script::Write { bytes: wire(&answer), then: Then::Reset }),
            After::Trickle(bytes_per_s) => Err(Script::Trickle { bytes: wire(&answer), bytes_per_s }),
            After::Cut(after) => Err(Script::Write { bytes: cut(wire(&answer), after), then: Then::Linger }),
            After::Half(after) => Err(Script::Write { bytes: cut(wire(&answer), after), then: Then::Hold }),
        }
    }
}

fn cut(mut bytes: Vec<u8>, after: u64) -> Vec<u8> {
    bytes.truncate(usize::try_from(after).unwrap_or(usize::MAX));
    bytes
}

fn raw_bytes(text: Option<String>, base64: Option<String>) -> Vec<u8> {
    use base64::Engine as _;
    match (text, base64) {
        (Some(text), _) => text.into_bytes(),
        (None, base64) => {
            base64::engine::general_purpose::STANDARD.decode(base64.unwrap_or_default()).unwrap_or_default()
        }
    }
}
