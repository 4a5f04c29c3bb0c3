//! A name arrives as it is, whatever is in it; what can't be a name is refused before any request.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use partway::error::{Category, Code};

#[test]
fn names_arrive_as_they_are() {
    let long = "x".repeat(251) + ".jpg";
    let wide = "图".repeat(80) + ".jpg";
    let names = [
        "with space.jpg",
        "100%.jpg",
        "100%25.jpg",
        "a+b&c=d;e,f.jpg",
        "no#1.jpg",
        "ünïcödé.jpg",
        "u\u{308}.jpg",
        "日本語のファイル.jpg",
        "🎉👩‍👩‍👧.mov",
        "quote'back`tick.jpg",
        "~tilde-_.!()@$^{}[].jpg",
        ".hidden",
        "no extension",
        "trailing.dots...jpg",
        &long,
        &wide,
    ];
    for names in names.chunks(6) {
        each(names, |name| {
            let world = World::new();
            let file = world.file("source.bin", MIB + 3);
            let client = world.open();
            let remote = format!("Fotos & mehr/{name}");
            let id = start(&client, world.request(&file, &remote));
            let receipt = completed(&client, &id);
            assert_eq!(receipt.name, *name);
            assert_eq!(world.sole_object(&file).path, ["Fotos & mehr", name]);
            world.hold_promises(&file);
        });
    }
}

#[test]
fn a_name_that_the_service_refuses_is_sent_as_it_is_and_said() {
    each(&["what?.jpg", "a*b.jpg", "a:b.jpg", "a<b>.jpg", "a|b.jpg"], |name| {
        let world = World::new();
        let file = world.file("source.bin", MIB);
        let client = world.open();
        let id = start(&client, world.request(&file, name));
        assert_eq!(error_of(&ended(&client, &id)).unwrap().code, Code::NameRefused);
        let log = world.cloud.log();
        assert!(log.len() == 1 && log[0].query.starts_with("multipart"), "{}", world.told());
        world.hold_promises(&file);
    });
}

#[test]
fn what_can_be_no_name_is_refused_before_any_request() {
    let world = World::new();
    let file = world.file("source.bin", MIB);
    let client = world.open();
    for name in ["a\rb.jpg", "a\nb.jpg", "a\r\nHost: evil/b.jpg", "a\0b.jpg", "", "/", "a/../b.jpg", "./a.jpg", "a/."] {
        let mut request = world.request(&file, name);
        request.key = "key".into();
        let error = client.start(request).expect_err(name);
        assert!(error.category() == Category::Usage || error.code == Code::NameRefused, "{name:?}: {error:?}");
        assert!(name.len() < 3 || !error.to_string().contains(name), "the name is in the error's text");
    }
    assert!(world.cloud.log().is_empty() && client.list(&partway::client::Select::All).is_empty());
}

#[test]
fn targets_that_could_smuggle_are_refused_before_any_request() {
    let world = World::new();
    let file = world.file("source.bin", MIB);
    let client = world.open();
    let change: [fn(&mut partway::model::SmhTarget); 6] = [
        |target| target.endpoint = "http://user:pw@127.0.0.1".into(),
        |target| target.endpoint = "ftp://127.0.0.1".into(),
        |target| target.endpoint += "\r\nX: y",
        |target| target.library += "\r\nX: y",
        |target| target.space = "a\nb".into(),
        |target| drop(target.meta.insert("x\r\ny".into(), "z".into())),
    ];
    for (n, change) in change.into_iter().enumerate() {
        let mut target = world.target("photo.jpg");
        change(&mut target);
        let mut request = world.request(&file, "photo.jpg");
        request.target = partway::model::Target::Smh(target);
        assert!(client.start(request).is_err(), "case {n}");
    }
    assert!(world.cloud.log().is_empty());
}

#[test]
fn files_that_are_small_or_odd_arrive_whole() {
    each(&[0, 1, 63, 64, 65, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB - 1], |size_bytes| {
        let world = World::new();
        let file = world.file("source.bin", *size_bytes);
        let client = world.open();
        let id = start(&client, world.request(&file, "source.bin"));
        assert_eq!(completed(&client, &id).size_bytes, *size_bytes);
        world.sole_object(&file);
        world.hold_promises(&file);
    });
}
