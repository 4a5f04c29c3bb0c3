//! Tencent Smart Media Hosting: a task at the service, bytes to the storage that it signs for, and one confirm.

mod document;
mod fault;
mod form;
mod learnt;
mod lease;
mod place;
mod probe;
mod request;
mod response;
mod session;
#[cfg(test)]
mod tests;

use crate::{
    error::ErrorInfo,
    model::{
        Conflict, ConflictChoice, Part, PartPlan, PartRules, SmhMode, SmhTarget,
        http::{Answer, Request, Sent},
    },
    service::{
        Begin, Caller, Capabilities, Complete, Content, DigestKind, Fault, Inspected, Lease, Offer, Probed, Proof,
        RemoteTask, Service, Session, Stored,
    },
};
use place::Place;
use session::{Mode, Task};

/// smh §4.3. One part of any size is taken, an empty one too.
const PARTS: PartRules = PartRules {
    part_size_bytes_default: 4 << 20,
    part_size_bytes_min: 1 << 20,
    part_size_bytes_max: 5 << 30,
    parts_max: document::PARTS_MAX as u32,
    part_align_bytes: 1,
    size_bytes_max: 50_000 << 30,
};

/// SMH at one target.
pub(super) struct Smh {
    place: Place,
    capabilities: Capabilities,
}

impl Smh {
    /// Checks the target: nothing is sent to a place that can't be.
    pub(super) fn open(target: SmhTarget) -> Result<Smh, ErrorInfo> {
        let place = Place::new(target)?;
        let capabilities = Capabilities {
            parts: PARTS,
            lists_parts: true,
            probes: true,
            aborts: true,
            creates_parents: place.target.create_parents && place.parent.is_some(),
            // One link for all needs no limit; which deployment it is may show only later.
            digest: Some(DigestKind::Chain),
            midstates: false,
            sign_parts_max: request::SIGN_PARTS_MAX,
            names_parts: false,
            links_serve_once: false,
            dates_requests: false,
            fixes_conflict: false,
            session_idle_ms_max: None,
            conflict_choices: &[ConflictChoice::Rename, ConflictChoice::Overwrite, ConflictChoice::Cancel],
        };
        Ok(Smh { place, capabilities })
    }
}

impl Service for Smh {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn plan(&self, size_bytes: u64, wanted_bytes: Option<u64>) -> Result<PartPlan, ErrorInfo> {
        match self.place.target.mode {
            SmhMode::Auto | SmhMode::Multipart => PartPlan::new(size_bytes, wanted_bytes, &PARTS),
            // One part that is the whole, whatever its size (smh §2, §4.3).
            SmhMode::Simple | SmhMode::Form => {
                let rules = PartRules { size_bytes_max: PARTS.part_size_bytes_max, ..PARTS };
                let plan = PartPlan::new(size_bytes, None, &rules)?;
                Ok(PartPlan { part_size_bytes: plan.part_size_bytes.max(size_bytes), ..plan })
            }
        }
    }

    fn renews(&self, session: &Session) -> bool {
        Task::of(session).mode == Mode::Multipart
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

    fn read_begin(&self, _offer: Offer<'_>, answer: &Answer) -> Result<Begin, Fault> {
        self.place.read_begin(answer)
    }

    fn adopt(&self, confirm_key: &str) -> Option<Session> {
        session::is_confirm_key(confirm_key).then(|| Task::adopted(confirm_key).to_session())
    }

    fn create_parent(&self, caller: Caller<'_>) -> Request {
        self.place.create_parent(caller)
    }

    fn read_create_parent(&self, answer: &Answer) -> Result<(), Fault> {
        self.place.read_create_parent(answer)
    }

    fn sign(&self, caller: Caller<'_>, session: &Session, parts: &[Part], _content: &Content) -> Request {
        self.place.sign(caller, &Task::of(session), parts)
    }

    fn read_sign(&self, _session: &Session, part_numbers: &[u32], answer: &Answer) -> Result<Lease, Fault> {
        self.place.read_sign(part_numbers, answer)
    }

    fn put(&self, session: &Session, lease: &Lease, part: &Part) -> Option<Request> {
        lease::put(&Task::of(session), lease, part)
    }

    fn read_put(&self, answer: &Answer, sent: &Sent) -> Result<Stored, Fault> {
        response::read_put(answer, sent)
    }

    fn inspect(&self, caller: Caller<'_>, session: &Session) -> Request {
        self.place.inspect(caller, &Task::of(session))
    }

    fn read_inspect(
        &self,
        _session: &Session,
        plan: &PartPlan,
        _proof: Option<&Proof>,
        answer: &Answer,
    ) -> Result<Inspected, Fault> {
        self.place.read_inspect(plan, answer)
    }

    fn read_task(&self, _session: &Session, answer: &Answer) -> Result<RemoteTask, Fault> {
        self.place.read_task(answer)
    }

    fn probe(&self, caller: Caller<'_>) -> Request {
        self.place.probe(caller)
    }

    fn read_probe(&self, proof: &Proof, answer: &Answer) -> Result<Probed, Fault> {
        self.place.read_probe(proof, answer)
    }

    fn complete(&self, caller: Caller<'_>, session: &Session, proof: &Proof) -> Request {
        self.place.complete(caller, &Task::of(session), proof)
    }

    fn read_complete(&self, _session: &Session, proof: &Proof, answer: &Answer) -> Result<Complete, Fault> {
        self.place.read_complete(proof, answer)
    }

    fn abort(&self, caller: Caller<'_>, session: &Session) -> Request {
        self.place.abort(caller, &Task::of(session))
    }

    fn read_abort(&self, answer: &Answer) -> Result<(), Fault> {
        self.place.read_abort(answer)
    }
}
