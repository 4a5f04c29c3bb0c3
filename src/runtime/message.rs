//! Everything that reaches the driver.

use std::sync::Arc;

use super::{Limits, Network, host::CredentialAnswer, host::SourceNews, sources::TempCopy};
use crate::{
    channel::Sender,
    engine::{Command, CommitId, Event, Facts},
    error::ErrorInfo,
    model::{Credential, Identity, ServiceName},
    source::{Source, SourceOffer, SourceWhat},
};

/// What loading a journal led to.
pub(super) enum Loaded {
    /// It is open and locked.
    Ready(Box<Facts>),
    /// Another process has it.
    Elsewhere(ErrorInfo),
    /// Another process has removed it.
    Gone,
    /// It can't be used.
    Lost(ErrorInfo),
    /// The disk refused for now.
    Refused(ErrorInfo),
}

/// What became of what a host said of an upload at rest.
pub(super) enum Said {
    /// It is kept; this is what the journal says now. The journal is closed.
    Kept(Box<Facts>),
    /// Only its machine can do it; nothing was kept.
    NeedsMachine,
    /// It could not be kept now.
    Not(Loaded),
}

/// What became of a journal that was to be removed.
pub(super) enum Removed {
    /// It is gone, and its snapshot is down; the temporary copy that goes with it.
    Gone(Option<TempCopy>),
    /// It is still there.
    Not,
}

/// A credential and its generation, if there is one.
pub(super) type CredentialReply = Option<(Credential, u64)>;

/// One message. `row` is the driver's own number of an upload.
pub(super) enum Message {
    /// Uploads that are durable already.
    Added(Vec<(Box<Facts>, Option<Box<SourceWhat>>)>),
    /// For these uploads.
    Command { ids: Vec<String>, command: Command },
    /// Another source for an upload.
    Attach { id: String, offer: SourceOffer },
    /// Ended ones that the host has taken; each that is gone is reported.
    Forget { ids: Vec<String>, gone: Sender<()> },
    /// Ended ones whose proof other uploads have taken over; each that is gone is reported.
    Superseded { ids: Vec<String>, gone: Sender<()> },
    /// A credential, unasked.
    SetCredential { account: String, credential: Credential },
    /// Somebody beside the uploads wants one; `refused`: newer than that generation. Answered once, with none when there is none to be had now.
    WantCredential { account: String, service: ServiceName, refused: Option<u64>, reply: Sender<CredentialReply> },
    /// Nobody is signed in to the account any more.
    SignOut { account: String, wiped: Sender<()> },
    /// What the host says of the network.
    SetNetwork(Network),
    /// The way out of this device changed: connections of before are worth nothing.
    Reroute,
    /// New bounds.
    SetLimits(Limits),
    /// Everything stays.
    Hold,
    /// Everything goes on, or only these.
    Go { only: Option<Vec<String>> },
    /// Another process has removed these; their snapshots are down.
    Vanished { ids: Vec<String> },
    /// For a machine.
    Event { row: usize, event: Event },
    /// Records were appended, or not.
    Appended { row: usize, results: Vec<(CommitId, Result<(), ErrorInfo>)> },
    /// A request is over.
    Answered { row: usize, host: String, event: Event },
    /// A journal was opened, or not.
    Loaded { row: usize, loaded: Loaded },
    /// What was said of an upload at rest was kept, or not; the commands come back.
    Said { row: usize, commands: Vec<Command>, said: Said },
    /// A journal was closed and its lock dropped.
    Closed { row: usize },
    /// A journal was removed, or not.
    Removed { row: usize, removed: Removed },
    /// A source was opened, or not.
    Opened { row: usize, ask: u64, result: Result<(Arc<dyn Source>, Identity), ErrorInfo> },
    /// The host answered for a signature.
    Signed { account: String, ask: u64, signature: Option<String> },
    /// The host has news of a source.
    Source { row: usize, ask: u64, news: SourceNews },
    /// The host answered for a credential.
    Credential { account: String, ask: u64, answer: CredentialAnswer },
}

impl Message {
    /// True for what a host said.
    pub(super) fn is_said(&self) -> bool {
        matches!(
            self,
            Message::Added(_)
                | Message::Command { .. }
                | Message::Attach { .. }
                | Message::Forget { .. }
                | Message::Superseded { .. }
                | Message::SetCredential { .. }
                | Message::WantCredential { .. }
                | Message::SignOut { .. }
                | Message::SetNetwork(_)
                | Message::Reroute
                | Message::SetLimits(_)
                | Message::Hold
                | Message::Go { .. }
                | Message::Vanished { .. }
        )
    }

    /// True for what is about rows at work alone: it changes nothing about who stands in line.
    pub(super) fn is_of_work(&self) -> bool {
        matches!(
            self,
            Message::Event { .. }
                | Message::Appended { .. }
                | Message::Answered { .. }
                | Message::Opened { .. }
                | Message::Source { .. }
        )
    }
}
