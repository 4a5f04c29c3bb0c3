//! What may stand in an authority and in headers: asked of the caller's input and of the service's alike.

use crate::{
    error::{Code, ErrorInfo},
    model::http::Answer,
};

/// True for a portal's page: no service's answer, whatever its status says.
pub(super) fn is_web_page(answer: &Answer) -> bool {
    let begins =
        |text: &[u8], word: &str| text.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()));
    let body = answer.body.trim_ascii_start();
    answer.header("content-type").is_some_and(|kind| begins(kind.trim_start().as_bytes(), "text/html"))
        || begins(body, "<!doctype html")
        || begins(body, "<html")
}

/// True for `host`, `host:port`, `[v6]` and `[v6]:port`; anything else could smuggle a path, user info or a second header.
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, rest)) => {
            let is_v6 = v6.contains(':') && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
            match (is_v6, rest.strip_prefix(':')) {
                (false, _) => return false,
                (true, None) if rest.is_empty() => return true,
                (true, None) => return false,
                (true, port) => ("v6", port),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_host = (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && host.bytes().any(|b| b.is_ascii_alphanumeric());
    let is_port = port
        .is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0));
    is_host && is_port
}

/// True for the characters of an HTTP token.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// True for visible ASCII and blanks.
pub(super) fn is_header_value(text: &str) -> bool {
    text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// True when there is a control character in it.
pub(super) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// A refusal of the caller's input; it never repeats a value of it.
fn refused(detail: &str) -> ErrorInfo {
    ErrorInfo::new(Code::InvalidArgument, detail)
}

/// Refuses unless it holds.
pub(super) fn demand(holds: bool, detail: &str) -> Result<(), ErrorInfo> {
    if holds { Ok(()) } else { Err(refused(detail)) }
}

/// Scheme and authority of an endpoint.
pub(super) fn endpoint(text: &str) -> Result<(&'static str, &str), ErrorInfo> {
    let (scheme, rest) = ["https", "http"]
        .into_iter()
        .find_map(|scheme| Some((scheme, text.strip_prefix(scheme)?.strip_prefix("://")?)))
        .ok_or_else(|| refused("the endpoint must begin with https:// or http://"))?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    demand(is_authority(authority), "the endpoint must be https://host[:port] and nothing after it")?;
    Ok((scheme, authority))
}
