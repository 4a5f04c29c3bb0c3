//! What the host says is heard at once, in every phase, and leads to exactly one ending.
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use crate::common::*;
use partway::{
    client::{Change, Client, Config, Listener, Network, Remote, Select, Snapshot, State, WaitReason},
    model::{
        ServiceName,
        http::{Answer, Request, TransportFault},
    },
    transport::{CancelToken, Lane, Lanes, RequestBody, TransportConfig, UreqTransport},
};
use partway_sandbox::{How, Rule, Step};

const PARTS: u64 = 5;

for_each_service!(
    a_pause_shows_at_once_in_every_phase_and_a_resume_completes,
    a_cancel_shows_at_once_in_every_phase_and_leaves_nothing_open,
    a_cancel_while_the_confirm_is_stalled_settles,
    offline_spends_nothing_and_online_goes_on_at_once,
    a_hold_lets_go_of_everything_and_another_client_may_go_on,
    go_goes_on_after_hold_and_none_is_missed,
    a_network_that_comes_back_at_once_is_not_missed,
    a_resume_right_after_a_pause_is_not_missed,
    a_closed_client_leaves_what_the_next_one_continues,
    a_pause_outlives_the_process,
    an_ending_is_kept_until_it_is_forgotten,
    commands_to_an_ended_upload_change_nothing,
);

/// A command shows within 200 ms. Beside that there are two threads of the test's own, a debug build and a machine with two cores that runs other
/// tests and builds. What does not show at once shows after a timeout, and the least of those is five seconds.
const TOLD_MS_MAX: u128 = 1_000;

/// Keeps every state that was told.
#[derive(Default)]
struct Told(Mutex<Vec<Snapshot>>);

impl Listener for Told {
    fn on_changes(&self, changes: &[Snapshot]) {
        self.0.lock().unwrap().extend(changes.iter().cloned());
    }
}

impl Told {
    fn endings(&self) -> Vec<State> {
        let told = self.0.lock().unwrap();
        let mut states: Vec<State> = told.iter().map(|snapshot| snapshot.state.clone()).collect();
        states.dedup();
        states.into_iter().filter(State::ended).collect()
    }
}

/// The built-in transport, and how many requests it was given.
struct Counted(UreqTransport, Arc<AtomicU32>);

impl Counted {
    fn over(config: &Config, count: Arc<AtomicU32>) -> Counted {
        let extra_ca_pem = config.tls.extra_ca_pem.clone();
        Counted(UreqTransport::new(TransportConfig { extra_ca_pem, ..TransportConfig::default() }).unwrap(), count)
    }
}

impl Lanes for Counted {
    fn lane(&self) -> Box<dyn Lane> {
        Box::new(CountedLane(self.0.lane(), self.1.clone()))
    }
}

struct CountedLane(Box<dyn Lane>, Arc<AtomicU32>);

impl Lane for CountedLane {
    fn execute(
        &mut self,
        request: &Request,
        body: &mut dyn RequestBody,
        cancel: &CancelToken,
    ) -> Result<Answer, TransportFault> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.execute(request, body, cancel)
    }
}

/// Where an upload can be caught: the rule that holds it there, and the step that shows that it is there.
#[derive(Debug)]
struct Phase {
    step: Step,
    how: How,
    after: u64,
}

fn phases(service: ServiceName) -> Vec<Phase> {
    let stall = || How::Stall { after_bytes: 0 };
    let phase = |step, how, after| Phase { step, how, after };
    let mut phases = vec![
        phase(Step::Begin, How::StallAnswer, 0),
        phase(Step::Part, stall(), 0),
        phase(Step::Part, stall(), 2),
        phase(Step::Part, How::StallAnswer, 1),
        phase(Step::Part, How::SlowRead { bytes_per_s: 10_000 }, 1),
        phase(Step::Part, How::Trickle { bytes_per_s: 5 }, 1),
        phase(Step::Renew, How::StallAnswer, 0),
        phase(Step::Confirm, How::StallAnswer, 0),
        phase(Step::Confirm, How::Trickle { bytes_per_s: 5 }, 0),
    ];
    if service == ServiceName::Smh {
        phases.push(phase(Step::Mkdir, How::StallAnswer, 0));
    }
    phases
}

/// An upload that is caught there.
struct Caught {
    world: World,
    client: Client,
    file: PathBuf,
    id: String,
    rule: u64,
    told: Arc<Told>,
}

impl Caught {
    fn at(service: ServiceName, phase: &Phase) -> Caught {
        let world = World::of(service);
        let file = world.file("photo.jpg", PARTS * world.part());
        if phase.step == Step::Renew {
            world.rule(Rule::new(Step::Part, How::Expire).once());
        }
        let rule = world.rule(Rule::new(phase.step, phase.how.clone()).after(phase.after));
        let told = Arc::new(Told::default());
        let mut config = world.config();
        config.listener = Some(told.clone());
        let client = Client::open(config).unwrap();
        let id = start(&client, world.request(&file, "Camera/photo.jpg"));
        world.wait("caught", |log| log.iter().any(|entry| entry.rule == Some(rule)));
        if phase.step == Step::Confirm {
            world.becomes("made", || world.cloud.objects().len() == 1);
        }
        Caught { world, client, file, id, rule, told }
    }

    /// Says something and measures how long it takes to show.
    fn shows(&self, say: impl FnOnce(&Client) -> u32, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let since = Instant::now();
        assert_eq!(say(&self.client), 1);
        let snapshot = until(&self.client, &self.id, wanted);
        let took_ms = since.elapsed().as_millis();
        assert!(took_ms <= TOLD_MS_MAX, "shown after {took_ms} ms: {:?}\n{}", snapshot.state, self.world.told());
        snapshot
    }

    fn completes(&self) {
        completed(&self.client, &self.id);
        self.world.sole_object(&self.file);
        self.world.hold_promises_after(&self.file, 1);
        self.world.becomes("told", || !self.told.endings().is_empty());
        assert_eq!(self.told.endings().len(), 1, "exactly one ending is told");
    }
}

fn a_pause_shows_at_once_in_every_phase_and_a_resume_completes(service: ServiceName) {
    each(&phases(service), |phase| {
        let caught = Caught::at(service, phase);
        caught.shows(|client| client.pause(&one(&caught.id)), |snapshot| snapshot.state == State::Paused);
        caught.client.wait_idle(Some(5_000));
        let idle = caught.client.idle();
        assert_eq!((idle.active, idle.queued), (0, 0), "nothing works while it is paused");
        caught.world.cloud.remove_rule(caught.rule);
        caught.client.resume(&one(&caught.id));
        caught.completes();
    });
}

fn a_cancel_shows_at_once_in_every_phase_and_leaves_nothing_open(service: ServiceName) {
    let cases = phases(service).into_iter().filter(|phase| phase.step != Step::Confirm).collect::<Vec<_>>();
    each(&cases, |phase| {
        let caught = Caught::at(service, phase);
        caught.shows(|client| client.cancel(&one(&caught.id)), |snapshot| snapshot.state.ended());
        // A begin whose answer never came named no session that could be aborted: that is what the ending says.
        let settled =
            [Remote::Aborted, Remote::NothingThere, Remote::CannotAbort].map(|remote| State::Cancelled { remote });
        let last = until(&caught.client, &caught.id, |snapshot| settled.contains(&snapshot.state));
        // KooDrive has no way to abort at all, and says so.
        let stays = phase.step == Step::Begin || service == ServiceName::KooDrive;
        let open = usize::from(stays);
        caught.world.becomes("closed", || caught.world.open_tasks() <= open);
        assert!(stays || phase.step == Step::Mkdir || last.state == settled[0], "{last:?}");
        assert!(stays || last.state != settled[2], "{last:?}");
        assert!(service == ServiceName::Smh || last.state == settled[2], "{last:?}");
        assert!(caught.world.cloud.objects().is_empty());
        caught.world.hold_promises_after(&caught.file, 1);
    });
}

fn a_cancel_while_the_confirm_is_stalled_settles(service: ServiceName) {
    let caught = Caught::at(service, &Phase { step: Step::Confirm, how: How::StallAnswer, after: 0 });
    caught.client.cancel(&one(&caught.id));
    // The object exists: that is what it is told to be.
    caught.completes();
    assert_eq!(caught.world.requests(Step::Confirm), 1);
}

#[test]
fn a_cancel_offline_is_pending_and_done_at_the_next_open() {
    let world = World::new();
    let file = world.file("photo.jpg", PARTS * world.part());
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let id = {
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
        client.set_network(Network::offline(1));
        until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Network));
        client.cancel(&one(&id));
        let snapshot = ended(&client, &id);
        assert_eq!(snapshot.state, State::Cancelled { remote: Remote::AbortPending });
        assert!(client.close(5_000));
        id
    };
    assert_eq!((world.open_tasks(), world.requests(Step::Cancel)), (1, 0));
    world.cloud.remove_rule(stall);
    let client = world.open();
    until(&client, &id, |snapshot| snapshot.state == State::Cancelled { remote: Remote::Aborted });
    assert_eq!((world.open_tasks(), world.requests(Step::Cancel)), (0, 1));
    world.hold_promises(&file);
}

fn offline_spends_nothing_and_online_goes_on_at_once(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let stall = world.rule(Rule::new(Step::Part, How::Stall { after_bytes: 0 }).after(2));
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    until(&client, &id, |snapshot| snapshot.progress.parts_done == 2);
    client.set_network(Network::offline(1));
    until(&client, &id, |snapshot| waiting_for(snapshot) == Some(WaitReason::Network));
    client.wait_idle(Some(5_000));
    world.cloud.remove_rule(stall);
    let (before, retries) = (world.cloud.log().len(), client.snapshot(&id).unwrap().progress.retries);
    for _ in 0..5 {
        client.resume(&one(&id));
    }
    client.wait_idle(Some(5_000));
    assert_eq!(world.cloud.log().len(), before, "nothing is sent offline");
    assert_eq!(retries, 0, "being offline is no failure");
    let since = Instant::now();
    client.set_network(Network::online(2));
    world.wait("on again", |log| log.len() > before);
    assert!(since.elapsed().as_millis() < 1_000, "{:?}", since.elapsed());
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises(&file);
}

fn a_hold_lets_go_of_everything_and_another_client_may_go_on(service: ServiceName) {
    each(&phases(service), |phase| {
        let caught = Caught::at(service, phase);
        let since = Instant::now();
        caught.client.hold(5_000);
        assert!(since.elapsed().as_millis() < 1_000, "held after {:?}", since.elapsed());
        // A cloud that reads slowly notices late that nobody writes any more.
        if !matches!(phase.how, How::SlowRead { .. }) {
            let ended = || caught.world.cloud.log().iter().all(|entry| entry.ended_ms.is_some());
            caught.world.becomes("no request is under way", ended);
        }
        caught.world.cloud.remove_rule(caught.rule);
        // As another process would.
        let second = Client::open(partway::client::Config { apart: true, ..caught.world.config() }).unwrap();
        completed(&second, &caught.id);
        caught.world.sole_object(&caught.file);
        caught.world.hold_promises_after(&caught.file, 1);
    });
}

fn go_goes_on_after_hold_and_none_is_missed(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 8 * world.part());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    // Held and let go before the journal is closed, after it, and in between.
    for n in 0..20 {
        client.hold(n % 4);
        client.go();
    }
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 20);
}

fn a_network_that_comes_back_at_once_is_not_missed(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 8 * world.part());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    for generation in 1..20 {
        client.set_network(Network::offline(generation));
        client.wait_idle(Some(generation % 4));
        client.set_network(Network::online(generation));
    }
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 20);
}

fn a_resume_right_after_a_pause_is_not_missed(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", 8 * world.part());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    for n in 0..20 {
        client.pause(&one(&id));
        client.wait_idle(Some(n % 4));
        client.resume(&one(&id));
    }
    completed(&client, &id);
    world.sole_object(&file);
    world.hold_promises_after(&file, 20);
}

fn a_closed_client_leaves_what_the_next_one_continues(service: ServiceName) {
    each(&phases(service), |phase| {
        let Caught { world, client, file, id, rule, told } = Caught::at(service, phase);
        let since = Instant::now();
        assert!(client.close(5_000), "{}", world.told());
        assert!(since.elapsed().as_millis() < 1_000, "closed after {:?}", since.elapsed());
        drop(client);
        assert!(told.endings().is_empty());
        world.cloud.remove_rule(rule);
        let client = world.open();
        completed(&client, &id);
        world.sole_object(&file);
        world.hold_promises_after(&file, 1);
    });
}

fn a_pause_outlives_the_process(service: ServiceName) {
    let caught = Caught::at(service, &Phase { step: Step::Part, how: How::Stall { after_bytes: 0 }, after: 2 });
    caught.client.pause(&one(&caught.id));
    until(&caught.client, &caught.id, |snapshot| snapshot.state == State::Paused);
    assert!(caught.client.close(5_000));
    caught.world.cloud.remove_rule(caught.rule);
    // Counted where requests leave: what the cloud still hears of the first process is none of the second one's.
    let (mut config, left) = (caught.world.config(), Arc::new(AtomicU32::new(0)));
    config.lanes = Some(Arc::new(Counted::over(&config, left.clone())));
    let client = Client::open(config).unwrap();
    assert_eq!(client.snapshot(&caught.id).unwrap().state, State::Paused);
    assert_eq!(client.wait_idle(Some(PATIENCE_MS)).active, 0);
    assert_eq!((client.snapshot(&caught.id).unwrap().state, left.load(Ordering::SeqCst)), (State::Paused, 0));
    client.resume(&one(&caught.id));
    completed(&client, &caught.id);
    assert!(left.load(Ordering::SeqCst) > 0, "what is counted is what is sent");
    caught.world.hold_promises_after(&caught.file, 1);
}

fn an_ending_is_kept_until_it_is_forgotten(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let id = {
        let client = world.open();
        let id = start(&client, world.request(&file, "photo.jpg"));
        completed(&client, &id);
        assert!(client.close(5_000));
        id
    };
    let requests = world.cloud.log().len();
    let client = world.open();
    completed(&client, &id);
    let again = client.start(world.request(&file, "photo.jpg")).unwrap();
    assert_eq!((again.id.as_str(), again.how), (id.as_str(), partway::client::How::AlreadyThere));
    assert_eq!(client.forget(&Select::All), 1);
    assert!(client.snapshot(&id).is_none() && client.list(&Select::All).is_empty());
    assert!(client.close(5_000));
    let client = world.open();
    assert!(client.list(&Select::All).is_empty(), "gone for good");
    assert_eq!(world.cloud.log().len(), requests, "no request for any of it");
    world.hold_promises(&file);
}

fn commands_to_an_ended_upload_change_nothing(service: ServiceName) {
    let world = World::of(service);
    let file = world.file("photo.jpg", PARTS * world.part());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    let requests = world.cloud.log().len();
    assert_eq!(client.pause(&one(&id)) + client.cancel(&one(&id)) + client.resume(&one(&id)), 0);
    client.change(&one(&id), &Change { parallel_parts: Some(1), ..Change::default() }).unwrap();
    client.wait_idle(Some(5_000));
    completed(&client, &id);
    assert_eq!(world.cloud.log().len(), requests);
}

#[test]
fn an_address_that_does_not_answer_blocks_no_command() {
    // A listener whose queue is full takes no connection and refuses none.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let world = World::new();
    let file = world.file("photo.jpg", MIB);
    for n in 0..3 {
        let client = world.open();
        let mut target = world.target("photo.jpg");
        target.endpoint = format!("http://{address}");
        let mut request = world.request(&file, "photo.jpg");
        request.key = format!("key {n}");
        request.target = partway::model::Target::Smh(target);
        let id = start(&client, request);
        until(&client, &id, |snapshot| matches!(snapshot.state, State::Active { .. }));
        let since = Instant::now();
        match n {
            0 => assert_eq!(client.pause(&one(&id)), 1),
            1 => assert_eq!(client.cancel(&one(&id)), 1),
            _ => assert!(client.close(5_000)),
        }
        let rests = |snapshot: &Snapshot| {
            snapshot.state == State::Paused || snapshot.state.ended() || waiting_for(snapshot) == Some(WaitReason::Held)
        };
        until(&client, &id, rests);
        assert!(since.elapsed().as_millis() <= TOLD_MS_MAX, "{n}: {:?}", since.elapsed());
        client.cancel(&one(&id));
        client.close(1_000);
    }
}

#[test]
fn threads_end_when_there_is_nothing_to_do() {
    let world = World::new();
    let file = world.file("photo.jpg", PARTS * world.part());
    let client = world.open();
    let id = start(&client, world.request(&file, "photo.jpg"));
    completed(&client, &id);
    assert!(client.threads() > 0);
    let since = Instant::now();
    world.becomes("no thread", || client.threads() == 0);
    assert!(since.elapsed().as_secs() <= 5, "{:?}", since.elapsed());
    let mut request = world.request(&file, "photo.jpg");
    request.key = "again".into();
    let id = start(&client, request);
    completed(&client, &id);
}
