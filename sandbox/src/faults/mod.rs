//! What can be made to go wrong, and when.

mod how;
mod rule;
mod rules;
mod step;

pub use how::How;
pub use rule::Rule;
pub(crate) use rules::{Asked, Rules};
pub use step::{Plane, Service, Step};
