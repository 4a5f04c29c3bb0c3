//! Kills from outside, at any moment.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::{
    cases::Case,
    check,
    points::{Tally, go_on},
    run::Ran,
    world::World,
};

/// Kills so many runs, in turn of every case, each at a moment of its usual length.
pub(crate) fn kill(cases: &[Case], kills: usize) {
    let mut random = fastrand::Rng::new();
    let begun = Instant::now();
    let (mut killed, mut failed, mut tally) = (0, vec![], Tally::default());
    for (n, case) in cases.iter().enumerate() {
        let mut world = World::new(case);
        world.begin();
        let usual = Instant::now();
        let whole = world.run(world.command(), None);
        let usual = usual.elapsed();
        assert_eq!(check::ended(&world, &whole), Ok(()), "{} without a kill", case.name);
        // The first cases take what does not divide.
        let share = kills / cases.len() + usize::from(n < kills % cases.len());
        for _ in 0..share {
            world.begin();
            let began = world.seq();
            let after = usual.mul_f64(random.f64());
            let ran = killed_after(&world, after);
            tally.runs += 1;
            let judged = if ran.killed() {
                killed += 1;
                go_on(&world, began, ran, None, &mut tally)
            } else {
                check::ended(&world, &ran)
            };
            failed.extend(judged.err().map(|why| format!("{} after {after:?}: {why}", case.name)));
        }
    }
    let took = begun.elapsed().as_secs_f64();
    eprintln!("kills: from outside: {killed} of {kills} runs killed, {took:.1} s, {} failed", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(killed > 0, "every run ended before its kill");
}

/// The command, killed when that time is over.
fn killed_after(world: &World<'_>, after: Duration) -> Ran {
    let log = world.path("points");
    drop(fs::remove_file(&log));
    let mut command = world.command();
    command.env("PARTWAY_KILL_LOG", &log).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command");
    // This is the one place where a moment is what is wanted, and not something that happens.
    std::thread::sleep(after);
    child.kill().expect("a kill");
    Ran::of(child.wait_with_output().expect("an end"), &log)
}
