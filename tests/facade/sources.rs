//! Sources: what is refused at once, what is asked for, and how many are open.

use std::{
    fs::File,
    os::fd::{AsFd as _, IntoRawFd as _, OwnedFd},
    sync::{Arc, Mutex, mpsc},
};

use partway::{
    client::{Client, Config, Limits, MEMORY_BYTES_MAX, Source, SourceAsk, SourceProvider, State, WaitReason, digest},
    error::Code,
};
use partway_sandbox::{How, Rule, Step};

use crate::common::*;

/// Hands the asks on to the test.
struct Asks(Mutex<mpsc::Sender<SourceAsk>>);

impl SourceProvider for Asks {
    fn open(&self, ask: SourceAsk) {
        let _ = self.0.lock().unwrap().send(ask);
    }
}

fn asking(config: Config) -> (Client, mpsc::Receiver<SourceAsk>) {
    let (asks, asked) = mpsc::channel();
    let sources: Arc<dyn SourceProvider> = Arc::new(Asks(Mutex::new(asks)));
    (Client::open(Config { sources: Some(sources), ..config }).unwrap(), asked)
}

fn next(asked: &mpsc::Receiver<SourceAsk>) -> SourceAsk {
    asked.recv_timeout(std::time::Duration::from_millis(PATIENCE_MS)).expect("the host is asked")
}

#[test]
fn what_can_not_be_read_from_the_middle_is_refused_at_once() {
    let world = World::new();
    let client = world.open();
    let refused = |source: Source| {
        let mut request = world.request(&world.file("photo.jpg", 1), "photo.jpg");
        request.source = source;
        client.start(request).unwrap_err().code
    };
    let (pipe, _writer) = std::io::pipe().unwrap();
    assert_eq!(refused(Source::fd(pipe.into())), Code::SourceNotSeekable);
    let fifo = world.dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(refused(Source::path(&fifo)), Code::SourceNotSeekable);
    assert_eq!(refused(Source::path(world.dir.path())), Code::SourceUnreadable);
    assert_eq!(refused(Source::memory(vec![0; MEMORY_BYTES_MAX + 1])), Code::InvalidArgument);
    assert!(client.list(&partway::client::Select::All).is_empty() && world.cloud.log().is_empty());
}

#[test]
fn a_descriptor_is_ours_or_a_duplicate_and_the_callers_may_be_closed() {
    let world = World::new();
    let path = world.file("photo.jpg", 3 * MIB);
    let client = world.open();
    for (number, owned) in [true, false].into_iter().enumerate() {
        let file = File::open(&path).unwrap();
        let mut request = world.request(&path, &format!("{number}.jpg"));
        request.source = if owned {
            Source::fd(OwnedFd::from(file))
        } else {
            let source = Source::duplicate(file.as_fd()).unwrap();
            drop(file);
            source
        };
        let id = start(&client, request);
        completed(&client, &id);
    }
    // By its number, as a face has it.
    let number = File::open(&path).unwrap().into_raw_fd();
    let mut request = world.request(&path, "2.jpg");
    // SAFETY: it is open, and nobody else has it.
    #[allow(unsafe_code)]
    let source = unsafe { Source::raw_fd(number, true) }.unwrap();
    request.source = source;
    let id = start(&client, request);
    completed(&client, &id);
    let expected = std::fs::read(&path).unwrap();
    let objects = world.cloud.objects();
    assert_eq!(objects.len(), 3);
    assert!(objects.iter().all(|object| std::fs::read(object.file.as_ref().unwrap()).unwrap() == expected));
}

#[test]
fn what_a_host_prepares_is_shown_and_taken_when_it_comes() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let (client, asked) = asking(world.config());
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source::later(*b"asset 7");
    request.tags.insert("album".into(), "7".into());
    let id = start(&client, request);
    let ask = next(&asked);
    assert_eq!(
        (ask.token(), ask.key(), ask.upload_id(), ask.tags()["album"].as_str()),
        (&b"asset 7"[..], "photo.jpg", id.as_str(), "7")
    );
    for fraction in [0.25, 0.75] {
        ask.preparing(fraction);
        let prepared = |snapshot: &partway::client::Snapshot| match &snapshot.state {
            State::Waiting { waiting } => waiting.reason == WaitReason::Source && waiting.prepared == Some(fraction),
            _ => false,
        };
        until(&client, &id, prepared);
    }
    assert!(client.idle().waiting_for_person == 0);
    ask.supply(Source::path(&file));
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn a_host_that_says_later_is_asked_again_then() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let (client, asked) = asking(world.config());
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source::later(*b"asset 7");
    let id = start(&client, request);
    next(&asked).later(Some(200));
    let told = until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    assert!(matches!(&told.state, State::Waiting { waiting } if waiting.retry_in_ms.is_some()), "{told:?}");
    next(&asked).supply(Source::path(&file));
    completed(&client, &id);
}

#[test]
fn no_more_sources_are_open_than_allowed() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    let mut config = world.config();
    config.limits = Limits { parallel_uploads: 3, open_sources: 1, ..config.limits };
    let (client, asked) = asking(config);
    let ids: Vec<String> = (0..3)
        .map(|number| {
            let mut request = world.request(&file, &format!("{number}.jpg"));
            request.source = Source::later(number.to_string());
            start(&client, request)
        })
        .collect();
    for _ in 0..3 {
        let ask = next(&asked);
        // The others stand in line for it, however long this one takes.
        assert!(asked.recv_timeout(std::time::Duration::from_millis(300)).is_err(), "a second one was opened");
        ask.supply(Source::path(&file));
        completed(&client, ask.upload_id());
    }
    assert!(ids.iter().all(|id| client.snapshot(id).unwrap().state.ended()));
}

#[test]
fn a_source_that_was_given_anew_is_known_to_the_next_process() {
    let world = World::new();
    let file = world.file("photo.jpg", 2 * MIB);
    let client = world.open();
    let mut request = world.request(&file, "photo.jpg");
    request.source = Source::later(*b"gone");
    let id = start(&client, request);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(1).times(1));
    client.attach_source(&id, Source::path(&file).with_token(*b"found")).unwrap();
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 1);
    assert!(client.close(5_000));
    drop(client);
    // Nobody is there to ask: the path is in the journal.
    let client = world.open();
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn a_digest_is_what_the_emulator_stores() {
    let world = World::new();
    let file = world.file("photo.jpg", 5 * MIB + 7);
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    let receipt = completed(&client, &id);
    let digests = digest(&Source::path(&file), Some(MIB)).unwrap();
    assert_eq!((digests.size_bytes, &digests.crc64), (5 * MIB + 7, &receipt.crc64));
    assert_eq!(digests.midstates.len(), 5);
}

/// Blocks in its `turn`-th look at the length, until it is let go.
struct Slow {
    looks: std::sync::atomic::AtomicU32,
    turn: u32,
    within: Mutex<mpsc::Sender<()>>,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl partway::client::HostReader for Slow {
    fn len(&self) -> Result<u64, partway::error::ErrorInfo> {
        if self.looks.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == self.turn {
            let _ = self.within.lock().unwrap().send(());
            let _ = self.gate.lock().unwrap().recv();
        }
        Ok(MIB)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, partway::error::ErrorInfo> {
        let left = usize::try_from(MIB - offset).unwrap().min(buf.len());
        buf[..left].fill(7);
        Ok(left)
    }

    fn concurrent(&self) -> bool {
        true
    }
}

/// A source that does not answer (a host's reader, a mount whose server is gone) held every journal, and with them every upload.
#[test]
fn a_source_that_blocks_holds_its_own_upload_alone() {
    let world = World::new();
    let client =
        Client::open(Config { limits: Limits { parallel_uploads: 2, ..Limits::default() }, ..world.config() }).unwrap();
    let ((within, blocks), (release, gate)) = (mpsc::channel(), mpsc::channel());
    // At `start`, then when its turn comes.
    let (looks, turn) = (Default::default(), 3);
    let reader = Arc::new(Slow { looks, turn, within: Mutex::new(within), gate: Mutex::new(gate) });
    let mut request = world.request(&world.file("any", MIB), "slow.jpg");
    request.source = Source::reader(reader);
    let slow = start(&client, request);
    blocks.recv_timeout(std::time::Duration::from_millis(PATIENCE_MS)).expect("it is being opened");
    let file = world.file("photo.jpg", 3 * MIB);
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    assert_eq!(client.forget(&one(&id)), 1);
    assert!(!client.snapshot(&slow).unwrap().state.ended());
    release.send(()).unwrap();
    completed(&client, &slow);
}
