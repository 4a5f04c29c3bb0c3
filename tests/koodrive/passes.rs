//! The file is read once to be hashed and once to be sent, over all runs together; what was in flight at a kill is all that is read again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use partway::{
    client::{Client, HostReader, Source, SourceAsk, SourceProvider, SourceWhat},
    error::ErrorInfo,
};
use partway_sandbox::{How, Rule, Step};

use crate::{common::*, world};

/// A host's file that counts what is read of it, over all clients of a test.
struct Counted {
    bytes: Vec<u8>,
    read: AtomicU64,
}

impl HostReader for Counted {
    fn len(&self) -> Result<u64, ErrorInfo> {
        Ok(self.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        let from = &self.bytes[(offset as usize).min(self.bytes.len())..];
        let count = from.len().min(buf.len());
        buf[..count].copy_from_slice(&from[..count]);
        self.read.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }

    fn concurrent(&self) -> bool {
        true
    }
}

struct Gives(Arc<Counted>);

impl Gives {
    fn source(&self) -> Source {
        Source { what: SourceWhat::Reader { reader: self.0.clone() }, token: b"the file".to_vec() }
    }
}

impl SourceProvider for Gives {
    fn open(&self, ask: SourceAsk) {
        ask.supply(self.source());
    }
}

fn counted(file: &Path) -> Arc<Gives> {
    Arc::new(Gives(Arc::new(Counted { bytes: std::fs::read(file).unwrap(), read: AtomicU64::new(0) })))
}

fn open(world: &World, gives: &Arc<Gives>) -> Client {
    let mut config = world.config();
    config.sources = Some(gives.clone());
    config.limits.parallel_parts = 2;
    Client::open(config).unwrap()
}

#[test]
fn one_pass_to_hash_and_one_to_send_without_a_stop() {
    let world = world();
    let size = 8 * world.part() + 100;
    let file = world.file("film.mp4", size);
    let gives = counted(&file);
    let client = open(&world, &gives);
    let mut request = world.request(&file, "film.mp4");
    request.source = gives.source();
    completed(&client, &start(&client, request));
    world.sole_object(&file);
    assert_eq!(gives.0.read.load(Ordering::SeqCst), 2 * size, "{}", world.told());
}

#[test]
fn stops_while_sending_cost_no_more_than_what_was_in_flight() {
    const STOPS: u64 = 3;
    let world = world();
    let size = 8 * world.part() + 100;
    let file = world.file("film.mp4", size);
    let gives = counted(&file);
    let mut request = world.request(&file, "film.mp4");
    request.source = gives.source();
    let mut id = None;
    for stop in 1..=STOPS {
        // In each run two parts are proven and two are under way when it is stopped.
        let before = acknowledged(&world.cloud.log()).len();
        let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 1 << 20 }).after(2));
        let client = open(&world, &gives);
        let id = id.get_or_insert_with(|| start(&client, request.clone())).clone();
        until(&client, &id, |snapshot| snapshot.progress.parts_done as usize >= before + 2);
        world.wait("under way", |log| of(log, Step::Part).any(|entry| entry.rule == Some(stall)));
        assert!(stop <= STOPS && !client.snapshot(&id).unwrap().state.ended());
        world.leave(client);
        world.cloud.remove_rule(stall);
    }
    let client = open(&world, &gives);
    completed(&client, &id.unwrap());
    world.sole_object(&file);
    world.hold_promises(&file);
    // At each stop: two parts under way, and the one that was being hashed.
    let most = 2 * size + STOPS * 3 * world.part();
    let read = gives.0.read.load(Ordering::SeqCst);
    assert!((2 * size..=most).contains(&read), "{read} of {size}\n{}", world.told());
    assert_eq!(world.requests(Step::Begin), 1, "one session");
}

#[test]
fn stops_while_hashing_go_on_where_the_pass_was() {
    const STOPS: u64 = 3;
    let world = world();
    let size = 8 * world.part() + 100;
    let file = world.file("film.mp4", size);
    let gives = counted(&file);
    let mut request = world.request(&file, "film.mp4");
    request.source = gives.source();
    request.instant = partway::model::InstantMode::Always;
    let client = open(&world, &gives);
    let id = start(&client, request);
    let mut client = Some(client);
    for stop in 1..=STOPS {
        let at = client.take().unwrap();
        until(&at, &id, |snapshot| snapshot.progress.bytes_hashed >= stop * 2 * world.part());
        world.leave(at);
        client = Some(open(&world, &gives));
    }
    completed(client.as_ref().unwrap(), &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    // The first part's bytes of the proof, too, for each run that came that far.
    let most = 2 * size + STOPS * 3 * world.part() + 64;
    let read = gives.0.read.load(Ordering::SeqCst);
    assert!((2 * size..=most).contains(&read), "{read} of {size}\n{}", world.told());
}
