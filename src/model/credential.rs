//! What a service lets in.

use crate::redact::Secret;

/// A credential. It can't be printed; equal ones are the same credential.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// SMH: the access token. KooDrive: the whole `Authorization` value, such as `Bearer …`.
    Token {
        /// It.
        value: Secret,
        /// How long it will do from now, if that is known: the host is asked for the next one in time.
        expires_in_ms: Option<u64>,
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
    /// A token of which it is not known how long it will do.
    pub fn token(value: impl Into<Secret>) -> Credential {
        Credential::Token { value: value.into(), expires_in_ms: None }
    }

    /// How long it will do, if that is known.
    pub fn expires_in_ms(&self) -> Option<u64> {
        match self {
            Credential::Token { expires_in_ms, .. } => *expires_in_ms,
            Credential::AppKey { .. } | Credential::AppSigner { .. } => None,
        }
    }

    /// True for the same secret, whatever is known of its life.
    pub fn is_same_as(&self, other: &Credential) -> bool {
        match (self, other) {
            (Credential::Token { value: a, .. }, Credential::Token { value: b, .. }) => a == b,
            _ => self == other,
        }
    }

    /// False for a token that hardly any URL or header has room for, or with characters that no header carries.
    pub(crate) fn is_sendable(&self) -> bool {
        const TOKEN_BYTES_MAX: usize = 16 << 10;
        self.value().len() <= TOKEN_BYTES_MAX && self.value().bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }

    /// The token; empty where there is none, which a service that wants one refuses.
    pub fn value(&self) -> &str {
        match self {
            Credential::Token { value, .. } => value.expose(),
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
