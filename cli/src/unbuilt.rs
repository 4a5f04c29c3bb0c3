//! What the contract names and the library can't do yet: parsed, then refused. An entry goes when its feature comes.

use partway::error::{Code, ErrorInfo};

use crate::args::{ExplainArgs, UploadArgs};

type Unbuilt<A> = (&'static str, fn(&A) -> bool);

const UPLOAD: &[Unbuilt<UploadArgs>] = &[("--verify-source", |args| args.verify_source)];

const EXPLAIN: &[Unbuilt<ExplainArgs>] = &[("--remote", |args| args.remote)];

/// Refuses an upload that asks for one of them.
pub(crate) fn upload(args: &UploadArgs) -> Result<(), ErrorInfo> {
    check(UPLOAD, args)
}

/// Refuses an explanation that asks for one of them.
pub(crate) fn explain(args: &ExplainArgs) -> Result<(), ErrorInfo> {
    check(EXPLAIN, args)
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
