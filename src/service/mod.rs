//! How to say it and how to read it, never when: the vocabulary of the services, without any I/O.
//!
//! One folder a service, the same file names in each: `session` (what must be persisted), `request` (build), `response` (parse),
//! `fault` (status and code to a typed fault). What differs is [`Capabilities`] and the typed outcomes below; no `if` on the service
//! stands anywhere else. A new service is a folder, a variant of [`Target`] and a line in [`open`].

mod check;
mod encode;
mod iso8601;
mod json;
mod koodrive;
mod shapes;
mod smh;
mod verdict;
mod xml;

use serde::Serialize;

use crate::{
    error::ErrorInfo,
    from_json::{FromJson, from_json},
    model::{
        Conflict, ConflictChoice, Credential, Part, PartPlan, PartRules, Receipt, SortedMap, Target,
        http::{Answer, ByteRange, Request, Sent},
    },
    redact::Secret,
};

/// What a service can and can't do.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// How files are cut for it.
    pub parts: PartRules,
    /// It lists the parts that it has (and thereby lets a lost part answer be adopted).
    pub lists_parts: bool,
    /// It can look up an object by its place, to settle an outcome that the session can't tell.
    pub probes: bool,
    /// It can abort a session.
    pub aborts: bool,
    /// It can create a missing parent directory.
    pub creates_parents: bool,
    /// The digest by which it recognises content, if it does.
    pub digest: Option<DigestKind>,
    /// Parts can't be signed without the digest's state at their first byte, nor completed without the whole digest: hashing runs ahead of sending.
    pub midstates: bool,
    /// How many parts one `sign` may name.
    pub sign_parts_max: usize,
    /// A begin and a sign name the parts that they want links for, and may name fewer of them, a begin none.
    pub names_parts: bool,
    /// A link is not relied on twice: each try of a part takes a fresh one.
    pub links_serve_once: bool,
    /// Requests carry our date, and one that lies too far off is refused like a wrong credential.
    pub dates_requests: bool,
    /// What is to become of a taken name is said when the session is begun, and can't be said otherwise later.
    pub fixes_conflict: bool,
    /// A session of which nothing was heard for so long is not gone on with.
    pub session_idle_ms_max: Option<u64>,
    /// What a person can answer to a conflict.
    pub conflict_choices: &'static [ConflictChoice],
}

/// The digests by which services recognise content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestKind {
    /// SHA-256 of the whole (KooDrive).
    Sha256,
    /// SMH's chain of SHA-256 over blocks of 1 MiB (smh §9.1).
    Chain,
}

/// What is known of the content so far. Empty where nobody hashed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the first 1,024 bytes, lower-case hex.
    pub pre_hash: Option<String>,
    /// SHA-256 of the whole, lower-case hex.
    pub sha256: Option<String>,
    /// SHA-256 of the first 1 MiB, lower-case hex; none below that size.
    pub beginning_hash: Option<String>,
    /// The end of SMH's chain, lower-case hex; none below 1 MiB.
    pub full_hash: Option<String>,
    /// The bytes that [`Service::proof_range`] named, for this very credential.
    pub proof: Option<Vec<u8>>,
    /// Part number, from 2, to SHA-256's eight state words after all bytes before that part.
    pub midstates: SortedMap<u32, [u32; 8]>,
    /// At most so many parts are named; `None`: as many as the service's own bound allows.
    pub parts_named_max: Option<usize>,
}

/// `proof` is a person's.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(…)")
    }
}

/// What of an upload the service itself must remember across a restart: opaque to everyone else, journalled, free of secrets.
#[derive(Clone, PartialEq, Serialize)]
// Our own unit tests compare all of it.
#[cfg_attr(test, derive(Debug))]
#[serde(transparent)]
pub struct Session(pub serde_json::Value);

impl FromJson for Session {
    fn from_json(value: serde_json::Value) -> Option<Self> {
        Some(Session(value))
    }
}

from_json!(serde Session);

/// A session's keys are handles: with a token they open the upload.
#[cfg(not(test))]
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

/// Where and with what headers parts go, for a while. Never persisted, never printed.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    /// One link for every part (its `url` lacks what names the part), if the service signs so.
    pub shared: Option<Link>,
    /// A link for single parts.
    pub links: SortedMap<u32, Link>,
    /// When the service says that it ends, on its own clock.
    pub expires_unix_ms: Option<i64>,
}

impl Lease {
    /// True when that part can be sent with it.
    pub fn covers(&self, part_number: u32) -> bool {
        self.shared.is_some() || self.links.contains_key(&part_number)
    }
}

/// A signed place for bytes.
#[derive(Clone, Debug)]
pub struct Link {
    /// Verbatim.
    pub url: Secret,
    /// All of them, unchanged.
    pub headers: Vec<(String, Secret)>,
}

/// Who asks, and by which clock.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The credential of the upload's account.
    pub credential: &'a Credential,
    /// The service's clock, as well as it is known.
    pub service_unix_ms: i64,
}

/// What a begin had said: its answer is read by that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offer<'a> {
    /// What it said of the content, when it carried the whole digest.
    pub proof: Option<&'a Proof>,
    /// It was allowed to find the same content under the name, or to take another name.
    pub taken: bool,
    /// What was asked for where the name is taken.
    pub conflict: Option<&'a Conflict>,
}

/// Outcome of a begin.
#[derive(Clone, Debug)]
pub enum Begin {
    /// Bytes are wanted.
    Session {
        /// To be journalled before anything else.
        session: Session,
        /// The first lease, when the answer held one.
        lease: Option<Lease>,
    },
    /// The object exists: an instant upload.
    Done(Receipt),
    /// The same, but the name was taken by other content, so the object was made under another one.
    Renamed(Receipt),
    /// The service may know the content: it wants the full digest.
    NeedDigest,
}

/// A part as the service lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// From 1.
    pub part_number: u32,
    /// Its size there.
    pub size_bytes: u64,
    /// MD5 of its content in lower-case hex, when the service's tag is one.
    pub md5: Option<String>,
}

/// What a service tells of an upload, for people: nothing is decided by it. What it does not tell is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
// Our own unit tests compare all of it.
#[cfg_attr(test, derive(Debug))]
pub struct RemoteTask {
    /// The object was made.
    pub complete: Option<bool>,
    /// When it was begun, by the service's clock.
    pub created_unix_ms: Option<i64>,
    /// The service's own word for the kind of file.
    pub kind: Option<String>,
    /// The service's own word for what happens when the name is taken.
    pub conflict_strategy: Option<String>,
    /// Where the object is or will be, its name last; `None` also when the parent directory is gone.
    pub path: Option<Vec<String>>,
    /// The object's size, where it is told of a finished one.
    pub size_bytes: Option<u64>,
    /// SHA-256 of its content, lower-case hex.
    pub sha256: Option<String>,
    /// The parts that the service has, by number; `None` when it does not list them.
    pub parts: Option<Vec<ListedPart>>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// Names and paths are a person's own: not printed.
#[cfg(not(test))]
impl std::fmt::Debug for RemoteTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteTask")
            .field("complete", &self.complete)
            .field("created_unix_ms", &self.created_unix_ms)
            .field("kind", &self.kind)
            .field("conflict_strategy", &self.conflict_strategy)
            .field("parts", &self.parts)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// Outcome of an inspection of the session.
#[derive(Clone, Debug)]
pub enum Inspected {
    /// The object exists.
    Done(Receipt),
    /// It looks as if it did, but an unfinished one may look the same: certain only once the service says that a complete came before.
    Likely(Receipt),
    /// The session is open.
    Open {
        /// What the service has; `None` when it does not list parts.
        parts: Option<Vec<ListedPart>>,
        /// A fresh lease, when the answer held one.
        lease: Option<Lease>,
    },
}

/// A part was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// CRC-64/XZ of what was taken, as the service computed it.
    pub crc64: Option<u64>,
    /// The tag, for people.
    pub etag: Option<String>,
}

/// Outcome of a complete that the service answered.
#[derive(Clone, Debug)]
pub enum Complete {
    /// The object exists.
    Done(Receipt),
    /// The name is taken.
    Conflict,
    /// Parts are missing.
    Incomplete,
    /// What the service put together is not what was sent.
    IntegrityFailed,
    /// The service says that it was completed before: look.
    Already,
}

/// Outcome of a probe.
#[derive(Clone, Debug)]
pub enum Probed {
    /// Our object is there.
    Done(Receipt),
    /// It is not.
    NotDone,
    /// Something is there, or could be elsewhere, and nothing proves whose it is.
    CannotTell,
}

/// What a complete says of the content, and what a probe looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The size.
    pub size_bytes: u64,
    /// CRC-64/XZ of the whole.
    pub crc64: u64,
    /// SHA-256 of the whole, lower-case hex, when a digest pass ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The conflict strategy that the complete carries.
    pub conflict: Conflict,
    /// The service's clock when the complete was sent.
    pub service_unix_ms: i64,
}

from_json!(struct Proof { size_bytes, crc64, sha256, conflict, service_unix_ms });

/// A refusal, typed by what it asks of us.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The same again later; `retry_after_ms` is in the error.
    Retry(ErrorInfo),
    /// The signed link is over or was refused: renew, then the same part again.
    LeaseStale(ErrorInfo),
    /// The date of the request was refused: the same again, dated by the refusal's own.
    Misdated(ErrorInfo),
    /// The credential was refused: ask for another.
    CredentialRefused(ErrorInfo),
    /// The session is not known there.
    SessionGone(ErrorInfo),
    /// The parent directory is missing.
    ParentMissing(ErrorInfo),
    /// A person can mend it; the error's code says what it is.
    Ask(ErrorInfo),
    /// Nothing helps.
    Final(ErrorInfo),
}

impl Fault {
    /// The error behind it.
    pub fn error(&self) -> &ErrorInfo {
        match self {
            Fault::Retry(error)
            | Fault::LeaseStale(error)
            | Fault::Misdated(error)
            | Fault::CredentialRefused(error)
            | Fault::SessionGone(error)
            | Fault::ParentMissing(error)
            | Fault::Ask(error)
            | Fault::Final(error) => error,
        }
    }
}

/// One service at one target. Each `x` builds a request, each `read_x` reads its answer.
pub trait Service: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// Cuts a file: once an upload, frozen in its journal. A `wanted_bytes` part size that can't work is refused with the least that can.
    fn plan(&self, size_bytes: u64, wanted_bytes: Option<u64>) -> Result<PartPlan, ErrorInfo> {
        PartPlan::new(size_bytes, wanted_bytes, &self.capabilities().parts)
    }

    /// True when [`sign`](Service::sign) can give a session a fresh lease; else a lease that is over means to begin again.
    fn renews(&self, _session: &Session) -> bool {
        true
    }

    /// The stretch of the source that proves to the service that we hold the content, if it wants one beside the digest.
    fn proof_range(&self, _caller: Caller<'_>, _plan: &PartPlan) -> Option<ByteRange> {
        None
    }

    /// Opens a session for the upload. With the whole digest in `content` this may make the object. Then it makes it under
    /// its own name or not at all, unless `taken`: the name is known to be taken, by the same content or by something else.
    fn begin(
        &self,
        caller: Caller<'_>,
        plan: &PartPlan,
        conflict: &Conflict,
        content: &Content,
        taken: bool,
    ) -> Request;
    /// Reads the answer to [`begin`](Service::begin).
    fn read_begin(&self, offer: Offer<'_>, answer: &Answer) -> Result<Begin, Fault>;

    /// The session that something else began, by the name that the service gave it; `None` where that can't be continued.
    fn adopt(&self, _session_name: &str) -> Option<Session> {
        None
    }

    /// Creates the missing parent directory.
    fn create_parent(&self, caller: Caller<'_>) -> Request;
    /// Reads the answer to [`create_parent`](Service::create_parent); that it exists already is success.
    fn read_create_parent(&self, answer: &Answer) -> Result<(), Fault>;

    /// Asks for a fresh lease for these parts.
    fn sign(&self, caller: Caller<'_>, session: &Session, parts: &[Part], content: &Content) -> Request;
    /// Reads the answer to [`sign`](Service::sign). Of links for single parts those that were asked for are kept: `part_numbers`.
    fn read_sign(&self, session: &Session, part_numbers: &[u32], answer: &Answer) -> Result<Lease, Fault>;

    /// Sends one part under a lease that covers it; `None` when it doesn't.
    fn put(&self, session: &Session, lease: &Lease, part: &Part) -> Option<Request>;
    /// Reads the answer to [`put`](Service::put).
    fn read_put(&self, answer: &Answer, sent: &Sent) -> Result<Stored, Fault>;

    /// Asks what the service knows of the session: done or open, parts, lease.
    fn inspect(&self, caller: Caller<'_>, session: &Session) -> Request;
    /// Reads the answer to [`inspect`](Service::inspect).
    /// `proof`: what a complete that nobody answered said.
    fn read_inspect(
        &self,
        session: &Session,
        plan: &PartPlan,
        proof: Option<&Proof>,
        answer: &Answer,
    ) -> Result<Inspected, Fault>;

    /// Reads the same answer for people.
    fn read_task(&self, session: &Session, answer: &Answer) -> Result<RemoteTask, Fault>;

    /// Looks the object up by its place.
    fn probe(&self, caller: Caller<'_>) -> Request;
    /// Reads the answer to [`probe`](Service::probe) against what was sent.
    fn read_probe(&self, proof: &Proof, answer: &Answer) -> Result<Probed, Fault>;

    /// Makes the object of the parts.
    fn complete(&self, caller: Caller<'_>, session: &Session, proof: &Proof) -> Request;
    /// Reads the answer to [`complete`](Service::complete). A [`Fault::Retry`] here leaves the outcome unknown.
    fn read_complete(&self, session: &Session, proof: &Proof, answer: &Answer) -> Result<Complete, Fault>;

    /// Drops the session and its parts.
    fn abort(&self, caller: Caller<'_>, session: &Session) -> Request;
    /// Reads the answer to [`abort`](Service::abort); that it is gone already is success.
    fn read_abort(&self, answer: &Answer) -> Result<(), Fault>;
}

/// The service of a target: the one place that looks which it is. Bad input is refused here, before any request.
pub fn open(target: &Target) -> Result<Box<dyn Service>, ErrorInfo> {
    match target {
        Target::Smh(target) => Ok(Box::new(smh::Smh::open(target.clone())?)),
        Target::KooDrive(target) => Ok(Box::new(koodrive::KooDrive::open(target.clone())?)),
    }
}
