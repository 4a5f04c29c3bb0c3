//! A multipart upload from start to object.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::{Client, MIB, bytes, cloud, crc64, text};

#[test]
fn parts_become_one_object() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = bytes(2 * MIB + 17);
    let info = client.begin("a%20b.bin");
    assert_eq!(info["domain"], json!(cloud.data_address().to_string()));
    for (n, part) in content.chunks(MIB).enumerate().rev() {
        let reply = client.part(&info, n as u32 + 1, part);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("x-cos-hash-crc64ecma"), Some(crc64(part).to_string().as_str()));
    }
    let listed = client.task(&info).json();
    assert_eq!(listed["parts"][2]["Size"], json!(17));
    assert_eq!(listed["confirmed"], json!(false));

    let key = text(&info["confirmKey"]);
    let file = client.file("POST", &format!("{key}?confirm"), Some(json!({ "crc64": crc64(&content).to_string() })));
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.json()["path"], json!(["a b.bin"]));
    assert_eq!(file.json()["size"], json!((2 * MIB + 17).to_string()));

    let object = cloud.object("-", "a b.bin").expect("an object");
    assert_eq!(std::fs::read(object.file.as_ref().unwrap()).unwrap(), content);
    assert_eq!((object.size, object.crc64, object.parts), (content.len() as u64, crc64(&content), 3));
}
