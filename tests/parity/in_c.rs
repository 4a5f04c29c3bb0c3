//! What the facade is made of, beside the functions of its client, has its name in C: asks and calls, fields, values of lists.

use std::{collections::BTreeSet, path::PathBuf};

use super::{lines, read};

/// Where the names of something are in C, and how they are made.
#[derive(Clone, Copy)]
enum InC {
    /// A macro each: this, and the name in capitals.
    Numbers(&'static str),
    /// A field each of this struct.
    Fields(&'static str),
    /// A function each: this, and the name.
    Functions(&'static str),
}
use InC::{Fields, Functions, Numbers};

/// Items of the facade that are one thing in C.
struct Row {
    /// `struct X`, `enum X`, `trait X` or `impl X`; with ` in path` where the name alone is not enough.
    rust: &'static [&'static str],
    c: InC,
    /// What is called otherwise: the names in C, or `- ` and why there is none.
    otherwise: &'static [(&'static str, &'static [&'static str])],
    /// What C has beyond it.
    beyond: &'static [&'static str],
}

const SUPPLIES: &[&str] = &[
    "partway_credential_ask_supply_token",
    "partway_credential_ask_supply_app_key",
    "partway_credential_ask_supply_app_signer",
];
const SIZE: &str = "struct_size";
const NOT_USED: &str = "reserved";

const ROWS: &[Row] = &[
    // ---- asks and calls
    Row {
        rust: &["impl CredentialAsk"],
        c: Functions("partway_credential_ask_"),
        otherwise: &[("supply", SUPPLIES)],
        beyond: &["free"],
    },
    Row { rust: &["enum Credential"], c: Functions("partway_credential_ask_supply_"), otherwise: &[], beyond: &[] },
    Row { rust: &["impl SourceAsk"], c: Functions("partway_source_ask_"), otherwise: &[], beyond: &["free"] },
    Row { rust: &["impl SignAsk"], c: Functions("partway_sign_ask_"), otherwise: &[], beyond: &["free"] },
    Row {
        rust: &["impl TransportCall"],
        c: Functions("partway_call_"),
        otherwise: &[("body_len", &["body_bytes"])],
        beyond: &["free"],
    },
    Row { rust: &["enum SourceWhat"], c: Functions("partway_source_new_"), otherwise: &[], beyond: &[] },
    Row {
        rust: &["trait Listener", "trait CredentialProvider", "trait SourceProvider", "trait Signer", "trait LogSink"],
        c: Fields("partway_host_t"),
        otherwise: &[
            ("provide", &["on_credential"]),
            ("open", &["on_source"]),
            ("sign", &["on_sign"]),
            ("log", &["on_log"]),
        ],
        beyond: &[SIZE, "context", "release"],
    },
    Row {
        rust: &["trait HostReader"],
        c: Fields("partway_reader_t"),
        otherwise: &[("len", &["length"])],
        beyond: &[SIZE, "context", "release", NOT_USED],
    },
    Row {
        rust: &["trait Transport"],
        c: Fields("partway_transport_t"),
        otherwise: &[],
        beyond: &[SIZE, "context", "release"],
    },
    // ---- what is given in
    Row {
        rust: &["struct UploadRequest", "struct Adopt", "struct SmhTarget", "struct KooDriveTarget"],
        c: Numbers("PARTWAY_REQUEST_"),
        otherwise: &[
            ("target", &["partway_request_new"]),
            ("source", &["partway_request_set_source"]),
            ("tags", &["PARTWAY_REQUEST_TAG"]),
            ("network", &["PARTWAY_REQUEST_NETWORK_POLICY"]),
            ("adopt", &["PARTWAY_REQUEST_ADOPT_CONFIRM_KEY"]),
            ("confirm_key", &["PARTWAY_REQUEST_ADOPT_CONFIRM_KEY"]),
            ("mode", &["PARTWAY_REQUEST_SMH_MODE"]),
            ("labels", &["PARTWAY_REQUEST_LABEL"]),
            ("private", &["PARTWAY_REQUEST_PRIVATE_DEPLOYMENT"]),
            ("edition", &["PARTWAY_REQUEST_KOODRIVE_EDITION"]),
        ],
        // That of `Conflict::Overwrite`.
        beyond: &["IF_VERSION"],
    },
    Row {
        rust: &["struct Change"],
        c: Numbers("PARTWAY_CHANGE_"),
        otherwise: &[("network", &["PARTWAY_CHANGE_NETWORK_POLICY"])],
        beyond: &["IF_VERSION"],
    },
    Row {
        rust: &["struct Config", "struct Tls"],
        c: Numbers("PARTWAY_CONFIG_"),
        otherwise: &[
            ("credentials", &["on_credential"]),
            ("sources", &["on_source"]),
            ("signer", &["on_sign"]),
            ("listener", &["on_changes", "on_forgotten", "on_idle"]),
            ("log", &["on_log"]),
            ("transport", &["partway_config_set_transport"]),
            ("limits", &["partway_config_set_limits"]),
            ("network", &["partway_config_set_network"]),
            ("tls", &["PARTWAY_CONFIG_EXTRA_CA_PEM"]),
            ("spki_sha256_pins", &["PARTWAY_CONFIG_SPKI_SHA256_PIN"]),
        ],
        beyond: &[],
    },
    Row {
        rust: &["struct Limits in src/runtime/host"],
        c: Fields("partway_limits_t"),
        otherwise: &[],
        beyond: &[SIZE, NOT_USED],
    },
    Row { rust: &["struct Network"], c: Fields("partway_network_t"), otherwise: &[], beyond: &[SIZE, NOT_USED] },
    // ---- what is given out
    Row {
        rust: &["struct Snapshot", "struct Progress"],
        c: Fields("partway_snapshot_t"),
        otherwise: &[("network", &["network_policy"]), ("progress", &["bytes_shown"])],
        // What the variants of its state hold, and how many tags there are.
        beyond: &[SIZE, NOT_USED, "tags_count", "phase", "waiting", "receipt", "error", "remote"],
    },
    Row { rust: &["struct Waiting"], c: Fields("partway_waiting_t"), otherwise: &[], beyond: &[SIZE, NOT_USED] },
    Row {
        rust: &["struct Receipt"],
        c: Fields("partway_receipt_t"),
        otherwise: &[],
        beyond: &[SIZE, NOT_USED, "path_count"],
    },
    Row {
        rust: &["struct ErrorInfo"],
        c: Fields("partway_error_t"),
        otherwise: &[],
        // What Rust works out by functions.
        beyond: &[SIZE, NOT_USED, "name", "category", "disposition", "remedy", "log_line"],
    },
    Row {
        rust: &["struct Explanation"],
        c: Fields("partway_explanation_t"),
        otherwise: &[],
        beyond: &[SIZE, "blocked_by_count"],
    },
    Row { rust: &["struct Idle"], c: Fields("partway_idle_t"), otherwise: &[], beyond: &[SIZE, NOT_USED] },
    Row {
        rust: &["struct Digests"],
        c: Fields("partway_digests_t"),
        otherwise: &[],
        beyond: &[SIZE, "midstates_count"],
    },
    Row { rust: &["struct PartMidstate"], c: Fields("partway_midstate_t"), otherwise: &[], beyond: &[NOT_USED] },
    Row {
        rust: &["struct RemoteTask"],
        c: Fields("partway_remote_task_t"),
        otherwise: &[],
        beyond: &[SIZE, NOT_USED, "path_count", "parts_count"],
    },
    Row { rust: &["struct ListedPart"], c: Fields("partway_listed_part_t"), otherwise: &[], beyond: &[NOT_USED] },
    Row {
        rust: &["struct HttpRequest"],
        c: Fields("partway_http_request_t"),
        otherwise: &[],
        beyond: &[SIZE, NOT_USED, "headers_count", "body_bytes"],
    },
    Row {
        rust: &["struct FdRange"],
        c: Fields("partway_body_range_t"),
        otherwise: &[("len", &["size_bytes"])],
        beyond: &[SIZE, NOT_USED],
    },
    // ---- the values of lists
    Row {
        rust: &["enum ServiceName"],
        c: Numbers("PARTWAY_SERVICE_"),
        otherwise: &[("KooDrive", &["PARTWAY_SERVICE_KOODRIVE"])],
        beyond: &[],
    },
    Row { rust: &["enum State"], c: Numbers("PARTWAY_STATE_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum Phase"], c: Numbers("PARTWAY_PHASE_"), otherwise: &[], beyond: &["OTHER"] },
    Row { rust: &["enum WaitReason"], c: Numbers("PARTWAY_WAITING_"), otherwise: &[], beyond: &["OTHER"] },
    Row { rust: &["enum Remote"], c: Numbers("PARTWAY_REMOTE_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum RemoteLook"], c: Numbers("PARTWAY_LOOK_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum How"], c: Numbers("PARTWAY_HOW_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum Why"], c: Numbers("PARTWAY_WHY_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum SignOut"], c: Numbers("PARTWAY_SIGN_OUT_"), otherwise: &[], beyond: &[] },
    Row {
        rust: &["enum Select"],
        c: Numbers("PARTWAY_SELECT_"),
        otherwise: &[("One", &["PARTWAY_SELECT_ID"])],
        beyond: &[],
    },
    Row { rust: &["enum NetworkPolicy"], c: Numbers("PARTWAY_NETWORK_POLICY_"), otherwise: &[], beyond: &[] },
    Row {
        rust: &["enum Online"],
        c: Numbers("PARTWAY_NETWORK_"),
        otherwise: &[],
        beyond: &["POLICY_ANY", "POLICY_NO_ROAMING", "POLICY_UNMETERED"],
    },
    Row { rust: &["enum LogLevel"], c: Numbers("PARTWAY_LOG_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum Conflict"], c: Numbers("PARTWAY_CONFLICT_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum ConflictChoice"], c: Numbers("PARTWAY_CHOICE_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum OnChange"], c: Numbers("PARTWAY_ON_CHANGE_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum InstantMode"], c: Numbers("PARTWAY_INSTANT_"), otherwise: &[], beyond: &[] },
    Row { rust: &["enum SmhMode"], c: Numbers("PARTWAY_SMH_MODE_"), otherwise: &[], beyond: &[] },
    Row {
        rust: &["enum KooDriveEdition"],
        c: Numbers("PARTWAY_KOODRIVE_EDITION_"),
        otherwise: &[("International2024", &["PARTWAY_KOODRIVE_EDITION_INTERNATIONAL_2024"])],
        beyond: &[],
    },
    Row {
        rust: &["enum TransportFault in src/transport/host"],
        c: Numbers("PARTWAY_FAULT_"),
        otherwise: &[],
        beyond: &[],
    },
];

// ---- reading

/// What an item has: fields, variants or functions that are public and not hidden. None when the text has no such item.
fn names(text: &str, item: &str) -> Option<Vec<String>> {
    let (kind, _) = item.split_once(' ')?;
    let head = if kind == "impl" { item.to_owned() } else { format!("pub {item}") };
    let is_head = |line: &&str| line.strip_prefix(&head).is_some_and(|rest| rest == " {" || rest.starts_with(": "));
    let mut all = text.lines().skip_while(|line| !is_head(line));
    all.next()?;
    let (mut found, mut hidden) = (vec![], false);
    for line in all.take_while(|line| *line != "}") {
        let Some(line) = line.strip_prefix("    ").filter(|line| !line.starts_with([' ', '/'])) else { continue };
        if line.starts_with('#') {
            hidden |= line.contains("doc(hidden)");
            continue;
        }
        let rest = match kind {
            "struct" => line.strip_prefix("pub "),
            "trait" => line.strip_prefix("fn "),
            "impl" => line.strip_prefix("pub fn "),
            _ => Some(line).filter(|line| line.starts_with(char::is_uppercase)),
        };
        if let (Some(rest), false) = (rest, hidden) {
            found.push(word(rest).to_owned());
        }
        hidden = false;
    }
    Some(found)
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())]
}

/// `TwoWords` as `two_words`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// Every word of the header's declarations.
fn words(header: &str) -> BTreeSet<String> {
    let bare = super::Text::of(header).bare.join("\n");
    bare.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect()
}

/// The fields of a struct of the header.
fn fields(header: &str, name: &str) -> Vec<String> {
    let bare = super::Text::of(header).bare.join("\n");
    let Some((_, rest)) = bare.split_once(&format!("typedef struct {name} {{")) else { return vec![] };
    let body = rest.split_once("\n}").map_or("", |(body, _)| body);
    let field = |one: &str| {
        let head = match one.split_once("(*") {
            Some((_, function)) => return Some(word(function).to_owned()),
            None => one.split('[').next()?.trim(),
        };
        Some(head.rsplit([' ', '*']).next()?.to_owned()).filter(|name| !name.is_empty())
    };
    body.split(';').filter_map(field).collect()
}

/// What is wrong between the facade and C: `source` gives the text of an item's file.
fn differences(rows: &[Row], header: &str, source: impl Fn(&str) -> Option<(String, String)>) -> Vec<String> {
    let (all, mut wrong) = (words(header), vec![]);
    for row in rows {
        let mut covered: BTreeSet<String> = row.beyond.iter().map(|name| (*name).to_owned()).collect();
        let there = match row.c {
            Numbers(prefix) => of(&all, prefix).into_iter().collect(),
            Functions(prefix) => of(&all, prefix),
            Fields(name) => fields(header, name).into_iter().collect(),
        };
        let mut unused: BTreeSet<&str> = row.otherwise.iter().map(|(name, _)| *name).collect();
        for item in row.rust {
            let Some((text, item)) = source(item) else {
                wrong.push(format!("there is no `{item}`"));
                continue;
            };
            for name in names(&text, &item).unwrap_or_default() {
                unused.remove(name.as_str());
                if let Some((_, others)) = row.otherwise.iter().find(|(one, _)| *one == name) {
                    let missing = others.iter().filter(|other| !other.starts_with("- ") && !all.contains(**other));
                    wrong.extend(missing.map(|other| format!("`{item}`: `{name}`: there is no {other} in C")));
                    let prefix = match row.c {
                        Numbers(prefix) | Functions(prefix) => prefix,
                        Fields(_) => "",
                    };
                    covered.extend(others.iter().filter_map(|other| other.strip_prefix(prefix)).map(str::to_owned));
                    continue;
                }
                let expected = match row.c {
                    Numbers(_) => snake(&name).to_uppercase(),
                    Fields(_) | Functions(_) => snake(&name),
                };
                if !there.contains(&expected) {
                    wrong.push(format!("`{item}`: `{name}` has no name in C"));
                }
                covered.insert(expected);
            }
        }
        wrong.extend(unused.into_iter().map(|name| format!("`{}`: there is no `{name}`", row.rust.join(", "))));
        // Functions are held to be in the other direction by include/exports.txt.
        let left = there.iter().filter(|name| !covered.contains(*name) && !matches!(row.c, Functions(_)));
        wrong.extend(left.map(|name| format!("`{}`: `{name}` of C is not there", row.rust.join(", "))));
        if let Functions(_) = row.c {
            let gone = row.beyond.iter().filter(|name| !there.contains(**name));
            wrong.extend(gone.map(|name| format!("`{}`: C has no {name}", row.rust.join(", "))));
        }
    }
    wrong
}

fn of(all: &BTreeSet<String>, prefix: &str) -> BTreeSet<String> {
    all.iter().filter_map(|word| word.strip_prefix(prefix)).map(str::to_owned).collect()
}

/// The file of the facade that has an item, and the item.
fn file_with(item: &str) -> Option<(String, String)> {
    let (item, under) = item.split_once(" in ").unwrap_or((item, "src"));
    let mut found = vec![];
    let mut rest = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(path) = rest.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            rest.extend(entries.filter(|path| !path.ends_with("src/capi") && !path.ends_with("src/mobile")));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            if names(&text, item).is_some() {
                found.push(text);
            }
        }
    }
    assert!(found.len() < 2, "`{item}` is in {} files of {under}", found.len());
    Some((found.pop()?, item.to_owned()))
}

#[test]
fn all_of_the_facade_is_in_c() {
    let wrong = differences(ROWS, &read("include/partway.h"), file_with);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_in_c_is_missed() {
    const TEXT: &str = "pub struct Bounds {\n    /// A.\n    pub one: u32,\n    #[doc(hidden)]\n    pub test: u32,\n    pub two: u32,\n}\n\npub enum Kind {\n    First {\n        x: u8,\n    },\n    LastOne,\n}\n\nimpl Ask {\n    pub fn say(&self) {}\n    fn own() {}\n}\n";
    const HEADER: &str = "typedef struct bounds_t {\n    /** three; */\n    size_t struct_size;\n    uint32_t one;\n    void (*two)(int a, int b);\n} bounds_t;\n#define KIND_FIRST 1\n#define KIND_LAST_ONE 2\nint ask_say(void);\nint ask_free(void);\n";
    let rows = |otherwise| {
        [
            Row { rust: &["struct Bounds"], c: Fields("bounds_t"), otherwise, beyond: &[SIZE] },
            Row { rust: &["enum Kind"], c: Numbers("KIND_"), otherwise: &[], beyond: &[] },
            Row { rust: &["impl Ask"], c: Functions("ask_"), otherwise: &[], beyond: &["free"] },
        ]
    };
    let wrong = |text: &str, header: &str, otherwise| {
        let source = |item: &str| names(text, item).map(|_| (text.to_owned(), item.to_owned()));
        differences(&rows(otherwise), header, source).join(", ")
    };
    assert_eq!(wrong(TEXT, HEADER, &[]), "");
    assert_eq!(wrong(TEXT, &HEADER.replace("    uint32_t one;\n", ""), &[]), "`struct Bounds`: `one` has no name in C");
    assert_eq!(wrong(TEXT, &HEADER.replace("(*two)", "(*other)"), &[("two", &["other"])]), "");
    assert_eq!(wrong(TEXT, HEADER, &[("two", &["- a reason"])]), "`struct Bounds`: `two` of C is not there");
    assert_eq!(wrong(TEXT, HEADER, &[("three", &["- a reason"])]), "`struct Bounds`: there is no `three`");
    assert_eq!(
        wrong(&TEXT.replace("    pub two: u32,\n", ""), HEADER, &[]),
        "`struct Bounds`: `two` of C is not there"
    );
    assert_eq!(
        wrong(TEXT, &HEADER.replace("KIND_LAST_ONE 2", "KIND_LAST 2"), &[]),
        "`enum Kind`: `LastOne` has no name in C, `enum Kind`: `LAST` of C is not there"
    );
    assert_eq!(wrong(TEXT, &HEADER.replace("ask_say", "ask_tell"), &[]), "`impl Ask`: `say` has no name in C");
    assert_eq!(wrong(TEXT, &HEADER.replace("int ask_free(void);", "/* ask_free */"), &[]), "`impl Ask`: C has no free");
    assert_eq!(
        wrong(&TEXT.replace("enum Kind", "enum Sort"), HEADER, &[]),
        "there is no `enum Kind`, `enum Kind`: `FIRST` of C is not there, `enum Kind`: `LAST_ONE` of C is not there"
    );
    assert_eq!(lines("# a\nb\n").collect::<Vec<_>>(), ["b"]);
}
