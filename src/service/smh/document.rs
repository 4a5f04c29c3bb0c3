//! Every JSON answer of the service, read into one compact shape: what is not named here is skipped without being kept.

use serde::{
    Deserialize,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, value::MapAccessDeserializer},
};

use crate::{
    model::SortedMap,
    redact::Secret,
    service::{
        ListedPart,
        json::Scalar,
        shapes::{Shapes, deserialize_shapes},
    },
};

/// Most parts of one task (smh §4.3): a longer list is no honest one.
pub(super) const PARTS_MAX: usize = 10_000;
/// Most headers of a link, or fields of a form.
const HEADERS_MAX: usize = 100;
/// Most segments of a path that is read.
const PATH_SEGMENTS_MAX: usize = 1_024;

/// What a start, renew, inspect or complete may be answered with, and every error body.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    // Errors (smh §11.1).
    pub(super) code: Scalar,
    pub(super) status: Scalar,
    pub(super) request_id: Scalar,
    pub(super) smh_request_id: Scalar,
    // A task (smh §3.2, §5, §6).
    pub(super) domain: Scalar,
    pub(super) path: Path,
    pub(super) upload_id: Scalar,
    pub(super) headers: Headers,
    pub(super) form: Headers,
    pub(super) parts: Parts,
    pub(super) expiration: Scalar,
    pub(super) confirm_key: Scalar,
    pub(super) confirmed: Scalar,
    pub(super) upload_part_info: Nested,
    // What get task says beside that (smh §6).
    pub(super) creation_time: Scalar,
    #[serde(rename = "type")]
    pub(super) kind: Scalar,
    pub(super) conflict_resolution_strategy: Scalar,
    // A file object (smh §7.3).
    pub(super) name: Scalar,
    pub(super) size: Scalar,
    pub(super) crc64: Scalar,
    pub(super) inode: Scalar,
    pub(super) content_cas: Scalar,
    pub(super) is_overwritten: Scalar,
}

/// `path`: a text in a task, an array in a file object (smh §1.5), null when the parent is gone.
#[derive(Default)]
pub(super) enum Path {
    #[default]
    None,
    Object(String),
    File(Vec<String>),
}

/// A `headers` or `form` object; values are texts whatever their JSON type (smh §3.2), `None` when one is no scalar.
#[derive(Default)]
pub(super) struct Headers(pub(super) Option<Vec<(String, Option<Secret>)>>);

/// `parts`: headers by number in a lease (smh §3.3), a list in an inspection (smh §6).
#[derive(Default)]
pub(super) struct Parts {
    pub(super) signed: SortedMap<u32, Headers>,
    pub(super) listed: SortedMap<u32, ListedPart>,
}

/// An object, or an array of one object (smh §6).
#[derive(Default)]
pub(super) struct Nested(pub(super) Option<Box<Document>>);

/// One listed part: capitalised keys, numbers that may be texts (smh §6).
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawPart {
    #[serde(rename = "PartNumber", alias = "partNumber")]
    number: Scalar,
    #[serde(rename = "ETag", alias = "eTag")]
    etag: Scalar,
    #[serde(rename = "Size", alias = "size")]
    size: Scalar,
}

/// One part's signature.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSigned {
    headers: Headers,
}

/// The MD5 in a tag, if it is one: 32 hex digits, quotes around them or not (smh §4.2).
fn md5_of(etag: &str) -> Option<String> {
    let bare = etag.trim_matches('"');
    (bare.len() == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit())).then(|| bare.to_ascii_lowercase())
}

impl RawPart {
    /// A part whose number or size can't be read is as good as not there: it is sent again.
    fn listed(self) -> Option<ListedPart> {
        let number = self.number.u64().filter(|number| (1..=PARTS_MAX as u64).contains(number))?;
        Some(ListedPart {
            part_number: u32::try_from(number).ok()?,
            size_bytes: self.size.u64()?,
            md5: self.etag.text().and_then(md5_of),
        })
    }
}

deserialize_shapes!(Path, Headers, Parts, Nested);

impl<'de> Shapes<'de> for Path {
    fn text(text: &str) -> Self {
        Path::Object(text.to_owned())
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut segments = Vec::new();
        while let Some(segment) = items.next_element::<Scalar>()? {
            let segment = segment.into_text().ok_or_else(|| A::Error::custom("a path segment is no text"))?;
            if segments.len() == PATH_SEGMENTS_MAX {
                return Err(A::Error::custom("the path is too deep"));
            }
            segments.push(segment);
        }
        Ok(Path::File(segments))
    }
}

impl<'de> Shapes<'de> for Headers {
    fn object<A: MapAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, value)) = items.next_entry::<String, Scalar>()? {
            if headers.len() == HEADERS_MAX {
                return Err(A::Error::custom("there are too many headers"));
            }
            headers.push((name, value.into_text().map(Secret::new)));
        }
        Ok(Headers(Some(headers)))
    }
}

impl<'de> Shapes<'de> for Parts {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut parts = Parts::default();
        let mut seen = 0;
        while let Some(part) = items.next_element::<RawPart>()? {
            seen += 1;
            if seen > PARTS_MAX {
                return Err(A::Error::custom("the list of parts is too long"));
            }
            // A part that is listed twice was replaced: the later entry is the one that counts (smh §4.2).
            parts.listed.extend(part.listed().map(|part| (part.part_number, part)));
        }
        Ok(parts)
    }

    fn object<A: MapAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut parts = Parts::default();
        while let Some((number, signed)) = items.next_entry::<String, RawSigned>()? {
            let number = number.parse::<u32>().ok().filter(|number| (1..=PARTS_MAX as u32).contains(number));
            let number = number.ok_or_else(|| A::Error::custom("a part number is none"))?;
            parts.signed.insert(number, signed.headers);
        }
        Ok(parts)
    }
}

impl<'de> Shapes<'de> for Nested {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let first = items.next_element::<Nested>()?.unwrap_or_default();
        if items.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("more than one upload part info"));
        }
        Ok(first)
    }

    fn object<A: MapAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Document::deserialize(MapAccessDeserializer::new(items)).map(|document| Nested(Some(Box::new(document))))
    }
}
