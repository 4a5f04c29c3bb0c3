//! The network workers: each owns a lane, sends one request at a time, and counts and checks what leaves.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{mailbox::Mailbox, message::Message, pool::Pool, rate::Rate};
use crate::{
    engine::{Event, OpId},
    error::{Code, ErrorInfo},
    model::{
        Identity,
        checkpoint::{Act, Checkpoints},
        http::{Answer, Body, ByteRange, Request, Sent, TransportFault},
    },
    source::{RangeReader, Source},
    transport::{BytesBody, CancelToken, FileRange, Lane, Lanes, RequestBody},
};

/// A worker tells how far it is this often at most.
const TELL: Duration = Duration::from_millis(100);

/// One request to carry.
pub(super) struct Send {
    pub(super) row: usize,
    pub(super) op: OpId,
    pub(super) request: Request,
    pub(super) source: Option<(Arc<dyn Source>, Identity)>,
    pub(super) cancel: CancelToken,
    /// The upload's own bound, beside the client's.
    pub(super) own_rate: Arc<Rate>,
}

/// The pool of them.
pub(super) fn pool(
    threads_max: usize,
    lanes: Arc<dyn Lanes>,
    rate: Arc<Rate>,
    mailbox: Arc<Mailbox>,
    checkpoints: Checkpoints,
) -> Pool<Send> {
    Pool::new("partway-net", threads_max, move || {
        let mut lane = lanes.lane();
        let (rate, mailbox, lanes, checkpoints) = (rate.clone(), mailbox.clone(), lanes.clone(), checkpoints.clone());
        Box::new(move |job: Send| {
            let host = job.request.host().to_owned();
            let carried = AssertUnwindSafe(|| carry(&job, lane.as_mut(), &rate, &mailbox));
            let carried = checkpoints.around(Act::Request, || catch_unwind(carried));
            let (result, sent) = carried.unwrap_or_else(|_| {
                // A host's transport or source broke: that is its upload's affair, and this worker goes on with a new lane.
                lane = lanes.lane();
                let error = ErrorInfo::new(Code::SourceUnreadable, "reading or sending panicked in the host's code");
                (Err(TransportFault::Source(error)), Sent::default())
            });
            mailbox.post(Message::Answered { row: job.row, host, event: Event::Answered { op: job.op, result, sent } });
        })
    })
}

fn carry(job: &Send, lane: &mut dyn Lane, rate: &Rate, mailbox: &Mailbox) -> (Result<Answer, TransportFault>, Sent) {
    match (job.request.body.range(), job.source.clone()) {
        _ if job.cancel.is_cancelled() => (Err(TransportFault::Cancelled { left: false }), Sent::default()),
        (Some(range), Some((source, identity))) => {
            let rates = [rate, &job.own_rate];
            let mut body = SourceBody::new(source, identity, range, rates, mailbox, job.row, job.op, &job.cancel);
            let result = match &job.request.body {
                Body::Form { head, tail, .. } => {
                    let mut form = FormBody { head, body: &mut body, tail, at: 0 };
                    lane.execute(&job.request, &mut form, &job.cancel)
                }
                _ => lane.execute(&job.request, &mut body, &job.cancel),
            };
            (result, body.sent())
        }
        (Some(_), None) => {
            let error = ErrorInfo::new(Code::Bug, "a part was sent without a source");
            (Err(TransportFault::Source(error)), Sent::default())
        }
        (None, _) => {
            let bytes = match &job.request.body {
                Body::Bytes(bytes) => bytes.clone(),
                _ => vec![],
            };
            (lane.execute(&job.request, &mut BytesBody::new(bytes), &job.cancel), Sent::default())
        }
    }
}

/// A stretch of the source on its way out. The source is looked at before the first byte and after the last one, before the last is handed over: a
/// part of a file that changed meanwhile is never whole.
struct SourceBody<'a> {
    source: Arc<dyn Source>,
    identity: Identity,
    reader: RangeReader,
    /// The client's, and the upload's own.
    rates: [&'a Rate; 2],
    mailbox: &'a Mailbox,
    row: usize,
    op: OpId,
    cancel: &'a CancelToken,
    told: Instant,
    // A request that was rewound sent what it had sent.
    high: Sent,
}

impl<'a> SourceBody<'a> {
    #[allow(clippy::too_many_arguments)] // One call site; a struct of them would be this struct again.
    fn new(
        source: Arc<dyn Source>,
        identity: Identity,
        range: ByteRange,
        rates: [&'a Rate; 2],
        mailbox: &'a Mailbox,
        row: usize,
        op: OpId,
        cancel: &'a CancelToken,
    ) -> Self {
        let reader = RangeReader::new(source.clone(), range.offset, range.len);
        SourceBody {
            source,
            identity,
            reader,
            rates,
            mailbox,
            row,
            op,
            cancel,
            told: Instant::now(),
            high: Sent::default(),
        }
    }

    fn sent(&self) -> Sent {
        let now = Sent { bytes: self.reader.done_bytes(), crc64: self.reader.crc64() };
        if now.bytes >= self.high.bytes { now } else { self.high }
    }

    fn unchanged(&self) -> Result<(), ErrorInfo> {
        if self.source.identity()?.same_as(&self.identity) {
            return Ok(());
        }
        Err(ErrorInfo::new(Code::SourceChanged, "the file was touched while a part of it was being sent"))
    }
}

fn stopped() -> ErrorInfo {
    ErrorInfo::new(Code::Cancelled, "the part was stopped")
}

impl RequestBody for SourceBody<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        // A host's transport may not look; its reader is not called for nobody.
        if self.cancel.is_cancelled() {
            return Err(stopped());
        }
        if self.reader.done_bytes() == 0 {
            self.unchanged()?;
        }
        let most = self.rates.iter().fold(buf.len(), |most, rate| rate.quantum(most));
        let n = self.reader.read(&mut buf[..most])?;
        if n == 0 {
            return Ok(0);
        }
        if self.reader.done_bytes() == self.reader.len_bytes() {
            self.unchanged()?;
        }
        if !self.rates.iter().all(|rate| rate.take(n, || self.cancel.is_cancelled())) {
            return Err(stopped());
        }
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            let bytes = self.reader.done_bytes();
            self.mailbox.post(Message::Event { row: self.row, event: Event::Bytes { op: self.op, bytes } });
        }
        Ok(n)
    }

    fn rewind(&mut self) {
        self.high = self.sent();
        self.reader.rewind();
    }

    fn file_range(&self) -> Option<FileRange> {
        // Who reads the file himself is not held back by us.
        if self.rates.iter().any(|rate| rate.is_limited()) {
            return None;
        }
        let (file, start) = self.source.file()?;
        let offset = start.checked_add(self.reader.offset())?;
        Some(FileRange { file: file.try_clone().ok()?, offset, len: self.reader.len_bytes() })
    }
}

/// A stretch of the source inside a form: what stands before it, it, what stands after it.
struct FormBody<'a, 'b> {
    head: &'a [u8],
    body: &'a mut SourceBody<'b>,
    tail: &'a [u8],
    /// Of head and tail together.
    at: usize,
}

impl RequestBody for FormBody<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        if self.at >= self.head.len() && self.body.reader.done_bytes() < self.body.reader.len_bytes() {
            return self.body.read(buf);
        }
        let rest = match self.at.checked_sub(self.head.len()) {
            None => &self.head[self.at..],
            Some(after) => &self.tail[after.min(self.tail.len())..],
        };
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }

    fn rewind(&mut self) {
        self.at = 0;
        self.body.rewind();
    }
}
