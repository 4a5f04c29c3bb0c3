//! The data plane: POST of a form (smh §3.1). Fields first, then the file, last.

use bytes::{Buf, BytesMut};

use super::data::{Stop, check_framing, check_time, store_part, stored};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::body::Body;
use crate::exchange::Exchange;
use crate::store::Receiver;

/// All that stands before the file.
const PREAMBLE_BYTES_MAX: usize = 64 * 1024;

pub(crate) async fn post(exchange: &Exchange, body: &mut Body) -> Result<Answer, Stop> {
    let size_max = exchange.shared.world().switches.put_size_bytes_max;
    check_framing(exchange, size_max.saturating_add(PREAMBLE_BYTES_MAX as u64))?;
    let boundary = exchange.head.header("content-type").and_then(boundary);
    let mut form = Form::new(&boundary.ok_or_else(|| malformed("Content-Type is not multipart/form-data"))?, body);
    let fields = form.fields().await?;
    let (path, mut receiver) = accept(exchange, &fields)?;
    form.file(&mut receiver).await?;
    let received = receiver.finish(exchange.shared.clock.now_ms())?;
    let part = received.part.clone();
    if let Some(task) = exchange.shared.world().smh.tasks.of_object(&path).filter(|t| t.is_open()) {
        store_part(task, 1, received.keep());
    }
    exchange.shared.log.wake();
    let location = format!("{}{path}", exchange.shared.domain());
    Ok(stored(exchange, 204, &part).with("Location", location))
}

/// What the fields tell, before the file is read.
fn accept(exchange: &Exchange, fields: &[(String, String)]) -> Result<(String, Receiver), Refusal> {
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let key = field("key").ok_or_else(|| malformed("the field `key` is missing"))?;
    let path = format!("/{key}");
    let world = &mut *exchange.shared.world();
    let signed = world.smh.signer.check_form(field, &path)?;
    check_time(exchange, world, &path, signed)?;
    if field("acl").as_deref() != Some("default") || field("Content-Type").is_none() {
        return Err(Refusal::new(403, "AccessDenied", "the form does not satisfy its policy"));
    }
    let known = ["key", "acl", "Content-Type", "policy", "x-cos-security-token", "success_action_status"];
    if let Some((name, _)) = fields.iter().find(|(n, _)| !known.contains(&n.as_str()) && !n.starts_with("q-")) {
        return Err(Refusal::new(403, "AccessDenied", format!("the policy does not allow the field {name}")));
    }
    let (discard, size_max) = (world.switches.discard, world.switches.put_size_bytes_max);
    Ok((path, Receiver::new(&world.store.place, discard, size_max, None)?))
}

struct Form<'a> {
    body: &'a mut Body,
    /// CR LF, two hyphens and the boundary.
    delimiter: Vec<u8>,
    buffer: BytesMut,
}

impl<'a> Form<'a> {
    fn new(boundary: &str, body: &'a mut Body) -> Self {
        // The first delimiter has no line before it; this lends it one.
        Self { body, delimiter: format!("\r\n--{boundary}").into_bytes(), buffer: BytesMut::from(b"\r\n".as_slice()) }
    }

    /// The fields before `file`.
    async fn fields(&mut self) -> Result<Vec<(String, String)>, Stop> {
        let mut fields = Vec::new();
        let delimiter = self.delimiter.clone();
        self.until(&delimiter, PREAMBLE_BYTES_MAX).await?;
        let mut left = PREAMBLE_BYTES_MAX;
        loop {
            let head = self.until(b"\r\n\r\n", left).await?;
            let head = String::from_utf8(head).map_err(|_| malformed("a part's head is not UTF-8"))?;
            let name = field_name(&head).ok_or_else(|| malformed("a part has no name"))?;
            if name == "file" {
                return Ok(fields);
            }
            let value = self.until(&delimiter, left).await?;
            left = left.saturating_sub(head.len() + value.len());
            let value = String::from_utf8(value).map_err(|_| malformed("a field is not UTF-8"))?;
            fields.push((name, value));
            if self.buffer.starts_with(b"--") {
                return Err(Refusal::new(400, "IncorrectNumberOfFilesInPostRequest", "the file is missing").into());
            }
        }
    }

    /// Reads to `mark` and past it; gives what stands before it.
    async fn until(&mut self, mark: &[u8], max: usize) -> Result<Vec<u8>, Stop> {
        loop {
            if let Some(at) = find(&self.buffer, mark).filter(|at| *at <= max) {
                let before = self.buffer.split_to(at).to_vec();
                self.buffer.advance(mark.len());
                // What follows a delimiter tells whether it was the last.
                while self.buffer.len() < 2 {
                    self.more().await?;
                }
                return Ok(before);
            }
            if self.buffer.len() > max {
                let why = "what stands before the file is too long";
                return Err(Refusal::new(400, "MaxPostPreDataLengthExceededError", why).into());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Stop> {
        match self.body.chunk().await? {
            Some(chunk) => self.buffer.extend_from_slice(&chunk),
            None => return Err(malformed("the form ends before its last delimiter").into()),
        }
        Ok(())
    }

    /// The file, which must be last.
    async fn file(&mut self, receiver: &mut Receiver) -> Result<(), Stop> {
        loop {
            if let Some(at) = find(&self.buffer, &self.delimiter) {
                receiver.take(&self.buffer[..at])?;
                self.buffer.advance(at + self.delimiter.len());
                break;
            }
            let safe = self.buffer.len().saturating_sub(self.delimiter.len());
            receiver.take(&self.buffer[..safe])?;
            self.buffer.advance(safe);
            self.more().await?;
        }
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if !self.buffer.starts_with(b"--") {
            return Err(malformed("the file is not the last field").into());
        }
        self.body.skip().await?;
        Ok(())
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let first = *mark.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        if bytes[from + at..].starts_with(mark) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn boundary(content_type: &str) -> Option<String> {
    let parameters = content_type.strip_prefix("multipart/form-data")?;
    let value = parameters.split(';').find_map(|p| p.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned()).filter(|b| (1..=70).contains(&b.len()))
}

fn field_name(head: &str) -> Option<String> {
    let line = head.lines().find(|l| l.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let after = line.split(';').find_map(|p| p.trim().strip_prefix("name="))?;
    Some(after.trim_matches('"').to_owned())
}

fn malformed(why: &str) -> Refusal {
    Refusal::new(400, "MalformedPOSTRequest", why)
}
