//! The house rules that a compiler does not know. Each rule is a function of a file's path and text, and each is shown to bite.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Who may name whom. A module may also name itself; `lib.rs` names all.
const LAYERS: &[(&str, &[&str])] = &[
    ("channel", &[]),
    ("from_json", &[]),
    ("redact", &[]),
    ("error", &["from_json", "redact"]),
    ("model", &["from_json", "redact", "error"]),
    ("hash", &["from_json", "redact", "error", "model"]),
    ("service", &["from_json", "redact", "error", "model", "hash"]),
    ("source", &["redact", "error", "model", "hash"]),
    ("transport", &["channel", "redact", "error", "model", "hash"]),
    ("engine", &["from_json", "redact", "error", "model", "service", "hash"]),
    ("runtime", &["channel", "redact", "error", "model", "service", "hash", "source", "transport", "engine"]),
    ("client", &["channel", "redact", "error", "model", "service", "hash", "source", "transport", "engine", "runtime"]),
    // The faces: convert in, one call, convert out. Neither knows the other.
    ("capi", &["redact", "error", "model", "client"]),
    ("mobile", &["redact", "error", "model", "client"]),
];

/// These are functions of their inputs: no clock, thread, file, socket or chance of their own.
const PURE: &[&str] = &["from_json", "redact", "error", "model", "service", "engine"];
const IMPURE_WORDS: &[&str] =
    &["Instant", "SystemTime", "thread", "fs", "net", "TcpStream", "UdpSocket", "rand", "getrandom", "env"];

/// What each service is made of.
const SERVICE_FILES: &[&str] = &["session.rs", "request.rs", "response.rs", "fault.rs"];

/// Where it may be asked which service it is: the services, the type itself, the command's own arguments.
const MAY_ASK_WHICH: &[&str] = &[
    "src/service/",
    "src/model/target.rs",
    "src/capi/target.rs",
    "src/capi/word.rs",
    "src/mobile/target.rs",
    "cli/src/args.rs",
    "cli/src/target.rs",
];

// ---- the rules

/// `crate::x` and `super::…::x` name only what stands below.
fn layering(path: &str, text: &str) -> Vec<String> {
    let Some(module) = module_of(path) else { return vec![] };
    let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{path}:1: `{module}` is not in the table of layers")];
    };
    let code = Code::of(text);
    let mut wrong = vec![];
    let to_root = "super::".repeat(depth(path));
    for start in [Some("crate::"), (!to_root.is_empty()).then_some(to_root.as_str())].into_iter().flatten() {
        for (at, _) in code.text.match_indices(start) {
            let word_before =
                code.text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c));
            if word_before {
                continue;
            }
            for (offset, name) in first_names(&code.text[at + start.len()..]) {
                let known = LAYERS.iter().any(|(layer, _)| *layer == name);
                if known && name != module && !below.contains(&name.as_str()) {
                    let line = code.line(at + start.len() + offset);
                    wrong.push(format!("{path}:{line}: `{module}` may not name `{name}`"));
                }
            }
        }
    }
    wrong
}

/// The pure rooms read no clock and touch nothing.
fn purity(path: &str, text: &str) -> Vec<String> {
    if !module_of(path).is_some_and(|module| PURE.contains(&module.as_str())) {
        return vec![];
    }
    let code = Code::of(text);
    let mut wrong = vec![];
    for (at, word) in words(&code.text) {
        let rest = &code.text[at + word.len()..];
        let chance = word == "fastrand" && !rest.starts_with("::Rng") || word == "Rng" && rest.starts_with("::new");
        if chance || IMPURE_WORDS.contains(&word) {
            wrong.push(format!("{path}:{}: `{word}` in a module that is a function of its inputs", code.line(at)));
        }
    }
    wrong
}

/// Differences between services are capabilities and outcomes, never an `if` on the service.
fn no_service_names(path: &str, text: &str) -> Vec<String> {
    if MAY_ASK_WHICH.iter().any(|free| path.starts_with(free)) {
        return vec![];
    }
    let code = Code::of(text);
    let mut wrong = vec![];
    for what in ["ServiceName::Smh", "ServiceName::KooDrive", "Target::Smh", "Target::KooDrive"] {
        for (at, _) in code.text.match_indices(what) {
            wrong.push(format!("{path}:{}: `{what}`: only a service knows which one it is", code.line(at)));
        }
    }
    wrong
}

/// A folder of a service has the same four files as every other.
fn service_folder(name: &str, files: &BTreeSet<String>) -> Vec<String> {
    let missing = SERVICE_FILES.iter().filter(|file| !files.contains(**file));
    missing.map(|file| format!("src/service/{name}/: there is no {file}")).collect()
}

/// A file that no module declares is dead. `parents` are the texts of the files that may declare it.
fn dead(path: &str, parents: &[String]) -> Vec<String> {
    let file = Path::new(path).file_name().unwrap().to_str().unwrap();
    let name = if file == "mod.rs" { folder_name(path) } else { file.trim_end_matches(".rs") };
    let declared = |text: &String| {
        let text = Code::uncommented(text);
        let plain = words(&text)
            .into_iter()
            .any(|(at, word)| word == "mod" && words(&text[at + 3..]).first().is_some_and(|(_, next)| *next == name));
        plain || text.contains(&format!("#[path = \"{file}\"]"))
    };
    if parents.iter().any(declared) { vec![] } else { vec![format!("{path}:1: no module declares this file")] }
}

/// Every test that a document names is there. They are named as `file.rs: name_of_the_test`.
fn tests_named(path: &str, text: &str, test_text: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut wrong = vec![];
    for (line, file, name) in tests_of(text) {
        match test_text(&file) {
            None => wrong.push(format!("{path}:{line}: there is no {file}")),
            Some(text) if !text.contains(&format!("fn {name}(")) => {
                wrong.push(format!("{path}:{line}: there is no test `{name}` in {file}"));
            }
            Some(_) => {}
        }
    }
    wrong
}

// ---- the repository keeps them

#[test]
fn modules_name_only_what_stands_below_them() {
    check(layering, &["src"]);
}

#[test]
fn pure_modules_are_functions_of_their_inputs() {
    check(purity, &["src"]);
}

#[test]
fn only_services_know_which_one_they_are() {
    check(no_service_names, &["src", "cli/src"]);
}

#[test]
fn services_have_the_same_files() {
    let mut wrong = vec![];
    for entry in std::fs::read_dir(root().join("src/service")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let files = std::fs::read_dir(entry.path()).unwrap();
            let files = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            wrong.extend(service_folder(entry.file_name().to_str().unwrap(), &files));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_dead() {
    let mut wrong = vec![];
    for tree in ["src", "cli/src", "sandbox/src", "sandbox/tests/smh", "xtask/src"] {
        for path in files(tree) {
            let parents = parents(&path);
            if !parents.is_empty() {
                let texts: Vec<String> = parents.iter().filter_map(|parent| read(parent)).collect();
                wrong.extend(dead(&path, &texts));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documents_name_tests_that_exist() {
    let readme = read("README.md").unwrap();
    assert!(!tests_of(&readme).is_empty(), "README.md backs what it says with tests");
    let wrong = tests_named("README.md", &readme, read);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// ---- each rule can fail

#[test]
fn layering_bites() {
    let engine = |text: &str| layering("src/engine/order.rs", text);
    assert_eq!(
        engine("use crate::model::Now;\n\nuse crate::runtime::Clock;"),
        ["src/engine/order.rs:3: `engine` may not name `runtime`"]
    );
    assert_eq!(
        engine("use crate::{\n    error::{Code, runtime},\n    source::Source,\n};").len(),
        1,
        "of a group only its first names"
    );
    assert_eq!(engine("fn f() { crate::transport::send() }").len(), 1);
    assert_eq!(engine("use super::super::client::Client;").len(), 1);
    assert_eq!(layering("src/service/smh/request.rs", "use super::super::super::source::Source;").len(), 1);
    assert_eq!(layering("src/hash/mod.rs", "use super::service::Service;").len(), 1);
    assert_eq!(layering("src/capi/mod.rs", "use crate::mobile::X;").len(), 1);
    assert_eq!(layering("src/novelty/mod.rs", "").len(), 1);
    let fine = "//! As crate::client does.\nuse crate::{error::Code, service::Service};\nuse super::client;\n#[cfg(test)]\nmod tests {\n    use crate::client::Client;\n}\n";
    assert_eq!(engine(fine), [""; 0]);
    assert_eq!(layering("src/engine/tests/all.rs", "use crate::client::Client;"), [""; 0]);
}

#[test]
fn purity_bites() {
    let engine = |text: &str| purity("src/engine/order.rs", text);
    assert_eq!(
        engine("\nuse std::time::Instant;"),
        ["src/engine/order.rs:2: `Instant` in a module that is a function of its inputs"]
    );
    for bad in [
        "use std::{fmt, thread};",
        "std::fs::read(path)",
        "use std::net::IpAddr;",
        "let now = SystemTime::now();",
        "fastrand::u64(..)",
        "let rng = fastrand::Rng::new();",
    ] {
        assert_eq!(engine(bad).len(), 1, "{bad}");
        assert_eq!(purity("src/runtime/clock.rs", bad), [""; 0], "{bad}");
    }
    assert_eq!(engine("// An Instant stops.\nlet rng = fastrand::Rng::with_seed(seed); let instant = 1;"), [""; 0]);
}

#[test]
fn service_names_bite() {
    let bad = "fn f() {\n    if target.service() == ServiceName::Smh {}\n}";
    assert_eq!(
        no_service_names("src/engine/order.rs", bad),
        ["src/engine/order.rs:2: `ServiceName::Smh`: only a service knows which one it is"]
    );
    assert_eq!(no_service_names("cli/src/list.rs", "match t { Target::KooDrive(_) => {} }").len(), 1);
    assert_eq!(no_service_names("src/service/mod.rs", bad), [""; 0]);
}

#[test]
fn service_folders_bite() {
    let files: BTreeSet<String> = ["mod.rs", "session.rs", "request.rs", "response.rs"].map(str::to_owned).into();
    assert_eq!(service_folder("third", &files), ["src/service/third/: there is no fault.rs"]);
}

#[test]
fn dead_files_bite() {
    let parent = ["mod alive;\n// mod dead;\n#[path = \"odd_tests.rs\"]\nmod tests;\n".to_owned()];
    assert_eq!(dead("src/engine/dead.rs", &parent), ["src/engine/dead.rs:1: no module declares this file"]);
    assert_eq!(dead("src/engine/alive.rs", &parent), [""; 0]);
    assert_eq!(dead("src/engine/alive/mod.rs", &parent), [""; 0]);
    assert_eq!(dead("src/engine/odd_tests.rs", &parent), [""; 0]);
}

#[test]
fn named_tests_bite() {
    let tests = |file: &str| (file == "tests/a.rs").then(|| "fn it_holds() {}".to_owned());
    let named = |text: &str| tests_named("README.md", text, tests);
    assert_eq!(named("| so | `tests/a.rs: it_holds` |"), [""; 0]);
    assert_eq!(named("\n`tests/a.rs: it_falls`"), ["README.md:2: there is no test `it_falls` in tests/a.rs"]);
    assert_eq!(named("`tests/b.rs: it_holds`"), ["README.md:1: there is no tests/b.rs"]);
}

// ---- reading

/// Source text without comments and test modules; every byte where it was, so that lines are right.
struct Code {
    text: String,
}

impl Code {
    fn of(text: &str) -> Code {
        let text = Code::uncommented(text);
        let mut kept = String::with_capacity(text.len());
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            kept.push_str(line);
            let module = lines
                .peek()
                .is_some_and(|next| next.trim_start().starts_with("mod ") && next.trim_end().ends_with('{'));
            if line.trim() == "#[cfg(test)]" && module {
                let indent = line.len() - line.trim_start().len();
                for line in lines.by_ref() {
                    kept.push('\n');
                    if line.trim_end() == format!("{}}}", " ".repeat(indent)) {
                        break;
                    }
                }
            }
        }
        Code { text: kept }
    }

    fn uncommented(text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let comment = if line.trim_start().starts_with("//") { line.find("//") } else { line.find(" // ") };
            match comment {
                Some(at) => {
                    out.push_str(&line[..at]);
                    out.push('\n');
                }
                None => out.push_str(line),
            }
        }
        out
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

/// The module of the library that a file belongs to; `None` for `lib.rs`, tests, and what is not the library.
fn module_of(path: &str) -> Option<String> {
    let rest = path.strip_prefix("src/")?;
    let test = rest.contains("/tests/") || rest.ends_with("_tests.rs");
    (rest != "lib.rs" && !test).then(|| rest.split('/').next().unwrap().trim_end_matches(".rs").to_owned())
}

/// How many `super::` lead from a file's module to the root of the crate.
fn depth(path: &str) -> usize {
    let parts = path.trim_start_matches("src/").split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// The names that stand first in a path, or in each entry of a group of paths, with their places.
fn first_names(text: &str) -> Vec<(usize, String)> {
    let Some(group) = text.strip_prefix('{') else {
        return words(text)
            .into_iter()
            .next()
            .filter(|(at, _)| *at == 0)
            .map(|(at, word)| (at, word.to_owned()))
            .into_iter()
            .collect();
    };
    let (mut names, mut level, mut fresh) = (vec![], 0, true);
    let mut until = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => level += 1,
            '}' if level == 0 => break,
            '}' => level -= 1,
            ',' if level == 0 => fresh = true,
            c if level == 0 && fresh && (c.is_alphanumeric() || c == '_') && at >= until => {
                let word = words(&group[at..])[0].1;
                names.push((at + 1, word.to_owned()));
                until = at + word.len();
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn words(text: &str) -> Vec<(usize, &str)> {
    let (mut found, mut start) = (vec![], None);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() || c == '_';
        match start {
            None if inside => start = Some(at),
            Some(from) if !inside => {
                found.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// `file.rs: name` between backticks: line, file, name.
fn tests_of(text: &str) -> Vec<(usize, String, String)> {
    let mut found = vec![];
    for (number, line) in text.lines().enumerate() {
        for quoted in line.split('`').skip(1).step_by(2) {
            if let Some((file, name)) = quoted.split_once(".rs: ") {
                found.push((number + 1, format!("{file}.rs"), name.to_owned()));
            }
        }
    }
    found
}

fn folder_name(path: &str) -> &str {
    Path::new(path).parent().unwrap().file_name().unwrap().to_str().unwrap()
}

/// The files that may declare this one; none for the root of a crate.
fn parents(path: &str) -> Vec<String> {
    let path = Path::new(path);
    let file = path.file_name().unwrap().to_str().unwrap();
    let folder = if file == "mod.rs" { path.parent().unwrap().parent().unwrap() } else { path.parent().unwrap() };
    let is_root = |folder: &Path| folder.ends_with("src") || folder.ends_with("tests/smh");
    if file == "lib.rs" || file == "main.rs" {
        return vec![];
    }
    let mut candidates = vec![folder.join("mod.rs"), folder.with_extension("rs")];
    if is_root(folder) {
        candidates = vec![folder.join("lib.rs"), folder.join("main.rs")];
    }
    // A test file next to what it tests is declared there.
    if let Some(tested) = file.strip_suffix("_tests.rs") {
        candidates.push(folder.join(format!("{tested}.rs")));
    }
    candidates.into_iter().map(|path| path.to_str().unwrap().to_owned()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(root().join(path)).ok()
}

/// The Rust files of a tree, by their paths from the root, with `/`.
fn files(tree: &str) -> Vec<String> {
    let (mut found, mut open) = (vec![], vec![tree.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                open.push(path);
            } else if path.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{tree} holds Rust files");
    found
}

fn check(rule: fn(&str, &str) -> Vec<String>, trees: &[&str]) {
    let paths = trees.iter().flat_map(|tree| files(tree));
    let wrong: Vec<String> = paths.flat_map(|path| rule(&path, &read(&path).unwrap())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
