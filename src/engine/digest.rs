//! The digest pass: one, sequential, journalled part by part, ahead of sending.
//!
//! Where a service signs parts with the digest's state at their first byte, a part's link is asked for as soon as that state is known, and parts go out
//! while hashing stays a bounded stretch ahead. Where a whole digest may make sending needless, it comes first, if that is wanted or quick.

use super::{
    OpId, OpKind, ReadDigest, Record, Slots, Step, Work,
    machine::{Machine, Why, planned},
    view::Phase,
};
use crate::{
    error::{Code, ErrorInfo},
    hash::{CHAIN_BLOCK_BYTES, Digester, Wants, combine},
    model::{Conflict, ConflictChoice, InstantMode, Now, Part, Receipt, Tick, http::ByteRange},
    service::{Content, DigestKind, Proof},
};

/// Hashing stays this close to the next part to send.
const AHEAD_BYTES_MAX: u64 = 64 << 20;
/// `auto` hashes first only while that takes no longer.
const QUICK_MS: u64 = 3_000;
/// What a device is taken to hash in a millisecond until it was measured.
const ASSUMED_BYTES_PER_MS: u64 = 200_000;

/// The digest pass of this run.
#[derive(Debug, Default)]
pub(super) struct DigestState {
    /// The service does not know the content, or need not be asked: bytes are sent.
    pub(super) missed: bool,
    /// The service has seen the beginning: it wants the whole.
    pub(super) wanted: bool,
    /// SHA-256 of the chain's first block, lower-case hex. Read for the question alone, and not kept: a miss must not cost a part's worth of reading.
    beginning: Option<String>,
    /// Bytes hashed in this run, and how long that took.
    bytes: u64,
    ms: u64,
    started: Tick,
    /// The bytes that prove that we hold the content, for a generation of the credential.
    pub(super) proof: Option<(u64, Vec<u8>)>,
}

impl Machine {
    /// The kind of digest that this upload computes, if any.
    fn digest_kind(&self) -> Option<DigestKind> {
        let capabilities = self.service.capabilities();
        let instant = self.facts.upload.instant != InstantMode::Off;
        capabilities.digest.filter(|_| capabilities.midstates || instant)
    }

    /// What lies under the name is kept if it is the same: only the digest tells the service (koodrive §3.3).
    pub(super) fn keeps_same(&self) -> bool {
        let choices = self.service.capabilities().conflict_choices;
        self.facts.conflict == Conflict::KeepIfSame && choices.contains(&ConflictChoice::KeepIfSame)
    }

    /// Begins say the digest, as long as it is of any use.
    fn offers_content(&self) -> bool {
        self.keeps_same() || self.facts.upload.instant != InstantMode::Off
    }

    /// The rung before a begin: is there a digest to be had first? `Ok(None)`: no, begin with what is known.
    pub(super) fn hash_first(&mut self, now: Now, slots: &mut Slots) -> Result<Option<Step>, Why> {
        let (Some(kind), Some(plan)) = (self.digest_kind(), self.facts.plan) else { return Ok(None) };
        let instant = self.facts.upload.instant;
        if !self.offers_content() || self.digest.missed || self.facts.all_hashed() {
            return Ok(None);
        }
        // The chain's first block is worth asking about before the rest is read (smh §9.2).
        let beginning = kind == DigestKind::Chain && !self.digest.wanted;
        if kind == DigestKind::Chain && plan.size_bytes < CHAIN_BLOCK_BYTES {
            return Ok(None);
        }
        if beginning {
            return self.read_beginning(now, slots);
        }
        if instant == InstantMode::Auto && !self.keeps_same() && !self.quick(plan.size_bytes) {
            self.digest.missed = true;
            return Ok(None);
        }
        match self.hash_next(now, slots, u64::MAX) {
            Some(step) => Ok(Some(step)),
            None => Err(Why::Working(Phase::Hashing)),
        }
    }

    /// The first block alone, unless the pass or an earlier read has it.
    fn read_beginning(&mut self, now: Now, slots: &mut Slots) -> Result<Option<Step>, Why> {
        if self.digest.beginning.is_some() || !self.facts.hashed.is_empty() {
            return Ok(None);
        }
        if self.in_flight(OpKind::Beginning) || slots.reads == 0 {
            return Err(Why::Working(Phase::Hashing));
        }
        let Ok(digester) = Digester::new(self.wants()) else { return Ok(None) };
        slots.reads -= 1;
        let range = ByteRange { offset: 0, len: CHAIN_BLOCK_BYTES };
        Ok(Some(Step::Start {
            op: self.begin_op(now, OpKind::Beginning),
            work: Work::Hash { range, digester: Box::new(digester) },
        }))
    }

    pub(super) fn on_beginning(&mut self, op: OpId, result: Result<ReadDigest, ErrorInfo>) {
        if self.ops.remove(&op).is_none() {
            return;
        }
        match result {
            Ok(digest) => self.digest.beginning = digest.digester.and_then(|digester| digester.beginning_hash()),
            Err(error) => self.source_failed(error),
        }
    }

    /// True while hashing all of it takes no longer than is worth waiting for.
    fn quick(&self, size_bytes: u64) -> bool {
        let rate = if self.digest.ms >= 20 { self.digest.bytes / self.digest.ms } else { ASSUMED_BYTES_PER_MS };
        let left = size_bytes.saturating_sub(self.facts.bytes_hashed());
        self.digest.ms + left / rate.max(1) <= QUICK_MS
    }

    /// True when all of the content is hashed before the end, whatever else is asked for.
    pub(super) fn hashes_all(&self) -> bool {
        self.service.capabilities().midstates || self.facts.upload.verify_source
    }

    /// While parts are sent: keeps the pass ahead of them.
    pub(super) fn hash_ahead(&mut self, now: Now, slots: &mut Slots) -> Option<Step> {
        if !self.hashes_all() {
            return None;
        }
        let next_to_send = self.todo.first().and_then(|(number, ())| planned(self.facts.plan, *number));
        let up_to = next_to_send.map_or(u64::MAX, |part| part.offset + AHEAD_BYTES_MAX);
        self.hash_next(now, slots, up_to)
    }

    /// Takes the next part into the pass, if it ends within `up_to`.
    fn hash_next(&mut self, now: Now, slots: &mut Slots, up_to: u64) -> Option<Step> {
        let committing = self
            .commits
            .iter()
            .map(|(_, record)| record)
            .chain(&self.failed_commits)
            .any(|record| matches!(record, Record::Hashed { .. }));
        if committing
            || self.facts.all_hashed()
            || slots.reads == 0
            || self.ops.keys().any(|op| matches!(op.kind, OpKind::Hash(_)))
        {
            return None;
        }
        let part = planned(self.facts.plan, self.facts.hashed.len() as u32 + 1)?;
        // The one part that is larger than the bound goes alone.
        if part.end() > up_to && part.offset + part.size_bytes.min(AHEAD_BYTES_MAX) > up_to {
            return None;
        }
        let digester = match self.facts.digester.clone() {
            Some(digester) => digester,
            None => Digester::new(self.wants()).ok()?,
        };
        slots.reads -= 1;
        self.digest.started = now.tick;
        let range = ByteRange { offset: part.offset, len: part.size_bytes };
        Some(Step::Start {
            op: self.begin_op(now, OpKind::Hash(part.part_number)),
            work: Work::Hash { range, digester: Box::new(digester) },
        })
    }

    fn wants(&self) -> Wants {
        match self.digest_kind() {
            Some(DigestKind::Sha256) => Wants { sha256: true, pre_hash: true, ..Wants::default() },
            Some(DigestKind::Chain) => Wants { chain: true, ..Wants::default() },
            None => Wants::default(),
        }
    }

    pub(super) fn on_hashed(&mut self, now: Now, op: OpId, result: Result<ReadDigest, ErrorInfo>) {
        let (Some(_), OpKind::Hash(part_number)) = (self.ops.remove(&op), op.kind) else { return };
        match result {
            Ok(ReadDigest { crc64, digester: Some(digester), .. }) => {
                self.source_was_read();
                self.digest.ms += now.tick.since_ms(self.digest.started);
                self.digest.bytes += planned(self.facts.plan, part_number).map_or(0, |part| part.size_bytes);
                self.commit_soon(Record::Hashed { part_number, crc64, midstate: digester.midstate(), digester });
            }
            Ok(_) => {}
            Err(error) => self.source_failed(error),
        }
    }

    /// The proof bytes for the credential in hand, or a step to read them.
    pub(super) fn proof_bytes(&mut self, now: Now, slots: &mut Slots) -> Result<Option<Step>, Why> {
        let (Some(plan), Some(credential)) = (self.facts.plan, self.credential.value.clone()) else { return Ok(None) };
        let Some(range) = self.service.proof_range(self.caller(&credential, now), &plan) else { return Ok(None) };
        if self.digest.proof.as_ref().is_some_and(|(generation, _)| *generation == self.credential.generation) {
            return Ok(None);
        }
        if self.in_flight(OpKind::Proof) || slots.reads == 0 {
            return Err(Why::Working(Phase::Starting));
        }
        slots.reads -= 1;
        Ok(Some(Step::Start {
            op: self.begin_op(now, OpKind::Proof),
            work: Work::Read { range, md5: false, keep: true },
        }))
    }

    pub(super) fn on_proof(&mut self, op: OpId, result: Result<ReadDigest, ErrorInfo>) {
        let Some(state) = self.ops.remove(&op) else { return };
        match result {
            Ok(digest) => self.digest.proof = digest.bytes.map(|bytes| (state.credential_generation, bytes)),
            Err(error) => self.source_failed(error),
        }
    }

    /// A read of the source failed: what that means is found out by looking at it again.
    pub(super) fn source_failed(&mut self, error: ErrorInfo) {
        match error.code {
            Code::Cancelled => {}
            Code::SourceChanged => self.doubt_source(),
            _ => self.source.lost(error),
        }
    }

    /// True when a begin asks whether the service knows the content.
    pub(super) fn asks_for_content(&self) -> bool {
        let content = self.content();
        content.beginning_hash.is_some() || carries_whole(&content)
    }

    /// True when the beginning that was offered is all of the file, and this is of it: then a service may have it before it is offered the whole.
    pub(super) fn beginning_is_all(&self, receipt: &Receipt) -> bool {
        let all = self.facts.plan.is_some_and(|plan| plan.size_bytes == CHAIN_BLOCK_BYTES);
        all && receipt.size_bytes == CHAIN_BLOCK_BYTES && self.content().beginning_hash.is_some()
    }

    /// What a begin can say of the content.
    pub(super) fn content(&self) -> Content {
        let mut content = Content::default();
        let said =
            self.facts.begin_again || self.facts.begin_intent.is_some() || self.offers_content() && !self.digest.missed;
        content.beginning_hash = self.digest.beginning.clone().filter(|_| said);
        if let Some(digester) = self.facts.digester.clone().filter(|_| said) {
            content.beginning_hash = digester.beginning_hash();
            // SMH is asked with the beginning first, and told the whole once it wants it (smh §9.2, §17.12).
            let asked = content.beginning_hash.is_none() || self.digest.wanted || self.facts.begin_intent.is_some();
            if self.facts.all_hashed() && asked {
                let digests = digester.finish();
                (content.full_hash, content.sha256, content.pre_hash) =
                    (digests.full_hash, digests.sha256, digests.pre_hash);
                content.proof = self
                    .digest
                    .proof
                    .as_ref()
                    .filter(|(generation, _)| *generation == self.credential.generation)
                    .map(|(_, bytes)| bytes.clone());
            }
        }
        content.parts_named_max = self.parts_named_max;
        let most = self.service.capabilities().sign_parts_max;
        let first = self.facts.plan.into_iter().flat_map(|plan| plan.parts().take(most));
        self.with_midstates(content, first)
    }

    /// The same with the midstates of these parts.
    pub(super) fn with_midstates(&self, mut content: Content, parts: impl IntoIterator<Item = Part>) -> Content {
        for part in parts {
            if let Some(midstate) = part
                .part_number
                .checked_sub(1)
                .and_then(|before| self.facts.hashed.get(&before))
                .and_then(|hashed| hashed.midstate)
            {
                content.midstates.insert(part.part_number, midstate);
            }
        }
        content
    }

    /// True when a part's link can be asked for: all before it is hashed, where that matters.
    pub(super) fn may_sign(&self, part_number: u32) -> bool {
        !self.service.capabilities().midstates || part_number == 1 || self.facts.hashed.contains_key(&(part_number - 1))
    }

    /// What a begin with the whole digest would make.
    pub(super) fn begin_proof(&self, now: Now, content: &Content) -> Option<Proof> {
        let plan = self.facts.plan?;
        let crc64 = plan.parts().try_fold(0, |whole, part| {
            Some(combine(whole, self.facts.hashed.get(&part.part_number)?.crc64, part.size_bytes))
        })?;
        let service_unix_ms = self.facts.begin_since_unix_ms.unwrap_or_else(|| self.clock.unix_ms(now));
        // It makes the object under its own name or not at all.
        let conflict = match &self.facts.conflict {
            Conflict::Rename => Conflict::Ask,
            other => other.clone(),
        };
        Some(Proof { size_bytes: plan.size_bytes, crc64, sha256: content.sha256.clone(), conflict, service_unix_ms })
    }

    /// SHA-256 of the whole, once the pass is through.
    pub(super) fn whole_sha256(&self) -> Option<String> {
        self.facts.digester.clone().filter(|_| self.facts.all_hashed()).and_then(|digester| digester.finish().sha256)
    }

    /// A part whose bytes as sent are not those that were hashed.
    pub(super) fn sent_unlike_hashed(&self) -> Option<u32> {
        self.facts
            .proven
            .iter()
            .find(|(number, sent)| self.facts.hashed.get(number).is_some_and(|hashed| hashed.crc64 != **sent))
            .map(|(number, _)| *number)
    }
}

/// True when the content says enough for a begin to make the object.
pub(super) fn carries_whole(content: &Content) -> bool {
    content.sha256.is_some() || content.full_hash.is_some()
}
