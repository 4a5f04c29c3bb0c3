//! The worker's side of a call.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    HttpRequest, Transport, TransportCall,
    exchange::{Exchange, Given, Reply, Turn, Wish},
};
use crate::{
    error::{Code, ErrorInfo},
    model::http::{Answer, Request, TransportFault},
    transport::{CancelToken, Lane, RequestBody, fault, setup::millis},
};

/// Calls of the whole process that the host has not returned from. One that blocks for ever costs a thread, not a worker.
const THREADS_MAX: usize = 256;
/// What is read at once to compare a body that the host reads itself.
const FOLLOW_BYTES: usize = 64 << 10;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The calls of one client that its host has not returned from.
#[derive(Default)]
pub(super) struct Calls {
    state: Mutex<CallsState>,
    returned: Condvar,
}

#[derive(Default)]
struct CallsState {
    under_way: usize,
    closed: bool,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, CallsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, until what is given back is dropped; none any more after a close.
    fn begin(self: &Arc<Calls>) -> Option<UnderWay> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.under_way += 1;
        drop(state);
        Some(UnderWay(self.clone()))
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn drain(&self, timeout: Duration) -> bool {
        let some = |state: &mut CallsState| state.under_way > 0;
        let state = self.lock();
        let (state, _) = self.returned.wait_timeout_while(state, timeout, some).unwrap_or_else(PoisonError::into_inner);
        state.under_way == 0
    }
}

/// A call that the host has not returned from.
struct UnderWay(Arc<Calls>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.returned.notify_all();
    }
}

pub(super) struct HostLane {
    transport: Arc<dyn Transport>,
    calls: Arc<Calls>,
}

impl HostLane {
    pub(super) fn new(transport: Arc<dyn Transport>, calls: Arc<Calls>) -> Self {
        Self { transport, calls }
    }
}

impl Lane for HostLane {
    fn execute(
        &mut self,
        request: &Request,
        body: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault> {
        if cancel.is_cancelled() {
            return Err(TransportFault::Cancelled { left: false });
        }
        let exchange = Arc::new(Exchange::default());
        let call = TransportCall::new(HttpRequest::of(request), request.body.len(), exchange.clone());
        let word = exchange.clone();
        cancel.on_cancel(move || word.cancel());
        let mut serving = Serving { exchange: &exchange, abandoned: true, cancel };
        hand_over(self.transport.clone(), &self.calls, Arc::new(call))?;
        let mut pulled = Pulled { body, len: request.body.len(), at: 0, any: false, by_range: false };
        let outcome = serve(&exchange, request, &mut pulled, &mut serving.abandoned);
        match outcome {
            Err(_) if cancel.is_cancelled() => Err(TransportFault::Cancelled { left: true }),
            outcome => outcome,
        }
    }
}

/// However the worker leaves, also by a panic of the host's reader: the call is over.
struct Serving<'a> {
    exchange: &'a Exchange,
    abandoned: bool,
    cancel: &'a CancelToken,
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.cancel.clear();
        let (exchange, abandoned) = (self.exchange, self.abandoned);
        // The hook is the host's.
        let _ = catch_unwind(AssertUnwindSafe(|| exchange.end(abandoned)));
    }
}

/// Calls the host on a thread of its own: it may block there.
fn hand_over(
    transport: Arc<dyn Transport>,
    calls: &Arc<Calls>,
    call: Arc<TransportCall>,
) -> Result<(), TransportFault> {
    /// Counts a thread for as long as it lives.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            THREADS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let stuck =
        || fault::unreached(Code::ConnectFailed, "The host's transport does not return from the calls it was given.");
    let Some(under_way) = calls.begin() else {
        return Err(fault::unreached(Code::Closed, "The client is closed."));
    };
    let before = THREADS.fetch_add(1, Ordering::Relaxed);
    let place = Place;
    if before >= THREADS_MAX {
        return Err(stuck());
    }
    let spawned = thread::Builder::new().name("partway-host".into()).spawn(move || {
        // Dropped last: whoever waits for it knows that nothing of the host's is held here any more.
        let _under_way = under_way;
        let _place = place;
        // A panic drops the call, which answers it.
        let _ = catch_unwind(AssertUnwindSafe(move || transport.execute(call)));
    });
    spawned.map(|_| ()).map_err(|_| stuck())
}

fn serve(
    exchange: &Exchange,
    request: &Request,
    body: &mut Pulled<'_>,
    abandoned: &mut bool,
) -> Result<Answer, TransportFault> {
    let patience = millis(request.patience_ms);
    let mut followed = 0;
    loop {
        match exchange.next(patience, &mut followed) {
            Turn::Wish(wish) => {
                let given = body.grant(wish);
                let failed = given.as_ref().err().cloned();
                exchange.give(given);
                if let Some(error) = failed {
                    return Err(TransportFault::Source(error));
                }
            }
            Turn::Sent(bytes) => body.follow(bytes)?,
            Turn::Reply(reply) => {
                *abandoned = false;
                return match reply {
                    Reply::Response(response) => {
                        if (200..300).contains(&response.status) {
                            body.follow(u64::MAX)?;
                        }
                        response.checked(request)
                    }
                    Reply::Fault(fault) => Err(fault.told(body.any)),
                    Reply::Dropped => Err(TransportFault::Cut {
                        error: ErrorInfo::new(Code::ConnectionCut, "The host's transport dropped the request."),
                        reused: false,
                    }),
                };
            }
            Turn::Cancelled => return Err(TransportFault::Cancelled { left: true }),
            Turn::Silent => return Err(fault::stalled("The host's transport was silent for too long.")),
        }
    }
}

/// The body as the host has it.
struct Pulled<'a> {
    body: &'a mut dyn RequestBody,
    len: u64,
    at: u64,
    /// Something of it was pulled, now or before it was rewound.
    any: bool,
    /// The host reads it itself.
    by_range: bool,
}

impl Pulled<'_> {
    fn grant(&mut self, wish: Wish) -> Result<Given, ErrorInfo> {
        Ok(match wish {
            Wish::Read(bytes_max) => {
                let want = usize::try_from(self.len - self.at).unwrap_or(usize::MAX).min(bytes_max);
                let mut bytes = vec![0; want];
                let n = self.read(&mut bytes)?;
                bytes.truncate(n);
                Given::Bytes(bytes)
            }
            Wish::Rewind => {
                self.body.rewind();
                self.at = 0;
                Given::Rewound
            }
            Wish::Range => {
                let range = self.body.file_range().filter(|range| range.len == self.len);
                self.by_range = range.is_some();
                Given::Range(range)
            }
        })
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        if buf.is_empty() {
            return Ok(0);
        }
        self.any = true;
        match self.body.read(buf)? {
            0 => Err(ErrorInfo::new(Code::SourceUnreadable, "The body ended before its length.")),
            n if n > buf.len() => Err(ErrorInfo::new(Code::Bug, "The body gave more than it was asked for.")),
            n => {
                self.at += n as u64;
                Ok(n)
            }
        }
    }

    /// Reads along what the host reads itself, so that it is counted and summed.
    fn follow(&mut self, bytes: u64) -> Result<(), TransportFault> {
        if !self.by_range {
            return Ok(());
        }
        let end = bytes.min(self.len);
        let mut buf = vec![0; FOLLOW_BYTES];
        while self.at < end {
            let want = usize::try_from(end - self.at).unwrap_or(usize::MAX).min(buf.len());
            self.read(&mut buf[..want]).map_err(TransportFault::Source)?;
        }
        Ok(())
    }
}
