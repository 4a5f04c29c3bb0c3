//! SMH, as far as uploads go: tasks, the parts that it has, signatures, objects.

use std::collections::{BTreeMap, BTreeSet};

use partway::{
    engine::OpKind,
    model::{
        SmhMode, SmhTarget, Target,
        http::{Answer, Body, Method, Request},
    },
};
use serde_json::json;

use super::{
    cloud::{Base, CANARY, Cloud, Object, row_of},
    content::Stretch,
    digest,
    options::Options,
    refusals::{self, Refusals},
    words::{self, Query},
};

const API: &str = "https://smh.test";
const STORAGE: &str = "https://cos.test";

/// How the bytes of a task travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Parts,
    Simple,
    Form,
}

#[derive(Clone, Debug)]
struct Task {
    upload: usize,
    mode: Mode,
    /// Nobody is told one of a task that travels whole.
    upload_id: String,
    path: String,
    strategy: String,
    parts: BTreeMap<u32, Stretch>,
    /// Where its object is.
    confirmed: Option<String>,
}

#[derive(Clone, Debug)]
struct Signature {
    upload_id: String,
    part: Option<u32>,
    from_unix_ms: i64,
    until_unix_ms: i64,
}

#[derive(Debug)]
pub struct Smh {
    base: Base,
    private: bool,
    mode: SmhMode,
    confirm_again_is_refused: bool,
    tasks: BTreeMap<String, Task>,
    dirs: BTreeSet<String>,
    signatures: BTreeMap<u64, Signature>,
    /// What it recognises: the beginning, the whole, the bytes.
    contents: Vec<(String, String, Stretch)>,
}

impl Smh {
    pub fn new(options: &Options) -> Smh {
        let dirs = if options.parents_missing { None } else { Some("dir".to_owned()) };
        Smh {
            base: Base::new(options),
            private: options.private,
            mode: options.mode,
            confirm_again_is_refused: options.answers_twice,
            tasks: BTreeMap::new(),
            dirs: dirs.into_iter().collect(),
            signatures: BTreeMap::new(),
            contents: vec![],
        }
    }

    fn recognise(&mut self, content: &Stretch) {
        if let Some((beginning, whole)) = digest::chain(content)
            && !self.contents.iter().any(|(_, known, _)| *known == whole)
        {
            self.contents.push((beginning, whole, content.clone()));
        }
    }

    fn make(&mut self, tick: u64, upload: usize, place: &str, content: Stretch) -> Object {
        self.recognise(&content);
        self.base.make(tick, upload, place, content)
    }

    /// What a data request is for: the upload id and the part number.
    fn named(&self, request: &Request) -> (String, Option<u32>) {
        let query = Query::of(request.url.expose());
        let part = query.get("partNumber").and_then(|text| text.parse().ok());
        if let Some(upload_id) = query.get("uploadId") {
            return (upload_id.to_owned(), part);
        }
        let form = match &request.body {
            Body::Form { head, .. } => String::from_utf8_lossy(head).into_owned(),
            _ => String::new(),
        };
        let (place, mode) = match form.split_once("name=\"key\"\r\n\r\n") {
            Some((_, rest)) => (rest.split('\r').next().unwrap_or_default(), Mode::Form),
            None => (request.url.expose(), Mode::Simple),
        };
        let task = self.tasks.get(place.rsplit('/').next().unwrap_or_default()).filter(|task| task.mode == mode);
        (task.map(|task| task.upload_id.clone()).unwrap_or_default(), Some(1))
    }

    /// A signature was looked at before the body came.
    fn put(&mut self, request: &Request, body: &Stretch) -> Answer {
        let (upload_id, part) = self.named(request);
        let part = part.unwrap_or(0);
        match self.tasks.values_mut().find(|task| task.upload_id == upload_id && task.confirmed.is_none()) {
            Some(task) => task.parts.insert(part, body.clone()),
            None => return words::storage_error(404, "NoSuchUpload", "no"),
        };
        match request.method {
            Method::Post => Answer { status: 204, ..Answer::default() },
            _ => self.stored(body),
        }
    }

    fn control(&mut self, tick: u64, request: &Request) -> Answer {
        let url = request.url.expose();
        let query = Query::of(url);
        if !query.get("access_token").is_some_and(|token| self.base.tokens.contains_key(token)) {
            return words::error(403, "InvalidAccessToken");
        }
        let path = url.split('?').next().unwrap_or_default();
        let Some(path) = path.strip_prefix("https://smh.test/api/v1/") else {
            return words::error(404, "RouteNotFound");
        };
        let (kind, path) = path.split_once("/lib/-/").unwrap_or(("", ""));
        let range = match &request.body {
            Body::Bytes(bytes) => serde_json::from_slice::<serde_json::Value>(bytes).ok(),
            _ => None,
        };
        let range = range.unwrap_or_default();
        match (kind, request.method) {
            ("directory", Method::Put) if self.dirs.insert(path.to_owned()) => {
                words::json(201, &json!({"path": [path]}))
            }
            ("directory", Method::Put) => words::error(409, "SameNameDirectoryOrFileExists"),
            ("file", Method::Head) => self.head(path),
            ("file", Method::Post) if query.has("multipart") => self.start(tick, path, &query, &range, Mode::Parts),
            ("file", Method::Put) => self.start(tick, path, &query, &range, Mode::Simple),
            ("file", Method::Post) if query.has("renew") => self.renew(tick, path, &range),
            ("file", Method::Post) if query.has("confirm") => self.confirm(tick, path, &query, &range),
            ("file", Method::Get) if query.has("upload") => self.inspect(tick, path),
            ("file", Method::Delete) if query.has("upload") => match self.tasks.remove(path) {
                Some(_) => Answer { status: 204, ..Answer::default() },
                None => words::error(404, "UploadNotFound"),
            },
            ("file", Method::Post) => self.start(tick, path, &query, &range, Mode::Form),
            _ => words::error(404, "RouteNotFound"),
        }
    }

    /// The beginning is known: the whole is asked for, and then it may be had at once (smh §9.2).
    fn instant(&mut self, tick: u64, path: &str, strategy: &str, body: &serde_json::Value) -> Option<Answer> {
        let begins = |known: &&(String, String, Stretch)| body["beginningHash"] == *known.0;
        self.contents.iter().find(begins)?;
        if body["fullHash"].is_null() {
            return Some(Answer { status: 202, ..Answer::default() });
        }
        let (_, _, content) = self.contents.iter().find(|known| body["fullHash"] == *known.1)?.clone();
        if body["size"] != content.len() {
            return None;
        }
        let taken = self.base.objects.contains_key(path);
        let place = match strategy {
            "ask" if taken => return Some(words::error(409, "SameNameDirectoryOrFileExists")),
            "rename" => self.base.free_place(path),
            _ => path.to_owned(),
        };
        let object = self.make(tick, row_of(path), &place, content);
        Some(words::json(200, &words::file(&place, &object, taken && strategy == "overwrite")))
    }

    fn start(&mut self, tick: u64, path: &str, query: &Query, body: &serde_json::Value, mode: Mode) -> Answer {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        if !self.dirs.contains(dir) {
            return words::error(404, "DirectoryNotFound");
        }
        let strategy = query.get("conflict_resolution_strategy").unwrap_or("rename").to_owned();
        if let Some(answer) = self.instant(tick, path, &strategy, body) {
            return answer;
        }
        let key = self.task(row_of(path), mode, path, &strategy);
        words::json(201, &self.lease(tick, &key, body))
    }

    fn task(&mut self, upload: usize, mode: Mode, path: &str, strategy: &str) -> String {
        let serial = self.base.serial();
        let (upload_id, path, strategy) = (format!("up{serial}"), path.to_owned(), strategy.to_owned());
        let task = Task { upload, mode, upload_id, path, strategy, parts: BTreeMap::new(), confirmed: None };
        self.tasks.insert(format!("{serial:064x}"), task);
        format!("{serial:064x}")
    }

    /// What start and renew answer.
    fn lease(&mut self, tick: u64, key: &str, body: &serde_json::Value) -> serde_json::Value {
        let now = self.base.unix_ms(tick);
        let task = self.tasks.get(key);
        let mode = task.map_or(Mode::Parts, |task| task.mode);
        let upload_id = task.map(|task| task.upload_id.clone()).unwrap_or_default();
        let until_unix_ms = now + (self.base.lease_ms * self.base.lease_real_percent / 100) as i64;
        let mut answer = json!({
            "domain": "cos.test", "path": format!("/obj/{key}"), "uploadId": upload_id, "confirmKey": key,
            "expiration": words::iso8601(now + self.base.lease_ms as i64), "availableDomainNum": 1,
        });
        if mode != Mode::Parts {
            answer["uploadId"].take();
        }
        let private = self.private && mode == Mode::Parts;
        let mut sign = |part: Option<u32>| {
            let id = self.base.serial();
            let upload_id = upload_id.clone();
            self.signatures.insert(id, Signature { upload_id, part, from_unix_ms: now - 60_000, until_unix_ms });
            json!({"Authorization": format!("q-sign-{id}-{CANARY}"), "x-cos-traffic-limit": 819200})
        };
        if mode == Mode::Form {
            answer["path"] = json!("/");
            answer["form"] = json!({"key": format!("obj/{key}"), "q-signature": sign(None)["Authorization"]});
            return answer;
        }
        if !private {
            answer["headers"] = sign(None);
            return answer;
        }
        let numbers = words::part_numbers(body["partNumberRange"].as_str().unwrap_or_default());
        if numbers.is_empty() {
            return answer;
        }
        let signed = numbers.into_iter().map(|number| (number.to_string(), json!({"headers": sign(Some(number))})));
        answer["parts"] = signed.collect::<serde_json::Map<_, _>>().into();
        answer
    }

    fn renew(&mut self, tick: u64, key: &str, body: &serde_json::Value) -> Answer {
        match self.tasks.get(key) {
            None => words::error(404, "UploadNotFound"),
            Some(task) if task.confirmed.is_some() => words::error(409, "UploadComplete"),
            Some(task) if task.mode != Mode::Parts => words::error(404, "NotMultipartUpload"),
            // This deployment wants a text.
            Some(_) if self.private && !body["partNumberRange"].is_string() => words::error(400, "ParamInvalid"),
            Some(_) => words::json(200, &self.lease(tick, key, body)),
        }
    }

    fn inspect(&mut self, tick: u64, key: &str) -> Answer {
        let Some(task) = self.tasks.get(key).cloned() else { return words::error(404, "UploadNotFound") };
        let parts: Vec<_> = task.parts.iter().map(|(number, part)| words::listed(*number, part)).collect();
        let place = task.confirmed.as_ref().unwrap_or(&task.path);
        let mut answer = json!({
            "confirmed": task.confirmed.is_some(), "path": place.split('/').collect::<Vec<_>>(), "type": "file",
            "conflictResolutionStrategy": task.strategy, "uploadId": task.upload_id, "parts": parts,
        });
        if task.mode != Mode::Parts {
            answer["uploadId"].take();
            answer["parts"].take();
        } else if task.confirmed.is_none() && !self.private {
            let mut info = self.lease(tick, key, &serde_json::Value::Null);
            info["path"] = json!(format!("obj/{key}"));
            answer["uploadPartInfo"] = info;
        }
        words::json(200, &answer)
    }

    fn head(&self, path: &str) -> Answer {
        let Some(object) = self.base.objects.get(path) else { return Answer { status: 404, ..Answer::default() } };
        let headers = vec![
            ("x-smh-size".to_owned(), object.content.len().to_string()),
            ("x-smh-crc64".to_owned(), object.content.crc64().to_string()),
            ("x-smh-creation-time".to_owned(), words::iso8601(object.created_unix_ms)),
        ];
        Answer { status: 200, headers, body: vec![] }
    }

    fn confirm(&mut self, tick: u64, key: &str, query: &Query, body: &serde_json::Value) -> Answer {
        let Some(task) = self.tasks.get(key).cloned() else { return words::error(404, "UploadNotFound") };
        if let Some(place) = &task.confirmed {
            return match self.base.objects.get(place) {
                Some(object) if !self.confirm_again_is_refused => words::json(200, &words::file(place, object, false)),
                _ => words::error(409, "UploadComplete"),
            };
        }
        if task.parts.is_empty() {
            return words::error(404, "UploadIncomplete");
        }
        let mut content = Stretch::default();
        for (index, (number, part)) in task.parts.iter().enumerate() {
            if *number as usize != index + 1 {
                return words::error(400, "MultipartUploadIncomplete");
            }
            content.append(part);
        }
        let told = body["crc64"].as_str().and_then(|text| text.parse::<u64>().ok());
        if told.is_some_and(|told| told != content.crc64()) {
            return words::error(400, "BadCrc64");
        }
        let strategy = query.get("conflict_resolution_strategy").unwrap_or(&task.strategy).to_owned();
        let mut place = task.path.clone();
        let taken = self.base.objects.contains_key(&place);
        match strategy.as_str() {
            "ask" if taken => return words::error(409, "SameNameDirectoryOrFileExists"),
            "rename" => place = self.base.free_place(&task.path),
            _ => {}
        }
        let object = self.make(tick, task.upload, &place, content);
        if let Some(task) = self.tasks.get_mut(key) {
            task.confirmed = Some(place.clone());
        }
        words::json(200, &words::file(&place, &object, taken && strategy == "overwrite"))
    }
}

impl Cloud for Smh {
    fn base(&self) -> &Base {
        &self.base
    }

    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }

    fn target(&self, row: usize) -> Target {
        Target::Smh(SmhTarget {
            endpoint: API.to_owned(),
            account: "a".to_owned(),
            library: "lib".to_owned(),
            path: self.place(row),
            create_parents: true,
            private: self.private,
            mode: self.mode,
            ..SmhTarget::default()
        })
    }

    fn place(&self, row: usize) -> String {
        format!("dir/u{row}.bin")
    }

    fn knows(&mut self, content: &Stretch) {
        self.recognise(content);
    }

    fn begun_elsewhere(&mut self, row: usize, parts: BTreeMap<u32, Stretch>) -> Option<String> {
        let key = self.task(row, Mode::Parts, &self.place(row), "rename");
        self.tasks.get_mut(&key)?.parts = parts;
        Some(key)
    }

    fn refusals(&self) -> &'static Refusals {
        &refusals::SMH
    }

    fn error(&self, status: u16, code: &str) -> Answer {
        words::error(status, code)
    }

    fn stored(&self, body: &Stretch) -> Answer {
        let headers = vec![
            ("etag".to_owned(), format!("\"{}\"", body.md5())),
            ("x-cos-hash-crc64ecma".to_owned(), body.crc64().to_string()),
        ];
        Answer { status: 200, headers, body: vec![] }
    }

    fn signature_of(&self, request: &Request) -> Option<u64> {
        let id = |text: &str| text.split_once("q-sign-")?.1.split('-').next()?.parse().ok();
        match &request.body {
            Body::Form { head, .. } => id(&String::from_utf8_lossy(head)),
            _ => id(request.headers.iter().find(|(name, _)| name == "Authorization")?.1.expose()),
        }
    }

    fn refuses_early(&self, tick: u64, request: &Request) -> Option<Answer> {
        let now = self.base.unix_ms(tick);
        let (upload_id, part) = self.named(request);
        let signature = self.signature_of(request).and_then(|id| self.signatures.get(&id));
        let refusal = match signature {
            None => Some((403, "InvalidAccessKeyId", "no")),
            Some(it) if it.upload_id != upload_id || it.part.is_some() && it.part != part => {
                Some((403, "SignatureDoesNotMatch", "no"))
            }
            Some(it) if now >= it.until_unix_ms => Some((403, "AccessDenied", "Request has expired")),
            Some(it) if now < it.from_unix_ms => Some((403, "RequestTimeTooSkewed", "no")),
            Some(_) if !self.tasks.values().any(|task| task.upload_id == upload_id && task.confirmed.is_none()) => {
                Some((404, "NoSuchUpload", "no"))
            }
            Some(_) => None,
        };
        refusal.map(|(status, code, message)| words::storage_error(status, code, message))
    }

    fn take(&mut self, tick: u64, request: &Request, body: &Stretch) -> Answer {
        match request.host() {
            STORAGE => self.put(request, body),
            _ => self.control(tick, request),
        }
    }

    fn open(&self) -> Vec<(String, usize)> {
        let open = self.tasks.iter().filter(|(_, task)| task.confirmed.is_none());
        open.map(|(key, task)| (key.clone(), task.upload)).collect()
    }

    fn all(&self) -> Vec<(String, usize)> {
        self.tasks.iter().map(|(key, task)| (key.clone(), task.upload)).collect()
    }

    fn forget(&mut self, handle: &str) {
        self.tasks.remove(handle);
    }

    fn parts(&self, handle: &str) -> BTreeSet<u32> {
        self.tasks.get(handle).map(|task| task.parts.keys().copied().collect()).unwrap_or_default()
    }

    fn lose(&mut self, handle: &str, part: u32) {
        if let Some(task) = self.tasks.get_mut(handle) {
            task.parts.remove(&part);
        }
    }

    fn settles(&self, kind: OpKind, answer: &Answer) -> bool {
        let says = |word: &[u8]| answer.body.windows(word.len()).any(|found| found == word);
        match kind {
            _ if words::is_page(answer) => false,
            OpKind::Complete => {
                let open = matches!(answer.status, 408 | 429 | 499) || says(b"UploadComplete");
                (400..500).contains(&answer.status) && !open
            }
            OpKind::Begin => {
                let open = matches!(answer.status, 408 | 429 | 499);
                matches!(answer.status, 200..=202 | 400..=499) && !open
            }
            OpKind::Probe => matches!(answer.status, 200 | 404),
            OpKind::Inspect => answer.status == 200 && says(b"\"confirmed\":"),
            _ => false,
        }
    }

    fn listed(&self, answer: &Answer) -> Vec<(u32, String)> {
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let parts = told["parts"].as_array().into_iter().flatten();
        let tag = |part: &serde_json::Value| part["ETag"].as_str().unwrap_or_default().trim_matches('"').to_owned();
        parts.map(|part| (part["PartNumber"].as_u64().unwrap_or(0) as u32, tag(part))).collect()
    }

    fn may_make(&self, request: &Request) -> bool {
        matches!(&request.body, Body::Bytes(body) if String::from_utf8_lossy(body).contains("fullHash"))
    }

    fn makes_no_second(&self, _request: &Request) -> bool {
        false
    }
}
