//! Everything that reaches the driver.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::{Limits, Network};
use crate::{
    engine::{Command, Event, Facts, UploadRecord},
    error::ErrorInfo,
    model::Identity,
    source::{Source, SourceOffer},
};

/// What loading a journal led to.
pub(super) enum Loaded {
    /// It is open and locked.
    Ready(Box<Facts>),
    /// Another process has it.
    Elsewhere(ErrorInfo),
    /// It can't be used.
    Lost(ErrorInfo),
    /// The disk refused for now.
    Refused(ErrorInfo),
}

impl Message {
    /// True for what a host said.
    pub(super) fn is_said(&self) -> bool {
        matches!(
            self,
            Message::Added(_)
                | Message::Command { .. }
                | Message::Priority { .. }
                | Message::Attach { .. }
                | Message::Forget { .. }
                | Message::SetCredential { .. }
                | Message::SetNetwork(_)
                | Message::SetLimits(_)
                | Message::Hold
                | Message::Go { .. }
        )
    }
}

/// One message. `row` is the driver's own number of an upload.
pub(super) enum Message {
    /// Uploads that are durable already.
    Added(Vec<(UploadRecord, Option<SourceOffer>)>),
    /// For these uploads.
    Command { ids: Vec<String>, command: Command },
    /// For these uploads.
    Priority { ids: Vec<String>, priority: i8 },
    /// Another source for an upload.
    Attach { id: String, offer: SourceOffer },
    /// Ended ones that the host has taken; each that is gone is reported.
    Forget { ids: Vec<String>, gone: Sender<()> },
    /// A credential, unasked.
    SetCredential { account: String, credential: crate::model::Credential },
    /// What the host says of the network.
    SetNetwork(Network),
    /// New bounds.
    SetLimits(Limits),
    /// Everything stays.
    Hold,
    /// Everything goes on, or only these.
    Go { only: Option<Vec<String>> },
    /// For a machine.
    Event { row: usize, event: Event },
    /// A request is over.
    Answered { row: usize, host: String, event: Event },
    /// A journal was opened, or not.
    Loaded { row: usize, loaded: Loaded },
    /// A journal was closed and its lock dropped.
    Closed { row: usize },
    /// A source was opened, or not.
    Opened { row: usize, ask: u64, result: Result<(Arc<dyn Source>, Identity), ErrorInfo> },
    /// The host answered for a source.
    Offered { row: usize, ask: u64, result: Result<SourceOffer, ErrorInfo> },
    /// The host answered for a signature.
    Signed { account: String, ask: u64, signature: Option<String> },
    /// The host answered for a credential.
    Credential { account: String, ask: u64, credential: Option<crate::model::Credential> },
}
