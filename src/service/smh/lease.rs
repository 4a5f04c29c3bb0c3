//! The signed links of an answer, and the part requests made of them (smh §4.1). What the service gave is checked here, before any of it can be sent.

use crate::{
    model::{
        Part,
        http::{Body, ByteRange, Method, Request},
    },
    redact::Secret,
    service::{
        Lease, Link, check, encode, iso8601,
        smh::{
            document::{Document, Headers, Path},
            form,
            session::{Mode, Task},
        },
    },
};

/// Longest answer of the storage that is read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Longest path of an object; COS itself takes no more than 850 bytes of it.
const PATH_BYTES_MAX: usize = 4 << 10;
/// Longest upload id.
const UPLOAD_ID_BYTES_MAX: usize = 1 << 10;
/// Longest headers of one link, all together.
const HEADERS_BYTES_MAX: usize = 16 << 10;
/// How long a part's answer may take.
const PATIENCE_MS: u64 = 60_000;

/// Headers that are the transport's: what a service says of them is dropped.
const OF_THE_TRANSPORT: &[&str] = &["host", "content-length", "transfer-encoding", "connection", "expect"];

/// The headers of one link, unchanged; refused when one of them could not be sent as it is.
fn link_headers(headers: &Headers) -> Result<Option<Vec<(String, Secret)>>, &'static str> {
    let Some(headers) = &headers.0 else { return Ok(None) };
    let mut kept = Vec::with_capacity(headers.len());
    let mut bytes = 0;
    for (name, value) in headers {
        let value = value.as_ref().ok_or("a header value is no text")?;
        bytes += name.len() + value.expose().len();
        if bytes > HEADERS_BYTES_MAX {
            return Err("a link's headers are too long");
        }
        if !check::is_token(name) {
            return Err("a header name is none");
        }
        if !check::is_header_value(value.expose()) {
            return Err("a header value has a character that headers can't have");
        }
        if !OF_THE_TRANSPORT.iter().any(|dropped| name.eq_ignore_ascii_case(dropped)) {
            kept.push((name.clone(), value.clone()));
        }
    }
    Ok(Some(kept))
}

/// The place of an object, if the answer names one.
fn object(document: &Document, scheme: &str) -> Result<Option<String>, &'static str> {
    let (Some(domain), Path::Object(path)) = (document.domain.text(), &document.path) else { return Ok(None) };
    if !check::is_authority(domain) {
        return Err("the storage's domain is no host");
    }
    if path.len() > PATH_BYTES_MAX {
        return Err("the storage's path is too long");
    }
    if check::has_control(path) {
        return Err("the storage's path has a control character");
    }
    Ok(Some(format!("{scheme}://{domain}{}", encode::object_path(path))))
}

/// A lease of one link, for one part that is the whole.
fn whole(document: &Document, url: String, headers: Vec<(String, Secret)>) -> Lease {
    Lease {
        expires_unix_ms: document.expiration.text().and_then(iso8601::parse),
        shared: Some(Link { url: Secret::new(url), headers }),
        ..Lease::default()
    }
}

/// The lease in the start of a simple upload (smh §2).
pub(super) fn read_simple(document: &Document, scheme: &str) -> Result<Option<Lease>, &'static str> {
    let Some(headers) = link_headers(&document.headers)? else { return Ok(None) };
    Ok(object(document, scheme)?.map(|url| whole(document, url, headers)))
}

/// The lease in the start of a form upload (smh §3.1): what stands for headers are the form's fields.
pub(super) fn read_form(document: &Document, scheme: &str) -> Result<Option<Lease>, &'static str> {
    let Some(fields) = &document.form.0 else { return Ok(None) };
    let mut kept = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let value = value.as_ref().ok_or("a form field is no text")?;
        if name.is_empty() || name == "file" || check::has_control(name) || check::has_control(value.expose()) {
            return Err("a form field can't be sent as it is");
        }
        kept.push((name.clone(), value.clone()));
    }
    Ok(object(document, scheme)?.map(|url| whole(document, url, kept)))
}

/// The lease in a start of parts, renew or `uploadPartInfo` object; `None` when it holds none. `outer_upload_id` stands in for one that is not
/// inside (smh §6). Of what is signed part by part those are kept that were asked for: each holds a copy of the place.
pub(super) fn read(
    document: &Document,
    scheme: &str,
    outer_upload_id: Option<&str>,
    asked: impl Fn(u32) -> bool,
) -> Result<Option<Lease>, &'static str> {
    let shared = link_headers(&document.headers)?;
    let upload_id = document.upload_id.text().or(outer_upload_id);
    let (Some(object), Some(upload_id)) = (object(document, scheme)?, upload_id) else { return Ok(None) };
    if upload_id.len() > UPLOAD_ID_BYTES_MAX {
        return Err("the storage's upload id is too long");
    }
    if check::has_control(upload_id) {
        return Err("the storage's upload id has a control character");
    }
    let upload_id = encode::component(upload_id);
    let mut lease = Lease {
        expires_unix_ms: document.expiration.text().and_then(iso8601::parse),
        // Parameter order is free (smh §4.1): the part's number can follow.
        shared: shared.map(|headers| Link { url: Secret::new(format!("{object}?uploadId={upload_id}")), headers }),
        ..Lease::default()
    };
    for (&number, headers) in document.parts.signed.iter().filter(|(number, _)| asked(**number)) {
        let headers = link_headers(headers)?.ok_or("a part has no headers")?;
        let url = Secret::new(format!("{object}?partNumber={number}&uploadId={upload_id}"));
        lease.links.insert(number, Link { url, headers });
    }
    Ok((lease.shared.is_some() || !lease.links.is_empty()).then_some(lease))
}

/// Sends one part, the way of its task.
pub(super) fn put(task: &Task, lease: &Lease, part: &Part) -> Option<Request> {
    match task.mode {
        Mode::Multipart => put_part(lease, part),
        // There is one, and it is the whole.
        Mode::Simple | Mode::Form if part.part_number != 1 => None,
        Mode::Simple => {
            let link = lease.shared.as_ref()?;
            Some(request(Method::Put, link.url.clone(), link.headers.clone(), source(part)))
        }
        Mode::Form => {
            let link = lease.shared.as_ref()?;
            let (content_type, body) = form::build(&task.confirm_key, &link.headers, part)?;
            Some(request(Method::Post, link.url.clone(), vec![("Content-Type".to_owned(), content_type)], body))
        }
    }
}

/// Under the part's own link, or else under the one for all.
fn put_part(lease: &Lease, part: &Part) -> Option<Request> {
    let (url, headers) = match (lease.links.get(&part.part_number), &lease.shared) {
        (Some(link), _) => (link.url.clone(), &link.headers),
        (None, Some(link)) => {
            (Secret::new(format!("{}&partNumber={}", link.url.expose(), part.part_number)), &link.headers)
        }
        (None, None) => return None,
    };
    Some(request(Method::Put, url, headers.clone(), source(part)))
}

fn source(part: &Part) -> Body {
    Body::Source(ByteRange { offset: part.offset, len: part.size_bytes })
}

fn request(method: Method, url: Secret, headers: Vec<(String, Secret)>, body: Body) -> Request {
    Request {
        method,
        url,
        headers,
        body,
        answer_bytes_max: ANSWER_BYTES_MAX,
        patience_ms: PATIENCE_MS,
        expect_continue: false,
        to_sign: None,
    }
}
