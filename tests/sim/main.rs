//! The product's engine, scheduler, service vocabulary and journal lines in a virtual world, where everything that can go wrong does.
//!
//! One seed makes one run. `cargo xtask sim --seed S` replays it, `cargo xtask sim --seeds N` runs many.
#![allow(clippy::print_stdout, missing_docs, unreachable_pub)]

mod cloud;
mod content;
mod credentials;
mod digest;
mod disk;
mod driver;
mod hand;
mod koodrive;
mod network;
mod options;
mod oracles;
mod outcomes;
mod process;
mod refusals;
mod regressions;
mod smh;
mod source;
mod words;
mod world;

use std::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use options::Options;
use world::World;

/// What every `cargo test` runs.
const SEEDS: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// One run; the oracles' words and the end of its story when it failed.
fn run(seed: u64) -> Result<u64, String> {
    run_with(seed, |_| {})
}

/// The same with options that a regression needs.
fn run_with(seed: u64, change: impl Fn(&mut Options)) -> Result<u64, String> {
    let once = |traced| {
        let mut world = World::with(seed, traced, &change);
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| world.run()));
        (result.unwrap_or_else(|_| Err("a panic".to_owned())), world)
    };
    let (result, world) = once(false);
    let Err(what) = result else { return Ok(world.digest) };
    let (_, world) = once(true);
    let story: Vec<String> = world.trace.into_iter().flatten().collect();
    Err(format!("seed {seed}\n{:#?}\n{}\n\nseed {seed}: {what}", world.options, story.join("\n")))
}

/// Many runs on every core, until all are done, the time is over or enough have failed.
fn campaign(from: u64, seeds: u64, limit: Option<Duration>) -> (u64, Vec<String>) {
    let failures_max = number("PARTWAY_SIM_FAILURES").map_or(20, |most| most as usize);
    let (next, done) = (AtomicU64::new(from), AtomicU64::new(0));
    let failures = std::sync::Mutex::new(vec![]);
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let failed = failures.lock().expect("failures").len();
                    if seed - from >= seeds
                        || failed >= failures_max
                        || limit.is_some_and(|most| began.elapsed() > most)
                    {
                        return;
                    }
                    if let Err(what) = run(seed) {
                        failures.lock().expect("failures").push(what);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    (done.into_inner(), failures.into_inner().expect("failures"))
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number("PARTWAY_SIM_SEED") {
        println!("seed {seed}\n{:#?}", World::new(seed, false).options);
        if let Err(what) = run(seed) {
            panic!("{what}");
        }
        return;
    }
    let (from, seeds) = (number("PARTWAY_SIM_FROM").unwrap_or(0), number("PARTWAY_SIM_SEEDS").unwrap_or(SEEDS));
    let began = Instant::now();
    let (done, failures) = campaign(from, seeds, number("PARTWAY_SIM_SECONDS").map(Duration::from_secs));
    let seconds = began.elapsed().as_secs_f64();
    println!("{done} seeds from {from} in {seconds:.1} s: {:.0} a second", done as f64 / seconds);
    if let Some(first) = failures.first() {
        let words: Vec<&str> = failures.iter().filter_map(|text| text.lines().last()).collect();
        panic!("{first}\n\n{} failed:\n{}", failures.len(), words.join("\n"));
    }
}

#[test]
fn a_seed_is_one_story() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}
