//! Directories (smh §1.3, rows 12 and 13).

use serde_json::json;

use super::access;
use super::file_object::file_object;
use super::look::key_of;
use super::names::{self, What};
use super::refusal::Refusal;
use crate::answer::Answer;
use crate::clock::iso8601;
use crate::exchange::Exchange;
use crate::store::Standing;

/// Makes all levels.
pub(crate) fn make(exchange: &Exchange) -> Result<Answer, Refusal> {
    let (library, space, rest) = key_of(exchange)?;
    let world = &mut *exchange.shared.world();
    access::check(exchange, world, library, space, &["create_directory"])?;
    let path = names::parse(rest, What::Directory)?;
    let taken = |()| Refusal::new(409, "SameNameDirectoryOrFileExists", "the name is taken");
    world.store.make_directory(space, &path).map_err(taken)?;
    let now = iso8601(exchange.shared.clock.now_ms());
    Ok(Answer::json(201, &json!({ "path": path, "creationTime": now })))
}

pub(crate) fn info(exchange: &Exchange) -> Result<Answer, Refusal> {
    let (library, space, rest) = key_of(exchange)?;
    let world = &mut *exchange.shared.world();
    access::check(exchange, world, library, space, &[])?;
    let path = names::parse(rest, What::Directory)?;
    match world.store.at(space, &path) {
        Standing::Nothing => Err(Refusal::new(404, "DirectoryNotFound", "there is no such directory or file")),
        Standing::Directory => Ok(Answer::json(200, &json!({ "path": path, "name": path.last(), "type": "dir" }))),
        Standing::Object(id) => {
            let object = world.store.object(id).map(|o| file_object(o, &world.switches, &exchange.head));
            Ok(Answer::json(200, &object.unwrap_or_default()))
        }
    }
}
