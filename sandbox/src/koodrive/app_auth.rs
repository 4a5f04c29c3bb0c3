//! Requests signed by an application (koodrive §8.2).

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::sign::{encoded, hmac};
use crate::config::KoodriveApp;
use crate::head::Head;
use crate::random::to_hex;

pub(crate) const ALGORITHM: &str = "HMAC-SHA256";

/// Headers that must be signed.
const NEEDED: [&str; 3] = ["host", "x-date", "x-user-id"];

/// Checks the signature of a request; says what is wrong.
pub(crate) fn check(apps: &[KoodriveApp], head: &Head, authorization: &str, body: &[u8]) -> Result<(), String> {
    let form = || "Authorization is not `HMAC-SHA256 AppId=…,SignedHeaders=…,Signature=…`".to_owned();
    let fields = authorization.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(form)?;
    let mut fields = fields.split(',');
    let mut field = |name: &str| fields.next().and_then(|f| f.strip_prefix(name)?.strip_prefix('=')).ok_or_else(form);
    let (id, signed, signature) = (field("AppId")?, field("SignedHeaders")?, field("Signature")?);
    let app = apps.iter().find(|app| app.id == id).ok_or("there is no such AppId")?;
    let names: Vec<&str> = signed.split(';').collect();
    if !names.is_sorted() || names.iter().any(|n| n.bytes().any(|c| c.is_ascii_uppercase())) {
        return Err("SignedHeaders are not sorted, or not in lower case".to_owned());
    }
    if let Some(name) = NEEDED.into_iter().find(|name| !names.contains(name)) {
        return Err(format!("{name} is not signed"));
    }
    let value = |name: &&str| Some(((*name).to_owned(), head.header(name)?.trim().to_owned()));
    let headers: Option<Vec<(String, String)>> = names.iter().map(value).collect();
    let headers = headers.ok_or("a signed header is missing")?;
    if signature == sign(&app.secret, &head.method, &head.path, &head.raw_query, &headers, body) {
        Ok(())
    } else {
        Err("the signature is wrong".to_owned())
    }
}

/// `headers` are in lower case and sorted.
fn sign(secret: &str, method: &str, path: &str, raw_query: &str, headers: &[(String, String)], body: &[u8]) -> String {
    let again = |text: &str| encoded(&percent_decode_str(text).decode_utf8_lossy());
    let mut path: String = path.split('/').map(again).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    let mut pairs: Vec<String> = raw_query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", again(name), again(value)))
        .collect();
    pairs.sort();
    let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
    let names: Vec<&str> = headers.iter().map(|(n, _)| n.as_str()).collect();
    let body = to_hex(&Sha256::digest(body));
    let request = format!("{method}\n{path}\n{}\n{lines}\n{}\n{body}", pairs.join("&"), names.join(";"));
    let to_sign = format!("{ALGORITHM}\n{}", to_hex(&Sha256::digest(request)));
    to_hex(&hmac(secret.as_bytes(), to_sign.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_notes() {
        let headers = [
            ("host", "cn.myhuaweicloud-koodrive.com"),
            ("x-date", "20240909T033325Z"),
            ("x-user-id", "1505084218764547200"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let body = br#"{"fileId":"Fqo2kYHmsgWg5whxzYHZLL7mebXbBr1no"}"#;
        let path = "/koodrive/ose/v1/files/complete";
        assert_eq!(
            sign("testappsecret", "POST", path, "", &headers, body),
            "343b9e99002dbad01a8c9ef20cc114862981efb1dd301c015a9ce3d52df85adb"
        );
    }
}
