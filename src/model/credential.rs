//! What a service lets in.

use crate::redact::Secret;

/// A credential. It can't be printed; equal ones are the same credential.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// SMH: the access token. KooDrive: the whole `Authorization` value, such as `Bearer …`.
    Token {
        /// It.
        value: Secret,
    },
    /// KooDrive's application authentication. For servers and command lines: an application secret inside an app is no secret.
    AppKey {
        /// The application.
        app_id: String,
        /// Its secret.
        app_secret: Secret,
        /// The user in whose name it acts.
        user_id: String,
    },
    /// KooDrive's application authentication where the secret stays elsewhere, such as on a server of the host's: every request of the control plane
    /// is signed by the client's `Signer`.
    AppSigner {
        /// The application.
        app_id: String,
        /// The user in whose name it acts.
        user_id: String,
    },
}

impl Credential {
    /// A token.
    pub fn token(value: impl Into<Secret>) -> Credential {
        Credential::Token { value: value.into() }
    }

    /// The token; empty where there is none, which a service that wants one refuses.
    pub fn value(&self) -> &str {
        match self {
            Credential::Token { value } => value.expose(),
            Credential::AppKey { .. } | Credential::AppSigner { .. } => "",
        }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credential::Token { .. } => "Token(…)",
            Credential::AppKey { .. } => "AppKey(…)",
            Credential::AppSigner { .. } => "AppSigner(…)",
        })
    }
}
