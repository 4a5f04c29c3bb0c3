//! Which uploads a verb is for.

use super::{Select, Snapshot};

impl Select {
    /// One upload.
    pub fn one(id: impl Into<String>) -> Select {
        Select::One { id: id.into() }
    }

    pub(super) fn fits(&self, snapshot: &Snapshot) -> bool {
        match self {
            Select::One { id } => snapshot.id == *id,
            Select::Key { key } => snapshot.key == *key,
            Select::Group { group } => snapshot.group.as_ref() == Some(group),
            Select::Account { account } => snapshot.account == *account,
            Select::All => true,
        }
    }
}
