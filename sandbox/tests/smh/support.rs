//! A small blocking client for the tests: just enough of the protocol, nothing of Partway.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use partway_sandbox::{Config, Sandbox};
use serde_json::Value;
use ureq::Agent;

pub(crate) const TOKEN: &str = "sandbox-token";
pub(crate) const MIB: usize = 1 << 20;

pub(crate) fn cloud() -> Sandbox {
    Sandbox::start(Config::default()).expect("the sandbox starts")
}

pub(crate) fn cloud_with(set: impl FnOnce(&mut Config)) -> Sandbox {
    let mut config = Config::default();
    set(&mut config);
    Sandbox::start(config).expect("the sandbox starts")
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(20)))
        .proxy(None)
        .build()
        .into()
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
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    pub(crate) fn status_is(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    pub(crate) fn says(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
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
    pub(crate) token: String,
}

impl<'a> Client<'a> {
    pub(crate) fn new(cloud: &'a Sandbox) -> Self {
        Self { cloud, agent: agent(), token: TOKEN.to_owned() }
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        let join = if rest.contains('?') { '&' } else { '?' };
        format!("{}/api/v1/{rest}{join}access_token={}", self.cloud.api_url(), self.token)
    }

    pub(crate) fn try_api(&self, method: &str, rest: &str, body: Option<Value>) -> Result<Reply, ureq::Error> {
        let bytes = body.as_ref().map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let headers: &[_] = if body.is_some() { &[("Content-Type", "application/json")] } else { &[] };
        call(&self.agent, method, &self.url(rest), headers, &bytes)
    }

    pub(crate) fn api(&self, method: &str, rest: &str, body: Option<Value>) -> Reply {
        self.try_api(method, rest, body).expect("an answer")
    }

    /// A call on the file or task of this name: `file("POST", "a.bin?multipart", None)`.
    pub(crate) fn file(&self, method: &str, rest: &str, body: Option<Value>) -> Reply {
        self.api(method, &format!("file/smh-sandbox/-/{rest}"), body)
    }

    pub(crate) fn begin(&self, path: &str) -> Value {
        self.begin_with(path, "")
    }

    /// `query` begins with `&`.
    pub(crate) fn begin_with(&self, path: &str, query: &str) -> Value {
        let reply = self.file("POST", &format!("{path}?multipart{query}"), None);
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()
    }

    pub(crate) fn try_part(&self, info: &Value, number: u32, bytes: &[u8]) -> Result<Reply, ureq::Error> {
        let upload_id = text(&info["uploadId"]);
        self.try_put(info, &headers_for(info, number), &format!("?partNumber={number}&uploadId={upload_id}"), bytes)
    }

    pub(crate) fn part(&self, info: &Value, number: u32, bytes: &[u8]) -> Reply {
        self.try_part(info, number, bytes).expect("an answer")
    }

    pub(crate) fn put(&self, info: &Value, bytes: &[u8]) -> Reply {
        self.try_put(info, &headers_for(info, 1), "", bytes).expect("an answer")
    }

    pub(crate) fn try_put(
        &self,
        info: &Value,
        headers: &[(String, String)],
        query: &str,
        bytes: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let scheme = self.cloud.api_url().split(':').next().unwrap_or("").to_owned();
        let path = text(&info["path"]);
        let slash = if path.starts_with('/') { "" } else { "/" };
        let url = format!("{scheme}://{}{slash}{path}{query}", text(&info["domain"]));
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        call(&self.agent, "PUT", &url, &headers, bytes)
    }

    pub(crate) fn confirm(&self, info: &Value) -> Reply {
        self.file("POST", &format!("{}?confirm", text(&info["confirmKey"])), None)
    }

    pub(crate) fn task(&self, info: &Value) -> Reply {
        self.file("GET", &format!("{}?upload", text(&info["confirmKey"])), None)
    }

    pub(crate) fn upload(&self, path: &str, bytes: &[u8]) -> Value {
        let info = self.begin(path);
        for (n, part) in bytes.chunks(MIB).enumerate() {
            let reply = self.part(&info, n as u32 + 1, part);
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        let reply = self.confirm(&info);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}

pub(crate) fn headers_for(info: &Value, number: u32) -> Vec<(String, String)> {
    let headers = match &info["parts"][number.to_string()]["headers"] {
        Value::Null => &info["headers"],
        headers => headers,
    };
    let value = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    headers.as_object().expect("headers").iter().map(|(n, v)| (n.clone(), value(v))).collect()
}

/// Bytes that no two offsets share by accident.
pub(crate) fn bytes(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut all = Vec::with_capacity(size + 8);
    while all.len() < size {
        all.extend_from_slice(&next());
    }
    all.truncate(size);
    all
}

pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = !0_u64;
    for byte in bytes {
        crc ^= u64::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xC96C_5795_D787_0F42 } else { crc >> 1 };
        }
    }
    !crc
}

/// A connection without manners.
pub(crate) struct Wire {
    pub(crate) tcp: TcpStream,
}

impl Wire {
    pub(crate) fn open(to: SocketAddr) -> Self {
        let tcp = TcpStream::connect(to).expect("a connection");
        tcp.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        Self { tcp }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.tcp.write_all(bytes)
    }

    /// What comes until the end, and how it ends.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, std::io::Result<()>) {
        let mut all = Vec::new();
        let end = self.tcp.read_to_end(&mut all).map(drop);
        (all, end)
    }

    /// What comes until it holds this text.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut all = Vec::new();
        let mut byte = [0];
        while !all.ends_with(text.as_bytes()) {
            match self.tcp.read(&mut byte) {
                Ok(1) => all.push(byte[0]),
                other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&all)),
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }
}
