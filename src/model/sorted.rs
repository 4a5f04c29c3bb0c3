//! Maps and sets of what is small, or grows at its end.

use litemap::LiteMap;

/// A map in the order of its keys: one sorted vector. A tree of each kind of key and value would be more code than what uses it (ADR 17); putting something in
/// between costs a move of what is behind.
pub type SortedMap<K, V> = LiteMap<K, V>;

/// A set, likewise.
pub type SortedSet<K> = SortedMap<K, ()>;
