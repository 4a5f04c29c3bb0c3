//! Rules on KooDrive's requests.

use partway_sandbox::{How, Plane, Rule, Service, Step};
use serde_json::json;

use crate::support::{Client, PART, cloud, pattern, url_of};

#[test]
fn an_ambiguous_complete_took_effect() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    client.put(&url_of(&created, 1), b"x").status_is(200);
    let complete = || {
        client.try_api(
            "files/complete",
            &[("Authorization", crate::support::TOKEN)],
            &json!({ "fileId": created["fileId"] }),
        )
    };
    cloud.add_rule(Rule::new(Step::Confirm, How::DropBefore).once());
    assert!(complete().is_err());
    client.detail(&created).refuses(13_000_309);
    cloud.add_rule(Rule::new(Step::Confirm, How::DropAfter).once());
    assert!(complete().is_err());
    client.detail(&created).good();
    complete().expect("an answer").refuses(13_000_401);
}

#[test]
fn statuses_have_the_shape_of_who_says_them() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_small("x", 1);
    for (how, status, code) in [
        (How::status(429, ""), 429, "APIG.0308"),
        (How::status(503, ""), 503, "APIGW.0201"),
        (How::status(500, ""), 500, "13000201"),
        (How::status(400, "13000403"), 400, "13000403"),
        (How::status(200, "13000201"), 200, "13000201"),
        (How::status(403, "APIGW.0302"), 403, "APIGW.0302"),
    ] {
        cloud.add_rule(Rule::new(Step::Task, how).once());
        client.detail(&created).says(status, code);
    }
    cloud.add_rule(Rule::new(Step::Part, How::status(503, "SlowDown")).once());
    client.put(&url_of(&created, 1), b"x").says(503, "SlowDown");
    let html = json!({ "step": "renew", "how": "status", "status": 502, "body": "<html>" });
    cloud.add_rule(Rule::from_json(html).expect("a rule"));
    let reply = client.renew(&created, json!([]));
    assert_eq!((reply.status, reply.body.as_str()), (502, "<html>"));
    cloud.add_rule(Rule::new(Step::Begin, How::RefuseToken).once());
    client.create(json!({})).says(401, "APIGW.0301");
}

#[test]
fn parts_are_cut_expired_and_corrupted() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = pattern(PART);
    let created = client.create_small("x", PART);
    let url = url_of(&created, 1);
    cloud.add_rule(Rule::new(Step::Part, How::DropBody { after_bytes: 70_000 }).part(1).once());
    assert!(client.try_put(&url, &[], &content).is_err());
    cloud.add_rule(Rule::new(Step::Part, How::Expire).once());
    client.put(&url, &content).says(403, "AccessDenied");
    cloud.add_rule(Rule::new(Step::Part, How::Corrupt { bit: 8_000 }).once());
    client.put(&url, &content).status_is(200);
    let sha256 = "0".repeat(64);
    client.api("files/complete", json!({ "fileId": created["fileId"], "sha256": sha256 })).refuses(13_000_402);
    let log = cloud.log();
    let parts: Vec<_> = log.iter().filter(|e| e.step == Step::Part).map(|e| (e.part, e.status)).collect();
    assert_eq!(parts, [(Some(1), None), (Some(1), Some(403)), (Some(1), Some(200))]);
    assert_eq!(log.iter().find(|e| e.step == Step::Part).map(|e| e.body_bytes), Some(70_000));
    assert!(log.iter().all(|e| e.service == Service::Koodrive));
    assert!(log.iter().all(|e| !e.query.contains("X-Amz-Signature=") || e.query.contains("X-Amz-Signature=…")));
}

#[test]
fn forget_loses_the_upload() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    for step in [Step::Begin, Step::Renew, Step::Part, Step::Confirm] {
        cloud.add_rule(Rule::new(step, How::Forget).once());
        let created = client.create_small("x", 1);
        match step {
            Step::Begin => {}
            Step::Renew => client.renew(&created, json!([{ "partNumber": 1, "partSize": 1 }])).refuses(13_000_401),
            Step::Part => client.put(&url_of(&created, 1), b"x").says(404, "NoSuchUpload"),
            _ => client.complete(&created).refuses(13_000_401),
        }
        assert!(cloud.uploads().is_empty(), "{step:?}");
        client.complete(&created).refuses(13_000_401);
    }
}

#[test]
fn rules_choose_by_file_and_service() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let good = client.create_small("good", 0);
    let bad = client.create_small("bad", 0);
    cloud.add_rule(Rule::new(Step::Any, How::status(500, "")).path_contains("bad"));
    client.create(client.wanted("bad", 0, json!([]))).status_is(500);
    client.put(&url_of(&bad, 1), b"").status_is(500);
    client.complete(&bad).status_is(500);
    client.detail(&bad).status_is(500);
    client.put(&url_of(&good, 1), b"").status_is(200);
    client.complete(&good).good();
    cloud.clear_rules();

    cloud.add_rule(Rule::new(Step::Any, How::status(500, "")).service(Service::Smh));
    client.create_small("x", 0);
    cloud.add_rule(Rule::new(Step::Any, How::status(500, "")).service(Service::Koodrive).plane(Plane::Data));
    let created = client.create_small("x", 0);
    client.put(&url_of(&created, 1), b"").status_is(500);
    let json =
        json!({ "step": "begin", "service": "koodrive", "path_contains": "z", "how": "drop_body", "after_bytes": 3 });
    cloud.add_rule(Rule::from_json(json).expect("a rule"));
    let body = client.wanted("z", 0, json!([]));
    assert!(client.try_api("files/create", &[("Authorization", crate::support::TOKEN)], &body).is_err());
    assert_eq!(cloud.log().pop().map(|e| (e.status, e.body_bytes)), Some((None, 3)));
}

#[test]
fn answers_are_replaced() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.add_rule(Rule::new(Step::Begin, How::body_json(json!({ "code": "0" }))).once());
    assert_eq!(client.create(client.wanted("x", 0, json!([]))).json(), json!({ "code": "0" }));
    assert_eq!(cloud.uploads().len(), 1, "it was processed");
}
