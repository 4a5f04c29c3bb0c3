//! What one sees of an upload is what is true of it.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use partway_sandbox::{How, Rule, Step};

#[test]
fn progress_is_shown_also_when_nothing_happens_after_it() {
    let world = World::new();
    let file = world.file("photo.jpg", 4 * MIB);
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let snapshot = until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    assert_eq!(snapshot.progress.bytes_acknowledged, 2 * MIB);
}
