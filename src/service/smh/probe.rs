//! What lies at the path, and whether it is ours (smh §1.3): the settlement of a complete whose task is forgotten.

use crate::{
    model::{Conflict, Receipt, http::Answer},
    service::{
        Fault, Probed, Proof, check, iso8601,
        smh::{
            fault::{self, WORDS},
            place::Place,
        },
        verdict::Op,
    },
};

/// How much earlier than our clock of the service an object of ours may be dated.
const CLOCK_SLACK_MS: i64 = 2_000;

/// What the headers of a HEAD say.
struct Seen {
    size_bytes: Option<u64>,
    crc64: Option<u64>,
    created_unix_ms: Option<i64>,
}

impl Seen {
    fn of(answer: &Answer) -> Seen {
        let number = |name| answer.header(name).and_then(|text| text.trim().parse().ok());
        Seen {
            size_bytes: number("x-smh-size"),
            crc64: number("x-smh-crc64"),
            created_unix_ms: answer.header("x-smh-creation-time").and_then(iso8601::parse),
        }
    }

    /// `None` when nothing is told that differs, yet not all that is needed.
    fn same_content(&self, proof: &Proof) -> Option<bool> {
        let size = self.size_bytes.map(|size| size == proof.size_bytes);
        let crc64 = self.crc64.map(|crc64| crc64 == proof.crc64);
        match (size, crc64) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        }
    }

    /// Whether it was created after the complete was sent.
    fn is_newer(&self, proof: &Proof) -> Option<bool> {
        Some(self.created_unix_ms? >= proof.service_unix_ms.saturating_sub(CLOCK_SLACK_MS))
    }
}

/// How our complete treats what lies at the path.
#[derive(Clone, Copy)]
enum Way {
    /// It would have gone elsewhere.
    Around,
    /// It would have replaced it.
    Over,
    /// It would have been refused.
    Nowhere,
}

impl Place {
    pub(super) fn read_probe(&self, proof: &Proof, answer: &Answer) -> Result<Probed, Fault> {
        let seen = Seen::of(answer);
        // A portal's page may have any status, and says nothing of any file.
        let told = seen.size_bytes.is_some() || seen.crc64.is_some() || seen.created_unix_ms.is_some();
        if check::is_web_page(answer) && !told {
            return Err(WORDS.malformed(Op::Probe, answer, "it is a web page"));
        }
        match answer.status {
            200 => {}
            // A free name would have been taken plainly by any strategy (smh §7.4): nothing of ours was put there.
            404 => return Ok(Probed::NotDone),
            // A HEAD has no body, so nothing but the status tells: a fresh credential is worth a try before a person is asked.
            403 => return Err(fault::without_words(answer)),
            _ => return Err(fault::of_service(Op::Probe, answer)),
        }
        let way = match proof.conflict {
            Conflict::Rename => Way::Around,
            Conflict::Overwrite { .. } => Way::Over,
            Conflict::Ask | Conflict::Refuse | Conflict::KeepIfSame => Way::Nowhere,
        };
        Ok(match (seen.same_content(proof), seen.is_newer(proof), way) {
            (Some(true), Some(true), _) => Probed::Done(self.found(proof, answer)),
            (None, _, _) | (Some(true), None, _) => Probed::CannotTell,
            // Another's file: ours could be beside it as `name (1)`.
            (_, _, Way::Around) => Probed::CannotTell,
            // It lay there before, so that ours was refused.
            (_, _, Way::Nowhere) => Probed::NotDone,
            // The creation time outlives an overwrite (smh §7.3): the same content may be ours or what was there.
            (Some(true), Some(false), Way::Over) => Probed::CannotTell,
            (Some(false), Some(false), Way::Over) => Probed::NotDone,
            // Another's file that came later may have replaced ours.
            (Some(false), Some(true) | None, Way::Over) => Probed::CannotTell,
        })
    }

    fn found(&self, proof: &Proof, answer: &Answer) -> Receipt {
        let path = self.target.path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        Receipt {
            name: self.name.clone(),
            path: Some(path),
            size_bytes: proof.size_bytes,
            crc64: Some(proof.crc64.to_string()),
            request_id: WORDS.request_id(answer, []),
            ..Receipt::default()
        }
    }
}
