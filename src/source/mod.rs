//! The bytes to upload, read by position.
//!
//! A source is opened when its turn comes and dropped while its upload waits; opening it refuses at once what can't be read from the middle.
//! No error text holds a path or a name: a fault is told by its kind and the system's number.

#[cfg(unix)]
mod fd;
mod file;
mod memory;
mod offer;
mod path;
mod range;
mod reader;

#[cfg(unix)]
pub use fd::FdSource;
pub use memory::{MEMORY_BYTES_MAX, MemorySource};
pub use offer::{SourceOffer, SourceWhat, TOKEN_BYTES_MAX};
pub use path::PathSource;
pub use range::{RangeReader, read_exact_at};
pub use reader::{HostReader, ReaderSource};

use std::fs::File;

use crate::{error::ErrorInfo, model::Identity};

/// A source that is open. Shared by several workers at once: `read_at` takes no position of its own.
pub trait Source: Send + Sync {
    /// What the platform says of it now. Called before the first and after the last byte of each part.
    fn identity(&self) -> Result<Identity, ErrorInfo>;

    /// Fills the beginning of `buf` from `offset` (bytes from the source's own first one): how many bytes, 0 at the end. Short reads are
    /// normal; the whole of a range is what [`read_exact_at`] and [`RangeReader`] are for.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo>;

    /// The open file behind it, if it is one, and where in it the source begins.
    fn file(&self) -> Option<(&File, u64)> {
        None
    }
}
