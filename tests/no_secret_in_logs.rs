//! A Rust program may install a logger that takes everything, and dependencies of ours write to it. No token, signature or path of a person's may be
//! in what they write. One test in a process of its own: a logger is for the whole of it.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Mutex;

use common::*;
use partway_sandbox::{Config as CloudConfig, How, Rule, Step};

/// Takes everything.
struct Everything(Mutex<Vec<(log::Level, String)>>);

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push((record.level(), format!("{} {}", record.target(), record.args())));
    }

    fn flush(&self) {}
}

static LOG: Everything = Everything(Mutex::new(vec![]));

/// What could be in it, in any of its spellings.
const CANARIES: &[&str] = &[
    "sandbox-token",
    "fresh-token",
    "access_token",
    "q-signature",
    "q-ak",
    "X-Amz-Signature",
    "Authorization: Bearer",
    "x-cos-security-token",
    "photo-of-anna",
    "smh-sandbox",
];

#[test]
fn no_level_of_any_log_shows_a_secret() {
    log::set_logger(&LOG).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    for tls in [true, false] {
        let world = World::with(CloudConfig { tls, ..CloudConfig::default() });
        let file = world.file("photo-of-anna.jpg", 2 * MIB);
        world.rule(Rule::new(Step::Part, How::Expire).once());
        world.rule(Rule::new(Step::Part, How::CutAnswer { after_bytes: 20 }).once());
        world.rule(Rule::new(Step::Confirm, How::Redirect { location: "/?access_token=sandbox-token".into() }).once());
        let client = world.open();
        let id = start(&client, world.request(&file, "photo-of-anna.jpg"));
        completed(&client, &id);
        client.close(5_000);

        world.tokens.set(Some("Bearer sandbox-token"));
        let client = world.open();
        let id = start(&client, world.koodrive_request(&file, "photo-of-anna.jpg"));
        // The account is the same, so the first credential is refused.
        completed(&client, &id);
        client.close(5_000);
    }
    let log = LOG.0.lock().unwrap();
    assert!(!log.is_empty(), "nothing was logged at all: the test sees nothing");
    let text: String = log.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
    // What is written as rows of bytes, put together again.
    let rows: String = log.iter().map(|(_, line)| &line[line.len().saturating_sub(16)..]).collect();
    for canary in CANARIES {
        assert!(!text.contains(canary) && !rows.contains(canary), "`{canary}` was logged");
    }
    assert!(log.iter().all(|(level, _)| *level < log::Level::Trace), "tracing is not compiled in");
}
