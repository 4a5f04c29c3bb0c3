//! The answers of the service and of its storage.

use crate::{
    model::{
        PartPlan, Receipt, SmhMode,
        http::{Answer, Sent},
    },
    redact,
    service::{
        Begin, Complete, Fault, Inspected, Lease, Proof, RemoteTask, Stored, check, iso8601, json,
        smh::{
            document::{Document, Path},
            fault::{self, WORDS},
            learnt::Numbers,
            lease,
            place::Place,
            request::SIGN_PARTS_MAX,
            session::{self, Deployment, Mode, Task},
        },
        verdict::Op,
    },
};

/// Longest answer that is kept whole in a receipt.
const SERVICE_JSON_BYTES_MAX: usize = 64 << 10;

/// The object in an answer with a good status; a failure that hides inside one (smh §11.1) is a fault.
fn document(op: Op, answer: &Answer) -> Result<Document, Fault> {
    if !(200..=299).contains(&answer.status) {
        return Err(fault::of_service(op, answer));
    }
    let document: Document =
        json::read(&answer.body).ok_or_else(|| WORDS.malformed(op, answer, "it is no JSON object of the kind"))?;
    match document.status.i64() {
        None | Some(0) => Ok(document),
        Some(_) => Err(fault::of_document(op, answer, &document)),
    }
}

/// An answer whose words don't matter: none (smh §8), or an object that names no failure. A page of some portal in between is neither.
fn bare(op: Op, answer: &Answer) -> Result<(), Fault> {
    if (200..=299).contains(&answer.status) && answer.body.trim_ascii().is_empty() && !check::is_web_page(answer) {
        return Ok(());
    }
    let document = document(op, answer)?;
    match document.code.text() {
        None => Ok(()),
        Some(_) => Err(fault::of_document(op, answer, &document)),
    }
}

/// What an answer without its expected fields is: a failure with a code, or nothing known.
fn unexpected(op: Op, answer: &Answer, document: &Document, why: &str) -> Fault {
    match document.code.text() {
        Some(_) => fault::of_document(op, answer, document),
        None => WORDS.malformed(op, answer, why),
    }
}

/// The receipt in a file object (smh §7.3); `None` when it is none. `size_bytes` stands in for a size that is not told.
fn receipt(document: &Document, answer: &Answer, size_bytes: Option<u64>) -> Option<Receipt> {
    let path = match &document.path {
        Path::File(path) => Some(path.clone()),
        Path::None => None,
        Path::Object(_) => return None,
    };
    let last = path.as_ref().and_then(|path| path.last());
    let name = document.name.text().or(last.map(String::as_str))?.to_owned();
    let ids = [&document.request_id, &document.smh_request_id].into_iter().filter_map(|id| id.text());
    Some(Receipt {
        name,
        size_bytes: document.size.u64().or(size_bytes)?,
        crc64: document.crc64.u64().map(|crc64| crc64.to_string()),
        file_id: document.inode.text().map(str::to_owned),
        version: document.content_cas.text().map(str::to_owned),
        overwritten: document.is_overwritten.bool().unwrap_or(false),
        request_id: WORDS.request_id(answer, ids),
        service_json: std::str::from_utf8(&answer.body)
            .ok()
            .filter(|text| text.len() <= SERVICE_JSON_BYTES_MAX)
            .map(str::to_owned),
        path,
        ..Receipt::default()
    })
}

/// How the bytes are to travel, by what a start was answered with (smh §2, §3.1, §3.2); where that does not tell, as it was asked for.
fn mode(document: &Document, wanted: SmhMode) -> Mode {
    if document.form.0.is_some() {
        return Mode::Form;
    }
    let lacks_upload_id = document.upload_id.text().is_none();
    match (lacks_upload_id && document.headers.0.is_some(), wanted) {
        (true, SmhMode::Auto | SmhMode::Simple) => Mode::Simple,
        (false, SmhMode::Simple) if lacks_upload_id => Mode::Simple,
        (_, SmhMode::Form) if lacks_upload_id => Mode::Form,
        _ => Mode::Multipart,
    }
}

/// What an answer with parts shows of the deployment (smh §0.2).
fn deployment(document: &Document) -> Option<Deployment> {
    match (document.parts.signed.is_empty(), document.headers.0.is_some()) {
        (false, _) => Some(Deployment::Private),
        (true, true) => Some(Deployment::Public),
        (true, false) => None,
    }
}

impl Place {
    /// 200 or 201 is decided by the body (smh §1.5).
    pub(super) fn read_begin(&self, answer: &Answer) -> Result<Begin, Fault> {
        if answer.status == 202 {
            return Ok(Begin::NeedDigest);
        }
        let document = document(Op::Begin, answer).map_err(|fault| self.other_words(Op::Begin, fault))?;
        let Some(confirm_key) = document.confirm_key.text() else {
            return match receipt(&document, answer, None) {
                Some(receipt) => Ok(Begin::Done(Receipt { instant: true, ..receipt })),
                None => Err(unexpected(Op::Begin, answer, &document, "it is neither a task nor a file")),
            };
        };
        if !session::is_confirm_key(confirm_key) {
            return Err(WORDS.malformed(Op::Begin, answer, "the confirm key is none"));
        }
        let mode = mode(&document, self.target.mode);
        let deployment = deployment(&document).filter(|_| mode == Mode::Multipart);
        let said = self.learnt.numbers().filter(|_| deployment == Some(Deployment::Private));
        let numbers = said.unwrap_or(Numbers::Text);
        let task = Task { confirm_key: confirm_key.to_owned(), mode, deployment, numbers };
        let lease = match mode {
            // It named the first ones, if any.
            Mode::Multipart => lease::read(&document, self.scheme, None, |number| number as usize <= SIGN_PARTS_MAX),
            Mode::Simple => lease::read_simple(&document, self.scheme),
            Mode::Form => lease::read_form(&document, self.scheme),
        };
        let lease = lease.map_err(|why| WORDS.malformed(Op::Begin, answer, why))?;
        Ok(Begin::Session { session: task.to_session(), lease })
    }

    /// The service refused the words of a request: where it may be another deployment than it seemed, the next try says others (smh §17.5, §17.6).
    fn other_words(&self, op: Op, fault: Fault) -> Fault {
        let names_parts = op != Op::Inspect;
        match fault {
            Fault::Final(error)
                if error.service_code.as_deref() == Some("ParamInvalid") && self.learnt.refused(names_parts) =>
            {
                Fault::Retry(error)
            }
            fault => fault,
        }
    }

    /// That it exists already is success (smh §1.3).
    pub(super) fn read_create_parent(&self, answer: &Answer) -> Result<(), Fault> {
        match bare(Op::CreateParent, answer) {
            Err(fault) if fault.error().service_code.as_deref() == Some("SameNameDirectoryOrFileExists") => Ok(()),
            outcome => outcome,
        }
    }

    /// smh §5.
    pub(super) fn read_sign(&self, part_numbers: &[u32], answer: &Answer) -> Result<Lease, Fault> {
        let document = document(Op::Sign, answer).map_err(|fault| self.other_words(Op::Sign, fault))?;
        lease::read(&document, self.scheme, None, |number| part_numbers.contains(&number))
            .map_err(|why| WORDS.malformed(Op::Sign, answer, why))?
            .ok_or_else(|| unexpected(Op::Sign, answer, &document, "there is no signed link in it"))
    }

    /// smh §6.
    pub(super) fn read_inspect(&self, plan: &PartPlan, answer: &Answer) -> Result<Inspected, Fault> {
        let document = document(Op::Inspect, answer).map_err(|fault| self.other_words(Op::Inspect, fault))?;
        match document.confirmed.bool() {
            Some(true) => Ok(Inspected::Done(self.confirmed(document, answer, plan))),
            Some(false) => {
                let lease = match &document.upload_part_info.0 {
                    // An inspection names no part.
                    Some(info) => lease::read(info, self.scheme, document.upload_id.text(), |_| false)
                        .map_err(|why| WORDS.malformed(Op::Inspect, answer, why))?,
                    None => None,
                };
                Ok(Inspected::Open {
                    parts: Some(document.parts.listed.into_iter().map(|(_, part)| part).collect()),
                    lease,
                })
            }
            None => Err(unexpected(Op::Inspect, answer, &document, "it does not say whether the task is confirmed")),
        }
    }

    /// smh §6, for people.
    pub(super) fn read_task(&self, answer: &Answer) -> Result<RemoteTask, Fault> {
        let document = document(Op::Inspect, answer).map_err(|fault| self.other_words(Op::Inspect, fault))?;
        let Some(complete) = document.confirmed.bool() else {
            return Err(unexpected(Op::Inspect, answer, &document, "it does not say whether the task is confirmed"));
        };
        let lists = document.upload_id.text().is_some() || !document.parts.listed.is_empty();
        Ok(RemoteTask {
            complete: Some(complete),
            created_unix_ms: document.creation_time.text().and_then(iso8601::parse),
            kind: document.kind.text().and_then(redact::label),
            conflict_strategy: document.conflict_resolution_strategy.text().and_then(redact::label),
            parts: lists.then(|| document.parts.listed.into_iter().map(|(_, part)| part).collect()),
            path: match document.path {
                Path::File(path) => Some(path),
                Path::Object(_) | Path::None => None,
            },
            request_id: WORDS.request_id(answer, []),
            ..RemoteTask::default()
        })
    }

    /// The receipt of a task that was confirmed: it tells the path, not what lies there.
    fn confirmed(&self, document: Document, answer: &Answer, plan: &PartPlan) -> Receipt {
        let path = match document.path {
            Path::File(path) if !path.is_empty() => Some(path),
            _ => None,
        };
        let name = path.as_ref().and_then(|path| path.last()).unwrap_or(&self.name).clone();
        let request_id = WORDS.request_id(answer, []);
        Receipt { name, path, size_bytes: plan.size_bytes, request_id, ..Receipt::default() }
    }

    /// smh §7.3, §7.5. A lost or unreadable answer leaves the outcome open.
    pub(super) fn read_complete(&self, proof: &Proof, answer: &Answer) -> Result<Complete, Fault> {
        let told = match document(Op::Complete, answer) {
            Ok(document) => match receipt(&document, answer, Some(proof.size_bytes)) {
                Some(receipt) => return Ok(Complete::Done(receipt)),
                None => unexpected(Op::Complete, answer, &document, "it is no file"),
            },
            Err(fault) => fault,
        };
        told.error().service_code.as_deref().and_then(of_complete).ok_or(told)
    }

    /// 404 is as good as gone, and so is a task that was completed: its file stays (smh §8).
    pub(super) fn read_abort(&self, answer: &Answer) -> Result<(), Fault> {
        match bare(Op::Abort, answer) {
            Err(Fault::SessionGone(_)) => Ok(()),
            Err(_) if answer.status == 404 && !check::is_web_page(answer) => Ok(()),
            outcome => outcome,
        }
    }
}

/// What only complete can be told (smh §7.5): by code, for their statuses differ between sources.
fn of_complete(code: &str) -> Option<Complete> {
    match code {
        "SameNameDirectoryOrFileExists" => Some(Complete::Conflict),
        "UploadComplete" => Some(Complete::Already),
        "UploadIncomplete" | "MultipartUploadIncomplete" | "CosObjectNonexistent" => Some(Complete::Incomplete),
        "BadCrc64" => Some(Complete::IntegrityFailed),
        _ => None,
    }
}

/// smh §4.2.
pub(super) fn read_put(answer: &Answer, sent: &Sent) -> Result<Stored, Fault> {
    if !matches!(answer.status, 200 | 201 | 204) {
        return Err(WORDS.of_storage(answer));
    }
    if check::is_web_page(answer) {
        return Err(WORDS.malformed(Op::Put, answer, "it is a web page"));
    }
    let digits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let crc64 = answer.header("x-cos-hash-crc64ecma").map(str::trim).filter(digits).and_then(|text| text.parse().ok());
    if crc64.is_some_and(|crc64| crc64 != sent.crc64) {
        return Err(fault::damaged(answer));
    }
    let etag = answer.header("etag").and_then(|etag| redact::label(etag.trim().trim_matches('"')));
    Ok(Stored { crc64, etag })
}
