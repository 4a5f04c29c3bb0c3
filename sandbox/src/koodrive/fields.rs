//! The JSON body of a call, field by field.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::head::Head;

/// The JSON body of a call.
#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    pub(crate) fn of(head: &Head, body: &[u8]) -> Result<Self, Refusal> {
        let bad = |why: String| Refusal::business(13_000_101, why);
        if !head.header("content-type").is_some_and(|t| t.starts_with("application/json")) {
            return Err(bad("the body needs Content-Type: application/json".to_owned()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(bad("the body is not a JSON object".to_owned())),
            Err(error) => Err(bad(format!("the body is not JSON: {error}"))),
        }
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::param(format!("`{name}` is not a string"))),
        }
    }

    /// A string that is there and not empty.
    pub(crate) fn some_text(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)?.filter(|t| !t.is_empty()).ok_or_else(|| missing(name))
    }

    /// A whole number as JSON writes numbers.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(value) => {
                value.as_u64().map(Some).ok_or_else(|| Refusal::param(format!("`{name}` is not a whole number")))
            }
        }
    }

    pub(crate) fn some_number(&self, name: &str) -> Result<u64, Refusal> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(Refusal::param(format!("`{name}` is not an array"))),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::param(format!("`{name}` is not a boolean"))),
        }
    }

    /// A SHA-256 in lower-case hex.
    pub(crate) fn digest(&self, name: &str) -> Result<Option<String>, Refusal> {
        match self.text(name)? {
            Some(hex) if hex.len() != 64 || !hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) => {
                Err(Refusal::param(format!("`{name}` is not a SHA-256 in lower-case hex")))
            }
            digest => Ok(digest),
        }
    }
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::param(format!("`{name}` is missing"))
}
