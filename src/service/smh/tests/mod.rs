//! What every test of SMH starts from.

mod faults;
mod golden;
mod hostile;
mod modes;
mod place;
mod probe;
mod readers;
mod requests;

use super::Smh;
use crate::{
    model::{Conflict, Credential, Part, PartPlan, SmhTarget, http::Answer},
    service::{Caller, Offer, Proof, Session},
};

/// The least that a target needs.
fn target() -> SmhTarget {
    SmhTarget {
        endpoint: "https://api.tencentsmh.cn".to_owned(),
        account: "me".to_owned(),
        library: "smh0abc".to_owned(),
        path: "foo/bar.mp4".to_owned(),
        create_parents: true,
        ..SmhTarget::default()
    }
}

fn smh(target: SmhTarget) -> Smh {
    Smh::open(target).unwrap_or_else(|error| panic!("{error}"))
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn coded(status: u16, code: &str) -> Answer {
    answer(status, &[], &format!(r#"{{"code":"{code}","message":"m","requestId":"r-1"}}"#))
}

fn session() -> Session {
    Session(serde_json::json!({ "confirm_key": "6bdfd20dfb104848" }))
}

fn plan() -> PartPlan {
    PartPlan { size_bytes: 10 << 20, part_size_bytes: 4 << 20 }
}

fn part(part_number: u32) -> Part {
    plan().part(part_number).expect("the plan has it")
}

/// When the complete of [`proof`] was sent: 2026-01-07T00:00:00Z.
const SENT_AT_UNIX_MS: i64 = 1_767_744_000_000;

fn proof(conflict: Conflict) -> Proof {
    Proof {
        size_bytes: 10 << 20,
        crc64: 11_051_210_869_376_104_954,
        sha256: None,
        conflict,
        service_unix_ms: SENT_AT_UNIX_MS,
    }
}

/// Runs with a caller whose token needs encoding.
fn with_caller<T>(run: impl FnOnce(Caller<'_>) -> T) -> T {
    let credential = Credential::token("canary+token/=");
    run(Caller { credential: &credential, service_unix_ms: SENT_AT_UNIX_MS })
}

/// Every part there can be: nothing that an answer names was not asked for.
fn every() -> Vec<u32> {
    (1..=10_000).collect()
}
