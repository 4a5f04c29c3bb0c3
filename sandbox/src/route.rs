//! Which request of which protocol a request is.

use percent_encoding::percent_decode_str;

use crate::faults::{Plane, Service, Step};
use crate::head::Head;

/// Which request of which protocol a request is, and what it speaks of.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) service: Service,
    pub(crate) step: Step,
    pub(crate) part: Option<u32>,
    pub(crate) target: Target,
    /// The path without credentials.
    pub(crate) log_path: String,
}

/// What a request speaks of. Texts are percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A remote path, or an SMH confirm key in its place.
    Space {
        library: String,
        space: String,
        rest: String,
    },
    /// The storage's own path, and the upload id.
    Object {
        path: String,
        upload_id: Option<String>,
    },
    /// An SMH library and, when it stands in the path, a token.
    Token {
        library: Option<String>,
        token: Option<String>,
    },
    /// A KooDrive file id.
    File(String),
    Nothing,
}

impl Route {
    /// A request that nothing is known of yet.
    pub(crate) fn unknown(service: Service, head: &Head) -> Self {
        Self { service, step: Step::Any, part: None, target: Target::Nothing, log_path: head.path.clone() }
    }
}

/// Each service has paths of its own, so both share the listeners.
pub(crate) fn route(plane: Plane, head: &Head) -> Route {
    match plane {
        Plane::Control => Route::unknown(Service::Smh, head),
        _ if crate::koodrive::owns(plane, head) => crate::koodrive::route(plane, head),
        _ => crate::smh::route(plane, head),
    }
}

pub(crate) fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
