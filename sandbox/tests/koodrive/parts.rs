//! What create and uploadUrl refuse about parts.

use serde_json::{Value, json};

use crate::support::{CONTEXTS, Client, PART, cloud, url_of, vector_part};

#[test]
fn parts_are_checked_one_by_one() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let length = 4 * PART + 10;
    let created = client.create(client.wanted("x", length, json!([]))).good();
    let second = |set: fn(&mut Value)| {
        let mut part = vector_part(2);
        set(&mut part);
        json!([part])
    };
    let bad = [
        json!([]),
        json!("parts"),
        json!([1]),
        second(|p| p["partNumber"] = json!(0)),
        second(|p| p["partNumber"] = json!(10_001)),
        second(|p| p["partNumber"] = json!("2")),
        second(|p| p["partSize"] = json!(null)),
        second(|p| p["partSize"] = json!(PART - 64)),
        second(|p| p["partSize"] = json!(PART + 1)),
        second(|p| p["partSize"] = json!(5_u64 * 1024 * 1024 * 1024 + 1)),
        second(|p| p["partSize"] = json!(4 * PART)),
        second(|p| p["partOffset"] = json!(PART + 1)),
        second(|p| p["partOffset"] = json!(0)),
        second(|p| p["partOffset"] = json!(null)),
        second(|p| p["hashCtx"] = json!(&CONTEXTS[0][..5])),
        second(|p| p["hashCtx"][7] = json!(4_294_967_296_u64)),
        second(|p| p["hashCtx"][7] = json!(-1)),
        json!([vector_part(2), vector_part(2)]),
        json!([vector_part(2), { "partNumber": 3, "partSize": PART, "partOffset": 2 * PART }]),
        json!([{ "partNumber": 1, "partSize": PART, "partOffset": 64 }]),
        json!([{ "partNumber": 1, "partSize": PART, "partOffset": 0, "hashCtx": CONTEXTS[0] }]),
    ];
    for parts in bad {
        client.renew(&created, parts.clone()).refuses(13_000_102);
        if parts != json!([]) {
            client.create(client.wanted("y", length, parts)).refuses(13_000_102);
        }
    }
    assert_eq!(cloud.uploads().len(), 1);
    let initial: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let first = json!({ "partNumber": 1, "partSize": PART, "partOffset": 0, "hashCtx": initial });
    client.renew(&created, json!([first, vector_part(2)])).good();
    client.api("files/multipart/uploadUrl", json!({ "fileId": "F1", "multiParts": [first] })).refuses(13_000_401);
    client.api("files/multipart/uploadUrl", json!({ "multiParts": [first] })).refuses(13_000_102);
}

#[test]
fn once_one_part_has_a_context_all_later_ones_do() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create(client.wanted("x", 4 * PART, json!([vector_part(1), vector_part(2)]))).good();
    let bare = json!([{ "partNumber": 3, "partSize": PART, "partOffset": 2 * PART }]);
    client.renew(&created, bare.clone()).refuses(13_000_102);
    client.renew(&created, json!([vector_part(3)])).good();

    let serial = client.create(client.wanted("y", 4 * PART, bare)).good();
    client.renew(&serial, json!([vector_part(2)])).refuses(13_000_102);
}

#[test]
fn a_part_stays_the_part_that_it_was() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let created = client.create(client.wanted("x", 4 * PART, json!([vector_part(2)]))).good();
    let mut other = vector_part(2);
    other["hashCtx"][0] = json!(1);
    client.renew(&created, json!([other])).refuses(13_000_102);
    client.renew(&created, json!([vector_part(2)])).good();
    cloud.set_switches(|s| s.koodrive.replan = true);
    client.renew(&created, json!([other])).good();
}

#[test]
fn a_call_takes_a_hundred_parts() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let parts = |count: usize| -> Value {
        let part = |n| json!({ "partNumber": n, "partSize": PART, "partOffset": (n - 1) * PART });
        (1..=count).map(part).collect()
    };
    let created = client.create(client.wanted("x", 200 * PART, parts(100))).good();
    assert_eq!(created["multiParts"].as_array().map(Vec::len), Some(100));
    client.renew(&created, parts(101)).refuses(13_000_102);
    cloud.set_switches(|s| s.koodrive.parts_per_call_max = 2);
    client.renew(&created, parts(3)).refuses(13_000_102);
    let renewed = client.renew(&created, parts(2)).good();
    assert!(url_of(&renewed, 2).contains("partNumber=2&"));
}
