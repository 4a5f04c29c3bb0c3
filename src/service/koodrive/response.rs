//! The answers of the service and of its storage. None is kept whole in a receipt: signed links may stand in them.

use crate::{
    error::Code,
    model::{Receipt, http::Answer},
    redact,
    service::{
        Begin, Complete, Fault, Inspected, Lease, Offer, Proof, RemoteTask, Stored, check, iso8601,
        koodrive::{
            document::Document,
            fault::{self, WORDS},
            lease,
            place::Place,
            request::{SIGN_PARTS_MAX, keeps_name},
            session::{self, Upload},
        },
        verdict::{Op, Verdict},
    },
};

/// Longest name or id of a space, in bytes, that is taken from an answer.
const WORD_BYTES_MAX: usize = 1_024;
/// What detail answers of a file that is not there (koodrive §9).
const NOT_THERE: &[&str] = &["13000302", "13000309", "13000401", "13000411"];

/// The object in an answer with a good status; a failure that hides inside one (koodrive §9) is a fault.
fn document(op: Op, answer: &Answer) -> Result<Document, Fault> {
    let document = Document::read(&answer.body);
    if !(200..=299).contains(&answer.status) {
        return Err(fault::of_document(op, answer, &document.unwrap_or_default()));
    }
    let document = document.ok_or_else(|| WORDS.malformed(op, answer, "it is no JSON object of the kind"))?;
    match document.succeeded() {
        None | Some(true) => Ok(document),
        Some(false) => Err(fault::of_document(op, answer, &document)),
    }
}

/// A text of an answer, if it is of an honest length.
fn word(text: Option<&str>) -> Option<String> {
    text.filter(|text| text.len() <= WORD_BYTES_MAX).map(str::to_owned)
}

/// The file's id, if it can be one.
fn file_id(text: Option<&str>) -> Option<String> {
    text.filter(|id| session::is_file_id(id)).map(str::to_owned)
}

impl Place {
    /// koodrive §3.2. What the create said of the content is not repeated by the answer to an instant upload, and without it there is none.
    pub(super) fn read_begin(&self, offer: Offer<'_>, answer: &Answer) -> Result<Begin, Fault> {
        let document = document(Op::Begin, answer)?;
        let file_name = word(document.file_name.text()).unwrap_or_else(|| self.target.name.clone());
        let file_id = file_id(document.file_id.text());
        let (made, there) = (document.rapid_upload.bool() == Some(true), document.exist.bool() == Some(true));
        if made || there {
            // Only a create that may keep what is there is told that it is.
            let believed = offer.proof.filter(|_| made || offer.taken);
            let why = "it says that the file is there, and none was offered that could be";
            let proof = believed.ok_or_else(|| WORDS.malformed(Op::Begin, answer, why))?;
            let renamed = file_name != self.target.name && !there;
            let receipt = Receipt {
                name: file_name,
                file_id,
                size_bytes: proof.size_bytes,
                sha256: proof.sha256.clone(),
                instant: true,
                request_id: WORDS.request_id(answer, []),
                ..Receipt::default()
            };
            return Ok(if renamed { Begin::Renamed(receipt) } else { Begin::Done(receipt) });
        }
        let file_id =
            file_id.ok_or_else(|| WORDS.malformed(Op::Begin, answer, "it holds neither a file nor a file's id"))?;
        // Nothing is made of it yet: it is left, and whoever asked is asked (koodrive §3.3).
        if file_name != self.target.name && offer.conflict.is_some_and(keeps_name) {
            let detail = "KooDrive began the file under another name than was asked for".to_owned();
            return Err(WORDS.fault_as(Verdict::Ask(Code::NameConflict), Op::Begin, answer, detail));
        }
        let container_id = word(document.container_id.text());
        let upload = Upload { file_id, file_name, container_id, declared: offer.proof.is_some() };
        // It named the first ones, if any.
        let named = |number| number as usize <= SIGN_PARTS_MAX;
        let lease = lease::read(document.multi_parts.0, self.scheme, named)
            .map_err(|why| WORDS.malformed(Op::Begin, answer, why))?;
        Ok(Begin::Session { session: upload.to_session(), lease })
    }

    /// koodrive §4.
    pub(super) fn read_sign(&self, part_numbers: &[u32], answer: &Answer) -> Result<Lease, Fault> {
        lease::read(document(Op::Sign, answer)?.multi_parts.0, self.scheme, |number| part_numbers.contains(&number))
            .and_then(|lease| lease.ok_or("there is no signed link in it"))
            .map_err(|why| WORDS.malformed(Op::Sign, answer, why))
    }

    /// koodrive §6. A lost or unreadable answer leaves the outcome open. The answer names nothing: `upload` does.
    pub(super) fn read_complete(
        &self,
        upload: Option<&Upload>,
        proof: &Proof,
        answer: &Answer,
    ) -> Result<Complete, Fault> {
        let fault = match document(Op::Complete, answer) {
            Ok(document) if document.succeeded() == Some(true) => {
                let name = upload.map(|upload| &upload.file_name).unwrap_or(&self.target.name).clone();
                return Ok(Complete::Done(Receipt {
                    name,
                    file_id: upload.map(|upload| upload.file_id.clone()),
                    size_bytes: proof.size_bytes,
                    sha256: proof.sha256.clone(),
                    request_id: WORDS.request_id(answer, []),
                    ..Receipt::default()
                }));
            }
            Ok(_) => WORDS.malformed(Op::Complete, answer, "it does not say whether it succeeded"),
            Err(fault) => fault,
        };
        fault.error().service_code.as_deref().and_then(of_complete).ok_or(fault)
    }
}

/// What only complete can be told (koodrive §9). A failed upload restarts once, as one that was put together wrongly does.
fn of_complete(code: &str) -> Option<Complete> {
    match code {
        // Done before, or forgotten: only detail tells.
        "13000401" => Some(Complete::Already),
        "13000402" | "13000409" => Some(Complete::IntegrityFailed),
        _ => None,
    }
}

/// How much of `proof` the detail of a file shows.
enum Likeness {
    Same,
    /// The size, and nothing that differs.
    SameSize,
    Other,
    Untold,
}

fn likeness(document: &Document, proof: &Proof) -> Likeness {
    let size = document.size.u64().map(|size| size == proof.size_bytes);
    let sha256 = document.sha256.text().zip(proof.sha256.as_deref());
    let sha256 = sha256.map(|(theirs, ours)| theirs.eq_ignore_ascii_case(ours));
    match (size, sha256) {
        (Some(false), _) | (_, Some(false)) => Likeness::Other,
        (Some(true), Some(true)) => Likeness::Same,
        (Some(true), None) => Likeness::SameSize,
        (None, _) => Likeness::Untold,
    }
}

/// The file is not there: no code of a service that says so, no gateway that stands in for it. A page knows of no file.
fn is_absent(fault: &Fault, answer: &Answer) -> bool {
    match fault.error().service_code.as_deref() {
        Some(code) => NOT_THERE.contains(&code) || answer.status == 404 && !fault::is_known(code),
        None => answer.status == 404 && !check::is_web_page(answer),
    }
}

/// koodrive §7, for people. A file that is not there was not completed; of one that is there nothing says whether it was.
pub(super) fn read_task(upload: &Upload, answer: &Answer) -> Result<RemoteTask, Fault> {
    let request_id = WORDS.request_id(answer, []);
    let document = match document(Op::Inspect, answer) {
        Ok(document) => document,
        Err(fault) if is_absent(&fault, answer) => {
            return Ok(RemoteTask { complete: Some(false), request_id, ..RemoteTask::default() });
        }
        Err(fault) => return Err(fault),
    };
    Ok(RemoteTask {
        created_unix_ms: document.created_time.text().and_then(iso8601::parse),
        kind: document.file_type.text().and_then(redact::label),
        path: Some(vec![word(document.file_name.text()).unwrap_or_else(|| upload.file_name.clone())]),
        size_bytes: document.size.u64(),
        sha256: document.sha256.text().and_then(redact::label).map(|sha256| sha256.to_ascii_lowercase()),
        request_id,
        ..RemoteTask::default()
    })
}

/// koodrive §7. Only a complete makes the object, so without the proof of one it is open.
pub(super) fn read_inspect(upload: &Upload, proof: Option<&Proof>, answer: &Answer) -> Result<Inspected, Fault> {
    let open = Inspected::Open { parts: None, lease: None };
    let document = match document(Op::Inspect, answer) {
        Ok(document) => document,
        Err(fault) => return if is_absent(&fault, answer) { Ok(open) } else { Err(fault) },
    };
    let Some(proof) = proof else { return Ok(open) };
    match likeness(&document, proof) {
        like @ (Likeness::Same | Likeness::SameSize) => {
            let receipt = Receipt {
                name: word(document.file_name.text()).unwrap_or_else(|| upload.file_name.clone()),
                file_id: file_id(document.id.text()).or_else(|| Some(upload.file_id.clone())),
                size_bytes: proof.size_bytes,
                sha256: proof.sha256.clone(),
                request_id: WORDS.request_id(answer, []),
                ..Receipt::default()
            };
            // What create declared may be shown before the file is there, or its size alone.
            let certain = matches!(like, Likeness::Same) && !upload.declared;
            Ok(if certain { Inspected::Done(receipt) } else { Inspected::Likely(receipt) })
        }
        Likeness::Other => Ok(open),
        Likeness::Untold => Err(WORDS.malformed(Op::Inspect, answer, "it does not tell the file's size and digest")),
    }
}

/// koodrive §5. The tag is for people: complete names no part.
pub(super) fn read_put(answer: &Answer) -> Result<Stored, Fault> {
    if answer.status != 200 {
        return Err(WORDS.of_storage(answer));
    }
    if check::is_web_page(answer) {
        return Err(WORDS.malformed(Op::Put, answer, "it is a web page"));
    }
    let etag = answer.header("etag").and_then(|etag| redact::label(etag.trim().trim_matches('"')));
    Ok(Stored { crc64: None, etag })
}
