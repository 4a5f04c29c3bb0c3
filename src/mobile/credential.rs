//! Credentials, and the question for one.

use std::sync::Arc;

use super::{
    HostError, NativeError, SecretText, Service,
    error::heard,
    number::{floored, unsigned_or_none},
};
use crate::client;

/// What a service lets in.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Credential {
    /// SMH: the access token. KooDrive: the whole `Authorization` value, such as `Bearer …`.
    Token {
        /// It.
        value: SecretText,
        /// How long it will do from now, if that is known: the host is asked for the next one in time.
        #[uniffi(default = None)]
        expires_in_ms: Option<i64>,
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
    /// KooDrive's application authentication where the secret stays elsewhere, such as on a server of the host's: the client's signer signs each request of
    /// the control plane.
    AppSigner {
        /// The application.
        app_id: String,
        /// The user in whose name it acts.
        user_id: String,
    },
}

impl TryFrom<Credential> for client::Credential {
    type Error = NativeError;

    fn try_from(credential: Credential) -> Result<client::Credential, NativeError> {
        Ok(match credential {
            Credential::Token { value, expires_in_ms } => client::Credential::Token {
                value: value.0,
                expires_in_ms: unsigned_or_none("expires_in_ms", expires_in_ms)?,
            },
            Credential::AppKey { app_id, app_secret, user_id } => {
                client::Credential::AppKey { app_id, app_secret: app_secret.0, user_id }
            }
            Credential::AppSigner { app_id, user_id } => client::Credential::AppSigner { app_id, user_id },
        })
    }
}

mirror! {
    /// Why a credential is asked for.
    Why of client::Why: out {
        /// There is none yet.
        First,
        /// The one in use will soon be over. Uploads go on with it meanwhile.
        Expiring,
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
    ask: client::CredentialAsk,
}

#[uniffi::export]
impl CredentialAsk {
    /// Whose. No I/O.
    pub fn account(&self) -> String {
        self.ask.account().to_owned()
    }

    /// For which service. No I/O.
    pub fn service(&self) -> Service {
        self.ask.service().into()
    }

    /// Why. No I/O.
    pub fn why(&self) -> Why {
        self.ask.why().into()
    }

    /// Here it is. No I/O.
    pub fn supply(&self, credential: Credential) -> Result<(), NativeError> {
        self.ask.supply(credential.try_into()?);
        Ok(())
    }

    /// Not now: the uploads of the account wait, to be asked for again after so long, or else until a credential is set or they are resumed. No I/O.
    #[uniffi::method(default(retry_in_ms = None))]
    pub fn later(&self, retry_in_ms: Option<i64>) {
        self.ask.later(retry_in_ms.map(floored));
    }

    /// Nobody is signed in to that account: its uploads wait for the next credential that is set. No I/O.
    pub fn signed_out(&self) {
        self.ask.signed_out();
    }
}

/// The host's provider as the facade sees it.
pub(super) struct Provider(pub(super) Arc<dyn CredentialProvider>);

impl client::CredentialProvider for Provider {
    fn provide(&self, ask: client::CredentialAsk) {
        heard(self.0.provide(Arc::new(CredentialAsk { ask })));
    }
}
