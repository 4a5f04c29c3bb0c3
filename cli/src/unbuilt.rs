//! What the contract names and the library can't do yet: parsed, then refused. An entry goes when its feature comes.

use partway::error::{Code, ErrorInfo};

use crate::{
    args::{AdoptArgs, ExplainArgs, UploadArgs},
    exit::Exit,
    words::{InstantWord, ModeWord, Service},
};

type Unbuilt<A> = (&'static str, fn(&A) -> bool);

const UPLOAD: &[Unbuilt<UploadArgs>] = &[
    ("--mode simple", |args| args.smh.mode == Some(ModeWord::Simple)),
    ("--mode form", |args| args.smh.mode == Some(ModeWord::Form)),
    ("--instant always", |args| args.instant == InstantWord::Always && args.service == Service::Smh),
    ("--verify-source", |args| args.verify_source),
];

const EXPLAIN: &[Unbuilt<ExplainArgs>] = &[("--remote", |args| args.remote)];

/// Refuses an upload that asks for one of them.
pub(crate) fn upload(args: &UploadArgs) -> Result<(), ErrorInfo> {
    check(UPLOAD, args)
}

/// Refuses an explanation that asks for one of them.
pub(crate) fn explain(args: &ExplainArgs) -> Result<(), ErrorInfo> {
    check(EXPLAIN, args)
}

/// `partway adopt` is one of them.
pub(crate) fn adopt(_: &AdoptArgs) -> Result<Exit, ErrorInfo> {
    Err(refusal("adopt"))
}

fn check<A>(table: &[Unbuilt<A>], args: &A) -> Result<(), ErrorInfo> {
    match table.iter().find(|(_, asked)| asked(args)) {
        Some((what, _)) => Err(refusal(what)),
        None => Ok(()),
    }
}

fn refusal(what: &str) -> ErrorInfo {
    ErrorInfo::new(Code::Unsupported, format!("`{what}` is not in this version yet"))
}
