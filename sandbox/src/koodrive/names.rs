//! Names, ids, and which name a file gets when its own is taken (koodrive §3.1-3.3).

use super::refusal::Refusal;
use crate::clock::compact;
use crate::random;
use crate::shared::World;
use crate::store::Standing;

/// `autoRename`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rename {
    /// 2: a timestamp is appended.
    Force,
    /// 3: the call fails.
    Refuse,
    /// 4: the same content is taken as it is; otherwise a timestamp is appended.
    Auto,
}

/// KooDrive stamps names in this zone.
const ZONE_MS: i64 = 8 * 3_600_000;
const RENAMES_MAX: i64 = 1000;
const ROOT_PREFIX: &str = "DEUI7pa0C24Aroot";

pub(crate) fn is_root(parent: &str) -> bool {
    parent == "root" || parent.starts_with(ROOT_PREFIX)
}

/// The id that stands for the root of a container.
pub(crate) fn root_id(container: &str) -> String {
    format!("{ROOT_PREFIX}{container}")
}

pub(crate) fn file_id() -> String {
    format!("F{}", random::hex(16))
}

/// Sixteen digits of the time in milliseconds, then chance.
pub(crate) fn upload_id(now_ms: i64) -> String {
    format!("{now_ms:016X}{}", random::hex(8).to_uppercase())
}

pub(crate) fn object_key() -> String {
    format!("{}086", random::hex(16))
}

pub(crate) fn check(name: &str, chars_max: usize) -> Result<(), Refusal> {
    if matches!(name, "" | "." | "..") {
        return Err(Refusal::param("`fileName` is empty, `.` or `..`"));
    }
    if name.chars().any(|c| matches!(c, '<' | '>' | '|' | ':' | '"' | '*' | '?' | '/') || c.is_control()) {
        return Err(Refusal::param("`fileName` holds one of < > | : \" * ? / or a control character"));
    }
    if name.chars().count() > chars_max {
        return Err(Refusal::param(format!("`fileName` has more than {chars_max} characters")));
    }
    Ok(())
}

/// Whether a path is taken by something else than this upload.
fn is_taken(world: &World, container: &str, path: &[String], own: Option<&str>) -> bool {
    let other = |id: &str| own != Some(id);
    let unfinished =
        || world.koodrive.uploads.iter().any(|u| other(&u.file_id) && u.container == container && u.path == path);
    world.store.at(container, path) != Standing::Nothing
        || (world.switches.koodrive.unfinished_names_taken && unfinished())
}

/// The path of a new file, or of the upload `own`.
pub(crate) fn place(
    world: &World,
    container: &str,
    path: &[String],
    rename: Rename,
    own: Option<&str>,
    now_ms: i64,
) -> Result<Vec<String>, Refusal> {
    if !is_taken(world, container, path, own) {
        return Ok(path.to_vec());
    }
    let duplicate = || Refusal::business(13_000_405, "duplicate file name");
    if rename == Rename::Refuse {
        return Err(duplicate());
    }
    let (name, parents) = path.split_last().ok_or_else(duplicate)?;
    (0..RENAMES_MAX)
        .map(|n| [parents, &[stamped(name, now_ms + 1000 * n)]].concat())
        .find(|path| !is_taken(world, container, path, own))
        .ok_or_else(duplicate)
}

/// `name_20240104_105403.ext`
fn stamped(name: &str, now_ms: i64) -> String {
    let stamp = compact(now_ms + ZONE_MS).replace('T', "_").replace('Z', "");
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}_{stamp}.{extension}"),
        _ => format!("{name}_{stamp}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_goes_before_the_extension() {
        assert_eq!(stamped("test.zip", 1_704_336_843_778), "test_20240104_105403.zip");
        assert_eq!(stamped(".profile", 1_704_336_843_778), ".profile_20240104_105403");
    }

    #[test]
    fn ids_have_the_documented_shape() {
        assert_eq!((file_id().len(), object_key().len()), (33, 35));
        assert!(upload_id(1_704_336_843_778).starts_with("0000018CD2646402"));
        assert_eq!(upload_id(0).len(), 32);
    }
}
