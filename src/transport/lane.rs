//! The built-in transport: ureq for HTTP/1.1, our own way to a connection beneath it.

use std::{
    io::Read,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ureq::{
    Agent, SendBody,
    config::{AutoHeaderValue, Config},
    http::{self, HeaderName, HeaderValue, header},
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::{
    CancelToken, Lane, Lanes, RequestBody, TransportFault,
    body::BodyReader,
    current::Current,
    fault,
    setup::{Setup, TransportConfig},
    wire::WireConnector,
};
use crate::{
    error::{Code, ErrorInfo},
    model::http::{Answer, HEADERS_BYTES_MAX, Method, Request},
};

/// Idle connections that a lane keeps: the service, and where it stores.
const IDLE_MAX: usize = 3;

/// Blocking HTTP/1.1 over TCP and TLS. Nothing of it lives between calls but 64 KiB that a lane sends from, and idle connections, at most three a lane,
/// each with 16 KiB for answers and dropped when unused for 15 s.
///
/// * A refusal (300 and above) that arrives while a body is being sent is heard, even when the connection is reset after it: the rest of the
///   body is then neither pulled nor sent.
/// * A cancel ends every wait on the network within 200 ms. Two things go on without the caller: a name's lookup, in a thread that ends when the
///   system gives up on it (64 such threads at most in the process), and what the system had already taken to send. A body's own `read` is not
///   interrupted.
/// * A request that HTTP can't carry (its URL, a header's name or value, `Host`, `Content-Length`, `Transfer-Encoding` or `Expect` among its
///   headers, a body on a method that has none) is [`TransportFault::Unreached`] with [`Code::RequestRefused`].
pub struct UreqTransport {
    setup: Mutex<Arc<Setup>>,
}

impl UreqTransport {
    /// Refuses certificates that are no PEM and a proxy that is no `http://` URL ([`Code::InvalidArgument`]).
    pub fn new(config: TransportConfig) -> Result<UreqTransport, ErrorInfo> {
        let refused = |_| ErrorInfo::new(Code::InvalidArgument, "The user agent can't be a header.");
        HeaderValue::from_str(&config.user_agent).map_err(refused)?;
        Ok(UreqTransport { setup: Mutex::new(Arc::new(Setup::new(config)?)) })
    }

    fn setup(&self) -> MutexGuard<'_, Arc<Setup>> {
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another proxy, or none, for the lanes that are made from here on. Refuses one that is no `http://` URL ([`Code::InvalidArgument`]).
    pub fn set_proxy(&self, proxy: Option<&str>) -> Result<(), ErrorInfo> {
        let mut setup = self.setup();
        *setup = Arc::new(setup.with_proxy(proxy)?);
        Ok(())
    }
}

impl Lanes for UreqTransport {
    fn lane(&self) -> Box<dyn Lane> {
        let current = Arc::new(Current::new(self.setup().clone()));
        Box::new(UreqLane { agent: agent(&current), current })
    }
}

struct UreqLane {
    agent: Agent,
    current: Arc<Current>,
}

fn agent(current: &Arc<Current>) -> Agent {
    let setup = &current.setup;
    let config = Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .accept_encoding(AutoHeaderValue::None)
        .user_agent(setup.user_agent.clone())
        .timeout_await_100(Some(setup.await_continue))
        .max_response_header_size(HEADERS_BYTES_MAX)
        .max_idle_connections(IDLE_MAX)
        .max_idle_connections_per_host(1)
        .build();
    Agent::with_parts(config, WireConnector(current.clone()), NoLookup)
}

/// ureq looks a name up for every request, on kept connections too. We do it where a connection is made.
#[derive(Debug)]
struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(&self, _: &http::Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

impl Lane for UreqLane {
    fn execute(
        &mut self,
        request: &Request,
        body: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault> {
        if cancel.is_cancelled() {
            return Err(TransportFault::Cancelled);
        }
        let head = head(request)?;
        self.current.begin(cancel, request.patience_ms);
        let shut = self.agent.clone();
        cancel.on_cancel(move || shut.shutdown());
        let outcome = self.exchange(head, request, body);
        cancel.clear();
        if !cancel.is_cancelled() {
            return outcome;
        }
        // The agent is shut down, or will be by a hook that is running now.
        self.agent = agent(&self.current);
        match outcome {
            // An answer that says where it ends is whole; another may have been ended by our own shutdown.
            Ok(answer) if ends_by_itself(request.method, &answer) => Ok(answer),
            _ => Err(TransportFault::Cancelled),
        }
    }
}

impl UreqLane {
    fn exchange(
        &self,
        head: http::Request<()>,
        request: &Request,
        body: &mut dyn RequestBody,
    ) -> Result<Answer, TransportFault> {
        let mut reader = BodyReader::new(body, request.body.len(), &self.current);
        let (parts, ()) = head.into_parts();
        let response = match request.method {
            Method::Put | Method::Post => {
                self.agent.run(http::Request::from_parts(parts, SendBody::from_reader(&mut reader)))
            }
            Method::Get | Method::Head | Method::Delete => {
                self.agent.run(http::Request::from_parts(parts, SendBody::none()))
            }
        };
        let response = response.map_err(|error| self.fault(&error))?;
        self.current.set_head_done();
        let (parts, mut body) = response.into_parts();
        let too_large = || fault::malformed(Code::AnswerTooLarge, "The answer was larger than it may be.");
        let max = request.answer_bytes_max as u64;
        if body.content_length().is_some_and(|len| len > max) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        body.as_reader()
            .take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| self.fault(&ureq::Error::from(error)))?;
        if bytes.len() as u64 > max {
            return Err(too_large());
        }
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body: bytes,
        })
    }

    /// What our own parts found goes before what ureq made of it.
    fn fault(&self, error: &ureq::Error) -> TransportFault {
        let (left, reused) = self.current.left();
        self.current.take_fault().unwrap_or_else(|| fault::of_ureq(error, left, reused))
    }
}

/// The request without its body.
fn head(request: &Request) -> Result<http::Request<()>, TransportFault> {
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
    };
    let carries = matches!(request.method, Method::Put | Method::Post);
    let len = request.body.len();
    if len > 0 && !carries {
        return Err(fault::unsendable());
    }
    let mut head = http::Request::builder().method(method).uri(request.url.expose());
    let headers = head.headers_mut().ok_or_else(fault::unsendable)?;
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault::unsendable())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| fault::unsendable())?;
        value.set_sensitive(true);
        // Where it goes and how the body is framed is ours alone: a second opinion is how requests are smuggled.
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT, header::HOST].contains(&name) {
            return Err(fault::unsendable());
        }
        headers.try_append(name, value).map_err(|_| fault::unsendable())?;
    }
    if carries {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
        if request.expect_continue && len > 0 {
            headers.insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        }
    }
    head.body(()).map_err(|_| fault::unsendable())
}

fn ends_by_itself(method: Method, answer: &Answer) -> bool {
    method == Method::Head
        || matches!(answer.status, 204 | 304)
        || answer.header("content-length").is_some()
        || answer.header("transfer-encoding").is_some()
}
