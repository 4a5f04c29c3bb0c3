//! The hand-written lists of what a library may take from the system.

use std::collections::{BTreeMap, BTreeSet};

use crate::root;

/// A list: by name, where it is and since when.
pub(crate) struct Symbols {
    path: String,
    names: BTreeMap<String, Known>,
}

#[derive(Debug, PartialEq)]
struct Known {
    library: String,
    /// The library goes on without it, where it is younger than the platform that we name.
    optional: bool,
}

/// What a library takes from elsewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Undefined {
    pub(crate) name: String,
    /// Where it is absent, its address is null and nothing else happens.
    pub(crate) weak: bool,
}

impl Symbols {
    /// Lines are `name`, or `name optional`; a line in brackets names the library of those that follow; `#` begins a comment.
    pub(crate) fn read(path: &str) -> Result<Symbols, String> {
        let text = std::fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
        Symbols::parse(path, &text)
    }

    fn parse(path: &str, text: &str) -> Result<Symbols, String> {
        let mut symbols = Symbols { path: path.to_owned(), names: BTreeMap::new() };
        let mut library = None;
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            let wrong = |what: &str| format!("{path}:{}: {what}", at + 1);
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                library = Some(name.to_owned());
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(name) = words.next() else { continue };
            let optional = match (words.next(), words.next()) {
                (None, _) => false,
                (Some("optional"), None) => true,
                _ => return Err(wrong("a name, then `optional` or nothing")),
            };
            let library = library.clone().ok_or_else(|| wrong("a name before any [library]"))?;
            if symbols.names.insert(name.to_owned(), Known { library, optional }).is_some() {
                return Err(wrong("the name is there twice"));
            }
        }
        Ok(symbols)
    }

    /// The names of each library.
    pub(crate) fn by_library(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut libraries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, known) in &self.names {
            libraries.entry(&known.library).or_default().push(name);
        }
        libraries
    }

    /// Fails when something is taken that is not in the list, or that may be absent and is not weak.
    pub(crate) fn allow(&self, taken: &BTreeSet<Undefined>) -> Result<(), String> {
        let unknown: Vec<&str> = taken
            .iter()
            .filter(|taken| !self.names.contains_key(&taken.name))
            .map(|taken| taken.name.as_str())
            .collect();
        let needed: Vec<&str> = taken
            .iter()
            .filter(|taken| !taken.weak && self.names.get(&taken.name).is_some_and(|known| known.optional))
            .map(|taken| taken.name.as_str())
            .collect();
        match (unknown.is_empty(), needed.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("taken from the system, but not in {}: {}", self.path, unknown.join(" "))),
            (true, false) => Err(format!(
                "{} says that these may be absent, and the library needs them: {}",
                self.path,
                needed.join(" ")
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# A list\n[libc.so]\nopen # always\ngetrandom optional # API 28\n[libm.so]\npow\n";

    fn taken(names: &[(&str, bool)]) -> BTreeSet<Undefined> {
        names.iter().map(|(name, weak)| Undefined { name: (*name).to_owned(), weak: *weak }).collect()
    }

    #[test]
    fn a_list_is_read_by_library() {
        let list = Symbols::parse("list", LIST).expect("read");
        let libraries = list.by_library();
        assert_eq!(libraries["libc.so"], ["getrandom", "open"]);
        assert_eq!(libraries["libm.so"], ["pow"]);
        for wrong in ["open\n", "[libc.so]\nopen\nopen\n", "[libc.so]\nopen close\n"] {
            assert!(Symbols::parse("list", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_listed_or_may_be_absent_is_refused() {
        let list = Symbols::parse("list", LIST).expect("read");
        assert_eq!(list.allow(&taken(&[("open", false), ("getrandom", true)])), Ok(()));
        assert!(list.allow(&taken(&[("statx", true)])).is_err_and(|said| said.contains("statx")));
        assert!(list.allow(&taken(&[("getrandom", false)])).is_err_and(|said| said.contains("getrandom")));
    }
}
