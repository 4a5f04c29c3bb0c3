//! The built-in transport against servers on the loopback that do what real ones do at their worst.

mod faults;
mod happy;
mod secure;
mod sending;
mod server;

use std::time::Instant;

use super::*;
use crate::{
    error::Code,
    model::http::{Answer, Body, ByteRange, Method, Request},
};

/// Limits of 300 ms, so that no test waits long.
fn quick() -> TransportConfig {
    TransportConfig { connect_ms: 2_000, stall_ms: 300, answer_ms: 600, continue_ms: 300, ..TransportConfig::default() }
}

fn lane(config: TransportConfig) -> Box<dyn Lane> {
    UreqTransport::new(config).expect("a good configuration").lane()
}

fn request(method: Method, url: &str, len: u64) -> Request {
    Request {
        method,
        url: url.into(),
        headers: vec![],
        body: if len == 0 { Body::Empty } else { Body::Source(ByteRange { offset: 0, len }) },
        answer_bytes_max: 64 << 10,
        patience_ms: 1_000,
        expect_continue: false,
        to_sign: None,
    }
}

fn get(url: &str) -> Request {
    request(Method::Get, url, 0)
}

/// One request on a lane of its own, without a body.
fn run(request: &Request) -> Result<Answer, TransportFault> {
    lane(quick()).execute(request, &mut BytesBody::default(), &CancelToken::default())
}

/// As many zeros as are asked for, counted.
#[derive(Default)]
struct Zeros {
    pulled: u64,
    /// Fails (or ends, without an error) after so many bytes.
    ends_at: Option<(u64, Option<ErrorInfo>)>,
    /// Called once, when the body is first pulled from.
    first: Option<Box<dyn FnOnce() + Send>>,
}

impl RequestBody for Zeros {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        if let Some(first) = self.first.take() {
            first();
        }
        if let Some((end, error)) = &self.ends_at
            && self.pulled >= *end
        {
            return error.clone().map_or(Ok(0), Err);
        }
        let room = self.ends_at.as_ref().map_or(u64::MAX, |(end, _)| end - self.pulled);
        let n = usize::try_from(room).unwrap_or(usize::MAX).min(buf.len());
        buf[..n].fill(0);
        self.pulled += n as u64;
        Ok(n)
    }

    fn rewind(&mut self) {
        self.pulled = 0;
    }
}

/// The fault's kind and code.
fn kind(outcome: Result<Answer, TransportFault>) -> (&'static str, Option<Code>) {
    let fault = outcome.expect_err("a fault");
    let name = match fault {
        TransportFault::Unreached(_) => "unreached",
        TransportFault::Cut { reused: false, .. } => "cut",
        TransportFault::Cut { reused: true, .. } => "cut on reuse",
        TransportFault::Stalled(_) => "stalled",
        TransportFault::Malformed(_) => "malformed",
        TransportFault::Cancelled => "cancelled",
        TransportFault::Source(_) => "source",
        TransportFault::Unsigned(_) => "unsigned",
    };
    (name, fault.error().map(|error| error.code))
}

/// Runs and says how long it took, in milliseconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, u128) {
    let began = Instant::now();
    let outcome = work();
    (outcome, began.elapsed().as_millis())
}
