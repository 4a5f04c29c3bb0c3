//! HTTP as one blocking call: a request as data and a body to pull from in, an answer or a typed fault out. Any status is an answer.

mod body;
mod buffers;
mod cancel;
mod current;
mod dial;
mod fault;
pub mod host;
mod interim;
mod lane;
mod pins;
mod proxy;
mod setup;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use crate::model::http::TransportFault;
pub use cancel::CancelToken;
pub use lane::UreqTransport;
pub use setup::{Names, TransportConfig};

use std::{fs::File, io, time::Duration};

use crate::{
    error::ErrorInfo,
    model::http::{Answer, Request},
};

/// The body of a request, pulled while it is sent.
pub trait RequestBody: Send {
    /// Fills the beginning of `buf`; 0 at the end. An error is a fault of the source, never of the network: the transport reports it as
    /// [`TransportFault::Source`].
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo>;
    /// Back to the first byte.
    fn rewind(&mut self);
    /// Where its bytes lie, when they are those of a file and may be read there at any speed.
    fn file_range(&self) -> Option<FileRange> {
        None
    }
}

/// A stretch of an open file.
pub struct FileRange {
    /// A descriptor of its own.
    pub file: File,
    /// Of the first byte.
    pub offset: u64,
    /// Its length.
    pub len: u64,
}

/// What carries requests: the built-in transport, or the host's.
pub trait Lanes: Send + Sync {
    /// A lane for one network worker, with connections of its own.
    fn lane(&self) -> Box<dyn Lane>;
    /// Nothing is given to a host any more. Never blocks.
    fn close(&self) {}
    /// Waits until no call of a host's is under way, at most so long; whether none is.
    fn drain(&self, _timeout: Duration) -> bool {
        true
    }
}

/// One worker's way out. Connections are kept between calls.
pub trait Lane: Send {
    /// Sends one request and waits for its whole answer. Blocks; returns soon after `cancel` was called.
    fn execute(
        &mut self,
        request: &Request,
        body: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault>;
}

/// A body that is in memory already, or nothing.
#[derive(Default)]
pub struct BytesBody {
    bytes: Vec<u8>,
    at: usize,
}

impl BytesBody {
    /// Over these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }
}

impl RequestBody for BytesBody {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let n = io::Read::read(&mut &self.bytes[self.at..], buf).unwrap_or(0);
        self.at += n;
        Ok(n)
    }

    fn rewind(&mut self) {
        self.at = 0;
    }
}
