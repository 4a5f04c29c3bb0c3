//! The name of a journal.

use std::fmt;

/// The id of an upload as its files bear it: 26 characters of `0-9A-Z`. Ids sort as their text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; Id::CHARS]);

impl Id {
    /// How many characters an id has.
    pub const CHARS: usize = 26;

    /// The id that `text` spells; `None` when it has another length or another character.
    pub fn parse(text: &str) -> Option<Id> {
        let bytes: [u8; Id::CHARS] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()).then_some(Id(bytes))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        // `parse` let in ASCII alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
