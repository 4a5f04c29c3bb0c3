//! What is true of an upload: the fold of its records, and nothing else. Live and after a restart it is the same.

use super::record::{Ending, Record, RestartReason, UploadRecord, Wait, Wish};
use crate::{
    error::{Code, ErrorInfo},
    hash::Digester,
    model::{Conflict, Identity, OnChange, PartPlan, SortedMap, SortedSet},
    service::{Proof, Session},
};

/// What the digest pass found of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// CRC-64/XZ of the part.
    pub crc64: u64,
    /// SHA-256's state words at its end.
    pub midstate: Option<[u32; 8]>,
}

/// The durable state of one upload.
#[derive(Clone, Debug)]
pub struct Facts {
    /// As asked for.
    pub upload: UploadRecord,
    /// The frozen cut.
    pub plan: Option<PartPlan>,
    /// The source that the proven parts were read from.
    pub identity: Option<Identity>,
    /// The service's session.
    pub session: Option<Session>,
    /// When the service last knew of it, by the phone's clock, where that is kept.
    pub alive_unix_ms: Option<i64>,
    /// Part number to CRC-64 of the proven parts.
    pub proven: SortedMap<u32, u64>,
    /// Their bytes.
    pub bytes_proven: u64,
    /// Parts of which bytes may have left, in any run.
    pub tried: SortedSet<u32>,
    /// Part number to what the digest pass found of it: without a gap from 1.
    pub hashed: SortedMap<u32, Hashed>,
    /// The digest pass, at the end of the last hashed part.
    pub digester: Option<Digester>,
    /// A begin that may have made the object was journalled, and nothing says yet what became of it.
    pub begin_intent: Option<Proof>,
    /// The next begin must not make a second object.
    pub begin_again: bool,
    /// The begin under way, or the next, may make the object under another name: if nobody answers it, nothing tells what it made.
    pub begin_taken: bool,
    /// Of a begin with this content only a look said that it had made nothing.
    pub begin_doubted: bool,
    /// The service's clock at the first begin that may have made an object of this content.
    pub begin_since_unix_ms: Option<i64>,
    /// A complete was journalled and nothing says yet what became of it.
    pub intent: Option<Proof>,
    /// A complete of which only a look said that it had made nothing: it may still be on its way.
    pub doubt: Option<Proof>,
    /// The name is taken and nobody answered yet.
    pub conflict_asked: bool,
    /// When the name is taken.
    pub conflict: Conflict,
    /// When the bytes changed.
    pub on_change: OnChange,
    /// The host's wish.
    pub wish: Wish,
    /// What the operating system sends, by the name of what was handed over: part numbers.
    pub handed_off: SortedMap<String, Vec<u32>>,
    /// What it waits for, as far as nothing that was kept since says otherwise.
    pub wait: Option<Box<Wait>>,
    /// Waits that were kept since anything came of it.
    pub waits_kept: u32,
    /// How often the service's put-together was wrong.
    pub integrity_restarts: u32,
    /// The end.
    pub ending: Option<Ending>,
    /// When it ended, by the phone's clock.
    pub ended_unix_ms: Option<i64>,
}

impl Facts {
    /// The fold. The first record must be the upload itself.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Result<Facts, ErrorInfo> {
        let mut records = records.into_iter();
        let Some(Record::Upload(upload)) = records.next() else {
            return Err(ErrorInfo::new(Code::JournalCorrupt, "the journal does not begin with an upload"));
        };
        let mut facts = Facts {
            conflict: upload.conflict.clone(),
            on_change: upload.on_change,
            session: upload.adopted.clone(),
            upload: *upload,
            plan: None,
            identity: None,
            alive_unix_ms: None,
            proven: SortedMap::new(),
            bytes_proven: 0,
            tried: SortedSet::new(),
            hashed: SortedMap::new(),
            digester: None,
            begin_intent: None,
            begin_again: false,
            begin_taken: false,
            begin_since_unix_ms: None,
            begin_doubted: false,
            intent: None,
            doubt: None,
            conflict_asked: false,
            wish: Wish::Run,
            handed_off: SortedMap::new(),
            wait: None,
            waits_kept: 0,
            integrity_restarts: 0,
            ending: None,
            ended_unix_ms: None,
        };
        for record in records {
            facts.apply(record);
        }
        Ok(facts)
    }

    /// One more record is kept.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Tuned { .. } => {}
            Record::Part { .. } | Record::Hashed { .. } | Record::Session { .. } => {
                (self.wait, self.waits_kept) = (None, 0)
            }
            _ => self.wait = None,
        }
        match record {
            Record::Upload(_) => {}
            Record::Plan { plan, identity } => {
                self.plan = Some(plan);
                self.identity = Some(identity);
            }
            Record::Session { session } => {
                self.session = Some(session);
                self.begin_intent = None;
                self.begin_again = false;
                self.begin_taken = false;
            }
            Record::Alive { unix_ms } => self.alive_unix_ms = Some(unix_ms),
            Record::Hashed { part_number, crc64, midstate, digester } => {
                // Only the next one: a pass has no holes.
                if part_number as usize == self.hashed.len() + 1 {
                    self.hashed.insert(part_number, Hashed { crc64, midstate });
                    self.digester = Some(*digester);
                }
            }
            Record::BeginIntent { proof } => {
                self.begin_since_unix_ms.get_or_insert(proof.service_unix_ms);
                self.begin_intent = Some(proof);
            }
            Record::BeginNo { looked } => {
                self.begin_doubted |= looked;
                self.begin_intent = None;
                self.begin_taken = false;
            }
            Record::BeginTaken => {
                self.begin_taken = true;
                if let Some(proof) = &mut self.begin_intent {
                    proof.conflict = self.conflict.clone();
                }
            }
            Record::BeginRefused => self.begin_taken = false,
            Record::Try { part_number } => {
                self.tried.insert(part_number, ());
            }
            Record::Part { part_number, crc64 } => {
                if let Some(part) = self.plan.and_then(|plan| plan.part(part_number))
                    && self.proven.insert(part_number, crc64).is_none()
                {
                    self.bytes_proven += part.size_bytes;
                }
            }
            Record::Missing { part_numbers } => {
                for part_number in part_numbers {
                    if self.proven.remove(&part_number).is_some() {
                        self.bytes_proven -=
                            self.plan.and_then(|plan| plan.part(part_number)).map_or(0, |part| part.size_bytes);
                    }
                }
            }
            Record::Identity { identity } => self.identity = Some(identity),
            Record::CompleteIntent { proof } => self.intent = Some(proof),
            Record::CompleteNo { looked } => {
                let intent = self.intent.take();
                if looked && intent.is_some() {
                    self.doubt = intent;
                }
            }
            Record::Settled => self.doubt = None,
            Record::ConflictAsked { in_doubt } => {
                self.intent = None;
                if !in_doubt {
                    self.begin_intent = None;
                }
                self.begin_taken = false;
                self.conflict_asked = true;
            }
            Record::Conflict { conflict } => {
                self.conflict = conflict;
                self.conflict_asked = false;
            }
            Record::OnChange { on_change } => self.on_change = on_change,
            Record::Tuned { tuning } => tuning.apply_to(&mut self.upload),
            Record::Waits(wait) => {
                self.wait = Some(wait);
                self.waits_kept = self.waits_kept.saturating_add(1);
            }
            Record::Source { source } => self.upload.source = source,
            Record::HandedOff { item, part_numbers } => {
                self.handed_off.insert(item, part_numbers);
            }
            Record::HandedBack { item } => {
                self.handed_off.remove(&item);
            }
            Record::Wish { wish } => {
                // A cancel is never taken back: what it undid at the service is gone.
                if self.wish != Wish::Cancel {
                    self.wish = wish;
                }
            }
            Record::Restart { why } => {
                self.session = None;
                self.alive_unix_ms = None;
                self.proven.clear();
                self.bytes_proven = 0;
                self.intent = None;
                self.doubt = None;
                self.begin_intent = None;
                self.begin_taken = false;
                self.begin_again = why == RestartReason::Unsettled;
                self.conflict_asked = false;
                if matches!(why, RestartReason::Integrity | RestartReason::Changed) {
                    self.hashed.clear();
                    self.digester = None;
                }
                match why {
                    RestartReason::Integrity => self.integrity_restarts += 1,
                    RestartReason::Changed => {
                        self.plan = None;
                        self.identity = None;
                        self.begin_since_unix_ms = None;
                        self.begin_doubted = false;
                    }
                    RestartReason::SessionGone
                    | RestartReason::Unsettled
                    | RestartReason::LeaseOver
                    | RestartReason::TooOld
                    | RestartReason::Unfit => {}
                }
            }
            Record::Ending { ending, unix_ms } => {
                self.ending = Some(ending);
                self.ended_unix_ms = Some(unix_ms);
            }
        }
    }

    /// What may have made the object, as far as is known.
    pub fn unsettled(&self) -> Option<&Proof> {
        self.intent.as_ref().or(self.begin_intent.as_ref()).or(self.doubt.as_ref())
    }

    /// True when the digest pass has reached the end.
    pub fn all_hashed(&self) -> bool {
        self.plan.is_some_and(|plan| self.hashed.len() == plan.parts_total() as usize)
    }

    /// Bytes that the digest pass has taken.
    pub fn bytes_hashed(&self) -> u64 {
        self.digester.as_ref().map_or(0, Digester::len_bytes)
    }

    /// True when every part of the plan is proven.
    pub fn all_proven(&self) -> bool {
        self.plan.is_some_and(|plan| self.proven.len() == plan.parts_total() as usize)
    }
}
