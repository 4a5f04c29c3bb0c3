//! Which request of the protocol a request is (smh §1.3, §4.1).

use percent_encoding::percent_decode_str;

use crate::faults::{Plane, Step};
use crate::head::Head;

/// Which request of the protocol a request is, and what it speaks of.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) step: Step,
    pub(crate) part: Option<u32>,
    pub(crate) target: Target,
    /// The path without credentials.
    pub(crate) log_path: String,
}

/// What a request speaks of. Texts are percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A remote path, or a confirm key in its place.
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
    /// A library and, when it stands in the path, a token.
    Token {
        library: Option<String>,
        token: Option<String>,
    },
    Nothing,
}

pub(crate) fn route(plane: Plane, head: &Head) -> Route {
    match plane {
        Plane::Api => api(head),
        Plane::Data => data(head),
        Plane::Control => Route { step: Step::Any, part: None, target: Target::Nothing, log_path: head.path.clone() },
    }
}

fn api(head: &Head) -> Route {
    let mut route = Route { step: Step::Any, part: None, target: Target::Nothing, log_path: head.path.clone() };
    let Some(path) = head.path.strip_prefix("/api/v1/") else { return route };
    let (kind, rest) = path.split_once('/').unwrap_or((path, ""));
    let method = head.method.as_str();
    if kind == "token" {
        route.step = Step::Token;
        let (library, token) = rest.split_once('/').unwrap_or((rest, ""));
        if !token.is_empty() {
            route.log_path = format!("/api/v1/token/{library}/…");
        }
        let some = |text: &str| (!text.is_empty()).then(|| decoded(text)).flatten();
        route.target = Target::Token { library: some(library), token: some(token) };
        return route;
    }
    let mut pieces = rest.splitn(3, '/');
    let mut piece = || decoded(pieces.next().unwrap_or(""));
    let (Some(library), Some(space), Some(rest)) = (piece(), piece(), piece()) else { return route };
    if !library.is_empty() && !space.is_empty() {
        route.target = Target::Space { library, space, rest };
    }
    route.step = match (kind, method) {
        ("file", "PUT") => Step::SimpleBegin,
        ("file", "POST") if head.flag("multipart") => Step::Begin,
        ("file", "POST") if head.flag("renew") => Step::Renew,
        ("file", "POST") if head.flag("confirm") => Step::Confirm,
        ("file", "POST") => Step::FormBegin,
        ("file", "GET") if head.flag("upload") => Step::Task,
        ("file", "DELETE") if head.flag("upload") => Step::Cancel,
        ("file", "HEAD") => Step::Head,
        ("directory", "PUT") => Step::Mkdir,
        ("directory", "GET") if head.flag("info") => Step::Info,
        _ => Step::Any,
    };
    if route.target == Target::Nothing {
        route.step = Step::Any;
    }
    route
}

fn data(head: &Head) -> Route {
    let upload_id = head.param("uploadId").map(str::to_owned);
    let number = head.param("partNumber");
    let step = match head.method.as_str() {
        "PUT" if number.is_some() || upload_id.is_some() => Step::Part,
        "PUT" => Step::Put,
        "POST" if head.path == "/" => Step::Form,
        _ => Step::Any,
    };
    let target = decoded(&head.path).map_or(Target::Nothing, |path| Target::Object { path, upload_id });
    Route { step, part: number.and_then(|n| n.parse().ok()), target, log_path: head.path.clone() }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
