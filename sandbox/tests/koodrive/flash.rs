//! Flash uploads and their proof.

use serde_json::{Value, json};

use crate::support::{Client, PART, PRE_HASH, SHA256, TOKEN, USER, cloud, cloud_with};

/// The proofs of the notes.
const TOKEN_OF_NOTES: &str = "Bearer 10f88d07fa44791e9ff0123456789abcdef0123456789abcd";
const PROOF_OF_TOKEN: &str = "310924e1f56757cc34fea81acd536c6d37b3be0adb0f385e5af15e07a3092cdc";
const PROOF_OF_USER: &str = "eb36ddc5406663660adbdccb90115388538cb2e34486030c60056dfb3a1bbfbe";

fn wanted(client: &Client<'_>, proof: Option<&str>) -> Value {
    let mut body = client.wanted("again", 4 * PART, json!([{ "partNumber": 1, "partSize": PART, "partOffset": 0 }]));
    body["sha256"] = json!(SHA256);
    body["preHash"] = json!(PRE_HASH);
    body["proofCode"] = json!(proof);
    body
}

#[test]
fn a_proof_takes_known_content_at_once() {
    let cloud = cloud_with(|c| c.koodrive.tokens = vec![TOKEN.to_owned(), TOKEN_OF_NOTES.to_owned()]);
    let client = Client::new(&cloud);
    let create = |token: &str, body: &Value| {
        client.try_api("files/create", &[("Authorization", token), ("X-User-Id", USER)], body).expect("an answer")
    };
    let proven = wanted(&client, Some(PROOF_OF_TOKEN));
    let miss = create(TOKEN_OF_NOTES, &proven).good();
    assert!(miss["rapidUpload"].is_null() && miss["uploadId"].is_string(), "nothing is known yet");
    client.upload_vector("first");

    let hit = create(TOKEN_OF_NOTES, &proven).good();
    assert_eq!(hit["rapidUpload"], json!(true));
    assert!(hit.get("uploadId").is_none() && hit.get("multiParts").is_none());
    let object = cloud.object(&client.container(), "again").expect("an object");
    assert!(object.instant && object.sha256.as_deref() == Some(SHA256));
    assert_eq!(client.detail(&hit).good()["size"], json!(4 * PART));

    let mut misses = vec![create(TOKEN, &proven), create(TOKEN_OF_NOTES, &wanted(&client, None))];
    misses.push(create(TOKEN_OF_NOTES, &wanted(&client, Some(PROOF_OF_USER))));
    let mut other = proven.clone();
    other["preHash"] = json!(SHA256);
    misses.push(create(TOKEN_OF_NOTES, &other));
    other["preHash"] = json!(PRE_HASH);
    other["length"] = json!(4 * PART + 1);
    misses.push(create(TOKEN_OF_NOTES, &other));
    for reply in misses {
        assert!(reply.good()["uploadId"].is_string());
    }
    cloud.set_switches(|s| s.koodrive.proof_strict = true);
    create(TOKEN, &proven).refuses(13_000_102);
    create(TOKEN_OF_NOTES, &wanted(&client, None)).refuses(13_000_102);
    assert_eq!(create(TOKEN_OF_NOTES, &proven).good()["rapidUpload"], json!(true));
    cloud.set_switches(|s| s.koodrive.instant = false);
    assert!(create(TOKEN_OF_NOTES, &proven).good()["uploadId"].is_string());
}

#[test]
fn an_application_proves_by_its_user() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload_vector("first");
    let body = wanted(&client, Some(PROOF_OF_USER));
    let reply = crate::access::signed(&client, "files/create", &body);
    assert_eq!(reply.good()["rapidUpload"], json!(true));
}
