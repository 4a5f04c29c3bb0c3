//! Fields whose JSON type varies between answers.

use std::{fmt, marker::PhantomData};

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A visitor that takes each JSON shape its own way and skips the others.
pub(super) trait Shapes<'de>: Default {
    fn text(_text: &str) -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn object<A: MapAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

pub(super) struct ShapesVisitor<T>(PhantomData<T>);

impl<T> ShapesVisitor<T> {
    pub(super) fn new() -> Self {
        ShapesVisitor(PhantomData)
    }
}

impl<'de, T: Shapes<'de>> Visitor<'de> for ShapesVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_u64<E>(self, _: u64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::object(items)
    }
}

/// Reads a type by its [`Shapes`].
macro_rules! deserialize_shapes {
    ($($type:ty),+) => {$(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::service::shapes::ShapesVisitor::<$type>::new())
            }
        }
    )+};
}

pub(super) use deserialize_shapes;
