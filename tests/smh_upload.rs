//! Uploads that go well.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;

#[test]
fn a_file_arrives_whole_and_once() {
    let world = World::new();
    let file = world.file("photo.jpg", 5 * MIB + 123);
    let client = world.open();
    let id = start(&client, world.request(&file, "Camera/2026/photo.jpg"));
    let receipt = completed(&client, &id);
    assert_eq!((receipt.name.as_str(), receipt.size_bytes), ("photo.jpg", 5 * MIB + 123));
    assert_eq!(receipt.path.as_deref(), Some(&["Camera".to_owned(), "2026".into(), "photo.jpg".into()][..]));
    world.sole_object(&file);
    let mut parts = world.parts_sent();
    parts.sort_unstable();
    assert_eq!(parts, [1, 2, 3, 4, 5, 6], "each part once");
    let progress = client.snapshot(&id).unwrap().progress;
    assert_eq!(
        (progress.bytes_sent, progress.bytes_resent, progress.bytes_acknowledged),
        (5 * MIB + 123, 0, 5 * MIB + 123)
    );
}
