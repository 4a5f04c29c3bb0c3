//! The bytes to upload, read by position.

use crate::{error::ErrorInfo, model::Identity};

/// A source that is open. Shared by several workers at once: `read_at` takes no position of its own.
pub trait Source: Send + Sync {
    /// What the platform says of it now. Called before the first and after the last byte of each part.
    fn identity(&self) -> Result<Identity, ErrorInfo>;

    /// Fills the beginning of `buf` from `offset`: how many bytes, 0 at the end. Short reads are normal.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo>;
}
pub trait HostReader: Send + Sync {}
