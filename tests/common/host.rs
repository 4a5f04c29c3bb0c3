//! A host with an HTTP library of its own.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used)] // Each test file uses its own part of this.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use partway::{
    client::{HttpRequest, HttpResponse, Transport, TransportCall, TransportFault},
    error::{Code, ErrorInfo},
    model::http::{self, Body, Method, Request},
    transport::{CancelToken, Lane, Lanes, RequestBody, TransportConfig, UreqTransport},
};

/// How a host goes about a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// Pulls it as it sends it.
    Pulls,
    /// Pulls a bit, begins again, pulls it all.
    BeginsAgain,
    /// Reads the file itself.
    ReadsTheFile,
}

/// A host with an HTTP library of its own. `before` may deal with a call in its own way: it gives it back to have it carried.
pub struct Host<F> {
    lanes: UreqTransport,
    idle: Mutex<Vec<Box<dyn Lane>>>,
    way: Way,
    pub calls: AtomicU32,
    before: F,
}

impl<F> Host<F> {
    /// It alone knows whom to trust.
    pub fn new(extra_ca_pem: Option<&str>, way: Way, before: F) -> Host<F> {
        let config = TransportConfig { extra_ca_pem: extra_ca_pem.map(str::to_owned), ..TransportConfig::default() };
        let lanes = UreqTransport::new(config).unwrap();
        Host { lanes, idle: Mutex::default(), way, calls: AtomicU32::new(0), before }
    }
}

impl<F: Fn(Arc<TransportCall>) -> Option<Arc<TransportCall>> + Send + Sync> Transport for Host<F> {
    fn execute(&self, call: Arc<TransportCall>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if let Some(call) = (self.before)(call) {
            let mut lane = self.idle.lock().unwrap().pop().unwrap_or_else(|| self.lanes.lane());
            carry(&call, self.way, lane.as_mut());
            self.idle.lock().unwrap().push(lane);
        }
    }
}

fn carry(call: &TransportCall, way: Way, lane: &mut dyn Lane) {
    let HttpRequest { method, url, headers, expect_continue, answer_bytes_max, patience_ms } = call.request().clone();
    let carries = matches!(method, Method::Put | Method::Post) && call.body_len() > 0;
    let body = if carries { Body::Source(http::ByteRange { offset: 0, len: call.body_len() }) } else { Body::Empty };
    let headers = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
    let answer_bytes_max = answer_bytes_max as usize;
    let request = Request {
        method,
        url: url.into(),
        headers,
        body,
        answer_bytes_max,
        patience_ms,
        expect_continue,
        to_sign: None,
    };
    let cancel = CancelToken::default();
    let token = cancel.clone();
    call.on_cancel(move || token.cancel());
    let mut body = HostBody::new(call, way);
    match lane.execute(&request, &mut body, &cancel) {
        Ok(answer) => call.respond(HttpResponse { status: answer.status, headers: answer.headers, body: answer.body }),
        Err(http::TransportFault::Unreached(error)) if error.code == Code::TlsFailed => call.fail(TransportFault::Tls),
        Err(http::TransportFault::Unreached(_)) => call.fail(TransportFault::Connect),
        Err(http::TransportFault::Stalled(_)) => call.fail(TransportFault::TimedOut),
        Err(http::TransportFault::Malformed(_)) => call.fail(TransportFault::Malformed),
        Err(_) => call.fail(TransportFault::Cut),
    };
}

struct HostBody<'a> {
    call: &'a TransportCall,
    file: Option<(std::fs::File, u64)>,
    at: u64,
}

impl<'a> HostBody<'a> {
    fn new(call: &'a TransportCall, way: Way) -> HostBody<'a> {
        let file = if way == Way::ReadsTheFile { own_file(call) } else { None };
        if way == Way::BeginsAgain && call.body_len() > 1 {
            // A body that can't be read is found out below.
            let _ = call.read_body(100_000);
            let _ = call.rewind_body();
        }
        HostBody { call, file, at: 0 }
    }
}

#[cfg(unix)]
fn own_file(call: &TransportCall) -> Option<(std::fs::File, u64)> {
    use std::os::fd::BorrowedFd;
    let range = call.body_range()?;
    assert_eq!(range.len, call.body_len());
    #[expect(unsafe_code, reason = "the call, which owns the descriptor, is borrowed")]
    let fd = unsafe { BorrowedFd::borrow_raw(range.fd) };
    Some((fd.try_clone_to_owned().unwrap().into(), range.offset))
}

#[cfg(not(unix))]
fn own_file(_: &TransportCall) -> Option<(std::fs::File, u64)> {
    None
}

impl RequestBody for HostBody<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let n = match &self.file {
            #[cfg(unix)]
            Some((file, offset)) => {
                let n = std::os::unix::fs::FileExt::read_at(file, buf, offset + self.at).unwrap();
                self.call.sent(self.at + n as u64);
                n
            }
            _ => {
                let bytes = self.call.read_body(buf.len() as u32)?;
                buf[..bytes.len()].copy_from_slice(&bytes);
                bytes.len()
            }
        };
        self.at += n as u64;
        Ok(n)
    }

    fn rewind(&mut self) {
        unreachable!("nothing is sent twice by the library beneath")
    }
}
