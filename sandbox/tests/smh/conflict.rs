//! Taken names.

use std::sync::Barrier;

use partway_sandbox::When;
use serde_json::json;

use crate::support::{Client, cloud, text};

fn confirmed(client: &Client<'_>, path: &str, strategy: &str, content: &[u8]) -> crate::support::Reply {
    let info = client.begin_with(path, &format!("&conflict_resolution_strategy={strategy}"));
    client.part(&info, 1, content);
    client.confirm(&info)
}

#[test]
fn rename_numbers_the_newer() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let names = ["a.tar.gz"; 3].map(|path| text(&confirmed(&client, path, "rename", b"x").json()["name"]));
    assert_eq!(names, ["a.tar.gz", "a.tar (1).gz", "a.tar (2).gz"]);
    cloud.make_directory("-", "d");
    assert_eq!(confirmed(&client, "d", "rename", b"x").json()["path"], json!(["d (1)"]));
}

#[test]
fn ask_refuses_at_confirm_and_can_be_answered() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("x", b"old");
    let info = client.begin_with("x", "&conflict_resolution_strategy=ask");
    client.part(&info, 1, b"new");
    client.confirm(&info).says(409, "SameNameDirectoryOrFileExists");
    client.confirm(&info).says(409, "SameNameDirectoryOrFileExists");
    let key = text(&info["confirmKey"]);
    let first = cloud.object("-", "x").expect("an object");
    cloud.set_clock_offset_ms(60_000);
    let file = client.file("POST", &format!("{key}?confirm&conflict_resolution_strategy=overwrite"), None).json();
    assert_eq!((&file["path"], &file["isOverwritten"]), (&json!(["x"]), &json!(true)));
    let object = cloud.object("-", "x").expect("an object");
    assert_eq!((object.overwritten, object.created_ms), (1, first.created_ms));
    assert!(object.modified_ms >= first.modified_ms + 60_000);
    assert_eq!(std::fs::read(object.file.expect("a file")).expect("readable"), b"new");
    assert_eq!(cloud.objects().len(), 1);
}

#[test]
fn overwrite_spares_directories() {
    let cloud = cloud();
    cloud.make_directory("-", "d");
    let client = Client::new(&cloud);
    confirmed(&client, "d", "overwrite", b"x").says(409, "SameNameDirectoryOrFileExists");
}

#[test]
fn content_cas_guards_an_overwrite() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    let info = client.begin("x");
    client.part(&info, 1, b"1");
    let key = text(&info["confirmKey"]);
    let cas = text(&client.file("POST", &format!("{key}?confirm&with_content_cas=1"), None).json()["contentCas"]);
    let overwrite = |cas: &str| {
        let info = client.begin_with("x", "&conflict_resolution_strategy=overwrite");
        client.part(&info, 1, b"2");
        client.file("POST", &format!("{}?confirm&content_cas={cas}", text(&info["confirmKey"])), None)
    };
    assert_eq!(overwrite(&cas).status, 200);
    overwrite(&cas).says(409, "ContentCasConflict");
}

#[test]
fn of_two_that_ask_one_wins() {
    let cloud = cloud();
    let begin = || {
        let client = Client::new(&cloud);
        let info = client.begin_with("x", "&conflict_resolution_strategy=ask");
        client.part(&info, 1, b"x");
        (client, info)
    };
    let barrier = Barrier::new(2);
    let confirm = |(client, info): (Client<'_>, serde_json::Value)| {
        barrier.wait();
        client.confirm(&info).status
    };
    let (one, two) = (begin(), begin());
    let mut statuses = std::thread::scope(|scope| {
        let one = scope.spawn(|| confirm(one));
        let two = scope.spawn(|| confirm(two));
        [one.join().expect("a status"), two.join().expect("a status")]
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[test]
fn a_conflict_can_be_noticed_at_start() {
    let cloud = cloud();
    let client = Client::new(&cloud);
    client.upload("x", b"old");
    let ask = || client.file("POST", "x?multipart&conflict_resolution_strategy=ask", None);
    assert_eq!(ask().status, 201);
    for at in [When::Start, When::Both] {
        cloud.set_switches(|s| s.conflict_at = at);
        ask().says(409, "SameNameDirectoryOrFileExists");
    }
}
