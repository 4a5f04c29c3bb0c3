//! The object is the file, whatever happens to the file meanwhile; the same bytes go on, other bytes are noticed.
#![allow(clippy::unwrap_used, clippy::type_complexity)]

mod common;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use common::*;
use partway::{
    client::{Change, Client, HostReader, Source, SourceAsk, SourceProvider, SourceWhat, UploadRequest, WaitReason},
    error::{Code, ErrorInfo},
    model::OnChange,
};
use partway_sandbox::{How, Rule, Step};

const SIZE: u64 = 6 * MIB;

/// An upload of six parts that was closed when two were proven.
struct Half {
    world: World,
    file: PathBuf,
    original: Vec<u8>,
    id: String,
}

impl Half {
    fn done() -> Half {
        Half::done_with(|_| {})
    }

    fn done_with(change: impl Fn(&mut UploadRequest)) -> Half {
        let world = World::new();
        let file = world.file("photo.jpg", SIZE);
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
        let client = world.open();
        let mut request = world.request(&file, "photo.jpg");
        change(&mut request);
        let id = start(&client, request);
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
        assert!(client.close(5_000));
        world.cloud.remove_rule(stall);
        let original = std::fs::read(&file).unwrap();
        Half { world, file, original, id }
    }

    /// It completes with no proven part sent again.
    fn goes_on(&self, client: &Client) {
        completed(client, &self.id);
        self.world.sole_object(&self.file);
        self.world.hold_promises(&self.file);
        assert_eq!(acknowledged(&self.world.cloud.log()), [1, 2, 3, 4, 5, 6], "{}", self.world.told());
    }
}

/// Other bytes of the same size; the times differ as well.
fn spoil(path: &Path) {
    let size = std::fs::metadata(path).unwrap().len();
    std::fs::write(path, content(size, 99)).unwrap();
}

fn waits_for_the_source(client: &Client, id: &str, code: Code) {
    let snapshot = until(client, id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    assert!(needs_host(&snapshot) && error_of(&snapshot).unwrap().code == code, "{snapshot:?}");
}

#[test]
fn the_same_bytes_go_on_whatever_else_changed() {
    let touch = |path: &Path, _: &[u8]| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3_600)).unwrap();
    };
    let copy = |path: &Path, bytes: &[u8]| {
        let other = path.with_extension("copy");
        std::fs::write(&other, bytes).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    let rewrite = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).unwrap();
    let nothing = |_: &Path, _: &[u8]| {};
    let cases: [(&str, fn(&Path, &[u8])); 4] =
        [("touched", touch), ("copied", copy), ("written again", rewrite), ("left", nothing)];
    each(&cases, |(_, change)| {
        let half = Half::done();
        change(&half.file, &half.original);
        let client = half.world.open();
        half.goes_on(&client);
    });
}

#[test]
fn other_bytes_are_waited_about_and_the_old_ones_go_on() {
    let half = Half::done();
    let before = half.world.parts_sent().len();
    spoil(&half.file);
    let client = half.world.open();
    waits_for_the_source(&client, &half.id, Code::SourceChanged);
    client.resume(&one(&half.id));
    client.wait_idle(Some(5_000));
    waits_for_the_source(&client, &half.id, Code::SourceChanged);
    assert_eq!(half.world.parts_sent().len(), before, "no byte of the other file was sent");
    std::fs::write(&half.file, &half.original).unwrap();
    client.resume(&one(&half.id));
    half.goes_on(&client);
}

#[test]
fn a_file_of_another_size_is_another_file() {
    each(&[SIZE - 1, SIZE + 1, 0], |size_bytes| {
        let half = Half::done();
        let before = half.world.cloud.log().len();
        let file = std::fs::File::options().write(true).open(&half.file).unwrap();
        file.set_len(*size_bytes).unwrap();
        let client = half.world.open();
        waits_for_the_source(&client, &half.id, Code::SourceChanged);
        assert_eq!(half.world.cloud.log().len(), before, "nothing was sent");
        std::fs::write(&half.file, &half.original).unwrap();
        client.resume(&one(&half.id));
        half.goes_on(&client);
    });
}

#[test]
fn other_bytes_begin_over_where_the_host_wants_that() {
    each(&[false, true], |later| {
        let half = Half::done_with(|request| {
            request.on_change = if *later { OnChange::Fail } else { OnChange::Restart };
        });
        spoil(&half.file);
        let client = half.world.open();
        if *later {
            waits_for_the_source(&client, &half.id, Code::SourceChanged);
            let change = Change { on_change: Some(OnChange::Restart), ..Change::default() };
            client.change(&one(&half.id), &change).unwrap();
        }
        completed(&client, &half.id);
        half.world.sole_object(&half.file);
        half.world.hold_promises(&half.file);
        assert_eq!(half.world.open_tasks(), 0, "the old task was aborted\n{}", half.world.told());
    });
}

#[test]
fn a_file_that_is_gone_is_waited_for() {
    let half = Half::done();
    std::fs::remove_file(&half.file).unwrap();
    let client = half.world.open();
    waits_for_the_source(&client, &half.id, Code::SourceNotFound);
    std::fs::write(&half.file, &half.original).unwrap();
    client.resume(&one(&half.id));
    half.goes_on(&client);
}

#[test]
fn a_file_that_moved_is_attached_again() {
    let half = Half::done();
    let moved = half.file.with_extension("moved");
    std::fs::rename(&half.file, &moved).unwrap();
    let client = half.world.open();
    waits_for_the_source(&client, &half.id, Code::SourceNotFound);
    client.attach_source(&half.id, Source::path(&moved)).unwrap();
    completed(&client, &half.id);
    half.world.sole_object(&moved);
    half.world.hold_promises(&moved);
}

/// Opens whatever it is asked for from one path.
struct Opens {
    path: PathBuf,
    asked: AtomicU32,
}

impl SourceProvider for Opens {
    fn open(&self, ask: SourceAsk) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        ask.supply(Source::path(&self.path));
    }
}

#[test]
fn a_file_that_moved_is_opened_by_the_host() {
    let half = Half::done();
    let moved = half.file.with_extension("moved");
    std::fs::rename(&half.file, &moved).unwrap();
    let opens = Arc::new(Opens { path: moved.clone(), asked: AtomicU32::new(0) });
    let mut config = half.world.config();
    config.sources = Some(opens.clone());
    let client = Client::open(config).unwrap();
    completed(&client, &half.id);
    assert!((1..=2).contains(&opens.asked.load(Ordering::SeqCst)));
    half.world.sole_object(&moved);
    half.world.hold_promises(&moved);
}

/// An upload that is changed while its parts are on their way.
fn changed_under_way(on_change: OnChange, change: impl Fn(&Path)) -> (World, PathBuf, Vec<u8>, Client, String) {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let original = std::fs::read(&file).unwrap();
    let mut config = world.config();
    config.limits.rate_bytes_per_s = 8 * MIB;
    let client = Client::open(config).unwrap();
    let slow = world.rule(Rule::new(Step::Part, How::Delay { ms: 200 }).after(2));
    let mut request = world.request(&file, "photo.jpg");
    request.on_change = on_change;
    let id = start(&client, request);
    world.wait("parts under way", |log| of(log, Step::Part).any(|entry| entry.rule == Some(slow)));
    until(&client, &id, |snapshot| snapshot.progress.parts_done >= 1);
    change(&file);
    (world, file, original, client, id)
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_never_mixed() {
    let grow = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes.extend_from_slice(b"more");
        std::fs::write(path, bytes).unwrap();
    };
    let truncate = |path: &Path| {
        std::fs::File::options().write(true).open(path).unwrap().set_len(3 * MIB).unwrap();
    };
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        std::fs::write(&other, content(SIZE, 77)).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    let cases: [(&str, fn(&Path)); 4] =
        [("other bytes", spoil), ("grown", grow), ("truncated", truncate), ("replaced", replace)];
    each(&cases, |(_, change)| {
        let (world, file, original, client, id) = changed_under_way(OnChange::Restart, change);
        completed(&client, &id);
        world.sole_object(&file);
        world.no_secret_on_disk();
        drop(original);
    });
    each(&cases, |(_, change)| {
        let (world, file, original, client, id) = changed_under_way(OnChange::Fail, change);
        waits_for_the_source(&client, &id, Code::SourceChanged);
        assert!(world.cloud.objects().is_empty());
        std::fs::write(&file, original).unwrap();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        world.no_secret_on_disk();
    });
}

#[test]
fn a_file_that_is_touched_while_it_is_sent_goes_on() {
    let touch = |path: &Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    };
    let (world, file, _, client, id) = changed_under_way(OnChange::Fail, touch);
    completed(&client, &id);
    world.sole_object(&file);
    world.no_secret_on_disk();
}

#[test]
fn a_file_that_changes_before_the_confirm_is_noticed() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let original = std::fs::read(&file).unwrap();
    let last = world.rule(Rule::new(Step::Part, How::StallAnswer).part(6));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 5);
    // All bytes were read and are stored; only the answer to the last part is missing.
    world.becomes("stored", || world.cloud.uploads()[0].parts.len() == 6);
    spoil(&file);
    world.cloud.remove_rule(last);
    client.set_network(partway::client::Network::online(1));
    waits_for_the_source(&client, &id, Code::SourceChanged);
    assert_eq!(world.requests(Step::Confirm), 0);
    std::fs::write(&file, &original).unwrap();
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

#[test]
fn a_file_deleted_under_way_that_comes_back_goes_on() {
    let (world, file, original, client, id) =
        changed_under_way(OnChange::Fail, |path| std::fs::remove_file(path).unwrap());
    waits_for_the_source(&client, &id, Code::SourceNotFound);
    std::fs::write(&file, original).unwrap();
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.no_secret_on_disk();
}

#[test]
fn bytes_in_memory_arrive() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB + 7);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source::memory(std::fs::read(&file).unwrap());
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

#[test]
fn bytes_in_memory_that_are_handed_in_again_go_on() {
    let world = World::new();
    let file = world.file("photo.jpg", SIZE);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let request = || {
        let mut request = world.request(&file, "photo.jpg");
        request.source = Source::memory(std::fs::read(&file).unwrap());
        request
    };
    let client = world.open();
    let id = start(&client, request());
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    assert!(client.close(5_000));
    world.cloud.remove_rule(stall);
    let client = world.open();
    waits_for_the_source(&client, &id, Code::SourceNotFound);
    assert_eq!(start(&client, request()), id);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

/// Reads as little at a time as a bad host does.
struct Short {
    bytes: Vec<u8>,
    most: usize,
    concurrent: bool,
    fails: AtomicU32,
}

impl HostReader for Short {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let left = |n: u32| n.checked_sub(1);
        if offset > MIB && self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            return Err(ErrorInfo::new(Code::SourceUnreadable, "the host's reader failed"));
        }
        let from = &self.bytes[(offset as usize).min(self.bytes.len())..];
        let count = from.len().min(buf.len()).min(self.most);
        buf[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }

    fn concurrent(&self) -> bool {
        self.concurrent
    }
}

#[test]
fn a_host_that_reads_little_at_a_time_is_enough() {
    each(&[(4_093, true), (100_003, false), (usize::MAX, true)], |(most, concurrent)| {
        let world = World::new();
        let file = world.file("photo.jpg", 3 * MIB + 7);
        let bytes = std::fs::read(&file).unwrap();
        let reader = Short { bytes, most: *most, concurrent: *concurrent, fails: AtomicU32::new(0) };
        let client = world.open();
        let mut request = world.request(&file, "photo.jpg");
        request.source = Source { what: SourceWhat::Reader { reader: Arc::new(reader) }, token: vec![] };
        let id = start(&client, request);
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
    });
}

#[test]
fn a_host_whose_reading_fails_is_waited_for() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB);
    let bytes = std::fs::read(&file).unwrap();
    let reader = Short { bytes, most: 50_000, concurrent: true, fails: AtomicU32::new(1) };
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source { what: SourceWhat::Reader { reader: Arc::new(reader) }, token: vec![] };
    let id = start(&client, request);
    waits_for_the_source(&client, &id, Code::SourceUnreadable);
    // Parts that were in flight beside it have ended by then: to look at a source again stops those that have not.
    client.wait_idle(Some(5_000));
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

/// Gives other bytes the second time that a place is read, and looks the same all the while.
struct Fickle {
    bytes: Vec<u8>,
    reads: std::sync::Mutex<std::collections::BTreeSet<u64>>,
}

impl HostReader for Fickle {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let from = &self.bytes[(offset as usize).min(self.bytes.len())..];
        let count = from.len().min(buf.len());
        buf[..count].copy_from_slice(&from[..count]);
        // Every read of either pass begins a MiB somewhere; of the second one the first byte is another.
        if offset.is_multiple_of(MIB) && count > 0 && !self.reads.lock().unwrap().insert(offset) {
            buf[0] ^= 1;
        }
        Ok(count)
    }

    fn concurrent(&self) -> bool {
        true
    }
}

#[test]
fn a_change_that_leaves_no_trace_is_noticed_when_that_is_asked_for() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB);
    let reader = Fickle { bytes: std::fs::read(&file).unwrap(), reads: Default::default() };
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source { what: SourceWhat::Reader { reader: Arc::new(reader) }, token: vec![] };
    request.verify_source = true;
    let id = start(&client, request);
    waits_for_the_source(&client, &id, Code::SourceChanged);
    assert!(world.cloud.objects().is_empty(), "{}", world.told());
}

#[test]
fn a_source_that_stays_passes_the_comparison() {
    let world = World::new();
    let file = world.file("photo.jpg", 3 * MIB + 7);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.verify_source = true;
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_hashed, 3 * MIB + 7);
}
