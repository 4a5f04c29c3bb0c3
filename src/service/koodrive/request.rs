//! The requests of the control plane (koodrive §3, §4, §6, §7). The order of fields is fixed, so that fixtures can compare text.

use serde::Serialize;

use crate::{
    model::{
        Conflict, Part, PartPlan,
        http::{Body, Method, Request},
    },
    redact::Secret,
    service::{
        Caller, Content, Proof, encode,
        koodrive::{place::Place, proof, session::Upload},
    },
};

/// Longest control answer that is read.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Longest answer with links for [`SIGN_PARTS_MAX`] parts.
const LEASE_BYTES_MAX: usize = 1 << 20;
/// How long a control answer may take.
const PATIENCE_MS: u64 = 60_000;
/// How long complete may take: the service puts the parts together and hashes them.
const COMPLETE_PATIENCE_MS: u64 = 180_000;
/// Most parts that one create or uploadUrl names: no limit is documented, a sister product's is 100 (koodrive §4).
pub(super) const SIGN_PARTS_MAX: usize = 50;

const FILES: &str = "/koodrive/ose/v1/files";

/// `MultiPartInfo` (koodrive §4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MultiPart {
    part_number: u32,
    part_size: u64,
    part_offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_ctx: Option<[u32; 8]>,
}

impl MultiPart {
    /// `None` while the digest's state at its first byte is not known. Part 1 begins with none and says none (koodrive §14.5).
    fn of(part: &Part, content: &Content) -> Option<MultiPart> {
        let hash_ctx = match part.part_number {
            1 => None,
            number => Some(*content.midstates.get(&number)?),
        };
        Some(MultiPart {
            part_number: part.part_number,
            part_size: part.size_bytes,
            part_offset: part.offset,
            hash_ctx,
        })
    }

    /// Those that can be signed now.
    fn list(parts: impl Iterator<Item = Part>, content: &Content) -> Vec<MultiPart> {
        let most = content.parts_named_max.unwrap_or(SIGN_PARTS_MAX).min(SIGN_PARTS_MAX);
        parts.filter_map(|part| MultiPart::of(&part, content)).take(most).collect()
    }
}

/// The body of create (koodrive §3.1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    file_name: &'a str,
    file_type: String,
    parent_folder: [&'a str; 1],
    container_id: &'a str,
    length: u64,
    upload_mode: &'static str,
    upload_type: u32,
    auto_rename: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_time: Option<String>,
    #[serde(flatten)]
    known: Option<Known<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    multi_parts: Vec<MultiPart>,
}

/// What makes an instant upload possible (koodrive §3.1).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known<'a> {
    sha256: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_code: Option<String>,
}

impl<'a> Known<'a> {
    /// A digest without its proof is refused, so it is not said; an empty file needs none (koodrive §3.4).
    fn of(content: &'a Content, size_bytes: u64) -> Option<Known<'a>> {
        let sha256 = content.sha256.as_deref()?;
        let proof_code = match (&content.proof, size_bytes) {
            (_, 0) => None,
            (Some(bytes), _) if !bytes.is_empty() => Some(proof::code(bytes)),
            _ => return None,
        };
        Some(Known { sha256, pre_hash: content.pre_hash.as_deref(), proof_code })
    }
}

/// The body of uploadUrl (koodrive §4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadUrl<'a> {
    file_id: &'a str,
    multi_parts: Vec<MultiPart>,
}

/// The body of complete (koodrive §6).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finish<'a> {
    file_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

/// The body of detail (koodrive §7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    container_id: &'a str,
}

/// `autoRename` (koodrive §3.3). Replacing is not offered: a taken name is then refused, and so asked about. A create that may make the object makes it
/// under its own name or not at all, so that one which comes late, or is repeated because nobody answered, makes no second one. Only when the name is
/// known to be `taken` does it keep what is there if it is the same, or take another name; never where no other name may be taken.
fn auto_rename(conflict: &Conflict, taken: bool, may_make: bool) -> u32 {
    match conflict {
        _ if keeps_name(conflict) => 3,
        _ if taken => 4,
        _ if may_make => 3,
        Conflict::Rename => 2,
        // Without the digest nothing is found to be the same: it is asked about.
        _ => 3,
    }
}

/// No other name than the one that was asked for may be taken.
pub(super) fn keeps_name(conflict: &Conflict) -> bool {
    matches!(conflict, Conflict::Ask | Conflict::Refuse | Conflict::Overwrite { .. })
}

impl Place {
    fn request(&self, caller: Caller<'_>, path: &str, body: &impl Serialize) -> Request {
        // Texts, numbers and lists of those always become JSON.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let (headers, to_sign) = self.headers(caller, path, &body);
        Request {
            method: Method::Post,
            url: Secret::new(format!("{}://{}{path}", self.scheme, self.authority)),
            headers,
            body: Body::Bytes(body),
            answer_bytes_max: ANSWER_BYTES_MAX,
            patience_ms: PATIENCE_MS,
            expect_continue: false,
            to_sign: to_sign.map(Box::new),
        }
    }

    /// koodrive §3. With the digest and its proof it may make the object; without them it only begins an upload.
    pub(super) fn begin(
        &self,
        caller: Caller<'_>,
        plan: &PartPlan,
        conflict: &Conflict,
        content: &Content,
        taken: bool,
    ) -> Request {
        let target = &self.target;
        let known = Known::of(content, plan.size_bytes);
        let create = Create {
            file_name: &target.name,
            file_type: self.file_type.to_string(),
            parent_folder: [&target.parent],
            container_id: &target.container,
            length: plan.size_bytes,
            upload_mode: "multipart",
            upload_type: 1,
            auto_rename: auto_rename(conflict, taken, known.is_some()),
            created_time: target.created_unix_ms.and_then(self.profile.time),
            known,
            multi_parts: MultiPart::list(plan.parts(), content),
        };
        let mut request = self.request(caller, &format!("{FILES}/create"), &create);
        request.answer_bytes_max = LEASE_BYTES_MAX;
        request
    }

    /// koodrive §4. A part whose state is not known is left out.
    pub(super) fn sign(&self, caller: Caller<'_>, upload: &Upload, parts: &[Part], content: &Content) -> Request {
        let body = UploadUrl { file_id: &upload.file_id, multi_parts: MultiPart::list(parts.iter().copied(), content) };
        let mut request = self.request(caller, &format!("{FILES}/multipart/uploadUrl"), &body);
        request.answer_bytes_max = LEASE_BYTES_MAX;
        request
    }

    /// koodrive §6: the digest is repeated, for create may not have had it.
    pub(super) fn complete(&self, caller: Caller<'_>, upload: &Upload, proof: &Proof) -> Request {
        let body = Finish { file_id: &upload.file_id, sha256: proof.sha256.as_deref() };
        let mut request = self.request(caller, &format!("{FILES}/complete"), &body);
        request.patience_ms = COMPLETE_PATIENCE_MS;
        request
    }

    /// koodrive §7.
    fn detail(&self, caller: Caller<'_>, file_id: &str, container_id: &str) -> Request {
        self.request(caller, &format!("{FILES}/{}/detail", encode::component(file_id)), &Detail { container_id })
    }

    /// The detail of the file: in the space that the service named, or else in the one it was asked for.
    pub(super) fn inspect(&self, caller: Caller<'_>, upload: &Upload) -> Request {
        self.detail(caller, &upload.file_id, upload.container_id.as_deref().unwrap_or(&self.target.container))
    }

    /// The detail of the folder.
    pub(super) fn look_at_parent(&self, caller: Caller<'_>) -> Request {
        self.detail(caller, &self.target.parent, &self.target.container)
    }
}
