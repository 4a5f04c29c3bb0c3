//! One credential an account, one ask at a time, so that ten refusals cause one refresh.

use std::collections::{BTreeSet, HashMap};

use crate::model::{Credential, Tick};

/// An ask that nobody answers for so long lets its uploads wait by name; a later answer still counts.
pub(super) const ASK_MS_MAX: u64 = 60_000;

#[derive(Default)]
struct Account {
    secret: Option<Credential>,
    generation: u64,
    ask: Option<(u64, Tick)>,
    waiting: BTreeSet<usize>,
}

/// What there is to say to a row that wants a credential.
pub(super) enum Reply {
    /// It.
    Now(Credential, u64),
    /// The host must be asked, under this number.
    Ask(u64),
    /// The host has been asked already.
    Wait,
}

/// The credentials of one client.
#[derive(Default)]
pub(super) struct Credentials {
    accounts: HashMap<String, Account>,
    asks: u64,
}

impl Credentials {
    /// A row wants one; `refused` is the generation that it was refused with.
    pub(super) fn want(&mut self, account: &str, row: usize, refused: Option<u64>, now: Tick) -> Reply {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        if let Some(secret) = &entry.secret
            && refused.is_none_or(|refused| entry.generation > refused)
        {
            return Reply::Now(secret.clone(), entry.generation);
        }
        entry.waiting.insert(row);
        if entry.ask.is_some() {
            return Reply::Wait;
        }
        self.asks += 1;
        entry.ask = Some((self.asks, now.after_ms(ASK_MS_MAX)));
        Reply::Ask(self.asks)
    }

    /// The host answered an ask. Gives the rows to tell, and what.
    pub(super) fn answered(
        &mut self,
        account: &str,
        ask: u64,
        secret: Option<Credential>,
    ) -> (BTreeSet<usize>, Option<(Credential, u64)>) {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        let open = entry.ask.is_some_and(|(number, _)| number == ask);
        if open {
            entry.ask = None;
        }
        match secret {
            // The one that was refused, once more: nothing new.
            Some(secret) if entry.secret.as_ref() != Some(&secret) => {
                (std::mem::take(&mut entry.waiting), Some(entry.put(secret)))
            }
            _ if open => (std::mem::take(&mut entry.waiting), None),
            _ => (BTreeSet::new(), None),
        }
    }

    /// The host pushed one.
    pub(super) fn set(&mut self, account: &str, secret: Credential) -> (Credential, u64) {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        entry.waiting.clear();
        entry.put(secret)
    }

    /// Rows whose ask was not answered in time.
    pub(super) fn expired(&mut self, now: Tick) -> BTreeSet<usize> {
        let mut rows = BTreeSet::new();
        for account in self.accounts.values_mut() {
            if account.ask.is_some_and(|(_, by)| by <= now) {
                account.ask = None;
                rows.append(&mut account.waiting);
            }
        }
        rows
    }

    /// When the next ask has waited long enough.
    pub(super) fn next_expiry(&self) -> Option<Tick> {
        self.accounts.values().filter_map(|account| account.ask.map(|(_, by)| by)).min()
    }
}

impl Account {
    fn put(&mut self, secret: Credential) -> (Credential, u64) {
        self.generation += 1;
        self.secret = Some(secret.clone());
        (secret, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_refusals_are_one_ask() {
        let mut credentials = Credentials::default();
        assert!(matches!(credentials.want("a", 1, None, Tick(1)), Reply::Ask(1)));
        assert!((2..10).all(|row| matches!(credentials.want("a", row, None, Tick(1)), Reply::Wait)));
        let (rows, given) = credentials.answered("a", 1, Some(Credential::token("one")));
        assert_eq!((rows.len(), given.map(|(_, generation)| generation)), (9, Some(1)));
        assert!(matches!(credentials.want("a", 1, None, Tick(2)), Reply::Now(_, 1)));
        assert!(matches!(credentials.want("a", 1, Some(1), Tick(2)), Reply::Ask(2)));
        assert!(matches!(credentials.want("a", 2, Some(1), Tick(2)), Reply::Wait));
        assert!(matches!(credentials.want("b", 3, None, Tick(2)), Reply::Ask(3)), "another account asks for itself");
    }

    #[test]
    fn the_refused_one_once_more_is_none() {
        let mut credentials = Credentials::default();
        credentials.want("a", 1, None, Tick(1));
        credentials.answered("a", 1, Some(Credential::token("one")));
        credentials.want("a", 1, Some(1), Tick(1));
        assert!(credentials.answered("a", 2, Some(Credential::token("one"))).1.is_none());
        credentials.want("a", 1, Some(1), Tick(1));
        assert_eq!(
            credentials.answered("a", 3, Some(Credential::token("two"))).1.map(|(_, generation)| generation),
            Some(2)
        );
    }

    #[test]
    fn an_ask_expires_and_its_late_answer_still_counts() {
        let mut credentials = Credentials::default();
        credentials.want("a", 1, None, Tick(1));
        assert_eq!(credentials.next_expiry(), Some(Tick(60_001)));
        assert!(credentials.expired(Tick(60_000)).is_empty());
        assert_eq!(credentials.expired(Tick(60_001)).len(), 1);
        assert!(credentials.answered("a", 1, Some(Credential::token("late"))).1.is_some());
        assert!(matches!(credentials.want("a", 1, None, Tick(70_000)), Reply::Now(_, 1)));
    }
}
