//! Applications whose secret the host keeps: each request of the control plane is signed by it, now or later, and never holds up anything else.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use partway::{
    client::{
        Client, Config, Credential, CredentialAsk, CredentialProvider, Remote, SignAsk, Signer, State, UploadRequest,
        WaitReason,
    },
    error::Code,
    model::{InstantMode, ServiceName, Target},
};
use partway_sandbox::{How, Rule, Step};
use sha2::{Digest, Sha256};

use crate::{common::*, world};

const USER: &str = "1505084218764547200";
const PARTS: u64 = 3;

fn hmac(key: &[u8], message: &str) -> String {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an honest host answers.
fn signature(ask: &SignAsk) -> String {
    hmac(b"sandbox-app-secret", ask.string_to_sign())
}

/// An application that keeps its secret; its asks are signed on another thread, kept, refused or signed wrongly.
#[derive(Default)]
struct Host {
    keeps: AtomicBool,
    refuses: AtomicBool,
    wrong: AtomicBool,
    asked: AtomicU32,
    kept: Mutex<Vec<SignAsk>>,
    canonical: Mutex<Vec<String>>,
}

impl Signer for Host {
    fn sign(&self, ask: SignAsk) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!((ask.account(), ask.service(), ask.app_id()), ("me", ServiceName::KooDrive, "sandbox-app"));
        self.canonical.lock().unwrap().push(ask.canonical_request().to_owned());
        if self.refuses.load(Ordering::SeqCst) {
            ask.refuse();
        } else if self.wrong.load(Ordering::SeqCst) {
            ask.supply("0".repeat(64));
        } else if self.keeps.load(Ordering::SeqCst) {
            self.kept.lock().unwrap().push(ask);
        } else {
            std::thread::spawn(move || {
                let signature = signature(&ask);
                ask.supply(signature);
            });
        }
    }
}

impl CredentialProvider for Host {
    fn provide(&self, ask: CredentialAsk) {
        match ask.account() {
            "me" => ask.supply(credential()),
            _ => ask.supply(Credential::token("Bearer sandbox-token")),
        }
    }
}

fn credential() -> Credential {
    Credential::AppSigner { app_id: "sandbox-app".into(), user_id: USER.into() }
}

impl Host {
    fn config(world: &World) -> (Arc<Host>, Config) {
        let host = Arc::new(Host::default());
        let mut config = world.config();
        config.credentials = host.clone();
        config.signer = Some(host.clone());
        (host, config)
    }

    fn open(world: &World) -> (Arc<Host>, Client) {
        let (host, config) = Host::config(world);
        (host, Client::open(config).unwrap())
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    fn answer(&self, world: &World) {
        world.becomes("asked", || !self.kept.lock().unwrap().is_empty());
        let ask = self.kept.lock().unwrap().remove(0);
        let signature = signature(&ask);
        ask.supply(signature);
    }
}

fn upload(world: &World) -> (std::path::PathBuf, UploadRequest) {
    let file = world.file("photo.jpg", PARTS * world.part() + 7);
    let request = world.request(&file, "photo.jpg");
    (file, request)
}

fn waits_for_a_credential(client: &Client, id: &str) -> String {
    let wanted = |snapshot: &_| waiting_for(snapshot) == Some(WaitReason::Credential) && needs_host(snapshot);
    let error = error_of(&until(client, id, wanted)).unwrap();
    assert_eq!(error.code, Code::CredentialRefused);
    error.detail
}

#[test]
fn a_host_signs_on_another_thread() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    let id = start(&client, request);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
    let controls = [Step::Begin, Step::Renew, Step::Confirm].map(|step| world.requests(step)).iter().sum::<usize>();
    assert_eq!(host.asked() as usize, controls, "one signature for each request, none for a part");
    for canonical in host.canonical.lock().unwrap().iter() {
        assert!(canonical.starts_with("POST\n/koodrive/ose/v1/files/"), "{canonical}");
        assert!(canonical.contains(&format!("\nx-user-id:{USER}\n\nhost;x-date;x-user-id\n")), "{canonical}");
    }
}

#[test]
fn the_proof_of_an_instant_upload_is_the_users() {
    let world = world();
    world.cloud.set_switches(|switches| switches.koodrive.proof_strict = true);
    let (_, request) = upload(&world);
    let (_, client) = Host::open(&world);
    let id = start(&client, request.clone());
    completed(&client, &id);
    let mut again = UploadRequest { key: "again".into(), instant: InstantMode::Always, ..request };
    if let Target::KooDrive(target) = &mut again.target {
        target.name = "again.jpg".into();
    }
    let id = start(&client, again);
    assert!(completed(&client, &id).instant);
}

#[test]
fn a_signer_that_takes_its_time_holds_up_nobody_else() {
    let world = world();
    let (_, request) = upload(&world);
    let other = world.file("other.jpg", world.part());
    let (host, mut config) = Host::config(&world);
    host.keeps.store(true, Ordering::SeqCst);
    // One part, one control request beside it: a request that waits for its signature must not take their places.
    config.limits.parallel_parts = 1;
    config.limits.parallel_uploads = 4;
    let client = Client::open(config).unwrap();
    let slow: Vec<String> = (0..3)
        .map(|n| {
            let mut request = UploadRequest { key: format!("{n}"), ..request.clone() };
            if let Target::KooDrive(target) = &mut request.target {
                target.name = format!("{n}.jpg");
            }
            start(&client, request)
        })
        .collect();
    world.becomes("three are asked for", || host.kept.lock().unwrap().len() == 3);
    let mut quick = world.request(&other, "other.jpg");
    if let Target::KooDrive(target) = &mut quick.target {
        target.account = "other".into();
    }
    let quick = start(&client, quick);
    completed(&client, &quick);
    assert!(slow.iter().all(|id| !client.snapshot(id).unwrap().state.ended()));
    host.keeps.store(false, Ordering::SeqCst);
    (0..3).for_each(|_| host.answer(&world));
    slow.iter().for_each(|id| drop(completed(&client, id)));
    assert_eq!(world.cloud.objects().len(), 4);
}

#[test]
fn a_wrong_signature_waits_and_a_right_one_goes_on() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    host.wrong.store(true, Ordering::SeqCst);
    let id = start(&client, request);
    waits_for_a_credential(&client, &id);
    assert_eq!(world.requests(Step::Begin), 1, "the clock is right: there is nothing to sign again");
    host.wrong.store(false, Ordering::SeqCst);
    client.set_credential("me", credential());
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

#[test]
fn what_can_be_no_signature_is_never_sent() {
    struct Odd(&'static str);
    impl Signer for Odd {
        fn sign(&self, ask: SignAsk) {
            ask.supply(self.0);
        }
    }
    each(&["", "a b", "a\r\nX-Evil: 1", "ä", "a,b"], |odd| {
        let world = world();
        let (_, request) = upload(&world);
        let (_, mut config) = Host::config(&world);
        config.signer = Some(Arc::new(Odd(odd)));
        let client = Client::open(config).unwrap();
        let id = start(&client, request);
        waits_for_a_credential(&client, &id);
        assert!(world.cloud.log().is_empty());
    });
}

#[test]
fn a_wrong_phone_clock_costs_one_signature_more() {
    const HOUR_MS: i64 = 3_600_000;
    const DECADE_MS: i64 = 87_600 * HOUR_MS;
    each(&[-DECADE_MS, -HOUR_MS, HOUR_MS, DECADE_MS], |offset_ms| {
        let world = world();
        world.set_clock_offset_ms(*offset_ms);
        let (file, request) = upload(&world);
        let (host, client) = Host::open(&world);
        let id = start(&client, request);
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises(&file);
        assert_eq!(world.requests(Step::Begin), 2, "{}", world.told());
        let controls = [Step::Begin, Step::Renew, Step::Confirm].map(|step| world.requests(step)).iter().sum::<usize>();
        assert_eq!(host.asked() as usize, controls);
        assert_eq!(world.parts_sent().len(), 4, "{}", world.told());
    });
}

#[test]
fn a_wrong_signature_under_a_wrong_clock_is_signed_once_more_and_then_waits() {
    let world = world();
    world.set_clock_offset_ms(3_600_000);
    let (_, request) = upload(&world);
    let (host, client) = Host::open(&world);
    host.wrong.store(true, Ordering::SeqCst);
    let id = start(&client, request);
    waits_for_a_credential(&client, &id);
    assert_eq!((world.requests(Step::Begin), host.asked()), (2, 2), "{}", world.told());
}

#[test]
fn a_host_that_refuses_or_is_none_waits_by_name() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    host.refuses.store(true, Ordering::SeqCst);
    let id = start(&client, request);
    assert!(waits_for_a_credential(&client, &id).contains("did not sign"));
    assert_eq!((host.asked(), world.cloud.log().len()), (1, 0), "asked once, sent nothing");
    client.close(5_000);
    let (_, mut config) = Host::config(&world);
    config.signer = None;
    let client = Client::open(config).unwrap();
    assert!(waits_for_a_credential(&client, &id).contains("without a signer"));
    client.close(5_000);
    let (_, client) = Host::open(&world);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

#[test]
fn what_is_asked_for_can_be_stopped() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    host.keeps.store(true, Ordering::SeqCst);
    let id = start(&client, request.clone());
    world.becomes("asked", || host.asked() == 1);
    client.pause(&one(&id));
    until(&client, &id, |snapshot| snapshot.state == State::Paused);
    // An answer to what is not wanted any more does nothing.
    host.answer(&world);
    client.wait_idle(Some(5_000));
    assert!(world.cloud.log().is_empty());
    client.resume(&one(&id));
    world.becomes("asked again", || host.asked() == 2);
    client.cancel(&one(&id));
    assert_eq!(ended(&client, &id).state, State::Cancelled { remote: Remote::NothingThere });
    assert!(world.cloud.log().is_empty());
    let id = start(&client, UploadRequest { key: "again".into(), ..request });
    world.becomes("asked for another", || host.asked() == 3);
    assert!(client.close(5_000), "an ask that nobody answers keeps nothing open");
    let (_, client) = Host::open(&world);
    completed(&client, &id);
    world.sole_object(&file);
}

#[test]
fn a_complete_that_is_not_signed_did_not_leave() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    let stall = world.rule(Rule::new(Step::Part, How::StallAnswer).part(4));
    let id = start(&client, request);
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 3);
    world.becomes("stored", || world.cloud.uploads()[0].parts.len() == 4);
    host.refuses.store(true, Ordering::SeqCst);
    world.cloud.remove_rule(stall);
    client.set_network(partway::client::Network::online(1));
    waits_for_a_credential(&client, &id);
    assert_eq!(world.requests(Step::Confirm), 0);
    host.refuses.store(false, Ordering::SeqCst);
    client.resume(&one(&id));
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 1);
}

#[test]
#[ignore = "waits a minute for a host that never answers"]
fn a_host_that_never_answers_is_waited_for_and_a_late_answer_goes_on() {
    let world = world();
    let (file, request) = upload(&world);
    let (host, client) = Host::open(&world);
    host.keeps.store(true, Ordering::SeqCst);
    let id = start(&client, request);
    let snapshot = until_long(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Credential));
    assert!(error_of(&snapshot).unwrap().detail.contains("in time"));
    assert!(world.cloud.log().is_empty() && host.asked() == 1);
    client.wait_idle(Some(5_000));
    host.keeps.store(false, Ordering::SeqCst);
    // What it signs now is dated too long ago to be sent; that it signs is what counts.
    host.answer(&world);
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}
