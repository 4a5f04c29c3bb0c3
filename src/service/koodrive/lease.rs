//! The signed links of an answer, and the part requests made of them (koodrive §4.1, §5). What the service gave is checked here, before any of it can
//! be sent.

use crate::{
    model::{
        Part, SortedMap,
        http::{Body, ByteRange, Method, Request},
    },
    redact::Secret,
    service::{Lease, Link, check, iso8601},
};

/// Longest answer of the storage that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Longest link; with the state of a digest in it one has less than two.
const LINK_BYTES_MAX: usize = 8 << 10;
/// How long a part's answer may take.
const PATIENCE_MS: u64 = 60_000;

/// True for what can be sent as it is: `https`, or also `http` when the endpoint is that; a host; no blank, no control character.
fn is_link(url: &str, scheme: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://").filter(|_| scheme == "http"));
    let Some(rest) = rest else { return false };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    check::is_authority(&rest[..end]) && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

/// When a link ends: its own date and lifetime (koodrive §4.3).
fn expires_unix_ms(url: &str) -> Option<i64> {
    let (_, query) = url.split_once('?')?;
    let find = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let signed_unix_ms = iso8601::parse_basic(find("X-Amz-Date")?)?;
    let seconds: u32 = find("X-Amz-Expires")?.parse().ok()?;
    signed_unix_ms.checked_add(i64::from(seconds) * 1_000)
}

/// The lease in `multiParts`, of the parts that were asked for; `None` when it holds no link of those.
pub(super) fn read(
    links: SortedMap<u32, Secret>,
    scheme: &str,
    asked: impl Fn(u32) -> bool,
) -> Result<Option<Lease>, &'static str> {
    let mut lease = Lease::default();
    for (number, url) in links.into_iter().filter(|(number, _)| asked(*number)) {
        if url.expose().len() > LINK_BYTES_MAX {
            return Err("a part's link is too long");
        }
        if !is_link(url.expose(), scheme) {
            return Err("a part's link could not be sent as it is");
        }
        lease.expires_unix_ms = match (lease.expires_unix_ms, expires_unix_ms(url.expose())) {
            (Some(earliest), Some(this)) => Some(earliest.min(this)),
            (earliest, this) => earliest.or(this),
        };
        let headers = vec![("Content-Type".to_owned(), Secret::new("application/octet-stream"))];
        lease.links.insert(number, Link { url, headers });
    }
    Ok((!lease.links.is_empty()).then_some(lease))
}

/// Sends one part: the link verbatim, and none of the control plane's headers (koodrive §5).
pub(super) fn put(lease: &Lease, part: &Part) -> Option<Request> {
    let link = lease.links.get(&part.part_number)?;
    Some(Request {
        method: Method::Put,
        url: link.url.clone(),
        headers: link.headers.clone(),
        body: Body::Source(ByteRange { offset: part.offset, len: part.size_bytes }),
        answer_bytes_max: ANSWER_BYTES_MAX,
        patience_ms: PATIENCE_MS,
        expect_continue: false,
        to_sign: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_sent_is_a_link() {
        for url in ["https://h/x?a=b%2B", "https://h.example:8443?x", "https://[::1]:1/x"] {
            assert!(is_link(url, "https") && is_link(url, "http"), "{url}");
        }
        assert!(is_link("http://h/x", "http") && !is_link("http://h/x", "https"));
        for url in [
            "",
            "h/x",
            "ftp://h/x",
            "https://",
            "https:///x",
            "https://user@h/x",
            "https://h:0/x",
            "https://h/x y",
            "https://h/x\r\nX: y",
            "https://h/x\u{0}",
            "https://h/é",
            "https://h/x#y",
            " https://h/x",
            "HTTPS://h/x",
            "https://h\\@elsewhere/x",
        ] {
            assert!(!is_link(url, "http"), "{url}");
        }
    }

    #[test]
    fn a_link_says_when_it_ends() {
        let at = |query: &str| expires_unix_ms(&format!("https://h/x?{query}"));
        assert_eq!(at("X-Amz-Date=20240621T082041Z&a=b&X-Amz-Expires=3600"), Some(1_718_961_641_000));
        assert_eq!(at("X-Amz-Expires=0&X-Amz-Date=20240621T082041Z"), Some(1_718_958_041_000));
        for query in [
            "",
            "X-Amz-Date=20240621T082041Z",
            "X-Amz-Expires=3600",
            "X-Amz-Date=&X-Amz-Expires=3600",
            "X-Amz-Date=20240621T082041Z&X-Amz-Expires=-1",
            "X-Amz-Date=20240621T082041Z&X-Amz-Expires=99999999999",
            "X-Amz-DateX=20240621T082041Z&X-Amz-Expires=3600",
        ] {
            assert_eq!(at(query), None, "{query}");
        }
        assert_eq!(expires_unix_ms("https://h/x"), None);
    }
}
