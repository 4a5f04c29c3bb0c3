//! Links: what they sign, and how they end.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::support::{CONTEXTS, Client, PART, TOKEN, USER, cloud, cloud_with, url_of, vector, vector_part};

#[test]
fn a_link_signs_its_query_its_length_and_its_host() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_vector("x");
    let part = &vector()[PART..2 * PART];
    let url = url_of(&created, 2);
    client.put(&url, &part[1..]).says(403, "SignatureDoesNotMatch");
    let localhost = url.replace("127.0.0.1", "localhost");
    client.put(&localhost, part).says(403, "SignatureDoesNotMatch");
    for (from, to) in [
        ("partNumber=2", "partNumber=3"),
        ("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        ("uploadId=0", "uploadId=1"),
        ("content-length%3Bhost", "host"),
        ("SANDBOXKOO", "SANDBOXOOK"),
        ("086?", "087?"),
        ("&X-Amz-Signature=", "&extra=1&X-Amz-Signature="),
        ("%3D&X-Amz-Signature=", "&X-Amz-Signature="),
    ] {
        assert!(url.contains(from), "{from} in {url}");
        client.put(&url.replace(from, to), part).says(403, "SignatureDoesNotMatch");
    }
    let told = client.put(&url.replace("partNumber=2", "partNumber=3"), part);
    assert!(told.body.contains("<StringToSign>AWS4-HMAC-SHA256\n") && told.body.contains("<AWSAccessKeyId>SANDBOX"));
    client.put(url.split('?').next().expect("a path"), part).says(403, "AccessDenied");
    client.put(&url.replace("%2F", "/").replace("%3B", ";"), part).status_is(200);
    client.put(&url, part).status_is(200);
}

#[test]
fn an_over_link_is_refused_and_a_new_one_is_taken() {
    let cloud = cloud_with(|c| c.switches.koodrive.url_ttl_ms = 2_000);
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    assert!(url_of(&created, 1).contains("X-Amz-Expires=2&"));
    client.put(&url_of(&created, 1), b"x").status_is(200);
    cloud.set_clock_offset_ms(2_001);
    let over = client.put(&url_of(&created, 1), b"x");
    over.says(403, "AccessDenied");
    for text in ["Request has expired", "<X-Amz-Expires>2</X-Amz-Expires>", "<Expires>", "<ServerTime>"] {
        assert!(over.body.contains(text), "{over:?}");
    }
    let renewed = client.renew(&created, json!([{ "partNumber": 1, "partSize": 1, "partOffset": 0 }])).good();
    assert_ne!(url_of(&renewed, 1), url_of(&created, 1));
    client.put(&url_of(&renewed, 1), b"x").status_is(200);
    cloud.set_clock_offset_ms(-3_600_000);
    client.put(&url_of(&renewed, 1), b"x").says(403, "RequestTimeTooSkewed");
}

#[test]
fn a_link_can_be_for_one_request() {
    let cloud = cloud_with(|c| c.switches.koodrive.single_use_urls = true);
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    client.put(&url_of(&created, 1), b"x").status_is(200);
    client.put(&url_of(&created, 1), b"x").says(403, "AccessDenied");
    let renewed = client.renew(&created, json!([{ "partNumber": 1, "partSize": 1, "partOffset": 0 }])).good();
    client.put(&url_of(&renewed, 1), b"x").status_is(200);
}

#[test]
fn headers_of_the_api_do_not_belong_here() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    for header in [("Authorization", TOKEN), ("X-User-Id", USER)] {
        let reply = client.try_put(&url_of(&created, 1), &[header], b"x").expect("an answer");
        reply.says(400, "InvalidArgument");
    }
    let wrong = [("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    client.try_put(&url_of(&created, 1), &wrong, b"x").expect("an answer").says(400, "BadDigest");
    assert!(cloud.uploads()[0].parts.is_empty());
}

#[test]
fn a_body_without_length_is_refused() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let url = url_of(&client.create_small("x", 1), 1);
    let target = url.replace(&cloud.data_url(), "");
    let mut tcp = TcpStream::connect(cloud.data_address()).expect("a connection");
    let host = cloud.data_address();
    let request =
        format!("PUT {target} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
    tcp.write_all(request.as_bytes()).expect("written");
    let mut answer = [0; 4096];
    let size = tcp.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..size]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 411") && answer.contains("MissingContentLength"), "{answer}");
}

#[test]
fn a_wrong_context_can_be_noticed_at_once() {
    let cloud = cloud_with(|c| c.switches.koodrive.digest_at_put = true);
    let client = Client::new(&cloud);
    let mut third = vector_part(3);
    third["hashCtx"][0] = json!(CONTEXTS[1][0] ^ 1);
    let parts = json!([vector_part(1), vector_part(2), third, vector_part(4)]);
    let created = client.create(client.wanted("x", 4 * PART, parts)).good();
    let content = vector();
    let put = |number: usize| client.put(&url_of(&created, number), &content[(number - 1) * PART..number * PART]);
    put(1).status_is(200);
    put(2).says(400, "BadDigest");
    put(3).says(400, "BadDigest");
    put(4).status_is(200);
}

#[test]
fn an_unknown_upload_takes_nothing() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    assert!(cloud.forget(created["fileId"].as_str().expect("an id")));
    client.put(&url_of(&created, 1), b"x").says(404, "NoSuchUpload");
    client.complete(&created).refuses(13_000_401);
    client.detail(&created).refuses(13_000_309);
}
