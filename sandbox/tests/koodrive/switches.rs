//! What the service may be like.

use partway_sandbox::UnfinishedDetail;
use serde_json::json;

use crate::support::{Client, PART, SHA256, call, cloud, text, url_of, vector_part};

#[test]
fn codes_are_numbers_or_strings_and_errors_400_or_200() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| s.koodrive.code_as_string = true);
    let created = client.create(client.wanted("x", 0, json!([]))).json();
    assert_eq!((&created["code"], &created["msg"]), (&json!("0"), &json!("Success.")));
    client.create(json!({})).says(400, "\"13000102\"");
    cloud.set_switches(|s| (s.koodrive.code_as_string, s.koodrive.errors_as_200) = (false, true));
    client.create(json!({})).says(200, "13000102");
}

#[test]
fn parts_come_back_in_order_if_wanted() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let parts = || (1..=4).map(vector_part).collect();
    let order = |created: serde_json::Value| -> Vec<u64> {
        let parts = created["multiParts"].as_array().expect("parts");
        parts.iter().filter_map(|part| part["partNumber"].as_u64()).collect()
    };
    assert_ne!(order(client.create(client.wanted("x", 4 * PART, parts())).good()), [1, 2, 3, 4]);
    cloud.set_switches(|s| s.koodrive.shuffle_parts = false);
    assert_eq!(order(client.create(client.wanted("x", 4 * PART, parts())).good()), [1, 2, 3, 4]);
}

#[test]
fn complete_may_have_to_be_called_again() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| s.koodrive.change_state_failures = 2);
    let created = client.create_small("x", 0);
    client.put(&url_of(&created, 1), b"").status_is(200);
    client.complete(&created).refuses(13_000_403);
    client.complete(&created).refuses(13_000_403);
    client.complete(&created).good();
}

#[test]
fn a_failed_check_may_end_the_upload() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| s.koodrive.integrity_failure_ends_upload = true);
    let created = client.create_small("x", 1);
    client.complete(&created).refuses(13_000_402);
    client.complete(&created).refuses(13_000_401);
    client.put(&url_of(&created, 1), b"x").says(404, "NoSuchUpload");
}

#[test]
fn detail_may_show_what_was_declared() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_vector("x");
    client.detail(&created).refuses(13_000_309);
    cloud.set_switches(|s| s.koodrive.unfinished_detail = UnfinishedDetail::Declared);
    let detail = client.detail(&created).good();
    assert_eq!((&detail["sha256"], &detail["state"]), (&json!(SHA256), &json!("uploading")));
    let path = format!("files/{}/detail", text(&created["fileId"]));
    client.api(&path, json!({})).refuses(13_000_102);
    client.api(&path, json!({ "containerId": "IAADother" })).refuses(13_000_301);
}

#[test]
fn a_switch_is_set_by_name_and_leaves_the_others() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let set = |body: &str| {
        call(&client.agent, "POST", &format!("{}/config", cloud.control_url()), &[], body.as_bytes())
            .expect("an answer")
    };
    set(r#"{"koodrive":{"url_ttl_ms":7}}"#).status_is(200);
    set(r#"{"koodrive":{"code_as_string":true},"omit_date":true}"#).status_is(200);
    let switches = cloud.switches();
    assert!(switches.koodrive.url_ttl_ms == 7 && switches.koodrive.code_as_string && switches.omit_date);
    set(r#"{"koodrive":{"url_ttl":7}}"#).status_is(400);
    let tokens = r#"{"service":"koodrive","add":"AT x"}"#;
    call(&client.agent, "POST", &format!("{}/tokens", cloud.control_url()), &[], tokens.as_bytes())
        .expect("an answer")
        .status_is(200);
    cloud.set_switches(|s| s.koodrive.code_as_string = false);
    let body = client.wanted("x", 0, json!([]));
    client.try_api("files/create", &[("Authorization", "AT x")], &body).expect("an answer").good();
}
