//! One request in the host's hands.

use std::sync::{Arc, OnceLock};

use super::{
    FdRange, HttpRequest, HttpResponse, READ_BYTES_MAX, TransportFault,
    exchange::{Exchange, Given, Reply, Wish, is_over},
};
use crate::{error::ErrorInfo, transport::FileRange};

/// A request to carry, and the place for its answer. Every function may be called from any thread. Answer it once, with
/// [`respond`](TransportCall::respond) or [`fail`](TransportCall::fail); what comes after the first answer, or after the call is over (cancelled, or silent for too
/// long), is ignored. Dropped unanswered it counts as a connection that broke.
pub struct TransportCall {
    request: HttpRequest,
    body_len: u64,
    range: OnceLock<Option<FileRange>>,
    exchange: Arc<Exchange>,
}

impl TransportCall {
    pub(super) fn new(request: HttpRequest, body_len: u64, exchange: Arc<Exchange>) -> Self {
        Self { request, body_len, range: OnceLock::new(), exchange }
    }

    /// What to send. It holds secrets: never to be logged.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The `Content-Length`, in bytes; 0 without a body.
    pub fn body_len(&self) -> u64 {
        self.body_len
    }

    /// The next bytes of the body, at most `bytes_max` of them and never more than [`READ_BYTES_MAX`]; none at its end. Waits for the source and for the
    /// byte rate. Calls from several threads wait for each other. An error ends the call: there is nothing left to answer.
    pub fn read_body(&self, bytes_max: u32) -> Result<Vec<u8>, ErrorInfo> {
        match self.exchange.ask(Wish::Read(bytes_max.clamp(1, READ_BYTES_MAX) as usize))? {
            Given::Bytes(bytes) => Ok(bytes),
            _ => Err(is_over()),
        }
    }

    /// Back to the first byte, for a body that must be sent once more (another connection, an authentication of the proxy's).
    pub fn rewind_body(&self) -> Result<(), ErrorInfo> {
        self.exchange.ask(Wish::Rewind).map(|_| ())
    }

    /// Where the body's bytes lie, when they are those of a file and nothing limits their rate: a host may read them there itself instead of
    /// pulling them. It then says with [`sent`](TransportCall::sent) how far it is, or it counts as silent. What was sent is compared with a
    /// read of our own all the same. The descriptor is closed when the call is dropped.
    pub fn body_range(&self) -> Option<FdRange> {
        let range = self.range.get_or_init(|| match self.exchange.ask(Wish::Range) {
            Ok(Given::Range(range)) => range,
            _ => None,
        });
        fd_range(range.as_ref()?)
    }

    /// So many bytes of the body, from its first one, are on their way. Only needed of bodies that are not pulled; of others it is a sign of life.
    pub fn sent(&self, bytes: u64) {
        self.exchange.note_sent(bytes);
    }

    /// True once nobody wants the answer any more: the upload was paused or cancelled, or the call was silent for too long.
    pub fn is_cancelled(&self) -> bool {
        self.exchange.is_cancelled()
    }

    /// What to do at that moment, on a thread of ours: it must not block. At once, on the caller's, if it has come already. Never, when the call
    /// was answered before. A later hook replaces an earlier one.
    pub fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) {
        self.exchange.set_hook(Box::new(hook));
    }

    /// The answer. False: it was too late, or not the first.
    pub fn respond(&self, response: HttpResponse) -> bool {
        self.exchange.reply(Reply::Response(response))
    }

    /// There is no answer. False: it was too late, or not the first.
    pub fn fail(&self, fault: TransportFault) -> bool {
        self.exchange.reply(Reply::Fault(fault))
    }
}

impl Drop for TransportCall {
    fn drop(&mut self) {
        self.exchange.reply(Reply::Dropped);
    }
}

#[cfg(unix)]
fn fd_range(range: &FileRange) -> Option<FdRange> {
    use std::os::fd::AsRawFd as _;
    Some(FdRange { fd: range.file.as_raw_fd(), offset: range.offset, len: range.len })
}

#[cfg(not(unix))]
fn fd_range(_: &FileRange) -> Option<FdRange> {
    None
}
