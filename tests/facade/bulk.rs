//! Many uploads.

use std::time::{Duration, Instant};

use partway::{
    client::{Client, Config, Limits, Select, State, UploadRequest},
    model::checkpoint::{Act, At, Checkpoint},
};

use crate::common::*;

#[test]
fn fifty_uploads_at_once_all_complete() {
    let world = World::new();
    let file = world.file("photo.jpg", MIB + 1);
    let mut config = world.config();
    config.limits = Limits { parallel_uploads: 50, parallel_parts: 50, ..config.limits };
    let client = Client::open(config).unwrap();
    let all: Vec<UploadRequest> = (0..50).map(|number| world.request(&file, &format!("{number}.jpg"))).collect();
    let started: Vec<String> = client.start_all(all).into_iter().map(|result| result.unwrap().id).collect();
    for id in &started {
        completed(&client, id);
    }
    let expected = std::fs::read(&file).unwrap();
    let objects = world.cloud.objects();
    assert_eq!(objects.len(), 50);
    assert!(objects.iter().all(|object| std::fs::read(object.file.as_ref().unwrap()).unwrap() == expected));
    world.nothing_acknowledged_is_sent_again();
}

fn requests(world: &World, count: usize) -> Vec<UploadRequest> {
    let file = world.file("photo.jpg", MIB);
    (0..count).map(|number| world.request(&file, &format!("{number}.jpg"))).collect()
}

/// One command to many uploads at rest takes no machine for each, and none is missed.
#[test]
fn a_thousand_uploads_at_rest_are_paused_resumed_and_cancelled() {
    let world = World::new();
    let client = Client::open(Config { autostart: false, ..world.config() }).unwrap();
    let since = Instant::now();
    assert!(client.start_all(requests(&world, 1_000)).iter().all(Result::is_ok));
    let started = since.elapsed();
    let all_are = |what: &str, are: &dyn Fn(&State) -> bool| {
        let since = Instant::now();
        world.becomes(what, || client.list(&Select::All).iter().all(|snapshot| are(&snapshot.state)));
        since.elapsed()
    };
    assert_eq!(client.pause(&Select::All), 1_000);
    let paused = all_are("paused", &|state| *state == State::Paused);
    assert_eq!(client.resume(&Select::All), 1_000);
    let resumed = all_are("in line", &|state| *state == State::Queued);
    assert_eq!(client.cancel(&Select::All), 1_000);
    let cancelled = all_are("cancelled", &|state| matches!(state, State::Cancelled { .. }));
    let since = Instant::now();
    assert_eq!(client.forget(&Select::All), 1_000);
    println!(
        "1,000: started {started:?}, paused {paused:?}, resumed {resumed:?}, cancelled {cancelled:?}, forgotten {:?}",
        since.elapsed()
    );
    assert!(client.list(&Select::All).is_empty() && world.cloud.log().is_empty());
}

/// Threads of one process asked each other for the directory every few milliseconds, for five seconds at most: some of many that came at once were refused.
#[test]
fn hundreds_of_threads_that_start_at_once_all_succeed() {
    /// A disk that takes its time for a sync, as a phone's does.
    struct SlowDisk;
    impl Checkpoint for SlowDisk {
        fn reached(&self, act: Act, at: At) {
            if matches!(act, Act::Sync | Act::SyncDir) && at == At::Before {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    const THREADS: usize = 200;
    let world = World::new();
    let checkpoint = Some(std::sync::Arc::new(SlowDisk) as _);
    let client = Client::open(Config { autostart: false, checkpoint, ..world.config() }).unwrap();
    let gate = std::sync::Barrier::new(THREADS);
    let results: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = requests(&world, THREADS)
            .into_iter()
            .map(|request| {
                let (client, gate) = (&client, &gate);
                scope.spawn(move || {
                    gate.wait();
                    client.start(request)
                })
            })
            .collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(refused.is_empty(), "{} refused, such as {}", refused.len(), refused[0]);
    assert_eq!(client.list(&Select::All).len(), THREADS);
}
