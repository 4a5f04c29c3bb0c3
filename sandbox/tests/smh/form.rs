//! Form uploads: one POST, the file last.

use serde_json::{Value, json};

use crate::support::{Client, Reply, bytes, call, cloud, text};

const BOUNDARY: &str = "----partway";

fn field(name: &str, value: &str) -> Vec<u8> {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
}

fn file(content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\nContent-Type: text/plain\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn fields(info: &Value) -> Vec<Vec<u8>> {
    let form = info["form"].as_object().expect("a form");
    form.iter().map(|(name, value)| field(name, value.as_str().expect("text"))).collect()
}

fn post(client: &Client<'_>, pieces: &[Vec<u8>]) -> Reply {
    let body = [pieces.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat();
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let url = format!("{}/", client.cloud.data_url());
    call(&client.agent, "POST", &url, &[("Content-Type", &content_type)], &body).expect("an answer")
}

fn begin(client: &Client<'_>, path: &str) -> Value {
    let reply = client.file("POST", path, None);
    reply.status_is(201);
    reply.json()
}

#[test]
fn a_form_becomes_an_object() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    // What looks like a delimiter almost everywhere must not end the file.
    let mut content = bytes(200_000);
    for at in (0..190_000).step_by(1000) {
        content[at..at + 9].copy_from_slice(b"\r\n------p");
    }
    let info = begin(&client, "x.csv");
    assert_eq!(info["path"], json!("/"));
    assert!(info.get("headers").is_none());
    let mut pieces = fields(&info);
    pieces.push(file(&content));
    let reply = post(&client, &pieces);
    reply.status_is(204);
    assert!(reply.header("etag").is_some() && reply.header("location").is_some());
    client.confirm(&info).status_is(200);
    let object = cloud.object("-", "x.csv").expect("an object");
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), content);
}

#[test]
fn an_empty_file_is_one_too() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = begin(&client, "x");
    let mut pieces = fields(&info);
    pieces.push(file(b""));
    post(&client, &pieces).status_is(204);
    assert_eq!(client.confirm(&info).json()["size"], json!("0"));
}

#[test]
fn the_file_is_last_and_there() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = begin(&client, "x");
    post(&client, &fields(&info)).says(400, "IncorrectNumberOfFilesInPostRequest");
    let mut file_first = vec![file(b"x")];
    file_first.extend(fields(&info));
    post(&client, &file_first).says(400, "MalformedPOSTRequest");
    let mut field_after = fields(&info);
    field_after.extend([file(b"x"), field("late", "1")]);
    post(&client, &field_after).says(400, "MalformedPOSTRequest");
    client.confirm(&info).says(404, "UploadIncomplete");
}

#[test]
fn fields_must_come_back_unchanged() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = begin(&client, "x");
    let with = |name: &str, value: &str| {
        let mut info = info.clone();
        info["form"][name] = json!(value);
        let mut pieces = fields(&info);
        pieces.push(file(b"x"));
        post(&client, &pieces)
    };
    for name in ["policy", "q-signature", "q-key-time", "q-ak", "x-cos-security-token", "key"] {
        with(name, &format!("{}0", text(&info["form"][name]))).says(403, "SignatureDoesNotMatch");
    }
    with("acl", "public").says(403, "AccessDenied");
    with("extra", "1").says(403, "AccessDenied");
    cloud.set_clock_offset_ms(3_600_000);
    with("acl", "default").says(403, "AccessDenied");
}

#[test]
fn a_long_preamble_is_refused() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = begin(&client, "x");
    let mut pieces = vec![field("key", &"k".repeat(100_000))];
    pieces.extend(fields(&info));
    post(&client, &pieces).says(400, "MaxPostPreDataLengthExceededError");
}
