//! One credential an account, one ask at a time, so that ten refusals cause one refresh.

use std::collections::HashMap;

use super::{Why, host::CredentialAnswer};
use crate::model::{Credential, SortedMap, Tick};

/// An ask that nobody answers for so long lets its uploads wait by name; a later answer still counts.
pub(super) const ASK_MS_MAX: u64 = 60_000;

/// A credential is replaced this long before its end, or a third of its life, whichever is less.
const LEAD_MS_MAX: u64 = 60_000;

/// What came in time for the end of another is not replaced again before this: a host whose credentials are always over would be asked without a pause.
const REPLACE_MS_MIN: u64 = 30_000;

/// A question that the host has not answered yet.
#[derive(Clone, Copy)]
struct Asked {
    number: u64,
    by: Tick,
    why: Why,
}

#[derive(Default)]
struct Account {
    secret: Option<Credential>,
    generation: u64,
    ask: Option<Asked>,
    /// Each with the generation that it was refused with.
    waiting: SortedMap<usize, Option<u64>>,
    /// The next one is to be had by then.
    renew_at: Option<Tick>,
    signed_out: bool,
    /// The last ask that went out before the host pushed a credential unasked.
    pushed_after: u64,
}

/// What there is to say to a row that wants a credential.
pub(super) enum Reply {
    /// It.
    Now(Credential, u64),
    /// The host must be asked, under this number.
    Ask(u64, Why),
    /// The host has been asked already.
    Wait,
    /// Nobody is signed in.
    SignedOut,
}

/// What becomes of those that wait, when the host brings nothing newer: each row, and the one in hand where it was refused no such one.
pub(super) type Unserved = Vec<(usize, Option<(Credential, u64)>)>;

/// What an answer of the host led to.
#[derive(Default)]
pub(super) struct Answered {
    /// Those that waited for it in vain.
    pub(super) rows: Unserved,
    /// A new one, for all of the account.
    pub(super) given: Option<(Credential, u64)>,
    /// There is none: when to ask again.
    pub(super) retry_in_ms: Option<u64>,
    /// Nobody is signed in any more.
    pub(super) signed_out: bool,
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
        if entry.signed_out {
            return Reply::SignedOut;
        }
        let due = entry.renew_at.is_some_and(|at| at <= now);
        if let Some(secret) = &entry.secret
            && refused.is_none_or(|refused| entry.generation > refused)
            && !due
        {
            return Reply::Now(secret.clone(), entry.generation);
        }
        entry.waiting.insert(row, refused);
        if entry.ask.is_some() {
            return Reply::Wait;
        }
        let why = match refused {
            Some(_) => Why::Refused,
            None if due => Why::Expiring,
            None => Why::First,
        };
        self.asks += 1;
        entry.ask = Some(Asked { number: self.asks, by: now.after_ms(ASK_MS_MAX), why });
        Reply::Ask(self.asks, why)
    }

    /// Accounts whose credential will soon be over and that `work`: the host is to be asked, under that number.
    pub(super) fn expiring(&mut self, now: Tick, work: impl Fn(&str) -> bool) -> Vec<(String, u64)> {
        let mut asks = vec![];
        for (account, entry) in &mut self.accounts {
            if entry.ask.is_none() && entry.renew_at.is_some_and(|at| at <= now) && work(account) {
                self.asks += 1;
                entry.ask = Some(Asked { number: self.asks, by: now.after_ms(ASK_MS_MAX), why: Why::Expiring });
                asks.push((account.clone(), self.asks));
            }
        }
        asks
    }

    /// The host answered an ask.
    pub(super) fn answered(&mut self, account: &str, ask: u64, answer: CredentialAnswer, now: Tick) -> Answered {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        // What was on its way when somebody signed out is nobody's.
        if entry.signed_out {
            return Answered::default();
        }
        let asked = entry.ask.filter(|asked| asked.number == ask);
        if asked.is_some() {
            entry.ask = None;
        }
        let why = asked.map_or(Why::First, |asked| asked.why);
        match answer {
            CredentialAnswer::Supplied(secret) if !entry.is(&secret) => {
                entry.waiting.clear();
                Answered { given: Some(entry.put(secret, why, now)), ..Answered::default() }
            }
            // Whoever signed in since is not signed out by an answer about the time before.
            CredentialAnswer::SignedOut if ask <= entry.pushed_after => Answered::default(),
            CredentialAnswer::SignedOut => {
                self.sign_out(account);
                Answered { signed_out: true, ..Answered::default() }
            }
            // The one that is in hand, once more: nothing new, but it may last longer than was known.
            CredentialAnswer::Supplied(secret) if asked.is_some() => {
                entry.keep(secret, why, now);
                Answered { rows: entry.unserved(), ..Answered::default() }
            }
            CredentialAnswer::Later { retry_in_ms } if asked.is_some() => {
                // Nothing newer is to be had: the old one is used to its end.
                entry.renew_at = None;
                Answered { rows: entry.unserved(), retry_in_ms, ..Answered::default() }
            }
            CredentialAnswer::Supplied(_) | CredentialAnswer::Later { .. } => Answered::default(),
        }
    }

    /// The host pushed one.
    pub(super) fn set(&mut self, account: &str, secret: Credential, now: Tick) -> (Credential, u64) {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        entry.waiting.clear();
        entry.signed_out = false;
        entry.pushed_after = self.asks;
        entry.put(secret, Why::First, now)
    }

    /// Nobody is signed in: the credential is wiped, and nobody is asked for another. Whoever waits for one is to be told so.
    pub(super) fn sign_out(&mut self, account: &str) {
        let entry = self.accounts.entry(account.to_owned()).or_default();
        entry.secret = None;
        entry.ask = None;
        entry.renew_at = None;
        entry.signed_out = true;
        entry.waiting.clear();
    }

    /// Rows whose ask was not answered in time.
    pub(super) fn expired(&mut self, now: Tick) -> Unserved {
        let mut rows = vec![];
        for account in self.accounts.values_mut() {
            if account.ask.is_some_and(|asked| asked.by <= now) {
                account.ask = None;
                rows.append(&mut account.unserved());
            }
        }
        rows
    }

    /// When the next ask has waited long enough.
    pub(super) fn next_expiry(&self) -> Option<Tick> {
        self.accounts.values().filter_map(|account| account.ask.map(|asked| asked.by)).min()
    }

    /// When the next credential is to be replaced.
    pub(super) fn next_renewal(&self) -> Option<Tick> {
        self.accounts.values().filter(|account| account.ask.is_none()).filter_map(|account| account.renew_at).min()
    }
}

impl Account {
    /// True for the one that there is.
    fn is(&self, other: &Credential) -> bool {
        self.secret.as_ref().is_some_and(|secret| secret.is_same_as(other))
    }

    /// A new one; `why` the host was asked for it.
    fn put(&mut self, secret: Credential, why: Why, now: Tick) -> (Credential, u64) {
        self.generation += 1;
        self.keep(secret.clone(), why, now);
        (secret, self.generation)
    }

    /// It is the one in hand, and lasts as long as it says now.
    fn keep(&mut self, secret: Credential, why: Why, now: Tick) {
        let apart_ms = if why == Why::Expiring { REPLACE_MS_MIN } else { 0 };
        self.renew_at = secret.expires_in_ms().map(|ms| now.after_ms((ms - LEAD_MS_MAX.min(ms / 3)).max(apart_ms)));
        self.secret = Some(secret);
    }

    /// Nothing newer is to be had for those that wait. Who was refused no such one as is in hand can use that.
    fn unserved(&mut self) -> Unserved {
        let (secret, generation) = (&self.secret, self.generation);
        let kept = |refused: Option<u64>| {
            let fresh = refused.is_none_or(|refused| generation > refused);
            secret.clone().filter(|_| fresh).map(|secret| (secret, generation))
        };
        std::mem::take(&mut self.waiting).into_iter().map(|(row, refused)| (row, kept(refused))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(value: &str) -> CredentialAnswer {
        CredentialAnswer::Supplied(Credential::token(value))
    }

    fn generation(answered: &Answered) -> Option<u64> {
        answered.given.as_ref().map(|(_, generation)| *generation)
    }

    #[test]
    fn ten_refusals_are_one_ask() {
        let mut credentials = Credentials::default();
        assert!(matches!(credentials.want("a", 1, None, Tick(1)), Reply::Ask(1, Why::First)));
        assert!((2..10).all(|row| matches!(credentials.want("a", row, None, Tick(1)), Reply::Wait)));
        let answered = credentials.answered("a", 1, token("one"), Tick(1));
        assert_eq!((answered.rows.len(), generation(&answered)), (0, Some(1)), "the account's rows are all told");
        assert!(matches!(credentials.want("a", 1, None, Tick(2)), Reply::Now(_, 1)));
        assert!(matches!(credentials.want("a", 1, Some(1), Tick(2)), Reply::Ask(2, Why::Refused)));
        assert!(matches!(credentials.want("a", 2, Some(1), Tick(2)), Reply::Wait));
        assert!(matches!(credentials.want("b", 3, None, Tick(2)), Reply::Ask(3, _)), "another account asks for itself");
    }

    #[test]
    fn the_refused_one_once_more_is_none() {
        let mut credentials = Credentials::default();
        credentials.want("a", 1, None, Tick(1));
        credentials.answered("a", 1, token("one"), Tick(1));
        credentials.want("a", 1, Some(1), Tick(1));
        assert!(credentials.answered("a", 2, token("one"), Tick(1)).given.is_none());
        credentials.want("a", 1, Some(1), Tick(1));
        assert_eq!(generation(&credentials.answered("a", 3, token("two"), Tick(1))), Some(2));
    }

    #[test]
    fn an_ask_expires_and_its_late_answer_still_counts() {
        let mut credentials = Credentials::default();
        credentials.want("a", 1, None, Tick(1));
        assert_eq!(credentials.next_expiry(), Some(Tick(60_001)));
        assert!(credentials.expired(Tick(60_000)).is_empty());
        assert_eq!(credentials.expired(Tick(60_001)).len(), 1);
        assert!(credentials.answered("a", 1, token("late"), Tick(60_002)).given.is_some());
        assert!(matches!(credentials.want("a", 1, None, Tick(70_000)), Reply::Now(_, 1)));
    }

    #[test]
    fn who_signed_in_since_is_not_signed_out_by_a_late_answer() {
        let mut credentials = Credentials::default();
        credentials.want("a", 1, None, Tick(1));
        // The person signs in before the host's answer to the ask arrives.
        credentials.set("a", Credential::token("fresh"), Tick(2));
        let late = credentials.answered("a", 1, CredentialAnswer::SignedOut, Tick(3));
        assert!(!late.signed_out && matches!(credentials.want("a", 1, None, Tick(4)), Reply::Now(_, _)));
        // An answer to an ask that came after it counts.
        assert!(matches!(credentials.want("a", 1, Some(1), Tick(5)), Reply::Ask(2, Why::Refused)));
        assert!(credentials.answered("a", 2, CredentialAnswer::SignedOut, Tick(6)).signed_out);
        assert!(matches!(credentials.want("a", 1, None, Tick(7)), Reply::SignedOut));
    }

    #[test]
    fn one_that_will_be_over_is_replaced_in_time() {
        let hour = |value: &str| Credential::Token { value: value.into(), expires_in_ms: Some(3_600_000) };
        let mut credentials = Credentials::default();
        credentials.set("a", hour("one"), Tick(0));
        assert!(credentials.expiring(Tick(3_539_999), |_| true).is_empty());
        assert_eq!(credentials.next_renewal(), Some(Tick(3_540_000)));
        assert!(credentials.expiring(Tick(3_540_000), |_| false).is_empty(), "nobody works with it");
        assert_eq!(credentials.expiring(Tick(3_540_000), |_| true), [("a".to_owned(), 1)]);
        assert!(matches!(credentials.want("a", 1, None, Tick(3_540_000)), Reply::Wait));
        let given = credentials.answered("a", 1, CredentialAnswer::Supplied(hour("two")), Tick(3_540_000));
        assert_eq!((given.rows.len(), generation(&given)), (0, Some(2)));
        // Not to be had: the old one is used to its end.
        assert_eq!(credentials.expiring(Tick(9_000_000), |_| true).len(), 1);
        credentials.answered("a", 2, CredentialAnswer::Later { retry_in_ms: None }, Tick(9_000_000));
        assert!(matches!(credentials.want("a", 1, None, Tick(9_000_001)), Reply::Now(_, 2)));
        assert!(credentials.expiring(Tick(9_000_002), |_| true).is_empty());
    }

    #[test]
    fn who_signed_out_is_neither_used_nor_asked_for() {
        let mut credentials = Credentials::default();
        credentials.set("a", Credential::token("one"), Tick(0));
        credentials.want("a", 1, Some(1), Tick(0));
        credentials.sign_out("a");
        assert!(credentials.expired(Tick(1_000_000)).is_empty(), "whoever waited was told so");
        assert!(matches!(credentials.want("a", 1, None, Tick(1)), Reply::SignedOut));
        let late = credentials.answered("a", 1, token("late"), Tick(1));
        assert!(late.given.is_none() && matches!(credentials.want("a", 1, None, Tick(1)), Reply::SignedOut));
        credentials.set("a", Credential::token("two"), Tick(2));
        assert!(matches!(credentials.want("a", 1, None, Tick(3)), Reply::Now(_, 2)));
    }
    fn token_for(value: &str, ms: u64) -> CredentialAnswer {
        CredentialAnswer::Supplied(Credential::Token { value: value.into(), expires_in_ms: Some(ms) })
    }

    fn kept(unserved: &Unserved) -> Vec<(usize, Option<u64>)> {
        unserved.iter().map(|(row, kept)| (*row, kept.as_ref().map(|(_, generation)| *generation))).collect()
    }

    /// A credential that still does was kept from an upload that came while the next one was asked for: it waited for a host that had nothing newer, for ever.
    #[test]
    fn who_comes_while_the_next_one_is_asked_for_gets_the_old_one_when_there_is_none() {
        let answers: [&dyn Fn(&mut Credentials) -> Unserved; 3] = [
            &|credentials| credentials.answered("a", 1, token_for("one", 3_600_000), Tick(3_540_001)).rows,
            &|credentials| {
                credentials.answered("a", 1, CredentialAnswer::Later { retry_in_ms: None }, Tick(3_540_001)).rows
            },
            &|credentials| credentials.expired(Tick(3_540_000 + ASK_MS_MAX)),
        ];
        for answer in answers {
            let mut credentials = Credentials::default();
            credentials.set("a", Credential::Token { value: "one".into(), expires_in_ms: Some(3_600_000) }, Tick(0));
            assert!(matches!(credentials.want("a", 1, None, Tick(3_540_000)), Reply::Ask(1, Why::Expiring)));
            // Of another one nobody knows yet whether the service takes it; this one the service has refused.
            assert!(matches!(credentials.want("a", 2, Some(1), Tick(3_540_000)), Reply::Wait));
            assert_eq!(kept(&answer(&mut credentials)), [(1, Some(1)), (2, None)]);
        }
    }

    #[test]
    fn the_same_one_with_a_longer_life_is_asked_for_later() {
        let mut credentials = Credentials::default();
        credentials.set("a", Credential::Token { value: "one".into(), expires_in_ms: Some(3_600_000) }, Tick(0));
        assert_eq!(credentials.expiring(Tick(3_540_000), |_| true).len(), 1);
        assert!(credentials.answered("a", 1, token_for("one", 3_600_000), Tick(3_540_000)).given.is_none());
        assert_eq!(credentials.next_renewal(), Some(Tick(3_540_000 + 3_540_000)));
        assert!(matches!(credentials.want("a", 1, None, Tick(3_540_001)), Reply::Now(_, 1)));
    }

    /// Each answer led to the next question at once, as fast as the host answered.
    #[test]
    fn a_host_whose_tokens_are_over_at_once_is_asked_twice_a_minute() {
        let mut credentials = Credentials::default();
        assert!(matches!(credentials.want("a", 1, None, Tick(1)), Reply::Ask(1, Why::First)));
        credentials.answered("a", 1, token_for("1", 0), Tick(1));
        let mut asked = 0;
        for tick in 1..60_000 {
            for (_, ask) in credentials.expiring(Tick(tick), |_| true) {
                asked += 1;
                credentials.answered("a", ask, token_for(&format!("{tick}"), 0), Tick(tick));
            }
        }
        assert_eq!(asked, 2);
    }
}
