//! Pointers to what C can't look into.

use super::status::{harmless, misuse};
use crate::error::ErrorInfo;

/// Something that C holds by a pointer from [`given`] and gives back to [`free`].
pub(super) trait Opaque {
    /// What to call it in the error when it is NULL.
    const NAME: &'static str;
}

/// Hands `value` over to C.
pub(super) fn given<T: Opaque>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Looks at what C holds.
///
/// # Safety
/// `pointer` is NULL or from [`given`], not freed, and not freed before the borrow ends.
pub(super) unsafe fn held<'a, T: Opaque>(pointer: *const T) -> Result<&'a T, ErrorInfo> {
    // SAFETY: by the contract of this function it is NULL or points to a live `T`; only shared references are made of it, but for `held_mut`.
    unsafe { pointer.as_ref() }.ok_or_else(|| misuse(&format!("{} is NULL", T::NAME)))
}

/// The same, to change it.
///
/// # Safety
/// As [`held`], and nothing else uses it meanwhile: the header says so where the pointer is not const.
pub(super) unsafe fn held_mut<'a, T: Opaque>(pointer: *mut T) -> Result<&'a mut T, ErrorInfo> {
    // SAFETY: as above, and the contract of this function makes it the only reference.
    unsafe { pointer.as_mut() }.ok_or_else(|| misuse(&format!("{} is NULL", T::NAME)))
}

/// Takes back what C held; NULL is nothing.
///
/// # Safety
/// `pointer` is NULL or from [`given`], and is not used again.
pub(super) unsafe fn free<T: Opaque>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: it came from `Box::into_raw` in `given`, and by the contract it is given back once.
        let value = unsafe { Box::from_raw(pointer) };
        harmless((), || drop(value));
    }
}

/// Where a result goes; checked before the work, so that nothing is done whose result would be lost.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    /// `place` is NULL or may be written to until the call returns.
    pub(super) unsafe fn required(place: *mut T, name: &str) -> Result<Out<T>, ErrorInfo> {
        if place.is_null() { Err(misuse(&format!("{name} is NULL"))) } else { Ok(Out(place)) }
    }

    /// NULL: nobody wants to know.
    ///
    /// # Safety
    /// As [`Out::required`].
    pub(super) unsafe fn optional(place: *mut T) -> Out<T> {
        Out(place)
    }

    pub(super) fn put(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, and by the contract of the constructors it may be written to. What was there is C's and is not dropped.
            unsafe { self.0.write(value) }
        }
    }
}
