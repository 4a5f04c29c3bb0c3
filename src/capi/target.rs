//! Where an upload goes to: the fields of a request that its service has.

use super::{status::misuse, word};
use crate::{
    error::{Code, ErrorInfo},
    model::{KooDriveTarget, ServiceName, SmhTarget, Target},
};

/// Request, text: https://host[:port] of the service; plain http:// makes the way of the bytes plain too.
pub const PARTWAY_REQUEST_ENDPOINT: u32 = 100;
/// Request, text: the account whose credential is asked for.
pub const PARTWAY_REQUEST_ACCOUNT: u32 = 101;
/// Request, text: the user. SMH: acts as that user, with an admin token. KooDrive: for application authentication.
pub const PARTWAY_REQUEST_USER_ID: u32 = 102;
/// Request, number: when the file was created on this device, in milliseconds since 1970.
pub const PARTWAY_REQUEST_CREATED_UNIX_MS: u32 = 103;

/// Request, SMH, text: the library.
pub const PARTWAY_REQUEST_LIBRARY: u32 = 200;
/// Request, SMH, text: the space; "-" in a library with one tenant, which is the default.
pub const PARTWAY_REQUEST_SPACE: u32 = 201;
/// Request, SMH, text: where to, split on "/" and encoded by the library.
pub const PARTWAY_REQUEST_PATH: u32 = 202;
/// Request, SMH, number: how the bytes travel, PARTWAY_SMH_MODE_….
pub const PARTWAY_REQUEST_SMH_MODE: u32 = 203;
/// Request, SMH, number: not 0: a missing parent directory is created.
pub const PARTWAY_REQUEST_CREATE_PARENTS: u32 = 204;
/// Request, SMH, pair: metadata of the service, x-smh-meta-…; each call adds one.
pub const PARTWAY_REQUEST_META: u32 = 205;
/// Request, SMH, text: a label; each call adds one.
pub const PARTWAY_REQUEST_LABEL: u32 = 206;
/// Request, SMH, text: the person's own category.
pub const PARTWAY_REQUEST_CATEGORY: u32 = 207;
/// Request, SMH, number: when the file was last modified on this device, in milliseconds since 1970.
pub const PARTWAY_REQUEST_MODIFIED_UNIX_MS: u32 = 208;
/// Request, SMH, number: the speed that the service allows its links, in bytes a second.
pub const PARTWAY_REQUEST_TRAFFIC_LIMIT_BYTES_PER_S: u32 = 209;
/// Request, SMH, number: not 0: the storage domain of the file to be replaced, if it can be had.
pub const PARTWAY_REQUEST_PREFER_SAME_ORIGIN: u32 = 210;
/// Request, SMH, number: not 0: the deployment that signs each part on its own. What its answers show wins over this.
pub const PARTWAY_REQUEST_PRIVATE_DEPLOYMENT: u32 = 211;

/// Request, KooDrive, text: the container.
pub const PARTWAY_REQUEST_CONTAINER: u32 = 300;
/// Request, KooDrive, text: the id of the parent folder; "root" by default.
pub const PARTWAY_REQUEST_PARENT: u32 = 301;
/// Request, KooDrive, text: the name of the file.
pub const PARTWAY_REQUEST_NAME: u32 = 302;
/// Request, KooDrive, number: the service's own number for the kind of file.
pub const PARTWAY_REQUEST_FILE_TYPE: u32 = 303;
/// Request, KooDrive, text: a shared folder that the upload goes into.
pub const PARTWAY_REQUEST_SHARED_FOLDER: u32 = 304;
/// Request, KooDrive, text: the language of the service's messages.
pub const PARTWAY_REQUEST_LANGUAGE: u32 = 305;
/// Request, KooDrive, number: which edition of the service answers, PARTWAY_KOODRIVE_EDITION_….
pub const PARTWAY_REQUEST_KOODRIVE_EDITION: u32 = 306;

/// A place at a service, with nothing said of it yet.
pub(super) fn new_target(service: u32) -> Result<Target, ErrorInfo> {
    Ok(match word::value(word::SERVICES, service.into(), "PARTWAY_SERVICE_…")? {
        ServiceName::Smh => Target::Smh(SmhTarget { space: "-".into(), ..SmhTarget::default() }),
        ServiceName::KooDrive => {
            Target::KooDrive(KooDriveTarget { parent: "root".into(), ..KooDriveTarget::default() })
        }
    })
}

/// A number that must fit.
pub(super) fn fit<T: TryFrom<i64>>(number: i64) -> Result<T, ErrorInfo> {
    T::try_from(number).map_err(|_| misuse(&format!("{number} is out of range")))
}

fn unknown(field: u32) -> ErrorInfo {
    ErrorInfo::new(Code::Unsupported, format!("field {field} is none of this service, or of another kind"))
}

/// NULL is none: the field as it was at first.
pub(super) fn set_text(target: &mut Target, field: u32, text: Option<&str>) -> Result<(), ErrorInfo> {
    let some = || text.map(str::to_owned);
    let plain = || text.unwrap_or_default().to_owned();
    match (target, field) {
        (Target::Smh(smh), PARTWAY_REQUEST_ENDPOINT) => smh.endpoint = plain(),
        (Target::Smh(smh), PARTWAY_REQUEST_ACCOUNT) => smh.account = plain(),
        (Target::Smh(smh), PARTWAY_REQUEST_USER_ID) => smh.user_id = some(),
        (Target::Smh(smh), PARTWAY_REQUEST_LIBRARY) => smh.library = plain(),
        (Target::Smh(smh), PARTWAY_REQUEST_SPACE) => smh.space = text.unwrap_or("-").to_owned(),
        (Target::Smh(smh), PARTWAY_REQUEST_PATH) => smh.path = plain(),
        (Target::Smh(smh), PARTWAY_REQUEST_LABEL) => smh.labels.extend(some()),
        (Target::Smh(smh), PARTWAY_REQUEST_CATEGORY) => smh.category = some(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_ENDPOINT) => koo.endpoint = plain(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_ACCOUNT) => koo.account = plain(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_USER_ID) => koo.user_id = some(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_CONTAINER) => koo.container = plain(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_PARENT) => koo.parent = text.unwrap_or("root").to_owned(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_NAME) => koo.name = plain(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_SHARED_FOLDER) => koo.shared_folder = some(),
        (Target::KooDrive(koo), PARTWAY_REQUEST_LANGUAGE) => koo.language = some(),
        (_, other) => return Err(unknown(other)),
    }
    Ok(())
}

pub(super) fn set_number(target: &mut Target, field: u32, number: i64) -> Result<(), ErrorInfo> {
    match (target, field) {
        (Target::Smh(smh), PARTWAY_REQUEST_CREATED_UNIX_MS) => smh.created_unix_ms = Some(number),
        (Target::Smh(smh), PARTWAY_REQUEST_MODIFIED_UNIX_MS) => smh.modified_unix_ms = Some(number),
        (Target::Smh(smh), PARTWAY_REQUEST_SMH_MODE) => {
            smh.mode = word::value(word::SMH_MODES, number, "PARTWAY_SMH_MODE_…")?;
        }
        (Target::Smh(smh), PARTWAY_REQUEST_CREATE_PARENTS) => smh.create_parents = number != 0,
        (Target::Smh(smh), PARTWAY_REQUEST_TRAFFIC_LIMIT_BYTES_PER_S) => {
            smh.traffic_limit_bytes_per_s = Some(fit(number)?);
        }
        (Target::Smh(smh), PARTWAY_REQUEST_PREFER_SAME_ORIGIN) => smh.prefer_same_origin = number != 0,
        (Target::Smh(smh), PARTWAY_REQUEST_PRIVATE_DEPLOYMENT) => smh.private = number != 0,
        (Target::KooDrive(koo), PARTWAY_REQUEST_CREATED_UNIX_MS) => koo.created_unix_ms = Some(number),
        (Target::KooDrive(koo), PARTWAY_REQUEST_KOODRIVE_EDITION) => {
            koo.edition = word::value(word::EDITIONS, number, "PARTWAY_KOODRIVE_EDITION_…")?;
        }
        (Target::KooDrive(koo), PARTWAY_REQUEST_FILE_TYPE) => koo.file_type = Some(fit(number)?),
        (_, other) => return Err(unknown(other)),
    }
    Ok(())
}

pub(super) fn add_pair(target: &mut Target, field: u32, name: &str, value: &str) -> Result<(), ErrorInfo> {
    match (target, field) {
        (Target::Smh(smh), PARTWAY_REQUEST_META) => smh.meta.insert(name.to_owned(), value.to_owned()),
        (_, other) => return Err(unknown(other)),
    };
    Ok(())
}
