//! Every point of a case, one after the other.

use std::time::Instant;

use crate::{
    cases::{Case, Verb},
    check::{self, Killed},
    run::Ran,
    world::World,
};

/// A run may end before a point that others reach, because threads take turns: it is tried so often.
const TRIES: u32 = 8;

/// What became of one try.
enum Tried {
    Killed,
    /// The run ended after so many points.
    EndedBefore(u64),
}

/// What a whole case came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    failed: Vec<String>,
}

/// What every run must pass, or points are missing.
const PASSED: [&str; 20] = [
    "makedir before",
    "makedir after",
    "create before",
    "create after",
    "lock before",
    "lock after",
    "write before",
    "write within",
    "write after",
    "sync before",
    "sync after",
    "syncdir before",
    "syncdir after",
    "remove before",
    "remove after",
    "request before",
    "request within",
    "request after",
    "rename before",
    "rename after",
];
/// These of them come only where an upload is begun.
const BEGINS: usize = 2;

/// Kills at each point of a case and continues; fails with the list of points where a promise was broken.
pub(crate) fn kill_at_each(case: &Case) {
    let begun = Instant::now();
    let mut world = World::new(case);
    let mut tally = Tally::default();

    world.begin();
    let began = world.seq();
    let whole = world.run(world.command(), None);
    tally.runs += 1;
    let judged = check::ended(&world, &whole).and_then(|()| check::promises(&world, began, &[]));
    assert_eq!(judged, Ok(()), "{} without a kill", case.name);
    let kinds = if case.verb == Verb::Cancel { &PASSED[..PASSED.len() - BEGINS] } else { &PASSED };
    for kind in kinds {
        assert!(whole.points.iter().any(|point| point == kind), "{}: no {kind} in {:?}", case.name, whole.points);
    }

    let (mut least, mut most) = (whole.points.len() as u64, whole.points.len() as u64);
    let (mut point, mut reached) = (1, 0);
    while point <= most {
        let mut hit = false;
        for _ in 0..TRIES {
            match kill_once(&mut world, point, &mut tally) {
                Tried::Killed => hit = true,
                Tried::EndedBefore(count) => (least, most) = (least.min(count), most.max(count)),
            }
            if hit {
                break;
            }
        }
        reached += u64::from(hit);
        if !hit && point <= least {
            tally.failed.push(format!("{point}: every run reached it and none was killed there"));
        }
        point += 1;
    }

    eprintln!(
        "kills: {}: {reached} of {most} points reached, {} runs, {:.1} s, {} failed",
        case.name,
        tally.runs,
        begun.elapsed().as_secs_f64(),
        tally.failed.len()
    );
    assert!(tally.failed.is_empty(), "{}:\n{}", case.name, tally.failed.join("\n"));
}

fn kill_once(world: &mut World<'_>, point: u64, tally: &mut Tally) -> Tried {
    world.begin();
    let began = world.seq();
    let first = world.run(world.command(), Some(point));
    tally.runs += 1;
    let what = first.points.last().cloned().unwrap_or_default();
    let (tried, judged) = if first.killed() {
        (Tried::Killed, go_on(world, began, first, Some(point), tally))
    } else {
        let judged = check::ended(world, &first).and_then(|()| check::promises(world, began, &[]));
        (Tried::EndedBefore(first.points.len() as u64), judged)
    };
    if let Err(why) = judged {
        tally.failed.push(format!("{point} ({what}): {why}"));
    }
    tried
}

/// Continues what was killed, as different points do it: by the same command, by `resume`, by a run that is killed at the same place as the first.
pub(crate) fn go_on(
    world: &World<'_>,
    began: u64,
    first: Ran,
    point: Option<u64>,
    tally: &mut Tally,
) -> Result<(), String> {
    let way = point.unwrap_or(0);
    let mut kills = vec![];
    let mut last = first;
    let (mut told, mut since) = (false, began);
    loop {
        world.settle(since, last.requests_sent());
        kills.push(Killed { seq: world.seq(), proven: world.proven()? });
        told |= last.finished().is_some();
        if told && world.journals().is_empty() {
            // It was told and forgotten: the same command would be a new upload. Only what a kill in between left is swept.
            let nothing = world.run(world.resume(), None);
            tally.runs += 1;
            if !nothing.status.success()
                || !nothing.lines.is_empty()
                || !nothing.points.iter().all(|p| !p.starts_with("request"))
            {
                return Err(format!("there was something to resume: {:?}", nothing.lines));
            }
            return check::promises(world, began, &kills);
        }
        let resumes = way.is_multiple_of(3) && world.case.verb != Verb::Cancel && !world.journals().is_empty();
        let command = if resumes { world.resume() } else { world.command() };
        let again = (point.filter(|point| point % 4 == 1)).filter(|_| kills.len() == 1);
        since = world.seq();
        last = world.run(command, again);
        tally.runs += 1;
        if again.is_some() && last.killed() {
            continue;
        }
        check::ended(world, &last)?;
        // An ending that was told is told once more only when the kill came before it was forgotten, and then nothing is asked of the service.
        if told && world.seq() != since {
            return Err("an upload whose ending was told went on".to_owned());
        }
        return check::promises(world, began, &kills);
    }
}
