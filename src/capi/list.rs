//! Several snapshots, given out.

use super::{
    pointer::{Opaque, free, given, held},
    snapshot::{partway_snapshot_free, partway_snapshot_t, snapshot_given},
    status::harmless,
};
use crate::client::Snapshot;

/// Several snapshots. Free it with partway_list_free.
pub struct partway_list_t {
    snapshots: Vec<*mut partway_snapshot_t>,
}

impl Opaque for partway_list_t {
    const NAME: &'static str = "list";
}

impl partway_list_t {
    pub(super) fn of(snapshots: &[Snapshot]) -> partway_list_t {
        partway_list_t { snapshots: snapshots.iter().map(snapshot_given).collect() }
    }

    /// As a C array, for as long as the list lives.
    pub(super) fn array(&self) -> (*const *const partway_snapshot_t, usize) {
        // A pointer to something that may be written has the layout of one to something that may not.
        (self.snapshots.as_ptr().cast(), self.snapshots.len())
    }
}

impl Drop for partway_list_t {
    fn drop(&mut self) {
        for snapshot in self.snapshots.drain(..) {
            // SAFETY: given in `of`, given back here only.
            unsafe { partway_snapshot_free(snapshot) }
        }
    }
}

pub(super) fn list_given(snapshots: &[Snapshot]) -> *mut partway_list_t {
    given(partway_list_t::of(snapshots))
}

/// How many snapshots a list has; 0 for NULL.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_list_count(list: *const partway_list_t) -> usize {
    // SAFETY: passed on.
    harmless(0, || unsafe { held(list) }.map_or(0, |list| list.snapshots.len()))
}

/// One snapshot of a list, from 0; NULL beyond its end.
///
/// Memory: valid until the list is freed; keep it longer with partway_snapshot_copy. Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_list_at(list: *const partway_list_t, index: usize) -> *const partway_snapshot_t {
    // SAFETY: passed on.
    let found = || unsafe { held(list) }.ok().and_then(|list| list.snapshots.get(index)).map(|one| one.cast_const());
    harmless(std::ptr::null(), || found().unwrap_or(std::ptr::null()))
}

/// Frees a list with its snapshots. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_list_free(list: *mut partway_list_t) {
    // SAFETY: passed on.
    unsafe { free(list) }
}
