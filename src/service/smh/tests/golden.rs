//! Requests and answers as text, compared with `tests/golden/smh/`; `PARTWAY_BLESS=1` writes what is built now.
//!
//! `<name>.request.txt` is a request. `<reader>-<quirk>.answer.txt` is an answer as it came, `<reader>-<quirk>.outcome.txt` how it is read.

use std::{fmt::Write, fs, path::PathBuf};

use super::{Offer, every, plan, proof, requests, session, smh, target};
use crate::{
    model::{
        Conflict,
        http::{Answer, Body, Request, Sent},
    },
    service::{Begin, Inspected, Lease, Link, Service},
};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "golden", "smh"].iter().collect()
}

/// `None` when it is as it should be.
fn compare(name: &str, built: &str) -> Option<String> {
    let path = folder().join(name);
    if std::env::var_os("PARTWAY_BLESS").is_some() {
        fs::write(&path, built).expect("the fixture can be written");
        return None;
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    if wanted == built {
        return None;
    }
    let mut diff = format!("--- {name}\n+++ built\n");
    let (mut old, mut new) = (wanted.lines(), built.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => break Some(diff),
            (old, new) if old == new => diff += &format!("  {}\n", old.unwrap_or_default()),
            (old, new) => {
                diff.extend(old.map(|line| format!("- {line}\n")));
                diff.extend(new.map(|line| format!("+ {line}\n")));
            }
        }
    }
}

fn assert_same(diffs: Vec<String>) {
    assert!(diffs.is_empty(), "{} fixtures differ; PARTWAY_BLESS=1 rewrites them\n{}", diffs.len(), diffs.join("\n"));
}

fn headers_of(link: &[(String, crate::redact::Secret)], text: &mut String) {
    for (name, value) in link {
        writeln!(text, "{name}: {}", value.expose()).expect("a text");
    }
}

fn request_text(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method.name(), request.url.expose());
    headers_of(&request.headers, &mut text);
    writeln!(text, "# answer at most {} bytes, within {} ms", request.answer_bytes_max, request.patience_ms)
        .expect("a text");
    match &request.body {
        Body::Empty => {}
        Body::Bytes(bytes) => text += &format!("\n{}\n", std::str::from_utf8(bytes).expect("UTF-8")),
        Body::Source(range) => text += &format!("\n<{} bytes of the source from {}>\n", range.len, range.offset),
        Body::Form { head, range, tail } => {
            let text_of = |bytes: &[u8]| std::str::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n");
            text += &format!("\n{}", text_of(head));
            text += &format!("<{} bytes of the source from {}>{}", range.len, range.offset, text_of(tail));
        }
    }
    text
}

fn link_text(what: &str, link: &Link, text: &mut String) {
    writeln!(text, "{what} {}", link.url.expose()).expect("a text");
    headers_of(&link.headers, text);
}

fn lease_text(lease: &Lease) -> String {
    let mut text = format!("lease until {:?}\n", lease.expires_unix_ms);
    if let Some(link) = &lease.shared {
        link_text("every part", link, &mut text);
    }
    for (number, link) in &lease.links {
        link_text(&format!("part {number}"), link, &mut text);
    }
    text
}

fn maybe_lease(lease: Option<&Lease>) -> String {
    lease.map_or_else(|| "no lease\n".to_owned(), lease_text)
}

fn outcome(reader: &str, answer: &Answer) -> String {
    let smh = smh(target());
    let sent = Sent { bytes: 4 << 20, crc64: 11_051_210_869_376_104_954 };
    let result = match reader {
        "begin" => smh.read_begin(Offer::default(), answer).map(|begin| match begin {
            Begin::Session { session, lease } => format!("session {}\n{}", session.0, maybe_lease(lease.as_ref())),
            done => format!("{done:#?}\n"),
        }),
        "create_parent" => smh.read_create_parent(answer).map(|()| "created\n".to_owned()),
        "sign" => smh.read_sign(&session(), &every(), answer).map(|lease| lease_text(&lease)),
        "put" => smh.read_put(answer, &sent).map(|stored| format!("{stored:#?}\n")),
        "inspect" => smh.read_inspect(&session(), &plan(), None, answer).map(|inspected| match inspected {
            Inspected::Open { parts, lease } => format!("parts {parts:#?}\n{}", maybe_lease(lease.as_ref())),
            done => format!("{done:#?}\n"),
        }),
        "task" => smh.read_task(&session(), answer).map(|task| format!("{task:#?}\n")),
        "probe" => smh.read_probe(&proof(Conflict::Ask), answer).map(|probed| format!("{probed:#?}\n")),
        "complete" => {
            smh.read_complete(&session(), &proof(Conflict::Ask), answer).map(|complete| format!("{complete:#?}\n"))
        }
        "abort" => smh.read_abort(answer).map(|()| "gone\n".to_owned()),
        _ => panic!("no reader is called {reader}"),
    };
    result.unwrap_or_else(|fault| format!("{fault:#?}\n"))
}

/// `HTTP <status>`, headers, an empty line, the body without the file's last line end.
fn parse_answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\n\n").expect("an empty line ends the headers");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP ")).expect("a status line");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("name: value");
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Answer {
        status: status.parse().expect("a status"),
        headers: lines.map(header).collect(),
        body: body.strip_suffix('\n').unwrap_or(body).as_bytes().to_vec(),
    }
}

#[test]
fn requests_are_what_they_were() {
    let all = requests::all();
    assert_same(
        all.iter()
            .filter_map(|(name, request)| compare(&format!("{name}.request.txt"), &request_text(request)))
            .collect(),
    );
    let kept =
        fs::read_dir(folder()).expect("the folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let kept = kept.filter(|name| name.ends_with(".request.txt")).count();
    assert_eq!(kept, all.len(), "a request fixture without a request");
}

#[test]
fn answers_are_read_as_they_were() {
    let mut diffs = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let Some(stem) = name.strip_suffix(".answer.txt") else { continue };
        let (reader, _) = stem.split_once('-').expect("reader-quirk");
        let answer = parse_answer(&fs::read_to_string(&path).expect("the fixture"));
        diffs.extend(compare(&format!("{stem}.outcome.txt"), &outcome(reader, &answer)));
        seen += 1;
    }
    assert!(seen > 40, "only {seen} answers were found");
    assert_same(diffs);
}
