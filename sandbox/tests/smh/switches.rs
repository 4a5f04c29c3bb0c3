//! What is uncertain about the real service.

use partway_sandbox::{ConfirmAgain, Switches, When};
use serde_json::json;

use crate::support::{Client, Wire, bytes, cloud, headers_for, text};

#[test]
fn a_start_may_say_200() {
    let cloud = cloud();
    cloud.set_switches(|s| s.start_status = 200);
    let reply = Client::new(&cloud).file("POST", "x?multipart", None);
    reply.status_is(200);
    assert!(reply.json()["confirmKey"].is_string());
}

#[test]
fn a_second_confirm_may_be_refused() {
    let cloud = cloud();
    cloud.set_switches(|s| s.confirm_again = ConfirmAgain::Refuse);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"x");
    client.confirm(&info).status_is(200);
    client.confirm(&info).says(409, "UploadComplete");
}

#[test]
fn numbers_come_in_every_type() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let plain = client.begin("x");
    assert_eq!((&plain["availableDomainNum"], plain["headers"].get("x-cos-traffic-limit")), (&json!(1), None));
    let limited = client.begin_with("x", "&traffic_limit=102400");
    assert_eq!(limited["headers"]["x-cos-traffic-limit"], json!("819200"));
    cloud.set_switches(|s| {
        s.numeric_headers = true;
        s.size_as_number = true;
        s.domain_num_as_string = true;
    });
    let info = client.begin("x");
    assert!(info["headers"]["x-cos-traffic-limit"].is_u64());
    assert_eq!(info["availableDomainNum"], json!("1"));
    client.part(&info, 1, b"123456789").status_is(200);
    let file = client.confirm(&info).json();
    assert_eq!((&file["size"], &file["crc64"]), (&json!(9), &json!(11051210869376104954_u64)));
}

#[test]
fn upload_incomplete_may_be_400() {
    let cloud = cloud();
    cloud.set_switches(|s| s.upload_incomplete_status = 400);
    let client = Client::new(&cloud);
    client.confirm(&client.begin("x")).says(400, "UploadIncomplete");
}

#[test]
fn get_task_may_be_odd() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    for n in 1..=4 {
        client.part(&info, n, b"x");
    }
    let listed = || -> Vec<u64> {
        let task = client.task(&info).json();
        task["parts"].as_array().expect("parts").iter().filter_map(|p| p["PartNumber"].as_u64()).collect()
    };
    assert!(text(&client.task(&info).json()["uploadPartInfo"]["path"]).starts_with('/'));
    cloud.set_switches(|s| {
        s.part_info_path_without_slash = true;
        s.list_parts_hidden = vec![2];
    });
    assert_eq!(listed(), [1, 3, 4]);
    assert!(text(&client.task(&info).json()["uploadPartInfo"]["path"]).starts_with("smh"));
    cloud.set_switches(|s| s.list_parts_max = Some(2));
    assert_eq!(listed(), [1, 3]);
}

#[test]
fn space_is_counted_where_the_switch_says() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| {
        s.quota_bytes = Some(10);
        s.quota_at = When::Start;
    });
    client.file("POST", "x?multipart&filesize=11", None).says(400, "QuotaLimitReached");
    let info = client.begin_with("x", "&filesize=10");
    client.part(&info, 1, &[0; 11]);
    cloud.set_switches(|s| s.quota_at = When::Confirm);
    client.confirm(&info).says(400, "QuotaLimitReached");
    client.file("POST", "x?multipart&filesize=11", None).status_is(201);
    client.part(&info, 1, &[0; 10]);
    client.confirm(&info).status_is(200);
}

#[test]
fn a_newer_signature_may_end_the_older() {
    let cloud = cloud();
    cloud.set_switches(|s| s.new_signature_ends_old = true);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"x").status_is(200);
    let newer = client.task(&info).json()["uploadPartInfo"].clone();
    client.part(&info, 1, b"x").says(403, "AccessDenied");
    client.part(&newer, 1, b"x").status_is(200);
}

#[test]
fn discarded_bytes_are_summed_all_the_same() {
    let cloud = cloud();
    cloud.set_switches(|s| s.discard = true);
    let client = Client::new(&cloud);
    let content = bytes(100_000);
    let file = client.upload("x", &content);
    assert_eq!(file["crc64"], json!(crate::support::crc64(&content).to_string()));
    let object = cloud.object("-", "x").expect("an object");
    assert_eq!((object.size, object.file, object.sha256), (100_000, None, None));
}

#[test]
fn small_parts_may_be_allowed() {
    let cloud = cloud();
    cloud.set_switches(|s| s.part_size_bytes_min = 1);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"a");
    client.part(&info, 2, b"b");
    assert_eq!(client.confirm(&info).json()["size"], json!("2"));
}

#[test]
fn switches_are_changed_by_name() {
    let switches = Switches::default();
    let changed = switches.changed_by(&json!({ "deployment": "private", "link_ttl_ms": 5 })).expect("a change");
    assert_eq!(changed.link_ttl_ms, 5);
    assert!(switches.changed_by(&json!({ "link_ttl": 5 })).is_err());
    assert!(switches.changed_by(&json!({ "deployment": "both" })).is_err());
    assert!(switches.changed_by(&json!(1)).is_err());
}

#[test]
fn connections_are_kept() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let headers: String = headers_for(&info, 1).iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let mut wire = Wire::open(cloud.data_address());
    for n in 1..=2 {
        let head = format!(
            "PUT {}?partNumber={n}&uploadId={} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 1\r\n\r\nx",
            text(&info["path"]),
            text(&info["uploadId"])
        );
        wire.send(head.as_bytes()).expect("sent");
        assert!(wire.until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    }
    let connections: Vec<u64> = cloud.log().iter().filter(|e| e.part.is_some()).map(|e| e.connection).collect();
    assert_eq!(connections.len(), 2);
    assert_eq!(connections[0], connections[1]);
}
