//! Who asks, and whether they may.

use super::refusal::Refusal;
use super::task::Task;
use crate::exchange::Exchange;
use crate::shared::World;

/// The caller of an API call.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Whom the call acts for; may be empty for an administrator.
    pub(crate) user: String,
    pub(crate) admin: bool,
}

impl Caller {
    /// A task belongs to its user (smh §7.5).
    pub(crate) fn owns(&self, task: &Task) -> Result<(), Refusal> {
        if self.admin || self.user == task.user {
            return Ok(());
        }
        Err(Refusal::new(403, "UploadNotBelongYou", "the task is another user's"))
    }
}

/// Checks library, token, space and grants; `any_of` empty asks for no grant.
pub(crate) fn check(
    exchange: &Exchange,
    world: &mut World,
    library: &str,
    space: &str,
    any_of: &[&str],
) -> Result<Caller, Refusal> {
    let config = &exchange.shared.config;
    let head = &exchange.head;
    if library != config.library {
        return Err(Refusal::new(404, "LibraryNotFound", "there is no such library"));
    }
    let now_ms = exchange.shared.clock.now_ms();
    let grants = world.switches.grants;
    let token = world.smh.tokens.used(head.param("access_token").unwrap_or(""), now_ms)?;
    if !token.spaces.is_empty() && !token.spaces.iter().any(|s| s == space) {
        return Err(Refusal::new(403, "AccessTokenNotMatchSpace", "the token is for another space"));
    }
    if !config.spaces.is_empty() && !config.spaces.iter().any(|s| s == space) {
        return Err(Refusal::new(404, "SpaceNotFound", "there is no such space"));
    }
    if grants && !any_of.is_empty() && !token.allows(any_of) {
        return Err(Refusal::new(403, "NoPermission", format!("needs one of the grants {}", any_of.join(", "))));
    }
    let user = match head.param("user_id") {
        Some(user) if token.is_admin() && token.user.is_empty() => user.to_owned(),
        _ => token.user.clone(),
    };
    Ok(Caller { user, admin: token.is_admin() })
}
