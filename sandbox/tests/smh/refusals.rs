//! What the API refuses.

use serde_json::json;

use crate::support::{Client, call, cloud, cloud_with};

#[test]
fn an_error_names_its_request() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let reply = client.file("GET", "nokey?upload", None);
    reply.says(404, "UploadNotFound");
    let id = reply.json()["requestId"].as_str().expect("an id").to_owned();
    assert_eq!((reply.header("x-request-id"), reply.header("x-smh-request-id")), (Some(&*id), Some(&*id)));
}

#[test]
fn names_and_places() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let long = "n".repeat(256);
    for (path, status, code) in [
        ("gone/x?multipart", 404, "DirectoryNotFound"),
        ("a%3Ab?multipart", 400, "IllegalFileName"),
        ("a%5Cb?multipart", 400, "IllegalFileName"),
        ("%2E%2E%2Fx?multipart", 400, "IllegalFileName"),
        ("?multipart", 400, "EmptyPath"),
        ("a/?multipart", 400, "EmptyFileName"),
        (&format!("{long}?multipart"), 400, "FileNameLengthExceed"),
        ("x?multipart&conflict_resolution_strategy=maybe", 400, "InvalidConflictResolutionStrategy"),
        ("x?multipart&traffic_limit=1", 400, "ParamInvalid"),
        ("x?multipart&filesize=big", 400, "ParamInvalid"),
    ] {
        client.file("POST", path, None).says(status, code);
    }
    for accepted in ["%27%25%2B%26.txt?multipart", "%20edge%20?multipart", "字?multipart"] {
        assert_eq!(client.file("POST", &accepted.replace('字', "%E5%AD%97"), None).status, 201, "{accepted}");
    }
}

#[test]
fn bodies() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    for (body, code) in [
        (json!([1]), "BadRequest"),
        (json!({ "labels": "a" }), "ParamInvalid"),
        (json!({ "labels": [1] }), "ParamInvalid"),
        (json!({ "size": "many" }), "ParamInvalid"),
        (json!({ "localCreationTime": "yesterday" }), "InvalidTimeFormat"),
        (json!({ "size": 1048576, "beginningHash": "zz" }), "ParamInvalid"),
    ] {
        client.file("POST", "x?multipart", Some(body)).says(400, code);
    }
    let url = client.url("file/smh-sandbox/-/x?multipart");
    let broken = call(&client.agent, "POST", &url, &[("Content-Type", "application/json")], b"{").expect("an answer");
    broken.says(400, "BadRequest");
    let untyped = call(&client.agent, "POST", &url, &[], b"{}").expect("an answer");
    untyped.says(400, "BadRequest");
    assert!(cloud.uploads().is_empty());
}

#[test]
fn a_put_may_be_another_call() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    for key in ["copyFrom", "from", "linkTo"] {
        client.file("PUT", "x", Some(json!({ key: "y" }))).says(400, "ParamInvalid");
    }
}

#[test]
fn libraries_spaces_and_calls() {
    let cloud = cloud_with(|c| c.spaces = vec!["-".to_owned(), "s1".to_owned()]);
    let client = Client::new(&cloud);
    client.api("POST", "file/other/-/x?multipart", None).says(404, "LibraryNotFound");
    client.api("POST", "file/smh-sandbox/s2/x?multipart", None).says(404, "SpaceNotFound");
    assert_eq!(client.api("POST", "file/smh-sandbox/s1/x?multipart", None).status, 201);
    client.api("GET", "nothing", None).says(404, "RouteNotFound");
    client.file("PATCH", "x", None).says(404, "RouteNotFound");
}

#[test]
fn directories() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let make = |path: &str| client.api("PUT", &format!("directory/smh-sandbox/-/{path}"), None);
    let look = |path: &str| client.api("GET", &format!("directory/smh-sandbox/-/{path}?info"), None);
    look("a").says(404, "DirectoryNotFound");
    assert_eq!(make("a/b/c").status, 201);
    assert_eq!(look("a/b").json()["type"], json!("dir"));
    make("a/b").says(409, "SameNameDirectoryOrFileExists");
    assert_eq!(client.file("POST", "a/b/c/x?multipart", None).status, 201);
    client.upload("f", b"x");
    make("f").says(409, "SameNameDirectoryOrFileExists");
    make("f/g").says(409, "SameNameDirectoryOrFileExists");
    client.api("POST", "file/smh-sandbox/other/a/x?multipart", None).says(404, "DirectoryNotFound");
}

#[test]
fn a_long_body_is_refused() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let body = json!({ "category": "c".repeat(2 << 20) });
    client.file("POST", "x?multipart", Some(body)).says(413, "RequestEntityTooLarge");
}
