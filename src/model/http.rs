//! A request and its answer as plain data: `service` says them, `transport` carries them.

use std::fmt;

use crate::{error::ErrorInfo, redact::Secret};

/// Answer headers in all.
pub const HEADERS_BYTES_MAX: usize = 64 << 10;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    /// As it goes on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// A stretch of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Of its first byte.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

/// What a request carries. Printed, only how much.
#[derive(Clone)]
pub enum Body {
    /// Nothing; `Content-Length: 0` on POST and PUT.
    Empty,
    /// A short text, JSON as a rule.
    Bytes(Vec<u8>),
    /// A stretch of the source, pulled while it is sent.
    Source(ByteRange),
    /// A stretch of the source inside a form.
    Form {
        /// What comes before it.
        head: Vec<u8>,
        /// The stretch.
        range: ByteRange,
        /// What comes after it.
        tail: Vec<u8>,
    },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range() {
            Some(range) => write!(f, "Body({} bytes with {range:?})", self.len()),
            None => write!(f, "Body({} bytes)", self.len()),
        }
    }
}

impl Body {
    /// The `Content-Length`.
    pub fn len(&self) -> u64 {
        match self {
            Body::Empty => 0,
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Source(range) => range.len,
            Body::Form { head, range, tail } => head.len() as u64 + range.len + tail.len() as u64,
        }
    }

    /// True when it carries nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The stretch of the source in it, if there is one.
    pub fn range(&self) -> Option<ByteRange> {
        match self {
            Body::Source(range) | Body::Form { range, .. } => Some(*range),
            Body::Empty | Body::Bytes(_) => None,
        }
    }
}

/// One request. The URL is used verbatim, never re-serialised: a signature covers its very bytes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL; it may carry a token or a signature.
    pub url: Secret,
    /// In the order in which they are sent; `Host` and `Content-Length` are the transport's.
    pub headers: Vec<(String, Secret)>,
    /// What is sent.
    pub body: Body,
    /// An answer body above this is [`Code::AnswerTooLarge`](crate::error::Code::AnswerTooLarge).
    pub answer_bytes_max: usize,
    /// How long the answer may take once everything was sent.
    pub patience_ms: u64,
    /// Ask before sending the body (`Expect: 100-continue`): an early refusal is then heard instead of seen as a cut.
    pub expect_continue: bool,
    /// It may leave once the host has signed this ([`Request::sign`]). A transport never sees it.
    pub to_sign: Option<Box<ToSign>>,
}

/// What a signature is wanted for.
#[derive(Clone, PartialEq, Eq)]
pub struct ToSign {
    /// The application in whose name.
    pub app_id: String,
    /// The request in its canonical form (koodrive §8.2).
    pub canonical_request: String,
    /// What the key is applied to; it holds the digest of the canonical request.
    pub string_to_sign: String,
}

/// It names a person's things.
impl fmt::Debug for ToSign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ToSign(…)")
    }
}

impl Request {
    /// Takes the host's signature to the end of the `Authorization` header; `false`, and nothing done, when it can't be one.
    pub fn sign(&mut self, signature: &str) -> bool {
        const SIGNATURE_BYTES_MAX: usize = 1_024;
        let usable = (1..=SIGNATURE_BYTES_MAX).contains(&signature.len())
            && signature.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        let header = self.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let (true, Some((_, value)), true) = (usable, header, self.to_sign.is_some()) else { return false };
        *value = Secret::new(format!("{}{signature}", value.expose()));
        self.to_sign = None;
        true
    }

    /// `scheme://host[:port]` of the URL: what gates and clocks are kept by. Holds no secret.
    pub fn host(&self) -> &str {
        host_of(self.url.expose())
    }
}

/// `scheme://host[:port]` of a URL, user info left out.
pub fn host_of(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find(['/', '?', '#']).map_or(url.len(), |at| after + at);
    &url[..end]
}

/// One answer: any status is an answer.
#[derive(Clone, Default)]
pub struct Answer {
    /// 100-599.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whole, at most `answer_bytes_max`.
    pub body: Vec<u8>,
}

/// Headers and bodies hold signed links.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, headers, body_bytes) = (self.status, self.headers.len(), self.body.len());
        write!(f, "Answer {{ status: {status}, headers: {headers}, body_bytes: {body_bytes} }}")
    }
}

impl Answer {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The answer's own `Date`, as milliseconds since 1970.
    pub fn date_unix_ms(&self) -> Option<i64> {
        let date = httpdate::parse_http_date(self.header("date")?).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()
    }

    /// `Retry-After`, in seconds or as a date (then against the answer's own `Date`), at most a day: beyond that it is taken for a mistake.
    pub fn retry_after_ms(&self) -> Option<u64> {
        const LONGEST_MS: u64 = 24 * 3_600_000;
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(seconds.saturating_mul(1_000).min(LONGEST_MS));
        }
        let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let ms = i64::try_from(at.as_millis()).ok()? - self.date_unix_ms()?;
        Some(u64::try_from(ms).unwrap_or(0).min(LONGEST_MS))
    }
}

/// What of the source went out in one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Bytes of the source given to the socket.
    pub bytes: u64,
    /// CRC-64/XZ of exactly those.
    pub crc64: u64,
}

/// Why there is no answer. Each error is mapped by kind; no dependency's text is in it.
#[derive(Clone, Debug)]
pub enum TransportFault {
    /// The request did not leave: name, connection, TLS or proxy.
    Unreached(ErrorInfo),
    /// The connection broke after the request began to leave, before a whole answer came. Whether it was processed is not known.
    Cut {
        /// What broke.
        error: ErrorInfo,
        /// The connection had served another request before: the service may just have closed it for idleness.
        reused: bool,
    },
    /// Nothing moved for too long; as unknown as a cut.
    Stalled(ErrorInfo),
    /// An answer came that is none, or is larger than allowed; as unknown as a cut.
    Malformed(ErrorInfo),
    /// `cancel` was called.
    Cancelled {
        /// The request had begun to leave, or may have; `false`: it certainly did not.
        left: bool,
    },
    /// The body could not be read.
    Source(ErrorInfo),
    /// The host did not sign it: it did not leave.
    Unsigned(ErrorInfo),
}

impl TransportFault {
    /// False when the service can't have heard of the request.
    pub fn left(&self) -> bool {
        !matches!(
            self,
            TransportFault::Unreached(_) | TransportFault::Unsigned(_) | TransportFault::Cancelled { left: false }
        )
    }

    /// The error behind it; none for a cancel.
    pub fn error(&self) -> Option<&ErrorInfo> {
        match self {
            TransportFault::Unreached(error)
            | TransportFault::Cut { error, .. }
            | TransportFault::Stalled(error)
            | TransportFault::Malformed(error)
            | TransportFault::Source(error)
            | TransportFault::Unsigned(error) => Some(error),
            TransportFault::Cancelled { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_holds_no_secret() {
        assert_eq!(host_of("https://h:8443/p?access_token=x"), "https://h:8443");
        assert_eq!(host_of("http://h?x"), "http://h");
        assert_eq!(host_of("http://h"), "http://h");
    }

    #[test]
    fn an_answer_is_not_printed() {
        let told = Answer { body: b"https://h/p?signature=secret".to_vec(), ..answer(&[("x-token", "secret")]) };
        assert_eq!(format!("{told:?}"), "Answer { status: 503, headers: 1, body_bytes: 28 }");
    }

    fn answer(pairs: &[(&str, &str)]) -> Answer {
        Answer {
            status: 503,
            headers: pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            body: vec![],
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        assert_eq!(answer(&[("retry-after", "2")]).retry_after_ms(), Some(2_000));
        assert_eq!(answer(&[("retry-after", "999999999999")]).retry_after_ms(), Some(24 * 3_600_000));
        assert_eq!(answer(&[("retry-after", "86400")]).retry_after_ms(), Some(86_400_000));
        let dated = [("date", "Thu, 01 Jan 1970 00:00:10 GMT"), ("retry-after", "Thu, 01 Jan 1970 00:00:15 GMT")];
        assert_eq!(answer(&dated).retry_after_ms(), Some(5_000));
        assert_eq!(answer(&[("retry-after", "soon")]).retry_after_ms(), None);
        assert_eq!(answer(&[("retry-after", "Thu, 01 Jan 1970 00:00:15 GMT")]).retry_after_ms(), None);
    }
}
