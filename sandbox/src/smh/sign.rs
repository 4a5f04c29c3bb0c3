//! Signatures of the data plane: COS q-sign on the public deployment, one a part on the private one.
//!
//! Nothing is remembered of a signature. Whom it is for, when it ends and how many were given out for its task before it
//! stand in the security token (public) or the credential scope (private), and are signed.

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::refusal::Refusal;
use crate::clock::compact;
use crate::head::Head;
use crate::random::{self, to_hex};

const ACCESS_KEY: &str = "AKIDpartwaysandbox";

/// Signs and checks with a secret of its own.
#[derive(Debug)]
pub(crate) struct Signer {
    secret: String,
}

/// What a signature says, once it is known to be ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) generation: u64,
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
}

/// What is signed for a part of the private deployment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartScope<'a> {
    pub(crate) path: &'a str,
    pub(crate) upload_id: &'a str,
    /// `None` for a simple upload.
    pub(crate) part: Option<u32>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { secret: random::hex(32) }
    }

    /// `headers` and the headers that sign them. Each must come back unchanged.
    pub(crate) fn cos_headers(
        &self,
        mut headers: Vec<(String, String)>,
        path: &str,
        signed: Signed,
    ) -> Vec<(String, String)> {
        headers.push(("x-cos-security-token".to_owned(), self.security_token(path, signed)));
        let mut fields: Vec<(String, String)> = headers.iter().map(|(n, v)| (n.to_lowercase(), v.clone())).collect();
        fields.sort();
        let time = key_time(signed);
        let list: Vec<&str> = fields.iter().map(|(n, _)| n.as_str()).collect();
        let signature = self.q_signature(&time, path, &fields);
        headers.push((
            "Authorization".to_owned(),
            format!(
                "q-sign-algorithm=sha1&q-ak={ACCESS_KEY}&q-sign-time={time}&q-key-time={time}&q-header-list={}\
                 &q-url-param-list=&q-signature={signature}",
                list.join(";")
            ),
        ));
        headers
    }

    /// Checks the `Authorization` of a PUT to this decoded path.
    pub(crate) fn check_cos(&self, head: &Head, path: &str) -> Result<Signed, Refusal> {
        let authorization = head.header("authorization").unwrap_or("");
        let field = |name: &str| authorization.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (Some(time), Some(list), Some(signature)) =
            (field("q-key-time"), field("q-header-list"), field("q-signature"))
        else {
            return Err(mismatch("Authorization is missing or is not q-sign"));
        };
        let fields: Option<Vec<(String, String)>> =
            list.split(';').map(|name| Some((name.to_owned(), head.header(name)?.to_owned()))).collect();
        let Some(fields) = fields else { return Err(mismatch("a signed header is missing")) };
        let same_times = field("q-sign-time") == Some(time) && field("q-ak") == Some(ACCESS_KEY);
        if !same_times || self.q_signature(time, path, &fields) != signature {
            return Err(mismatch("the signature does not match the request"));
        }
        self.read_security_token(head.header("x-cos-security-token").unwrap_or(""), path)
    }

    /// The fields of a form upload that prove it (smh §3.1).
    pub(crate) fn form_fields(&self, policy: &str, signed: Signed, path: &str) -> Vec<(String, String)> {
        let time = key_time(signed);
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("x-cos-security-token", self.security_token(path, signed)),
            pair("policy", policy.to_owned()),
            pair("q-sign-algorithm", "sha1".to_owned()),
            pair("q-ak", ACCESS_KEY.to_owned()),
            pair("q-signature", self.policy_signature(&time, policy)),
            pair("q-key-time", time),
        ]
    }

    pub(crate) fn check_form(&self, field: impl Fn(&str) -> Option<String>, path: &str) -> Result<Signed, Refusal> {
        let (Some(policy), Some(time), Some(signature)) = (field("policy"), field("q-key-time"), field("q-signature"))
        else {
            return Err(mismatch("policy, q-key-time or q-signature is missing"));
        };
        if self.policy_signature(&time, &policy) != signature || field("q-ak").as_deref() != Some(ACCESS_KEY) {
            return Err(mismatch("the signature does not match the policy"));
        }
        self.read_security_token(&field("x-cos-security-token").unwrap_or_default(), path)
    }

    pub(crate) fn part_headers(&self, scope: PartScope<'_>, signed: Signed) -> Vec<(String, String)> {
        let date = compact(signed.from_ms);
        let credential = format!(
            "{ACCESS_KEY}/{}/{}.{}.{}/s3/aws4_request",
            &date[..8],
            signed.generation,
            signed.from_ms,
            signed.until_ms
        );
        let signature = self.part_signature(scope, &date, &credential);
        vec![
            ("x-amz-date".to_owned(), date),
            ("x-amz-content-sha256".to_owned(), UNSIGNED.to_owned()),
            (
                "authorization".to_owned(),
                format!(
                    "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=x-amz-content-sha256;x-amz-date, \
                     Signature={signature}"
                ),
            ),
        ]
    }

    pub(crate) fn check_part(&self, head: &Head, scope: PartScope<'_>) -> Result<Signed, Refusal> {
        let authorization = head.header("authorization").unwrap_or("");
        let field = |name: &str| {
            let after = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
            after.split(", ").find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let (Some(credential), Some(signature)) = (field("Credential"), field("Signature")) else {
            return Err(mismatch("authorization is missing or is not AWS4-HMAC-SHA256"));
        };
        let date = head.header("x-amz-date").unwrap_or("");
        if head.header("x-amz-content-sha256") != Some(UNSIGNED)
            || self.part_signature(scope, date, credential) != signature
        {
            return Err(mismatch("the signature does not match the request"));
        }
        credential.split('/').nth(2).and_then(read_signed).ok_or_else(|| mismatch("the credential scope is broken"))
    }

    fn security_token(&self, path: &str, signed: Signed) -> String {
        let said = format!("{}.{}.{}", signed.generation, signed.from_ms, signed.until_ms);
        format!("{said}.{}", hmac_sha256(&self.secret, &format!("{said} {path}")))
    }

    fn read_security_token(&self, token: &str, path: &str) -> Result<Signed, Refusal> {
        let broken = || mismatch("x-cos-security-token is not the one that was given out");
        let (said, proof) = token.rsplit_once('.').ok_or_else(broken)?;
        if hmac_sha256(&self.secret, &format!("{said} {path}")) != proof {
            return Err(broken());
        }
        read_signed(said).ok_or_else(broken)
    }

    /// As COS computes it: a key for the time, over a digest of method, path, parameters and headers.
    fn q_signature(&self, time: &str, path: &str, fields: &[(String, String)]) -> String {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let fields: Vec<String> =
            fields.iter().map(|(n, v)| format!("{n}={}", utf8_percent_encode(v, NON_ALPHANUMERIC))).collect();
        let request = format!("put\n{path}\n\n{}\n", fields.join("&"));
        let to_sign = format!("sha1\n{time}\n{}\n", to_hex(&Sha1::digest(request.as_bytes())));
        hmac_sha1(&hmac_sha1(&self.secret, time), &to_sign)
    }

    fn policy_signature(&self, time: &str, policy: &str) -> String {
        hmac_sha1(&hmac_sha1(&self.secret, time), &to_hex(&Sha1::digest(policy.as_bytes())))
    }

    fn part_signature(&self, scope: PartScope<'_>, date: &str, credential: &str) -> String {
        let part = scope.part.map(|n| n.to_string()).unwrap_or_default();
        let to_sign = format!("PUT\n{}\n{part}\n{}\n{date}\n{UNSIGNED}\n{credential}", scope.path, scope.upload_id);
        hmac_sha256(&self.secret, &to_sign)
    }
}

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Whole seconds, as COS has them; the exact end is in the security token.
fn key_time(signed: Signed) -> String {
    format!("{};{}", signed.from_ms.div_euclid(1000), (signed.until_ms + 999).div_euclid(1000))
}

fn read_signed(text: &str) -> Option<Signed> {
    let mut numbers = text.split('.');
    let signed = Signed {
        generation: numbers.next()?.parse().ok()?,
        from_ms: numbers.next()?.parse().ok()?,
        until_ms: numbers.next()?.parse().ok()?,
    };
    numbers.next().is_none().then_some(signed)
}

fn mismatch(why: &str) -> Refusal {
    Refusal::new(403, "SignatureDoesNotMatch", why)
}

fn hmac_sha1(key: &str, text: &str) -> String {
    match Hmac::<Sha1>::new_from_slice(key.as_bytes()) {
        Ok(mac) => to_hex(&mac.chain_update(text.as_bytes()).finalize().into_bytes()),
        Err(_) => unreachable!("HMAC takes a key of any length"),
    }
}

fn hmac_sha256(key: &str, text: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mac) => to_hex(&mac.chain_update(text.as_bytes()).finalize().into_bytes()),
        Err(_) => unreachable!("HMAC takes a key of any length"),
    }
}
