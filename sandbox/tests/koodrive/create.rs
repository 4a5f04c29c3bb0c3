//! What create checks, and names.

use serde_json::{Value, json};

use crate::support::{Client, SHA256, cloud, cloud_with, text};

#[test]
fn every_field_is_checked() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let good = client.wanted("x", 5, json!([]));
    let long = "n".repeat(251);
    let bad: Vec<(&str, Vec<Value>)> = vec![
        (
            "fileName",
            vec![json!(null), json!(""), json!("."), json!(".."), json!("a/b"), json!("a?"), json!(long), json!(7)],
        ),
        ("fileType", vec![json!(null), json!(45), json!("")]),
        ("parentFolder", vec![json!(null), json!("root"), json!([]), json!([1])]),
        ("length", vec![json!(null), json!("5"), json!(-1), json!(1.5), json!((200_u64 << 30) + 1)]),
        ("uploadMode", vec![json!(null), json!("put")]),
        ("uploadType", vec![json!(null), json!(0), json!(2), json!("1")]),
        ("autoRename", vec![json!(null), json!(0), json!(1), json!(5)]),
        ("containerId", vec![json!(null), json!("")]),
        ("sha256", vec![json!("x"), json!(SHA256.to_uppercase()), json!(1)]),
        ("preHash", vec![json!("x")]),
        ("proofCode", vec![json!("x")]),
        ("description", vec![json!("d".repeat(513))]),
        ("createdTime", vec![json!("2023-08-18"), json!(0)]),
        ("mimeType", vec![json!(1)]),
        ("hidden", vec![json!("yes")]),
        ("multiParts", vec![json!({})]),
    ];
    for (name, values) in bad {
        for value in values {
            let mut body = good.clone();
            body[name] = value.clone();
            let reply = client.create(body);
            assert_eq!(reply.code(), "13000102", "{name} {value}: {reply:?}");
        }
    }
    let mut other = good.clone();
    other["containerId"] = json!("IAADanother");
    client.create(other).refuses(13_000_301);
    let mut nowhere = good.clone();
    nowhere["parentFolder"] = json!(["Fnowhere"]);
    client.create(nowhere).refuses(13_000_309);
    client.api("files/create", json!([])).refuses(13_000_101);
    assert!(cloud.uploads().is_empty());

    let mut full = good;
    for (name, value) in [
        ("fileName", json!("字".repeat(250))),
        ("createdTime", json!("2023-08-18T05:43:49Z")),
        ("description", json!("d")),
        ("mimeType", json!("application/zip")),
        ("hidden", json!(false)),
        ("length", json!(200_u64 << 30)),
    ] {
        full[name] = value;
    }
    client.create(full).good();
    cloud.set_switches(|s| s.koodrive.container_required = false);
    let mut without = client.wanted("y", 1, json!([]));
    without["containerId"] = json!(null);
    assert_eq!(client.create(without).good()["containerId"], json!(client.container()));
}

#[test]
fn a_folder_is_known_by_its_id() {
    let cloud = cloud_with(|c| c.koodrive.folders = vec!["Ffolder".to_owned()]);
    let client = Client::new(&cloud);
    let mut body = client.wanted("x", 0, json!([]));
    body["parentFolder"] = json!(["Ffolder"]);
    let created = client.create(body.clone()).good();
    assert_eq!(created["parentFolder"], json!(["Ffolder"]));
    client.complete(&created).good();
    assert!(cloud.object(&client.container(), "Ffolder/x").is_some());
    assert_eq!(client.detail(&created).good()["parentFolder"], json!(["Ffolder"]));

    let root = format!("DEUI7pa0C24Aroot{}", client.container());
    body["parentFolder"] = json!([root]);
    let created = client.create(body.clone()).good();
    assert_eq!((&created["parentFolder"], &created["fileName"]), (&json!([root]), &json!("x")));
    cloud.reset();
    body["parentFolder"] = json!(["Ffolder"]);
    client.create(body).good();
}

#[test]
fn a_taken_name_is_stamped_refused_or_the_same_file() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let old = client.upload_small("a.b.txt", b"hello");
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let create = |rename: u32, sha256: &str| {
        let mut body = client.wanted("a.b.txt", 5, json!([]));
        body["autoRename"] = json!(rename);
        body["sha256"] = json!(sha256);
        client.create(body)
    };
    create(3, hello).refuses(13_000_405);
    for reply in [create(2, hello), create(4, SHA256)] {
        let name = text(&reply.good()["fileName"]);
        let stamp = name.strip_prefix("a.b_").and_then(|n| n.strip_suffix(".txt")).expect("a stamp");
        let digits = |text: &str, n| text.len() == n && text.bytes().all(|c| c.is_ascii_digit());
        assert!(stamp.split_once('_').is_some_and(|(day, time)| digits(day, 8) && digits(time, 6)), "{name}");
    }
    let same = create(4, hello).good();
    assert_eq!((&same["exist"], &same["fileId"]), (&json!(true), &old["fileId"]));
    assert!(same.get("uploadId").is_none() && same.get("multiParts").is_none());
    assert_eq!(cloud.objects().len(), 1);
}

#[test]
fn two_unfinished_files_of_one_name_end_apart() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let (first, second) = (client.create_small("x", 0), client.create_small("x", 0));
    assert_eq!(second["fileName"], json!("x"));
    for created in [&first, &second] {
        client.put(&crate::support::url_of(created, 1), b"").status_is(200);
        client.complete(created).good();
    }
    let names: Vec<String> = cloud.objects().iter().map(|o| o.name().to_owned()).collect();
    assert!(names[0] == "x" && names[1].starts_with("x_"), "{names:?}");
    assert_eq!(client.detail(&second).good()["fileName"], json!(names[1]));

    cloud.set_switches(|s| s.koodrive.unfinished_names_taken = true);
    let third = client.create_small("y", 0);
    assert_ne!(client.create_small("y", 0)["fileName"], json!("y"));
    client.put(&crate::support::url_of(&third, 1), b"").status_is(200);
    client.complete(&third).good();
    assert!(cloud.object(&client.container(), "y").is_some());
}

#[test]
fn space_runs_out() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    cloud.set_switches(|s| s.koodrive.quota_bytes = Some(5));
    client.upload_small("x", b"hello");
    client.create(client.wanted("y", 1, json!([]))).refuses(13_000_311);
    cloud.set_switches(|s| s.koodrive.quota_at = partway_sandbox::When::Confirm);
    let created = client.create_small("y", 1);
    client.put(&crate::support::url_of(&created, 1), b"y").status_is(200);
    client.complete(&created).refuses(13_000_311);
}
