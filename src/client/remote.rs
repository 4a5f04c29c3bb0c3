//! What the service itself knows of an upload, for people and for support.

use super::{Client, RemoteTask};
use crate::{
    engine::Facts,
    error::{Code, ErrorInfo},
    model::http::{Body, TransportFault},
    runtime::unix_ms,
    service::{self, Caller, Fault},
    transport::{BytesBody, CancelToken},
};

/// Requests that one look may cost: a refused credential, a refused word and a moment's trouble are each got over.
const REQUESTS_MAX: u32 = 3;

/// What a look at the service led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteLook {
    /// There is nothing to ask for: the upload was not begun there, or was made in one request.
    NoSession,
    /// The service does not know it (any more).
    Gone,
    /// This is what it tells.
    Found(RemoteTask),
}

impl Client {
    /// Asks the service for its own view of an upload, in whatever state that is, also one that another process works on or that has ended. Nothing of
    /// the upload changes, and nothing that works is waited for: what the journal says decides what is asked for. Sends up to three requests, of
    /// connections of its own, also while the client is held. **waits**: for the host's credential, 60 s at most, and for each answer.
    ///
    /// Errors: `UnknownUpload`; `CredentialRefused` when the host has no credential that the service takes; what the service or the way to it refused.
    pub fn look_remote(&self, id: &str) -> Result<RemoteLook, ErrorInfo> {
        let runtime = &self.inner.runtime;
        let facts = Facts::new(runtime.records(id)?)?;
        let Some(session) = &facts.session else { return Ok(RemoteLook::NoSession) };
        let target = &facts.upload.target;
        let service = service::open(target)?;
        let mut lane = runtime.lane();
        let (mut refused, mut why, mut service_unix_ms) = (None, None, unix_ms());
        let mut left = REQUESTS_MAX;
        loop {
            left -= 1;
            let credential = runtime.credential(target.account(), target.service(), refused)?;
            let Some((credential, generation)) = credential else {
                // What the service said of the last one tells more than that there is no other.
                let none = || ErrorInfo::new(Code::CredentialRefused, "there is no credential for the account");
                return Err(why.unwrap_or_else(none));
            };
            let caller = Caller { credential: &credential, service_unix_ms };
            let request = service.inspect(caller, session);
            if request.to_sign.is_some() {
                return Err(ErrorInfo::new(Code::Unsupported, "what the host signs can't be asked from here"));
            }
            let mut body = match &request.body {
                Body::Bytes(bytes) => BytesBody::new(bytes.clone()),
                _ => BytesBody::default(),
            };
            let answer =
                lane.execute(&request, &mut body, &CancelToken::default()).map_err(|fault| not_answered(&fault))?;
            match service.read_task(session, &answer) {
                Ok(task) => return Ok(RemoteLook::Found(task)),
                Err(Fault::SessionGone(_)) => return Ok(RemoteLook::Gone),
                Err(Fault::Misdated(_)) if left > 0 => {}
                Err(Fault::CredentialRefused(error)) if left > 0 => (refused, why) = (Some(generation), Some(error)),
                // Asked to wait, it is the caller who decides whether to.
                Err(Fault::Retry(error)) if left > 0 && error.retry_after_ms.is_none() => {}
                Err(fault) => return Err(fault.error().clone()),
            }
            // It may be the clock that a signature was refused for.
            service_unix_ms = answer.date_unix_ms().unwrap_or(service_unix_ms);
        }
    }
}

fn not_answered(fault: &TransportFault) -> ErrorInfo {
    fault.error().cloned().unwrap_or_else(|| ErrorInfo::new(Code::Cancelled, "the request was stopped"))
}
