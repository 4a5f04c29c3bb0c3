//! Tokens, signed requests and common headers.

use hmac::{Hmac, KeyInit, Mac};
use partway_sandbox::AuthRefusal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Client, Reply, TOKEN, USER, cloud, text, url_of};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The service's present, as it stamps links.
fn now(client: &Client<'_>) -> String {
    let url = url_of(&client.create_small("for the date", 0), 1);
    url.split("X-Amz-Date=").nth(1).and_then(|rest| rest.split('&').next()).expect("a date").to_owned()
}

fn authorization(client: &Client<'_>, path: &str, date: &str, body: &Value) -> String {
    let host = client.cloud.koodrive_url().replace("http://", "");
    let names = "host;x-date;x-user-id";
    let request = format!(
        "POST\n/koodrive/ose/v1/{path}/\n\nhost:{host}\nx-date:{date}\nx-user-id:{USER}\n\n{names}\n{}",
        hex(&Sha256::digest(body.to_string()))
    );
    let to_sign = format!("HMAC-SHA256\n{}", hex(&Sha256::digest(request)));
    let mac = Hmac::<Sha256>::new_from_slice(b"sandbox-app-secret").expect("a key").chain_update(to_sign);
    format!("HMAC-SHA256 AppId=sandbox-app,SignedHeaders={names},Signature={}", hex(&mac.finalize().into_bytes()))
}

/// A call signed by the sandbox's application.
pub(crate) fn signed(client: &Client<'_>, path: &str, body: &Value) -> Reply {
    let date = now(client);
    let authorization = authorization(client, path, &date, body);
    let headers = [("Authorization", authorization.as_str()), ("X-Date", &date), ("X-User-Id", USER)];
    client.try_api(path, &headers, body).expect("an answer")
}

#[test]
fn a_signed_request_is_as_good_as_a_token() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let body = client.wanted("x", 0, json!([]));
    signed(&client, "files/create", &body).good();

    let date = now(&client);
    let right = authorization(&client, "files/create", &date, &body);
    let call = |authorization: &str, date: &str, user: &str, body: &Value| {
        let headers = [("Authorization", authorization), ("X-Date", date), ("X-User-Id", user)];
        client.try_api("files/create", &headers, body).expect("an answer")
    };
    call(&right, &date, USER, &body).good();
    call(&right, &date, USER, &client.wanted("y", 0, json!([]))).says(401, "APIGW.0301");
    call(&right, &date, "1505084218764547201", &body).says(401, "APIGW.0301");
    call(&right.replace("sandbox-app,", "other-app,"), &date, USER, &body).says(401, "APIGW.0301");
    call(&right.replace("host;", ""), &date, USER, &body).says(401, "APIGW.0301");
    call(&right.replace("host;x-date", "x-date;host"), &date, USER, &body).says(401, "APIGW.0301");
    call(&right.replace(",Sig", ", Sig"), &date, USER, &body).says(401, "APIGW.0301");
    let without = client.try_api("files/create", &[("Authorization", &right)], &body).expect("an answer");
    without.says(401, "APIGW.0301");
    cloud.set_clock_offset_ms(-5_000);
    call(&right, &date, USER, &body).says(401, "APIGW.0301");
    cloud.set_clock_offset_ms(890_000);
    call(&right, &date, USER, &body).good();
    cloud.set_clock_offset_ms(905_000);
    call(&right, &date, USER, &body).says(401, "APIGW.0301");
}

#[test]
fn a_token_slides_until_it_rests_too_long() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let minutes = |n: i64| cloud.set_clock_offset_ms(n * 60_000);
    client.create_small("x", 0);
    for n in [19, 38] {
        minutes(n);
        client.create_small("x", 0);
    }
    minutes(59);
    let refused = client.create(client.wanted("x", 0, json!([])));
    refused.says(401, "APIGW.0301");
    assert!(refused.header("x-request-id").is_some());
    cloud.add_koodrive_token(TOKEN);
    client.create_small("x", 0);
    cloud.set_switches(|s| s.koodrive.token_idle_ms = None);
    minutes(600);
    client.create_small("x", 0);
    cloud.only_koodrive_tokens(&["AT other"]);
    client.create(client.wanted("x", 0, json!([]))).says(401, "APIGW.0301");
    let call = |token| client.try_api("files/create", &[("Authorization", token)], &client.wanted("x", 0, json!([])));
    call("AT other").expect("an answer").good();
    assert!(cloud.revoke_koodrive_token("AT other"));
    call("AT other").expect("an answer").says(401, "APIGW.0301");
}

#[test]
fn a_session_is_refreshed() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let refresh = |headers: &[(&str, &str)]| client.try_api("session/refresh", headers, &json!({})).expect("an answer");
    let fresh = text(&refresh(&[("Authorization", TOKEN), ("x-session-id", "s")]).good()["accessToken"]);
    assert!(fresh.starts_with("Bearer ") && fresh.len() == 55);
    cloud.revoke_koodrive_token(TOKEN);
    let body = client.wanted("x", 0, json!([]));
    client.try_api("files/create", &[("Authorization", &fresh)], &body).expect("an answer").good();
    refresh(&[("Authorization", TOKEN), ("x-session-id", "s")]).says(401, "APIGW.0301");
    refresh(&[("Authorization", &fresh)]).refuses(13_000_102);
}

#[test]
fn common_headers_are_checked() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let body = client.wanted("x", 0, json!([]));
    let call = |headers: &[(&str, &str)]| {
        let headers = [&[("Authorization", TOKEN)], headers].concat();
        client.try_api("files/create", &headers, &body).expect("an answer")
    };
    let trace = "a_1".repeat(19) + "z";
    let date = now(&client);
    call(&[("X-Traceid", &trace), ("X-Date", &date), ("X-User-Id", USER), ("language", "zh-CN")]).good();
    call(&[("X-Traceid", &trace[1..])]).refuses(13_000_102);
    call(&[("X-Traceid", &trace.replace('_', "-"))]).refuses(13_000_102);
    call(&[("X-User-Id", "1")]).says(401, "APIGW.0301");
    call(&[("X-Date", "2024-09-09T03:33:25Z")]).refuses(13_000_102);
    cloud.set_clock_offset_ms(-5_000);
    call(&[("X-Date", &date)]).refuses(13_000_102);
    cloud.set_clock_offset_ms(905_000);
    call(&[("X-Date", &date)]).refuses(13_000_102);
    cloud.set_switches(|s| s.koodrive.check_date = false);
    call(&[("X-Date", &date)]).good();
    cloud.set_switches(|s| s.koodrive.headers_required = true);
    call(&[("X-Date", &date)]).refuses(13_000_102);
    call(&[("X-Date", &date), ("X-User-Id", USER)]).good();
}

#[test]
fn a_refused_credential_has_three_faces() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let call = || client.try_api("files/create", &[("Authorization", "?")], &json!({})).expect("an answer");
    call().says(401, "APIGW.0301");
    cloud.set_switches(|s| s.koodrive.auth_refusal = AuthRefusal::Business401);
    call().says(401, "13000101");
    cloud.set_switches(|s| s.koodrive.auth_refusal = AuthRefusal::Business400);
    call().says(400, "13000101");
    assert!(!cloud.log().iter().any(|entry| format!("{entry:?}").contains("sandbox-token")));
}

#[test]
fn a_shared_folder_stays_the_same_one() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let share = [("Authorization", TOKEN), ("x-hw-share-folder-id", "Fshared")];
    let body = client.wanted("x", 0, json!([]));
    let created = client.try_api("files/create", &share, &body).expect("an answer").good();
    client.complete(&created).refuses(13_000_411);
    let complete = json!({ "fileId": created["fileId"] });
    client.try_api("files/complete", &share, &complete).expect("an answer").good();
}

#[test]
fn there_is_no_other_call() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.api("files/list", json!({})).says(404, "APIGW.0101");
    client.api("files/a/b/detail", json!({})).says(404, "APIGW.0101");
    let url = format!("{}/koodrive/ose/v1/files/create", cloud.koodrive_url());
    crate::support::call(&client.agent, "GET", &url, &[], b"").expect("an answer").says(404, "APIGW.0101");
    let plain = [("Authorization", TOKEN), ("Content-Type", "text/plain")];
    crate::support::call(&client.agent, "POST", &url, &plain, b"{}").expect("an answer").refuses(13_000_101);
}
