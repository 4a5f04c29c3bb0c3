//! Nothing is done without bound: no requests, no askings, no uploads at once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
    mpsc::channel,
};

use partway::client::{
    Limits, Select, Source, SourceAsk, SourceProvider, SourceWhat, State, UploadRequest, WaitReason,
};

use crate::{
    common::{completed, ended, start, until, waiting_for},
    fake::*,
};

/// Bounds of zero were taken as they were: nothing ever had a place, and nothing said so.
#[test]
fn uploads_complete_under_bounds_of_zero() {
    let dir = tempfile::tempdir().unwrap();
    let none = Limits { parallel_uploads: 0, parallel_parts: 0, rate_bytes_per_s: 0, ..Limits::default() };
    let mut config = config(dir.path(), good);
    config.limits = none;
    let client = open(config);
    let source = Source::path(file(dir.path(), 100));
    let first = start(&client, request("y.bin", source.clone()));
    completed(&client, &first);
    client.set_limits(none);
    let second = start(&client, request("z.bin", source));
    completed(&client, &second);
    client.close(1_000);
}

/// A service that asked for ten minutes of rest was asked by every other upload in line all the same.
#[test]
fn a_host_that_asked_for_rest_is_left_alone_by_all_uploads() {
    let dir = tempfile::tempdir().unwrap();
    let (came, requests) = channel();
    let came = Mutex::new(came);
    let config = config(dir.path(), move |_, _, _| {
        came.lock().unwrap().send(()).unwrap();
        answer_with(503, "{}", ("retry-after", "600"))
    });
    let at_once = config.limits.parallel_uploads as usize;
    let client = open(config);
    let source = Source::path(file(dir.path(), 100));
    let all = (0..30).map(|number| request(&format!("y{number}.bin"), source.clone())).collect();
    assert!(client.start_all(all).iter().all(Result::is_ok));
    next(&requests);
    let more = within(&requests, 1_500).len();
    // Those that were under way already when the first answer came.
    assert!(more <= at_once, "{} requests", 1 + more);
    client.close(1_000);
}

/// What the host gave for a source could not be opened, so the host was asked, and asked, and asked.
#[test]
fn a_host_is_asked_for_a_source_that_does_not_open_only_once_a_try() {
    struct Gone(AtomicU32);
    impl SourceProvider for Gone {
        fn open(&self, ask: SourceAsk) {
            self.0.fetch_add(1, Ordering::SeqCst);
            ask.supply(Source::path("/nonexistent/copy.jpg"));
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let sources = Arc::new(Gone(AtomicU32::new(0)));
    let mut config = config(dir.path(), good);
    config.sources = Some(sources.clone());
    let client = open(config);
    let id = start(&client, request("y.bin", Source { what: SourceWhat::Later, token: vec![1] }));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Source));
    client.wait_idle(Some(1_000));
    assert_eq!(sources.0.load(Ordering::SeqCst), 1);
    let stays = client.wait(&id, Some(300)).unwrap();
    assert_eq!(waiting_for(&stays), Some(WaitReason::Source));
    assert_eq!(sources.0.load(Ordering::SeqCst), 1, "and not again by itself");
    client.close(1_000);
}

/// A begin was answered with a status that is no failure and no session: it was sent again at once, for ever.
#[test]
fn a_begin_with_a_strange_answer_is_not_repeated_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (came, begins) = channel();
    let came = Mutex::new(came);
    let client = open(config(dir.path(), move |request, body, cancel| {
        if !is_begin(request) {
            return good(request, body, cancel);
        }
        came.lock().unwrap().send(()).unwrap();
        answer(202, "{}")
    }));
    let id = start(&client, request("y.bin", Source::path(file(dir.path(), 100))));
    next(&begins);
    // Tries are at least 0.3 s apart.
    let more = within(&begins, 1_200).len();
    assert!(more <= 4, "{more} more begins in 1.2 s");
    let told = client.snapshot(&id).unwrap();
    assert!(told.state.ended() || matches!(told.state, State::Waiting { .. }), "{told:?}");
    client.close(1_000);
}

/// A resume of very many uploads opened each of them, whatever the bound: as many journals, locks and sources at once.
#[test]
fn a_resume_of_many_uploads_keeps_to_the_bound() {
    const GUESTS: usize = 4;
    let dir = tempfile::tempdir().unwrap();
    let gate = Gate::new();
    let (came, requests) = channel();
    let (came, closed) = (Mutex::new(came), gate.clone());
    let mut config = config(dir.path(), move |request, body, cancel| {
        let _ = came.lock().unwrap().send(());
        closed.pass();
        good(request, body, cancel)
    });
    config.autostart = false;
    config.limits = Limits { parallel_uploads: 1, parallel_parts: 8, rate_bytes_per_s: 0, ..Limits::default() };
    let client = open(config);
    let source = Source::path(file(dir.path(), 100));
    let all: Vec<UploadRequest> = (0..200).map(|number| request(&format!("y{number}.bin"), source.clone())).collect();
    assert!(client.start_all(all).iter().all(Result::is_ok));
    client.pause(&Select::All);
    client.go();
    client.wait_idle(Some(10_000));
    let paused = client.list(&Select::All).iter().filter(|snapshot| snapshot.state == State::Paused).count();
    assert_eq!((paused, within(&requests, 0).len()), (200, 0));
    client.resume(&Select::All);
    let active = || {
        let all = client.list(&Select::All);
        all.iter().filter(|snapshot| matches!(snapshot.state, State::Active { .. })).count()
    };
    next(&requests);
    let mut most = active();
    // Nothing is answered, so what is at work stays at work.
    within(&requests, 300);
    most = most.max(active());
    gate.open();
    for _ in 0..40 {
        next(&requests);
        most = most.max(active());
    }
    assert!((1..=1 + GUESTS).contains(&most), "{most} at once");
    client.close(1_000);
}

/// One that is cancelled among many has its turn, though every place is taken by others that do not move.
#[test]
fn a_cancel_is_heard_while_every_place_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Gate::new();
    let (came, requests) = channel();
    let (came, closed) = (Mutex::new(came), gate.clone());
    let mut config = config(dir.path(), move |request, body, cancel| {
        let _ = came.lock().unwrap().send(());
        closed.pass();
        good(request, body, cancel)
    });
    config.limits = Limits { parallel_uploads: 1, ..Limits::default() };
    let client = open(config);
    let source = Source::path(file(dir.path(), 100));
    let first = start(&client, request("first.bin", source.clone()));
    next(&requests);
    let second = start(&client, request("second.bin", source));
    client.cancel(&Select::one(&*second));
    assert!(matches!(ended(&client, &second).state, State::Cancelled { .. }));
    gate.open();
    completed(&client, &first);
    client.close(1_000);
}
