//! What must be so after a kill and a continuation, whatever the point was.

use std::collections::BTreeSet;

use crate::{
    cases::{Before, Verb},
    run::Ran,
    world::World,
};

/// Parts that may be in flight.
const PARALLEL: usize = 3;

/// What was so when a run had been killed.
pub(crate) struct Killed {
    /// The last request that had come by then.
    pub(crate) seq: u64,
    pub(crate) proven: BTreeSet<u32>,
}

macro_rules! must {
    ($so:expr, $($what:tt)+) => {
        if !$so {
            return Err(format!($($what)+));
        }
    };
}

/// The run ended, and said so as it should.
pub(crate) fn ended(world: &World<'_>, ran: &Ran) -> Result<(), String> {
    let outcome = if world.case.verb == Verb::Cancel { "cancelled" } else { "completed" };
    let told: Vec<_> = ran.lines.iter().filter(|line| line["event"] == "finished").collect();
    must!(ran.status.success(), "the last run ended with {}: {:?}\n{}", ran.status, told, ran.stderr);
    must!(told.len() == 1, "{} endings were told", told.len());
    must!(told[0]["outcome"] == outcome, "{}", told[0]);
    Ok(())
}

/// Nothing is lost, nothing is there twice, nothing proven was sent again, nothing is left behind.
pub(crate) fn promises(world: &World<'_>, began: u64, kills: &[Killed]) -> Result<(), String> {
    let case = world.case;
    must!(world.files().is_empty(), "left behind: {:?}", world.files());

    let open: Vec<_> = world.cloud.uploads().into_iter().filter(|task| !task.confirmed).collect();
    let (ours, all) = (world.ours(), world.cloud.objects());
    if case.verb == Verb::Cancel {
        must!(all.is_empty() && open.is_empty(), "a cancelled upload left {all:?} {open:?}");
        return Ok(());
    }
    let (ours_wanted, all_wanted) = match case.before {
        Before::Nothing => (1, 1),
        Before::Content => (2, 2),
        Before::Name => (1, 2),
    };
    let names = || all.iter().map(|object| (&object.path, object.size)).collect::<Vec<_>>();
    must!(ours.len() == ours_wanted && all.len() == all_wanted, "the cloud holds {:?}", names());

    for (n, killed) in kills.iter().enumerate() {
        let again: Vec<u32> =
            world.sent_since(killed.seq).into_iter().filter(|part| killed.proven.contains(part)).collect();
        must!(again.is_empty(), "proven at kill {n} and sent again: {again:?} of {:?}", killed.proven);
    }
    let sent = world.sent_since(began).len();
    let most = if case.instant { 0 } else { case.parts + kills.len() * PARALLEL.min(case.parts) };
    must!(sent <= most, "{sent} requests carried content, {most} may");
    Ok(())
}
