//! Every face has what the facade has, and its tests go through the same scenarios.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// A test's name, as a language writes it.
type Written = fn(&str) -> String;

/// Where the tests of a language are, and how one of a name is written there.
const SCENARIOS: &[(&str, Written)] = &[
    ("bindings/c/tests/scenarios.c", |name| format!("static void {name}(void)")),
    ("bindings/swift/Tests/PartwayTests/Scenarios.swift", |name| format!("func {name}(")),
    ("bindings/kotlin/src/test/kotlin/partway/test/Scenarios.kt", |name| format!("\"{name}\" to {{")),
];

/// What has no name in C, and why.
const NOT_IN_C: &[(&str, &str)] = &[("go_only", "for a command line that serves one upload")];

/// Where the client of Swift is, and what is called otherwise there.
const SWIFT: &[&str] = &["Client.swift", "UploadClient.swift", "Upload.swift", "Sequences.swift"];
const OTHERWISE_IN_SWIFT: &[(&str, &str)] = &[
    ("open", "static func open("),
    ("problems", "var problems: [Problem]"),
    ("wait", "var receipt: Receipt"),
    ("wait_change", "struct Snapshots: AsyncSequence"),
    ("wait_idle", "func runUntilIdle("),
];

fn read(path: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

/// The public functions of `impl Client` in a file, but for the hidden ones.
fn methods(text: &str) -> Vec<String> {
    let (mut found, mut inside, mut hidden) = (vec![], false, false);
    for line in text.lines() {
        match line {
            "impl Client {" => inside = true,
            "}" => inside = false,
            "    #[doc(hidden)]" => hidden = true,
            _ => {
                if let (true, Some(rest)) = (inside, line.strip_prefix("    pub fn ")) {
                    if !hidden {
                        found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
                    }
                    hidden = false;
                }
            }
        }
    }
    found
}

fn facade() -> BTreeSet<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/client");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).flat_map(|path| methods(&std::fs::read_to_string(path).unwrap())).collect()
}

/// By the name in Rust: the names in C.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = read("tests/parity.txt");
    let rows = lines(&text).map(|line| {
        let (rust, c) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        (rust.to_owned(), c.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    });
    rows.collect()
}

#[test]
fn the_table_has_every_function_of_the_facade() {
    let (facade, table) = (facade(), table().into_keys().collect());
    assert!(facade.contains("start") && facade.len() > 20, "{facade:?}");
    let missing: Vec<_> = facade.difference(&table).collect();
    let gone: Vec<_> = table.difference(&facade).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in tests/parity.txt: {missing:?}; not in src/client: {gone:?}");
}

#[test]
fn each_has_its_name_in_c() {
    let header = read("include/partway.h");
    for (rust, names) in table() {
        if names == ["-"] {
            assert!(NOT_IN_C.iter().any(|(name, _)| *name == rust), "`{rust}` has no name in C, and no reason");
            continue;
        }
        assert!(!names.is_empty(), "`{rust}` has no name in C");
        for name in names {
            assert!(
                header.contains(&format!("partway_status_t {name}(")) || header.contains(&format!(" {name}(")),
                "{name}"
            );
        }
    }
}

/// What the generated face calls by another name, because the languages have a `close` of their own.
const NATIVE_NAMES: &[(&str, &str)] = &[("close", "shutdown"), ("open", "open")];

/// What the hand-written Kotlin says in its own way: waits are flows there, and opening is `Partway.open`.
const KOTLIN_NAMES: &[(&str, &str)] = &[
    ("open", "upload"),
    ("problems", "problems"),
    ("wait", "awaitEnd"),
    ("wait_change", "snapshots"),
    ("wait_idle", "runUntilIdle"),
];

#[test]
fn each_has_its_name_in_kotlin_and_swift() {
    let native_kotlin = read("bindings/kotlin/src/main/generated/partway/partway.kt");
    // A word of Swift is escaped there.
    let native_swift = read("bindings/swift/Sources/Partway/Generated/Partway.swift").replace('`', "");
    let kotlin = read("bindings/kotlin/src/main/kotlin/partway/PartwayClient.kt");
    for name in facade() {
        let called = |names: &[(&str, &str)]| {
            names.iter().find(|(rust, _)| *rust == name).map_or_else(|| camel(&name), |(_, other)| (*other).to_owned())
        };
        let native = called(NATIVE_NAMES);
        assert!(native_kotlin.contains(&format!("fun `{native}`(")), "generated Kotlin: {native}");
        assert!(native_swift.contains(&format!("func {native}(")), "generated Swift: {native}");
        let own = called(KOTLIN_NAMES);
        let there = [format!("fun {own}("), format!("fun PartwayClient.{own}("), format!("val {own}:")];
        assert!(there.iter().any(|text| kotlin.contains(text)), "Kotlin: {own}");
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn each_has_its_name_in_swift() {
    let text: String = SWIFT.iter().map(|file| read(&format!("bindings/swift/Sources/Partway/{file}"))).collect();
    for rust in facade() {
        let otherwise = OTHERWISE_IN_SWIFT.iter().find(|(name, _)| *name == rust);
        let swift = otherwise.map_or_else(|| format!("func {}(", camel(&rust)), |(_, swift)| (*swift).to_owned());
        assert!(text.contains(&swift), "`{rust}`: there is no `{swift}` in Swift");
    }
}

#[test]
fn each_language_goes_through_each_scenario() {
    let list = read("tests/scenarios.txt");
    assert_eq!(lines(&list).count(), 13);
    for (path, written) in SCENARIOS {
        let text = read(path);
        for name in lines(&list) {
            assert!(text.contains(&written(name)), "{path}: there is no {name}");
        }
    }
}

#[test]
fn methods_are_found() {
    let text = "impl Client {\n    /// Docs.\n    pub fn a(&self) {}\n    #[doc(hidden)]\n    pub fn b() {}\n    fn c() {}\n    pub fn d<T>() {}\n}\nimpl Other {\n    pub fn e() {}\n}\n";
    assert_eq!(methods(text), ["a", "d"]);
}
