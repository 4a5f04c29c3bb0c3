//! One upload, one object, one ending.

use std::sync::{
    Arc, Barrier, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
    mpsc::channel,
};

use partway::{
    client::{Client, Select, Source, State, UploadRequest, WaitReason},
    engine::Record,
    error::Code,
    model::{Conflict, http::Method},
    runtime::journal::{Id, StateDir},
};

use crate::{
    common::{MIB, ended, start, until, waiting_for},
    fake::*,
};

const HIT: &str = r#"{"fileId":"F2","fileName":"a.bin","rapidUpload":true,"code":0}"#;

fn renamed(dir: &std::path::Path) -> UploadRequest {
    let mut request = UploadRequest::new("k", koodrive("a.bin"), Source::path(file(dir, 3_000)));
    request.conflict = Conflict::Rename;
    request
}

/// What the creates said of a taken name, when the first one's answer was lost and the second one met `second`.
fn creates_after_a_lost_one(second: fn() -> Answered) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let creates = Arc::new(Mutex::new(vec![]));
    let seen = creates.clone();
    let mut config = config(dir.path(), move |request, body, _| {
        if !url(request).contains("/files/create") {
            return take(body);
        }
        let said = text(request);
        let at = said.find("autoRename").expect("a create says what to do when the name is taken");
        let mut creates = seen.lock().unwrap();
        creates.push(said[at..at + 13].to_owned());
        match creates.len() {
            1 => cut(),
            2 => second(),
            _ => answer(200, r#"{"fileId":"F2","fileName":"a(1).bin","rapidUpload":true,"code":0}"#),
        }
    });
    config.limits.parallel_parts = 1;
    let client = open(config);
    let id = start(&client, renamed(dir.path()));
    // It may end, or stand still and say so; it need not find out what nobody can tell it.
    until(&client, &id, |snapshot| {
        let stands = matches!(&snapshot.state, State::Waiting { waiting } if waiting.needs_host);
        snapshot.state.ended() || stands || creates.lock().unwrap().len() >= 4
    });
    client.close(1_000);
    let creates = creates.lock().unwrap();
    creates.clone()
}

fn renames_once(creates: &[String]) {
    assert!(creates.len() >= 2, "the refusal was met: {creates:?}");
    assert!(creates[0].ends_with('3'), "under the name that was asked for, or not at all: {creates:?}");
    let may_double = |create: &String| !create.ends_with(['3', '4']);
    assert!(!creates.iter().any(may_double), "a repeat may make a second object: {creates:?}");
}

/// A create whose answer was lost may have made the object. Its repeat was refused with 401, which was taken for "it did not", and the next one asked
/// for a new name: two objects of one upload.
#[test]
fn a_refused_repeat_of_a_begin_settles_nothing() {
    renames_once(&creates_after_a_lost_one(|| answer(401, "{}")));
}

/// The same where the repeat did not reach the service at all.
#[test]
fn an_unreached_repeat_of_a_begin_settles_nothing() {
    renames_once(&creates_after_a_lost_one(unreached));
}

/// A create that made the object was answered after a cancel had ended the upload: a second ending was told.
#[test]
fn a_begin_that_succeeds_behind_a_cancel_tells_one_ending() {
    let dir = tempfile::tempdir().unwrap();
    let (begun, creates) = channel();
    let begun = Mutex::new(begun);
    let mut config = config(dir.path(), move |request, body, cancel| {
        if !url(request).contains("/files/create") {
            return take(body);
        }
        begun.lock().unwrap().send(()).unwrap();
        until_cancelled(cancel);
        answer(200, HIT)
    });
    let (listener, endings) = Endings::channel();
    config.listener = Some(listener);
    let client = open(config);
    let id = start(&client, renamed(dir.path()));
    next(&creates);
    client.cancel(&Select::All);
    let told = ended(&client, &id).state;
    client.wait_idle(Some(2_000));
    let mut all = vec![next(&endings)];
    all.extend(within(&endings, 400));
    assert_eq!(all, std::slice::from_ref(&told), "one ending is told");
    assert_eq!(client.snapshot(&id).unwrap().state, told, "and stays");
    client.close(1_000);
    assert_eq!(endings_kept(dir.path(), &id), 1, "and is kept");
}

fn endings_kept(dir: &std::path::Path, id: &str) -> usize {
    let records: Vec<Record> = StateDir::open(dir.join("state")).unwrap().read(Id::parse(id).unwrap()).unwrap();
    records.iter().filter(|record| matches!(record, Record::Ending { .. })).count()
}

/// Three parts were refused at the same moment, each with an ending of its own: three were told, and written.
#[test]
fn parts_that_are_refused_together_make_one_ending() {
    let dir = tempfile::tempdir().unwrap();
    let (together, count) = (Barrier::new(3), AtomicU32::new(0));
    let mut config = config(dir.path(), move |request, body, cancel| {
        if !is_part(request) {
            return good(request, body, cancel);
        }
        together.wait();
        let number = count.fetch_add(1, Ordering::SeqCst);
        let refusal = "<Error><Code>InvalidArgument</Code></Error>";
        answer_with(400, refusal, ("x-cos-request-id", &format!("req-{number}")))
    });
    config.limits.parallel_parts = 3;
    let (listener, endings) = Endings::channel();
    config.listener = Some(listener);
    let client = open(config);
    let mut request = request("y.bin", Source::path(file(dir.path(), 3 * MIB as usize)));
    request.part_size_bytes = Some(MIB);
    let id = start(&client, request);
    let told = ended(&client, &id).state;
    assert!(matches!(told, State::Failed { .. }), "{told:?}");
    client.wait_idle(Some(2_000));
    let mut all = vec![next(&endings)];
    all.extend(within(&endings, 400));
    assert_eq!(all, [told], "one ending is told");
    client.close(1_000);
    assert_eq!(endings_kept(dir.path(), &id), 1, "and is kept");
}

/// The answer of a confirm was lost, the device went offline, the upload was cancelled: it ended as failed, "outcome unknown", although being online
/// again would have told.
#[test]
fn a_cancel_offline_waits_until_the_outcome_can_be_known() {
    let dir = tempfile::tempdir().unwrap();
    let reachable = Arc::new(AtomicBool::new(false));
    let up = reachable.clone();
    let (lost, confirms) = channel();
    let lost = Mutex::new(lost);
    let client: Client = open(config(dir.path(), move |request, body, cancel| {
        if up.load(Ordering::SeqCst) || is_part(request) || is_begin(request) {
            return good(request, body, cancel);
        }
        if is_confirm(request) {
            let _ = lost.lock().unwrap().send(());
            return cut();
        }
        if request.method == Method::Get { unreached() } else { good(request, body, cancel) }
    }));
    let id = start(&client, request("y.bin", Source::path(file(dir.path(), 100))));
    next(&confirms);
    client.set_network(network(false, 1));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Network));
    client.cancel(&Select::All);
    // Nothing tells that a cancel was heard but what comes of it.
    let heard = client.wait(&id, Some(500)).unwrap();
    assert_eq!(waiting_for(&heard), Some(WaitReason::Network), "{heard:?}");
    reachable.store(true, Ordering::SeqCst);
    client.set_network(network(true, 2));
    match ended(&client, &id).state {
        State::Failed { error } => panic!("{error:?} ({})", error.code == Code::OutcomeUnknown),
        State::Completed { .. } | State::Cancelled { .. } => {}
        other => panic!("{other:?}"),
    }
    client.close(1_000);
}
