//! What both the library and the control interface offer.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::Rule;
use crate::random::to_hex;
use crate::server::reachable;
use crate::shared::Shared;
use crate::smh::Kind;
use crate::store::StoredObject;

/// An upload task that was neither cancelled nor forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenUpload {
    /// The handle that the client has.
    pub confirm_key: String,
    /// Empty unless multipart.
    pub upload_id: String,
    /// `simple`, `form` or `multipart`.
    pub kind: String,
    /// Its space.
    pub space: String,
    /// Its remote path.
    pub path: Vec<String>,
    /// Whether it was confirmed; its parts are then gone.
    pub confirmed: bool,
    /// How many signatures were given out for it.
    pub signatures: u64,
    /// What came so far, by number. A simple or form upload is part 1.
    pub parts: Vec<OpenPart>,
}

/// A part that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenPart {
    /// From 1.
    pub number: u32,
    /// Bytes.
    pub size: u64,
    /// CRC-64/XZ, as a decimal string.
    pub crc64: String,
    /// MD5 in hex; with `discard` made from the crc64.
    pub etag: String,
}

/// Where everything is, for whoever has only the control interface.
pub(crate) fn addresses(shared: &Shared) -> Value {
    let scheme = if shared.config.tls { "https" } else { "http" };
    let url = |address: SocketAddr| format!("{scheme}://{}", reachable(address));
    json!({
        "service": "smh",
        "api_url": shared.addresses.get().map(|a| url(a.api)),
        "data_url": shared.addresses.get().map(|a| url(a.data)),
        "data_domain": shared.domain(),
        "library": shared.config.library,
    })
}

pub(crate) fn rules(shared: &Shared) -> Vec<Rule> {
    shared.world().rules.list().to_vec()
}

pub(crate) fn objects(shared: &Shared) -> Vec<StoredObject> {
    shared.complete_hashes(None);
    shared.world().store.objects().cloned().collect()
}

pub(crate) fn uploads(shared: &Shared) -> Vec<OpenUpload> {
    let world = shared.world();
    let mut uploads: Vec<_> = world.smh.tasks.iter().collect();
    uploads.sort_by(|a, b| (a.created_ms, &a.confirm_key).cmp(&(b.created_ms, &b.confirm_key)));
    let part = |(number, part): (&u32, &crate::smh::Part)| OpenPart {
        number: *number,
        size: part.size,
        crc64: part.crc64.to_string(),
        etag: to_hex(&part.tag),
    };
    uploads
        .into_iter()
        .map(|task| OpenUpload {
            confirm_key: task.confirm_key.clone(),
            upload_id: task.upload_id.clone(),
            kind: match task.kind {
                Kind::Simple => "simple",
                Kind::Form => "form",
                Kind::Multipart => "multipart",
            }
            .to_owned(),
            space: task.space.clone(),
            path: task.path.clone(),
            confirmed: task.confirmed.is_some(),
            signatures: task.generation,
            parts: task.parts.iter().map(part).collect(),
        })
        .collect()
}

pub(crate) fn forget(shared: &Shared, confirm_key: &str) -> bool {
    shared.world().smh.tasks.remove(confirm_key).is_some()
}

pub(crate) fn forget_all(shared: &Shared) {
    shared.world().smh.tasks.clear();
}

/// Makes a directory and its parents; one that exists is left.
pub(crate) fn make_directory(shared: &Shared, space: &str, path: &str) {
    let names: Vec<String> = path.split('/').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    let _ = shared.world().store.make_directory(space, &names);
}

/// Back to how the sandbox was started: nothing stored, no rule, an empty log, the first tokens, switches and clock.
pub(crate) fn reset(shared: &Shared) {
    let world = &mut *shared.world();
    world.smh.tasks.clear();
    world.smh.tokens = crate::smh::Tokens::fixed(&shared.config.tokens);
    world.store.clear();
    world.rules.clear();
    world.switches = shared.config.switches.clone();
    shared.clock.set_offset_ms(0);
    shared.log.clear();
}
