//! A long text, given out by itself.

use super::{
    kept::{free_view, view},
    sized::no_padding,
    text::partway_text_t,
};

/// A text that is given out by itself. Free it with partway_string_free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_string_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// It.
    pub text: partway_text_t,
}

no_padding!(partway_string_t { struct_size, text });

pub(super) fn string_given(text: &str) -> *mut partway_string_t {
    view(|keep| partway_string_t { struct_size: size_of::<partway_string_t>(), text: keep.text(text) })
}

/// Frees a text. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_string_free(string: *mut partway_string_t) {
    // SAFETY: passed on.
    unsafe { free_view(string) }
}
