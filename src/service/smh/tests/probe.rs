//! Whose object lies at the path.

use super::{answer, proof, smh, target};
use crate::{
    model::Conflict,
    service::{Fault, Probed, Service},
};

const SAME: [(&str, &str); 2] = [("x-smh-size", "10485760"), ("x-smh-crc64", "11051210869376104954")];
const OTHER: [(&str, &str); 2] = [("x-smh-size", "10485760"), ("x-smh-crc64", "1")];
const NEW: (&str, &str) = ("x-smh-creation-time", "2026-01-06T23:59:58.000Z");
const OLD: (&str, &str) = ("x-smh-creation-time", "2026-01-06T23:59:57.999Z");

fn word(probed: &Probed) -> &'static str {
    match probed {
        Probed::Done(_) => "done",
        Probed::NotDone => "not done",
        Probed::CannotTell => "cannot tell",
    }
}

#[test]
#[allow(clippy::type_complexity)] // A table, read where it stands.
fn what_is_there_is_ours_only_with_proof() {
    let overwrite = Conflict::Overwrite { if_version: None };
    let strategies = [Conflict::Rename, Conflict::Ask, overwrite];
    let rows: &[(&[(&str, &str)], [&str; 3])] = &[
        (&[SAME[0], SAME[1], NEW], ["done", "done", "done"]),
        (&[SAME[0], SAME[1], OLD], ["cannot tell", "not done", "cannot tell"]),
        (&SAME, ["cannot tell", "cannot tell", "cannot tell"]),
        (&[SAME[0], NEW], ["cannot tell", "cannot tell", "cannot tell"]),
        (&[SAME[1], NEW], ["cannot tell", "cannot tell", "cannot tell"]),
        (&[], ["cannot tell", "cannot tell", "cannot tell"]),
        (&[OTHER[0], OTHER[1], NEW], ["cannot tell", "not done", "cannot tell"]),
        (&[OTHER[0], OTHER[1], OLD], ["cannot tell", "not done", "not done"]),
        (&OTHER, ["cannot tell", "not done", "cannot tell"]),
        (&[("x-smh-size", "7"), OLD], ["cannot tell", "not done", "not done"]),
    ];
    for (headers, wanted) in rows {
        for (strategy, wanted) in strategies.iter().zip(wanted) {
            let probed = smh(target()).read_probe(&proof(strategy.clone()), &answer(200, headers, ""));
            assert_eq!(word(&probed.expect("an outcome")), *wanted, "{strategy:?} {headers:?}");
        }
    }
}

#[test]
fn a_portal_page_is_no_answer() {
    let read = |headers: &[(&str, &str)]| smh(target()).read_probe(&proof(Conflict::Ask), &answer(200, headers, ""));
    let page = ("content-type", "text/html; charset=utf-8");
    assert!(matches!(read(&[page]), Err(Fault::Retry(_))));
    assert!(matches!(read(&[page, SAME[0], SAME[1], NEW]), Ok(Probed::Done(_))), "the file itself may be one");
}

#[test]
fn what_is_absent_was_not_made() {
    for strategy in [Conflict::Rename, Conflict::Ask, Conflict::Refuse, Conflict::KeepIfSame] {
        let probed = smh(target()).read_probe(&proof(strategy), &answer(404, &[], ""));
        assert!(matches!(probed, Ok(Probed::NotDone)));
    }
}

#[test]
fn a_refused_look_says_why_by_status() {
    let read = |status| smh(target()).read_probe(&proof(Conflict::Ask), &answer(status, &[], "")).expect_err("refused");
    assert!(matches!(read(401), Fault::CredentialRefused(_)));
    assert!(matches!(read(403), Fault::CredentialRefused(_)));
    assert!(matches!(read(500), Fault::Retry(_)));
    assert!(matches!(read(206), Fault::Retry(_)));
}
