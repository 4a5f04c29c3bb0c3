//! Readers of the JSON that is kept. They stand in the place of derived ones, which made a tenth of the library (ADR 17): a type has a table of its fields,
//! and the rest is shared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields of an object that are not read yet.
pub(crate) type Object = Map<String, Value>;

/// What is read from JSON. Fields that no table names are skipped.
pub(crate) trait FromJson: Sized {
    /// `None`: the value is something else.
    fn from_json(value: Value) -> Option<Self>;

    /// What a field is that is not there; `None`: it must be.
    fn absent() -> Option<Self> {
        None
    }
}

pub(crate) fn object(value: Value) -> Option<Object> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

/// Takes a field.
pub(crate) fn field<T: FromJson>(object: &mut Object, name: &str) -> Option<T> {
    object.remove(name).map_or_else(T::absent, T::from_json)
}

/// Takes a field that need not be there.
pub(crate) fn field_or_default<T: FromJson + Default>(object: &mut Object, name: &str) -> Option<T> {
    object.remove(name).map_or_else(|| Some(T::default()), T::from_json)
}

/// A variant by serde's own way to write it: the word alone, or an object of the word and what the variant holds, which is null for a word alone.
pub(crate) fn variant(value: Value) -> Option<(String, Value)> {
    match value {
        Value::String(word) => Some((word, Value::Null)),
        Value::Object(object) if object.len() == 1 => object.into_iter().next(),
        _ => None,
    }
}

/// The table of a type: its fields by their names, `= default` behind one that need not be there, or its words. `serde` alone for one that reads itself. All
/// implement `Deserialize`.
macro_rules! from_json {
    (struct $type:ident { $($field:ident $(= $default:ident)?),+ $(,)? }) => {
        impl $crate::from_json::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Option<Self> {
                let mut object = $crate::from_json::object(value)?;
                Some($type { $($field: $crate::from_json::from_json!(@ object $field $($default)?)),+ })
            }
        }
        $crate::from_json::from_json!(serde $type);
    };
    (enum $type:ident { $($word:literal = $variant:ident),+ $(,)? }) => {
        impl $crate::from_json::FromJson for $type {
            fn from_json(value: serde_json::Value) -> Option<Self> {
                match value.as_str()? {
                    $($word => Some($type::$variant),)+
                    _ => None,
                }
            }
        }
        $crate::from_json::from_json!(serde $type);
    };
    (serde $type:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::from_json::FromJson::from_json(value)
                    .ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($type))))
            }
        }
    };
    (@ $object:ident $field:ident) => {
        $crate::from_json::field(&mut $object, stringify!($field))?
    };
    (@ $object:ident $field:ident default) => {
        $crate::from_json::field_or_default(&mut $object, stringify!($field))?
    };
}

pub(crate) use from_json;

impl FromJson for Value {
    fn from_json(value: Value) -> Option<Value> {
        Some(value)
    }
}

impl FromJson for String {
    fn from_json(value: Value) -> Option<String> {
        if let Value::String(text) = value { Some(text) } else { None }
    }
}

impl FromJson for bool {
    fn from_json(value: Value) -> Option<bool> {
        value.as_bool()
    }
}

macro_rules! numbers {
    ($($type:ident by $as:ident),+) => {$(
        impl FromJson for $type {
            fn from_json(value: Value) -> Option<$type> {
                value.$as()?.try_into().ok()
            }
        }
    )+};
}

numbers!(i8 by as_i64, i64 by as_i64, u8 by as_u64, u16 by as_u64, u32 by as_u64, u64 by as_u64);

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: Value) -> Option<Option<T>> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(value: Value) -> Option<Box<T>> {
        T::from_json(value).map(Box::new)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: Value) -> Option<Vec<T>> {
        let Value::Array(items) = value else { return None };
        items.into_iter().map(T::from_json).collect()
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn from_json(value: Value) -> Option<[T; N]> {
        Vec::from_json(value)?.try_into().ok()
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn from_json(value: Value) -> Option<BTreeMap<String, T>> {
        object(value)?.into_iter().map(|(name, value)| Some((name, T::from_json(value)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Row {
        id: u8,
        note: Option<String>,
        words: Vec<Word>,
    }

    #[derive(Debug, PartialEq)]
    enum Word {
        Yes,
    }

    from_json!(struct Row { id, note, words = default });
    from_json!(enum Word { "yes" = Yes });

    #[test]
    fn a_table_takes_what_fits_and_skips_what_it_does_not_name() {
        let read = |value: Value| serde_json::from_value::<Row>(value).ok();
        let row = |note: Option<&str>, words| Some(Row { id: 7, note: note.map(str::to_owned), words });
        assert_eq!(read(json!({ "id": 7 })), row(None, vec![]));
        assert_eq!(read(json!({ "id": 7, "note": null, "words": [], "later": {} })), row(None, vec![]));
        assert_eq!(read(json!({ "id": 7, "note": "a", "words": ["yes"] })), row(Some("a"), vec![Word::Yes]));
        for bad in [
            json!({}),
            json!([7]),
            json!(null),
            json!({ "id": 256 }),
            json!({ "id": -1 }),
            json!({ "id": 7.0 }),
            json!({ "id": "7" }),
            json!({ "id": 7, "note": 1 }),
            json!({ "id": 7, "words": null }),
            json!({ "id": 7, "words": ["no"] }),
            json!({ "id": 7, "words": [1] }),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn a_variant_is_a_word_or_an_object_of_one() {
        assert_eq!(variant(json!("a")), Some(("a".to_owned(), Value::Null)));
        assert_eq!(variant(json!({ "a": 1 })), Some(("a".to_owned(), json!(1))));
        assert_eq!(variant(json!({ "a": 1, "b": 2 })), None);
        assert_eq!(variant(json!({})), None);
    }

    #[test]
    fn a_list_of_another_length_is_no_array() {
        assert_eq!(<[u32; 2]>::from_json(json!([1, 2])), Some([1, 2]));
        assert_eq!(<[u32; 2]>::from_json(json!([1])), None);
    }
}
