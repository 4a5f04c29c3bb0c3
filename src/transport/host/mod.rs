//! A transport that the host brings: requests are calls that it answers now or later, from any thread, once.
//!
//! Between the two stands an `exchange`: the worker that was given a request waits there, reads the body for the host and counts it, and takes
//! the answer. Nothing of the body is touched from the host's threads, so nothing of it can be used after the request is over.

mod call;
mod exchange;
mod lane;
mod message;

#[cfg(test)]
mod tests;

pub use call::TransportCall;
pub use message::{FdRange, HttpRequest, HttpResponse, READ_BYTES_MAX, TransportFault};

use std::{sync::Arc, time::Duration};

use super::{Lane, Lanes};

/// Carries requests in the place of the built-in transport: OkHttp, URLSession, a proxy's own client.
///
/// What it must keep to:
/// * The URL is used as it is, byte for byte; nothing is encoded again. The headers go out as they are; `Host`, `Content-Length` (exactly
///   [`TransportCall::body_len`], never chunked) and `User-Agent` are its own.
/// * Redirects are not followed, nothing is kept in a cache, no cookie is added, nothing is sent again on its own unless the first try did not leave.
/// * Any status is an answer. An answer that comes while the body is still being sent (a refusal, as a rule) is reported as such.
pub trait Transport: Send + Sync {
    /// Carries one request. Called on a thread of its own (`partway-host`), several at once: it may answer before it returns, after that, or
    /// never. An ignored call ends as `stalled`, a dropped one as `connection_cut`; a panic counts as dropped.
    fn execute(&self, call: Arc<TransportCall>);
}

/// A host's transport as lanes. It keeps its connections itself.
pub struct HostLanes {
    transport: Arc<dyn Transport>,
    calls: Arc<lane::Calls>,
}

impl HostLanes {
    /// Over this one.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, calls: Arc::default() }
    }
}

impl Lanes for HostLanes {
    fn lane(&self) -> Box<dyn Lane> {
        Box::new(lane::HostLane::new(self.transport.clone(), self.calls.clone()))
    }

    fn close(&self) {
        self.calls.close();
    }

    fn drain(&self, timeout: Duration) -> bool {
        self.calls.drain(timeout)
    }
}
