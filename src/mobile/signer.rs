//! Signatures of the host's, and the question for one.

use std::sync::{Arc, Mutex, PoisonError};

use super::{HostError, SecretText, Service, error::heard};
use crate::client;

/// Signs requests in an application's name, for credentials of the kind `AppSigner`. Called on a thread of the library.
#[uniffi::export(foreign)]
pub trait Signer: Send + Sync {
    /// Answer `ask` now or later, from any thread. Without an answer for 60 s the upload waits for a credential, named so. Throwing is a refusal.
    fn sign(&self, ask: Arc<SignAsk>) -> Result<(), HostError>;
}

/// A request to be signed. The first answer counts, the others are ignored; freed unanswered it is refused.
#[derive(uniffi::Object)]
pub struct SignAsk {
    account: String,
    service: Service,
    app_id: String,
    canonical_request: String,
    string_to_sign: String,
    ask: Mutex<Option<client::SignAsk>>,
}

impl SignAsk {
    fn new(ask: client::SignAsk) -> SignAsk {
        SignAsk {
            account: ask.account().to_owned(),
            service: ask.service().into(),
            app_id: ask.app_id().to_owned(),
            canonical_request: ask.canonical_request().to_owned(),
            string_to_sign: ask.string_to_sign().to_owned(),
            ask: Mutex::new(Some(ask)),
        }
    }

    fn take(&self) -> Option<client::SignAsk> {
        self.ask.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[uniffi::export]
impl SignAsk {
    /// Whose. No I/O.
    pub fn account(&self) -> String {
        self.account.clone()
    }

    /// For which service. No I/O.
    pub fn service(&self) -> Service {
        self.service
    }

    /// In which application's name. No I/O.
    pub fn app_id(&self) -> String {
        self.app_id.clone()
    }

    /// The request in its canonical form, for a signer that wants to see what it signs; it names the user. No I/O.
    pub fn canonical_request(&self) -> String {
        self.canonical_request.clone()
    }

    /// What the application's secret is applied to. KooDrive: the signature is the lower-case hex of HMAC-SHA256 over these bytes, the secret being the key. No
    /// I/O.
    pub fn string_to_sign(&self) -> String {
        self.string_to_sign.clone()
    }

    /// The signature, as it goes into the header: 1 to 1,024 visible ASCII characters without a comma. No I/O.
    pub fn supply(&self, signature: SecretText) {
        if let Some(ask) = self.take() {
            ask.supply(signature.0.expose());
        }
    }

    /// It is not signed: the upload waits for a credential until one is set, it is resumed, or a quarter of an hour has passed. No I/O.
    pub fn refuse(&self) {
        if let Some(ask) = self.take() {
            ask.refuse();
        }
    }
}

/// The host's signer as the facade sees it.
pub(super) struct Signs(pub(super) Arc<dyn Signer>);

impl client::Signer for Signs {
    fn sign(&self, ask: client::SignAsk) {
        heard(self.0.sign(Arc::new(SignAsk::new(ask))));
    }
}
