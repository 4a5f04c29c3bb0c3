//! The form that carries a file (smh §3.1): every field that the service signed, then `file`, last.

use crate::{
    hash::{Digester, Wants},
    model::{
        Part,
        http::{Body, ByteRange},
    },
    redact::Secret,
};

/// A field's name between quotes, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A line that stands in no field: a hash of all of them and of the confirm key. Nobody can have put it into the file either, for the key is newer
/// than the file.
fn boundary(confirm_key: &str, fields: &[(String, Secret)]) -> Option<String> {
    let mut digester = Digester::new(Wants { sha256: true, ..Wants::default() }).ok()?;
    let fields = fields.iter().flat_map(|(name, value)| [name.as_str(), value.expose()]);
    for text in [confirm_key].into_iter().chain(fields) {
        digester.update(&(text.len() as u64).to_le_bytes());
        digester.update(text.as_bytes());
    }
    digester.finish().sha256.map(|hash| format!("partway-{}", &hash[..40]))
}

/// The `Content-Type` and the body; `None` when it can't be built.
pub(super) fn build(confirm_key: &str, fields: &[(String, Secret)], part: &Part) -> Option<(Secret, Body)> {
    let boundary = boundary(confirm_key, fields)?;
    let mut head = String::new();
    for (name, value) in fields {
        head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", quoted(name));
        head += value.expose();
        head += "\r\n";
    }
    // The object's name is the service's `key`: the file's own is nobody's business there.
    head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n");
    head += "Content-Type: application/octet-stream\r\n\r\n";
    let range = ByteRange { offset: part.offset, len: part.size_bytes };
    let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
    let body = Body::Form { head: head.into_bytes(), range, tail };
    Some((Secret::new(format!("multipart/form-data; boundary={boundary}")), body))
}
