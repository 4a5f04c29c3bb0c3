//! The real command, killed at every change that it makes to its state directory and at every boundary of a request, and continued.
//!
//! The points are counted by the command itself (`PARTWAY_KILL_AT`, see `cli/src/kill_point.rs`), not sampled. `-- --ignored` adds kills from outside,
//! at any moment.

#![cfg(unix)]

mod cases;
mod check;
mod outside;
mod points;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod world;

macro_rules! killed_at_every_point {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            points::kill_at_each(&cases::$name());
        })*

        fn all_cases() -> Vec<cases::Case> {
            vec![$(cases::$name()),*]
        }
    };
}

killed_at_every_point! {
    koodrive_multipart
    koodrive_instant_hit
    koodrive_instant_miss
    koodrive_complete_lost
    smh_multipart
    smh_simple
    smh_form
    smh_instant_hit
    smh_instant_miss
    smh_private
    smh_name_taken
    smh_links_over
    smh_token_refused
    smh_complete_lost
    smh_adopt
    smh_cancel
}

#[test]
#[ignore = "kills at random moments; .ci/long runs them"]
fn killed_from_outside_at_any_moment() {
    outside::kill(&all_cases(), 200);
}
