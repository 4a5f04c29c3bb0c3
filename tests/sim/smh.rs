//! A service that keeps real state: tasks, the parts that it has, leases, tokens, objects. It reads the product's own requests.

use std::collections::{BTreeMap, BTreeSet};

use partway::model::http::{Answer, Body, Method, Request};
use serde_json::json;

use super::{
    content::Stretch,
    words::{self, Query},
};

pub const API: &str = "https://smh.test";
pub const STORAGE: &str = "https://cos.test";
/// No output of the product may hold it.
pub const CANARY: &str = "CANARY";
const BASE_UNIX_MS: i64 = 1_760_000_000_000;

#[derive(Clone, Debug)]
pub struct Task {
    pub upload: usize,
    /// It travels whole, in one PUT, and nobody is told an upload id.
    whole: bool,
    pub upload_id: String,
    path: String,
    strategy: String,
    pub parts: BTreeMap<u32, Stretch>,
    /// Where its object is.
    pub confirmed: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Object {
    pub content: Stretch,
    pub created_unix_ms: i64,
    pub upload: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Signature {
    upload_id: String,
    part: Option<u32>,
    from_unix_ms: i64,
    until_unix_ms: i64,
}

#[derive(Debug, Default)]
pub struct Smh {
    pub clock_offset_ms: i64,
    pub private: bool,
    pub lease_ms: u64,
    pub lease_real_percent: u64,
    pub confirm_again_is_refused: bool,
    pub tokens: BTreeSet<String>,
    pub tasks: BTreeMap<String, Task>,
    pub objects: BTreeMap<String, Object>,
    pub dirs: BTreeSet<String>,
    /// Every object that an upload made, in order.
    pub made: Vec<(usize, Object)>,
    pub signatures: BTreeMap<u64, Signature>,
    pub serial: u64,
}

/// The signature that a part's request goes out with.
pub fn signature_of(request: &Request) -> Option<u64> {
    let (_, value) = request.headers.iter().find(|(name, _)| name == "Authorization")?;
    value.expose().strip_prefix("q-sign-")?.split('-').next()?.parse().ok()
}

impl Smh {
    pub fn unix_ms(&self, tick: u64) -> i64 {
        BASE_UNIX_MS + tick as i64 + self.clock_offset_ms
    }

    fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A new token; the old ones live on.
    pub fn mint(&mut self) -> String {
        let token = format!("token-{}-{CANARY}", self.serial());
        self.tokens.insert(token.clone());
        token
    }

    pub fn dated(&self, tick: u64, mut answer: Answer) -> Answer {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(self.unix_ms(tick) as u64);
        answer.headers.push(("date".into(), httpdate::fmt_http_date(at)));
        answer
    }

    /// What the storage refuses before it wants the body.
    pub fn refuses_early(&self, tick: u64, request: &Request) -> Option<Answer> {
        let now = self.unix_ms(tick);
        let (upload_id, part) = self.named(request);
        let signature = signature_of(request).and_then(|id| self.signatures.get(&id));
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

    /// The upload id and the part number that a data request is for.
    fn named(&self, request: &Request) -> (String, Option<u32>) {
        let query = Query::of(request.url.expose());
        let part = query.get("partNumber").and_then(|text| text.parse().ok());
        if let Some(upload_id) = query.get("uploadId") {
            return (upload_id.to_owned(), part);
        }
        let key = request.url.expose().rsplit('/').next().unwrap_or_default();
        let task = self.tasks.get(key).filter(|task| task.whole);
        (task.map(|task| task.upload_id.clone()).unwrap_or_default(), Some(1))
    }

    /// Takes one whole request in.
    pub fn serve(&mut self, tick: u64, request: &Request, body: &Stretch) -> Answer {
        let answer = match request.host() {
            STORAGE => self.put(request, body),
            _ => self.control(tick, request),
        };
        self.dated(tick, answer)
    }

    /// A signature was looked at before the body came.
    fn put(&mut self, request: &Request, body: &Stretch) -> Answer {
        let (upload_id, part) = self.named(request);
        let part = part.unwrap_or(0);
        match self.tasks.values_mut().find(|task| task.upload_id == upload_id && task.confirmed.is_none()) {
            Some(task) => task.parts.insert(part, body.clone()),
            None => return words::storage_error(404, "NoSuchUpload", "no"),
        };
        words::stored(body)
    }

    fn control(&mut self, tick: u64, request: &Request) -> Answer {
        let url = request.url.expose();
        let query = Query::of(url);
        if !query.get("access_token").is_some_and(|token| self.tokens.contains(token)) {
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
            ("file", Method::Post) if query.has("multipart") => self.start(tick, path, &query, &range, false),
            ("file", Method::Put) => self.start(tick, path, &query, &range, true),
            ("file", Method::Post) if query.has("renew") => self.renew(tick, path, &range),
            ("file", Method::Post) if query.has("confirm") => self.confirm(tick, path, &query, &range),
            ("file", Method::Get) if query.has("upload") => self.inspect(tick, path),
            ("file", Method::Delete) if query.has("upload") => match self.tasks.remove(path) {
                Some(_) => Answer { status: 204, ..Answer::default() },
                None => words::error(404, "UploadNotFound"),
            },
            _ => words::error(404, "RouteNotFound"),
        }
    }

    fn start(&mut self, tick: u64, path: &str, query: &Query, body: &serde_json::Value, whole: bool) -> Answer {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        if !self.dirs.contains(dir) {
            return words::error(404, "DirectoryNotFound");
        }
        let serial = self.serial();
        let key = format!("{serial:064x}");
        let upload = path.rsplit("/u").next().and_then(|name| name.strip_suffix(".bin")?.parse().ok()).unwrap_or(0);
        let strategy = query.get("conflict_resolution_strategy").unwrap_or("rename").to_owned();
        let upload_id = format!("up{serial}");
        self.tasks.insert(
            key.clone(),
            Task { upload, whole, upload_id, path: path.to_owned(), strategy, parts: BTreeMap::new(), confirmed: None },
        );
        words::json(201, &self.lease(tick, &key, body))
    }

    /// What start and renew answer.
    fn lease(&mut self, tick: u64, key: &str, body: &serde_json::Value) -> serde_json::Value {
        let now = self.unix_ms(tick);
        let task = self.tasks.get(key);
        let whole = task.is_some_and(|task| task.whole);
        let upload_id = task.map(|task| task.upload_id.clone()).unwrap_or_default();
        let until_unix_ms = now + (self.lease_ms * self.lease_real_percent / 100) as i64;
        let mut answer = json!({
            "domain": "cos.test", "path": format!("/obj/{key}"), "uploadId": upload_id, "confirmKey": key,
            "expiration": words::iso8601(now + self.lease_ms as i64), "availableDomainNum": 1,
        });
        if whole {
            answer["uploadId"].take();
        }
        let private = self.private && !whole;
        let mut sign = |part: Option<u32>| {
            let id = self.serial();
            let upload_id = upload_id.clone();
            self.signatures.insert(id, Signature { upload_id, part, from_unix_ms: now - 60_000, until_unix_ms });
            json!({"Authorization": format!("q-sign-{id}-{CANARY}"), "x-cos-traffic-limit": 819200})
        };
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
            Some(task) if task.whole => words::error(404, "NotMultipartUpload"),
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
        if task.whole {
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
        let Some(object) = self.objects.get(path) else { return Answer { status: 404, ..Answer::default() } };
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
            return match self.objects.get(place) {
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
        let taken = self.objects.contains_key(&place);
        match strategy.as_str() {
            "ask" if taken => return words::error(409, "SameNameDirectoryOrFileExists"),
            "rename" => {
                let bare = task.path.trim_end_matches(".bin");
                place = (0..)
                    .map(|n| if n == 0 { task.path.clone() } else { format!("{bare} ({n}).bin") })
                    .find(|place| !self.objects.contains_key(place))
                    .unwrap_or_default();
            }
            _ => {}
        }
        let object = Object { content, created_unix_ms: self.unix_ms(tick), upload: Some(task.upload) };
        self.made.push((task.upload, object.clone()));
        self.objects.insert(place.clone(), object.clone());
        if let Some(task) = self.tasks.get_mut(key) {
            task.confirmed = Some(place.clone());
        }
        words::json(200, &words::file(&place, &object, taken && strategy == "overwrite"))
    }
}
