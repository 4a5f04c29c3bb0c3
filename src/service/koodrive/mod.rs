//! Huawei KooDrive: a file's metadata at the service, its parts to the storage that it signs for, and one complete.
//!
//! It keeps no list of parts and aborts nothing; each part but the first is signed with SHA-256's state at its first byte.

mod auth;
mod document;
mod fault;
mod file_type;
mod lease;
mod place;
mod proof;
mod request;
mod response;
mod session;
#[cfg(test)]
mod tests;

use crate::{
    error::ErrorInfo,
    model::{
        Conflict, ConflictChoice, KooDriveTarget, Part, PartPlan, PartRules,
        http::{Answer, ByteRange, Request, Sent},
    },
    service::{
        Begin, Caller, Capabilities, Complete, Content, DigestKind, Fault, Inspected, Lease, Offer, Probed, Proof,
        RemoteTask, Service, Session, Stored, verdict::Op,
    },
};
use place::Place;
use session::Upload;

/// koodrive §4, §9. An empty file is one empty part.
const PARTS: PartRules = PartRules {
    part_size_bytes_default: 10 << 20,
    part_size_bytes_min: 5 << 20,
    part_size_bytes_max: 5 << 30,
    parts_max: document::PARTS_MAX as u32,
    part_align_bytes: 64,
    size_bytes_max: 200 << 30,
};

const CAPABILITIES: Capabilities = Capabilities {
    parts: PARTS,
    lists_parts: false,
    probes: false,
    aborts: false,
    creates_parents: false,
    digest: Some(DigestKind::Sha256),
    midstates: true,
    sign_parts_max: request::SIGN_PARTS_MAX,
    names_parts: true,
    // koodrive §14.9: perhaps a link takes one request only.
    links_serve_once: true,
    dates_requests: true,
    // koodrive §6: complete says nothing of names.
    fixes_conflict: true,
    // koodrive §14.11: how long an upload lives is not documented.
    session_idle_ms_max: Some(24 * 3_600_000),
    conflict_choices: &[ConflictChoice::Rename, ConflictChoice::KeepIfSame, ConflictChoice::Cancel],
};

/// KooDrive at one target.
pub(super) struct KooDrive {
    place: Place,
}

impl KooDrive {
    /// Checks the target: nothing is sent to a place that can't be.
    pub(super) fn open(target: KooDriveTarget) -> Result<KooDrive, ErrorInfo> {
        Ok(KooDrive { place: Place::new(target)? })
    }
}

impl Service for KooDrive {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn proof_range(&self, caller: Caller<'_>, plan: &PartPlan) -> Option<ByteRange> {
        proof::range(self.place.proof_origin(caller.credential), plan.size_bytes)
    }

    fn begin(
        &self,
        caller: Caller<'_>,
        plan: &PartPlan,
        conflict: &Conflict,
        content: &Content,
        taken: bool,
    ) -> Request {
        self.place.begin(caller, plan, conflict, content, taken)
    }

    fn read_begin(&self, offer: Offer<'_>, answer: &Answer) -> Result<Begin, Fault> {
        self.place.read_begin(offer, answer)
    }

    /// No such request: it looks at the parent folder, which changes nothing.
    fn create_parent(&self, caller: Caller<'_>) -> Request {
        self.place.look_at_parent(caller)
    }

    fn read_create_parent(&self, answer: &Answer) -> Result<(), Fault> {
        Err(fault::not_offered(Op::CreateParent, answer))
    }

    fn sign(&self, caller: Caller<'_>, session: &Session, parts: &[Part], content: &Content) -> Request {
        self.place.sign(caller, &Upload::of(session), parts, content)
    }

    fn read_sign(&self, _session: &Session, part_numbers: &[u32], answer: &Answer) -> Result<Lease, Fault> {
        self.place.read_sign(part_numbers, answer)
    }

    fn put(&self, _session: &Session, lease: &Lease, part: &Part) -> Option<Request> {
        lease::put(lease, part)
    }

    fn read_put(&self, answer: &Answer, _sent: &Sent) -> Result<Stored, Fault> {
        response::read_put(answer)
    }

    fn inspect(&self, caller: Caller<'_>, session: &Session) -> Request {
        self.place.inspect(caller, &Upload::of(session))
    }

    fn read_inspect(
        &self,
        session: &Session,
        _plan: &PartPlan,
        proof: Option<&Proof>,
        answer: &Answer,
    ) -> Result<Inspected, Fault> {
        response::read_inspect(&Upload::of(session), proof, answer)
    }

    fn read_task(&self, session: &Session, answer: &Answer) -> Result<RemoteTask, Fault> {
        response::read_task(&Upload::of(session), answer)
    }

    /// No such request: it looks at the parent folder, which changes nothing.
    fn probe(&self, caller: Caller<'_>) -> Request {
        self.place.look_at_parent(caller)
    }

    /// A folder tells nothing of a file in it.
    fn read_probe(&self, _proof: &Proof, _answer: &Answer) -> Result<Probed, Fault> {
        Ok(Probed::CannotTell)
    }

    fn complete(&self, caller: Caller<'_>, session: &Session, proof: &Proof) -> Request {
        self.place.complete(caller, &Upload::of(session), proof)
    }

    /// The answer names nothing (koodrive §6): without the session, the receipt's name is the one that was asked for.
    fn read_complete(&self, session: &Session, proof: &Proof, answer: &Answer) -> Result<Complete, Fault> {
        self.place.read_complete(Some(&Upload::of(session)), proof, answer)
    }

    /// No such request (koodrive §7): it looks at the file, which changes nothing.
    fn abort(&self, caller: Caller<'_>, session: &Session) -> Request {
        self.place.inspect(caller, &Upload::of(session))
    }

    fn read_abort(&self, answer: &Answer) -> Result<(), Fault> {
        Err(fault::not_offered(Op::Abort, answer))
    }
}
