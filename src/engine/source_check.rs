//! Is the source still the one whose parts are proven? Identity is a hint, digests are proof.
//!
//! Identity equal: trust. Identity different, size equal: the proven parts are read again and their CRC-64 compared; all equal, and the new identity
//! is trusted. A difference is a changed file, and the upload's policy decides.

use std::collections::VecDeque;

use super::{
    OpId, OpKind, ReadDigest, Record, Slots, Step, Work,
    machine::{Machine, Why, planned},
    order::Next,
    record::{RestartReason, Wish},
    view::{Phase, WaitReason},
};
use crate::{
    error::{Code, ErrorInfo},
    model::{Identity, Now, OnChange, SortedSet, Tick, http::ByteRange},
    service::ListedPart,
};

/// What is known of the source in this run.
#[derive(Debug, Default)]
pub(super) enum SourceState {
    /// Not looked at, or to be looked at again.
    #[default]
    Unknown,
    /// Asked for.
    Asked,
    /// Open, and this is it.
    Open(Identity),
    /// Open, another one by its identity: these proven parts are still to be compared.
    Proving { identity: Identity, left: VecDeque<u32> },
    /// Not to be had; looked at again at that tick, if the host named one.
    Missing(ErrorInfo, Option<Tick>),
    /// Its bytes changed.
    Changed(ErrorInfo),
    /// It can't be uploaded.
    Unfit(ErrorInfo),
}

impl SourceState {
    pub(super) fn identity(&self) -> Option<&Identity> {
        match self {
            SourceState::Open(identity) | SourceState::Proving { identity, .. } => Some(identity),
            _ => None,
        }
    }

    /// Looks at it again before anything more is taken from it.
    pub(super) fn look_again(&mut self) {
        if !matches!(self, SourceState::Asked) {
            *self = SourceState::Unknown;
        }
    }

    /// Looks again at one that was not to be had: it may be back.
    pub(super) fn look_again_if_lost(&mut self) {
        if matches!(self, SourceState::Missing(..) | SourceState::Changed(_)) {
            *self = SourceState::Unknown;
        }
    }

    /// Its bytes are not what they were.
    pub(super) fn differs(&mut self, detail: &str) {
        *self = changed(detail);
    }

    /// It can't be read any more. What is looked at again, or will be, is not lost by a read of how it was before.
    pub(super) fn lost(&mut self, error: ErrorInfo) {
        if !matches!(self, SourceState::Unknown | SourceState::Asked) {
            *self = SourceState::Missing(error, None);
        }
    }
}

/// Operations that take bytes of the source.
fn reads_source(kind: OpKind) -> bool {
    matches!(kind, OpKind::Part(_) | OpKind::Read(_) | OpKind::Beginning | OpKind::Hash(_) | OpKind::Proof)
}

fn changed(detail: &str) -> SourceState {
    SourceState::Changed(ErrorInfo::new(Code::SourceChanged, detail))
}

/// Reads in a row that may contradict how the source looks before it is taken for another one, or before it rests, where it looks otherwise each time.
const DOUBTS_MAX: u32 = 3;
/// A source that is touched whenever it is read is let rest for so long at first, twice as long each time after,
const REST_MS_MIN: u64 = 5_000;
/// and so long at most.
const REST_MS_MAX: u64 = 15 * 60_000;

impl Machine {
    /// It was read, and nothing contradicted that.
    pub(super) fn source_was_read(&mut self) {
        (self.source_doubts, self.source_touches, self.source_rested) = (0, 0, 0);
    }

    /// A read said that the source changed: it is looked at before anything more is taken from it.
    pub(super) fn doubt_source(&mut self) {
        // Several reads at once are one doubt.
        self.source_doubts += u32::from(self.source.identity().is_some());
        if let SourceState::Proving { identity, left } = &self.source {
            self.compared = Some((identity.clone(), left.clone()));
        }
        self.source.look_again();
    }

    /// The runtime opened the source, or could not.
    pub(super) fn on_source(&mut self, now: Now, result: Result<Identity, ErrorInfo>) {
        // An answer that nobody waits for any more is about another opening.
        if !matches!(self.source, SourceState::Asked) {
            return;
        }
        self.source = match result {
            // What was a file when the upload began may be one again.
            Err(error) if error.code == Code::SourceNotSeekable && self.facts.plan.is_none() => {
                SourceState::Unfit(error)
            }
            Err(error) => {
                let again = error.retry_after_ms.map(|ms| now.tick.after_ms(ms));
                SourceState::Missing(error, again)
            }
            Ok(identity) => self.compare(now, identity),
        };
    }

    fn compare(&mut self, now: Now, identity: Identity) -> SourceState {
        let (Some(plan), Some(known)) = (self.facts.plan, &self.facts.identity) else {
            return SourceState::Open(identity);
        };
        if known.same_as(&identity) {
            // One that ends before its length looks the same for ever.
            if self.source_doubts > DOUBTS_MAX {
                return changed("the source ends before its length, or changes whenever it is read");
            }
            return SourceState::Open(identity);
        }
        if identity.size_bytes != plan.size_bytes {
            return changed("the file has another size than when the upload began");
        }
        // What contradicted it is that it is another one by now.
        self.source_touches += u32::from(std::mem::take(&mut self.source_doubts) > 0);
        if let Some(rest_ms) = self.rest_ms() {
            self.source_rested = self.source_touches;
            let error = ErrorInfo::new(Code::SourceChanged, "the file is touched whenever it is read");
            return SourceState::Missing(error, Some(now.tick.after_ms(rest_ms)));
        }
        // What was compared counts for the very source that it was compared with.
        if let Some((_, left)) = self.compared.take().filter(|(compared, _)| compared.same_as(&identity)) {
            return SourceState::Proving { identity, left };
        }
        // What is hashed is known as well as what is sent.
        let known: SortedSet<u32> =
            self.facts.proven.keys().chain(self.facts.hashed.keys()).map(|number| (*number, ())).collect();
        SourceState::Proving { identity, left: known.keys().copied().collect() }
    }

    /// How long a source rests that is never read to the end without being touched: else it would be read at the pace of the disk, for ever. Once for
    /// each further time.
    fn rest_ms(&self) -> Option<u64> {
        let over = self.source_touches.checked_sub(DOUBTS_MAX + 1);
        let over = over.filter(|_| self.source_touches > self.source_rested)?;
        Some((REST_MS_MIN << over.min(16)).min(REST_MS_MAX))
    }

    /// The rung: `Ok(None)` when the source is open and proven.
    pub(super) fn check_source(&mut self, now: Now, slots: &mut Slots) -> Result<Option<Step>, Why> {
        if matches!(&self.source, SourceState::Missing(_, Some(again)) if *again <= now.tick) {
            self.source = SourceState::Unknown;
        }
        match &mut self.source {
            SourceState::Unknown => {
                // Parts in flight, or not yet kept, are of the source as it was: they end first, or they would escape the comparison.
                self.stop_ops(reads_source);
                if let Some(step) = self.outbox.pop_front() {
                    return Ok(Some(step));
                }
                if self.ops.keys().any(|op| reads_source(op.kind)) || self.any_part_committing() {
                    return Err(Why::Working(self.phase()));
                }
                self.source = SourceState::Asked;
                Ok(Some(Step::AskSource))
            }
            SourceState::Asked => Err(Why::Working(self.phase())),
            SourceState::Missing(error, until) => Err(Why::needs_host(WaitReason::Source, *until, Some(error.clone()))),
            SourceState::Unfit(error) => {
                let error = error.clone();
                Ok(Some(self.end(now, super::Ending::Failed(error))))
            }
            SourceState::Changed(error) => {
                let error = error.clone();
                match self.facts.on_change {
                    OnChange::Restart => self.restart(now, slots, RestartReason::Changed, error).map(Some),
                    OnChange::Fail => {
                        self.stop_ops(|_| true);
                        match self.outbox.pop_front() {
                            Some(step) => Ok(Some(step)),
                            None => Err(Why::needs_host(WaitReason::Source, None, Some(error))),
                        }
                    }
                }
            }
            SourceState::Open(identity) => {
                let identity = identity.clone();
                match self.facts.plan {
                    None => self.freeze_plan(now, slots, identity).map(Some),
                    Some(_) => Ok(None),
                }
            }
            SourceState::Proving { .. } => self.prove(now, slots).map(Some),
        }
    }

    fn freeze_plan(&mut self, now: Now, slots: &mut Slots, identity: Identity) -> Next {
        let wanted = self.facts.upload.part_size_bytes;
        // A session that something else began is cut already.
        if self.facts.session.is_some() && wanted.is_none() && self.adopted_cut.is_none() {
            return self.inspect(now, slots, Phase::Starting);
        }
        let adopted = self.adopted_cut.flatten().filter(|_| self.facts.session.is_some());
        let planned = match adopted.map(|cut| self.service.plan(identity.size_bytes, Some(cut))) {
            Some(Ok(plan)) => Ok(plan),
            // A cut that is not ours to make: what does not fit is sent again.
            _ => self.service.plan(identity.size_bytes, wanted),
        };
        match planned {
            Ok(plan) => Ok(self.commit(Record::Plan { plan, identity })),
            Err(error) => Ok(self.end(now, super::Ending::Failed(error))),
        }
    }

    /// Compares the proven parts with the source, one at a time.
    fn prove(&mut self, now: Now, slots: &mut Slots) -> Next {
        if self.ops.keys().any(|op| matches!(op.kind, OpKind::Read(_))) {
            return Err(Why::Working(Phase::Verifying));
        }
        let SourceState::Proving { identity, left } = &self.source else { return Err(Why::Working(Phase::Verifying)) };
        let Some(number) = left.front().copied() else {
            let identity = identity.clone();
            self.source = SourceState::Open(identity.clone());
            return Ok(self.commit(Record::Identity { identity }));
        };
        self.start_read(now, slots, number, false)
    }

    fn start_read(&mut self, now: Now, slots: &mut Slots, number: u32, md5: bool) -> Next {
        let Some(part) = planned(self.facts.plan, number) else { return Err(Why::Working(Phase::Verifying)) };
        if slots.reads == 0 {
            return Err(Why::Working(Phase::Verifying));
        }
        slots.reads -= 1;
        let range = ByteRange { offset: part.offset, len: part.size_bytes };
        Ok(Step::Start { op: self.begin_op(now, OpKind::Read(number)), work: Work::Read { range, md5, keep: false } })
    }

    /// Parts that the service lists and the journal lacks: taken over after reading them once.
    pub(super) fn adopt(&mut self, now: Now, slots: &mut Slots) -> Result<Option<Step>, Why> {
        if self.adopting.is_some() {
            return Err(Why::Working(Phase::Verifying));
        }
        let Some(listed) = self.adoptable.pop_front() else { return Ok(None) };
        if self.facts.proven.contains_key(&listed.part_number) || self.part_committing(listed.part_number) {
            return self.adopt(now, slots);
        }
        match self.start_read(now, slots, listed.part_number, true) {
            Ok(step) => {
                self.adopting = Some(listed);
                Ok(Some(step))
            }
            Err(why) => {
                self.adoptable.push_front(listed);
                Err(why)
            }
        }
    }

    /// What the list of a session that something else began shows of its cut.
    pub(super) fn see_cut(&mut self, listed: &[ListedPart]) {
        let size_bytes = self.source.identity().map_or(0, |identity| identity.size_bytes);
        let rules = self.service.capabilities().parts;
        let first = listed.iter().find(|part| part.part_number == 1);
        // Without the first one any will do that is not the last.
        let last = listed.iter().map(|part| part.part_number).max();
        let cut = first.or_else(|| listed.iter().find(|part| Some(part.part_number) != last)).map(|part| {
            if part.size_bytes < size_bytes {
                return part.size_bytes;
            }
            // One part that is the whole.
            part.size_bytes.max(rules.part_size_bytes_min).next_multiple_of(rules.part_align_bytes.max(1))
        });
        self.adopted_cut = Some(cut);
    }

    /// What the service lists is compared with the plan; what fits and is not proven may be adopted.
    pub(super) fn plan_adoption(&mut self, parts: Vec<ListedPart>) {
        let fits = |listed: &ListedPart| {
            let part = planned(self.facts.plan, listed.part_number);
            part.is_some_and(|part| part.size_bytes == listed.size_bytes) && listed.md5.is_some()
        };
        let open = |number: u32| {
            !self.facts.proven.contains_key(&number)
                && !self.part_committing(number)
                && !self.in_flight(OpKind::Part(number))
        };
        let fresh = parts.into_iter().filter(|listed| fits(listed) && open(listed.part_number));
        self.adoptable = fresh.collect();
    }

    /// A stretch of the source was read, or not.
    pub(super) fn on_read(&mut self, _now: Now, op: OpId, result: Result<ReadDigest, ErrorInfo>) {
        let (Some(_), OpKind::Read(number)) = (self.ops.remove(&op), op.kind) else { return };
        let adopting = self.adopting.take();
        let digest = match result {
            Ok(digest) => digest,
            Err(error) => {
                // Put back: whether it may go on is decided by looking at the source again.
                if let Some(listed) = adopting {
                    self.adoptable.push_front(listed);
                }
                match error.code {
                    Code::Cancelled => {}
                    Code::SourceChanged => self.doubt_source(),
                    _ => self.source.lost(error),
                }
                return;
            }
        };
        if let Some(listed) = adopting {
            if listed.md5.is_some() && listed.md5 == digest.md5 && self.facts.wish != Wish::Cancel {
                self.todo.remove(&number);
                self.commit_soon(Record::Part { part_number: number, crc64: digest.crc64 });
            }
            return;
        }
        let equal =
            [self.facts.proven.get(&number).copied(), self.facts.hashed.get(&number).map(|hashed| hashed.crc64)]
                .into_iter()
                .flatten()
                .all(|known| known == digest.crc64);
        let mut differs = false;
        if let SourceState::Proving { left, .. } = &mut self.source
            && left.front() == Some(&number)
        {
            left.pop_front();
            differs = !equal;
        }
        if differs {
            self.source = changed("a part that was sent holds other bytes now");
        }
    }
}
