//! The whole public surface, once.

mod config;
mod request;

pub use config::*;
pub use request::*;

pub use crate::{
    engine::{Explanation, Phase, Progress, Remote, State, WaitReason, Waiting},
    runtime::{Credential, CredentialAsk, CredentialProvider, Idle, Limits, Listener, Network, Problem, Snapshot, SourceAsk, SourceProvider, Why},
    source::{HostReader, SourceOffer as Source, SourceWhat, TOKEN_BYTES_MAX},
};
