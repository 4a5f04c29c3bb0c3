//! A multipart upload from start to object.

use serde_json::{Value, json};

use crate::support::{Client, MIB, bytes, cloud, crc64, text};

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
        assert!(reply.header("x-cos-request-id").is_some());
        assert!(reply.header("date").is_some());
    }
    let listed = client.task(&info).json();
    assert_eq!(listed["parts"][2]["Size"], json!(17));
    assert_eq!(listed["confirmed"], json!(false));
    assert_eq!(listed["uploadPartInfo"]["uploadId"], info["uploadId"]);

    let key = text(&info["confirmKey"]);
    let file = client.file("POST", &format!("{key}?confirm"), Some(json!({ "crc64": crc64(&content).to_string() })));
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.json()["path"], json!(["a b.bin"]));
    assert_eq!(file.json()["size"], json!((2 * MIB + 17).to_string()));
    assert!(text(&file.json()["eTag"]).ends_with("-3\""));

    let object = cloud.object("-", "a b.bin").expect("an object");
    let file = object.file.clone().expect("a file");
    assert_eq!(std::fs::read(file).expect("readable"), content);
    assert_eq!((object.size, object.crc64, object.parts), (content.len() as u64, crc64(&content), 3));
    assert_eq!(object.sha256.as_ref().map(String::len), Some(64));
}

#[test]
fn flags_and_paths_are_read_in_every_style() {
    let cloud = cloud();
    cloud.make_directory("-", "dir/sub");
    let client = Client::new(&cloud);
    for (n, path) in ["dir/sub/x?multipart", "dir%2Fsub%2Fx?multipart=1", "/dir/sub/x?multipart="].iter().enumerate() {
        let reply = client.file("POST", path, None);
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(cloud.uploads()[n].path, ["dir", "sub", "x"], "{path}");
    }
}

#[test]
fn a_part_sent_again_replaces_the_first() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"first");
    let again = client.part(&info, 1, b"second");
    assert_eq!(again.header("etag"), Some("\"a9f0e61a137d86aa9db53465e0801612\""));
    assert_eq!(client.confirm(&info).status, 200);
    let object = cloud.object("-", "x").expect("an object");
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), b"second");
    assert_eq!(object.md5.as_deref(), Some("a9f0e61a137d86aa9db53465e0801612"));
}

#[test]
fn an_empty_part_makes_an_empty_object() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    assert_eq!(client.begin("none")["path"].as_str().map(|p| p.starts_with("/smh")), Some(true));
    let info = client.begin("empty");
    assert_eq!(client.part(&info, 1, b"").status, 200);
    assert_eq!(client.confirm(&info).json()["crc64"], json!("0"));
}

#[test]
fn renewing_keeps_the_task_and_signs_anew() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(2_000);
    let renewed = client.file("POST", &format!("{}?renew", text(&info["confirmKey"])), None);
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let renewed = renewed.json();
    for same in ["confirmKey", "uploadId", "domain", "path"] {
        assert_eq!(info[same], renewed[same], "{same}");
    }
    assert_ne!(info["headers"]["Authorization"], renewed["headers"]["Authorization"]);
    assert!(text(&info["expiration"]) < text(&renewed["expiration"]));
    assert_eq!(client.part(&renewed, 1, b"x").status, 200);
    assert_eq!(client.part(&info, 1, b"x").status, 200, "the older signature lives on");
}

#[test]
fn confirm_looks_at_what_came() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let confirm = |body: Value| client.file("POST", &format!("{}?confirm", text(&info["confirmKey"])), Some(body));
    confirm(json!({})).says(404, "UploadIncomplete");
    client.part(&info, 2, b"last");
    confirm(json!({})).says(400, "MultipartUploadIncomplete");
    client.part(&info, 1, b"small");
    confirm(json!({})).says(400, "MultipartUploadPartTooSmall");
    let part = bytes(MIB);
    client.part(&info, 1, &part);
    confirm(json!({ "crc64": "1" })).says(400, "BadCrc64");
    confirm(json!({ "crc64": 1 })).says(400, "ParamInvalid");
    confirm(json!({ "crc64": "-1" })).says(400, "ParamInvalid");
    let whole = crc64(&[&part[..], b"last"].concat());
    assert_eq!(confirm(json!({ "crc64": whole.to_string() })).status, 200);
}

#[test]
fn a_confirmed_task_can_be_read_confirmed_again_and_cancelled() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"x");
    let first = client.confirm(&info);
    let task = client.task(&info).json();
    assert_eq!((&task["confirmed"], &task["uploadId"]), (&json!(true), &json!("")));
    assert_eq!(client.confirm(&info).json(), first.json());
    client.part(&info, 1, b"x").says(404, "NoSuchUpload");
    let key = text(&info["confirmKey"]);
    assert_eq!(client.file("DELETE", &format!("{key}?upload"), None).status, 204);
    client.task(&info).says(404, "UploadNotFound");
    assert_eq!(cloud.objects().len(), 1, "the file stays");
}

#[test]
fn a_cancelled_task_is_gone() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"x");
    let key = text(&info["confirmKey"]);
    let cancelled = client.file("DELETE", &format!("{key}?upload"), None);
    assert_eq!((cancelled.status, cancelled.body.as_str()), (204, ""));
    client.file("DELETE", &format!("{key}?upload"), None).says(404, "UploadNotFound");
    client.confirm(&info).says(404, "UploadNotFound");
    client.file("POST", &format!("{key}?renew"), None).says(404, "UploadNotFound");
    client.part(&info, 1, b"x").says(404, "NoSuchUpload");
    assert!(cloud.objects().is_empty());
}

#[test]
fn what_is_said_about_a_file_is_kept() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let url = client.url("file/smh-sandbox/-/x.jpg?multipart");
    let body = json!({ "labels": ["a", "b"], "category": "pet", "localCreationTime": "2022-07-26T02:58:09Z" });
    let headers = [("Content-Type", "application/json"), ("x-smh-meta-Colour", "red")];
    let reply =
        crate::support::call(&client.agent, "POST", &url, &headers, body.to_string().as_bytes()).expect("an answer");
    let info = reply.json();
    client.part(&info, 1, b"x");
    let key = text(&info["confirmKey"]);
    let said = json!({ "labels": ["c"], "localModificationTime": "2023-07-26T02:58:09.5+08:00" });
    let file = client.file("POST", &format!("{key}?confirm&with_inode=1&with_content_cas=1"), Some(said)).json();
    assert_eq!(file["metaData"], json!({ "colour": "red" }));
    assert_eq!((&file["type"], &file["contentType"]), (&json!("image"), &json!("image/jpeg")));
    assert!(file["inode"].is_string() && file["contentCas"].is_string());
    let object = cloud.object("-", "x.jpg").expect("an object");
    assert_eq!(object.labels, ["c"]);
    assert_eq!(object.category.as_deref(), Some("pet"));
    assert_eq!(object.metadata.get("colour").map(String::as_str), Some("red"));
    assert_eq!(object.local_creation_time.as_deref(), Some("2022-07-26T02:58:09Z"));
    assert_eq!(object.local_modification_time.as_deref(), Some("2023-07-26T02:58:09.5+08:00"));
}

#[test]
fn a_finished_file_is_seen() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.file("HEAD", "x", None).status_is(404);
    client.upload("x", b"123456789");
    let head = client.file("HEAD", "x", None);
    assert_eq!((head.status, head.header("x-smh-size")), (200, Some("9")));
    assert_eq!(head.header("x-smh-crc64"), Some("11051210869376104954"));
    assert!(head.header("x-smh-etag").is_some() && head.header("x-smh-creation-time").is_some());
    let info = client.api("GET", "directory/smh-sandbox/-/x?info", None);
    assert_eq!(info.json()["crc64"], json!("11051210869376104954"));
}

#[test]
fn what_changes_can_be_waited_for() {
    let cloud = cloud();
    std::thread::scope(|scope| {
        let waiting = scope
            .spawn(|| cloud.wait_log(std::time::Duration::from_secs(20), |_| cloud.objects().first().map(|o| o.size)));
        Client::new(&cloud).upload("x", b"123");
        assert_eq!(waiting.join().expect("joined"), Some(3));
    });
    assert_eq!(cloud.wait_log(std::time::Duration::from_millis(10), |_| None::<()>), None);
}

#[test]
fn ten_thousand_parts_become_one_object() {
    let cloud = cloud();
    cloud.set_switches(|s| s.part_size_bytes_min = 1);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    for n in 1..=10_000 {
        client.part(&info, n, &[n as u8]).status_is(200);
    }
    assert_eq!(client.task(&info).json()["parts"].as_array().map(Vec::len), Some(10_000));
    client.confirm(&info).status_is(200);
    let content: Vec<u8> = (1..=10_000_u32).map(|n| n as u8).collect();
    assert_eq!(cloud.object("-", "x").map(|o| o.crc64), Some(crc64(&content)));
}
