//! What the facade promises, one test a sentence of its documentation, against the emulated cloud.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

#[path = "facade/accounts.rs"]
mod accounts;
#[path = "facade/bulk.rs"]
mod bulk;
#[path = "facade/endings.rs"]
mod endings;
#[path = "facade/network.rs"]
mod network;
#[path = "facade/running.rs"]
mod running;
#[path = "facade/sources.rs"]
mod sources;
#[path = "facade/telling.rs"]
mod telling;
