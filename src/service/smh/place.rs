//! The validated destination: what [`super::request`] builds URLs of.

use crate::{
    error::ErrorInfo,
    model::SmhTarget,
    service::{check, check::demand, encode, smh::learnt::Learnt},
};

/// Longest name of a file or directory (smh §1.1).
const SEGMENT_CHARS_MAX: usize = 255;
/// What the signed links may be limited to (smh §1.4).
const TRAFFIC_LIMITS: std::ops::RangeInclusive<u64> = 102_400..=104_857_600;

/// A destination that was checked, its parts encoded.
pub(super) struct Place {
    /// The rest of the target: tags, times, limits.
    pub(super) target: SmhTarget,
    /// `http` or `https`: of the endpoint, and so of the data plane.
    pub(super) scheme: &'static str,
    /// `scheme://host[:port]/api/v1`
    pub(super) api: String,
    /// `{LibraryId}/{SpaceId}`, encoded.
    pub(super) space: String,
    /// `{FilePath}`, encoded.
    pub(super) path: String,
    /// `{DirPath}`, encoded; `None` when the parent is the root.
    pub(super) parent: Option<String>,
    /// The file's name, as asked for.
    pub(super) name: String,
    /// What was found out about the deployment there.
    pub(super) learnt: Learnt,
}

/// The segments of a remote path.
fn segments(path: &str) -> Result<Vec<&str>, ErrorInfo> {
    let path = path.trim_start_matches('/');
    demand(!path.is_empty(), "the remote path is empty")?;
    demand(!path.ends_with('/'), "the remote path must end with the file's name, not with a slash")?;
    let segments: Vec<&str> = path.split('/').collect();
    let all = |holds: fn(&str) -> bool| segments.iter().all(|segment| holds(segment));
    demand(all(|segment| !segment.is_empty()), "the remote path has an empty segment")?;
    demand(all(|segment| segment != "." && segment != ".."), "the remote path has a . or .. segment")?;
    demand(all(|segment| !check::has_control(segment)), "the remote path has a control character")?;
    demand(
        all(|segment| segment.chars().count() <= SEGMENT_CHARS_MAX),
        "a name in the remote path is longer than 255 characters",
    )?;
    Ok(segments)
}

impl Place {
    /// Checks a target; a refusal never repeats a value of it.
    pub(super) fn new(mut target: SmhTarget) -> Result<Place, ErrorInfo> {
        if target.space.is_empty() {
            "-".clone_into(&mut target.space);
        }
        target.user_id = target.user_id.filter(|id| !id.is_empty());
        let (scheme, authority) = check::endpoint(&target.endpoint)?;
        let is_id = |id: &str| !check::has_control(id) && id != "." && id != "..";
        demand(!target.library.is_empty(), "the library is empty")?;
        demand(is_id(&target.library), "the library can't be used in a URL")?;
        demand(is_id(&target.space), "the space can't be used in a URL")?;
        demand(target.user_id.as_deref().is_none_or(is_id), "the user id can't be used in a URL")?;
        let segments = segments(&target.path)?;
        demand(
            target.traffic_limit_bytes_per_s.is_none_or(|limit| TRAFFIC_LIMITS.contains(&limit)),
            "the traffic limit must be between 102400 and 104857600 bytes a second",
        )?;
        demand(target.meta.keys().all(|key| check::is_token(key)), "a metadata key can't be part of a header name")?;
        demand(
            target.meta.values().all(|value| !check::has_control(value)),
            "a metadata value has a control character",
        )?;
        let parents = &segments[..segments.len() - 1];
        Ok(Place {
            scheme,
            api: format!("{scheme}://{authority}/api/v1"),
            space: encode::path([target.library.as_str(), target.space.as_str()]),
            path: encode::path(segments.iter().copied()),
            parent: (!parents.is_empty()).then(|| encode::path(parents.iter().copied())),
            name: segments.last().copied().unwrap_or_default().to_owned(),
            learnt: Learnt::new(target.private),
            target,
        })
    }
}
