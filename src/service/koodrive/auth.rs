//! The headers of the control plane: who asks, when, and for applications the signature (koodrive §2, §8).

use crate::{
    hash::{Sha256, hex},
    model::{
        Credential,
        http::{Method, ToSign},
    },
    redact::Secret,
    service::{Caller, check, iso8601, koodrive::place::Place},
};

/// `X-Date` must not lie in the future, and may be 15 minutes old (koodrive §2).
const DATE_MARGIN_MS: i64 = 2_000;
/// What goes into the signature (koodrive §8.2).
const SIGNED_HEADERS: &str = "host;x-date;x-user-id";

/// What can't be a header value is no credential: without one the service refuses, and another is asked for.
fn usable(text: &str) -> &str {
    if check::is_header_value(text) { text } else { "" }
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK_BYTES: usize = 64;
    let hashed;
    let key = match key.len() {
        0..=BLOCK_BYTES => key,
        _ => {
            hashed = Sha256::of(key);
            &hashed[..]
        }
    };
    let keyed = |pad: u8| {
        let mut block = [pad; BLOCK_BYTES];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        let mut digest = Sha256::new();
        digest.update(&block);
        digest
    };
    let mut inner = keyed(0x36);
    inner.update(message);
    let mut outer = keyed(0x5c);
    outer.update(&inner.finish());
    outer.finish()
}

/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: Method,
    pub(super) host: &'a str,
    /// Encoded, with a slash in front and without a query.
    pub(super) path: &'a str,
    pub(super) date: &'a str,
    pub(super) user_id: &'a str,
    pub(super) body: &'a [u8],
}

impl Signed<'_> {
    /// koodrive §8.2. What goes into it is ASCII or was checked to be sent as it is.
    fn canonical(&self) -> String {
        let Signed { method, host, path, date, user_id, body } = self;
        let slash = if path.ends_with('/') { "" } else { "/" };
        let body = hex::encode(&Sha256::of(body));
        format!(
            "{}\n{path}{slash}\n\nhost:{host}\nx-date:{date}\nx-user-id:{}\n\n{SIGNED_HEADERS}\n{body}",
            method.name(),
            user_id.trim(),
        )
    }

    /// What the application's secret is applied to.
    pub(super) fn to_sign(&self, app_id: &str) -> ToSign {
        let canonical_request = self.canonical();
        let digest = hex::encode(&Sha256::of(canonical_request.as_bytes()));
        ToSign { app_id: app_id.to_owned(), canonical_request, string_to_sign: format!("HMAC-SHA256\n{digest}") }
    }
}

/// The `Authorization` value up to its end, where the signature goes.
fn unsigned(app_id: &str) -> String {
    format!("HMAC-SHA256 AppId={app_id},SignedHeaders={SIGNED_HEADERS},Signature=")
}

/// The signature by a secret that is at hand: the built-in signer, for servers and command lines. Inside an app a secret is no secret.
fn signature(to_sign: &ToSign, app_secret: &Secret) -> String {
    hex::encode(&hmac(app_secret.expose().as_bytes(), to_sign.string_to_sign.as_bytes()))
}

/// `X-Date` (koodrive §2).
pub(super) fn date(service_unix_ms: i64) -> String {
    let unix_ms = service_unix_ms.saturating_sub(DATE_MARGIN_MS).max(0);
    iso8601::format_basic(unix_ms).unwrap_or_else(|| "19700101T000000Z".to_owned())
}

/// `X-Traceid`, exactly 58 characters (koodrive §2): `partway_`, the service's time in milliseconds as 17 digits, `_`, and 32 hex digits of the
/// SHA-256 of path and body. The same request at the same time has the same id, any other another.
pub(super) fn trace_id(service_unix_ms: i64, path: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(path.as_bytes());
    digest.update(body);
    let digest = digest.finish_hex();
    // 17 digits are three million years.
    let unix_ms = service_unix_ms.clamp(0, 99_999_999_999_999_999);
    format!("partway_{unix_ms:017}_{digest:.32}")
}

impl Place {
    /// The user in whose name is asked, if it is known.
    fn user_id<'a>(&'a self, credential: &'a Credential) -> &'a str {
        let of_target = self.target.user_id.as_deref().unwrap_or_default();
        match credential {
            Credential::AppKey { user_id, .. } | Credential::AppSigner { user_id, .. } if !user_id.is_empty() => {
                usable(user_id)
            }
            _ => of_target,
        }
    }

    /// What the place of the proof is derived from (koodrive §3.4).
    pub(super) fn proof_origin<'a>(&'a self, credential: &'a Credential) -> &'a str {
        match credential {
            Credential::Token { value, .. } => usable(value.expose()),
            Credential::AppKey { .. } | Credential::AppSigner { .. } => self.user_id(credential),
        }
    }

    /// All headers of a request with that body, and what of it the host has to sign, if it does that.
    pub(super) fn headers(
        &self,
        caller: Caller<'_>,
        path: &str,
        body: &[u8],
    ) -> (Vec<(String, Secret)>, Option<ToSign>) {
        let date = date(caller.service_unix_ms);
        let user_id = self.user_id(caller.credential);
        let signed = Signed { method: Method::Post, host: &self.authority, path, date: &date, user_id, body };
        let (authorization, to_sign) = match caller.credential {
            Credential::Token { value, .. } => (usable(value.expose()).to_owned(), None),
            Credential::AppKey { app_id, app_secret, .. } => {
                let to_sign = signed.to_sign(usable(app_id));
                (format!("{}{}", unsigned(&to_sign.app_id), signature(&to_sign, app_secret)), None)
            }
            Credential::AppSigner { app_id, .. } => {
                let to_sign = signed.to_sign(usable(app_id));
                (unsigned(&to_sign.app_id), Some(to_sign))
            }
        };
        let shared_folder = self.target.shared_folder.clone().unwrap_or_default();
        let headers = [
            ("Authorization", authorization),
            ("X-User-Id", user_id.to_owned()),
            ("X-Date", date),
            ("X-Traceid", trace_id(caller.service_unix_ms, path, body)),
            ("language", self.target.language.clone().unwrap_or_default()),
            ("x-hw-share-folder-id", shared_folder),
            ("Content-Type", "application/json".to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .collect();
        (headers, to_sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_holds_rfc_4231() {
        let rows: &[(&[u8], &[u8], &str)] = &[
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, wanted) in rows {
            assert_eq!(hex::encode(&hmac(key, message)), *wanted);
        }
    }

    #[test]
    fn the_signature_is_the_vectors() {
        let signed = Signed {
            method: Method::Post,
            host: "cn.myhuaweicloud-koodrive.com",
            path: "/koodrive/ose/v1/files/complete",
            date: "20240909T033325Z",
            user_id: "1505084218764547200",
            body: br#"{"fileId":"Fqo2kYHmsgWg5whxzYHZLL7mebXbBr1no"}"#,
        };
        let to_sign = signed.to_sign("testappid");
        assert_eq!(
            to_sign.string_to_sign,
            "HMAC-SHA256\n35e7a32666c8de5276a220c72e12f48d9a8fa696fc4ec152ccbd3240ca46af0f"
        );
        assert_eq!(
            signature(&to_sign, &Secret::new("testappsecret")),
            "343b9e99002dbad01a8c9ef20cc114862981efb1dd301c015a9ce3d52df85adb"
        );
        assert_eq!(unsigned("testappid"), "HMAC-SHA256 AppId=testappid,SignedHeaders=host;x-date;x-user-id,Signature=");
    }

    #[test]
    fn dates_are_a_little_old_and_always_dates() {
        assert_eq!(date(1_725_852_807_999), "20240909T033325Z");
        for wrong in [i64::MIN, -1, 0, 1_999, i64::MAX] {
            assert_eq!(date(wrong), "19700101T000000Z");
        }
    }

    #[test]
    fn trace_ids_have_their_exact_length() {
        for unix_ms in [i64::MIN, 0, 1_725_852_805_999, i64::MAX] {
            let id = trace_id(unix_ms, "/p", b"{}");
            assert_eq!(id.len(), 58);
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{id}");
        }
        assert_ne!(trace_id(1, "/p", b"{}"), trace_id(1, "/p", b"[]"));
    }
}
