//! The object is the file, whatever happens to the file meanwhile; the same bytes go on, other bytes are noticed.
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use crate::common::*;
use partway::{
    client::{Change, Client, HostReader, Source, SourceAsk, SourceProvider, SourceWhat, UploadRequest, WaitReason},
    error::{Code, ErrorInfo},
    model::{OnChange, ServiceName},
};
use partway_sandbox::{How, Rule, Step};

const PARTS: u64 = 6;

for_each_service!(
    the_same_bytes_go_on_whatever_else_changed,
    other_bytes_are_waited_about_and_the_old_ones_go_on,
    a_file_of_another_size_is_another_file,
    other_bytes_begin_over_where_the_host_wants_that,
    a_file_that_is_gone_is_waited_for,
    a_file_that_moved_is_attached_again,
    a_file_that_moved_is_opened_by_the_host,
    a_file_that_changes_while_it_is_sent_is_never_mixed,
    a_file_that_is_touched_while_it_is_sent_goes_on,
    a_file_that_changes_before_the_confirm_is_noticed,
    a_file_deleted_under_way_that_comes_back_goes_on,
    bytes_in_memory_arrive,
    bytes_in_memory_that_are_handed_in_again_go_on,
    a_host_that_reads_little_at_a_time_is_enough,
    a_host_whose_reading_fails_is_waited_for,
    a_change_that_leaves_no_trace_is_noticed_when_that_is_asked_for,
    a_source_that_stays_passes_the_comparison,
);

/// An upload of six parts that was closed when two were proven.
struct Half {
    world: World,
    file: PathBuf,
    original: Vec<u8>,
    id: String,
}

impl Half {
    fn done(service: ServiceName) -> Half {
        Half::done_with(service, |_| {})
    }

    fn done_with(service: ServiceName, change: impl Fn(&mut UploadRequest)) -> Half {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part());
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
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all(&content(size, 99)).unwrap();
    // Whoever looked while it was being written sees that it is another one again.
    file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
}

fn waits_for_the_source(client: &Client, id: &str, code: Code) {
    let snapshot = until(client, id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    assert!(needs_host(&snapshot) && error_of(&snapshot).unwrap().code == code, "{snapshot:?}");
}

fn the_same_bytes_go_on_whatever_else_changed(service: ServiceName) {
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
        let half = Half::done(service);
        change(&half.file, &half.original);
        let client = half.world.open();
        half.goes_on(&client);
    });
}

fn other_bytes_are_waited_about_and_the_old_ones_go_on(service: ServiceName) {
    let half = Half::done(service);
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

fn a_file_of_another_size_is_another_file(service: ServiceName) {
    let size = PARTS * part_of(service);
    each(&[size - 1, size + 1, 0], |size_bytes| {
        let half = Half::done(service);
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

fn other_bytes_begin_over_where_the_host_wants_that(service: ServiceName) {
    each(&[false, true], |later| {
        let half = Half::done_with(service, |request| {
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
        // KooDrive has no way to abort one.
        let left = usize::from(service == ServiceName::KooDrive);
        assert_eq!(half.world.open_tasks(), left, "the old task was aborted\n{}", half.world.told());
    });
}

fn a_file_that_is_gone_is_waited_for(service: ServiceName) {
    let half = Half::done(service);
    std::fs::remove_file(&half.file).unwrap();
    let client = half.world.open();
    waits_for_the_source(&client, &half.id, Code::SourceNotFound);
    std::fs::write(&half.file, &half.original).unwrap();
    client.resume(&one(&half.id));
    half.goes_on(&client);
}

fn a_file_that_moved_is_attached_again(service: ServiceName) {
    let half = Half::done(service);
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

fn a_file_that_moved_is_opened_by_the_host(service: ServiceName) {
    let half = Half::done(service);
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
fn changed_under_way(
    service: ServiceName,
    on_change: OnChange,
    change: impl Fn(&Path),
) -> (World, PathBuf, Vec<u8>, Client, String) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let original = std::fs::read(&file).unwrap();
    let mut config = world.config();
    config.limits.rate_bytes_per_s = 8 * world.part();
    let client = Client::open(config).unwrap();
    // It can't be over before the change: the last part waits for that.
    let last = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).part(PARTS as u32));
    let slow = world.rule(Rule::new(Step::Part, How::Delay { ms: 200 }).after(2));
    let mut request = world.request(&file, "photo.jpg");
    request.on_change = on_change;
    let id = start(&client, request);
    world.wait("parts under way", |log| of(log, Step::Part).any(|entry| entry.rule == Some(slow)));
    until(&client, &id, |snapshot| snapshot.progress.parts_done >= 1);
    change(&file);
    world.cloud.remove_rule(last);
    client.set_network(partway::client::Network::online(1));
    (world, file, original, client, id)
}

fn a_file_that_changes_while_it_is_sent_is_never_mixed(service: ServiceName) {
    let grow = |path: &Path| {
        std::fs::File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
    };
    let truncate = |path: &Path| {
        std::fs::File::options().write(true).open(path).unwrap().set_len(3 * MIB).unwrap();
    };
    let replace = |path: &Path| {
        let other = path.with_extension("other");
        std::fs::write(&other, content(std::fs::metadata(path).unwrap().len(), 77)).unwrap();
        std::fs::rename(other, path).unwrap();
    };
    let cases: [(&str, fn(&Path)); 4] =
        [("other bytes", spoil), ("grown", grow), ("truncated", truncate), ("replaced", replace)];
    each(&cases, |(_, change)| {
        let (world, file, original, client, id) = changed_under_way(service, OnChange::Restart, change);
        completed(&client, &id);
        world.sole_object(&file);
        world.no_secret_on_disk();
        drop(original);
    });
    each(&cases, |(_, change)| {
        let (world, file, original, client, id) = changed_under_way(service, OnChange::Fail, change);
        waits_for_the_source(&client, &id, Code::SourceChanged);
        assert!(world.cloud.objects().is_empty());
        std::fs::write(&file, original).unwrap();
        client.resume(&one(&id));
        completed(&client, &id);
        world.sole_object(&file);
        world.no_secret_on_disk();
    });
}

fn a_file_that_is_touched_while_it_is_sent_goes_on(service: ServiceName) {
    let touch = |path: &Path| {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    };
    let (world, file, _, client, id) = changed_under_way(service, OnChange::Fail, touch);
    completed(&client, &id);
    world.sole_object(&file);
    world.no_secret_on_disk();
}

fn a_file_that_changes_before_the_confirm_is_noticed(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
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

fn a_file_deleted_under_way_that_comes_back_goes_on(service: ServiceName) {
    let (world, file, original, client, id) =
        changed_under_way(service, OnChange::Fail, |path| std::fs::remove_file(path).unwrap());
    waits_for_the_source(&client, &id, Code::SourceNotFound);
    std::fs::write(&file, original).unwrap();
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.no_secret_on_disk();
}

fn bytes_in_memory_arrive(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", world.part() + 7);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source::memory(std::fs::read(&file).unwrap());
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn bytes_in_memory_that_are_handed_in_again_go_on(service: ServiceName) {
    let world = World::of(service);
    // No more than 8 MiB may lie in memory: two parts of KooDrive.
    let file = world.file("photo.jpg", 7 * MIB);
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1));
    let request = || {
        let mut request = world.request(&file, "photo.jpg");
        request.source = Source::memory(std::fs::read(&file).unwrap());
        request
    };
    let client = world.open();
    let id = start(&client, request());
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
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

fn a_host_that_reads_little_at_a_time_is_enough(service: ServiceName) {
    each(&[(4_093, true), (100_003, false), (usize::MAX, true)], |(most, concurrent)| {
        let world = World::of(service);
        let file = world.file("photo.jpg", 3 * world.part() + 7);
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

fn a_host_whose_reading_fails_is_waited_for(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 3 * world.part());
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

fn a_change_that_leaves_no_trace_is_noticed_when_that_is_asked_for(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 3 * world.part());
    let reader = Fickle { bytes: std::fs::read(&file).unwrap(), reads: Default::default() };
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source { what: SourceWhat::Reader { reader: Arc::new(reader) }, token: vec![] };
    request.verify_source = true;
    let id = start(&client, request);
    waits_for_the_source(&client, &id, Code::SourceChanged);
    assert!(world.cloud.objects().is_empty(), "{}", world.told());
}

fn a_source_that_stays_passes_the_comparison(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 3 * world.part() + 7);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.verify_source = true;
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    assert_eq!(client.snapshot(&id).unwrap().progress.bytes_hashed, 3 * world.part() + 7);
}
