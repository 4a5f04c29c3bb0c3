//! Partway uploads files to cloud drives and survives everything that happens to a phone on the way.
//!
//! Layers, from the ground up; a module names only what stands below it (`tests/tidy.rs`):
//! `from_json`, `redact`, `error`, `model` · `service` · `hash`, `source`, `transport` · `engine` · `runtime` · `client` · `capi`, `mobile`.

#[cfg(feature = "capi")]
mod capi;
mod channel;
pub mod client;
#[doc(hidden)]
pub mod engine;
pub mod error;
mod from_json;
#[doc(hidden)]
pub mod hash;
#[cfg(feature = "mobile")]
pub mod mobile;
pub mod model;
pub mod redact;
#[doc(hidden)]
pub mod runtime;
#[doc(hidden)]
pub mod service;
#[doc(hidden)]
pub mod source;
#[doc(hidden)]
pub mod transport;

// uniffi wants its own things at the root of a crate.
#[cfg(feature = "mobile")]
uniffi::setup_scaffolding!("partway");

/// Its examples are executed.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
