//! An upload from create to detail.

use serde_json::{Value, json};

use crate::support::{CONTEXTS, Client, PART, SHA256, cloud, cloud_with, pattern, text, url_of, vector, vector_part};
use partway_sandbox::Service;

#[test]
fn parts_with_contexts_become_one_object_in_any_order() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_vector("a b.bin");
    assert_eq!((text(&created["fileId"]).len(), text(&created["uploadId"]).len()), (33, 32));
    let content = vector();
    for number in [3, 1, 4, 2] {
        let reply = client.put(&url_of(&created, number), &content[(number - 1) * PART..number * PART]);
        reply.status_is(200);
        assert!(reply.header("etag").is_some_and(|e| e.len() == 34));
        assert!(reply.header("x-amz-request-id").is_some() && reply.header("date").is_some());
    }
    client.detail(&created).refuses(13_000_309);
    let completed = client.api("files/complete", json!({ "fileId": created["fileId"], "sha256": SHA256 }));
    assert_eq!(completed.json(), json!({ "code": 0, "msg": "success." }));
    let detail = client.detail(&created).good();
    assert_eq!((&detail["size"], &detail["sha256"]), (&json!(4 * PART), &json!(SHA256)));
    assert_eq!((&detail["fileName"], &detail["fileSuffix"]), (&json!("a b.bin"), &json!("bin")));

    let object = cloud.object(&client.container(), "a b.bin").expect("an object");
    assert_eq!((object.service, object.parts), (Service::Koodrive, 4));
    assert_eq!(object.sha256.as_deref(), Some(SHA256));
    assert_eq!(object.file_id.as_deref(), created["fileId"].as_str());
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), content);
    client.complete(&created).refuses(13_000_401);
    client.put(&url_of(&created, 1), &content[..PART]).says(404, "NoSuchUpload");
}

#[test]
fn a_flipped_bit_of_a_context_is_noticed_at_complete() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let mut parts: Vec<Value> = (1..=4).map(vector_part).collect();
    parts[3]["hashCtx"][0] = json!(CONTEXTS[2][0] ^ 1);
    let created = client.create(client.wanted("x", 4 * PART, json!(parts))).good();
    for (n, part) in vector().chunks(PART).enumerate() {
        client.put(&url_of(&created, n + 1), part).status_is(200);
    }
    client.complete(&created).refuses(13_000_402);
    assert!(cloud.objects().is_empty());
}

#[test]
fn content_is_compared_with_what_was_declared() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_small("x", 5);
    let complete =
        |sha256: &str| client.api("files/complete", json!({ "fileId": created["fileId"], "sha256": sha256 }));
    complete(&"0".repeat(64)).refuses(13_000_402);
    client.put(&url_of(&created, 1), b"hello").status_is(200);
    complete(&"0".repeat(64)).refuses(13_000_402);
    complete("short").refuses(13_000_102);
    complete("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824").good();
    complete("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824").refuses(13_000_401);
    client.api("files/complete", json!({ "fileId": "Funknown" })).refuses(13_000_401);
    client.api("files/complete", json!({})).refuses(13_000_102);
}

#[test]
fn a_missing_part_and_a_changed_one_are_noticed() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create_vector("x");
    let content = vector();
    for number in [1, 2, 4] {
        client.put(&url_of(&created, number), &content[(number - 1) * PART..number * PART]).status_is(200);
    }
    client.complete(&created).refuses(13_000_402);
    client.put(&url_of(&created, 3), &vec![9; PART]).status_is(200);
    client.complete(&created).refuses(13_000_402);
    client.put(&url_of(&created, 3), &content[2 * PART..3 * PART]).status_is(200);
    assert_eq!(cloud.uploads()[0].parts.len(), 4);
    client.complete(&created).good();
    assert!(cloud.uploads().is_empty());
}

#[test]
fn parts_without_contexts_come_in_order() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let content = pattern(2 * PART + 9);
    let sizes = [PART, PART, 9];
    let parts: Vec<Value> =
        sizes.iter().enumerate().map(|(n, size)| json!({ "partNumber": n + 1, "partSize": size })).collect();
    let created = client.create(client.wanted("x", content.len(), json!(parts))).good();
    client.put(&url_of(&created, 2), &content[PART..2 * PART]).says(400, "InvalidPartOrder");
    for (n, part) in content.chunks(PART).enumerate() {
        client.put(&url_of(&created, n + 1), part).status_is(200);
    }
    let wrong = json!({ "fileId": created["fileId"], "sha256": SHA256 });
    client.api("files/complete", wrong).refuses(13_000_402);
    client.complete(&created).good();
    let object = cloud.objects().pop().expect("an object");
    assert_eq!(client.detail(&created).good()["sha256"], json!(object.sha256));
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), content);
}

#[test]
fn an_empty_file_has_one_empty_part_or_none() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    client.upload_small("one", b"");
    let mut body = client.wanted("none", 0, json!([]));
    body["sha256"] = json!(empty);
    cloud.set_switches(|s| s.koodrive.instant = false);
    let created = client.create(body.clone()).good();
    client.complete(&created).good();
    for object in cloud.objects() {
        assert_eq!((object.size, object.sha256.as_deref()), (0, Some(empty)));
        assert!(object.file.is_some_and(|f| f.exists()));
    }
    cloud.set_switches(|s| s.koodrive.instant = true);
    assert_eq!(client.create(body).good()["rapidUpload"], json!(true), "nothing needs no proof");
}

#[test]
fn a_short_part_that_is_not_the_last_is_noticed_at_complete() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let parts = json!([{ "partNumber": 1, "partSize": 3 }, { "partNumber": 2, "partSize": 2 }]);
    let created = client.create(client.wanted("x", 5, parts)).good();
    client.put(&url_of(&created, 1), b"hel").status_is(200);
    client.put(&url_of(&created, 2), b"lo").status_is(200);
    client.complete(&created).refuses(13_000_402);
    cloud.set_switches(|s| s.koodrive.part_size_bytes_min = 1);
    client.complete(&created).good();
}

#[test]
fn discarded_content_is_checked_all_the_same() {
    let cloud = cloud_with(|c| c.switches.discard = true);
    let client = Client::new(&cloud);
    client.upload_vector("x");
    let object = cloud.objects().pop().expect("an object");
    assert_eq!((object.sha256.as_deref(), object.file), (Some(SHA256), None));
}

#[test]
fn the_documented_batch_comes_back_with_its_links() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create(client.wanted("x", 4 * PART, json!([]))).good();
    assert_eq!(created["multiParts"], json!([]));
    let parts = json!([vector_part(1), vector_part(2)]);
    let renewed = client.renew(&created, parts).good();
    let second = &renewed["multiParts"][0];
    assert_eq!(second["hashCtx"], json!(CONTEXTS[0]), "the order is not the one that was asked for");
    assert!(renewed["multiParts"][1].get("hashCtx").is_none());
    let url = url_of(&renewed, 2);
    let context = "&X-Amz-Iteration-Hash-Ctx=eyJtZF9sZW4iOjMyLCJudW0iOjAsImgiOlszNDIxNTUzNzgzLDM4MDcwNzUwMjcsMTg2OTM3MzA0\
                   MywyMzQwOTkyNDcyLDI3MjQ0MDQ1OTUsMzQzNDU5NTA3OCwxMDM0ODQwOTcyLDkxNTQ0MzU1XSwibmgiOjAsIm5sIjo0MTk0MzA0MCwi\
                   aGFzaF90eXBlIjoic2hhMjU2In0%3D&X-Amz-Signature=";
    assert!(url.contains(context), "{url}");
    let names: Vec<&str> =
        url.split_once('?').expect("a query").1.split('&').filter_map(|p| Some(p.split_once('=')?.0)).collect();
    let order = [
        "partNumber",
        "uploadId",
        "X-Amz-Algorithm",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
        "X-Amz-Expires",
        "X-Amz-Credential",
        "X-Amz-Iteration-Hash-Ctx",
        "X-Amz-Signature",
    ];
    assert_eq!(names, order);
    assert!(url.contains("&X-Amz-SignedHeaders=content-length%3Bhost&X-Amz-Expires=3600&"));
    assert!(!url_of(&renewed, 1).contains("Iteration"));
}
