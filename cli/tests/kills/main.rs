//! The real command, killed at every change that it makes to its state directory and at every boundary of a request, and continued.
//!
//! `cargo test -p partway-cli --test kills` kills at one in [`SHARE`] of the points of each case, other ones for each case.
//! `cargo test -p partway-cli --test kills -- --ignored` kills at all of them, and from outside at any moment.

#![cfg(unix)]

mod cases;
mod check;
mod outside;
mod points;
mod run;
#[path = "../support/mod.rs"]
mod support;
mod world;

use cases::Case;

/// Every so many-th point is killed at by an ordinary `cargo test`.
const SHARE: u64 = 5;

macro_rules! killed_at {
    ($($name:ident)*) => {
        /// Some points of each case.
        mod some {
            $(#[test]
            fn $name() {
                super::points::kill_at(&super::cases::$name(), super::SHARE);
            })*
        }

        /// All points of each case.
        mod every {
            $(#[test]
            #[ignore = "all points take minutes; .ci/run runs them"]
            fn $name() {
                super::points::kill_at(&super::cases::$name(), 1);
            })*
        }

        fn all_cases() -> Vec<Case> {
            vec![$(cases::$name()),*]
        }
    };
}

killed_at! {
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
    koodrive_multipart
    koodrive_instant_hit
    koodrive_complete_lost
}

#[test]
#[ignore = "a minute of kills at random; .ci/run runs them"]
fn from_outside_at_any_moment() {
    outside::kill(&all_cases(), 200);
}
