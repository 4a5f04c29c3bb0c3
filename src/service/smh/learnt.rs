//! What refusals taught of the deployment, in this run: a start has no session that could remember it.

use std::sync::atomic::{AtomicU8, Ordering};

use serde::Serialize;

use crate::from_json::from_json;

/// How part numbers are said where each part is signed on its own (smh §3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Numbers {
    /// `1,8-10,20`
    #[default]
    Text,
    /// `[1,8,9,10,20]`
    List,
}

from_json!(enum Numbers { "text" = Text, "list" = List });

impl Numbers {
    pub(super) fn is_text(&self) -> bool {
        *self == Numbers::Text
    }
}

const NO_NUMBERS: u8 = 0;
const TEXT: u8 = 1;
const LIST: u8 = 2;

/// The words that have not been refused yet. They only ever go forward: no answer can make us ask in a loop.
pub(super) struct Learnt(AtomicU8);

impl Learnt {
    /// What the caller says of the deployment comes first (smh §17.5, §17.6).
    pub(super) fn new(private: bool) -> Learnt {
        Learnt(AtomicU8::new(if private { TEXT } else { NO_NUMBERS }))
    }

    /// How to say part numbers; `None`: not at all.
    pub(super) fn numbers(&self) -> Option<Numbers> {
        match self.0.load(Ordering::Relaxed) {
            NO_NUMBERS => None,
            TEXT => Some(Numbers::Text),
            _ => Some(Numbers::List),
        }
    }

    /// The words of a request were refused, which named part numbers or only asked for no lease. `false`: there are no others.
    pub(super) fn refused(&self, names_parts: bool) -> bool {
        let last = if names_parts { LIST } else { TEXT };
        let next = |words| (words < last).then_some(words + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_tried_in_order_and_each_once() {
        let learnt = Learnt::new(false);
        assert_eq!(learnt.numbers(), None);
        assert!(learnt.refused(true));
        assert_eq!(learnt.numbers(), Some(Numbers::Text));
        assert!(learnt.refused(true));
        assert_eq!(learnt.numbers(), Some(Numbers::List));
        assert!(!learnt.refused(true));
    }

    #[test]
    fn a_request_that_names_no_parts_teaches_nothing_of_how_they_are_said() {
        let learnt = Learnt::new(true);
        assert!(!learnt.refused(false));
        assert_eq!(learnt.numbers(), Some(Numbers::Text));
        assert!(Learnt::new(false).refused(false));
    }
}
