//! KooDrive, as far as uploads go: files that were begun, the parts that their storage has, links, objects. It lists no parts and drops nothing.

use std::collections::{BTreeMap, BTreeSet};

use partway::{
    engine::OpKind,
    hash::{Sha256, hex},
    model::{
        KooDriveTarget, Target,
        http::{Answer, Body, Request},
    },
};
use serde_json::{Value, json};

use super::{
    cloud::{Base, CANARY, Cloud, row_of},
    content::Stretch,
    digest::{self, Words},
    options::Options,
    refusals::{self, Refusals},
    words::{self, Query},
};

const API: &str = "https://koo.test";
const STORAGE: &str = "https://obs.test";
/// A token dies when nobody used it for so long (koodrive §8.1).
const TOKEN_IDLE_MS: u64 = 20 * 60_000;
/// What we ask of ourselves (koodrive §14.6).
const BATCH_MAX: usize = 50;

/// A file that was begun.
#[derive(Clone, Debug)]
struct File {
    upload: usize,
    name: String,
    length: u64,
    /// What create said.
    sha256: Option<String>,
    parts: BTreeMap<u32, (Option<Words>, Stretch)>,
    done: bool,
}

/// What was signed.
#[derive(Clone, Debug)]
struct Link {
    file: String,
    part: u32,
    size: u64,
    state: Option<Words>,
    from_unix_ms: i64,
    until_unix_ms: i64,
}

#[derive(Debug)]
pub struct KooDrive {
    base: Base,
    codes_are_texts: bool,
    /// What was once completed can't be completed again, and says so; else it is forgotten.
    unfinished_has_a_detail: bool,
    dates_are_checked: bool,
    files: BTreeMap<String, File>,
    links: BTreeMap<u64, Link>,
    /// By SHA-256.
    contents: BTreeMap<String, Stretch>,
}

impl KooDrive {
    pub fn new(options: &Options) -> KooDrive {
        KooDrive {
            base: Base::new(options),
            codes_are_texts: options.codes_are_texts,
            unfinished_has_a_detail: options.answers_twice,
            dates_are_checked: options.dates_are_checked,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            contents: BTreeMap::new(),
        }
    }

    fn breach(&mut self, what: &str) {
        self.base.breach.get_or_insert(what.to_owned());
    }

    fn ok(&self, mut body: Value) -> Answer {
        body["code"] = if self.codes_are_texts { json!("0") } else { json!(0) };
        body["msg"] = json!("Success.");
        words::json(200, &body)
    }

    fn make(&mut self, tick: u64, upload: usize, place: &str, content: Stretch) {
        self.contents.insert(digest::sha256(&content), content.clone());
        self.base.make(tick, upload, place, content);
    }

    /// Who asks, and when by their clock (koodrive §2).
    fn admits(&mut self, tick: u64, request: &Request) -> Result<String, Answer> {
        let header = |name: &str| {
            request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose().to_owned())
        };
        let now = self.base.unix_ms(tick) / 1_000;
        let date = header("X-Date").as_deref().and_then(words::basic_seconds);
        if self.dates_are_checked && date.is_none_or(|date| date > now || now - date > 15 * 60) {
            return Err(words::json(401, &json!({"error_code": "APIG.0301", "error_msg": "X-Date is wrong"})));
        }
        if header("X-Traceid").is_none_or(|id| id.len() != 58) {
            self.breach("X-Traceid has not 58 characters");
        }
        let token = header("Authorization").unwrap_or_default();
        match self.base.tokens.get_mut(&token) {
            Some(dies) if *dies > tick => {
                *dies = tick + TOKEN_IDLE_MS;
                Ok(token)
            }
            _ => Err(words::json(401, &json!({"code": "401", "msg": "no such session"}))),
        }
    }

    fn control(&mut self, tick: u64, request: &Request) -> Answer {
        let token = match self.admits(tick, request) {
            Ok(token) => token,
            Err(answer) => return answer,
        };
        let body = match &request.body {
            Body::Bytes(bytes) => serde_json::from_slice::<Value>(bytes).unwrap_or_default(),
            _ => Value::Null,
        };
        let path = request.url.expose().strip_prefix("https://koo.test/koodrive/ose/v1/files/").unwrap_or_default();
        match path {
            "create" => self.create(tick, &token, &body),
            "multipart/uploadUrl" => self.sign(tick, &body),
            "complete" => self.complete(tick, &body),
            path => match path.strip_suffix("/detail") {
                Some("root") => self.ok(json!({"id": "root"})),
                Some(id) => self.detail(id),
                None => self.error(404, "13000101"),
            },
        }
    }

    fn create(&mut self, tick: u64, token: &str, body: &Value) -> Answer {
        let name = body["fileName"].as_str().unwrap_or_default().to_owned();
        let (upload, length) = (row_of(&name), body["length"].as_u64().unwrap_or(0));
        let sha256 = body["sha256"].as_str().map(str::to_owned);
        let there = self.base.objects.get(&name).map(|object| digest::sha256(&object.content));
        let file_id = format!("F{:032}", self.base.serial());
        let place = match (&there, body["autoRename"].as_u64()) {
            (None, _) => name,
            (Some(there), Some(4)) if sha256.as_ref() == Some(there) => {
                return self.ok(json!({"fileId": file_id, "fileName": name, "exist": true}));
            }
            (Some(_), Some(2 | 4)) => self.base.free_place(&name),
            (Some(_), _) => return self.error(400, "13000405"),
        };
        if let Some(content) = sha256.as_ref().and_then(|sha256| self.contents.get(sha256)).cloned()
            && content.len() == length
            && self.proves(token, &content, body)
        {
            self.make(tick, upload, &place, content);
            return self.ok(json!({"fileId": file_id, "fileName": place, "rapidUpload": true}));
        }
        let file = File { upload, name: place.clone(), length, sha256, parts: BTreeMap::new(), done: false };
        self.files.insert(file_id.clone(), file);
        let links = match self.links(tick, &file_id, body) {
            Ok(links) => links,
            Err(answer) => return answer,
        };
        self.ok(json!({"fileId": file_id, "fileName": place, "exist": false, "multiParts": links}))
    }

    /// koodrive §3.4.
    fn proves(&mut self, token: &str, content: &Stretch, body: &Value) -> bool {
        if content.len() == 0 {
            return true;
        }
        let seed = hex::encode(&Sha256::of(token.as_bytes()));
        let picked = Sha256::of(seed.as_bytes());
        let picked = u64::from_be_bytes(picked[24..].try_into().expect("8 bytes")) & (u64::MAX >> 1);
        let offset = picked % content.len();
        let bytes = content.bytes(offset, 8.min(content.len() - offset)).unwrap_or_default();
        let proven = body["proofCode"] == hex::encode(&Sha256::of(&bytes));
        if !proven {
            self.breach("a proof that is none");
        }
        proven
    }

    /// koodrive §4.
    fn links(&mut self, tick: u64, file_id: &str, body: &Value) -> Result<Value, Answer> {
        let wanted = body["multiParts"].as_array().cloned().unwrap_or_default();
        if wanted.len() > BATCH_MAX {
            self.breach("more than 50 parts in one batch");
        }
        let now = self.base.unix_ms(tick);
        let mut given = vec![];
        for mut part in wanted {
            let number = part["partNumber"].as_u64().unwrap_or(0) as u32;
            let size = part["partSize"].as_u64().unwrap_or(0);
            let state = part["hashCtx"].as_array().map(|words| {
                let word = |at: usize| words.get(at).and_then(Value::as_u64).unwrap_or(0) as u32;
                std::array::from_fn::<u32, 8, _>(word)
            });
            if number == 0 || state.is_none() != (number == 1) {
                self.breach("a part without its state, or a first one with one");
                return Err(self.error(400, "13000102"));
            }
            let id = self.base.serial();
            let until_unix_ms = now + (self.base.lease_ms * self.base.lease_real_percent / 100) as i64;
            let link =
                Link { file: file_id.to_owned(), part: number, size, state, from_unix_ms: now - 60_000, until_unix_ms };
            self.links.insert(id, link);
            part["uploadUrl"] = json!(format!(
                "{STORAGE}/{file_id}?partNumber={number}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-Signature={id}-{CANARY}",
                words::basic(now),
                self.base.lease_ms.div_ceil(1_000)
            ));
            given.push(part);
        }
        // No order is promised.
        given.reverse();
        Ok(Value::Array(given))
    }

    /// The file, if it is one that goes on.
    fn unfinished(&self, body: &Value) -> Option<(String, File)> {
        let id = body["fileId"].as_str()?;
        let file = self.files.get(id).filter(|file| !file.done)?;
        Some((id.to_owned(), file.clone()))
    }

    fn sign(&mut self, tick: u64, body: &Value) -> Answer {
        let Some((id, _)) = self.unfinished(body) else { return self.error(400, "13000401") };
        match self.links(tick, &id, body) {
            Ok(links) => self.ok(json!({"multiParts": links})),
            Err(answer) => answer,
        }
    }

    fn complete(&mut self, tick: u64, body: &Value) -> Answer {
        let Some((id, file)) = self.unfinished(body) else { return self.error(400, "13000401") };
        let (mut content, mut state) = (Stretch::default(), None);
        let mut whole = true;
        for (index, (number, (said, bytes))) in file.parts.iter().enumerate() {
            whole &= *number as usize == index + 1 && *said == state;
            state = Some(digest::after(state.unwrap_or(digest::NOTHING), bytes));
            content.append(bytes);
        }
        let sha256 = digest::sha256(&content);
        let said = body["sha256"].as_str().or(file.sha256.as_deref());
        if !whole || content.len() != file.length || said.is_some_and(|said| said != sha256) {
            self.files.remove(&id);
            return self.error(400, "13000402");
        }
        let place = self.base.free_place(&file.name);
        self.make(tick, file.upload, &place, content);
        if let Some(file) = self.files.get_mut(&id) {
            (file.done, file.name) = (true, place);
        }
        self.ok(json!({}))
    }

    /// koodrive §7.
    fn detail(&self, id: &str) -> Answer {
        let Some(file) = self.files.get(id) else { return self.error(400, "13000309") };
        if !file.done {
            return match self.unfinished_has_a_detail && file.length > 0 {
                true => self.ok(json!({"id": id, "fileName": file.name, "size": 0, "sha256": ""})),
                false => self.error(400, "13000309"),
            };
        }
        let content = self.base.objects.get(&file.name).map(|object| object.content.clone()).unwrap_or_default();
        let (size, sha256) = (content.len(), digest::sha256(&content));
        self.ok(json!({"id": id, "fileName": file.name, "size": size, "sha256": sha256}))
    }

    fn link(&self, request: &Request) -> Option<&Link> {
        self.links.get(&self.signature_of(request)?)
    }
}

impl Cloud for KooDrive {
    fn base(&self) -> &Base {
        &self.base
    }

    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }

    fn target(&self, row: usize) -> Target {
        Target::KooDrive(KooDriveTarget {
            endpoint: API.to_owned(),
            account: "a".to_owned(),
            container: "space".to_owned(),
            name: self.place(row),
            ..KooDriveTarget::default()
        })
    }

    fn place(&self, row: usize) -> String {
        format!("u{row}.bin")
    }

    fn knows(&mut self, content: &Stretch) {
        self.contents.insert(digest::sha256(content), content.clone());
    }

    fn begun_elsewhere(&mut self, _row: usize, _parts: BTreeMap<u32, Stretch>) -> Option<String> {
        None
    }

    fn refusals(&self) -> &'static Refusals {
        &refusals::KOODRIVE
    }

    fn error(&self, status: u16, code: &str) -> Answer {
        let code = match code.parse::<u64>() {
            Ok(number) if !self.codes_are_texts => json!({"code": number, "msg": "as told"}),
            Ok(_) => json!({"code": code, "msg": "as told"}),
            // The gateway has another shape (koodrive §9).
            Err(_) => json!({"error_code": code, "error_msg": "as told"}),
        };
        words::json(status, &code)
    }

    /// The tag is for people.
    fn stored(&self, body: &Stretch) -> Answer {
        Answer { status: 200, headers: vec![("etag".to_owned(), format!("\"{}\"", body.md5()))], body: vec![] }
    }

    fn signature_of(&self, request: &Request) -> Option<u64> {
        Query::of(request.url.expose()).get("X-Amz-Signature")?.split('-').next()?.parse().ok()
    }

    fn refuses_early(&self, tick: u64, request: &Request) -> Option<Answer> {
        let now = self.base.unix_ms(tick);
        let refusal = match self.link(request) {
            None => Some((403, "SignatureDoesNotMatch", "no")),
            Some(link) if link.size != request.body.len() => Some((403, "SignatureDoesNotMatch", "no")),
            Some(link) if now >= link.until_unix_ms => Some((403, "AccessDenied", "Request has expired")),
            Some(link) if now < link.from_unix_ms => Some((403, "RequestTimeTooSkewed", "no")),
            Some(link) if self.files.get(&link.file).is_none_or(|file| file.done) => Some((404, "NoSuchUpload", "no")),
            Some(_) => None,
        };
        refusal.map(|(status, code, message)| words::storage_error(status, code, message))
    }

    fn take(&mut self, tick: u64, request: &Request, body: &Stretch) -> Answer {
        if request.host() != STORAGE {
            return self.control(tick, request);
        }
        let Some(link) = self.link(request).cloned() else {
            return words::storage_error(403, "SignatureDoesNotMatch", "no");
        };
        match self.files.get_mut(&link.file).filter(|file| !file.done) {
            Some(file) => file.parts.insert(link.part, (link.state, body.clone())),
            None => return words::storage_error(404, "NoSuchUpload", "no"),
        };
        self.stored(body)
    }

    fn open(&self) -> Vec<(String, usize)> {
        let open = self.files.iter().filter(|(_, file)| !file.done);
        open.map(|(id, file)| (id.clone(), file.upload)).collect()
    }

    /// What is done stays a file.
    fn all(&self) -> Vec<(String, usize)> {
        self.open()
    }

    fn forget(&mut self, handle: &str) {
        self.files.remove(handle);
    }

    fn parts(&self, handle: &str) -> BTreeSet<u32> {
        self.files.get(handle).map(|file| file.parts.keys().copied().collect()).unwrap_or_default()
    }

    fn lose(&mut self, handle: &str, part: u32) {
        if let Some(file) = self.files.get_mut(handle) {
            file.parts.remove(&part);
        }
    }

    fn settles(&self, kind: OpKind, answer: &Answer) -> bool {
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = told["error_code"].as_str().or(told["code"].as_str());
        let code = code.map(str::to_owned).unwrap_or_else(|| told["code"].to_string());
        match kind {
            _ if words::is_page(answer) => false,
            OpKind::Begin => {
                let open = matches!(code.as_str(), "13000201" | "13000403");
                code == "0" || code == "401" || answer.status == 401 || code.starts_with("13000") && !open
            }
            OpKind::Complete if code == "401" || answer.status == 401 => true,
            OpKind::Complete => {
                code.starts_with("13000") && !matches!(code.as_str(), "13000201" | "13000403" | "13000401")
            }
            OpKind::Inspect => {
                code == "0" || matches!(code.as_str(), "13000302" | "13000309" | "13000401" | "13000411")
            }
            _ => false,
        }
    }

    fn listed(&self, _answer: &Answer) -> Vec<(u32, String)> {
        vec![]
    }

    fn may_make(&self, request: &Request) -> bool {
        matches!(&request.body, Body::Bytes(body) if String::from_utf8_lossy(body).contains("\"sha256\""))
            && request.url.expose().ends_with("/create")
    }

    fn makes_no_second(&self, request: &Request) -> bool {
        let said = |body: &[u8]| String::from_utf8_lossy(body).contains("\"autoRename\":3");
        // Where the name is taken, one that keeps what is the same is allowed, and nothing after it.
        let asks = |body: &[u8]| String::from_utf8_lossy(body).contains("\"autoRename\":4");
        matches!(&request.body, Body::Bytes(body) if said(body) || asks(body))
    }
}
