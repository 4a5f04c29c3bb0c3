//! Facts without behaviour: what every other room speaks of.

#[doc(hidden)]
pub mod checkpoint;
mod conflict;
mod credential;
pub mod http;
mod identity;
mod network;
mod part_plan;
mod receipt;
mod sorted;
mod target;
mod time;

pub use conflict::{Conflict, ConflictChoice, InstantMode, OnChange};
pub use credential::Credential;
pub use identity::Identity;
pub use network::{Network, NetworkPolicy, Online};
pub use part_plan::{Part, PartPlan, PartRules};
pub use receipt::Receipt;
pub use sorted::{SortedMap, SortedSet};
pub use target::{KooDriveEdition, KooDriveTarget, ServiceName, SmhMode, SmhTarget, Target};
pub use time::{Now, Tick};
