//! Every JSON answer of the service, read into one compact shape: what is not named here is skipped without being kept.

use serde::{
    Deserialize,
    de::{Error, MapAccess, SeqAccess, value::MapAccessDeserializer},
};

use crate::{
    model::SortedMap,
    redact::Secret,
    service::{
        json::{self, Scalar},
        shapes::{Shapes, deserialize_shapes},
    },
};

/// Most parts of one file (koodrive §4): a longer list is no honest one.
pub(super) const PARTS_MAX: usize = 10_000;

/// What a create, uploadUrl, complete or detail may be answered with, and every error body.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    // Errors of the service and of its gateway (koodrive §9). The words are only looked at, never shown.
    code: Scalar,
    msg: Scalar,
    #[serde(rename = "error_code")]
    error_code: Scalar,
    #[serde(rename = "error_msg")]
    error_msg: Scalar,
    // A file that was begun (koodrive §3.2).
    pub(super) file_id: Scalar,
    pub(super) file_name: Scalar,
    pub(super) container_id: Scalar,
    pub(super) rapid_upload: Scalar,
    pub(super) exist: Scalar,
    pub(super) multi_parts: Parts,
    // A file's detail (koodrive §7).
    pub(super) id: Scalar,
    pub(super) size: Scalar,
    pub(super) sha256: Scalar,
    pub(super) file_type: Scalar,
    pub(super) created_time: Scalar,
}

impl Document {
    /// Reads an answer's body; `None` when it is no JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Document> {
        json::read(body)
    }

    /// The code: a number or a text, of the service or of its gateway.
    pub(super) fn code(&self) -> Option<&str> {
        self.error_code.text().or(self.code.text())
    }

    /// True when the code says so, `None` when there is none.
    pub(super) fn succeeded(&self) -> Option<bool> {
        self.code().map(|code| code.parse::<i64>() == Ok(0))
    }

    /// True when the words say so, in any case of letters. `words` is in lower case.
    pub(super) fn says(&self, words: &str) -> bool {
        let said = |text: &Scalar| text.text().is_some_and(|text| text.to_ascii_lowercase().contains(words));
        said(&self.msg) || said(&self.error_msg)
    }
}

/// `multiParts`: links by part number, in any order (koodrive §4). A part without a link is left out.
#[derive(Default)]
pub(super) struct Parts(pub(super) SortedMap<u32, Secret>);

/// One entry of it; what repeats our request is not kept, nor is `partId`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPart {
    part_number: Scalar,
    upload_url: Scalar,
}

#[derive(Default)]
struct Entry(Option<RawPart>);

deserialize_shapes!(Parts, Entry);

impl<'de> Shapes<'de> for Entry {
    fn object<A: MapAccess<'de>>(items: A) -> Result<Self, A::Error> {
        RawPart::deserialize(MapAccessDeserializer::new(items)).map(|part| Entry(Some(part)))
    }
}

impl<'de> Shapes<'de> for Parts {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut links = SortedMap::new();
        let mut seen = 0;
        while let Some(Entry(part)) = items.next_element()? {
            seen += 1;
            if seen > PARTS_MAX {
                return Err(A::Error::custom("the list of parts is too long"));
            }
            let part = part.ok_or_else(|| A::Error::custom("a part is no object"))?;
            let number = part.part_number.u64().filter(|number| (1..=PARTS_MAX as u64).contains(number));
            let number = number.and_then(|number| u32::try_from(number).ok());
            let number = number.ok_or_else(|| A::Error::custom("a part number is none"))?;
            if part.upload_url.text().is_some() {
                links.extend(part.upload_url.into_text().map(|url| (number, Secret::new(url))));
            }
        }
        Ok(Parts(links))
    }
}
