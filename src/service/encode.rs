//! Percent-encoding of what goes into a URL (smh §1.1, koodrive §8.2).

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What can't stand in a path as it is. `%` may: an object path that is encoded already is signed that way.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Only what is not ASCII (`percent_encoding` always encodes that).
const NOTHING_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// One path segment or one query value.
pub(super) fn component(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Segments, `/` between them.
pub(super) fn path<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    segments.into_iter().map(component).collect::<Vec<_>>().join("/")
}

/// An object path as the service gave it: a missing leading slash is added (smh §6), raw characters are encoded (smh §2), the rest is verbatim.
pub(super) fn object_path(path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", utf8_percent_encode(path, NOT_IN_PATH))
}

/// A header value: what is not ASCII is encoded, the rest is verbatim.
pub(super) fn header_value(value: &str) -> String {
    utf8_percent_encode(value, NOTHING_ASCII).to_string()
}
