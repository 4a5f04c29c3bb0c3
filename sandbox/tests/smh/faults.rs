//! Faults that an orderly client can see.

use std::time::{Duration, Instant};

use partway_sandbox::{How, Rule, Step};
use serde_json::json;

use crate::support::{Client, MIB, bytes, cloud, crc64, text};

#[test]
fn drop_before_does_nothing_and_drop_after_everything() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"x");
    let confirm = || client.try_api("POST", &format!("file/smh-sandbox/-/{}?confirm", text(&info["confirmKey"])), None);
    cloud.add_rule(Rule::new(Step::Confirm, How::DropBefore).once());
    assert!(confirm().is_err());
    assert!(cloud.objects().is_empty());
    cloud.add_rule(Rule::new(Step::Confirm, How::DropAfter).once());
    assert!(confirm().is_err());
    assert_eq!(cloud.objects().len(), 1);
    assert_eq!(client.task(&info).json()["confirmed"], json!(true));
    let log: Vec<_> = cloud.log().into_iter().filter(|e| e.step == Step::Confirm).collect();
    assert_eq!(log.iter().map(|e| (e.rule, e.status)).collect::<Vec<_>>(), [(Some(1), None), (Some(2), None)]);
}

#[test]
fn drop_body_reads_so_much() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::DropBody { after_bytes: 100_000 }).once());
    assert!(client.try_part(&info, 1, &bytes(32 * MIB)).is_err());
    let entry = cloud.log().pop().expect("an entry");
    assert_eq!((entry.status, entry.body_bytes), (None, 100_000));
    assert!(cloud.uploads()[0].parts.is_empty());
    client.part(&info, 1, b"x").status_is(200);
}

#[test]
fn status_answers_what_the_rule_says() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::status(503, "SlowDown")).times(2));
    client.part(&info, 1, b"x").says(503, "SlowDown");
    client.part(&info, 1, b"x").says(503, "SlowDown");
    assert!(cloud.uploads()[0].parts.is_empty());
    client.part(&info, 1, b"x").status_is(200);

    let how = json!({ "step": "confirm", "how": "status", "status": 429, "message": "later", "process": true,
                      "headers": { "Retry-After": "7" }, "times": 1 });
    cloud.add_rule(Rule::from_json(how).expect("a rule"));
    let reply = client.confirm(&info);
    reply.says(429, "RateLimitExceeded");
    assert_eq!((reply.header("retry-after"), &reply.json()["message"]), (Some("7"), &json!("later")));
    assert_eq!(cloud.objects().len(), 1, "it took effect");

    let how = json!({ "step": "task", "how": "status", "status": 502, "body": "<html>" });
    cloud.add_rule(Rule::from_json(how).expect("a rule"));
    let reply = client.task(&info);
    assert_eq!((reply.status, reply.body.as_str()), (502, "<html>"));
}

#[test]
fn early_is_seen_and_early_reset_is_not() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::early(503, "SlowDown")).once());
    client.part(&info, 1, &bytes(8 * MIB)).says(503, "SlowDown");
    assert_eq!(cloud.log().pop().map(|e| e.body_bytes), Some(0));
    cloud.add_rule(Rule::new(Step::Part, How::early_reset(403, "AccessDenied")).once());
    assert!(client.try_part(&info, 1, &bytes(32 * MIB)).is_err());
    assert_eq!(cloud.log().pop().map(|e| (e.status, e.body_bytes)), Some((Some(403), 0)));
}

#[test]
fn delay_and_trickle_take_their_time() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.add_rule(Rule::new(Step::Begin, How::Delay { ms: 150 }));
    let start = Instant::now();
    let info = client.begin("x");
    assert!(start.elapsed() >= Duration::from_millis(150));
    cloud.clear_rules();
    cloud.add_rule(Rule::new(Step::Task, How::Trickle { bytes_per_s: 5_000 }));
    let start = Instant::now();
    let task = client.task(&info);
    assert_eq!(task.json()["confirmed"], json!(false));
    assert!(start.elapsed() >= Duration::from_secs_f64(task.body.len() as f64 / 5_000.0), "{:?}", start.elapsed());
}

#[test]
fn slow_read_slows_the_body() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::SlowRead { bytes_per_s: 1_000_000 }));
    let start = Instant::now();
    client.part(&info, 1, &bytes(300_000)).status_is(200);
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
}

#[test]
fn expire_refuses_a_living_signature() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::Expire).part(2).once());
    client.part(&info, 1, b"x").status_is(200);
    client.part(&info, 2, b"x").says(403, "AccessDenied");
    client.part(&info, 2, b"x").status_is(200);
}

#[test]
fn corrupt_stores_other_bytes_and_says_so() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = bytes(200_000);
    let info = client.begin("x");
    cloud.add_rule(Rule::new(Step::Part, How::Corrupt { bit: 8 * 150_000 + 3 }).once());
    let reply = client.part(&info, 1, &content);
    let mut stored = content.clone();
    stored[150_000] ^= 8;
    assert_eq!(reply.header("x-cos-hash-crc64ecma"), Some(crc64(&stored).to_string().as_str()));
    let key = text(&info["confirmKey"]);
    let confirm = client.file("POST", &format!("{key}?confirm"), Some(json!({ "crc64": crc64(&content).to_string() })));
    confirm.says(400, "BadCrc64");
    client.confirm(&info).status_is(200);
    let object = cloud.object("-", "x").expect("an object");
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), stored);
}

#[test]
fn wrong_sums_are_only_said() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    let good = client.part(&info, 1, b"x");
    cloud.add_rule(Rule::new(Step::Part, How::WrongCrc).once());
    cloud.add_rule(Rule::new(Step::Part, How::WrongEtag).once());
    let crc = client.part(&info, 1, b"x");
    assert_ne!(crc.header("x-cos-hash-crc64ecma"), good.header("x-cos-hash-crc64ecma"));
    assert_eq!(crc.header("etag"), good.header("etag"));
    let etag = client.part(&info, 1, b"x");
    assert_eq!(etag.header("x-cos-hash-crc64ecma"), good.header("x-cos-hash-crc64ecma"));
    assert_ne!(etag.header("etag"), good.header("etag"));
    let listed = client.task(&info).json()["parts"][0]["ETag"].clone();
    assert_eq!(listed.as_str(), good.header("etag"));
}

#[test]
fn forget_loses_the_upload() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    for (step, code) in
        [(Step::Part, "NoSuchUpload"), (Step::Confirm, "UploadNotFound"), (Step::Task, "UploadNotFound")]
    {
        let info = client.begin("x");
        client.part(&info, 1, b"x");
        cloud.add_rule(Rule::new(step, How::Forget).once());
        let reply = match step {
            Step::Part => client.part(&info, 1, b"x"),
            Step::Confirm => client.confirm(&info),
            _ => client.task(&info),
        };
        reply.says(404, code);
    }
    cloud.add_rule(Rule::new(Step::Begin, How::Forget).once());
    let info = client.begin("x");
    client.part(&info, 1, b"x").says(404, "NoSuchUpload");
    assert!(cloud.uploads().is_empty());
}

#[test]
fn tokens_are_refused_and_calls_redirected() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.add_rule(Rule::new(Step::Any, How::RefuseToken).once());
    client.file("POST", "x?multipart", None).says(403, "InvalidAccessToken");
    cloud.add_rule(Rule::new(Step::Begin, How::Redirect { location: "http://127.0.0.1:1/".to_owned() }).once());
    let reply = client.file("POST", "x?multipart", None);
    assert_eq!((reply.status, reply.header("location")), (307, Some("http://127.0.0.1:1/")));
}

#[test]
fn a_body_is_replaced() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.add_rule(Rule::new(Step::Begin, How::body_nested(10_000)).once());
    cloud.add_rule(Rule::new(Step::Begin, How::body_json(json!({ "confirmKey": 7 }))).once());
    let deep = client.file("POST", "x?multipart", None);
    assert_eq!((deep.status, deep.body.len()), (201, 20_000));
    assert_eq!(client.file("POST", "x?multipart", None).json(), json!({ "confirmKey": 7 }));
    assert_eq!(cloud.uploads().len(), 2, "both were processed");
}

#[test]
fn rules_choose_by_upload() {
    let cloud = cloud();
    cloud.make_directory("-", "dir");
    let client = Client::new(&cloud);
    cloud.add_rule(Rule::new(Step::Any, How::status(500, "")).path_contains("dir/bad"));
    client.file("POST", "dir/bad?multipart", None).status_is(500);
    let good = client.begin("dir/good");
    client.part(&good, 1, b"x").status_is(200);
    cloud.clear_rules();
    let bad = client.begin("dir/bad");
    cloud.add_rule(Rule::new(Step::Part, How::status(500, "")).path_contains("dir/bad").after(1));
    client.part(&bad, 1, b"x").status_is(200);
    client.part(&bad, 1, b"x").says(500, "InternalError");
}
