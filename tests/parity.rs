//! Every face has what the facade has, and its tests go through the same scenarios, its transports through the same cases.
#![allow(clippy::unwrap_used)]

#[path = "parity/in_c.rs"]
mod in_c;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// What has no name in C, and why.
const NOT_IN_C: &[(&str, &str)] = &[("go_only", "for a command line that serves one upload")];

/// What partway.hpp leaves to partway.h: nothing is to be freed, and nothing can fail.
const AS_IN_C: &[&str] = &[
    "partway_abi_version",
    "partway_library_version",
    "partway_error_meaning",
    "partway_error_name",
    "partway_phase_name",
    "partway_remedy_name",
    "partway_state_name",
    "partway_waiting_name",
];

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

/// The functions of C, but for those that C++ uses as they are.
fn not_in_cpp(cpp: &str, exports: &str) -> Vec<String> {
    let cpp: Vec<String> = Text::of(cpp).bare;
    let words: BTreeSet<&str> =
        cpp.iter().flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_'))).collect();
    let missing = lines(exports).filter(|name| words.contains(name) == AS_IN_C.contains(name));
    missing.map(str::to_owned).collect()
}

#[test]
fn all_of_c_is_in_cpp() {
    let exports = read("include/exports.txt");
    assert_eq!(not_in_cpp(&read("include/partway.hpp"), &exports), [""; 0]);
    assert!(AS_IN_C.iter().all(|name| lines(&exports).any(|export| export == *name)));
}

#[test]
fn what_is_not_in_cpp_is_missed() {
    let exports = "# all\npartway_a\npartway_abi_version\n";
    assert_eq!(not_in_cpp("call(partway_a);", exports), [""; 0]);
    for text in ["", "// partway_a", "partway_a_b();", "\"partway_a\""] {
        assert_eq!(not_in_cpp(text, exports), ["partway_a"], "{text}");
    }
    assert_eq!(
        not_in_cpp("partway_a(partway_abi_version());", exports),
        ["partway_abi_version"],
        "no exception any more"
    );
}

/// What the generated face calls by another name, because the languages have a `close` of their own.
const NATIVE_NAMES: &[(&str, &str)] = &[("close", "shutdown"), ("open", "open")];

/// Where the client of Kotlin is, and what is called otherwise there: waits suspend or are flows.
const KOTLIN_CLIENT: &[&str] = &["Partway.kt", "PartwayClient.kt"];
const OTHERWISE_IN_KOTLIN: &[(&str, &str)] = &[
    ("open", "suspend fun open(stateDir: File, "),
    ("problems", "val problems: List<Problem>"),
    ("wait", "suspend fun awaitEnd(id: String): Snapshot"),
    ("wait_change", "fun snapshots(id: String): Flow<Snapshot>"),
    ("wait_idle", "suspend fun awaitIdle(timeoutMs: Long? = null): Idle"),
];
/// What a listener is told, as Kotlin tells it.
const TOLD_IN_KOTLIN: &[(&str, &str)] = &[
    ("on_changes", "val uploads: StateFlow<Map<String, Snapshot>>"),
    ("on_forgotten", "val uploads: StateFlow<Map<String, Snapshot>>"),
    ("on_idle", "val idles: Flow<Idle>"),
];

#[test]
fn each_has_its_name_in_kotlin_and_swift() {
    let native_kotlin = read("bindings/kotlin/src/main/generated/partway/partway.kt");
    // A word of Swift is escaped there.
    let native_swift = read("bindings/swift/Sources/Partway/Generated/Partway.swift").replace('`', "");
    for name in facade() {
        let called = |names: &[(&str, &str)]| {
            names.iter().find(|(rust, _)| *rust == name).map_or_else(|| camel(&name), |(_, other)| (*other).to_owned())
        };
        let native = called(NATIVE_NAMES);
        assert!(native_kotlin.contains(&format!("fun `{native}`(")), "generated Kotlin: {native}");
        assert!(native_swift.contains(&format!("func {native}(")), "generated Swift: {native}");
    }
}

#[test]
fn each_has_its_name_in_kotlin() {
    let text: String =
        KOTLIN_CLIENT.iter().map(|file| read(&format!("bindings/kotlin/src/main/kotlin/partway/{file}"))).collect();
    for rust in facade() {
        let otherwise = OTHERWISE_IN_KOTLIN.iter().find(|(name, _)| *name == rust);
        let kotlin = otherwise.map_or_else(|| format!("fun {}(", camel(&rust)), |(_, kotlin)| (*kotlin).to_owned());
        assert!(text.contains(&kotlin), "`{rust}`: there is no `{kotlin}` in Kotlin");
    }
    let listener = read("src/runtime/host.rs");
    for (rust, kotlin) in TOLD_IN_KOTLIN {
        assert!(listener.contains(&format!("fn {rust}(")) && text.contains(kotlin), "`{rust}`: there is no `{kotlin}`");
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
fn methods_are_found() {
    let text = "impl Client {\n    /// Docs.\n    pub fn a(&self) {}\n    #[doc(hidden)]\n    pub fn b() {}\n    fn c() {}\n    pub fn d<T>() {}\n}\nimpl Other {\n    pub fn e() {}\n}\n";
    assert_eq!(methods(text), ["a", "d"]);
}

// ---- scenarios

/// How a language says which scenarios there are, and what a check looks like there.
struct Language {
    path: &'static str,
    /// What is registered to run; what is wrong with that goes to the list.
    registered: fn(&Text, &mut Vec<String>) -> Vec<Scenario>,
    checks: &'static [&'static str],
}

/// One that is registered, and the line on which its function begins.
struct Scenario {
    name: String,
    function: Option<usize>,
}

const LANGUAGES: &[&Language] = &[&RUST, &C, &KOTLIN, &SWIFT_TESTS];

const RUST: Language =
    Language { path: "tests/scenarios.rs", registered: in_rust, checks: &["assert!(", "assert_eq!(", "assert_ne!("] };
const C: Language =
    Language { path: "bindings/c/tests/scenarios.c", registered: in_c, checks: &["CHECK(", "GOOD(", "BAD("] };
const KOTLIN: Language = Language {
    path: "bindings/kotlin/src/test/kotlin/partway/test/Scenarios.kt",
    registered: in_kotlin,
    checks: &["check(", "checkStored("],
};
const SWIFT_TESTS: Language = Language {
    path: "bindings/swift/Tests/PartwayTests/Scenarios.swift",
    registered: in_swift,
    checks: &["#expect(", "#require(", "check(", "same(", "checkStored("],
};

/// What turns tests off without a trace.
const OFF: &[&str] = &["#if", "#ifdef", "#[ignore", "#[cfg", "#![cfg", "#[should_panic", ".disabled(", ".enabled("];

/// Lines without comments; `bare` is without what stands in strings as well.
struct Text {
    said: Vec<String>,
    bare: Vec<String>,
}

impl Text {
    fn of(text: &str) -> Text {
        let (mut said, mut bare) = (String::new(), String::new());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (comment, string) = (comment_len(rest), string_len(rest, &said));
            let len = comment.or(string).unwrap_or(c.len_utf8());
            let (token, behind) = rest.split_at(len);
            let blank = || token.chars().map(|c| if c == '\n' { c } else { ' ' });
            match (comment, string) {
                (Some(_), _) => said.extend(blank()),
                _ => said += token,
            }
            match (comment, string) {
                (None, None) => bare += token,
                _ => bare.extend(blank()),
            }
            rest = behind;
        }
        let lines = |text: String| text.lines().map(|line| line.trim_end().to_owned()).collect();
        Text { said: lines(said), bare: lines(bare) }
    }

    fn line(&self, is: impl Fn(&str) -> bool) -> Option<usize> {
        self.bare.iter().position(|line| is(line))
    }

    /// The lines within a block that begins on a line, up to the first with nothing but `end` as far left as that. None if it does not begin there.
    fn block(&self, at: usize, open: char, end: &str) -> Option<std::ops::Range<usize>> {
        let head = self.bare[at].strip_suffix(open)?;
        let indent = &head[..head.len() - head.trim_start().len()];
        let close = format!("{indent}{end}");
        let len = self.bare[at + 1..].iter().position(|line| *line == close)?;
        Some(at + 1..at + 1 + len)
    }
}

/// How long the comment is that the text begins with.
fn comment_len(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut deep = 0;
    for at in 0..text.len() {
        match text.as_bytes()[at..] {
            [b'/', b'*', ..] => deep += 1,
            [b'*', b'/', ..] if deep == 1 => return Some(at + 2),
            [b'*', b'/', ..] => deep -= 1,
            _ => {}
        }
    }
    Some(text.len())
}

/// How long the string or character is that the text begins with, behind what stands `before` it.
fn string_len(text: &str, before: &str) -> Option<usize> {
    if let Some(rest) = text.strip_prefix('\'') {
        // Else it is a lifetime.
        let escaped = rest.strip_prefix('\\').and_then(|rest| Some(rest.find('\'')?.max(1) + 3));
        let one = rest.chars().next().filter(|c| rest[c.len_utf8()..].starts_with('\''));
        return escaped.or(one.map(|c| c.len_utf8() + 2));
    }
    if !text.starts_with('"') {
        return None;
    }
    let signs = before.chars().rev().take_while(|c| *c == '#').count();
    let quotes = if text.starts_with("\"\"\"") { 3 } else { 1 };
    let raw = signs > 0 || quotes == 3 || before.ends_with('r');
    let end = "\"".repeat(quotes) + &"#".repeat(signs);
    let mut at = quotes;
    while at < text.len() {
        match text.as_bytes()[at] {
            b'\\' if !raw => at += 1,
            // Of a run of quotes the last ones end it.
            b'"' if text[at..].starts_with(&end) && !(quotes == 3 && text[at + 1..].starts_with(&end)) => {
                return Some(at + end.len());
            }
            _ => {}
        }
        at += 1;
    }
    Some(text.len())
}

/// `#[test]` alone on a line, and directly below it the function.
fn in_rust(text: &Text, wrong: &mut Vec<String>) -> Vec<Scenario> {
    let mut found = vec![];
    for (at, line) in text.bare.iter().enumerate().filter(|(_, line)| line.contains("#[test]")) {
        let above = at.checked_sub(1).map_or("", |above| text.bare[above].trim());
        let below = text.bare.get(at + 1).map_or("", String::as_str);
        match below.strip_prefix("fn ").and_then(|rest| rest.split_once("() {")) {
            Some((name, "")) if line == "#[test]" && !above.starts_with("#[") => {
                found.push(Scenario { name: name.to_owned(), function: Some(at + 1) });
            }
            _ => wrong.push(format!("line {}: `#[test]` is to stand directly above `fn name() {{`, alone", at + 1)),
        }
    }
    found
}

/// The entries of a table, read by `entry`: the name and the function.
fn in_table(
    text: &Text,
    wrong: &mut Vec<String>,
    head: Option<usize>,
    (open, end): (char, &str),
    entry: fn(&str) -> Option<(&str, &str)>,
) -> Vec<(String, String)> {
    let Some(rows) = head.and_then(|at| text.block(at, open, end)) else {
        wrong.push("there is no table of scenarios".to_owned());
        return vec![];
    };
    let mut found = vec![];
    for line in text.said[rows].iter().filter(|line| !line.trim().is_empty()) {
        match entry(line.trim()) {
            Some((name, function)) => found.push((name.to_owned(), function.to_owned())),
            None => wrong.push(format!("not an entry of the table: {line}")),
        }
    }
    found
}

fn in_c(text: &Text, wrong: &mut Vec<String>) -> Vec<Scenario> {
    let head = text.line(|line| line == "} SCENARIOS[] = {");
    fn entry(line: &str) -> Option<(&str, &str)> {
        line.strip_prefix("{\"")?.strip_suffix("},")?.split_once("\", ")
    }
    let of = |(name, function): (String, String)| Scenario {
        function: text.line(|line| line == format!("static void {function}(void) {{")).filter(|_| function == name),
        name,
    };
    in_table(text, wrong, head, ('{', "};"), entry).into_iter().map(of).collect()
}

fn in_kotlin(text: &Text, wrong: &mut Vec<String>) -> Vec<Scenario> {
    let head = text.line(|line| line.starts_with("internal val SCENARIOS: "));
    fn entry(line: &str) -> Option<(&str, &str)> {
        line.strip_prefix('"')?.strip_suffix("() },")?.split_once("\" to { ")
    }
    let of = |(name, function): (String, String)| Scenario {
        function: text
            .line(|line| line.starts_with(&format!("private suspend fun World.{function}() ")))
            .filter(|_| function == camel(&name)),
        name,
    };
    in_table(text, wrong, head, ('(', ")"), entry).into_iter().map(of).collect()
}

/// `@Test` before the function, on its line.
fn in_swift(text: &Text, wrong: &mut Vec<String>) -> Vec<Scenario> {
    let mut found = vec![];
    for (at, line) in text.bare.iter().enumerate().filter(|(_, line)| line.contains("@Test")) {
        let plain = ["@Test func ", "@Test(arguments: Carrier.allCases) func "];
        match plain.iter().find_map(|head| line.trim_start().strip_prefix(head)).and_then(|rest| rest.split_once('(')) {
            Some((name, _)) => found.push(Scenario { name: name.to_owned(), function: Some(at) }),
            None => {
                wrong.push(format!("line {}: `@Test` is to stand before `func name(`, and to say nothing else", at + 1))
            }
        }
    }
    found
}

/// Whether a line checks something; what is always so is no check.
fn has_check(line: &str, checks: &[&str]) -> bool {
    let is_one = |at: usize, check: &str| {
        let within = line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let always = ["true", "1)", "!false"].iter().any(|always| line[at + check.len()..].starts_with(always));
        !within && !always
    };
    checks.iter().any(|check| line.match_indices(check).any(|(at, _)| is_one(at, check)))
}

/// What is wrong with the scenarios of a language.
fn faults(language: &Language, source: &str, list: &[&str]) -> Vec<String> {
    let text = Text::of(source);
    let mut wrong = vec![];
    for (at, line) in text.bare.iter().enumerate() {
        if let Some(off) = OFF.iter().find(|off| line.contains(**off)) {
            wrong.push(format!("line {}: `{off}` may turn a scenario off", at + 1));
        }
    }
    let found = (language.registered)(&text, &mut wrong);
    for name in list {
        match found.iter().filter(|scenario| scenario.name == *name).count() {
            0 => wrong.push(format!("there is no {name}")),
            1 => {}
            _ => wrong.push(format!("{name} is there twice")),
        }
    }
    for Scenario { name, function } in &found {
        if !list.contains(&name.as_str()) {
            wrong.push(format!("{name} is not in tests/scenarios.txt"));
        }
        let Some(body) = function.and_then(|at| text.block(at, '{', "}")) else {
            wrong.push(format!("{name} has no function of its own with a body"));
            continue;
        };
        let body = &text.bare[body];
        if !body.iter().any(|line| has_check(line, language.checks)) {
            wrong.push(format!("{name} checks nothing"));
        }
        // At the level of the body, not within something.
        let indent = body.iter().find(|line| !line.is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
        let leaves = |line: &String| line.get(indent..).is_some_and(|line| line.starts_with("return"));
        if body.iter().any(leaves) {
            wrong.push(format!("{name} leaves before its end"));
        }
    }
    wrong.iter().map(|wrong| format!("{}: {wrong}", language.path)).collect()
}

#[test]
fn each_language_goes_through_each_scenario() {
    let list = read("tests/scenarios.txt");
    let list: Vec<&str> = lines(&list).collect();
    assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 13);
    let wrong: Vec<String> =
        LANGUAGES.iter().flat_map(|language| faults(language, &read(language.path), &list)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// ---- transports

/// Who goes through tests/transports.txt, with what runs it where that is another file.
const RUNNERS: &[(&str, Option<(&str, &str)>)] = &[
    ("tests/transports.rs", None),
    (
        "bindings/kotlin/src/test/kotlin/partway/test/Transports.kt",
        Some(("bindings/kotlin/src/test/kotlin/partway/test/Main.kt", "in TRANSPORTS")),
    ),
    ("bindings/swift/Tests/PartwayTests/Transports.swift", None),
];

/// Why a source does not go through all of the list, all cases alike.
fn unread(source: &str, list: &str) -> Vec<String> {
    let text = Text::of(source);
    let mut wrong = vec![];
    if !text.said.iter().any(|line| line.contains("\"tests/transports.txt\"")) {
        wrong.push("does not read the list".to_owned());
    }
    for off in OFF.iter().filter(|off| text.bare.iter().any(|line| line.contains(**off))) {
        wrong.push(format!("`{off}` may turn a case off"));
    }
    for name in lines(list).map(|line| line.split(" | ").next().unwrap_or_default()) {
        if text.said.iter().any(|line| line.contains(&format!("\"{name}"))) {
            wrong.push(format!("knows {name} by its name"));
        }
    }
    wrong
}

#[test]
fn each_runner_reads_the_list_of_transports() {
    let list = read("tests/transports.txt");
    assert!(lines(&list).count() > 20);
    for (path, run_by) in RUNNERS {
        assert_eq!(unread(&read(path), &list), [""; 0], "{path}");
        if let Some((other, mark)) = run_by {
            assert!(Text::of(&read(other)).bare.iter().any(|line| line.contains(mark)), "{other} does not run {path}");
        }
    }
}

#[test]
fn the_list_of_transports_is_missed() {
    let good = "let text = read(\"tests/transports.txt\");\n";
    assert_eq!(unread(good, "plain | smh"), [""; 0]);
    assert_eq!(unread(&format!("// {good}"), "plain | smh"), ["does not read the list"]);
    assert_eq!(unread(&format!("{good}if name != \"plain\""), "plain | smh"), ["knows plain by its name"]);
    assert_eq!(unread(&format!("{good}#[ignore]"), "plain | smh"), ["`#[ignore` may turn a case off"]);
}

// ---- each rule can fail

const RUST_TEXT: &str = r#"
/// A sentence.
#[test]
fn one_name() {
    let world = World::new();
    assert_eq!(world.parts(), 1);
}
"#;

const C_TEXT: &str = r#"
static void one_name(void) {
    say("/config", "{");
    CHECK(parts() == 1);
}

static const struct {
    const char *name;
    void (*run)(void);
} SCENARIOS[] = {
    {"one_name", one_name},
};
"#;

const KOTLIN_TEXT: &str = r#"
internal val SCENARIOS: Map<String, suspend World.() -> Unit> = linkedMapOf(
    "one_name" to { oneName() },
)

private suspend fun World.oneName() = coroutineScope {
    cloud.rule(""""step":"part"""")
    check(parts() == 1)
}
"#;

const SWIFT_TEXT: &str = r###"
@Suite(.serialized) struct Scenarios {
    @Test(arguments: Carrier.allCases) func one_name(_ carrier: Carrier) async throws {
        try await World.with(carrier) { world in
            try await world.cloud.rule(#""step":"part""#)
            try same(world.parts(), 1)
        }
    }
}
"###;

/// The good text of a language with something in the place of something else: refused, for that reason.
fn refused(language: &Language, text: &str, from: &str, to: &str, why: &str) {
    assert!(text.contains(from), "{from}");
    let changed = text.replacen(from, to, 1);
    let wrong = faults(language, &changed, &["one_name"]);
    assert!(wrong.iter().any(|wrong| wrong.contains(why)), "not refused as `{why}`: {wrong:?}{changed}");
}

#[test]
fn scenarios_bite_in_every_language() {
    let texts = [
        (&RUST, RUST_TEXT, "fn one_name() {", "    assert_eq!(world.parts(), 1);", "assert!(true)"),
        (&C, C_TEXT, "static void one_name(void) {", "    CHECK(parts() == 1);", "CHECK(1)"),
        (&KOTLIN, KOTLIN_TEXT, "oneName() = coroutineScope {", "    check(parts() == 1)", "check(true)"),
        (&SWIFT_TESTS, SWIFT_TEXT, "async throws {", "            try same(world.parts(), 1)", "try check(true, \"\")"),
    ];
    for (language, text, head, check, always) in texts {
        assert_eq!(faults(language, text, &["one_name"]), [""; 0]);
        let wrong = faults(language, text, &["one_name", "another"]);
        assert_eq!(wrong, [format!("{}: there is no another", language.path)]);
        let wrong = faults(language, text, &[]);
        assert_eq!(wrong, [format!("{}: one_name is not in tests/scenarios.txt", language.path)]);
        let bare = check.trim().trim_start_matches("try ");
        let nothing = [
            String::new(),
            format!("    // {bare}"),
            format!("    /* {bare} */"),
            format!("    /* /* */\n    {bare} */"),
            format!("    let text = \"{}\"", bare.replace('"', "")),
            format!("    {always};"),
            format!("    un{bare}"),
        ];
        for instead in nothing {
            refused(language, text, check, &instead, "one_name checks nothing");
        }
        let indent = if language.path == SWIFT_TESTS.path { 8 } else { 4 };
        let leaves = format!("{head}\n{:indent$}return", "");
        refused(language, text, head, &leaves, "one_name leaves before its end");
        // All of it commented out.
        assert!(!faults(language, &format!("/*{text}*/"), &["one_name"]).is_empty());
        let commented: String = text.lines().map(|line| format!("// {line}\n")).collect();
        assert!(!faults(language, &commented, &["one_name"]).is_empty());
        assert!(!faults(language, "", &["one_name"]).is_empty());
    }
}

#[test]
fn scenarios_bite_in_rust() {
    let alone = "`#[test]` is to stand directly above";
    refused(&RUST, RUST_TEXT, "#[test]\n", "", "there is no one_name");
    refused(&RUST, RUST_TEXT, "#[test]\n", "// #[test]\n", "there is no one_name");
    refused(&RUST, RUST_TEXT, "#[test]\n", "#[test]\n#[ignore]\n", alone);
    refused(&RUST, RUST_TEXT, "#[test]\n", "#[cfg(windows)]\n#[test]\n", alone);
    refused(&RUST, RUST_TEXT, "#[test]\n", "#[test]\n\n", alone);
    refused(&RUST, RUST_TEXT, "#[test]\n", "#![cfg(windows)]\n#[test]\n", "may turn a scenario off");
    refused(&RUST, RUST_TEXT, "fn one_name", "fn other_name", "other_name is not in tests/scenarios.txt");
    let body = &RUST_TEXT[RUST_TEXT.find("{\n").unwrap()..];
    refused(&RUST, RUST_TEXT, body, "{}\n", alone);
    refused(&RUST, RUST_TEXT, body, "{\n}\n", "one_name checks nothing");
    refused(&RUST, RUST_TEXT, RUST_TEXT, &RUST_TEXT.repeat(2), "one_name is there twice");
}

#[test]
fn scenarios_bite_in_c() {
    let entry = "    {\"one_name\", one_name},\n";
    refused(&C, C_TEXT, entry, "", "there is no one_name");
    refused(&C, C_TEXT, entry, "    /* {\"one_name\", one_name}, */\n", "there is no one_name");
    refused(&C, C_TEXT, entry, "    {\"one_name\", another},\n", "has no function of its own");
    refused(&C, C_TEXT, entry, "    {.name = \"one_name\"},\n", "not an entry of the table");
    refused(&C, C_TEXT, entry, &entry.replace("one_name", "two"), "two is not in tests/scenarios.txt");
    refused(&C, C_TEXT, "static void one_name(void) {", "static void one_name(void);", "has no function of its own");
    refused(&C, C_TEXT, "static void one_name", "#if 0\nstatic void one_name", "may turn a scenario off");
    refused(&C, C_TEXT, "} SCENARIOS[] = {", "} OTHERS[] = {", "there is no table");
}

#[test]
fn scenarios_bite_in_kotlin() {
    let entry = "    \"one_name\" to { oneName() },\n";
    refused(&KOTLIN, KOTLIN_TEXT, entry, "", "there is no one_name");
    refused(&KOTLIN, KOTLIN_TEXT, entry, &format!("//{entry}"), "there is no one_name");
    refused(&KOTLIN, KOTLIN_TEXT, entry, "    \"one_name\" to { },\n", "not an entry of the table");
    refused(&KOTLIN, KOTLIN_TEXT, entry, "    \"one_name\" to { another() },\n", "has no function of its own");
    refused(&KOTLIN, KOTLIN_TEXT, entry, &entry.replace("one_name", "two"), "two is not in tests/scenarios.txt");
    refused(&KOTLIN, KOTLIN_TEXT, "World.oneName() = coroutineScope {", "World.oneName() = Unit", "has no function");
    refused(&KOTLIN, KOTLIN_TEXT, "fun World.oneName", "fun World.twoName", "has no function of its own");
    refused(&KOTLIN, KOTLIN_TEXT, "val SCENARIOS:", "val OTHERS:", "there is no table");
}

#[test]
fn scenarios_bite_in_swift() {
    let says = "`@Test` is to stand before";
    let test = "@Test(arguments: Carrier.allCases) func";
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "func", "there is no one_name");
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "// @Test\n    func", "there is no one_name");
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "@Test(.disabled(\"later\")) func", says);
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "@Test(arguments: []) func", says);
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "@Test\n    func", says);
    refused(&SWIFT_TESTS, SWIFT_TEXT, "func one_name", "func two", "two is not in tests/scenarios.txt");
    refused(&SWIFT_TESTS, SWIFT_TEXT, "(.serialized)", "(.serialized, .disabled())", "may turn a scenario off");
    refused(&SWIFT_TESTS, SWIFT_TEXT, test, "#if os(Linux)\n    @Test func", "may turn a scenario off");
}
