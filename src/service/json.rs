//! Lenient readers: a number may come as a string and a string as a number (smh §1.1, koodrive §9), what has another shape is as good as absent.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// Deepest nesting that is read; serde_json's own limit is 128.
pub(super) const DEPTH_MAX: usize = 32;

/// Reads a document, which is an object; `None` for anything that is not one, or is nested too deep.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    // A byte order mark, which no JSON begins with, says nothing (RFC 8259 §8.1).
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if !is_shallow(body) {
        return None;
    }
    serde_json::from_slice(body).ok().map(|Document(document)| document)
}

/// An object alone: a derived reader would take an array for one too, field by field.
struct Document<T>(T);

struct DocumentVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for DocumentVisitor<T> {
    type Value = Document<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, items: A) -> Result<Document<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(items)).map(Document)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Document<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor(PhantomData))
    }
}

/// Looks at brackets outside strings only: what is not JSON at all is found by the parser.
fn is_shallow(body: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in body {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return false;
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// A text, number or truth value as text; `None` for everything else.
#[derive(Default)]
pub(super) struct Scalar(Option<String>);

impl Scalar {
    /// The text, if it is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.is_empty())
    }

    /// The text, if there is one, be it empty.
    pub(super) fn into_text(self) -> Option<String> {
        self.0
    }

    pub(super) fn u64(&self) -> Option<u64> {
        let text = self.text()?;
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    }

    pub(super) fn i64(&self) -> Option<i64> {
        self.text()?.parse().ok()
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match self.text()? {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar(Some(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Scalar, E> {
        Ok(Scalar(Some(truth.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped() {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct One {
            code: Scalar,
        }
        let read = |body: &[u8]| read::<One>(body).and_then(|one| one.code.into_text());
        assert_eq!(read(b"\xEF\xBB\xBF{\"code\":0}").as_deref(), Some("0"));
        assert_eq!(read(b"\xEF\xBB\xBF\xEF\xBB\xBF{\"code\":0}"), None);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}0{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(read::<Scalar>(nested(DEPTH_MAX).as_bytes()).is_some());
        assert!(read::<Scalar>(nested(DEPTH_MAX + 1).as_bytes()).is_none());
        assert!(read::<Scalar>(br#"{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["}"#).is_some());
    }

    #[test]
    fn only_an_object_is_a_document() {
        for other in ["[]", "[1]", "null", "1", "\"a\"", "", "{} {}"] {
            assert!(read::<Scalar>(other.as_bytes()).is_none(), "{other}");
        }
        assert!(read::<Scalar>(b" {} ").is_some());
    }

    #[test]
    fn scalars_are_read_whatever_their_type() {
        let read = |text: &str| serde_json::from_str::<Scalar>(text).expect("a scalar");
        assert_eq!(read("18446744073709551615").u64(), Some(u64::MAX));
        assert_eq!(read("\"18446744073709551615\"").u64(), Some(u64::MAX));
        assert_eq!(read("18446744073709551616").u64(), None);
        assert_eq!(read("-1").u64(), None);
        assert_eq!(read("\"+1\"").u64(), None);
        assert_eq!(read("-1").i64(), Some(-1));
        assert_eq!(read("true").bool(), Some(true));
        assert_eq!(read("\"false\"").bool(), Some(false));
        assert_eq!(read("{\"a\":[1]}").text(), None);
        assert_eq!(read("null").text(), None);
    }
}
