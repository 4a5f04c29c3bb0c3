//! Which name an object gets when its own may be taken (smh §7.4).

use super::names;
use super::refusal::Refusal;
use super::task::Strategy;
use crate::store::{Standing, Store};

const RENAMES_MAX: u32 = 1000;

/// The path of a new object, or why there is none.
pub(crate) fn place(
    store: &Store,
    space: &str,
    path: &[String],
    strategy: Strategy,
    content_cas: Option<&str>,
) -> Result<Vec<String>, Refusal> {
    let standing = store.at(space, path);
    if let (Strategy::Overwrite, Some(wanted)) = (strategy, content_cas) {
        let present = match standing {
            Standing::Object(id) => store.object(id).map(super::file_object::content_cas),
            _ => None,
        };
        if present.as_deref() != Some(wanted) {
            return Err(Refusal::new(409, "ContentCasConflict", "the file is absent or its content changed"));
        }
    }
    match (standing, strategy) {
        (Standing::Nothing, _) | (Standing::Object(_), Strategy::Overwrite) => Ok(path.to_vec()),
        (_, Strategy::Rename) => renamed(store, space, path),
        _ => Err(Refusal::new(409, "SameNameDirectoryOrFileExists", "the name is taken")),
    }
}

fn renamed(store: &Store, space: &str, path: &[String]) -> Result<Vec<String>, Refusal> {
    let (name, parents) = path.split_last().ok_or_else(|| Refusal::param("the path is empty"))?;
    (1..=RENAMES_MAX)
        .map(|n| [parents, &[names::numbered(name, n)]].concat())
        .find(|path| store.at(space, path) == Standing::Nothing)
        .ok_or_else(|| Refusal::new(409, "RenameTooManyTimes", "too many files of that name"))
}
