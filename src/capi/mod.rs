//! The C face: convert in, one call of [`crate::client`], convert out. No default, no retry, no service is known here.
//!
//! `include/partway.h` is written from these files by `cargo xtask header`; the comments on its items are for readers of C. The rules of the interface
//! stand at the head of the header, that is in `cbindgen.toml`.
//!
//! What Rust gives out is behind one of two kinds of pointers: a `Box` of what C can't look into, or an `Arc` of a [`kept`] view that it may read. What
//! C gives in is checked for NULL, UTF-8, known fields and sizes, and copied before the call returns.
#![allow(unsafe_code, reason = "the one place where pointers cross; each block says why it is sound")]
#![allow(unreachable_pub, reason = "C reaches it")]
#![allow(non_camel_case_types, reason = "the names of C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "said once at the head of the header: pointers are valid for what their comment says"
)]

mod ask;
mod call;
mod callback;
mod change;
mod client;
mod config;
mod digest;
mod error;
mod explanation;
mod host;
mod idle;
mod kept;
mod library;
mod limits;
mod list;
mod network;
mod pointer;
mod reader;
mod remote;
mod request;
mod select;
mod sign;
mod sized;
mod snapshot;
mod source;
mod status;
mod string;
mod target;
mod text;
mod transport;
mod upload;
mod word;

/// What the header says of threads is only so because this holds.
const _: () = {
    const fn anywhere<T: Send + Sync>() {}
    anywhere::<crate::client::Client>();
    anywhere::<crate::client::Source>();
    anywhere::<crate::client::TransportCall>();
    const fn elsewhere<T: Send>() {}
    elsewhere::<crate::client::CredentialAsk>();
    elsewhere::<crate::client::SourceAsk>();
    elsewhere::<crate::client::SignAsk>();
};
