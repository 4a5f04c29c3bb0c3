//! Words of services and storages: bodies, queries, times.

use partway::model::http::Answer;
use serde_json::{Value, json};

use super::{cloud::Object, content::Stretch};

/// The parameters of a URL.
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn of(url: &str) -> Query {
        let pairs = url.split_once('?').map_or("", |(_, query)| query).split('&');
        Query(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (k.into(), v.into())).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

pub fn json(status: u16, body: &Value) -> Answer {
    Answer { status, headers: vec![("content-type".into(), "application/json".into())], body: body.to_string().into() }
}

pub fn error(status: u16, code: &str) -> Answer {
    json(status, &json!({"code": code, "message": "as told", "requestId": "r-1"}))
}

pub fn storage_error(status: u16, code: &str, message: &str) -> Answer {
    let body = format!("<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer { status, headers: vec![("content-type".into(), "application/xml".into())], body: body.into() }
}

/// Something in between answers, not the service.
pub fn page(status: u16) -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Answer { status, headers, body: b"<html>oops</html>".into() }
}

/// True for such a page.
pub fn is_page(answer: &Answer) -> bool {
    answer.body.starts_with(b"<html>")
}

pub fn listed(number: u32, part: &Stretch) -> Value {
    json!({"PartNumber": number, "ETag": format!("\"{}\"", part.md5()), "Size": part.len()})
}

/// smh §7.3.
pub fn file(place: &str, object: &Object, overwritten: bool) -> Value {
    json!({
        "path": place.split('/').collect::<Vec<_>>(), "name": place.rsplit('/').next(), "type": "file",
        "creationTime": iso8601(object.created_unix_ms), "size": object.content.len().to_string(),
        "crc64": object.content.crc64().to_string(), "isOverwritten": overwritten,
    })
}

/// `1,8-10,20`.
pub fn part_numbers(text: &str) -> Vec<u32> {
    let mut numbers = vec![];
    for piece in text.split(',').filter(|piece| !piece.is_empty()) {
        let (first, last) = piece.split_once('-').unwrap_or((piece, piece));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            numbers.extend(first..=last);
        }
    }
    numbers
}

/// Days to a date by Howard Hinnant's algorithm.
pub fn iso8601(unix_ms: i64) -> String {
    let (days, ms) = (unix_ms.div_euclid(86_400_000), unix_ms.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{:03}Z", ms % 1_000)
}

/// `20251103T070140Z`, in seconds since 1970.
pub fn basic_seconds(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (y, m) = (if month <= 2 { year - 1 } else { year }, (month + 9) % 12);
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719_468;
    Some(days * 86_400 + number(9..11)? * 3_600 + number(11..13)? * 60 + number(13..15)?)
}

/// The other way round.
pub fn basic(unix_ms: i64) -> String {
    iso8601(unix_ms)[..19].replace(['-', ':'], "") + "Z"
}
