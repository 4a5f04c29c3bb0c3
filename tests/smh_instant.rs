//! Content that the service has already: nothing is sent, and whatever is lost there is exactly one object.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::*;
use partway::{
    client::{Client, State, UploadRequest, WaitReason},
    model::{Conflict, InstantMode, Receipt, SmhMode},
};
use partway_sandbox::{How, Rule, Step};

const SIZE: u64 = 5 * MIB + 17;

/// A cloud that has the content of a file already, at another place.
fn world_with(size: u64) -> (World, PathBuf, Client) {
    let world = World::new();
    let file = world.file("photo.jpg", size);
    let client = world.open();
    let mut first = world.request(&file, "theirs.jpg");
    first.instant = InstantMode::Off;
    let id = start(&client, first);
    assert!(!completed(&client, &id).instant);
    world.cloud.clear_log();
    (world, file, client)
}

fn request(world: &World, file: &Path, instant: InstantMode) -> UploadRequest {
    let mut request = world.request_by(SmhMode::Auto, file, "ours.jpg");
    request.instant = instant;
    request
}

/// Made without a byte, and the only one beside the first.
fn is_instant(world: &World, client: &Client, id: &str, receipt: &Receipt) {
    assert!(receipt.instant, "{receipt:?}\n{}", world.told());
    let progress = client.snapshot(id).unwrap().progress;
    assert_eq!((progress.bytes_sent, world.cloud.objects().len()), (0, 2), "{}", world.told());
    assert_eq!((progress.bytes_shown, progress.bytes_total), (receipt.size_bytes, receipt.size_bytes), "a full bar");
    for step in [Step::Part, Step::Put, Step::Form, Step::Confirm] {
        assert_eq!(world.requests(step), 0, "{}", world.told());
    }
    world.no_secret_on_disk();
}

#[test]
fn a_hit_sends_nothing() {
    let cases = [InstantMode::Auto, InstantMode::Always].map(|instant| {
        [SmhMode::Auto, SmhMode::Simple, SmhMode::Form].map(|mode| [MIB, SIZE].map(|size| (instant, mode, size)))
    });
    let cases: Vec<_> = cases.into_iter().flatten().flatten().collect();
    each(&cases, |(instant, mode, size)| {
        let (world, file, client) = world_with(*size);
        let mut request = world.request_by(*mode, &file, "ours.jpg");
        request.instant = *instant;
        let id = start(&client, request);
        let receipt = completed(&client, &id);
        assert_eq!((receipt.name.as_str(), receipt.size_bytes), ("ours.jpg", *size));
        is_instant(&world, &client, &id, &receipt);
        let starts = [Step::Begin, Step::SimpleBegin, Step::FormBegin].map(|step| world.requests(step));
        assert_eq!(starts.iter().sum::<usize>(), 2, "the beginning first, then the whole\n{}", world.told());
    });
}

#[test]
fn what_is_small_or_not_wanted_is_sent() {
    let cases = [(InstantMode::Off, SIZE), (InstantMode::Always, MIB - 1), (InstantMode::Auto, 0)];
    each(&cases, |(instant, size)| {
        let (world, file, client) = world_with(*size);
        let id = start(&client, request(&world, &file, *instant));
        assert!(!completed(&client, &id).instant);
        let progress = client.snapshot(&id).unwrap().progress;
        assert_eq!((progress.bytes_sent, progress.bytes_hashed), (*size, 0));
        assert_eq!(world.requests(Step::Begin) + world.requests(Step::SimpleBegin), 1, "{}", world.told());
    });
}

#[test]
fn a_miss_goes_on_with_the_task_that_it_brought() {
    each(&[InstantMode::Auto, InstantMode::Always], |instant| {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let client = world.open();
        let id = start(&client, request(&world, &file, *instant));
        assert!(!completed(&client, &id).instant);
        world.sole_object(&file);
        world.hold_promises(&file);
        let progress = client.snapshot(&id).unwrap().progress;
        assert_eq!((world.requests(Step::Begin), progress.bytes_sent), (1, SIZE), "{}", world.told());
        assert!(progress.bytes_hashed < SIZE, "only the beginning was hashed");
    });
}

#[test]
fn the_same_beginning_is_not_the_same_file() {
    each(&[InstantMode::Auto, InstantMode::Always], |instant| {
        let (world, theirs, client) = world_with(SIZE);
        let mut bytes = std::fs::read(&theirs).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        let file = world.dir.path().join("other.jpg");
        std::fs::write(&file, &bytes).unwrap();
        let id = start(&client, request(&world, &file, *instant));
        assert!(!completed(&client, &id).instant);
        world.hold_promises_beside(&file, &[&theirs]);
        assert_eq!((world.cloud.objects().len(), world.open_tasks()), (2, 0));
        assert_eq!((world.requests(Step::Begin), world.parts_sent().len()), (2, 6), "{}", world.told());
        assert_eq!(client.snapshot(&id).unwrap().progress.bytes_sent, SIZE);
    });
}

#[test]
fn auto_does_not_read_a_large_whole_before_it_is_sent() {
    let world = World::new();
    let file = world.file("photo.jpg", 0);
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(700 * MIB).unwrap();
    world.rule(Rule::new(Step::Put, How::Stall { after_bytes: 0 }));
    let client = world.open();
    let id = start(&client, world.request_by(SmhMode::Simple, &file, "ours.jpg"));
    world.wait_requests(Step::Put, 1);
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_hashed, 0);
}

#[test]
fn a_lost_answer_is_settled_by_looking_and_makes_no_second_object() {
    // How it was lost, and how often the whole is then said.
    let cases = [(How::DropAfter, 1), (How::CutAnswer { after_bytes: 20 }, 1), (How::DropBefore, 2), (How::Reset, 2)];
    each(&cases, |(how, said)| {
        let (world, file, client) = world_with(SIZE);
        world.rule(Rule::new(Step::Begin, how.clone()).after(1).once());
        let id = start(&client, request(&world, &file, InstantMode::Always));
        let receipt = completed(&client, &id);
        is_instant(&world, &client, &id, &receipt);
        assert_eq!((world.requests(Step::Begin), world.requests(Step::Head)), (1 + said, 1), "{}", world.told());
    });
}

#[test]
fn the_look_may_be_lost_too() {
    each(&[How::DropBefore, How::DropAfter, How::Reset], |how| {
        let (world, file, client) = world_with(SIZE);
        world.rule(Rule::new(Step::Begin, How::DropAfter).after(1).once());
        world.rule(Rule::new(Step::Head, how.clone()).times(2));
        let id = start(&client, request(&world, &file, InstantMode::Always));
        let receipt = completed(&client, &id);
        is_instant(&world, &client, &id, &receipt);
        assert_eq!((world.requests(Step::Begin), world.requests(Step::Head)), (2, 3), "{}", world.told());
    });
}

#[test]
fn a_lost_answer_is_settled_by_the_next_process() {
    // Once with the file gone: what may have been made is settled all the same.
    each(&[false, true], |gone| {
        let (world, file, client) = world_with(SIZE);
        world.rule(Rule::new(Step::Begin, How::DropAfter).after(1).once());
        let stall = world.rule(Rule::new(Step::Head, How::StallAnswer));
        let id = start(&client, request(&world, &file, InstantMode::Always));
        world.wait_requests(Step::Head, 1);
        assert!(client.close(5_000));
        drop(client);
        world.cloud.remove_rule(stall);
        if *gone {
            std::fs::remove_file(&file).unwrap();
        }
        let client = world.open();
        let receipt = completed(&client, &id);
        is_instant(&world, &client, &id, &receipt);
        assert_eq!((world.requests(Step::Begin), world.requests(Step::Head)), (2, 2), "{}", world.told());
    });
}

#[test]
fn a_file_that_changed_after_it_was_hashed_is_not_made() {
    let (world, file, client) = world_with(MIB);
    // The whole was hashed and said, and did not arrive; while that is looked up the file changes.
    world.rule(Rule::new(Step::SimpleBegin, How::DropBefore).after(1).once());
    world.rule(Rule::new(Step::Head, How::Delay { ms: 500 }).once());
    let id = start(&client, request(&world, &file, InstantMode::Always));
    world.wait_requests(Step::Head, 1);
    std::fs::write(&file, content(MIB, 4_711)).unwrap();
    let snapshot = until(&client, &id, needs_host);
    assert_eq!(waiting_for(&snapshot), Some(WaitReason::Source));
    assert_eq!((world.cloud.objects().len(), world.requests(Step::SimpleBegin)), (1, 2), "{}", world.told());
    let change = partway::client::Change { on_change: Some(partway::model::OnChange::Restart), ..Default::default() };
    client.change(&one(&id), &change).unwrap();
    assert!(!completed(&client, &id).instant);
    let made = world.cloud.object("-", "ours.jpg").unwrap();
    assert!(std::fs::read(made.file.unwrap()).unwrap() == std::fs::read(&file).unwrap());
}

#[test]
fn a_cancel_does_not_deny_what_was_made() {
    let (world, file, client) = world_with(SIZE);
    world.rule(Rule::new(Step::Begin, How::DropAfter).after(1).once());
    world.rule(Rule::new(Step::Head, How::Delay { ms: 700 }).once());
    let id = start(&client, request(&world, &file, InstantMode::Always));
    world.wait_requests(Step::Head, 1);
    client.cancel(&one(&id));
    let receipt = completed(&client, &id);
    is_instant(&world, &client, &id, &receipt);
}

#[test]
fn a_taken_name_is_asked_about_and_nothing_is_sent() {
    let (world, file, client) = world_with(SIZE);
    let mut request = world.request(&file, "theirs.jpg");
    (request.key, request.conflict, request.instant) = ("another".into(), Conflict::Ask, InstantMode::Always);
    let id = start(&client, request);
    until(&client, &id, needs_host);
    assert_eq!(world.cloud.objects().len(), 1);
    let change = partway::client::Change { conflict: Some(Conflict::Rename), ..Default::default() };
    client.change(&one(&id), &change).unwrap();
    let receipt = completed(&client, &id);
    assert_eq!(receipt.name, "theirs (1).jpg");
    is_instant(&world, &client, &id, &receipt);
}

#[test]
fn a_kill_while_hashing_costs_nothing_but_another_question() {
    let (world, file, client) = world_with(96 * MIB);
    let id = start(&client, request(&world, &file, InstantMode::Always));
    until(&client, &id, |snapshot| snapshot.progress.bytes_hashed >= 8 * MIB);
    assert!(client.close(5_000));
    drop(client);
    let mut config = world.config();
    config.autostart = false;
    let client = Client::open(config).unwrap();
    let kept = client.snapshot(&id).unwrap();
    assert!(kept.progress.bytes_hashed >= 8 * MIB, "{kept:?}");
    assert!(!matches!(kept.state, State::Completed { .. }), "it was to be caught while hashing");
    client.go();
    let receipt = completed(&client, &id);
    is_instant(&world, &client, &id, &receipt);
}

/// Another's file has the name.
fn world_with_a_taken_name() -> (World, PathBuf, Client) {
    let (world, file, client) = world_with(SIZE);
    let mut other = world.request(&world.file("other.jpg", MIB), "ours.jpg");
    (other.key, other.instant) = ("other".into(), InstantMode::Off);
    completed(&client, &start(&client, other));
    world.cloud.clear_log();
    (world, file, client)
}

/// One that may make the file makes it under its own name or not at all: it made nothing, and the bytes are sent.
#[test]
fn a_lost_answer_about_a_taken_name_is_settled() {
    let (world, file, client) = world_with_a_taken_name();
    world.rule(Rule::new(Step::Begin, How::DropAfter).after(1).once());
    let id = start(&client, request(&world, &file, InstantMode::Always));
    assert_eq!(completed(&client, &id).name, "ours (1).jpg");
    assert_eq!(world.cloud.objects().len(), 3, "{}", world.told());
}

/// Renamed beside another's file, what was made can't be told from what was not: that is said, with where to look.
#[test]
fn a_lost_answer_beside_a_taken_name_is_not_guessed_and_says_where_to_look() {
    let (world, file, client) = world_with_a_taken_name();
    // Asked with the beginning, with the whole under its own name, and with the whole under any.
    world.rule(Rule::new(Step::Begin, How::DropAfter).after(2).once());
    let id = start(&client, request(&world, &file, InstantMode::Always));
    let error = error_of(&ended(&client, &id)).expect("an error");
    assert_eq!(error.code, partway::error::Code::OutcomeUnknown);
    assert!(
        error.detail.contains("instant upload") && error.detail.contains("beside it under another name"),
        "{error:?}"
    );
    assert_eq!(
        (world.requests(Step::Begin), world.cloud.objects().len()),
        (3, 3),
        "nothing is sent behind it\n{}",
        world.told()
    );
}

/// The question costs a block, not a part: a miss reads the file once and that.
#[test]
fn a_miss_reads_one_block_more_than_the_file() {
    struct Counted(Vec<u8>, std::sync::atomic::AtomicU64);
    impl partway::client::HostReader for Counted {
        fn len(&self) -> Result<u64, partway::error::ErrorInfo> {
            Ok(self.0.len() as u64)
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, partway::error::ErrorInfo> {
            let rest = &self.0[offset as usize..];
            let n = rest.len().min(buf.len());
            buf[..n].copy_from_slice(&rest[..n]);
            self.1.fetch_add(n as u64, std::sync::atomic::Ordering::SeqCst);
            Ok(n)
        }
        fn concurrent(&self) -> bool {
            true
        }
    }
    let world = World::new();
    let size = 12 * MIB;
    let reader = std::sync::Arc::new(Counted(content(size, 5), std::sync::atomic::AtomicU64::new(0)));
    let client = world.open();
    let mut request = request(&world, Path::new("/none"), InstantMode::Auto);
    request.part_size_bytes = Some(4 * MIB);
    request.source =
        partway::client::Source { what: partway::client::SourceWhat::Reader { reader: reader.clone() }, token: vec![] };
    assert!(!completed(&client, &start(&client, request)).instant);
    assert_eq!(reader.1.load(std::sync::atomic::Ordering::SeqCst), size + MIB);
}
