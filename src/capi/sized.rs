//! Structs that begin with their size: a caller that was built with an older or a newer header.

use std::mem::MaybeUninit;

use super::status::misuse;
use crate::error::{Code, ErrorInfo};

/// Holds a struct of the header to having no byte that is no field. A struct grows at its end only: were its last bytes padding, a field of a later
/// version would stand in them, and an older caller, who never set them, would be taken to have set it.
macro_rules! no_padding {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        const _: () = {
            const fn size_of_field<S, F>(_: fn(&S) -> &F) -> usize {
                size_of::<F>()
            }
            // No field is left out here, or this does not compile.
            let _ = |all: $name| {
                let $name { $($field: _),+ } = all;
            };
            let fields = [$((std::mem::offset_of!($name, $field), size_of_field(|all: &$name| &all.$field))),+];
            let (mut at, mut sum, mut end) = (0, 0, 0);
            while at < fields.len() {
                let (offset, size) = fields[at];
                sum += size;
                end = if offset + size > end { offset + size } else { end };
                at += 1;
            }
            assert!(end == size_of::<$name>(), concat!(stringify!($name), " ends with padding: give it a reserved field"));
            // Where a pointer has 4 bytes an eight of them after it may begin later; that is between fields, and the same for ever.
            assert!(
                sum == size_of::<$name>() || size_of::<usize>() < 8,
                concat!(stringify!($name), " has padding: give it a reserved field")
            );
        };
    };
}
pub(super) use no_padding;

/// A struct of the header whose first field is `size_t struct_size`, made of numbers and pointers only.
///
/// # Safety
/// `repr(C)`, the first field is a `usize` that holds the size in bytes, and zero in every byte is a value of it.
pub(super) unsafe trait Sized_: Copy {
    /// What to call it in errors.
    const NAME: &'static str;
    /// The size that it had when it was first published.
    const FIRST_SIZE: usize;

    /// A field that has no meaning yet: a later version may give it one, so until then it must be 0.
    fn reserved(&self) -> u32 {
        0
    }
}

fn check<T: Sized_>(size: usize) -> Result<usize, ErrorInfo> {
    if size < T::FIRST_SIZE {
        return Err(misuse(&format!("struct_size of {} is {size}; it must be its sizeof", T::NAME)));
    }
    Ok(size.min(size_of::<T>()))
}

/// Reads one that C gave: what an older caller does not have is zero; what a newer one has must be.
///
/// # Safety
/// `pointer` is NULL, or as many bytes as its first field says may be read from it.
pub(super) unsafe fn read<T: Sized_>(pointer: *const T) -> Result<T, ErrorInfo> {
    if pointer.is_null() {
        return Err(misuse(&format!("{} is NULL", T::NAME)));
    }
    // SAFETY: not NULL, and it begins with a `usize`.
    let size = unsafe { pointer.cast::<usize>().read() };
    let known = check::<T>(size)?;
    // A size that can't be is that of a caller that forgot to set it: it is not followed into the unknown.
    if size > (64 << 10) {
        return Err(misuse(&format!("struct_size of {} is {size}; it must be its sizeof", T::NAME)));
    }
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes may be read, are at most the size of `T`, and zero in the rest makes a value by the contract of the trait.
    let value = unsafe {
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), known);
        value.assume_init()
    };
    // SAFETY: by the contract all of `size` may be read.
    let beyond = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(known), size - known) };
    if value.reserved() != 0 || beyond.iter().any(|byte| *byte != 0) {
        return Err(ErrorInfo::new(Code::Unsupported, format!("{} sets what this version does not know", T::NAME)));
    }
    Ok(value)
}

/// Where one goes that C wants filled: as much of it as the caller knows.
pub(super) struct Fill<T> {
    place: *mut T,
    size: usize,
}

impl<T: Sized_> Fill<T> {
    /// NULL: nobody wants to know.
    ///
    /// # Safety
    /// `place` is NULL, or as many bytes as its first field says may be written to it until the call returns.
    pub(super) unsafe fn optional(place: *mut T) -> Result<Fill<T>, ErrorInfo> {
        if place.is_null() {
            return Ok(Fill { place, size: 0 });
        }
        // SAFETY: not NULL, and it begins with a `usize`.
        let size = check::<T>(unsafe { place.cast::<usize>().read() })?;
        Ok(Fill { place, size })
    }

    pub(super) fn put(&self, value: T) {
        let head = size_of::<usize>();
        if self.size > head {
            // SAFETY: `size` bytes may be written and are at most the size of `T`. The caller's own struct_size stays.
            unsafe {
                let (from, to) = ((&raw const value).cast::<u8>(), self.place.cast::<u8>());
                std::ptr::copy_nonoverlapping(from.add(head), to.add(head), self.size - head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Two {
        struct_size: usize,
        first: u64,
        second: u64,
    }

    // SAFETY: numbers only.
    unsafe impl Sized_ for Two {
        const NAME: &'static str = "two";
        const FIRST_SIZE: usize = 16;
    }

    #[repr(C)]
    struct Three {
        two: Two,
        third: u64,
    }

    fn read_two(two: &Two) -> Result<Two, ErrorInfo> {
        // SAFETY: a live struct; its size says no more than there is.
        unsafe { read(&raw const *two) }
    }

    #[test]
    fn an_older_caller_leaves_zero() {
        let old = Two { struct_size: 16, first: 1, second: 99 };
        assert_eq!(read_two(&old).expect("read"), Two { struct_size: 16, first: 1, second: 0 });
    }

    #[test]
    fn a_newer_caller_may_not_set_what_is_not_known() {
        let mut new = Three { two: Two { struct_size: 32, first: 1, second: 2 }, third: 0 };
        // SAFETY: 32 bytes are there.
        unsafe {
            assert_eq!(read(&raw const new.two.struct_size as *const Two).expect("read").second, 2);
            new.third = 1;
            let refused = read((&raw const new).cast::<Two>()).expect_err("unknown");
            assert_eq!(refused.code, Code::Unsupported);
        }
    }

    #[test]
    fn what_has_no_meaning_yet_is_not_set() {
        use super::super::limits::partway_limits_t;
        // SAFETY: numbers only, for which zero is a value.
        let zero: partway_limits_t = unsafe { MaybeUninit::zeroed().assume_init() };
        let limits = partway_limits_t { struct_size: size_of::<partway_limits_t>(), ..zero };
        // SAFETY: live structs whose size is theirs.
        let (fine, set) = unsafe { (read(&raw const limits), read(&partway_limits_t { reserved: 1, ..limits })) };
        assert_eq!(fine.map(|read| read.reserved).expect("read"), 0);
        assert_eq!(set.map(|_| ()).expect_err("unknown").code, Code::Unsupported);
    }

    #[test]
    fn a_size_that_can_not_be_is_refused() {
        for size in [0, 8, 15, usize::MAX] {
            let wrong = Two { struct_size: size, first: 1, second: 2 };
            assert_eq!(read_two(&wrong).expect_err("refused").code, Code::InvalidArgument, "{size}");
        }
    }

    #[test]
    fn as_much_is_filled_as_the_caller_knows() {
        let mut place = Two { struct_size: 16, first: 0, second: 7 };
        // SAFETY: a live struct, larger than its size says.
        unsafe { Fill::optional(&raw mut place) }.expect("a place").put(Two { struct_size: 24, first: 1, second: 2 });
        assert_eq!(place, Two { struct_size: 16, first: 1, second: 7 });
    }
}
