//! The cases of tests/transports.txt, which every transport in every language comes through: here the built-in one, and one of a host's.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;
#[path = "common/host.rs"]
mod host;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::*;
use host::{Host, Way};
use partway::{
    client::{Client, Source, TransportCall, digest},
    error::Category,
    model::ServiceName,
};
use partway_sandbox::{Config as CloudConfig, Rule, Step};

const LIST: &str = "tests/transports.txt";
/// Cases at once: they wait more than they work.
const AT_ONCE: usize = 4;

/// A line of the list.
struct Case {
    name: String,
    service: ServiceName,
    counts: Vec<(String, RangeInclusive<usize>)>,
    rules: String,
    tls: bool,
    /// Not for every transport.
    left_out: bool,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?} over {}", self.name, self.service, if self.tls { "https" } else { "http" })
    }
}

impl Case {
    fn of(line: &str, tls: bool) -> Case {
        let fields: Vec<&str> = line.split(" | ").collect();
        let ([name, service, counts, rules] | [name, service, counts, rules, _]) = fields[..] else {
            panic!("{line}");
        };
        let service = match service {
            "smh" => ServiceName::Smh,
            "koodrive" => ServiceName::KooDrive,
            other => panic!("{other} is no service"),
        };
        let bounds = |text: &str| {
            let (what, bounds) = text.split_once('=').expect(text);
            let (least, most) = bounds.split_once("..").unwrap_or((bounds, bounds));
            (what.to_owned(), least.parse().unwrap()..=most.parse().unwrap())
        };
        let counts = counts.split(' ').map(bounds).collect();
        let left_out = fields.len() > 4;
        Case { name: name.to_owned(), service, counts, rules: rules.to_owned(), tls, left_out }
    }

    fn rules(&self, data_url: &str) -> Vec<Rule> {
        let rules: Vec<serde_json::Value> = serde_json::from_str(&self.rules.replace("{data}", data_url)).unwrap();
        rules.into_iter().map(|rule| Rule::from_json(rule).unwrap()).collect()
    }

    fn size(&self) -> u64 {
        match self.service {
            ServiceName::Smh => 9 * MIB + 5,
            _ => 12 * MIB,
        }
    }
}

/// All of the list, over http and over https.
fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(LIST)).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    [false, true].iter().flat_map(|tls| lines.iter().map(|line| Case::of(line, *tls))).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Carrier {
    BuiltIn,
    Host,
}

/// Every call is carried as it is.
type Whole = fn(Arc<TransportCall>) -> Option<Arc<TransportCall>>;

fn secure(tls: bool) -> CloudConfig {
    CloudConfig { tls, ..CloudConfig::default() }
}

/// Over a host's transport nothing but that knows whom to trust.
fn open(world: &World, carrier: Carrier, ca_pem: Option<&str>) -> (Client, Option<Arc<Host<Whole>>>) {
    let mut config = world.config();
    config.tls.extra_ca_pem = ca_pem.filter(|_| carrier == Carrier::BuiltIn).map(str::to_owned);
    let host = (carrier == Carrier::Host).then(|| Arc::new(Host::new(ca_pem, Way::Pulls, Some as Whole)));
    if let Some(host) = &host {
        config.transport = Some(host.clone());
    }
    (Client::open(config).unwrap(), host)
}

/// Several at once; what is wrong with one does not hide the others.
fn run(carrier: Carrier) {
    let (cases, next) = (cases(), AtomicUsize::new(0));
    let failed: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut failed = vec![];
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| come_through(case, carrier)));
                if let Err(why) = outcome {
                    let text = why.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    failed.push(format!("{case:?}: {}", text.unwrap_or_default()));
                }
            }
            failed
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

fn come_through(case: &Case, carrier: Carrier) {
    let world = World { service: case.service, ..World::with(secure(case.tls)) };
    world.tokens.set(Some(&world.token("sandbox-token")));
    // One that was refused is not taken again.
    world.add_token("fresh-token");
    *world.tokens.then.lock().unwrap() = Some(world.token("fresh-token"));
    let file = world.file("photo.jpg", case.size());
    for rule in case.rules(&world.cloud.data_url()) {
        world.rule(rule);
    }
    let (client, host) = open(&world, carrier, world.cloud.ca_pem());
    completed(&client, &start(&client, world.request(&file, "photo.jpg")));
    let object = world.sole_object(&file);
    assert_eq!(object.path.last().map(String::as_str), Some("photo.jpg"));
    assert_eq!(digest(&Source::path(&file), None).unwrap().sha256, object.sha256);
    world.no_secret_on_disk();
    for rule in world.cloud.rules() {
        assert!(rule.seen > rule.after, "never met: {rule:?}\n{}", world.told());
    }
    assert_eq!(world.requests(Step::Any), 0, "a request went elsewhere\n{}", world.told());
    for (what, bounds) in &case.counts {
        let count = match what.as_str() {
            "credential" => world.tokens.asked() as usize,
            step => world.requests(serde_json::from_value(step.into()).unwrap()),
        };
        assert!(bounds.contains(&count), "{what}: {count}, not {bounds:?}\n{}", world.told());
    }
    if let Some(host) = host {
        assert!(host.calls.load(Ordering::SeqCst) > 0);
    }
}

#[test]
fn the_built_in_transport() {
    run(Carrier::BuiltIn);
}

#[test]
fn a_transport_of_the_hosts() {
    run(Carrier::Host);
}

#[test]
fn an_unknown_authority_is_refused() {
    let other = World::with(secure(true));
    for carrier in [Carrier::BuiltIn, Carrier::Host] {
        for ca_pem in [None, other.cloud.ca_pem()] {
            let world = World::with(secure(true));
            let (client, _host) = open(&world, carrier, ca_pem);
            let file = world.file("photo.jpg", MIB);
            let id = start(&client, world.request(&file, "photo.jpg"));
            let snapshot = until(&client, &id, |snapshot| error_of(snapshot).is_some());
            assert!(!snapshot.state.ended(), "{snapshot:?}");
            assert_eq!(error_of(&snapshot).unwrap().category(), Category::Network);
            assert!(world.cloud.log().is_empty() && world.cloud.objects().is_empty(), "{}", world.told());
        }
    }
}

/// A case may fail only so often, or it would have no end that can be told.
#[test]
fn the_list_is_in_order() {
    let cases = cases();
    let mut rules = BTreeMap::new();
    for case in &cases {
        for rule in case.rules("http://localhost") {
            assert!(rule.times.is_some(), "{case:?}: {rule:?} has no end");
            *rules.entry(format!("{:?}", rule.step)).or_insert(0) += 1;
        }
        for step in ["begin", "part", "confirm"] {
            assert!(case.counts.iter().any(|(what, _)| what == step), "{case:?} does not bound {step}");
        }
    }
    let names: BTreeSet<_> = cases.iter().map(|case| format!("{case:?}")).collect();
    assert_eq!(names.len(), cases.len(), "a case is there twice");
    assert!(rules.len() == 3 && cases.len() > 40, "{rules:?}");
    assert_eq!(cases.iter().filter(|case| case.left_out).count(), 2 * 4, "more is left out than was known");
}
