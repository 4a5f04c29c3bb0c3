//! Uploads whose requests a host carries: whatever it does with them, the promises hold.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/host.rs"]
mod host;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
    mpsc,
};

use common::*;
use host::{Host, Way};
use partway::{
    client::{Client, HttpResponse, State, TransportCall, TransportFault, WaitReason},
    error::Code,
    model::http::Method,
};
use partway_sandbox::{Config as CloudConfig, How, Rule, Step};

fn secure() -> World {
    World::with(CloudConfig { tls: true, ..CloudConfig::default() })
}

/// A client over a host that does this with each call; and the host.
fn open<F>(world: &World, way: Way, before: F) -> (Client, Arc<Host<F>>)
where
    F: Fn(Arc<TransportCall>) -> Option<Arc<TransportCall>> + Send + Sync + 'static,
{
    let host = Arc::new(Host::new(world.cloud.ca_pem(), way, before));
    let mut config = world.config();
    // Nothing but the host knows whom to trust.
    config.tls.extra_ca_pem = None;
    config.transport = Some(host.clone());
    (Client::open(config).unwrap(), host)
}

fn is_part(call: &TransportCall) -> bool {
    call.request().method == Method::Put && call.body_len() >= MIB
}

/// Deals with the first part in its own way, once.
fn once(
    deal: impl Fn(Arc<TransportCall>) -> Option<Arc<TransportCall>> + Send + Sync + 'static,
) -> impl Fn(Arc<TransportCall>) -> Option<Arc<TransportCall>> + Send + Sync + 'static {
    let parts = AtomicU32::new(0);
    move |call| match is_part(&call) && parts.fetch_add(1, Ordering::SeqCst) == 0 {
        true => deal(call),
        false => Some(call),
    }
}

#[test]
fn a_file_arrives_whole_whichever_way_the_host_goes() {
    each(&[Way::Pulls, Way::BeginsAgain, Way::ReadsTheFile], |way| {
        let world = secure();
        let (client, host) = open(&world, *way, Some);
        let photo = world.file("photo.jpg", 3 * MIB + 5);
        let id = start(&client, world.request(&photo, "Camera/photo.jpg"));
        assert_eq!(completed(&client, &id).size_bytes, 3 * MIB + 5);
        let progress = client.snapshot(&id).unwrap().progress;
        assert_eq!((progress.bytes_sent, progress.bytes_resent), (3 * MIB + 5, 0));
        world.sole_object(&photo);
        world.hold_promises(&photo);
        assert_eq!(host.calls.load(Ordering::SeqCst) as usize, world.cloud.log().len(), "each request is one call");

        world.tokens.set(Some("Bearer sandbox-token"));
        client.set_credential("me", partway::client::Credential::token("Bearer sandbox-token"));
        let video = world.file("video.mp4", 11 * MIB);
        let id = start(&client, world.koodrive_request(&video, "video.mp4"));
        completed(&client, &id);
        assert_eq!(world.cloud.objects().len(), 2);
        world.hold_promises_beside(&video, &[&photo]);
    });
}

/// What a host may do wrong with a part, once: the upload completes, and the part goes again.
#[test]
fn whatever_happens_to_a_part_it_goes_again() {
    type Deal = fn(Arc<TransportCall>) -> Option<Arc<TransportCall>>;
    let large = |call: Arc<TransportCall>| {
        while !call.read_body(u32::MAX).unwrap().is_empty() {}
        call.respond(HttpResponse { status: 200, headers: vec![], body: vec![b' '; (64 << 10) + 1] });
        None
    };
    let cases: &[(&str, Deal)] = &[
        ("it drops the call", |_| None),
        ("it drops the call with half of the body read", |call| {
            call.read_body(1).unwrap();
            None
        }),
        ("it panics", |_| std::panic::resume_unwind(Box::new("the host's own fault"))),
        ("it is cut in the body", |call| {
            call.read_body(500_000).unwrap();
            assert!(call.fail(TransportFault::Cut));
            assert!(!call.respond(HttpResponse { status: 200, ..HttpResponse::default() }), "after a fault");
            None
        }),
        ("it can't connect", |call| {
            assert!(call.fail(TransportFault::Connect));
            None
        }),
        ("it says that it could not connect, but had begun", |call| {
            call.read_body(9).unwrap();
            call.fail(TransportFault::Tls);
            None
        }),
        ("its answer is too large", large),
        ("its status is none", |call| {
            call.respond(HttpResponse::default());
            None
        }),
        ("success before the body was read", |call| {
            call.respond(HttpResponse { status: 200, ..HttpResponse::default() });
            None
        }),
        ("success with half of the body read", |call| {
            call.read_body(1_000).unwrap();
            call.respond(HttpResponse { status: 200, ..HttpResponse::default() });
            None
        }),
        ("an early refusal", |call| {
            call.read_body(1).unwrap();
            call.respond(HttpResponse { status: 403, ..HttpResponse::default() });
            None
        }),
    ];
    each(&cases.iter().map(|(name, deal)| Named(name, *deal)).collect::<Vec<_>>(), |Named(_, deal)| {
        let world = secure();
        let (client, host) = open(&world, Way::Pulls, once(*deal));
        let file = world.file("photo.jpg", 2 * MIB);
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        let calls = host.calls.load(Ordering::SeqCst) as usize;
        let reached = world.cloud.log().len();
        assert!(calls > reached && calls <= reached + 1, "{calls} calls, {reached} of them carried");
        assert_eq!(world.parts_sent().len(), 2, "each part reached the service once");
    });
}

struct Named<T>(&'static str, T);

impl<T> std::fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[test]
fn an_answer_given_twice_is_taken_once() {
    let world = secure();
    let late = Arc::new(Mutex::new(vec![]));
    let kept = late.clone();
    let (client, _) = open(&world, Way::Pulls, move |call| {
        kept.lock().unwrap().push(call.clone());
        Some(call)
    });
    let file = world.file("photo.jpg", 2 * MIB);
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    for call in late.lock().unwrap().drain(..) {
        assert!(!call.respond(HttpResponse { status: 500, ..HttpResponse::default() }));
        assert!(!call.fail(TransportFault::Cut) && !call.is_cancelled());
        assert_eq!(call.read_body(1).unwrap_err().code, Code::Cancelled, "its body is gone");
    }
    assert!(matches!(client.snapshot(&id).unwrap().state, State::Completed { .. }));
    world.sole_object(&file);
}

/// Keeps a part until it is told that nobody wants it any more.
fn held() -> (impl Fn(Arc<TransportCall>) -> Option<Arc<TransportCall>> + Send + Sync + 'static, mpsc::Receiver<bool>) {
    let (told, hears) = mpsc::channel();
    let told = Mutex::new(told);
    let deal = once(move |call: Arc<TransportCall>| {
        let (over, wait) = mpsc::channel();
        call.on_cancel(move || over.send(()).unwrap());
        told.lock().unwrap().send(false).unwrap();
        wait.recv().unwrap();
        told.lock().unwrap().send(call.is_cancelled()).unwrap();
        None
    });
    (deal, hears)
}

#[test]
fn a_pause_reaches_the_host_and_a_resume_goes_on() {
    let world = secure();
    let (deal, hears) = held();
    let (client, _) = open(&world, Way::Pulls, deal);
    let file = world.file("photo.jpg", 4 * MIB);
    let id = start(&client, world.request(&file, "photo.jpg"));
    assert!(!hears.recv().unwrap());
    client.pause(&one(&id));
    assert!(hears.recv().unwrap(), "the host was told");
    until(&client, &id, |snapshot| matches!(snapshot.state, State::Paused));
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
}

#[test]
fn a_cancel_reaches_the_host_and_nothing_stays_at_the_service() {
    let world = secure();
    let (deal, hears) = held();
    let (client, _) = open(&world, Way::Pulls, deal);
    let file = world.file("photo.jpg", 4 * MIB);
    let id = start(&client, world.request(&file, "photo.jpg"));
    assert!(!hears.recv().unwrap());
    client.cancel(&one(&id));
    assert!(hears.recv().unwrap(), "the host was told");
    assert!(matches!(ended(&client, &id).state, State::Cancelled { .. }));
    assert_eq!((world.cloud.objects().len(), world.open_tasks()), (0, 0));
}

#[test]
fn refusals_of_the_service_come_through() {
    let world = secure();
    let (client, _) = open(&world, Way::Pulls, Some);
    let file = world.file("photo.jpg", 2 * MIB);
    world.rule(Rule::new(Step::Begin, How::RefuseToken).once());
    world.rule(Rule::new(Step::Part, How::Expire).once());
    world.tokens.set(None);
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential));
    client.set_credential("me", partway::client::Credential::token("sandbox-token"));
    // The first one is refused, and the host of credentials has none: so it is given once more.
    world.wait_requests(Step::Begin, 1);
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential));
    world.cloud.add_token("fresh-token");
    client.set_credential("me", partway::client::Credential::token("fresh-token"));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

/// With a byte rate the host is not given the file: it would not be held back.
#[test]
fn a_rate_holds_the_host_back_too() {
    let world = secure();
    let (client, _) = open(&world, Way::ReadsTheFile, |call| {
        assert!(call.body_len() < MIB || call.body_range().is_none());
        Some(call)
    });
    client.set_limits(partway::client::Limits { rate_bytes_per_s: 2 * MIB, ..Default::default() });
    let file = world.file("photo.jpg", 2 * MIB);
    let began = std::time::Instant::now();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    assert!(began.elapsed().as_millis() > 800, "{:?}", began.elapsed());
    world.sole_object(&file);
}
