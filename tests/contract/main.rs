//! The contract: the same scenario for each service, wherever it makes sense for both. What only one of them has stands beside it, as a test of that one.
#![allow(clippy::unwrap_used, clippy::type_complexity)]

#[path = "../common/mod.rs"]
mod common;

/// Makes of each scenario a test for each service.
macro_rules! for_each_service {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        mod $name {
            #[test]
            $(#[$meta])*
            fn smh() {
                super::$name(partway::model::ServiceName::Smh);
            }

            #[test]
            $(#[$meta])*
            fn koodrive() {
                super::$name(partway::model::ServiceName::KooDrive);
            }
        }
    )*};
}

mod commands;
mod credentials;
mod faults;
mod links;
mod lost_answers;
mod source;
