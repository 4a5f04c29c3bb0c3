//! A worker against hosts that do what they should not.

use std::{
    io::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    error::{Code, ErrorInfo},
    model::http::{self, Answer, Body, ByteRange, Method, Request},
    transport::{BytesBody, CancelToken, FileRange, RequestBody},
};

type Outcome = Result<Answer, http::TransportFault>;

struct Host<F>(F);

impl<F: Fn(Arc<TransportCall>) + Send + Sync> Transport for Host<F> {
    fn execute(&self, call: Arc<TransportCall>) {
        (self.0)(call);
    }
}

fn lane(host: impl Fn(Arc<TransportCall>) + Send + Sync + 'static) -> Box<dyn Lane> {
    HostLanes::new(Arc::new(Host(host))).lane()
}

fn put(len: u64, patience_ms: u64) -> Request {
    Request {
        method: Method::Put,
        url: "https://h.example/p?sign=canary".into(),
        headers: vec![("X-Sum".into(), "canary".into())],
        body: if len == 0 { Body::Empty } else { Body::Source(ByteRange { offset: 0, len }) },
        answer_bytes_max: 100,
        patience_ms,
        expect_continue: false,
        to_sign: None,
    }
}

/// A body of 1,000 bytes to a patient worker.
fn run(host: impl Fn(Arc<TransportCall>) + Send + Sync + 'static) -> Outcome {
    lane(host).execute(&put(1_000, 60_000), &mut BytesBody::new(vec![7; 1_000]), &CancelToken::default())
}

fn status(status: u16) -> HttpResponse {
    HttpResponse { status, headers: vec![("X-Id".into(), "1".into())], body: b"ok".to_vec() }
}

fn code(outcome: Outcome) -> (&'static str, Option<Code>) {
    let fault = outcome.expect_err("a fault");
    let name = match &fault {
        http::TransportFault::Unreached(_) => "unreached",
        http::TransportFault::Cut { .. } => "cut",
        http::TransportFault::Stalled(_) => "stalled",
        http::TransportFault::Malformed(_) => "malformed",
        http::TransportFault::Cancelled { .. } => "cancelled",
        http::TransportFault::Source(_) => "source",
        http::TransportFault::Unsigned(_) => "unsigned",
    };
    (name, fault.error().map(|error| error.code))
}

fn drain(call: &TransportCall) -> Vec<u8> {
    let mut all = vec![];
    loop {
        let some = call.read_body(300).expect("bytes");
        assert!(some.len() <= 300);
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

#[test]
fn the_host_sees_the_request_and_its_answer_comes_back() {
    let answer = run(|call| {
        let request = call.request();
        assert_eq!((request.method, request.url.as_str()), (Method::Put, "https://h.example/p?sign=canary"));
        assert_eq!(request.headers, [("X-Sum".to_owned(), "canary".to_owned())]);
        assert_eq!((request.answer_bytes_max, request.patience_ms, call.body_len()), (100, 60_000, 1_000));
        assert!(!format!("{request:?} {:?}", status(200)).contains("canary"), "it is not printed");
        assert_eq!(drain(&call), [7; 1_000]);
        call.respond(status(200));
    });
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.header("x-id"), answer.body.as_slice()), (200, Some("1"), &b"ok"[..]));
}

#[test]
fn it_is_answered_later_from_another_thread() {
    let (sender, receiver) = mpsc::channel::<Arc<TransportCall>>();
    let answering = thread::spawn(move || {
        let call = receiver.recv().expect("a call");
        drain(&call);
        call.respond(status(201));
    });
    let sender = Mutex::new(sender);
    let answer = run(move |call| sender.lock().expect("a sender").send(call).expect("sent"));
    assert_eq!(answer.expect("an answer").status, 201);
    answering.join().expect("answered");
}

#[test]
fn only_the_first_word_counts() {
    for first_is_answer in [true, false] {
        let second = Arc::new(AtomicBool::new(true));
        let seen = second.clone();
        let outcome = run(move |call| {
            let first = if first_is_answer { call.respond(status(200)) } else { call.fail(TransportFault::TimedOut) };
            assert!(first);
            seen.store(call.respond(status(500)) || call.fail(TransportFault::Cut), Ordering::SeqCst);
        });
        match first_is_answer {
            true => assert_eq!(outcome.expect("an answer").status, 200),
            false => assert_eq!(code(outcome), ("stalled", Some(Code::Stalled))),
        }
        // The host's thread may still be at it.
        while second.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }
}

#[test]
fn a_dropped_call_and_a_panic_are_a_cut() {
    assert_eq!(code(run(drop)), ("cut", Some(Code::ConnectionCut)));
    // A panic that prints nothing.
    assert_eq!(code(run(|_| std::panic::resume_unwind(Box::new("the host's")))), ("cut", Some(Code::ConnectionCut)));
}

#[test]
fn each_fault_says_whether_something_left() {
    for fault in TransportFault::ALL.iter().copied() {
        let untouched = code(run(move |call| assert!(call.fail(fault))));
        let pulled = code(run(move |call| {
            call.read_body(1).expect("a byte");
            call.fail(fault);
        }));
        let expected = match fault {
            TransportFault::Resolve => ("unreached", Code::ResolveFailed),
            TransportFault::Connect => ("unreached", Code::ConnectFailed),
            TransportFault::Tls => ("unreached", Code::TlsFailed),
            TransportFault::Proxy => ("unreached", Code::ProxyFailed),
            TransportFault::Cut => ("cut", Code::ConnectionCut),
            TransportFault::TimedOut => ("stalled", Code::Stalled),
            TransportFault::Malformed => ("malformed", Code::AnswerMalformed),
        };
        assert_eq!(untouched, (expected.0, Some(expected.1)), "{fault:?}");
        // A body is pulled when there is a connection: then it is not known what left.
        let after = if expected.0 == "unreached" { ("cut", Code::ConnectionCut) } else { expected };
        assert_eq!(pulled, (after.0, Some(after.1)), "{fault:?}");
    }
}

#[test]
fn an_answer_keeps_to_the_limits() {
    let large = |body: usize, header: usize| {
        run(move |call| {
            let headers = vec![("a".into(), "b".repeat(header))];
            call.respond(HttpResponse { status: 200, headers, body: vec![0; body] });
        })
    };
    assert!(large(100, 60_000).is_ok());
    assert_eq!(code(large(101, 0)), ("malformed", Some(Code::AnswerTooLarge)));
    assert_eq!(code(large(0, 65_536)), ("malformed", Some(Code::AnswerTooLarge)));
    for wrong in [0, 100, 199, 600] {
        let outcome = run(move |call| assert!(call.respond(status(wrong))));
        assert_eq!(code(outcome), ("malformed", Some(Code::AnswerMalformed)), "{wrong}");
    }
}

#[test]
fn silence_ends_the_call_and_signs_of_life_do_not() {
    let held = Arc::new(Mutex::new(None));
    let told = Arc::new(AtomicU32::new(0));
    let (keep, count) = (held.clone(), told.clone());
    let mut silent = lane(move |call| {
        let count = count.clone();
        call.on_cancel(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        *keep.lock().expect("a place") = Some(call);
    });
    let began = Instant::now();
    let outcome = silent.execute(&put(0, 150), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(code(outcome), ("stalled", Some(Code::Stalled)));
    assert!(began.elapsed() >= Duration::from_millis(150));
    let call = held.lock().expect("a place").take().expect("kept");
    assert_eq!(told.load(Ordering::SeqCst), 1, "the host was told");
    assert!(call.is_cancelled() && !call.respond(status(200)), "too late");
    assert_eq!(call.read_body(1).expect_err("over").code, Code::Cancelled);
    let late = Arc::new(AtomicBool::new(false));
    let seen = late.clone();
    call.on_cancel(move || seen.store(true, Ordering::SeqCst));
    assert!(late.load(Ordering::SeqCst), "a late hook runs at once");

    // Longer than its patience in all, and never silent for long.
    let mut slow = lane(|call| {
        for byte in 1..=15 {
            thread::sleep(Duration::from_millis(100));
            match byte % 2 {
                0 => drop(call.read_body(1).expect("a byte")),
                _ => call.sent(byte),
            }
        }
        call.respond(status(403));
    });
    let answer = slow.execute(&put(100, 1_000), &mut BytesBody::new(vec![0; 100]), &CancelToken::default());
    assert_eq!(answer.expect("an answer").status, 403);
}

#[test]
fn a_cancel_is_told_at_once_and_the_lane_goes_on() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let mut lane = lane(move |call| {
        if call.body_len() == 0 {
            call.respond(status(200));
            return;
        }
        // Blocks here for as long as nobody says that it need not.
        let (told, wait) = mpsc::channel();
        call.on_cancel(move || told.send(()).expect("waited for"));
        sender.lock().expect("a sender").send(()).expect("the test waits");
        wait.recv().expect("told");
        assert!(call.is_cancelled());
    });
    let token = CancelToken::default();
    let other = token.clone();
    let canceller = thread::spawn(move || {
        receiver.recv().expect("the call arrived");
        other.cancel();
    });
    let outcome = lane.execute(&put(9, u64::MAX), &mut BytesBody::new(vec![0; 9]), &token);
    assert_eq!(code(outcome).0, "cancelled");
    canceller.join().expect("cancelled");
    assert_eq!(code(lane.execute(&put(0, 1_000), &mut BytesBody::default(), &token)).0, "cancelled");
    let answer = lane.execute(&put(0, 60_000), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(answer.expect("an answer").status, 200);
}

/// Tells what was done with it.
struct Noted<'a> {
    bytes: BytesBody,
    pulled: &'a mut u64,
    fails_at: Option<u64>,
    range: Option<FileRange>,
}

impl RequestBody for Noted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorInfo> {
        if self.fails_at.is_some_and(|at| *self.pulled >= at) {
            return Err(ErrorInfo::new(Code::SourceDenied, "the phone is locked"));
        }
        let n = self.bytes.read(buf)?;
        *self.pulled += n as u64;
        Ok(n)
    }

    fn rewind(&mut self) {
        self.bytes.rewind();
    }

    fn file_range(&self) -> Option<FileRange> {
        let FileRange { file, offset, len } = self.range.as_ref()?;
        Some(FileRange { file: file.try_clone().ok()?, offset: *offset, len: *len })
    }
}

#[test]
fn a_body_is_read_again_after_a_rewind() {
    let mut pulled = 0;
    let mut body =
        Noted { bytes: BytesBody::new((0..100).collect()), pulled: &mut pulled, fails_at: None, range: None };
    let mut lane = lane(|call| {
        assert_eq!(call.read_body(60).expect("bytes").len(), 60);
        call.rewind_body().expect("rewound");
        assert_eq!(drain(&call), (0..100).collect::<Vec<u8>>());
        assert!(call.body_range().is_none(), "it is no file");
        call.respond(status(200));
    });
    lane.execute(&put(100, 60_000), &mut body, &CancelToken::default()).expect("an answer");
    assert_eq!(pulled, 160);
}

#[test]
fn a_source_that_fails_ends_the_call_whatever_the_host_says() {
    let (sender, receiver) = mpsc::channel();
    let sender: Mutex<Sender<bool>> = Mutex::new(sender);
    let mut pulled = 0;
    let mut body = Noted { bytes: BytesBody::new(vec![0; 100]), pulled: &mut pulled, fails_at: Some(50), range: None };
    let mut lane = lane(move |call| {
        call.read_body(50).expect("bytes");
        assert_eq!(call.read_body(50).expect_err("locked").code, Code::SourceDenied);
        // The worker may not have left yet; it does not listen any more.
        call.respond(status(200));
        sender.lock().expect("a sender").send(call.is_cancelled()).expect("the test waits");
    });
    let outcome = lane.execute(&put(100, 60_000), &mut body, &CancelToken::default());
    assert_eq!(code(outcome), ("source", Some(Code::SourceDenied)));
    receiver.recv().expect("the host's code ran to its end");
}

#[cfg(unix)]
#[test]
fn a_file_that_the_host_reads_itself_is_read_along() {
    use std::os::{fd::BorrowedFd, unix::fs::FileExt as _};

    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(b"--0123456789").expect("written");
    for status_code in [200, 403] {
        let range = FileRange { file: file.try_clone().expect("a copy"), offset: 2, len: 10 };
        let mut pulled = 0;
        let bytes = BytesBody::new(b"0123456789".to_vec());
        let mut body = Noted { bytes, pulled: &mut pulled, fails_at: None, range: Some(range) };
        let mut lane = lane(move |call| {
            let range = call.body_range().expect("a file");
            assert_eq!(Some(range), call.body_range(), "the same descriptor");
            assert_eq!((range.offset, range.len), (2, 10));
            #[expect(unsafe_code, reason = "the call, which owns the descriptor, is held")]
            let file = unsafe { BorrowedFd::borrow_raw(range.fd) };
            let file = std::fs::File::from(file.try_clone_to_owned().expect("a copy"));
            let mut bytes = [0; 10];
            file.read_exact_at(&mut bytes, range.offset).expect("read");
            assert_eq!(&bytes, b"0123456789");
            call.sent(4);
            // A read takes its place behind what was reported: what comes is what follows.
            assert_eq!(call.read_body(1).expect("a byte").len(), 1);
            call.respond(status(status_code));
        });
        lane.execute(&put(10, 60_000), &mut body, &CancelToken::default()).expect("an answer");
        assert!(if status_code == 200 { pulled == 10 } else { pulled < 10 }, "{status_code}: {pulled}");
    }
}

/// Whoever closes its client frees what its transport needs: by then no call of it is under way, and none begins.
#[test]
fn after_a_close_the_host_is_not_called_and_its_last_call_is_waited_for() {
    let ((within, came), (release, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let (within, gate) = (Mutex::new(within), Mutex::new(gate));
    let lanes = HostLanes::new(Arc::new(Host(move |call: Arc<TransportCall>| {
        within.lock().expect("a sender").send(()).expect("sent");
        let _ = gate.lock().expect("a gate").recv();
        drop(call);
    })));
    assert!(lanes.drain(Duration::ZERO), "none is under way");
    let cancel = CancelToken::default();
    let mut lane = lanes.lane();
    let word = cancel.clone();
    let worker = thread::spawn(move || {
        let outcome = lane.execute(&put(0, 60_000), &mut BytesBody::default(), &word);
        (lane, code(outcome))
    });
    came.recv_timeout(Duration::from_secs(30)).expect("called");
    cancel.cancel();
    let (mut lane, outcome) = worker.join().expect("ended");
    assert_eq!(outcome, ("cancelled", None), "the worker does not wait for the host");
    lanes.close();
    assert!(!lanes.drain(Duration::from_millis(20)), "the host is still in its call");
    let outcome = lane.execute(&put(0, 60_000), &mut BytesBody::default(), &CancelToken::default());
    assert_eq!(code(outcome), ("unreached", Some(Code::Closed)));
    assert!(came.try_recv().is_err(), "it was not called");
    release.send(()).expect("sent");
    assert!(lanes.drain(Duration::from_secs(30)));
}
