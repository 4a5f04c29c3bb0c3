//! Views: what is given out to be read, with everything that it points to.

use std::{any::Any, sync::Arc};

use super::{status::harmless, text::partway_text_t};

/// What the pointers of a view point to. Everything is in a `Vec` whose buffer neither moves nor changes once it is here.
#[derive(Default)]
pub(super) struct Keep {
    things: Vec<Box<dyn Any>>,
}

impl Keep {
    /// Keeps things, and says where they are.
    pub(super) fn all<T: 'static>(&mut self, things: Vec<T>) -> *const T {
        let place = things.as_ptr();
        self.things.push(Box::new(things));
        place
    }

    /// Keeps one.
    pub(super) fn one<T: 'static>(&mut self, thing: T) -> *const T {
        self.all(vec![thing])
    }

    pub(super) fn text(&mut self, text: &str) -> partway_text_t {
        self.bytes(text.as_bytes())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> partway_text_t {
        let mut copy = Vec::with_capacity(bytes.len() + 1);
        copy.extend_from_slice(bytes);
        copy.push(0);
        partway_text_t { data: self.all(copy).cast(), len: bytes.len() }
    }

    pub(super) fn some_text(&mut self, text: Option<&str>) -> partway_text_t {
        text.map_or(partway_text_t::NONE, |text| self.text(text))
    }
}

/// A view and what it points to. The view comes first: a pointer to the one is a pointer to the other.
#[repr(C)]
pub(super) struct Kept<V> {
    view: V,
    keep: Keep,
}

/// Hands a view over to C, which gives it back to [`free_view`]; each [`share_view`] makes one more to be given back.
pub(super) fn view<V>(make: impl FnOnce(&mut Keep) -> V) -> *mut V {
    let mut keep = Keep::default();
    let view = make(&mut keep);
    let kept = Arc::new(Kept { view, keep });
    Arc::into_raw(kept).cast_mut().cast()
}

/// One more holder.
///
/// # Safety
/// `pointer` is from [`view`] and was not given back.
pub(super) unsafe fn share_view<V>(pointer: *const V) -> *mut V {
    // SAFETY: by the contract it points to the first field of a live `Kept<V>` in an `Arc`, made by `Arc::into_raw`.
    unsafe { Arc::increment_strong_count(pointer.cast::<Kept<V>>()) };
    pointer.cast_mut()
}

/// Takes a view back; NULL is nothing.
///
/// # Safety
/// `pointer` is NULL or from [`view`] or [`share_view`], and is not used again.
pub(super) unsafe fn free_view<V>(pointer: *const V) {
    if !pointer.is_null() {
        // SAFETY: as above; each holder gives it back once.
        let kept = unsafe { Arc::from_raw(pointer.cast::<Kept<V>>()) };
        harmless((), || drop(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct View {
        name: partway_text_t,
        numbers: *const u32,
    }

    #[test]
    fn a_view_lives_until_its_last_holder_gives_it_back() {
        let made = view(|keep| View { name: keep.text("film"), numbers: keep.all(vec![1, 2, 3]) });
        // SAFETY: `made` is live until both holders gave it back, and what it points to lives as long.
        unsafe {
            let shared = share_view(made);
            free_view(made);
            let seen = &*shared;
            assert_eq!(super::super::text::text(seen.name.data, seen.name.len).expect("UTF-8"), Some("film"));
            assert_eq!(*seen.name.data.add(4), 0, "a NUL after the last byte");
            assert_eq!(std::slice::from_raw_parts(seen.numbers, 3), [1, 2, 3]);
            free_view(shared);
            free_view::<View>(std::ptr::null());
        }
    }
}
