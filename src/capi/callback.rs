//! Whether this thread is inside of a callback of the host's: nothing may wait there, or what it waits for could never be told.

use std::cell::Cell;

use super::status::PARTWAY_FOREVER;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Calls the host.
pub(super) fn calling<T>(call: impl FnOnce() -> T) -> T {
    /// The depth is right again also after a panic of ours.
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            DEPTH.with(|depth| depth.set(depth.get() - 1));
        }
    }
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let _inside = Inside;
    call()
}

/// How long a call may really wait; `None`: for ever.
pub(super) fn patience_ms(timeout_ms: u64) -> Option<u64> {
    if DEPTH.with(Cell::get) > 0 { Some(0) } else { (timeout_ms != PARTWAY_FOREVER).then_some(timeout_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_inside_of_a_callback() {
        assert_eq!((patience_ms(5), patience_ms(PARTWAY_FOREVER)), (Some(5), None));
        calling(|| {
            calling(|| ());
            assert_eq!((patience_ms(5), patience_ms(PARTWAY_FOREVER)), (Some(0), Some(0)));
        });
        assert_eq!(patience_ms(5), Some(5));
    }
}
