//! Instant uploads.

use serde_json::json;

use crate::support::{Client, MIB, cloud, text};

/// From the published vectors: byte i is i mod 256.
const HEAD: &str = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83";
const FULL: &str = "1265d50fb492427896c2dbd7250cca60f30440769b086cf7e74a540a2e514744";

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 256) as u8).collect()
}

#[test]
fn known_content_needs_no_bytes() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let size = (2 * MIB).to_string();
    let begin = |path: &str, body| client.file("POST", &format!("{path}?multipart"), Some(body));
    begin("first", json!({ "beginningHash": HEAD, "size": size })).status_is(201);
    client.upload("x", &pattern(2 * MIB));
    let tasks = cloud.uploads().len();

    let head = begin("y", json!({ "beginningHash": HEAD, "size": size }));
    assert_eq!((head.status, head.body.as_str()), (202, ""));
    let full = begin("y", json!({ "beginningHash": HEAD, "fullHash": FULL, "size": 2 * MIB }));
    full.status_is(200);
    assert_eq!(full.json()["path"], json!(["y"]));
    assert_eq!(cloud.uploads().len(), tasks, "no task was made");
    let object = cloud.object("-", "y").expect("an object");
    assert!(object.instant);
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), pattern(2 * MIB));

    let again = begin("y", json!({ "fullHash": FULL, "size": size }));
    assert_eq!(text(&again.json()["name"]), "y (1)");
    let ask = client.file("PUT", "y?conflict_resolution_strategy=ask", Some(json!({ "fullHash": FULL, "size": size })));
    ask.says(409, "SameNameDirectoryOrFileExists");
}

#[test]
fn other_content_starts_an_upload() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("x", &pattern(2 * MIB));
    let begin = |body| client.file("POST", "y?multipart", Some(body));
    begin(json!({ "beginningHash": FULL, "size": 2 * MIB })).status_is(201);
    begin(json!({ "beginningHash": HEAD, "fullHash": HEAD, "size": 2 * MIB })).status_is(201);
    begin(json!({ "beginningHash": HEAD, "size": 2 * MIB + 1 })).status_is(201);
    begin(json!({ "beginningHash": HEAD, "size": 100 })).status_is(201);
    begin(json!({ "beginningHash": HEAD })).status_is(201);
    cloud.set_switches(|s| s.instant = false);
    begin(json!({ "beginningHash": HEAD, "size": 2 * MIB })).status_is(201);
}

#[test]
fn an_instant_copy_outlives_its_origin() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("x", &pattern(2 * MIB));
    client.file("PUT", "y", Some(json!({ "fullHash": FULL, "size": 2 * MIB }))).status_is(200);
    let info = client.begin_with("x", "&conflict_resolution_strategy=overwrite");
    client.part(&info, 1, b"new");
    client.confirm(&info).status_is(200);
    let read = |path: &str| std::fs::read(cloud.object("-", path).and_then(|o| o.file).expect("a file")).expect("read");
    assert_eq!(read("x"), b"new");
    assert_eq!(read("y"), pattern(2 * MIB));
}
