//! Simple uploads: one PUT.

use serde_json::json;

use crate::support::{Client, bytes, cloud, text};

#[test]
fn one_put_becomes_an_object() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = bytes(300_000);
    let start = client.file("PUT", "clip.mp4?filesize=300000", None);
    start.status_is(201);
    let info = start.json();
    assert!(info.get("uploadId").is_none() && text(&info["path"]).ends_with(".mp4"));
    assert_eq!(info["headers"]["Content-Type"], json!("video/mp4"));
    client.confirm(&info).says(404, "UploadIncomplete");
    let put = client.put(&info, &content);
    put.status_is(200);
    let file = client.confirm(&info).json();
    assert_eq!(file["eTag"].as_str(), put.header("etag"));
    let object = cloud.object("-", "clip.mp4").expect("an object");
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), content);
    assert_eq!(object.parts, 0);
}

#[test]
fn simple_tasks_are_not_renewed() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.file("PUT", "x", None).json();
    client.file("POST", &format!("{}?renew", text(&info["confirmKey"])), None).says(404, "NotMultipartUpload");
    let task = client.task(&info).json();
    assert!(task.get("parts").is_none() && task.get("uploadPartInfo").is_none() && task.get("uploadId").is_none());
}

#[test]
fn an_extension_may_be_beyond_ascii() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let mut info = client.file("PUT", "x.%E6%95%B0%E6%8D%AE", None).json();
    assert!(text(&info["path"]).ends_with(".数据"));
    info["path"] = json!(text(&info["path"]).replace("数据", "%E6%95%B0%E6%8D%AE"));
    client.put(&info, b"x").status_is(200);
    client.confirm(&info).status_is(200);
}

#[test]
fn a_put_after_confirm_changes_nothing() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.file("PUT", "x", None).json();
    client.put(&info, b"first");
    client.confirm(&info).status_is(200);
    client.put(&info, b"second").status_is(200);
    assert_eq!(client.confirm(&info).json()["size"], json!("5"));
    assert_eq!(cloud.objects().len(), 1);
    assert_eq!(cloud.objects()[0].size, 5);
}
