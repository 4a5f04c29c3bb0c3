//! What both the library and the control interface offer.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::{Rule, Service};
use crate::koodrive::Upload;
use crate::random::to_hex;
use crate::server::reachable;
use crate::shared::Shared;
use crate::smh::{Kind, Task};
use crate::store::{Part, StoredObject};

/// An upload task that was neither cancelled nor forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenUpload {
    /// The service that it is for.
    pub service: Service,
    /// The handle that the client has: a confirm key, or KooDrive's file id.
    pub confirm_key: String,
    /// Empty unless multipart.
    pub upload_id: String,
    /// `simple`, `form` or `multipart`.
    pub kind: String,
    /// Its space; a container on KooDrive.
    pub space: String,
    /// Its remote path.
    pub path: Vec<String>,
    /// Whether it was confirmed; its parts are then gone. KooDrive forgets what is complete.
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
        "services": ["smh", "koodrive"],
        "service": "smh",
        "api_url": shared.addresses.get().map(|a| url(a.api)),
        "data_url": shared.addresses.get().map(|a| url(a.data)),
        "data_domain": shared.domain(),
        "library": shared.config.library,
        "koodrive_url": shared.addresses.get().map(|a| url(a.api)),
        "koodrive_container": shared.config.koodrive.container,
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
    let smh = world.smh.tasks.iter().map(|task| (task.created_ms, of_smh(task)));
    let koodrive = world.koodrive.uploads.iter().map(|upload| (upload.created_ms, of_koodrive(upload)));
    let mut uploads: Vec<_> = smh.chain(koodrive).collect();
    uploads.sort_by(|(at, a), (bt, b)| (at, &a.confirm_key).cmp(&(bt, &b.confirm_key)));
    uploads.into_iter().map(|(_, upload)| upload).collect()
}

fn open_part(number: u32, part: &Part) -> OpenPart {
    OpenPart { number, size: part.size, crc64: part.crc64.to_string(), etag: to_hex(&part.tag) }
}

fn of_smh(task: &Task) -> OpenUpload {
    OpenUpload {
        service: Service::Smh,
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
        parts: task.parts.iter().map(|(n, part)| open_part(*n, part)).collect(),
    }
}

fn of_koodrive(upload: &Upload) -> OpenUpload {
    OpenUpload {
        service: Service::Koodrive,
        confirm_key: upload.file_id.clone(),
        upload_id: upload.upload_id.clone(),
        kind: "multipart".to_owned(),
        space: upload.container.clone(),
        path: upload.path.clone(),
        confirmed: false,
        signatures: upload.links_signed,
        parts: upload.parts.iter().map(|(n, came)| open_part(*n, &came.part)).collect(),
    }
}

pub(crate) fn forget(shared: &Shared, confirm_key: &str) -> bool {
    let world = &mut *shared.world();
    world.smh.tasks.remove(confirm_key).is_some() || world.koodrive.uploads.remove(confirm_key).is_some()
}

pub(crate) fn forget_all(shared: &Shared) {
    let world = &mut *shared.world();
    world.smh.tasks.clear();
    world.koodrive.uploads.clear();
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
    world.koodrive.uploads.clear();
    world.koodrive.tokens = crate::koodrive::Tokens::of(&shared.config.koodrive.tokens);
    world.store.clear();
    world.make_koodrive_folders(&shared.config.koodrive);
    world.rules.clear();
    world.switches = shared.config.switches.clone();
    shared.clock.set_offset_ms(0);
    shared.log.clear();
}
