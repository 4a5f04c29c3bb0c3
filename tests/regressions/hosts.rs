//! A host's own readers, and the end of a client.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use partway::{
    client::{HostReader, Source, State},
    error::{Code, ErrorInfo},
    model::InstantMode,
};

use crate::{
    common::{MIB, PATIENCE_MS, completed, start, until},
    fake::*,
};

/// A reader that panicked took its worker along. After a few of them there was none left: no other upload moved, and no close came to an end.
#[test]
fn a_reader_that_panics_harms_no_other_upload() {
    struct Broken;
    impl HostReader for Broken {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(100)
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, ErrorInfo> {
            // A panic that prints nothing.
            std::panic::resume_unwind(Box::new("the host's own fault"))
        }
        fn concurrent(&self) -> bool {
            false
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), good);
    config.limits.parallel_parts = 1;
    let client = open(config);
    let broken: Vec<String> =
        (0..4).map(|number| start(&client, request(&format!("r{number}.bin"), reader(Arc::new(Broken))))).collect();
    for id in &broken {
        until(&client, id, |snapshot| {
            matches!(&snapshot.state, State::Failed { error } if error.code == Code::SourceUnreadable)
                || matches!(&snapshot.state, State::Waiting { waiting } if waiting.error.is_some())
        });
    }
    let other = start(&client, request("other.bin", Source::path(file(dir.path(), 100))));
    completed(&client, &other);
    assert!(client.close(3_000), "it came to rest");
}

/// A reader was opened anew for each look at it, and had to be proven by reading it again: its bytes were read several times.
#[test]
fn a_reader_is_read_once() {
    struct Counted(AtomicU64);
    impl HostReader for Counted {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(20 * MIB)
        }
        fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            self.0.fetch_add(buf.len() as u64, Ordering::SeqCst);
            buf.fill(3);
            Ok(buf.len())
        }
        fn concurrent(&self) -> bool {
            true
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let counted = Arc::new(Counted(AtomicU64::new(0)));
    let client = open(config(dir.path(), good));
    let mut request = request("y.bin", reader(counted.clone()));
    // To ask whether the service has the content takes a read of its own.
    request.instant = InstantMode::Off;
    let id = start(&client, request);
    completed(&client, &id);
    assert_eq!(counted.0.load(Ordering::SeqCst), 20 * MIB);
    client.close(1_000);
}

/// Reading went on behind the last clone's drop, for as long as the part lasted: a host that had freed what it reads from was called.
#[test]
fn a_reader_is_not_called_once_the_client_is_dropped() {
    struct Slow {
        calls: AtomicU32,
        came: Mutex<Sender<()>>,
        gate: Arc<Gate>,
    }
    impl HostReader for Slow {
        fn len(&self) -> Result<u64, ErrorInfo> {
            Ok(1 << 30)
        }
        fn read_at(&self, _: u64, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let _ = self.came.lock().unwrap().send(());
            self.gate.pass();
            buf.fill(3);
            Ok(buf.len())
        }
        fn concurrent(&self) -> bool {
            true
        }
    }
    // Sent, and hashed ahead of sending.
    for instant in [InstantMode::Off, InstantMode::Always] {
        let dir = tempfile::tempdir().unwrap();
        let (came, calls) = channel();
        let slow = Arc::new(Slow { calls: AtomicU32::new(0), came: Mutex::new(came), gate: Gate::new() });
        let mut config = config(dir.path(), good);
        config.limits.parallel_parts = 1;
        let (listener, _endings) = Endings::channel();
        let of_the_client = Arc::downgrade(&listener);
        config.listener = Some(listener);
        let client = open(config);
        let mut request = request("y.bin", reader(slow.clone()));
        request.part_size_bytes = Some(256 * MIB);
        request.instant = instant;
        start(&client, request);
        next(&calls);
        drop(client);
        // What the client was goes with its threads; the one call is still under way then.
        let deadline = Instant::now() + Duration::from_millis(PATIENCE_MS);
        while of_the_client.strong_count() > 0 {
            assert!(Instant::now() < deadline, "the client's threads never ended");
            std::thread::yield_now();
        }
        slow.gate.open();
        assert_eq!(within(&calls, 300).len(), 0, "{instant:?}: the host was called again");
        assert_eq!(slow.calls.load(Ordering::SeqCst), 1);
    }
}

/// A start after a close was said to have worked, and a wait for it never returned.
#[test]
fn a_closed_client_starts_nothing_and_waits_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path(), good);
    config.autostart = false;
    let client = open(config);
    let source = Source::path(file(dir.path(), 100));
    let before = start(&client, request("y.bin", source.clone()));
    assert!(client.close(2_000));
    let refused = client.start(request("z.bin", source)).expect_err("it is closed");
    assert_eq!(refused.code, Code::Closed);
    assert!(client.find("z.bin").is_none(), "and nothing is left of it");
    let (done, waited) = channel();
    std::thread::spawn(move || done.send(client.wait(&before, None)));
    let stands = next(&waited).expect("a known upload");
    assert!(!stands.state.ended(), "{stands:?}");
}
