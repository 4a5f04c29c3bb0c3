//! Seeds that found something once. A seed is a story only for the options and draws of its day; what it found is named all the same.

use super::run;

fn holds(seed: u64) {
    if let Err(what) = run(seed) {
        panic!("{what}");
    }
}

/// A part could not reach the service, another one did: the gate stayed closed, and nothing said why.
#[test]
fn a_wait_behind_a_closed_gate_says_why() {
    [53, 102].into_iter().for_each(holds);
}

/// Killed while an ending was being synced; the next process told of it, and then the power went.
#[test]
fn an_ending_that_was_told_outlives_the_power() {
    [5805, 6289, 10266, 10418, 13189, 18307].into_iter().for_each(holds);
}
