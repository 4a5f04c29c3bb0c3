//! An HTTP answer before it is written, by hyper or byte by byte.

use std::fs::File;

use serde_json::Value;

/// An answer, complete but for the headers that every answer carries.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Payload,
}

#[derive(Debug)]
pub(crate) enum Payload {
    Bytes(Vec<u8>),
    /// A file and its size. Only the control interface gives one.
    File(File, u64),
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Payload::Bytes(Vec::new()) }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: String) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: Payload::Bytes(body.into_bytes()) }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value.into());
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }

    /// The answer as it stands on the wire, for the cases in which hyper is too well-behaved. It ends the connection.
    pub(crate) fn to_wire(&self, head_only: bool) -> Vec<u8> {
        let body: &[u8] = match &self.body {
            Payload::Bytes(bytes) => bytes,
            Payload::File(..) => &[],
        };
        let mut wire = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            wire.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 {
            wire.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        wire.push_str("Connection: close\r\n\r\n");
        let mut wire = wire.into_bytes();
        if !head_only && self.status != 204 {
            wire.extend_from_slice(body);
        }
        wire
    }
}

pub(crate) fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Unknown")
}
