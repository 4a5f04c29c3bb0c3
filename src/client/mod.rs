//! The whole public surface, once. An upload is a row with a host-given key: durable when [`Client::start`] returns, seen as one [`Snapshot`], reached by
//! its id, its ending kept until [`Client::forget`].
//!
//! Each function says what it costs: **now** (no I/O, any thread), **disk** (one short sync; not the main thread) or **waits**. A verb that costs nothing
//! is posted; its effect is durable before a snapshot shows it. All of [`Client`] may be called from any thread, and at the same time.

mod config;
mod digest;
mod open;
mod remote;
mod request;
mod retry;
mod running;
mod select;
mod start;
mod timeline;
mod verbs;
mod view;
mod world;

pub use config::*;
pub use digest::digest;
pub use remote::*;
pub use request::*;

pub use crate::{
    engine::{Explanation, Phase, Progress, Remote, State, WaitReason, Waiting},
    error::{Category, Code, Disposition, ErrorInfo, Remedy},
    hash::{Digests, PartMidstate},
    model::{
        Conflict, ConflictChoice, InstantMode, KooDriveEdition, KooDriveTarget, OnChange, Receipt, ServiceName,
        SmhMode, SmhTarget, Target,
    },
    runtime::{
        Credential, CredentialAsk, CredentialProvider, Idle, Limits, Listener, LogLevel, LogSink, Network,
        NetworkPolicy, Online, Problem, SignAsk, Signer, Snapshot, SourceAsk, SourceProvider, Why,
    },
    service::{ListedPart, RemoteTask},
    source::{HostReader, MEMORY_BYTES_MAX, SourceOffer as Source, SourceWhat, TOKEN_BYTES_MAX},
    transport::host::{FdRange, HttpRequest, HttpResponse, READ_BYTES_MAX, Transport, TransportCall, TransportFault},
};

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize},
};

use crate::{runtime::Runtime, transport::UreqTransport};

/// One a state directory and process. Cheap to clone; the last clone's drop ends what is under way, and journals stay whole.
pub struct Client {
    inner: Arc<Inner>,
    /// It does not count any more among those that keep it open.
    released: AtomicBool,
}

struct Inner {
    runtime: Runtime,
    problems: Vec<Problem>,
    /// Unless the host carries requests itself.
    transport: Option<Arc<UreqTransport>>,
    /// Clients that were not released. With the last one it ends, also while a call of one that was is under way.
    handles: AtomicUsize,
}

/// The library's version, such as `0.1.0`. **now**
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
