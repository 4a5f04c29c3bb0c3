//! Threads, real time, real disk.
#[doc(hidden)]
pub mod journal;
