//! The validated destination: what [`super::request`] says requests of.

use crate::{
    error::ErrorInfo,
    model::{KooDriveEdition, KooDriveTarget},
    service::{
        check::{self, demand},
        iso8601,
        koodrive::file_type,
    },
};

/// What no name may hold (koodrive §3.1).
const NOT_IN_NAME: &[char] = &['<', '>', '|', ':', '"', '*', '?', '/'];
/// The parent of what lies in no folder (koodrive §3.1).
const ROOT: &str = "root";

/// What an edition takes (koodrive §3.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    name_chars_max: usize,
    /// Writes `createdTime`.
    pub(super) time: fn(i64) -> Option<String>,
}

impl Profile {
    fn of(edition: KooDriveEdition) -> Profile {
        match edition {
            KooDriveEdition::Current => Profile { name_chars_max: 250, time: iso8601::format },
            KooDriveEdition::International2024 => Profile { name_chars_max: 80, time: iso8601::format },
            KooDriveEdition::Carrier => Profile { name_chars_max: 250, time: iso8601::format_with_blank },
        }
    }
}

/// A destination that was checked.
pub(super) struct Place {
    pub(super) target: KooDriveTarget,
    /// `http` or `https`: of the endpoint. Links may be plain only if it is.
    pub(super) scheme: &'static str,
    /// `host[:port]`, as it goes into the `Host` header: a port that the scheme implies is left out.
    pub(super) authority: String,
    /// `fileType`.
    pub(super) file_type: u32,
    pub(super) profile: Profile,
}

/// An optional text, none when it is empty.
fn some(text: &mut Option<String>) {
    *text = text.take().filter(|text| !text.is_empty());
}

impl Place {
    /// Checks a target; a refusal never repeats a value of it.
    pub(super) fn new(mut target: KooDriveTarget) -> Result<Place, ErrorInfo> {
        if target.parent.is_empty() {
            ROOT.clone_into(&mut target.parent);
        }
        some(&mut target.user_id);
        some(&mut target.shared_folder);
        some(&mut target.language);
        let (scheme, authority) = check::endpoint(&target.endpoint)?;
        let implied = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(implied).unwrap_or(authority).to_owned();

        demand(!target.container.is_empty(), "the container is empty")?;
        demand(!check::has_control(&target.container), "the container has a control character")?;
        demand(!check::has_control(&target.parent), "the parent folder has a control character")?;
        demand(target.parent != "." && target.parent != "..", "the parent folder is . or ..")?;
        let name = target.name.as_str();
        demand(!name.is_empty(), "the name is empty")?;
        demand(name != "." && name != "..", "the name is . or ..")?;
        demand(!name.contains(NOT_IN_NAME), "the name has one of < > | : \" * ? /")?;
        demand(!check::has_control(name), "the name has a control character")?;
        let profile = Profile::of(target.edition);
        demand(name.chars().count() <= profile.name_chars_max, "the name is longer than this edition takes")?;
        let fits = |text: &Option<String>| text.as_deref().is_none_or(check::is_header_value);
        demand(fits(&target.user_id), "the user id can't be sent in a header")?;
        demand(fits(&target.shared_folder), "the shared folder can't be sent in a header")?;
        demand(fits(&target.language), "the language can't be sent in a header")?;
        let file_type = target.file_type.unwrap_or_else(|| file_type::of(name));
        Ok(Place { scheme, authority, file_type, profile, target })
    }
}
