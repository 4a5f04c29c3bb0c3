//! What a host says is done, when it can be.

use std::sync::{Mutex, mpsc::channel};

use partway::{
    client::{Change, Select, Source, State, WaitReason},
    engine::{Command, Event, Facts, Limits, Machine, OpKind, Record, Step, UploadRecord, Wish},
    error::{Code, ErrorInfo},
    model::{Identity, Now, Tick, http::TransportFault},
    runtime::journal::{Id, StateDir},
};

use crate::{
    common::{ended, one, start, until, waiting_for},
    fake::*,
};

/// Another process had the journal: the cancel was forgotten together with the try to open it, and the upload went on.
#[test]
fn a_cancel_said_while_another_process_has_the_upload_is_carried_out() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), good);
    config.autostart = false;
    let client = open(config);
    let id = start(&client, request("y.bin", Source::path(file(dir.path(), 100))));
    let state_dir = StateDir::open(dir.path().join("state")).unwrap();
    let theirs = state_dir.open_journal::<Record>(Id::parse(&id).unwrap()).unwrap();
    assert_eq!(client.cancel(&one(&id)), 1);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Elsewhere));
    drop(theirs);
    // Whatever is said makes it look again at once, instead of after seconds.
    client.change(&one(&id), &Change { parallel_parts: Some(2), ..Change::default() }).unwrap();
    client.go();
    let told = ended(&client, &id).state;
    assert!(matches!(told, State::Cancelled { .. }), "{told:?}");
    client.close(1_000);
}

/// A start of the same key gave the upload its bytes again; that counted as a resume, and what a person had paused went on.
#[test]
fn a_source_given_again_leaves_a_paused_upload_paused() {
    let dir = tempfile::tempdir().unwrap();
    let (came, requests) = channel();
    let came = Mutex::new(came);
    let client = open(config(dir.path(), move |_, _, cancel| {
        came.lock().unwrap().send(()).unwrap();
        until_cancelled(cancel);
        Err(TransportFault::Cancelled { left: true })
    }));
    let again = || request("y.bin", Source::memory(vec![1; 100]));
    let id = start(&client, again());
    next(&requests);
    client.pause(&Select::All);
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    client.wait_idle(Some(2_000));
    within(&requests, 0);
    assert_eq!(start(&client, again()), id);
    client.attach_source(&id, Source::memory(vec![1; 100])).unwrap();
    client.wait_idle(Some(2_000));
    assert_eq!(within(&requests, 300).len(), 0, "nothing is sent");
    assert_eq!(client.snapshot(&id).unwrap().state, State::Paused);
    client.resume(&Select::All);
    next(&requests);
    client.close(1_000);
}

// ---- a disk that refuses

fn machine() -> Machine {
    // As a journal says it: all else as by default.
    let upload: UploadRecord = serde_json::from_value(serde_json::json!({
        "id": "01M7WGK9FAE3HBHQ5J1H6PWT0B", "key": "k", "created_unix_ms": 0, "target": smh("y.bin"), "source": {},
    }))
    .unwrap();
    let service = partway::service::open(&upload.target).unwrap();
    let facts = Facts::new([Record::Upload(Box::new(upload))]).unwrap();
    Machine::new(facts, service, Limits { parallel_parts: 3 }, 1, at(1))
}

fn at(tick: u64) -> Now {
    Now { tick: Tick(tick), unix_ms: 1 }
}

fn ten_bytes() -> Identity {
    Identity { size_bytes: 10, inode: Some(1), ..Identity::default() }
}

fn poll(machine: &mut Machine, now: Now) -> Step {
    machine.poll(now, &mut partway::engine::Slots { parts: 3, controls: 5, reads: 1, opens_at: None })
}

/// Polls until the disk is asked for something, and lets it refuse.
fn refuse(machine: &mut Machine, now: Now) {
    loop {
        match poll(machine, now) {
            Step::Commit { id, .. } => {
                return machine.handle(now, Event::CommitFailed(id, ErrorInfo::new(Code::DiskFull, "full")));
            }
            Step::Wait { .. } | Step::Done => panic!("nothing to keep: {:?}", machine.state(now)),
            _ => {}
        }
    }
}

/// A pause could not be kept, then the upload was resumed: what was written in the end was the pause, and the upload stayed.
#[test]
fn a_resume_outlives_a_pause_that_the_disk_refused() {
    let mut machine = machine();
    poll(&mut machine, at(1));
    machine.handle(at(1), Event::Command(Command::Pause));
    refuse(&mut machine, at(2));
    poll(&mut machine, at(2));
    machine.handle(at(3), Event::Command(Command::Resume));
    // What was asked for before the pause.
    machine.handle(at(3), Event::Source(Ok(ten_bytes())));
    let (mut wish, mut begun) = (Wish::Run, false);
    // Long enough for every try again of the disk.
    for tick in [4, 10_000, 30_000, 60_000] {
        loop {
            match poll(&mut machine, at(tick)) {
                Step::Commit { id, record } => {
                    if let Record::Wish { wish: kept } = record {
                        wish = kept;
                    }
                    machine.handle(at(tick), Event::Committed(id));
                }
                Step::Wait { .. } | Step::Done => break,
                Step::AskSource => machine.handle(at(tick), Event::Source(Ok(ten_bytes()))),
                Step::AskCredential { .. } => {
                    let credential = Some(partway::client::Credential::token("t"));
                    machine.handle(at(tick), Event::Credential { credential, generation: 1 });
                }
                Step::Start { op, .. } if op.kind == OpKind::Begin => begun = true,
                _ => {}
            }
        }
    }
    assert_eq!(wish, Wish::Run, "what is kept is what was said last");
    assert!(begun, "it goes on: {:?}", machine.state(at(60_001)));
}

/// A hold while the disk refused kept a machine, and with it the lock and the source, for as long as the disk was full.
#[test]
fn a_hold_gives_everything_back_also_while_the_disk_refuses() {
    let mut machine = machine();
    while !matches!(poll(&mut machine, at(1)), Step::AskSource) {}
    machine.handle(at(1), Event::Source(Ok(ten_bytes())));
    refuse(&mut machine, at(2));
    machine.handle(at(2), Event::Command(Command::Hold));
    let mut polls = 0;
    while !matches!(poll(&mut machine, at(2)), Step::Wait { .. } | Step::Done) {
        polls += 1;
        assert!(polls < 100, "it rests");
    }
    assert!(!machine.is_busy() && machine.gives_place(at(2), 20_000), "{:?}", machine.state(at(2)));
}
