//! The way between phone and service: a fate is drawn for each request, and a body goes block by block while the file may change under it.

use partway::{
    engine::{Event, OpId, OpKind, ReadDigest},
    error::{Code, ErrorInfo},
    model::{
        Identity,
        http::{Answer, Method, Request, Sent, TransportFault},
    },
};

use super::{
    content::Stretch,
    digest, words,
    world::{Due, Reading, World},
};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Fate {
    Clean,
    Unreached,
    /// Cut after so many blocks, before the service has it.
    Cut {
        blocks: usize,
        reused: bool,
    },
    /// The service has it and answers, and nobody hears it.
    Lost,
    /// Nothing moves; the service may have it.
    Stalled {
        served: bool,
    },
    /// Given up, and served later.
    Late(u64),
    /// Served, and served again later.
    Twice(u64),
    /// Served, and the answer is garbage.
    Garbled,
    /// Answered with an error, after it was done or not.
    Refused {
        answer: Answer,
        done: bool,
    },
    /// Other bytes are stored than were sent; `told`: their checksum says so.
    Damaged {
        told: bool,
    },
}

#[derive(Debug)]
pub struct Flight {
    pub row: usize,
    pub op: OpId,
    pub request: Request,
    pub fate: Fate,
    pub opened: Option<Identity>,
    pub sent: Stretch,
    pub early: Option<Answer>,
    /// Asked to end.
    pub stopped: bool,
    /// The phone knows its end, or is dead.
    pub done: bool,
}

fn error(code: Code) -> ErrorInfo {
    ErrorInfo::new(code, "simulated")
}

impl World {
    pub fn send(&mut self, row: usize, op: OpId, request: Request) {
        let fate = self.fate(row, op, &request);
        self.note(|world| {
            format!("u{row} send {op:?} {} {:?}, {fate:?}", request.method.name(), world.cloud.signature_of(&request))
        });
        self.may_send(row, op, &request);
        self.serial += 1;
        let (flight, host) = (self.serial, request.host().to_owned());
        let opened = self.leaves(row, op, &host, flight);
        let sent = Stretch::default();
        self.flights
            .insert(flight, Flight { row, op, request, fate, opened, sent, early: None, stopped: false, done: false });
        let ms = self.rng.u64(5..80);
        self.after(ms, Due::Block(flight));
    }

    fn fate(&mut self, row: usize, op: OpId, request: &Request) -> Fate {
        let part = matches!(op.kind, OpKind::Part(_));
        let options = self.options.clone();
        if self.phone.as_ref().is_some_and(|phone| phone.online == Some(false)) || self.chance(options.unreached) {
            return Fate::Unreached;
        }
        if self.chance(options.cut) {
            let blocks = request.body.range().map_or(0, |range| range.len.div_ceil(options.block_bytes) as usize);
            return Fate::Cut { blocks: self.rng.usize(0..=blocks), reused: self.rng.bool() };
        }
        if self.chance(options.lost_answer) {
            return Fate::Lost;
        }
        if self.chance(options.stalled) {
            return Fate::Stalled { served: self.rng.bool() };
        }
        if self.chance(options.late) {
            return Fate::Late(self.rng.u64(100..40_000));
        }
        if self.chance(options.duplicated) {
            return Fate::Twice(self.rng.u64(1..20_000));
        }
        if self.chance(options.malformed) {
            return Fate::Garbled;
        }
        if part && self.chance(options.damaged) {
            let tells = self.cloud.stored(&Stretch::default()).headers.len() > 1 && request.method == Method::Put;
            self.oracles.of[row].excuse.rotten |= !tells;
            return Fate::Damaged { told: tells };
        }
        if part && self.chance(options.rotten) {
            self.oracles.of[row].excuse.rotten = true;
            return Fate::Damaged { told: false };
        }
        match self.refusal(row, op) {
            Some((answer, done)) => Fate::Refused { answer, done },
            None => Fate::Clean,
        }
    }

    /// An error of the tables.
    fn refusal(&mut self, row: usize, op: OpId) -> Option<(Answer, bool)> {
        let options = self.options.clone();
        let part = matches!(op.kind, OpKind::Part(_));
        let probe = op.kind == OpKind::Probe;
        let words = self.cloud.refusals();
        if op.kind == OpKind::Complete && self.chance(options.integrity) {
            self.oracles.of[row].excuse.rotten = true;
            return Some((self.cloud.error(words.integrity.0, words.integrity.1), false));
        }
        let (table, done) = if self.chance(options.error_passing) {
            let stale = part && self.rng.u32(0..4) == 0;
            let done = !stale && self.rng.bool();
            let table = match (part, stale) {
                (_, true) => words.storage_stale,
                (true, _) => words.storage_passing,
                (false, _) => words.passing,
            };
            (table, done)
        } else if !part && !probe && self.chance(options.error_stuck) {
            (words.stuck, false)
        } else if !probe && op.kind != OpKind::Discard && self.chance(options.error_gone) {
            self.oracles.of[row].excuse.gone = true;
            (if part { words.storage_gone } else { words.gone }, false)
        } else if !probe && self.chance(options.error_final) {
            self.oracles.of[row].excuse.fatal = true;
            (if part { words.storage_last } else { words.last }, false)
        } else {
            return None;
        };
        let (status, code) = table[self.rng.usize(0..table.len())];
        let mut answer = match (part, code) {
            (_, "") => words::page(status),
            (true, _) => words::storage_error(status, code, "as told"),
            (false, _) => self.cloud.error(status, code),
        };
        if matches!(status, 429 | 503) && self.rng.bool() {
            answer.headers.push(("retry-after".to_owned(), self.rng.u64(0..20).to_string()));
        }
        Some((answer, done))
    }

    fn fail(&mut self, flight: u64, ms: u64, fault: TransportFault) {
        self.after(ms, Due::Deliver { flight, result: Err(fault) });
    }

    fn cut(&mut self, flight: u64, reused: bool) {
        let ms = self.rng.u64(1..3_000);
        self.fail(flight, ms, TransportFault::Cut { error: error(Code::ConnectionCut), reused });
    }

    /// The head, or one block more.
    pub fn block(&mut self, number: u64) {
        let tick = self.tick;
        let Some(flight) = self.flights.get_mut(&number).filter(|flight| !flight.done) else { return };
        let range = flight.request.body.range();
        let sent = flight.sent.len();
        if matches!(flight.fate, Fate::Unreached) {
            return self.fail(number, 1, TransportFault::Unreached(error(Code::ConnectFailed)));
        }
        if sent == 0 && range.is_some() {
            flight.early =
                self.cloud.refuses_early(tick, &flight.request).map(|answer| self.cloud.base().dated(tick, answer));
            let refused = flight.early.clone();
            if let (Some(answer), true) = (refused, flight.request.expect_continue) {
                return self.after(20, Due::Deliver { flight: number, result: Ok(answer) });
            }
            if flight.early.is_some() && self.options.early_refusal_cuts {
                flight.fate = Fate::Cut { blocks: 1, reused: false };
            }
        }
        if let Fate::Cut { blocks, reused } = flight.fate
            && flight.sent.0.len() >= blocks
        {
            return self.cut(number, reused);
        }
        let Some(range) = range.filter(|range| sent < range.len) else {
            let ms = self.rng.u64(5..300);
            return self.after(ms, Due::Serve { flight: number, heard: true });
        };
        let (row, op) = (flight.row, flight.op);
        let same = |flight: &Flight, world: &[super::source::Source]| {
            flight.opened.as_ref().is_some_and(|opened| world[row].identity.same_as(opened))
        };
        let len = self.options.block_bytes.min(range.len - sent);
        let block = self.sources[row].content.range(range.offset + sent, len);
        let whole = sent + len == range.len;
        let unchanged = (sent > 0 && !whole) || same(flight, &self.sources);
        match block {
            Some(block) if unchanged => flight.sent.append(&block),
            _ => return self.fail(number, 1, TransportFault::Source(error(Code::SourceChanged))),
        }
        let bytes = flight.sent.len();
        if !whole && self.rng.bool() {
            self.event(row, Event::Bytes { op, bytes });
        }
        let ms = self.rng.u64(self.options.block_ms / 4..=self.options.block_ms);
        self.after(ms, Due::Block(number));
    }

    /// The service has all of it.
    pub fn serve(&mut self, number: u64, heard: bool) {
        let Some(flight) = self.flights.get(&number) else { return };
        let (fate, row, op, patience) = (flight.fate.clone(), flight.row, flight.op, flight.request.patience_ms);
        let (sent, early) = (flight.sent.clone(), flight.early.clone());
        if !heard {
            self.note(|_| format!("u{row} {op:?} is served, later"));
            let before = self.oracles.of[row].objects;
            self.served(number, &sent, early);
            let of = &mut self.oracles.of[row];
            of.excuse.overtaken |= op.kind == OpKind::Begin && of.objects > before;
            return;
        }
        let ms = self.rng.u64(5..300);
        match fate {
            Fate::Stalled { served } => {
                if served {
                    self.served(number, &sent, early);
                }
                self.fail(number, patience, TransportFault::Stalled(error(Code::Stalled)));
            }
            Fate::Late(later) => {
                self.after(later, Due::Serve { flight: number, heard: false });
                self.cut(number, false);
            }
            Fate::Lost => {
                self.served(number, &sent, early);
                self.cut(number, false);
            }
            Fate::Garbled => {
                let mut answer = self.served(number, &sent, early);
                let result = if self.rng.bool() {
                    Err(TransportFault::Malformed(error(Code::AnswerMalformed)))
                } else {
                    answer =
                        Answer { status: 200, headers: vec![("content-type".into(), "text/html".into())], ..answer };
                    answer.body = b"<html>sign in to the network</html>".to_vec();
                    Ok(answer)
                };
                self.after(ms, Due::Deliver { flight: number, result });
            }
            Fate::Refused { answer, done } => {
                if done {
                    self.served(number, &sent, early);
                }
                let answer = self.cloud.base().dated(self.tick, answer);
                self.after(ms, Due::Deliver { flight: number, result: Ok(answer) });
            }
            Fate::Damaged { told } => {
                let mut other = sent.clone();
                if let Some(block) = other.0.last_mut() {
                    // Its lowest byte, which the shortest block has too.
                    block.id ^= 0x80;
                }
                let mut answer = self.served(number, &other, early);
                if !told && matches!(answer.status, 200 | 204) {
                    answer = self.cloud.base().dated(self.tick, self.cloud.stored(&sent));
                }
                self.after(ms, Due::Deliver { flight: number, result: Ok(answer) });
            }
            Fate::Twice(later) => {
                let answer = self.served(number, &sent, early);
                self.after(later, Due::Serve { flight: number, heard: false });
                self.after(ms, Due::Deliver { flight: number, result: Ok(answer) });
            }
            Fate::Clean | Fate::Unreached | Fate::Cut { .. } => {
                let answer = self.served(number, &sent, early);
                self.after(ms, Due::Deliver { flight: number, result: Ok(answer) });
            }
        }
    }

    fn served(&mut self, number: u64, body: &Stretch, early: Option<Answer>) -> Answer {
        if let Some(early) = early {
            return early;
        }
        let Some(flight) = self.flights.get(&number) else { return Answer::default() };
        let answer = self.cloud.serve(self.tick, &flight.request, body);
        self.check_objects();
        answer
    }

    pub fn deliver(&mut self, number: u64, result: Result<Answer, TransportFault>) {
        let Some(flight) = self.flights.get_mut(&number).filter(|flight| !flight.done) else { return };
        flight.done = true;
        let (row, op, host) = (flight.row, flight.op, flight.request.host().to_owned());
        let sent = Sent { bytes: flight.sent.len(), crc64: flight.sent.crc64() };
        self.note(|_| match &result {
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body);
                format!("u{row} {op:?} answered {} {}", answer.status, body.chars().take(160).collect::<String>())
            }
            Err(fault) => format!("u{row} {op:?} {fault:?}"),
        });
        self.heard(number, &result);
        self.answered(row, &host, Event::Answered { op, result, sent });
    }

    pub fn cancel_flight(&mut self, flight: u64) {
        if let Some(flight) = self.flights.get_mut(&flight) {
            flight.stopped = true;
        }
        let ms = self.rng.u64(1..40);
        self.fail(flight, ms, TransportFault::Cancelled { left: true });
    }

    pub fn read(&mut self, row: usize, op: OpId, read: Reading) {
        let Reading { range, md5, keep, pass } = read;
        let stopped = self.oracles.of[row].stopped_reads.contains(&op);
        let opened = self.opened_as(row);
        let source = &self.sources[row];
        let same = opened.is_some_and(|opened| source.identity.same_as(&opened));
        let few = keep.then(|| source.content.bytes(range.offset, range.len)).flatten();
        let bytes = if keep { Some(Stretch::default()) } else { source.content.range(range.offset, range.len) };
        let result = match bytes {
            _ if stopped => Err(error(Code::Cancelled)),
            Some(bytes) if same => Ok(ReadDigest {
                crc64: bytes.crc64(),
                md5: md5.then(|| bytes.md5()),
                bytes: few,
                digester: pass.map(|pass| Box::new(digest::advance(&pass, &bytes))),
            }),
            _ => Err(error(Code::SourceChanged)),
        };
        self.event(row, Event::Read { op, result });
    }
}
