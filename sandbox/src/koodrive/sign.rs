//! Presigned links of the storage: AWS signature version 4, in the query (koodrive §4.1).

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::clock::{compact, parse_compact};
use crate::head::Head;
use crate::random::{self, to_hex};

pub(crate) const BUCKET: &str = "b10-obs-ykj-sandbox-01";
const REGION: &str = "cidc-rp-2006";
const ACCESS_KEY: &str = "SANDBOXKOODRIVE00001";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SIGNED_HEADERS: &str = "content-length;host";
const CONTEXT: &str = "X-Amz-Iteration-Hash-Ctx";
const SIGNATURE: &str = "X-Amz-Signature";

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Signs and checks with a secret of its own.
#[derive(Debug)]
pub(crate) struct Signer {
    secret: String,
}

/// What a link is for.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) path: &'a str,
    pub(crate) host: &'a str,
    pub(crate) upload_id: &'a str,
    pub(crate) part: u32,
    pub(crate) size: u64,
    /// The text of `X-Amz-Iteration-Hash-Ctx`, before it is encoded.
    pub(crate) context: Option<String>,
}

/// A link, from its path on, and its signature.
#[derive(Debug)]
pub(crate) struct Presigned {
    pub(crate) path_and_query: String,
    pub(crate) signature: String,
}

/// What a link says, once it is known to be ours.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) signature: String,
    pub(crate) from_ms: i64,
    pub(crate) expires_s: i64,
    pub(crate) context: Option<String>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { secret: random::hex(20) }
    }

    pub(crate) fn presign(&self, scope: &Scope<'_>, now_ms: i64, ttl_ms: u64) -> Presigned {
        let date = compact(now_ms);
        let credential = format!("{ACCESS_KEY}/{}/{REGION}/s3/aws4_request", &date[..8]);
        let mut pairs = vec![
            ("partNumber", scope.part.to_string()),
            ("uploadId", scope.upload_id.to_owned()),
            ("X-Amz-Algorithm", ALGORITHM.to_owned()),
            ("X-Amz-Date", date.clone()),
            ("X-Amz-SignedHeaders", SIGNED_HEADERS.to_owned()),
            ("X-Amz-Expires", ttl_ms.div_ceil(1000).to_string()),
            ("X-Amz-Credential", credential),
        ];
        pairs.extend(scope.context.clone().map(|context| (CONTEXT, context)));
        let mut pairs: Vec<(String, String)> = pairs.into_iter().map(|(n, v)| (n.to_owned(), encoded(&v))).collect();
        let headers = [("content-length", scope.size.to_string()), ("host", scope.host.to_owned())];
        let to_sign = string_to_sign("PUT", scope.path, &pairs, &headers, &date, REGION);
        let signature = signature(&self.secret, REGION, &date, &to_sign);
        pairs.push((SIGNATURE.to_owned(), signature.clone()));
        let query: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
        Presigned { path_and_query: format!("{}?{}", scope.path, query.join("&")), signature }
    }

    /// Checks the signature, not the time.
    pub(crate) fn check(&self, head: &Head, path: &str) -> Result<Signed, Refusal> {
        let param = |name: &str| {
            head.param(name).ok_or_else(|| Refusal::storage(403, "AccessDenied", format!("{name} is missing")))
        };
        let bad = |why: &str| Refusal::storage(400, "AuthorizationQueryParametersError", why);
        let (date, given) = (param("X-Amz-Date")?, param(SIGNATURE)?);
        let from_ms = parse_compact(date).ok_or_else(|| bad("X-Amz-Date is no time"))?;
        let expires_s = param("X-Amz-Expires")?.parse().map_err(|_| bad("X-Amz-Expires is no number"))?;
        if param("X-Amz-Algorithm")? != ALGORITHM {
            return Err(bad("X-Amz-Algorithm is unknown"));
        }
        let headers = ["content-length", "host"].map(|name| (name, head.header(name).unwrap_or("").trim().to_owned()));
        let pairs: Vec<_> = head.raw_query.split('&').filter_map(reencoded).filter(|(n, _)| n != SIGNATURE).collect();
        let to_sign = string_to_sign("PUT", path, &pairs, &headers, date, REGION);
        let credential = format!("{ACCESS_KEY}/{}/{REGION}/s3/aws4_request", &date[..8]);
        let ours = param("X-Amz-SignedHeaders")? == SIGNED_HEADERS && param("X-Amz-Credential")? == credential;
        if !ours || given != signature(&self.secret, REGION, date, &to_sign) {
            let why = "The request signature we calculated does not match the signature you provided. Check your key and \
                       signing method.";
            let bytes: Vec<String> = to_sign.bytes().map(|b| format!("{b:02x}")).collect();
            return Err(Refusal::storage(403, "SignatureDoesNotMatch", why)
                .with("AWSAccessKeyId", ACCESS_KEY)
                .with("SignatureProvided", given)
                .with("StringToSign", to_sign)
                .with("StringToSignBytes", bytes.join(" ")));
        }
        Ok(Signed { signature: given.to_owned(), from_ms, expires_s, context: head.param(CONTEXT).map(str::to_owned) })
    }
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// A pair of the query as it is signed. A bare `+` is a blank, as the storage reads it.
fn reencoded(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let again = |text: &str| encoded(&percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy());
    (!name.is_empty()).then(|| (again(name), again(value)))
}

fn string_to_sign(
    method: &str,
    path: &str,
    pairs: &[(String, String)],
    headers: &[(&str, String)],
    date: &str,
    region: &str,
) -> String {
    let mut pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.sort();
    let path = utf8_percent_encode(path, PATH);
    let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(n, _)| *n).collect();
    let request = format!("{method}\n{path}\n{}\n{lines}\n{}\nUNSIGNED-PAYLOAD", pairs.join("&"), names.join(";"));
    let day = date.get(..8).unwrap_or("");
    format!("{ALGORITHM}\n{date}\n{day}/{region}/s3/aws4_request\n{}", to_hex(&Sha256::digest(request)))
}

fn signature(secret: &str, region: &str, date: &str, to_sign: &str) -> String {
    let day = date.get(..8).unwrap_or("");
    let key = [day, region, "s3", "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, text| hmac(&key, text.as_bytes()));
    to_hex(&hmac(&key, to_sign.as_bytes()))
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's own page on presigned URLs.
    #[test]
    fn the_signature_is_the_published_one() {
        let pairs = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"),
            ("X-Amz-Date", "20130524T000000Z"),
            ("X-Amz-Expires", "86400"),
            ("X-Amz-SignedHeaders", "host"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let headers = [("host", "examplebucket.s3.amazonaws.com".to_owned())];
        let date = "20130524T000000Z";
        let to_sign = string_to_sign("GET", "/test.txt", &pairs, &headers, date, "us-east-1");
        let signature = signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", date, &to_sign);
        assert_eq!(signature, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    }
}
