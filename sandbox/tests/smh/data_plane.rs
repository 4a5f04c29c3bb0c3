//! What the data plane refuses, and when.

use crate::support::{Client, MIB, Wire, bytes, cloud, headers_for, text};

#[test]
fn signed_headers_must_come_back_unchanged() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    for info in [client.begin("x"), client.file("PUT", "y.mp4", None).json()] {
        let query = match info["uploadId"].as_str() {
            Some(id) => format!("?uploadId={id}&partNumber=1"),
            None => String::new(),
        };
        let headers = headers_for(&info, 1);
        assert!(headers.len() >= 3);
        for n in 0..headers.len() {
            let mut without = headers.clone();
            let (name, _) = without.remove(n);
            let reply = client.try_put(&info, &without, &query, b"x").expect("an answer");
            assert_eq!((reply.status, reply.code().as_str()), (403, "SignatureDoesNotMatch"), "without {name}");
            let mut altered = headers.clone();
            altered[n].1.push('0');
            let reply = client.try_put(&info, &altered, &query, b"x").expect("an answer");
            assert_eq!((reply.status, reply.code().as_str()), (403, "SignatureDoesNotMatch"), "altered {name}");
        }
        assert_eq!(client.try_put(&info, &headers, &query, b"x").expect("an answer").status, 200);
    }
}

#[test]
fn a_signature_is_for_one_path() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let (one, mut two) = (client.begin("x"), client.begin("y"));
    two["headers"] = one["headers"].clone();
    client.part(&two, 1, b"x").says(403, "SignatureDoesNotMatch");
}

#[test]
fn uploads_and_part_numbers() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    for number in [0, 10_001] {
        client.part(&info, number, b"x").says(400, "InvalidArgument");
    }
    assert_eq!(client.part(&info, 10_000, b"x").status, 200);
    let put = |query: &str| client.try_put(&info, &headers_for(&info, 1), query, b"x").expect("an answer");
    put("?partNumber=1&uploadId=nope").says(404, "NoSuchUpload");
    put("?partNumber=1").says(404, "NoSuchUpload");
    put(&format!("?partNumber=one&uploadId={}", text(&info["uploadId"]))).says(400, "InvalidArgument");
}

#[test]
fn nothing_of_the_api_belongs_here() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let query = format!("?partNumber=1&uploadId={}", text(&info["uploadId"]));
    let mut headers = headers_for(&info, 1);
    let with_token = client.try_put(&info, &headers, &format!("{query}&access_token=t"), b"x").expect("an answer");
    with_token.says(400, "InvalidArgument");
    headers.push(("x-smh-meta-a".to_owned(), "b".to_owned()));
    client.try_put(&info, &headers, &query, b"x").expect("an answer").says(400, "InvalidArgument");
}

#[test]
fn content_md5_is_compared() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let query = format!("?partNumber=1&uploadId={}", text(&info["uploadId"]));
    for (md5, status, code) in [("AAAAAAAAAAAAAAAAAAAAAA==", 400, "BadDigest"), ("AA==", 400, "InvalidDigest")] {
        let mut headers = headers_for(&info, 1);
        headers.push(("Content-MD5".to_owned(), md5.to_owned()));
        client.try_put(&info, &headers, &query, b"x").expect("an answer").says(status, code);
    }
    assert!(cloud.uploads()[0].parts.is_empty(), "nothing was kept");
    let mut headers = headers_for(&info, 1);
    headers.push(("Content-MD5".to_owned(), "ndTkYSaMgDT1yFZOFVxnpg==".to_owned()));
    assert_eq!(client.try_put(&info, &headers, &query, b"x").expect("an answer").status, 200);
}

#[test]
fn a_length_is_needed_and_has_a_bound() {
    let cloud = cloud();
    cloud.set_switches(|s| s.put_size_bytes_max = 10);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, &[0; 11]).says(400, "EntityTooLarge");
    let (_, mut wire) = put_head(&client, &info, "Transfer-Encoding: chunked");
    wire.send(b"1\r\nx\r\n0\r\n\r\n").expect("sent");
    let answer = String::from_utf8(wire.rest().0).expect("text");
    assert!(answer.starts_with("HTTP/1.1 411 ") && answer.contains("MissingContentLength"), "{answer}");
    let (_, mut wire) = put_head(&client, &info, "X-Nothing: 1");
    assert!(wire.until("\r\n\r\n").starts_with("HTTP/1.1 411 "));
}

#[test]
fn a_refusal_comes_before_the_body() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(3_600_000);
    let (_, mut wire) = put_head(&client, &info, "Content-Length: 5\r\nExpect: 100-continue");
    let head = wire.until("\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let entry = cloud.log().pop().expect("an entry");
    assert_eq!((entry.status, entry.body_bytes, entry.expect), (Some(403), 0, true));

    cloud.set_clock_offset_ms(0);
    let (_, mut wire) = put_head(&client, &info, "Content-Length: 5\r\nExpect: 100-continue");
    assert_eq!(wire.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send(b"hello").expect("sent");
    assert!(wire.until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_refusal_is_seen_by_a_client_that_sends_all_first() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.set_clock_offset_ms(3_600_000);
    client.part(&info, 1, &bytes(8 * MIB)).says(403, "AccessDenied");
    cloud.set_switches(|s| s.refusal_resets = true);
    assert!(client.try_part(&info, 1, &bytes(32 * MIB)).is_err(), "the reset hides the answer");
}

#[test]
fn half_a_body_leaves_no_part() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"whole");
    let (seq, mut wire) = put_head(&client, &info, "Content-Length: 5");
    wire.send(b"hal").expect("sent");
    drop(wire);
    let ended = |log: &[partway_sandbox::LogEntry]| log.iter().find(|e| e.seq > seq && e.ended_ms.is_some()).cloned();
    let entry = cloud.wait_log(std::time::Duration::from_secs(10), ended).expect("an end");
    assert_eq!(entry.status, None);
    assert_eq!(cloud.uploads()[0].parts[0].size, 5, "the part that came whole stays");
    assert_eq!(client.confirm(&info).status, 200);
}

#[test]
fn a_silent_client_is_told() {
    let cloud = cloud();
    cloud.set_switches(|s| s.body_timeout_ms = 50);
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let (_, mut wire) = put_head(&client, &info, "Content-Length: 5");
    let answer = String::from_utf8(wire.rest().0).expect("text");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("RequestTimeout"), "{answer}");
}

/// The head of a PUT of part 1, sent; and the number of the last request before it.
pub(crate) fn put_head(client: &Client<'_>, info: &serde_json::Value, more: &str) -> (u64, Wire) {
    let seq = client.cloud.log().last().map_or(0, |e| e.seq);
    let mut wire = Wire::open(client.cloud.data_address());
    let headers: String = headers_for(info, 1).iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let head = format!(
        "PUT {}?partNumber=1&uploadId={} HTTP/1.1\r\nHost: x\r\n{headers}{more}\r\n\r\n",
        text(&info["path"]),
        text(&info["uploadId"])
    );
    wire.send(head.as_bytes()).expect("sent");
    (seq, wire)
}
