//! The request's body as ureq pulls it: exactly its length, straight into the connection's output buffer.

use std::io::{self, Read};

use super::{RequestBody, TransportFault, current::Current};
use crate::error::{Code, ErrorInfo};

pub(super) struct BodyReader<'a> {
    body: &'a mut dyn RequestBody,
    left: u64,
    current: &'a Current,
}

impl<'a> BodyReader<'a> {
    pub(super) fn new(body: &'a mut dyn RequestBody, len: u64, current: &'a Current) -> Self {
        Self { body, left: len, current }
    }

    fn failed(&self, error: ErrorInfo) -> io::Error {
        self.current.note(TransportFault::Source(error));
        // Whatever its kind: an end that is no error would make ureq ask again for ever.
        io::ErrorKind::UnexpectedEof.into()
    }
}

impl Read for BodyReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        if want == 0 {
            return Ok(0);
        }
        if self.current.answered_early() {
            // The rest is only counted, so that ureq gets to the answer: the wire sends none of it.
            self.left -= want as u64;
            return Ok(want);
        }
        match self.body.read(&mut buf[..want]) {
            Ok(0) => Err(self.failed(ErrorInfo::new(Code::SourceUnreadable, "The body ended before its length."))),
            Ok(n) if n > want => {
                Err(self.failed(ErrorInfo::new(Code::Bug, "The body gave more than it was asked for.")))
            }
            Ok(n) => {
                self.left -= n as u64;
                Ok(n)
            }
            Err(error) => Err(self.failed(error)),
        }
    }
}
