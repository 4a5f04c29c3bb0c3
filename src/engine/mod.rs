//! Order: one upload as a state machine, pure and deterministic. Time, randomness and I/O are inputs.
//!
//! The contract: feed one [`Event`], then [`poll`](Machine::poll) until [`Step::Wait`] or [`Step::Done`]. The machine is level-triggered: what is
//! true ([`Facts`], the fold of the journal) and what is under way (operations, commits, gates) decide the next step, whatever led there.
//! So a restart is nothing special: the same facts with nothing under way.
//!
//! - A start that depends on a commit is not emitted before its [`Event::Committed`].
//! - Between [`Step::Start`] and its answer an operation owns a slot. [`Step::Stop`] asks it to end; it is answered like any end, and a success that
//!   comes late is still proof.
//! - Nothing here reads a clock, a file or a socket.

mod again;
mod answers;
mod backoff;
mod cancel;
mod clock;
mod digest;
mod explain;
mod facts;
mod finish;
mod lease;
mod machine;
mod memory;
mod order;
mod policy;
mod record;
mod rest;
mod second_try;
mod source_check;
mod spent;
pub mod timeline;
mod tuning;
mod view;

pub use again::{again, asked_again};
pub use explain::Explanation;
pub use facts::Facts;
pub use machine::{Limits, Machine};
pub use memory::Memory;
pub(crate) use policy::policy_error;
pub use record::{Ending, Record, Remote, RestartReason, SourceRecord, Sync, UploadRecord, Wait, Wish};
pub use rest::{at_rest, commands_of};
pub use tuning::Tuning;
pub use view::{Phase, Progress, State, WaitReason, Waiting};

use crate::{
    error::ErrorInfo,
    hash::Digester,
    model::{
        Conflict, Credential, Identity, Network, OnChange,
        http::{Answer, ByteRange, Request, Sent, TransportFault},
    },
};

/// What an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpKind {
    /// Opening a session.
    Begin,
    /// Creating the missing parent directory.
    CreateParent,
    /// Getting fresh links.
    Sign,
    /// Sending a part.
    Part(u32),
    /// Asking what the service knows of the session.
    Inspect,
    /// Looking for the object at its place.
    Probe,
    /// Having the object made.
    Complete,
    /// Dropping the session.
    Abort,
    /// Dropping a session that a restart left behind.
    Discard,
    /// Reading a part of the source to compare or adopt it.
    Read(u32),
    /// Reading the chain's first block, to ask whether the service knows it.
    Beginning,
    /// Taking a part into the digest pass.
    Hash(u32),
    /// Reading the few bytes that prove to the service that we hold the content.
    Proof,
}

impl OpKind {
    /// True for what asks a service; the rest reads the source.
    fn is_request(self) -> bool {
        !matches!(self, OpKind::Read(_) | OpKind::Beginning | OpKind::Hash(_) | OpKind::Proof)
    }
}

/// One operation of one upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// What it is for.
    pub kind: OpKind,
    /// Which try; unique within an upload and run.
    pub attempt: u32,
}

/// One record on its way to the journal; unique within an upload and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId {
    /// The disk refuses what belongs to a round that has failed: order is kept.
    pub round: u32,
    /// Counts.
    pub number: u64,
}

/// What the scheduler lends at this moment. The machine takes from it as it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Parts that may be started.
    pub parts: u32,
    /// Control requests that may be started.
    pub controls: u32,
    /// Reads of the source that may be started.
    pub reads: u32,
    /// A host that the upload speaks to takes no request before that: why none is lent. `None`: others work first.
    pub opens_at: Option<crate::model::Tick>,
}

/// What a worker does.
#[derive(Clone, Debug)]
pub enum Work {
    /// Sends a request.
    Send(Request),
    /// Reads a stretch of the source and hashes it.
    Read {
        /// Which.
        range: ByteRange,
        /// MD5 beside CRC-64.
        md5: bool,
        /// The bytes themselves, too: only for a few.
        keep: bool,
    },
    /// Reads a stretch of the source into a digest pass that stands at its beginning.
    Hash {
        /// Which.
        range: ByteRange,
        /// The pass.
        digester: Box<Digester>,
    },
}

/// What a read found.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadDigest {
    /// CRC-64/XZ.
    pub crc64: u64,
    /// MD5 in lower-case hex, if it was wanted.
    pub md5: Option<String>,
    /// The bytes, if they were wanted.
    pub bytes: Option<Vec<u8>>,
    /// The digest pass at the end of the stretch, if it was one.
    pub digester: Option<Box<Digester>>,
}

/// A person's bytes are not printed.
impl std::fmt::Debug for ReadDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReadDigest({} bytes kept)", self.bytes.as_ref().map_or(0, Vec::len))
    }
}

/// What the runtime must do next for this upload.
#[derive(Clone, Debug)]
pub enum Step {
    /// Append the record; answered by [`Event::Committed`] or [`Event::CommitFailed`]. Commits are carried out in their order.
    Commit {
        /// Names it in the answer.
        id: CommitId,
        /// To append.
        record: Record,
    },
    /// Begin an operation; answered by [`Event::Answered`] or [`Event::Read`].
    Start {
        /// Names it in the answer.
        op: OpId,
        /// What to do.
        work: Work,
    },
    /// End an operation early; it is still answered.
    Stop {
        /// Which.
        op: OpId,
    },
    /// Get a credential; answered by [`Event::Credential`].
    AskCredential {
        /// The generation that was refused, if one was.
        refused: Option<u64>,
    },
    /// Open the source, or look at it again; answered by [`Event::Source`].
    AskSource,
    /// Nothing to do before `until` (never, without it) or the next event.
    Wait {
        /// The next moment at which polling makes sense.
        until: Option<crate::model::Tick>,
    },
    /// Over: nothing is under way, and nothing ever will be.
    Done,
}

/// What a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Stay until resumed, also over restarts.
    Pause,
    /// Go on; also "try now".
    Resume,
    /// The source may be another one now: it is looked at again.
    LookAgain,
    /// How to come by the source in the next process; without a token the old one stays.
    SourceIs(Box<SourceRecord>),
    /// End, and undo what can be undone.
    Cancel,
    /// Stay until `Go`, in this process.
    Hold,
    /// Go on after `Hold`.
    Go,
    /// What to do when the name is taken; answers an open conflict.
    Conflict(Conflict),
    /// What to do when the bytes changed.
    OnChange(OnChange),
    /// What is given of it holds from here on.
    Tune(Tuning),
    /// The client's own bound on that.
    ClientParallelParts(u32),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The host says so.
    Command(Command),
    /// A record is kept.
    Committed(CommitId),
    /// A record could not be kept.
    CommitFailed(CommitId, ErrorInfo),
    /// A request was answered, or not.
    Answered {
        /// Which.
        op: OpId,
        /// How.
        result: Result<Answer, TransportFault>,
        /// What of the source had been given to the socket.
        sent: Sent,
    },
    /// A stretch of the source was read, or not.
    Read {
        /// Which.
        op: OpId,
        /// What it holds.
        result: Result<ReadDigest, ErrorInfo>,
    },
    /// So many bytes of a part's attempt were given to the socket by now.
    Bytes {
        /// Which.
        op: OpId,
        /// So many.
        bytes: u64,
    },
    /// A credential, with the generation that the runtime counts; none when there is none to be had now.
    Credential {
        /// It.
        credential: Option<Credential>,
        /// Grows with every new one.
        generation: u64,
    },
    /// The source is open (again), or not.
    Source(Result<Identity, ErrorInfo>),
    /// The host has no credential now; it may be asked again after so long, or only when something changes.
    NoCredential {
        /// From now.
        retry_in_ms: Option<u64>,
    },
    /// The account was signed out: its credential is wiped, and what carries it ends.
    SignedOut,
    /// What the host knows of the network.
    Network(Network),
}
