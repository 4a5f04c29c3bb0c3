//! One connection: hyper on it, until it ends or a fault takes it.

use std::convert::Infallible;
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::answer::{Answer, Payload};
use crate::exchange::{From, Unanswered, exchange};
use crate::faults::Plane;
use crate::hostile;
use crate::shared::Shared;
use crate::stream::{ForHyper, Stream};

/// hyper's least is 8 KiB; a chunk of a body is at most this.
const HYPER_BUFFER_BYTES: usize = 64 * 1024;

pub(crate) async fn serve(shared: Arc<Shared>, plane: Plane, id: u64, stream: Stream) {
    let from = From { connection: id, peer: stream.tcp().peer_addr().ok() };
    let script: Arc<Mutex<Option<Unanswered>>> = Arc::default();
    let slot = Arc::clone(&script);
    let service = service_fn(move |request: Request<Incoming>| {
        let (shared, slot) = (Arc::clone(&shared), Arc::clone(&slot));
        let answered = async move {
            match exchange(shared, plane, from, request).await {
                Ok(answer) => Ok::<_, Infallible>(response(answer)),
                Err(unanswered) => {
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(unanswered);
                    // The connection is taken from hyper before this is polled again.
                    std::future::pending().await
                }
            }
        };
        Box::pin(answered) as Pin<Box<dyn Future<Output = Result<Response<Outgoing>, Infallible>> + Send>>
    });
    let mut connection = http1::Builder::new()
        .auto_date_header(false)
        // A request that came whole is carried out, also when its sender died after it.
        .half_close(true)
        .max_buf_size(HYPER_BUFFER_BYTES)
        .serve_connection(ForHyper::new(stream), service);
    let taken = std::future::poll_fn(|cx| {
        let over = Pin::new(&mut connection).poll(cx).is_ready();
        match script.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(script) => Poll::Ready(Some(script)),
            None if over => Poll::Ready(None),
            None => Poll::Pending,
        }
    })
    .await;
    if let Some(Unanswered { script, standing }) = taken {
        hostile::run(script, connection.into_parts().io.stream).await;
        drop(standing);
    }
}

fn response(answer: Answer) -> Response<Outgoing> {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        // A rule may name a header that HTTP can't carry; it is left out rather than ending the sandbox.
        if let (Ok(name), Ok(value)) =
            (hyper::header::HeaderName::try_from(name), hyper::header::HeaderValue::try_from(value))
        {
            builder = builder.header(name, value);
        }
    }
    let body = match answer.body {
        Payload::Bytes(bytes) => Outgoing::Bytes(Some(Bytes::from(bytes))),
        Payload::File(file, left) => Outgoing::File { file, left },
    };
    builder.body(body).unwrap_or_else(|_| Response::new(Outgoing::Bytes(None)))
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Bytes(Option<Bytes>),
    File { file: std::fs::File, left: u64 },
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(match self.get_mut() {
            Self::Bytes(bytes) => bytes.take().filter(|b| !b.is_empty()).map(|b| Ok(Frame::data(b))),
            Self::File { left: 0, .. } => None,
            Self::File { file, left } => {
                let mut chunk = vec![0; usize::try_from(*left).unwrap_or(usize::MAX).min(HYPER_BUFFER_BYTES)];
                Some(file.read_exact(&mut chunk).map(|()| {
                    *left -= chunk.len() as u64;
                    Frame::data(Bytes::from(chunk))
                }))
            }
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, |b| b.len() as u64),
            Self::File { left, .. } => *left,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }
}
