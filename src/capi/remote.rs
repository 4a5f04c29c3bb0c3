//! What the service itself knows of an upload, given out.

use super::{
    kept::{free_view, view},
    sized::no_padding,
    text::partway_text_t,
    word,
};
use crate::client::RemoteTask;

/// What a look at the service led to: there is nothing to ask for. The upload was not begun there, or was made in one request.
pub const PARTWAY_LOOK_NO_SESSION: u32 = 1;
/// What a look at the service led to: the service does not know it, or does not know it any more.
pub const PARTWAY_LOOK_GONE: u32 = 2;
/// What a look at the service led to: it told something.
pub const PARTWAY_LOOK_FOUND: u32 = 3;

/// A part that the service has.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_listed_part_t {
    /// From 1.
    pub part_number: u32,
    /// Not used.
    pub reserved: u32,
    /// Its size there.
    pub size_bytes: u64,
    /// MD5 of its content, lower-case hex, when the service's tag is one.
    pub md5: partway_text_t,
}

no_padding!(partway_listed_part_t { part_number, reserved, size_bytes, md5 });

/// What a service tells of an upload, for people and for support. Free it with partway_remote_task_free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_remote_task_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// 1: the object was made; 0: it was not; -1: the service does not say.
    pub complete: i32,
    /// Not used.
    pub reserved: u32,
    /// When it was begun, by the service's clock, in milliseconds since 1970; 0: the service does not say.
    pub created_unix_ms: i64,
    /// The service's own word for the kind of file.
    pub kind: partway_text_t,
    /// The service's own word for what happens when the name is taken.
    pub conflict_strategy: partway_text_t,
    /// Where the object is or will be, the name last; NULL when the service gives none.
    pub path: *const partway_text_t,
    /// How many names the path has.
    pub path_count: usize,
    /// The object's size, where it is told of a finished one; PARTWAY_NONE: it is not.
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: partway_text_t,
    /// The parts that the service has, by number; NULL when it does not list them.
    pub parts: *const partway_listed_part_t,
    /// How many.
    pub parts_count: usize,
    /// The service's id of the request.
    pub request_id: partway_text_t,
}

no_padding!(partway_remote_task_t {
    struct_size,
    complete,
    reserved,
    created_unix_ms,
    kind,
    conflict_strategy,
    path,
    path_count,
    size_bytes,
    sha256,
    parts,
    parts_count,
    request_id
});

pub(super) fn task_given(task: &RemoteTask) -> *mut partway_remote_task_t {
    view(|keep| {
        let path: Option<Vec<_>> = task.path.as_ref().map(|path| path.iter().map(|name| keep.text(name)).collect());
        let parts: Option<Vec<_>> = task.parts.as_ref().map(|parts| {
            let one = |part: &crate::client::ListedPart| partway_listed_part_t {
                part_number: part.part_number,
                reserved: 0,
                size_bytes: part.size_bytes,
                md5: keep.some_text(part.md5.as_deref()),
            };
            parts.iter().map(one).collect()
        });
        partway_remote_task_t {
            struct_size: size_of::<partway_remote_task_t>(),
            complete: task.complete.map_or(-1, i32::from),
            reserved: 0,
            created_unix_ms: task.created_unix_ms.unwrap_or(0),
            kind: keep.some_text(task.kind.as_deref()),
            conflict_strategy: keep.some_text(task.conflict_strategy.as_deref()),
            path_count: path.as_ref().map_or(0, Vec::len),
            path: path.map_or(std::ptr::null(), |path| keep.all(path)),
            size_bytes: word::or_none(task.size_bytes),
            sha256: keep.some_text(task.sha256.as_deref()),
            parts_count: parts.as_ref().map_or(0, Vec::len),
            parts: parts.map_or(std::ptr::null(), |parts| keep.all(parts)),
            request_id: keep.some_text(task.request_id.as_deref()),
        }
    })
}

/// Frees a task. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_remote_task_free(task: *mut partway_remote_task_t) {
    // SAFETY: passed on.
    unsafe { free_view(task) }
}
