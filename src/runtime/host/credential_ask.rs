//! The question for a credential.

use std::sync::{Mutex, PoisonError};

use crate::model::{Credential, ServiceName};

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
    /// The one in use will soon be over. Uploads go on with it meanwhile.
    Expiring,
    /// The service refused the last one.
    Refused,
}

/// What a host answered.
pub(crate) enum CredentialAnswer {
    /// Here it is.
    Supplied(Credential),
    /// Not now.
    Later {
        /// From the answer on.
        retry_in_ms: Option<u64>,
    },
    /// Nobody is signed in any more.
    SignedOut,
}

type Reply = Box<dyn FnOnce(CredentialAnswer) + Send>;

/// A question for a credential. It is ours until [`provide`](CredentialProvider::provide) is called, then the host's: answered once, from any thread;
/// a second answer does nothing. Dropped unanswered it counts as `later(None)`. No answer blocks.
pub struct CredentialAsk {
    account: String,
    service: ServiceName,
    why: Why,
    reply: Mutex<Option<Reply>>,
}

impl CredentialAsk {
    pub(crate) fn new(account: String, service: ServiceName, why: Why, reply: Reply) -> Self {
        Self { account, service, why, reply: Mutex::new(Some(reply)) }
    }

    /// Whose. **now**
    pub fn account(&self) -> &str {
        &self.account
    }

    /// For which service. **now**
    pub fn service(&self) -> ServiceName {
        self.service
    }

    /// Why. **now**
    pub fn why(&self) -> Why {
        self.why
    }

    /// Here it is. **now**
    pub fn supply(&self, credential: Credential) {
        self.answer(CredentialAnswer::Supplied(credential));
    }

    /// Not now: the uploads of the account wait, to be asked for again after so long, or else until
    /// [`Client::set_credential`](crate::client::Client::set_credential) or a resume. **now**
    pub fn later(&self, retry_in_ms: Option<u64>) {
        self.answer(CredentialAnswer::Later { retry_in_ms });
    }

    /// Nobody is signed in to that account: as [`Client::sign_out`](crate::client::Client::sign_out) with `Hold`. **now**
    pub fn signed_out(&self) {
        self.answer(CredentialAnswer::SignedOut);
    }

    fn answer(&self, answer: CredentialAnswer) {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reply) = reply {
            reply(answer);
        }
    }
}

impl Drop for CredentialAsk {
    fn drop(&mut self) {
        self.answer(CredentialAnswer::Later { retry_in_ms: None });
    }
}
