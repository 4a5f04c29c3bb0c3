//! What a scheduler needs to know, given out.

use super::{
    sized::{Sized_, no_padding},
    word,
};
use crate::client::Idle;

/// What a scheduler needs to know. Set struct_size to sizeof(partway_idle_t) where you want one filled.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct partway_idle_t {
    /// sizeof(partway_idle_t).
    pub struct_size: usize,
    /// Uploads that work, or will by themselves soon.
    pub active: u32,
    /// Uploads in line.
    pub queued: u32,
    /// Uploads that only you or a person can move.
    pub waiting_for_person: u32,
    /// The mildest network that would let something go on by itself, PARTWAY_NETWORK_POLICY_…: what a scheduler should ask for.
    pub wants: u32,
    /// What is left to send of all that are not ended, as far as it is known.
    pub bytes_remaining: u64,
    /// When something will be tried again, at the earliest, in milliseconds from now; PARTWAY_NONE: nothing will.
    pub next_wake_ms: u64,
    /// 1: nothing works, and no upload has a lock or a connection; else 0.
    pub at_rest: u32,
    /// Not used.
    pub reserved: u32,
}

no_padding!(partway_idle_t {
    struct_size,
    active,
    queued,
    waiting_for_person,
    wants,
    bytes_remaining,
    next_wake_ms,
    at_rest,
    reserved
});

// SAFETY: repr(C), begins with its size; all else are numbers.
unsafe impl Sized_ for partway_idle_t {
    const NAME: &'static str = "partway_idle_t";
    const FIRST_SIZE: usize = size_of::<partway_idle_t>();
}

pub(super) fn idle_view(idle: &Idle) -> partway_idle_t {
    partway_idle_t {
        struct_size: size_of::<partway_idle_t>(),
        active: idle.active,
        queued: idle.queued,
        waiting_for_person: idle.waiting_for_person,
        wants: word::number(word::POLICIES, &idle.wants, 0),
        bytes_remaining: idle.bytes_remaining,
        next_wake_ms: word::or_none(idle.next_wake_ms),
        at_rest: u32::from(idle.at_rest),
        reserved: 0,
    }
}
