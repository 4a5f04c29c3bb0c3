//! What everyone may see: the last snapshot of every upload, and whether anything works.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Idle, Network, Snapshot, journal::Id};

/// Snapshots by id, published by the driver, read by anyone.
#[derive(Default)]
pub(crate) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

/// Snapshots by id.
pub(crate) type Rows = BTreeMap<String, Box<Snapshot>>;

#[derive(Default)]
struct State {
    /// Boxed, or a map with room to grow would hold twice what it shows.
    by_id: Rows,
    by_key: HashMap<u64, Id>,
    hasher: RandomState,
    /// One without a text is of an upload of which only a journal tells that it waits, and says nothing but its attempts.
    explanations: HashMap<String, crate::engine::Explanation>,
    idle: Idle,
    /// When `idle` was so: its times are counted from then.
    idle_since: Option<Instant>,
    /// Messages of the host so far.
    said: u64,
    closed: bool,
    /// What the host said of the world and of the client as a whole.
    held: bool,
    network: Network,
}

impl State {
    /// As it was found, with its times counted from now.
    fn idle_now(&self) -> Idle {
        let age_ms = self.idle_since.map_or(0, |since| since.elapsed().as_millis() as u64);
        let next_wake_ms = self.idle.next_wake_ms.map(|ms| ms.saturating_sub(age_ms));
        Idle { next_wake_ms, ..self.idle.clone() }
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a snapshot up in the place of the one before, with the next revision; that is what is given back.
    pub(crate) fn publish(&self, mut snapshot: Snapshot) -> Snapshot {
        let mut state = self.lock();
        let old = state.by_id.get(&snapshot.id);
        snapshot.revision = old.map_or(1, |old| old.revision + 1);
        // The last that came has the key: one that took another's place, while that one may still be told of.
        if let (None, Some(id)) = (old, Id::parse(&snapshot.id)) {
            let hash = state.hasher.hash_one(&snapshot.key);
            state.by_key.insert(hash, id);
        }
        match state.by_id.get_mut(&snapshot.id) {
            Some(old) => **old = snapshot.clone(),
            None => drop(state.by_id.insert(snapshot.id.clone(), Box::new(snapshot.clone()))),
        }
        drop(state);
        self.changed.notify_all();
        snapshot
    }

    /// Why an upload does not move.
    pub(crate) fn explain(&self, id: &str) -> Option<crate::engine::Explanation> {
        self.lock().explanations.get(id).filter(|told| !told.text.is_empty()).cloned()
    }

    /// Of an upload at work; of one at rest its snapshot says enough.
    pub(crate) fn set_explanation(&self, id: &str, explanation: Option<crate::engine::Explanation>) {
        let mut state = self.lock();
        match explanation {
            Some(explanation) => drop(state.explanations.insert(id.to_owned(), explanation)),
            None => drop(state.explanations.remove(id)),
        }
    }

    /// What the journal of one that waits tells of its failures in a row.
    pub(crate) fn set_attempts(&self, id: &str, attempts: u32) {
        if attempts > 0 {
            let explanation = crate::engine::Explanation {
                state: crate::engine::State::Queued,
                since_unix_ms: 0,
                blocked_by: vec![],
                next_try_ms: None,
                attempts,
                retries_left: 0,
                remedy: crate::error::Remedy::None,
                text: String::new(),
            };
            self.set_explanation(id, Some(explanation));
        }
    }

    /// Failures in a row; 0 of one that works, whose explanation says it.
    pub(crate) fn attempts(&self, id: &str) -> u32 {
        let state = self.lock();
        state.explanations.get(id).filter(|told| told.text.is_empty()).map_or(0, |told| told.attempts)
    }

    /// Takes one down; whether it was up.
    pub(crate) fn remove(&self, id: &str) -> bool {
        let mut state = self.lock();
        state.explanations.remove(id);
        let old = state.by_id.remove(id);
        if let Some(old) = &old {
            let hash = state.hasher.hash_one(&old.key);
            if state.by_key.get(&hash).is_some_and(|other| other.as_str() == id) {
                state.by_key.remove(&hash);
            }
        }
        drop(state);
        self.changed.notify_all();
        old.is_some()
    }

    /// Those that are up and not among `ids`, which are sorted.
    pub(super) fn beside(&self, ids: &[Id]) -> Vec<String> {
        let is_among = |id: &String| Id::parse(id).is_some_and(|id| ids.binary_search(&id).is_ok());
        self.lock().by_id.keys().filter(|id| !is_among(id)).cloned().collect()
    }

    /// What the host said last.
    pub(crate) fn set_world(&self, held: Option<bool>, network: Option<Network>) {
        let mut state = self.lock();
        state.held = held.unwrap_or(state.held);
        state.network = network.unwrap_or(state.network);
    }

    /// Held, and the network.
    pub(crate) fn world(&self) -> (bool, Network) {
        let state = self.lock();
        (state.held, state.network)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.lock().by_id.contains_key(id)
    }

    pub(crate) fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.lock().by_id.get(id).map(|snapshot| (**snapshot).clone())
    }

    pub(crate) fn find(&self, key: &str) -> Option<Snapshot> {
        let state = self.lock();
        let likely = state.by_key.get(&state.hasher.hash_one(key)).and_then(|id| state.by_id.get(id.as_str()));
        // Two keys of one hash hide each other: then all are looked at, the newest first.
        let found = match likely {
            Some(snapshot) if snapshot.key == key => Some(snapshot),
            Some(_) => state.by_id.values().rev().find(|snapshot| snapshot.key == key),
            None => None,
        };
        found.map(|snapshot| (**snapshot).clone())
    }

    pub(crate) fn matching(&self, fits: impl Fn(&Snapshot) -> bool) -> Vec<Snapshot> {
        self.lock().by_id.values().filter(|snapshot| fits(snapshot)).map(|snapshot| (**snapshot).clone()).collect()
    }

    /// Waits until `found` gives something, at most so long.
    pub(crate) fn wait<T>(&self, timeout: Option<Duration>, found: impl Fn(&Rows, &Idle) -> Option<T>) -> Option<T> {
        // One that lies beyond what a clock can say is none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Some(value) = found(&state.by_id, &state.idle_now()) {
                return Some(value);
            }
            // Nothing will change any more.
            if state.closed {
                return None;
            }
            state = match deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    pub(crate) fn idle(&self) -> Idle {
        self.lock().idle_now()
    }

    /// `heard`: how many messages of the host the driver has taken; while there are more, nothing is at rest. What is given back is what just came to rest.
    pub(crate) fn set_idle(&self, mut idle: Idle, heard: u64) -> Option<Idle> {
        let mut state = self.lock();
        idle.at_rest &= heard == state.said;
        let newly = (idle.at_rest && !state.idle.at_rest).then(|| idle.clone());
        let changed = state.idle != idle;
        state.idle = idle;
        state.idle_since = Some(Instant::now());
        drop(state);
        if changed {
            self.changed.notify_all();
        }
        newly
    }

    /// A message is on its way: nobody may take the rest before it for the rest after it.
    pub(crate) fn stir(&self) {
        let mut state = self.lock();
        state.idle.at_rest = false;
        state.said += 1;
    }

    /// Ends every wait.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Facts, Record};

    fn snapshot(id: &str) -> Snapshot {
        let record = serde_json::json!({
            "id": id, "key": "k", "created_unix_ms": 0, "source": {},
            "target": { "service": "smh", "endpoint": "https://api.example.com", "account": "me", "library": "l", "path": "a" },
        });
        let upload = serde_json::from_value(record).expect("a record");
        super::super::snapshot_of(&Facts::new([Record::Upload(Box::new(upload))]).expect("facts"), 0)
    }

    /// An upload that was begun again is still told of until it is gone; its key is the new one's from the start.
    #[test]
    fn a_key_belongs_to_the_upload_that_came_last() {
        let (old, new) = ("01M7WDNRZR1VYK827PWWTC5XX8", "01M7WDNRZR1VYK827PWWTC5XX9");
        let board = Board::default();
        board.publish(snapshot(old));
        board.publish(snapshot(new));
        assert_eq!(board.publish(snapshot(old)).revision, 2);
        assert_eq!(board.find("k").map(|found| found.id).as_deref(), Some(new));
        assert!(board.remove(old) && !board.remove(old));
        assert_eq!(board.find("k").map(|found| found.id).as_deref(), Some(new));
        let other = Id::parse(old).expect("an id");
        assert_eq!(
            (board.beside(&[other]), board.beside(&[Id::parse(new).expect("an id")])),
            (vec![new.to_owned()], vec![])
        );
    }
}
