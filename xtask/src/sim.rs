//! `cargo xtask sim`: the simulator of tests/sim, for more seeds than every `cargo test` runs.

use std::process::Command;

use super::{Outcome, cargo, mutants, run as carry_out};

fn run_with(command: &mut Command, variables: &[(&str, &str)]) -> Outcome {
    // Release code, built in a third of the time that a shipped artefact takes.
    let profile = [("LTO", "off"), ("CODEGEN_UNITS", "16"), ("STRIP", "none")];
    for (name, value) in profile {
        command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    carry_out(command.envs(variables.iter().copied()))
}

pub(super) fn run(args: &[&str]) -> Outcome {
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "partway", "--test", "sim"]);
    let tail = ["every_seed_keeps_the_promises", "--", "--nocapture"];
    match args {
        ["--mutants", names @ ..] => mutants::run(names),
        // As `cargo test` runs it, so that its numbers can be replayed as they were seen.
        ["--seed", seed] => run_with(test.args(tail), &[("PARTWAY_SIM_SEED", seed)]),
        ["--seeds", seeds] => run_with(test.arg("--release").args(tail), &[("PARTWAY_SIM_SEEDS", seeds)]),
        ["--seeds", seeds, "--from", from] => {
            run_with(test.arg("--release").args(tail), &[("PARTWAY_SIM_SEEDS", seeds), ("PARTWAY_SIM_FROM", from)])
        }
        ["--seconds", seconds] => run_with(
            test.arg("--release").args(tail),
            &[("PARTWAY_SIM_SECONDS", seconds), ("PARTWAY_SIM_SEEDS", "1000000000"), ("PARTWAY_SIM_FROM", "1000000")],
        ),
        _ => Err("cargo xtask sim --seed S | --seeds N [--from S] | --seconds N | --mutants [NAME]".to_owned()),
    }
}
