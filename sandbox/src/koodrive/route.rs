//! Which request of the protocol a request is (koodrive §1, §5).

use serde_json::Value;

use super::sign::BUCKET;
use crate::faults::{Plane, Service, Step};
use crate::head::Head;
use crate::route::{Route, Target, decoded};

const ROOT: &str = "/koodrive/ose/v1/";

/// Whether a request is KooDrive's and not another service's.
pub(crate) fn owns(plane: Plane, head: &Head) -> bool {
    match plane {
        Plane::Api => head.path.starts_with("/koodrive/"),
        Plane::Data => {
            head.path.strip_prefix('/').and_then(|p| p.strip_prefix(BUCKET)).is_some_and(|p| p.starts_with('/'))
        }
        Plane::Control => false,
    }
}

pub(crate) fn route(plane: Plane, head: &Head) -> Route {
    let mut route = Route::unknown(Service::Koodrive, head);
    if plane == Plane::Data {
        if let ("PUT", Some(path)) = (head.method.as_str(), decoded(&head.path)) {
            route.step = Step::Part;
            route.part = head.param("partNumber").and_then(|n| n.parse().ok());
            route.target = Target::Object { path, upload_id: head.param("uploadId").map(str::to_owned) };
        }
        return route;
    }
    let Some(path) = head.path.strip_prefix(ROOT).filter(|_| head.method == "POST") else { return route };
    route.step = match path {
        "files/create" => Step::Begin,
        "files/multipart/uploadUrl" => Step::Renew,
        "files/complete" => Step::Confirm,
        "session/refresh" => Step::Token,
        _ => match path.strip_prefix("files/").and_then(|p| p.strip_suffix("/detail")).and_then(decoded) {
            Some(id) if !id.contains('/') => {
                route.target = Target::File(id);
                Step::Task
            }
            _ => Step::Any,
        },
    };
    route
}

/// Whether only the body of a request tells what it is about.
pub(crate) fn speaks_in_body(plane: Plane, route: &Route) -> bool {
    let step = matches!(route.step, Step::Begin | Step::Renew | Step::Confirm);
    plane == Plane::Api && route.service == Service::Koodrive && step
}

/// Completes a route with what the body tells.
pub(crate) fn look_inside(route: &mut Route, body: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    route.target = match route.step {
        Step::Begin => {
            let (parent, name) = (text(&body["parentFolder"][0]), text(&body["fileName"]));
            let rest = if super::names::is_root(&parent) { name } else { format!("{parent}/{name}") };
            Target::Space { library: String::new(), space: text(&body["containerId"]), rest }
        }
        _ => Target::File(text(&body["fileId"])),
    };
}
