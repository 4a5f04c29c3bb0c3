//! What is KooDrive's own: hashing ahead of sending, signers, instant uploads with proof, and whatever its documents leave open, both ways.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod instant;
mod passes;
mod restarts;
mod signer;
mod uncertain;
mod upload;

use common::World;
use partway::model::ServiceName;

fn world() -> World {
    World::of(ServiceName::KooDrive)
}
