//! KooDrive's way of saying no (koodrive §5, §9).

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::faults::Plane;
use crate::store::NotTaken;

/// KooDrive's way of saying no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Code,
    pub(crate) message: String,
    /// More elements of the storage's XML.
    pub(crate) more: Vec<(&'static str, String)>,
}

/// Who says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
    /// The service: a number.
    Business(u32),
    /// The gateway before it.
    Gateway(String),
    /// The storage.
    Storage(String),
}

impl Refusal {
    /// 400 with a number of the table.
    pub(crate) fn business(code: u32, message: impl Into<String>) -> Self {
        Self { status: 400, code: Code::Business(code), message: message.into(), more: Vec::new() }
    }

    /// 13000102
    pub(crate) fn param(message: impl Into<String>) -> Self {
        Self::business(13_000_102, message)
    }

    pub(crate) fn no_task() -> Self {
        Self::business(13_000_401, "the upload task does not exist")
    }

    pub(crate) fn integrity(why: &str) -> Self {
        Self::business(13_000_402, format!("integrity check failed: {why}"))
    }

    pub(crate) fn is_integrity(&self) -> bool {
        self.code == Code::Business(13_000_402)
    }

    pub(crate) fn gateway(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: Code::Gateway(code.to_owned()), message: message.into(), more: Vec::new() }
    }

    pub(crate) fn storage(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: Code::Storage(code.to_owned()), message: message.into(), more: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.more.push((name, text.into()));
        self
    }

    /// Something broke in the sandbox itself, a full disk for one.
    pub(crate) fn broken(error: &std::io::Error) -> Self {
        Self { status: 500, ..Self::business(13_000_201, format!("sandbox: {error}")) }
    }

    /// The refusal of a fault, whose code tells who says it.
    pub(crate) fn made_up(plane: Plane, status: u16, code: Option<String>, message: Option<String>) -> Self {
        let code = code.unwrap_or_else(|| usual_code(plane, status).to_owned());
        let message = message.unwrap_or_else(|| "made up by a rule".to_owned());
        let code = match code.parse() {
            _ if plane == Plane::Data => Code::Storage(code),
            Ok(number) => Code::Business(number),
            Err(_) => Code::Gateway(code),
        };
        Self { status, code, message, more: Vec::new() }
    }

    pub(crate) fn answer(&self, request_id: &str, as_200: bool, code_as_string: bool) -> Answer {
        match &self.code {
            Code::Business(code) => {
                let status = if as_200 { 200 } else { self.status };
                Answer::json(status, &json!({ "code": code_value(*code, code_as_string), "msg": self.message }))
            }
            Code::Gateway(code) => {
                let body = json!({ "error_code": code, "error_msg": self.message, "request_id": request_id });
                Answer::json(self.status, &body)
            }
            Code::Storage(code) => {
                let mut elements = vec![("Code", code.as_str()), ("Message", &self.message), ("RequestId", request_id)];
                elements.push(("HostId", "c2FuZGJveA=="));
                elements.extend(self.more.iter().map(|(name, text)| (*name, text.as_str())));
                let element = |(name, text): (&str, &str)| format!("<{name}>{}</{name}>", escaped(text));
                let elements: String = elements.into_iter().map(element).collect();
                let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
                Answer::text(self.status, "application/xml", format!("{head}\n<Error>{elements}</Error>"))
            }
        }
    }
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        let (status, code, message) = why.told();
        Self::storage(status, code, message)
    }
}

/// A `code`, in the type that a switch chooses.
pub(crate) fn code_value(code: u32, as_string: bool) -> Value {
    if as_string { json!(code.to_string()) } else { json!(code) }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The usual code of a status, for faults that name none.
fn usual_code(plane: Plane, status: u16) -> &'static str {
    match (plane, status) {
        (Plane::Data, 400) => "InvalidRequest",
        (Plane::Data, 403) => "AccessDenied",
        (Plane::Data, 404) => "NoSuchUpload",
        (Plane::Data, 500) => "InternalError",
        (Plane::Data, 503) => "SlowDown",
        (Plane::Data, _) => "InternalError",
        (_, 400) => "13000101",
        (_, 500) => "13000201",
        (_, 401) => "APIGW.0301",
        (_, 403) => "APIGW.0302",
        (_, 404) => "APIGW.0101",
        (_, 429) => "APIG.0308",
        _ => "APIGW.0201",
    }
}
