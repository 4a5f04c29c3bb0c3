//! The face for Kotlin and Swift, through uniffi: convert in, one call, convert out. It has no default, no retry and no opinion of its own; what is nice to
//! use stands in `bindings/kotlin` and `bindings/swift`.
//!
//! Sizes and times are `i64` and counts `i32` here: `Long` and `Int` there, where unsigned numbers are a burden. A field that is left out means what the
//! facade does without it.
#![allow(unsafe_code)] // What uniffi's macros write, and one descriptor in `source`.

/// An enum of the facade without data, once more. Which ways it is converted stands behind its name.
macro_rules! mirror {
    ($(#[$meta:meta])* $name:ident of $from:path: $ways:ident { $($(#[$about:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
        pub enum $name { $($(#[$about])* $variant),+ }
        mirror!(@$ways $name of $from { $($variant),+ });
    };
    (@out $name:ident of $from:path { $($variant:ident),+ }) => {
        impl From<$from> for $name {
            fn from(value: $from) -> $name {
                use $from as From;
                match value { $(From::$variant => $name::$variant),+ }
            }
        }
    };
    (@into $name:ident of $from:path { $($variant:ident),+ }) => {
        impl From<$name> for $from {
            fn from(value: $name) -> $from {
                use $from as Into;
                match value { $($name::$variant => Into::$variant),+ }
            }
        }
    };
    (@both $name:ident of $from:path { $($variant:ident),+ }) => {
        mirror!(@out $name of $from { $($variant),+ });
        mirror!(@into $name of $from { $($variant),+ });
    };
}

mod client;
mod config;
mod credential;
mod digest;
mod error;
mod log;
mod number;
mod remote;
mod request;
mod secret;
mod signer;
mod snapshot;
mod source;
mod target;
mod transport;
mod world;

pub use client::NativeClient;
pub use config::{Listener, NativeConfig};
pub use credential::{Credential, CredentialAsk, CredentialProvider, Why};
pub use digest::{Digests, PartMidstate, digest, version};
pub use error::{Category, Disposition, ErrorCode, ErrorInfo, HostError, NativeError, Remedy, error_codes};
pub use log::{LogLevel, LogSink};
pub use remote::{ListedPart, RemoteLook, RemoteTask};
pub use request::{
    Adopt, Change, Conflict, ConflictChoice, How, InstantMode, OnChange, Select, SignOut, StartResult, Started,
    UploadRequest,
};
pub use secret::SecretText;
pub use signer::{SignAsk, Signer};
pub use snapshot::{Explanation, Phase, Progress, Receipt, Remote, Snapshot, State, WaitReason, Waiting};
pub use source::{Source, SourceAsk, SourceProvider, SourceReader, SourceWhat};
pub use target::{KooDriveEdition, Service, SmhMode, Target};
pub use transport::{
    CancelHook, FdRange, HttpHeader, HttpRequest, HttpResponse, Transport, TransportCall, TransportFault,
};
pub use world::{Idle, Limits, Network, NetworkPolicy, Online, Problem};
