//! What the host gives. Asks are answered now or later, from any thread, once.

use std::sync::{Mutex, PoisonError};

use super::{Idle, Snapshot};
pub use crate::model::Credential;
use crate::{error::ErrorInfo, model::ServiceName, source::SourceOffer};

/// Bounds of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Uploads that work at once.
    pub parallel_uploads: u32,
    /// Parts that are sent at once, over all uploads.
    pub parallel_parts: u32,
    /// Body bytes a second, over all uploads; 0: no limit.
    pub rate_bytes_per_s: u64,
}

impl Limits {
    /// Uploads, and parts, at once: whatever a host asks for.
    pub const PARALLEL_MAX: u32 = 64;

    /// Within what can be: at least one, at most [`Limits::PARALLEL_MAX`].
    pub(crate) fn clamped(self) -> Limits {
        Limits {
            parallel_uploads: self.parallel_uploads.clamp(1, Limits::PARALLEL_MAX),
            parallel_parts: self.parallel_parts.clamp(1, Limits::PARALLEL_MAX),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        // smh §17.11: at most 3 parallel parts where no rate is known.
        Limits { parallel_uploads: 2, parallel_parts: 3, rate_bytes_per_s: 0 }
    }
}

/// Is told of changes. Called on one thread of ours, in order, never re-entrantly, at most ten times a second; the first call is the present. It may
/// call the client, except what waits.
pub trait Listener: Send + Sync {
    /// These changed. Of one upload the latest wins, but no change of state is skipped.
    fn on_changes(&self, changes: &[Snapshot]);
    /// Nothing works any more.
    fn on_idle(&self, _idle: &Idle) {}
}

/// Knows credentials. Called on one thread of ours, one ask an account at a time; it may answer there or later.
pub trait CredentialProvider: Send + Sync {
    /// Answer `ask`, now or later. Without an answer for 60 s the uploads wait, named so; a later answer still counts.
    fn provide(&self, ask: CredentialAsk);
}

/// Why a credential is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is none yet.
    First,
    /// The service refused the last one.
    Refused,
}

type CredentialReply = Box<dyn FnOnce(Option<Credential>) + Send>;

/// A question for a credential: answer it once, from any thread. Dropped unanswered it counts as [`later`](CredentialAsk::later).
pub struct CredentialAsk {
    account: String,
    service: ServiceName,
    why: Why,
    reply: Mutex<Option<CredentialReply>>,
}

impl CredentialAsk {
    pub(crate) fn new(account: String, service: ServiceName, why: Why, reply: CredentialReply) -> Self {
        Self { account, service, why, reply: Mutex::new(Some(reply)) }
    }

    /// Whose.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// For which service.
    pub fn service(&self) -> ServiceName {
        self.service
    }

    /// Why.
    pub fn why(&self) -> Why {
        self.why
    }

    /// Here it is.
    pub fn supply(self, credential: Credential) {
        self.answer(Some(credential));
    }

    /// Not now: the uploads of the account wait until [`Client::set_credential`](crate::client::Client::set_credential) or a resume.
    pub fn later(self) {
        self.answer(None);
    }

    fn answer(&self, credential: Option<Credential>) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply(credential);
        }
    }
}

impl Drop for CredentialAsk {
    fn drop(&mut self) {
        self.answer(None);
    }
}

/// Opens sources. Called on one thread of ours; it may answer there or later.
pub trait SourceProvider: Send + Sync {
    /// Answer `ask`, now or later.
    fn open(&self, ask: SourceAsk);
}

type SourceReply = Box<dyn FnOnce(Result<SourceOffer, ErrorInfo>) + Send>;

/// A question for a source: answer it once, from any thread. Dropped unanswered it counts as [`gone`](SourceAsk::gone).
pub struct SourceAsk {
    upload_id: String,
    key: String,
    token: Vec<u8>,
    why: ErrorInfo,
    reply: Mutex<Option<SourceReply>>,
}

impl SourceAsk {
    pub(crate) fn new(upload_id: String, key: String, token: Vec<u8>, why: ErrorInfo, reply: SourceReply) -> Self {
        Self { upload_id, key, token, why, reply: Mutex::new(Some(reply)) }
    }

    /// Of which upload.
    pub fn upload_id(&self) -> &str {
        &self.upload_id
    }

    /// The host's own name for it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The host's own word for the source.
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// Why it could not be opened without the host.
    pub fn why(&self) -> &ErrorInfo {
        &self.why
    }

    /// Here it is. Another identity with the same bytes goes on where the upload was.
    pub fn supply(self, source: SourceOffer) {
        self.answer(Ok(source));
    }

    /// It can't be had: the upload waits for [`Client::attach_source`](crate::client::Client::attach_source) or a resume.
    pub fn gone(self) {
        let why = self.why.clone();
        self.answer(Err(why));
    }

    fn answer(&self, result: Result<SourceOffer, ErrorInfo>) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply(result);
        }
    }
}

impl Drop for SourceAsk {
    fn drop(&mut self) {
        let why = self.why.clone();
        self.answer(Err(why));
    }
}

/// What the host knows of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `None`: it never said. Offline, uploads wait and spend nothing.
    pub online: Option<bool>,
    /// Grows when the path changed: sockets of the old one are dropped, waits end.
    pub generation: u64,
}

/// A journal that could not be read at open. It was left as it is, or set aside if it was damaged; no other upload is harmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whose.
    pub id: String,
    /// Why.
    pub error: ErrorInfo,
}
