//! The whole public surface, once.

mod host;
mod request;
mod snapshot;

pub use host::*;
pub use request::*;
pub use snapshot::*;
pub struct Client;
