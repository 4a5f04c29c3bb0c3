//! The JSON body of a start or a confirm (smh §1.4, §7.1).

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::task::About;
use crate::head::Head;

/// An API body as an object; no body is an empty one.
pub(crate) fn object(head: &Head, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let bad = |why: String| Refusal::new(400, "BadRequest", why);
    if !head.header("content-type").is_some_and(|t| t.starts_with("application/json")) {
        return Err(bad("a body needs Content-Type: application/json".to_owned()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(bad("the body is not a JSON object".to_owned())),
        Err(error) => Err(bad(format!("the body is not JSON: {error}"))),
    }
}

pub(crate) fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::param(format!("`{name}` is not a string"))),
    }
}

/// A number that SDKs send as a number or as a string.
pub(crate) fn number(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    let number = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    number.map(Some).ok_or_else(|| Refusal::param(format!("`{name}` is not a whole number")))
}

/// What the client says about the file.
pub(crate) fn about(head: &Head, object: &Map<String, Value>) -> Result<About, Refusal> {
    let labels = match object.get("labels") {
        None | Some(Value::Null) => None,
        Some(Value::Array(labels)) => {
            let labels: Option<Vec<String>> = labels.iter().map(|l| Some(l.as_str()?.to_owned())).collect();
            Some(labels.ok_or_else(|| Refusal::param("`labels` holds something that is not a string"))?)
        }
        Some(_) => return Err(Refusal::param("`labels` is not an array")),
    };
    let metadata = head.headers().filter_map(|(n, v)| Some((n.strip_prefix("x-smh-meta-")?.to_owned(), v.to_owned())));
    Ok(About {
        metadata: metadata.collect(),
        labels,
        category: text(object, "category")?,
        local_creation_time: time(object, "localCreationTime")?,
        local_modification_time: time(object, "localModificationTime")?,
    })
}

fn time(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match text(object, name)? {
        Some(time) if !is_iso8601(&time) => {
            Err(Refusal::new(400, "InvalidTimeFormat", format!("`{name}` is not ISO 8601 with a zone")))
        }
        time => Ok(time),
    }
}

/// `2022-07-26T02:58:09Z`, with a fraction or an offset if need be.
fn is_iso8601(text: &str) -> bool {
    let (Some(stem), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let shape = stem.bytes().zip(*b"0000-00-00T00:00:00").all(|(c, like)| match like {
        b'0' => c.is_ascii_digit(),
        _ => c == like,
    });
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
    let zone = rest == "Z"
        || rest.strip_prefix(['+', '-']).and_then(|z| z.split_once(':')).is_some_and(|(h, m)| digits(h) && digits(m));
    shape && zone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_zone() {
        for good in ["2022-07-26T02:58:09Z", "2022-07-26T02:58:09.123Z", "2022-07-26T02:58:09+08:00"] {
            assert!(is_iso8601(good), "{good}");
        }
        for bad in ["2022-07-26T02:58:09", "2022-07-26 02:58:09Z", "2022-07-26T02:58:09.Z", "1658804289", ""] {
            assert!(!is_iso8601(bad), "{bad}");
        }
    }
}
