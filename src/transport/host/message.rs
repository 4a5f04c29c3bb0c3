//! What goes over to the host, and what comes back.

use std::fmt;

#[cfg(unix)]
use std::os::fd::RawFd;

use super::super::fault::{cut, malformed, stalled, unreached};
use crate::{
    error::Code,
    model::http::{self, Answer, HEADERS_BYTES_MAX, Method, Request},
};

/// The most that one pull of a body gives.
pub const READ_BYTES_MAX: u32 = 256 << 10;

/// One request. It holds a signature or a token: printed, it says only its shape.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `PUT` or `DELETE`.
    pub method: Method,
    /// To be used byte for byte: a signature covers it.
    pub url: String,
    /// In their order. `Host`, `Content-Length` and `User-Agent` are not among them.
    pub headers: Vec<(String, String)>,
    /// `Expect: 100-continue` would help: the last try of this body was cut, which is how a refusal looks.
    pub expect_continue: bool,
    /// A longer answer will be refused: no need to take more of it.
    pub answer_bytes_max: u64,
    /// The longest silence: nothing pulled, nothing reported sent, no answer.
    pub patience_ms: u64,
}

impl HttpRequest {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            method: request.method,
            url: request.url.expose().to_owned(),
            headers: request.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
            expect_continue: request.expect_continue,
            answer_bytes_max: request.answer_bytes_max as u64,
            patience_ms: request.patience_ms,
        }
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} …, {} headers)", self.method.name(), self.headers.len())
    }
}

/// One answer, whole.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// 200-599.
    pub status: u16,
    /// Names in any case, a repeated one as often as it came.
    pub headers: Vec<(String, String)>,
    /// Without any transfer or content encoding.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Within the limits that hold for any answer.
    pub(super) fn checked(self, request: &Request) -> Result<Answer, http::TransportFault> {
        let headers_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        if headers_bytes > HEADERS_BYTES_MAX {
            return Err(malformed(Code::AnswerTooLarge, "The answer's headers were too large."));
        }
        if self.body.len() > request.answer_bytes_max {
            return Err(malformed(Code::AnswerTooLarge, "The answer was larger than it may be."));
        }
        if !(200..=599).contains(&self.status) {
            return Err(malformed(Code::AnswerMalformed, "The host's transport gave a status that ends no request."));
        }
        let headers = self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Answer { status: self.status, headers, body: self.body })
    }
}

/// An answer may hold signed links.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {} headers, {} bytes)", self.status, self.headers.len(), self.body.len())
    }
}

/// Why there is no answer. The first four say that nothing of the request left the device: then it may simply be sent again. Said of a request
/// whose body was pulled they count as [`Cut`](TransportFault::Cut), because a body is pulled when there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportFault {
    /// The name was not found.
    Resolve,
    /// No connection came about, or the device is offline.
    Connect,
    /// The connection could not be secured.
    Tls,
    /// The proxy could not be reached, or refused.
    Proxy,
    /// The connection broke. Whether the request was processed is not known. When in doubt, this.
    Cut,
    /// Nothing moved for too long. As unknown as a cut.
    TimedOut,
    /// What came is no HTTP answer.
    Malformed,
}

impl TransportFault {
    /// Every one.
    pub const ALL: &[TransportFault] =
        &[Self::Resolve, Self::Connect, Self::Tls, Self::Proxy, Self::Cut, Self::TimedOut, Self::Malformed];

    pub(super) fn told(self, pulled: bool) -> http::TransportFault {
        match self {
            Self::Resolve | Self::Connect | Self::Tls | Self::Proxy if pulled => cut(false),
            Self::Resolve => unreached(Code::ResolveFailed, "The name is not known."),
            Self::Connect => unreached(Code::ConnectFailed, "No connection came about."),
            Self::Tls => unreached(Code::TlsFailed, "The connection could not be secured."),
            Self::Proxy => unreached(Code::ProxyFailed, "The proxy could not be used."),
            Self::Cut => cut(false),
            Self::TimedOut => stalled("Nothing moved for too long."),
            Self::Malformed => malformed(Code::AnswerMalformed, "What came is no HTTP answer."),
        }
    }
}

/// A body as a stretch of a file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdRange {
    /// Ours, open for reading for as long as the call is held. Its position is not to be used or moved: `pread`, `mmap`.
    #[cfg(unix)]
    pub fd: RawFd,
    /// Of the first byte, from the file's own beginning.
    pub offset: u64,
    /// The body's length.
    pub len: u64,
}
