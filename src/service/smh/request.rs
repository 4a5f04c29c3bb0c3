//! The requests of the control plane (smh §1.3). The order of parameters is fixed, so that fixtures can compare text.

use serde::Serialize;

use crate::{
    hash::CHAIN_BLOCK_BYTES,
    model::{
        Conflict, Part, PartPlan,
        http::{Body, Method, Request},
    },
    redact::Secret,
    service::{
        Caller, Content, Proof, encode, iso8601,
        smh::{
            learnt::Numbers,
            place::Place,
            session::{Deployment, Mode, Task},
        },
    },
};

/// Longest control answer that is read.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Longest answer with a lease for 100 parts.
const LEASE_BYTES_MAX: usize = 1 << 20;
/// Longest list of 10,000 parts.
const LIST_BYTES_MAX: usize = 4 << 20;
/// How long a control answer may take.
const PATIENCE_MS: u64 = 60_000;
/// How long complete may take: the service puts the parts together.
const COMPLETE_PATIENCE_MS: u64 = 180_000;
/// Most part numbers that one start or renewal may name (smh §3.3).
pub(super) const SIGN_PARTS_MAX: usize = 100;

/// A URL with its query in the making.
struct Url(String);

impl Url {
    /// A bare flag (smh §1.1).
    fn flag(self, name: &str) -> Url {
        self.append(name)
    }

    fn pair(self, name: &str, value: &str) -> Url {
        self.append(&format!("{name}={}", encode::component(value)))
    }

    fn maybe(self, name: &str, value: Option<String>) -> Url {
        match value {
            Some(value) => self.pair(name, &value),
            None => self,
        }
    }

    fn append(mut self, text: &str) -> Url {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(text);
        self
    }
}

/// The body of start, renew and complete (smh §1.4, §3.3, §7.1); no field, no body.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Words<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    part_number_range: Option<Range>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beginning_hash: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_creation_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_modification_time: Option<String>,
}

impl<'a> Words<'a> {
    /// What the caller wants to be known of the file.
    fn of(place: &'a Place) -> Words<'a> {
        let target = &place.target;
        Words {
            labels: &target.labels,
            category: target.category.as_deref(),
            local_creation_time: target.created_unix_ms.and_then(iso8601::format),
            local_modification_time: target.modified_unix_ms.and_then(iso8601::format),
            ..Words::default()
        }
    }

    fn into_body(self) -> Body {
        // Texts and lists of texts always become JSON.
        let text = serde_json::to_string(&self).unwrap_or_default();
        if text.len() <= "{}".len() { Body::Empty } else { Body::Bytes(text.into_bytes()) }
    }
}

/// Part numbers, one way or the other (smh §3.3).
#[derive(Serialize)]
#[serde(untagged)]
enum Range {
    Text(String),
    List(Vec<u32>),
}

/// At most [`SIGN_PARTS_MAX`] part numbers.
fn part_number_range(said: Numbers, numbers: impl Iterator<Item = u32>) -> Range {
    let numbers = numbers.take(SIGN_PARTS_MAX);
    match said {
        Numbers::Text => Range::Text(ranges(numbers)),
        Numbers::List => Range::List(numbers.collect()),
    }
}

/// As the SDKs say them: `1,8-10,20`.
fn ranges(numbers: impl Iterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let say = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(say).collect::<Vec<_>>().join(",")
}

/// How the numbers of the parts are said, where each is signed on its own: what an answer showed wins over what the caller said.
fn numbers(place: &Place, task: Option<&Task>) -> Option<Numbers> {
    let learnt = place.learnt.numbers();
    match task.and_then(|task| Some((task.deployment?, task.numbers))) {
        Some((Deployment::Public, _)) => None,
        Some((Deployment::Private, said)) => Some(learnt.filter(|learnt| !learnt.is_text()).unwrap_or(said)),
        None => learnt,
    }
}

/// The strategy's parameters (smh §1.4, §7.4). What the service has no word for is asked.
fn with_conflict(url: Url, conflict: &Conflict) -> (Url, Option<String>) {
    let (strategy, content_cas) = match conflict {
        Conflict::Ask | Conflict::Refuse | Conflict::KeepIfSame => ("ask", None),
        Conflict::Rename => ("rename", None),
        Conflict::Overwrite { if_version } => ("overwrite", if_version.clone()),
    };
    (url.pair("conflict_resolution_strategy", strategy), content_cas)
}

/// The tag to be replaced, and the wish for the new one.
fn with_content_cas(url: Url, content_cas: Option<String>) -> Url {
    match content_cas {
        Some(tag) => url.pair("content_cas", &tag).pair("with_content_cas", "1"),
        None => url,
    }
}

impl Place {
    fn file_url(&self, path: &str) -> Url {
        Url(format!("{}/file/{}/{path}", self.api, self.space))
    }

    fn task_url(&self, task: &Task) -> Url {
        self.file_url(&encode::component(&task.confirm_key))
    }

    fn directory_url(&self, path: &str) -> Url {
        Url(format!("{}/directory/{}/{path}", self.api, self.space))
    }

    /// Who asks.
    fn with_caller(&self, url: Url, caller: Caller<'_>) -> Url {
        url.pair("access_token", caller.credential.value()).maybe("user_id", self.target.user_id.clone())
    }

    fn request(&self, method: Method, url: Url, body: Body) -> Request {
        let headers = match body {
            Body::Empty => Vec::new(),
            _ => vec![("Content-Type".to_owned(), Secret::new("application/json"))],
        };
        Request {
            method,
            url: Secret::new(url.0),
            headers,
            body,
            answer_bytes_max: ANSWER_BYTES_MAX,
            patience_ms: PATIENCE_MS,
            expect_continue: false,
            to_sign: None,
        }
    }

    /// smh §2, §3.1, §3.2, §3.3, and with hashes §9.2.
    pub(super) fn begin(
        &self,
        caller: Caller<'_>,
        plan: &PartPlan,
        conflict: &Conflict,
        content: &Content,
        taken: bool,
    ) -> Request {
        let target = &self.target;
        let mode = Mode::of(target.mode, plan.parts_total());
        let url = self.file_url(&self.path);
        let (method, url) = match mode {
            Mode::Simple => (Method::Put, url),
            Mode::Form => (Method::Post, url),
            Mode::Multipart => (Method::Post, url.flag("multipart")),
        };
        // Nothing smaller is recognised (smh §9.1).
        let beginning_hash = content.beginning_hash.as_deref().filter(|_| plan.size_bytes >= CHAIN_BLOCK_BYTES);
        let full_hash = beginning_hash.and(content.full_hash.as_deref());
        // One that may make the file makes it under its own name or not at all: else one that comes late, or twice, makes a second under another.
        let may_make = full_hash.is_some() && !taken && *conflict == Conflict::Rename;
        let (url, content_cas) = with_conflict(url, if may_make { &Conflict::Ask } else { conflict });
        let url = url
            .pair("filesize", &plan.size_bytes.to_string())
            .maybe("traffic_limit", target.traffic_limit_bytes_per_s.map(|limit| limit.to_string()))
            .maybe("prefer_same_origin", target.prefer_same_origin.then(|| "true".to_owned()));
        let url = self.with_caller(with_content_cas(url, content_cas), caller);
        let said = numbers(self, None).filter(|_| mode == Mode::Multipart);
        let words = Words {
            part_number_range: said.map(|said| part_number_range(said, 1..=plan.parts_total())),
            full_hash,
            size: beginning_hash.map(|_| plan.size_bytes.to_string()),
            beginning_hash,
            ..Words::of(self)
        };
        let mut request = self.request(method, url, words.into_body());
        let meta = target.meta.iter();
        request
            .headers
            .extend(meta.map(|(key, value)| (format!("x-smh-meta-{key}"), Secret::new(encode::header_value(value)))));
        request.answer_bytes_max = LEASE_BYTES_MAX;
        request
    }

    /// smh §1.3: all levels of it. Under the root there is nothing to create: then it looks at the root, which changes nothing.
    pub(super) fn create_parent(&self, caller: Caller<'_>) -> Request {
        let (method, url) = match &self.parent {
            Some(parent) => (Method::Put, self.directory_url(parent)),
            None => (Method::Get, self.directory_url("").flag("info")),
        };
        self.request(method, self.with_caller(url, caller), Body::Empty)
    }

    /// smh §5.
    pub(super) fn sign(&self, caller: Caller<'_>, task: &Task, parts: &[Part]) -> Request {
        let limit = self.target.traffic_limit_bytes_per_s.map(|limit| limit.to_string());
        let url = self.with_caller(self.task_url(task).flag("renew"), caller).maybe("traffic_limit", limit);
        let parts = parts.iter().map(|part| part.part_number);
        let words = Words {
            part_number_range: numbers(self, Some(task)).map(|said| part_number_range(said, parts)),
            ..Words::default()
        };
        let mut request = self.request(Method::Post, url, words.into_body());
        request.answer_bytes_max = LEASE_BYTES_MAX;
        request
    }

    /// smh §6. The private deployment refuses to sign here.
    pub(super) fn inspect(&self, caller: Caller<'_>, task: &Task) -> Request {
        let no_lease = numbers(self, Some(task)).map(|_| "1".to_owned());
        let url = self.with_caller(self.task_url(task).flag("upload"), caller).maybe("no_upload_part_info", no_lease);
        let mut request = self.request(Method::Get, url, Body::Empty);
        request.answer_bytes_max = LIST_BYTES_MAX;
        request
    }

    /// smh §1.3.
    pub(super) fn probe(&self, caller: Caller<'_>) -> Request {
        self.request(Method::Head, self.with_caller(self.file_url(&self.path), caller), Body::Empty)
    }

    /// smh §7, §7.1.
    pub(super) fn complete(&self, caller: Caller<'_>, task: &Task, proof: &Proof) -> Request {
        let (url, content_cas) = with_conflict(self.task_url(task).flag("confirm"), &proof.conflict);
        let url = self.with_caller(with_content_cas(url, content_cas), caller);
        let words = Words { crc64: Some(proof.crc64.to_string()), ..Words::of(self) };
        let mut request = self.request(Method::Post, url, words.into_body());
        request.patience_ms = COMPLETE_PATIENCE_MS;
        request
    }

    /// smh §8.
    pub(super) fn abort(&self, caller: Caller<'_>, task: &Task) -> Request {
        let url = self.with_caller(self.task_url(task).flag("upload"), caller);
        self.request(Method::Delete, url, Body::Empty)
    }
}
