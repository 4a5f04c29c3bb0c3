//! What ureq says, as our faults: by kind, never by its texts, which may hold a URL.

use std::io;

use ureq::Error;

use super::TransportFault;
use crate::error::{Code, ErrorInfo};

pub(super) fn unreached(code: Code, detail: &'static str) -> TransportFault {
    TransportFault::Unreached(ErrorInfo::new(code, detail))
}

pub(super) fn malformed(code: Code, detail: &'static str) -> TransportFault {
    TransportFault::Malformed(ErrorInfo::new(code, detail))
}

pub(super) fn cut(reused: bool) -> TransportFault {
    TransportFault::Cut { error: ErrorInfo::new(Code::ConnectionCut, "The connection broke off."), reused }
}

pub(super) fn stalled(detail: &'static str) -> TransportFault {
    TransportFault::Stalled(ErrorInfo::new(Code::Stalled, detail))
}

/// What a server or the host gave us and HTTP can't carry.
pub(super) fn unsendable() -> TransportFault {
    unreached(Code::RequestRefused, "The request can't be put into HTTP.")
}

/// An error of ureq itself; what our own connector and wire found was remembered there and is not asked here. `left`: the request began to
/// leave.
pub(super) fn of_ureq(error: &Error, left: bool, reused: bool) -> TransportFault {
    match error {
        Error::Http(_) | Error::BadUri(_) => unsendable(),
        Error::LargeResponseHeader(..) => malformed(Code::AnswerTooLarge, "The answer's headers were too large."),
        Error::Protocol(_) if left => malformed(Code::AnswerMalformed, "What came is no HTTP answer."),
        Error::Protocol(_) => unsendable(),
        Error::Timeout(_) => stalled("Nothing moved for too long."),
        Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput if left => {
                malformed(Code::AnswerMalformed, "What came is no HTTP answer.")
            }
            _ if left => cut(reused),
            _ => unreached(Code::ConnectFailed, "The service could not be reached."),
        },
        _ if left => cut(reused),
        _ => unreached(Code::Bug, "The HTTP library failed in an unknown way."),
    }
}
