//! The control interface.

use serde_json::{Value, json};

use crate::support::{Client, Reply, bytes, call, cloud};

fn control(client: &Client<'_>, method: &str, path: &str, body: Option<Value>) -> Reply {
    let body = body.map(|b| b.to_string()).unwrap_or_default();
    let url = format!("{}{path}", client.cloud.control_url());
    call(&client.agent, method, &url, &[], body.as_bytes()).expect("an answer")
}

#[test]
fn rules_come_and_go() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let rule = json!({ "step": "begin", "how": "status", "status": 503, "code": "ServerOverloaded", "times": 1 });
    assert_eq!(control(&client, "POST", "/rules", Some(rule)).json(), json!({ "id": 1 }));
    let two = json!([{ "step": "part", "how": { "how": "stall", "after_bytes": 3 } }, { "step": "any", "how": "delay", "ms": 1 }]);
    assert_eq!(control(&client, "POST", "/rules", Some(two)).json(), json!({ "ids": [2, 3] }));
    client.file("POST", "x?multipart", None).says(503, "ServerOverloaded");
    let rules = control(&client, "GET", "/rules", None).json();
    assert_eq!((rules[0]["seen"].as_u64(), rules[1]["after_bytes"].as_u64()), (Some(1), Some(3)));
    control(&client, "DELETE", "/rules/2", None).status_is(200);
    control(&client, "DELETE", "/rules/2", None).status_is(404);
    control(&client, "DELETE", "/rules", None).status_is(200);
    assert!(cloud.rules().is_empty());
    for bad in [json!({ "step": "part" }), json!({ "step": "part", "how": "reset", "oops": 1 }), json!(3)] {
        control(&client, "POST", "/rules", Some(bad)).status_is(400);
    }
}

#[test]
fn objects_and_their_content_are_shown() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = bytes(200_001);
    client.upload("a.bin", &content);
    let objects = control(&client, "GET", "/objects", None).json();
    assert_eq!((&objects[0]["path"], &objects[0]["size"]), (&json!(["a.bin"]), &json!(200_001)));
    assert!(objects[0]["crc64"].is_string() && objects[0]["sha256"].is_string());
    let url = format!("{}/objects/{}/content", cloud.control_url(), objects[0]["id"]);
    let mut response = client.agent.get(&url).call().expect("an answer");
    assert_eq!(response.body_mut().read_to_vec().expect("bytes"), content);
    control(&client, "GET", "/objects/99/content", None).status_is(404);
}

#[test]
fn the_log_holds_requests_and_no_secrets() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("a.bin", b"123");
    let token = format!("{}/api/v1/token/smh-sandbox/{}", cloud.api_url(), client.token);
    call(&client.agent, "POST", &token, &[], b"").expect("an answer");
    let text = control(&client, "GET", "/log", None).body;
    for secret in ["sandbox-token", "q-signature", "Authorization: ", "sandbox-secret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let log: Value = serde_json::from_str(&text).expect("JSON");
    let part = log.as_array().and_then(|l| l.iter().find(|e| e["step"] == "part")).expect("a part");
    assert_eq!((&part["part"], &part["status"], &part["body_bytes"]), (&json!(1), &json!(200), &json!(3)));
    assert_eq!((&part["plane"], &part["rule"]), (&json!("data"), &Value::Null));
    let seq = part["seq"].as_u64().expect("a number");
    let later = control(&client, "GET", &format!("/log?since={seq}"), None).json();
    assert_eq!(later[0]["seq"].as_u64(), Some(seq + 1));
    control(&client, "DELETE", "/log", None).status_is(200);
    assert!(cloud.log().is_empty());
}

#[test]
fn the_service_is_changed_while_it_runs() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    control(&client, "POST", "/clock", Some(json!({ "offset_ms": 5000 }))).status_is(200);
    assert_eq!(control(&client, "GET", "/clock", None).json()["offset_ms"], json!(5000));
    control(&client, "POST", "/clock", Some(json!({}))).status_is(400);
    let changed = control(&client, "POST", "/config", Some(json!({ "start_status": 200 }))).json();
    assert_eq!((&changed["start_status"], &changed["link_ttl_ms"]), (&json!(200), &json!(600_000)));
    control(&client, "POST", "/config", Some(json!({ "start": 200 }))).status_is(400);
    assert_eq!(control(&client, "GET", "/config", None).json(), changed);

    client.file("POST", "d/x?multipart", None).says(404, "DirectoryNotFound");
    control(&client, "POST", "/directories", Some(json!({ "path": "d" }))).status_is(200);
    client.file("POST", "d/x?multipart", None).status_is(200);

    control(&client, "POST", "/tokens", Some(json!({ "revoke": "sandbox-token" }))).status_is(200);
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
    control(&client, "POST", "/tokens", Some(json!({ "add": "t2" }))).status_is(200);
    control(&client, "POST", "/tokens", Some(json!({ "only": ["sandbox-token"] }))).status_is(200);
    client.file("POST", "x?multipart", None).status_is(200);
    control(&client, "POST", "/tokens", Some(json!({}))).status_is(400);

    let uploads = control(&client, "GET", "/uploads", None).json();
    let key = uploads[0]["confirm_key"].as_str().expect("a key").to_owned();
    control(&client, "POST", "/forget", Some(json!({ "confirm_key": key }))).status_is(200);
    control(&client, "POST", "/forget", Some(json!({ "confirm_key": key }))).status_is(404);
    control(&client, "POST", "/forget", Some(json!({ "all": true }))).status_is(200);
    assert!(cloud.uploads().is_empty());

    control(&client, "POST", "/reset", None).status_is(200);
    assert_eq!((cloud.clock_offset_ms(), cloud.switches().start_status), (0, 201));
    control(&client, "GET", "/nothing", None).status_is(404);
    assert_eq!(control(&client, "GET", "/", None).json()["library"], json!("smh-sandbox"));
}

#[test]
fn no_rule_applies_to_it() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.add_rule(partway_sandbox::Rule::new(partway_sandbox::Step::Any, partway_sandbox::How::Reset));
    control(&client, "GET", "/rules", None).status_is(200);
}
