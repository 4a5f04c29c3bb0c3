//! Requests that the host carries itself.

use std::sync::Arc;

use super::{
    HostError, NativeError, SecretText,
    error::heard,
    number::{floored, long, unsigned},
};
use crate::client;

/// Carries requests in the place of the built-in transport. What it must keep to:
///
/// * The URL is used as it is, byte for byte. The headers go out as they are; `Host`, `Content-Length` (exactly `body_len`, never chunked) and `User-Agent`
///   are its own.
/// * Redirects are not followed, nothing is kept in a cache, no cookie is added, nothing is sent again on its own unless the first try did not leave.
/// * Any status is an answer, also one that comes while the body is still being sent.
#[uniffi::export(foreign)]
pub trait Transport: Send + Sync {
    /// Carries one request. Called on a thread of its own, several at once: answer before it returns, after that, or never. Throwing is a connection that
    /// broke.
    fn execute(&self, call: Arc<TransportCall>) -> Result<(), HostError>;
}

/// What to do when nobody wants an answer any more.
#[uniffi::export(foreign)]
pub trait CancelHook: Send + Sync {
    /// Stop the request. Called on a thread of the library, once; it must not block.
    fn cancelled(&self) -> Result<(), HostError>;
}

/// One header. Its value can be a token or a signature.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: SecretText,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// To be used byte for byte: a signature covers it.
    pub url: SecretText,
    /// In their order. `Host`, `Content-Length` and `User-Agent` are not among them.
    pub headers: Vec<HttpHeader>,
    /// `Expect: 100-continue` would help: the last try of this body was cut, which is how a refusal looks.
    pub expect_continue: bool,
    /// A longer answer will be refused: no need to take more of it.
    pub answer_bytes_max: i64,
    /// The longest silence: nothing pulled, nothing reported sent, no answer.
    pub patience_ms: i64,
}

/// One answer, whole.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpResponse {
    /// 200-599.
    pub status: i32,
    /// Names in any case, a repeated one as often as it came.
    pub headers: Vec<HttpHeader>,
    /// Without any transfer or content encoding.
    pub body: Vec<u8>,
}

mirror! {
    /// Why there is no answer. The first four say that nothing of the request left the device: then it may simply be sent again.
    TransportFault of client::TransportFault: into {
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
}

/// A body as a stretch of a file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FdRange {
    /// The library's, open for reading until the call is freed. Its position is not to be used or moved: `pread`, `mmap`.
    pub fd: i32,
    /// Of the first byte, from the file's own beginning.
    pub offset: i64,
    /// The body's length.
    pub size_bytes: i64,
}

/// A request to carry, and the place for its answer. Every function may be called from any thread. The first answer counts; what comes after it, or after
/// the call is over (cancelled, or silent for too long), is ignored. Freed unanswered it is a connection that broke.
#[derive(uniffi::Object)]
pub struct TransportCall {
    call: Arc<client::TransportCall>,
}

#[uniffi::export]
impl TransportCall {
    /// What to send. No I/O.
    pub fn request(&self) -> HttpRequest {
        let request = self.call.request();
        HttpRequest {
            method: request.method.name().to_owned(),
            url: SecretText(request.url.as_str().into()),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| HttpHeader { name: name.clone(), value: SecretText(value.as_str().into()) })
                .collect(),
            expect_continue: request.expect_continue,
            answer_bytes_max: long(request.answer_bytes_max),
            patience_ms: long(request.patience_ms),
        }
    }

    /// The `Content-Length`, in bytes; 0 without a body. No I/O.
    pub fn body_len(&self) -> i64 {
        long(self.call.body_len())
    }

    /// The next bytes of the body, at most `bytes_max` of them, 256 KiB at a time; none at its end. An error ends the call: there is nothing left to answer.
    /// Blocks for the source and for the byte rate.
    pub fn read_body(&self, bytes_max: i32) -> Result<Vec<u8>, NativeError> {
        Ok(self.call.read_body(unsigned("bytes_max", bytes_max)?)?)
    }

    /// Back to the first byte, for a body that must be sent once more. Blocks.
    pub fn rewind_body(&self) -> Result<(), NativeError> {
        Ok(self.call.rewind_body()?)
    }

    /// Where the body's bytes lie, when they are those of a file: a host may read them there itself instead of pulling them. It then says with `sent` how far
    /// it is. Blocks.
    pub fn body_range(&self) -> Option<FdRange> {
        let range = self.call.body_range()?;
        Some(FdRange { fd: range.fd, offset: long(range.offset), size_bytes: long(range.len) })
    }

    /// So many bytes of the body, from its first one, are on their way. Only needed of bodies that are not pulled. No I/O.
    pub fn sent(&self, bytes: i64) {
        self.call.sent(floored(bytes));
    }

    /// True once nobody wants the answer any more. No I/O.
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// What to do at that moment; at once, if it has come already; never, when the call was answered before. A later hook replaces an earlier one. No I/O.
    pub fn on_cancel(&self, hook: Arc<dyn CancelHook>) {
        self.call.on_cancel(move || heard(hook.cancelled()));
    }

    /// The answer. False: it was too late, or not the first. No I/O.
    pub fn respond(&self, response: HttpResponse) -> bool {
        self.call.respond(client::HttpResponse {
            status: u16::try_from(response.status).unwrap_or(0),
            headers: response
                .headers
                .into_iter()
                .map(|header| (header.name, header.value.0.expose().to_owned()))
                .collect(),
            body: response.body,
        })
    }

    /// There is no answer. False: it was too late, or not the first. No I/O.
    pub fn fail(&self, fault: TransportFault) -> bool {
        self.call.fail(fault.into())
    }
}

/// The host's transport as the facade sees it.
pub(super) struct Carrier(pub(super) Arc<dyn Transport>);

impl client::Transport for Carrier {
    fn execute(&self, call: Arc<client::TransportCall>) {
        // The host may still hold the call, so that dropping it here would not be an answer.
        if let Err(error) = self.0.execute(Arc::new(TransportCall { call: call.clone() })) {
            call.fail(client::TransportFault::Cut);
            heard(Err(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use super::*;
    use crate::{
        error::Code,
        model::http::{Answer, Body, ByteRange, Method, Request, TransportFault as Fault},
        transport::{BytesBody, CancelToken, Lanes as _, host::HostLanes},
    };

    /// Keeps what it was given, and throws.
    struct Throws {
        kept: Arc<Mutex<Vec<Arc<TransportCall>>>>,
        reads: bool,
    }

    impl Transport for Throws {
        fn execute(&self, call: Arc<TransportCall>) -> Result<(), HostError> {
            if self.reads {
                assert_eq!(call.read_body(10).expect("bytes").len(), 10);
            }
            self.kept.lock().expect("a list").push(call);
            Err(HostError::Failed { detail: "no".to_owned() })
        }
    }

    fn carried_by(host: impl Transport + 'static, body: &[u8], token: &CancelToken) -> Result<Answer, Fault> {
        let request = Request {
            method: Method::Put,
            url: "https://h.example/p".into(),
            headers: vec![],
            body: Body::Source(ByteRange { offset: 0, len: body.len() as u64 }),
            answer_bytes_max: 100,
            patience_ms: 10_000,
            expect_continue: false,
            to_sign: None,
        };
        let mut lane = HostLanes::new(Arc::new(Carrier(Arc::new(host)))).lane();
        lane.execute(&request, &mut BytesBody::new(body.to_vec()), token)
    }

    #[test]
    fn a_host_that_throws_is_a_connection_that_broke_also_while_it_holds_the_call() {
        for reads in [false, true] {
            let kept = Arc::default();
            let host = Throws { kept: Arc::clone(&kept), reads };
            match carried_by(host, &[7; 100], &CancelToken::default()) {
                Err(Fault::Cut { error, .. }) => assert_eq!(error.code, Code::ConnectionCut),
                other => panic!("{other:?}"),
            }
            let kept = kept.lock().expect("a list").pop().expect("a call");
            let late = HttpResponse { status: 200, headers: vec![], body: vec![] };
            assert!(!kept.respond(late) && !kept.fail(TransportFault::Cut), "it is over");
        }
    }

    #[test]
    fn a_hook_that_throws_harms_nobody() {
        struct Hook(Mutex<std::sync::mpsc::Sender<()>>);
        impl CancelHook for Hook {
            fn cancelled(&self) -> Result<(), HostError> {
                self.0.lock().expect("a sender").send(()).expect("sent");
                Err(HostError::Failed { detail: "no".to_owned() })
            }
        }
        /// Sets the hook, and lets the request be.
        struct Silent(Arc<Hook>, CancelToken, Mutex<Vec<Arc<TransportCall>>>);
        impl Transport for Silent {
            fn execute(&self, call: Arc<TransportCall>) -> Result<(), HostError> {
                call.on_cancel(self.0.clone());
                self.2.lock().expect("a list").push(call);
                self.1.cancel();
                Ok(())
            }
        }
        let (sender, called) = std::sync::mpsc::channel();
        let token = CancelToken::default();
        let host = Silent(Arc::new(Hook(Mutex::new(sender))), token.clone(), Mutex::default());
        let fault = carried_by(host, b"", &token).expect_err("it is stopped");
        assert!(fault.error().is_none(), "{fault:?}");
        called.recv_timeout(Duration::from_secs(10)).expect("the hook is called");
    }
}
