//! One append-only file an upload: what survives a kill.
//!
//! The state directory holds, for each upload, `<id>.journal` (the records), `<id>.lock` (who works on it) and, while it is being created,
//! `<id>.tmp`. A damaged journal is kept beside them as `<id>.journal.corrupt-<n>`. Everything is 0600 and in a directory of 0700.
//!
//! A line is the CRC-32/ISO-HDLC of the JSON bytes in eight lower-case hex digits, a space, the JSON, a line feed, so that support can read it.
//! The first line is the header, `{"partway_journal":1,"id":"…"}`; at least one record follows it, because a journal is created whole.
//!
//! A record that a version does not know is refused with its journal; a field is skipped. What may be skipped is therefore a field: a wait rides on a `tuned`
//! that tunes nothing (ADR 22).
//!
//! Who owns what: a [`StateDir`] is a path and holds no descriptor; it may be shared between threads. A [`Journal`] owns its open file and the lock,
//! and belongs to the one thread that appends. Every call blocks on the disk. No error names a path.

mod append;
#[doc(hidden)]
pub mod codec;
mod create;
mod disk;
mod fault;
mod id;
mod line;
mod lock;
mod remove;
mod scan;
mod state_dir;
#[cfg(test)]
mod tests;

pub use crate::engine::Sync;
pub use append::Journal;
pub use fault::{OpenFault, ReadFault, Recovery};
pub use id::Id;
pub use state_dir::StateDir;

/// The version of the format that this library writes. It reads this one and every one before it.
pub const VERSION: u32 = 1;

/// The longest line, its line feed included, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// The longest journal, in bytes: 10,000 parts take about 2 MB of it.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// What of that is kept for the last words of an upload: whatever filled its journal, it can still be paused, cancelled and ended.
pub const RESERVED_BYTES: u64 = 256 << 10;
