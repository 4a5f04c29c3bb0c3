//! Credentials, and the question for one.

use std::sync::{Arc, Mutex, PoisonError};

use super::{HostError, SecretText, Service};
use crate::client;

/// What a service lets in.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Credential {
    /// SMH: the access token. KooDrive: the whole `Authorization` value, such as `Bearer …`.
    Token {
        /// It.
        value: SecretText,
    },
    /// KooDrive's application authentication. For servers: an application secret inside an app is no secret.
    AppKey {
        /// The application.
        app_id: String,
        /// Its secret.
        app_secret: SecretText,
        /// The user in whose name it acts.
        user_id: String,
    },
}

impl From<Credential> for client::Credential {
    fn from(credential: Credential) -> client::Credential {
        match credential {
            Credential::Token { value } => client::Credential::Token { value: value.0 },
            Credential::AppKey { app_id, app_secret, user_id } => {
                client::Credential::AppKey { app_id, app_secret: app_secret.0, user_id }
            }
        }
    }
}

mirror! {
    /// Why a credential is asked for.
    Why of client::Why: out {
        /// There is none yet.
        First,
        /// The service refused the last one.
        Refused,
    }
}

/// Knows credentials. Called on a thread of the library, one ask an account at a time.
#[uniffi::export(foreign)]
pub trait CredentialProvider: Send + Sync {
    /// Answer `ask` now or later, from any thread. Without an answer for 60 s the uploads wait, named so; a later answer still counts. Throwing is "not
    /// now".
    fn provide(&self, ask: Arc<CredentialAsk>) -> Result<(), HostError>;
}

/// A question for a credential. The first answer counts, the others are ignored; freed unanswered it is "not now".
#[derive(uniffi::Object)]
pub struct CredentialAsk {
    account: String,
    service: Service,
    why: Why,
    ask: Mutex<Option<client::CredentialAsk>>,
}

impl CredentialAsk {
    fn take(&self) -> Option<client::CredentialAsk> {
        self.ask.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[uniffi::export]
impl CredentialAsk {
    /// Whose. No I/O.
    pub fn account(&self) -> String {
        self.account.clone()
    }

    /// For which service. No I/O.
    pub fn service(&self) -> Service {
        self.service
    }

    /// Why. No I/O.
    pub fn why(&self) -> Why {
        self.why
    }

    /// Here it is. No I/O.
    pub fn supply(&self, credential: Credential) {
        if let Some(ask) = self.take() {
            ask.supply(credential.into());
        }
    }

    /// Not now: the uploads of the account wait until a credential is set or they are resumed. No I/O.
    pub fn later(&self) {
        if let Some(ask) = self.take() {
            ask.later();
        }
    }
}

/// The host's provider as the facade sees it.
pub(super) struct Provider(pub(super) Arc<dyn CredentialProvider>);

impl client::CredentialProvider for Provider {
    fn provide(&self, ask: client::CredentialAsk) {
        let ask = Arc::new(CredentialAsk {
            account: ask.account().to_owned(),
            service: ask.service().into(),
            why: ask.why().into(),
            ask: Mutex::new(Some(ask)),
        });
        if self.0.provide(ask.clone()).is_err() {
            ask.later();
        }
    }
}
