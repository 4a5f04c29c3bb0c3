//! Why an upload does not move, given out.

use super::{
    kept::{free_view, view},
    sized::no_padding,
    text::partway_text_t,
    word,
};
use crate::{
    client::{Explanation, WaitReason},
    error::Remedy,
};

/// Why an upload does not move, and what would move it. Free it with partway_explanation_free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_explanation_t {
    /// Its size in the library; fields beyond it are not there.
    pub struct_size: usize,
    /// Where it stands, PARTWAY_STATE_….
    pub state: u32,
    /// What a person should do, PARTWAY_REMEDY_….
    pub remedy: u32,
    /// Everything that holds it, the first one first, each PARTWAY_WAITING_…: when that is gone the next one does.
    pub blocked_by: *const u32,
    /// How many.
    pub blocked_by_count: usize,
    /// Failures in a row that led here.
    pub attempts: u32,
    /// How many more are tried before help is needed.
    pub retries_left: u32,
    /// Since when, by the device's clock, in milliseconds since 1970.
    pub since_unix_ms: i64,
    /// When it is tried again without anybody's help, in milliseconds; PARTWAY_NONE: not by itself.
    pub next_try_ms: u64,
    /// In one sentence, for developers.
    pub text: partway_text_t,
}

no_padding!(partway_explanation_t {
    struct_size,
    state,
    remedy,
    blocked_by,
    blocked_by_count,
    attempts,
    retries_left,
    since_unix_ms,
    next_try_ms,
    text
});

fn reason(reason: &WaitReason) -> u32 {
    word::number(word::REASONS, reason, word::PARTWAY_WAITING_OTHER)
}

pub(super) fn explanation_given(explanation: &Explanation) -> *mut partway_explanation_t {
    view(|keep| partway_explanation_t {
        struct_size: size_of::<partway_explanation_t>(),
        state: word::state_number(&explanation.state),
        remedy: word::place(Remedy::ALL, explanation.remedy),
        blocked_by_count: explanation.blocked_by.len(),
        blocked_by: keep.all(explanation.blocked_by.iter().map(reason).collect()),
        attempts: explanation.attempts,
        retries_left: explanation.retries_left,
        since_unix_ms: explanation.since_unix_ms,
        next_try_ms: word::or_none(explanation.next_try_ms),
        text: keep.text(&explanation.text),
    })
}

/// Frees an explanation. NULL is nothing.
///
/// Threads: any. Never blocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn partway_explanation_free(explanation: *mut partway_explanation_t) {
    // SAFETY: passed on.
    unsafe { free_view(explanation) }
}
