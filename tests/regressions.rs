//! Promises that were broken once, each against a service that answers what the test says.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

#[path = "regressions/bounds.rs"]
mod bounds;
#[path = "regressions/endings.rs"]
mod endings;
#[path = "regressions/fake.rs"]
mod fake;
#[path = "regressions/hosts.rs"]
mod hosts;
#[path = "regressions/machine.rs"]
mod machine;
#[path = "regressions/wishes.rs"]
mod wishes;
