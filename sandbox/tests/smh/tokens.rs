//! Access tokens.

use serde_json::json;

use crate::support::{Client, Reply, call, cloud, text};

fn create(client: &Client<'_>, query: &str) -> Reply {
    let url = format!("{}/api/v1/token?{query}", client.cloud.api_url());
    call(&client.agent, "GET", &url, &[], b"").expect("an answer")
}

const SECRET: &str = "library_id=smh-sandbox&library_secret=sandbox-secret";

fn with_token<'a>(client: &Client<'a>, query: &str) -> Client<'a> {
    let reply = create(client, &format!("{SECRET}&{query}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    Client { token: text(&reply.json()["accessToken"]), ..Client::new(client.cloud) }
}

#[test]
fn a_token_must_be_known() {
    let cloud = cloud();
    let mut client = Client::new(&cloud);
    client.token = String::new();
    client.file("POST", "x?multipart", None).says(400, "EmptyAccessToken");
    client.token = "another".to_owned();
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
    cloud.add_token("another");
    assert_eq!(client.file("POST", "x?multipart", None).status, 201);
    assert!(cloud.revoke_token("another"));
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
    cloud.only_tokens(&["another"]);
    assert_eq!(client.file("POST", "x?multipart", None).status, 201);
    Client::new(&cloud).file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
}

#[test]
fn a_token_in_use_lives_on() {
    let cloud = cloud();
    let client = with_token(&Client::new(&cloud), "period=600&grant=admin");
    let alive = || client.file("HEAD", "x", None).status == 404;
    for minutes in [9, 18, 27] {
        cloud.set_clock_offset_ms(minutes * 60_000);
        assert!(alive(), "{minutes}");
    }
    cloud.set_clock_offset_ms(38 * 60_000);
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
}

#[test]
fn tokens_are_created_renewed_and_deleted() {
    let cloud = cloud();
    let admin = Client::new(&cloud);
    create(&admin, "library_id=smh-sandbox").says(400, "EmptyLibraryIdOrSecret");
    create(&admin, "library_id=smh-sandbox&library_secret=no").says(404, "WrongLibraryIdOrSecret");
    create(&admin, &format!("{SECRET}&period=299")).says(400, "ParamInvalid");
    assert_eq!(create(&admin, SECRET).json()["expiresIn"], json!(86400));

    let client = with_token(&admin, "period=300&grant=admin");
    let own = format!("{}/api/v1/token/smh-sandbox/{}", cloud.api_url(), client.token);
    let renewed = call(&client.agent, "POST", &own, &[], b"").expect("an answer").json();
    assert_eq!(renewed, json!({ "accessToken": client.token, "expiresIn": 300 }));
    assert_eq!(call(&client.agent, "DELETE", &own, &[], b"").expect("an answer").status, 204);
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");

    let (ann, bob) = (with_token(&admin, "user_id=ann"), with_token(&admin, "user_id=bob"));
    let url = format!("{}/api/v1/token/smh-sandbox?library_secret=sandbox-secret&user_id=ann", cloud.api_url());
    assert_eq!(call(&admin.agent, "DELETE", &url, &[], b"").expect("an answer").status, 204);
    ann.file("GET", "x?upload", None).says(403, "InvalidAccessToken");
    bob.file("GET", "x?upload", None).says(404, "UploadNotFound");
}

#[test]
fn a_token_may_do_what_it_was_granted() {
    let cloud = cloud();
    let admin = Client::new(&cloud);
    let reader = with_token(&admin, "");
    reader.file("POST", "x?multipart", None).says(403, "NoPermission");
    let beginner = with_token(&admin, "grant=begin_upload,create_directory");
    let info = beginner.begin("x");
    beginner.part(&info, 1, b"x");
    beginner.confirm(&info).says(403, "NoPermission");
    beginner.file("POST", "x?multipart&conflict_resolution_strategy=overwrite", None).says(403, "NoPermission");
    assert_eq!(beginner.api("PUT", "directory/smh-sandbox/-/d", None).status, 201);
    assert_eq!(admin.confirm(&info).status, 200);
    cloud.set_switches(|s| s.grants = false);
    assert_eq!(reader.file("POST", "y?multipart", None).status, 201);
}

#[test]
fn a_task_belongs_to_its_user() {
    let cloud = cloud();
    let admin = Client::new(&cloud);
    let ann = with_token(&admin, "user_id=ann&grant=upload_file");
    let bob = with_token(&admin, "user_id=bob&grant=upload_file");
    let info = ann.begin("x");
    bob.task(&info).says(403, "UploadNotBelongYou");
    bob.confirm(&info).says(403, "UploadNotBelongYou");
    assert_eq!(ann.task(&info).status, 200);
}

#[test]
fn a_token_may_be_for_one_space() {
    let cloud = cloud();
    let client = with_token(&Client::new(&cloud), "space_id=s1,s2&grant=upload_file");
    client.file("POST", "x?multipart", None).says(403, "AccessTokenNotMatchSpace");
    assert_eq!(client.api("POST", "file/smh-sandbox/s2/x?multipart", None).status, 201);
}
