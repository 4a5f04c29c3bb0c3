//! Which request of the protocol a request is (smh §1.3, §4.1).

use crate::faults::{Plane, Service, Step};
use crate::head::Head;
use crate::route::{Route, Target, decoded};

pub(crate) fn route(plane: Plane, head: &Head) -> Route {
    if plane == Plane::Data { data(head) } else { api(head) }
}

fn api(head: &Head) -> Route {
    let mut route = Route::unknown(Service::Smh, head);
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
    Route { step, part: number.and_then(|n| n.parse().ok()), target, ..Route::unknown(Service::Smh, head) }
}
