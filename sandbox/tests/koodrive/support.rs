//! A small blocking client for the tests: just enough of the protocol, nothing of Partway.

use std::time::Duration;

use partway_sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use ureq::Agent;

pub(crate) const TOKEN: &str = "Bearer sandbox-token";
pub(crate) const USER: &str = "1505084218764547200";
pub(crate) const PART: usize = 5 << 20;

/// Of the 20 MiB file of `vector`.
pub(crate) const SHA256: &str = "99254018a4506cae413a471f8b9d968a1ab1771565f3247b6e1c3f927e9a572f";
pub(crate) const PRE_HASH: &str = "2bce1ba628720664be4b9fdd77aae0678e5f0f3f02fc6ff641ec879094f6a404";
pub(crate) const CONTEXTS: [[u32; 8]; 3] = [
    [3421553783, 3807075027, 1869373043, 2340992472, 2724404595, 3434595078, 1034840972, 91544355],
    [1744763919, 1351919588, 2915394129, 3958360420, 846895982, 2808795539, 1859941231, 608676324],
    [2280063797, 3668803770, 1733653544, 3263184129, 3980569700, 3653570809, 860164225, 1017836532],
];

/// 20 MiB whose midstates are published.
pub(crate) fn vector() -> Vec<u8> {
    pattern(4 * PART)
}

pub(crate) fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

/// A part of `vector`, from 1, with its context.
pub(crate) fn vector_part(number: usize) -> Value {
    let mut part = json!({ "partNumber": number, "partSize": PART, "partOffset": (number - 1) * PART });
    if number > 1 {
        part["hashCtx"] = json!(CONTEXTS[number - 2]);
    }
    part
}

pub(crate) fn cloud() -> Sandbox {
    Sandbox::start(Config::default()).expect("the sandbox starts")
}

pub(crate) fn cloud_with(set: impl FnOnce(&mut Config)) -> Sandbox {
    let mut config = Config::default();
    set(&mut config);
    Sandbox::start(config).expect("the sandbox starts")
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The code of an error body, JSON or XML.
    pub(crate) fn code(&self) -> String {
        if let Some((_, rest)) = self.body.split_once("<Code>") {
            return rest.split('<').next().unwrap_or("").to_owned();
        }
        let body = self.json();
        match &body["code"] {
            Value::Null => body["error_code"].as_str().unwrap_or("").to_owned(),
            code => code.to_string(),
        }
    }

    pub(crate) fn good(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.json();
        assert_eq!(body["code"], json!(0), "{self:?}");
        body
    }

    pub(crate) fn status_is(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    pub(crate) fn says(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
    }

    /// 400 with a number.
    pub(crate) fn refuses(&self, code: u32) {
        self.says(400, &code.to_string());
    }
}

pub(crate) fn call(
    agent: &Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply, ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(body.to_vec()).expect("a request"))?;
    let headers = response.headers().iter();
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap_or("").to_owned())).collect();
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string()?;
    Ok(Reply { status, headers, body })
}

/// A client of one sandbox.
pub(crate) struct Client<'a> {
    pub(crate) cloud: &'a Sandbox,
    pub(crate) agent: Agent,
}

impl<'a> Client<'a> {
    pub(crate) fn new(cloud: &'a Sandbox) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .proxy(None)
            .build()
            .into();
        Self { cloud, agent }
    }

    pub(crate) fn try_api(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Reply, ureq::Error> {
        let url = format!("{}/koodrive/ose/v1/{path}", self.cloud.koodrive_url());
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        call(&self.agent, "POST", &url, &headers, body.to_string().as_bytes())
    }

    pub(crate) fn api(&self, path: &str, body: Value) -> Reply {
        self.try_api(path, &[("Authorization", TOKEN)], &body).expect("an answer")
    }

    pub(crate) fn container(&self) -> String {
        self.cloud.config().koodrive.container.clone()
    }

    /// What create needs, and these parts.
    pub(crate) fn wanted(&self, name: &str, length: usize, parts: Value) -> Value {
        json!({
            "fileName": name, "fileType": "45", "parentFolder": ["root"], "length": length, "uploadMode": "multipart",
            "uploadType": 1, "autoRename": 2, "containerId": self.container(), "multiParts": parts,
        })
    }

    pub(crate) fn create(&self, body: Value) -> Reply {
        self.api("files/create", body)
    }

    /// A file of one part.
    pub(crate) fn create_small(&self, name: &str, length: usize) -> Value {
        let parts = json!([{ "partNumber": 1, "partSize": length, "partOffset": 0 }]);
        self.create(self.wanted(name, length, parts)).good()
    }

    pub(crate) fn create_vector(&self, name: &str) -> Value {
        let parts = (1..=4).map(vector_part).collect();
        let mut body = self.wanted(name, 4 * PART, parts);
        body["sha256"] = json!(SHA256);
        self.create(body).good()
    }

    pub(crate) fn renew(&self, created: &Value, parts: Value) -> Reply {
        self.api("files/multipart/uploadUrl", json!({ "fileId": created["fileId"], "multiParts": parts }))
    }

    pub(crate) fn try_put(&self, url: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Result<Reply, ureq::Error> {
        call(&self.agent, "PUT", url, headers, bytes)
    }

    pub(crate) fn put(&self, url: &str, bytes: &[u8]) -> Reply {
        self.try_put(url, &[("Content-Type", "application/octet-stream")], bytes).expect("an answer")
    }

    pub(crate) fn complete(&self, created: &Value) -> Reply {
        self.api("files/complete", json!({ "fileId": created["fileId"] }))
    }

    pub(crate) fn detail(&self, created: &Value) -> Reply {
        let path = format!("files/{}/detail", text(&created["fileId"]));
        self.api(&path, json!({ "containerId": self.container() }))
    }

    pub(crate) fn upload_small(&self, name: &str, bytes: &[u8]) -> Value {
        let created = self.create_small(name, bytes.len());
        self.put(&url_of(&created, 1), bytes).status_is(200);
        self.complete(&created).good();
        created
    }

    pub(crate) fn upload_vector(&self, name: &str) -> Value {
        let created = self.create_vector(name);
        for (n, part) in vector().chunks(PART).enumerate() {
            self.put(&url_of(&created, n + 1), part).status_is(200);
        }
        self.complete(&created).good();
        created
    }
}

/// The link of a part in an answer of create or uploadUrl.
pub(crate) fn url_of(answer: &Value, number: usize) -> String {
    let parts = answer["multiParts"].as_array().expect("parts");
    let part = parts.iter().find(|part| part["partNumber"] == json!(number));
    text(&part.unwrap_or_else(|| panic!("part {number} of {answer}"))["uploadUrl"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
