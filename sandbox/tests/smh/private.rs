//! The private deployment: a signature for each part.

use partway_sandbox::{Deployment, Sandbox};
use serde_json::{Value, json};

use crate::support::{Client, MIB, bytes, cloud_with, text};

fn private() -> Sandbox {
    cloud_with(|c| c.switches.deployment = Deployment::Private)
}

fn begin(client: &Client<'_>, range: Value) -> Value {
    let reply = client.file("POST", "x?multipart", Some(json!({ "partNumberRange": range })));
    reply.status_is(201);
    reply.json()
}

#[test]
fn each_part_has_its_signature() {
    let cloud = private();
    let client = Client::new(&cloud);
    let content = bytes(2 * MIB + 5);
    let info = begin(&client, json!("1-2"));
    assert!(info.get("headers").is_none());
    assert_eq!(
        info["parts"].as_object().map(|p| p.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["1".into(), "2".into()])
    );
    client.part(&info, 1, &content[..MIB]).status_is(200);
    client.part(&info, 2, &content[MIB..2 * MIB]).status_is(200);
    let key = text(&info["confirmKey"]);
    let renewed = client.file("POST", &format!("{key}?renew"), Some(json!({ "partNumberRange": [3] }))).json();
    client.part(&renewed, 3, &content[2 * MIB..]).status_is(200);
    client.confirm(&info).status_is(200);
    let object = cloud.object("-", "x").expect("an object");
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), content);
}

#[test]
fn a_range_is_needed() {
    let cloud = private();
    let client = Client::new(&cloud);
    client.file("POST", "x?multipart", None).says(400, "ParamInvalid");
    client.file("POST", "x?multipart", Some(json!({ "partNumberRange": "1-101" }))).says(400, "ParamInvalid");
    assert!(cloud.uploads().is_empty());
    let info = begin(&client, json!([1, 3]));
    assert!(info["parts"].get("2").is_none() && info["parts"].get("3").is_some());
    client.file("POST", &format!("{}?renew", text(&info["confirmKey"])), None).says(400, "ParamInvalid");
}

#[test]
fn a_signature_is_for_one_part() {
    let cloud = private();
    let client = Client::new(&cloud);
    let mut info = begin(&client, json!("1-2"));
    let one = info["parts"]["1"].clone();
    info["parts"]["2"] = one;
    client.part(&info, 2, b"x").says(403, "SignatureDoesNotMatch");
    client.part(&info, 1, b"x").status_is(200);
    cloud.set_clock_offset_ms(3_600_000);
    client.part(&info, 1, b"x").says(403, "RequestTimeTooSkewed");
}

#[test]
fn get_task_must_not_ask_for_part_info() {
    let cloud = private();
    let client = Client::new(&cloud);
    let info = begin(&client, json!("1"));
    client.part(&info, 1, b"x");
    client.task(&info).says(400, "ParamInvalid");
    let task = client.file("GET", &format!("{}?upload&no_upload_part_info=1", text(&info["confirmKey"])), None);
    task.status_is(200);
    assert_eq!(task.json()["parts"][0]["PartNumber"], json!(1));
    assert!(task.json().get("uploadPartInfo").is_none());
}

#[test]
fn simple_uploads_work_and_are_not_renewed() {
    let cloud = private();
    let client = Client::new(&cloud);
    let info = client.file("PUT", "x", None).json();
    let renew = |body| client.file("POST", &format!("{}?renew", text(&info["confirmKey"])), body);
    renew(None).says(400, "ParamInvalid");
    renew(Some(json!({ "partNumberRange": "1" }))).says(404, "NotMultipartUpload");
    client.put(&info, b"x").status_is(200);
    client.confirm(&info).status_is(200);
}

#[test]
fn errors_can_hide_behind_200() {
    let cloud = private();
    cloud.set_switches(|s| s.errors_as_200 = true);
    let client = Client::new(&cloud);
    let reply = client.file("POST", "x?multipart", None);
    reply.says(200, "ParamInvalid");
    assert_eq!(reply.json()["status"], json!(400));
}
