//! What every test of KooDrive starts from.

mod faults;
mod golden;
mod hostile;
mod place;
mod readers;
mod requests;

use super::KooDrive;
use crate::{
    model::{Conflict, Credential, KooDriveTarget, Part, PartPlan, http::Answer},
    redact::Secret,
    service::{Caller, Content, Offer, Proof, Session},
};

const FILE_ID: &str = "Fqo2kYHmsgWg5whxzYHZLL7mebXbBr1no";
const CONTAINER: &str = "IAADfsBFCO6WtAtuA9add2fea594e4e75b8feb8474ef236";
const USER: &str = "1505084218764547200";
/// koodrive §11, vector A.
const SHA256: &str = "99254018a4506cae413a471f8b9d968a1ab1771565f3247b6e1c3f927e9a572f";

/// The least that a target needs.
fn target() -> KooDriveTarget {
    KooDriveTarget {
        endpoint: "https://cn.myhuaweicloud-koodrive.com".to_owned(),
        account: "me".to_owned(),
        container: CONTAINER.to_owned(),
        name: "test.zip".to_owned(),
        ..KooDriveTarget::default()
    }
}

fn koo(target: KooDriveTarget) -> KooDrive {
    KooDrive::open(target).unwrap_or_else(|error| panic!("{error}"))
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn session() -> Session {
    Session(
        serde_json::json!({ "file_id": FILE_ID, "file_name": "test_20240104_105403.zip", "container_id": "space-1" }),
    )
}

/// Vector A: 20 MiB in four parts.
fn plan() -> PartPlan {
    PartPlan { size_bytes: 20 << 20, part_size_bytes: 5 << 20 }
}

fn part(part_number: u32) -> Part {
    plan().part(part_number).expect("the plan has it")
}

/// What is known of vector A once it was hashed, with the proof for [`USER`].
fn content() -> Content {
    let midstates = [
        (
            2,
            [
                3_421_553_783,
                3_807_075_027,
                1_869_373_043,
                2_340_992_472,
                2_724_404_595,
                3_434_595_078,
                1_034_840_972,
                91_544_355,
            ],
        ),
        (
            3,
            [
                1_744_763_919,
                1_351_919_588,
                2_915_394_129,
                3_958_360_420,
                846_895_982,
                2_808_795_539,
                1_859_941_231,
                608_676_324,
            ],
        ),
        (
            4,
            [
                2_280_063_797,
                3_668_803_770,
                1_733_653_544,
                3_263_184_129,
                3_980_569_700,
                3_653_570_809,
                860_164_225,
                1_017_836_532,
            ],
        ),
    ];
    Content {
        pre_hash: Some("2bce1ba628720664be4b9fdd77aae0678e5f0f3f02fc6ff641ec879094f6a404".to_owned()),
        sha256: Some(SHA256.to_owned()),
        proof: Some(vec![0x7e, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85]),
        midstates: midstates.into_iter().collect(),
        ..Content::default()
    }
}

fn proof() -> Proof {
    Proof {
        size_bytes: 20 << 20,
        crc64: 11_051_210_869_376_104_954,
        sha256: Some(SHA256.to_owned()),
        conflict: Conflict::Rename,
        service_unix_ms: ASKED_AT_UNIX_MS,
    }
}

/// Two seconds after 2024-09-09T03:33:25Z, the date of koodrive §8.2.
const ASKED_AT_UNIX_MS: i64 = 1_725_852_807_000;

/// Runs with a caller who has a token.
fn with_caller<T>(run: impl FnOnce(Caller<'_>) -> T) -> T {
    let credential = Credential::token("Bearer canary+token/=");
    run(Caller { credential: &credential, service_unix_ms: ASKED_AT_UNIX_MS })
}

/// Runs with a caller who signs.
fn with_app<T>(run: impl FnOnce(Caller<'_>) -> T) -> T {
    let credential = Credential::AppKey {
        app_id: "testappid".to_owned(),
        app_secret: Secret::new("testappsecret"),
        user_id: USER.to_owned(),
    };
    run(Caller { credential: &credential, service_unix_ms: ASKED_AT_UNIX_MS })
}

/// Every part there can be: nothing that an answer names was not asked for.
fn every() -> Vec<u32> {
    (1..=10_000).collect()
}

/// A begin that said all of this, the name being taken.
fn known(proof: &Proof) -> Offer<'_> {
    Offer { proof: Some(proof), taken: true, conflict: None }
}
