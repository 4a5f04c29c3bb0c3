//! Error tables: which refusal asks what of us, by code first, then by status; and who is believed. What the services differ in is [`Words`].

use crate::{
    error::{Code, ErrorInfo},
    model::http::Answer,
    redact,
    service::{Fault, check, xml},
};

use Verdict::{Ask, Credential, Final, Gone, Retry, Stale};

/// The variant of [`Fault`], and the error's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Retry(Code),
    Stale,
    Misdated,
    Credential,
    Gone,
    Parent,
    Ask(Code),
    Final(Code),
}

impl Verdict {
    pub(super) fn code(self) -> Code {
        match self {
            Verdict::Retry(code) | Verdict::Ask(code) | Verdict::Final(code) => code,
            Verdict::Stale => Code::LinkRefused,
            Verdict::Misdated => Code::ServiceError,
            Verdict::Credential => Code::CredentialRefused,
            Verdict::Gone => Code::SessionGone,
            Verdict::Parent => Code::ParentMissing,
        }
    }

    pub(super) fn of(self, error: ErrorInfo) -> Fault {
        match self {
            Verdict::Retry(_) => Fault::Retry(error),
            Verdict::Stale => Fault::LeaseStale(error),
            Verdict::Misdated => Fault::Misdated(error),
            Verdict::Credential => Fault::CredentialRefused(error),
            Verdict::Gone => Fault::SessionGone(error),
            Verdict::Parent => Fault::ParentMissing(error),
            Verdict::Ask(_) => Fault::Ask(error),
            Verdict::Final(_) => Fault::Final(error),
        }
    }
}

/// Codes, as texts.
pub(super) type Table = &'static [(Verdict, &'static [&'static str])];
/// Statuses, for answers without a known code: the first row that fits.
pub(super) type StatusTable = &'static [(std::ops::RangeInclusive<u16>, Verdict)];

/// The service's statuses, for answers without a known code (smh §11.2, §11.3; koodrive §9).
#[rustfmt::skip]
pub(super) const SERVICE_STATUSES: StatusTable = &[
    (300..=399, Retry(Code::RedirectRefused)),
    (401..=401, Credential),
    (402..=402, Final(Code::PaymentRequired)),
    (403..=403, Ask(Code::PermissionDenied)),
    (407..=407, Retry(Code::ProxyFailed)),
    (408..=408, Retry(Code::ServiceError)),
    (414..=414, Final(Code::NameRefused)),
    (429..=429, Retry(Code::ServiceBusy)),
    (451..=451, Final(Code::ContentRefused)),
    (499..=499, Retry(Code::ServiceError)),
    (400..=499, Final(Code::RequestRefused)),
    (503..=503, Retry(Code::ServiceBusy)),
    (500..=599, Retry(Code::ServiceError)),
];

/// The storage's statuses, for answers without a known code (smh §4.4, §11.3; koodrive §5).
#[rustfmt::skip]
pub(super) const STORAGE_STATUSES: StatusTable = &[
    (300..=399, Retry(Code::RedirectRefused)),
    // It knows no token, only signed links.
    (401..=401, Stale),
    (402..=402, Final(Code::PaymentRequired)),
    (403..=403, Stale),
    // That the upload is gone, and all that was sent with it, is believed of its code alone.
    (404..=404, Retry(Code::AnswerMalformed)),
    (407..=407, Retry(Code::ProxyFailed)),
    (408..=408, Retry(Code::Stalled)),
    // It is not asked again whether it wants a body.
    (417..=417, Retry(Code::ServiceError)),
    (429..=429, Retry(Code::ServiceBusy)),
    (451..=451, Final(Code::ContentRefused)),
    (499..=499, Retry(Code::ServiceError)),
    (400..=499, Final(Code::RequestRefused)),
    (503..=503, Retry(Code::ServiceBusy)),
    (500..=599, Retry(Code::ServiceError)),
];

/// The row of that code.
pub(super) fn by_code(table: Table, code: Option<&str>) -> Option<Verdict> {
    let code = code?;
    table.iter().find(|(_, codes)| codes.contains(&code)).map(|(verdict, _)| *verdict)
}

/// The row of a status.
pub(super) fn row(table: StatusTable, status: u16) -> Verdict {
    table.iter().find(|(range, _)| range.contains(&status)).map_or(MALFORMED, |(_, verdict)| *verdict)
}

/// What an answer without a known code says by its status; `word` is the code that it has all the same.
///
/// A bare status, or a page, is something in between that speaks: a proxy, a load balancer, a portal. It knows nothing of the upload, so it ends
/// nothing and takes nothing back: waiting mends that, within the budget of any failure.
pub(super) fn by_status(table: StatusTable, answer: &Answer, word: Option<&str>) -> Verdict {
    let page = check::is_web_page(answer);
    match row(table, answer.status) {
        Final(_) | Gone | Verdict::Parent if page || word.is_none() => MALFORMED,
        Ask(_) | Credential if page => MALFORMED,
        verdict => verdict,
    }
}

const MALFORMED: Verdict = Retry(Code::AnswerMalformed);

/// Which request was answered, for the error's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Begin,
    CreateParent,
    Sign,
    Put,
    Inspect,
    Probe,
    Complete,
    Abort,
}

/// What a service and its storage call things. Everything else about their refusals is the same for all.
pub(super) struct Words {
    pub(super) service: &'static str,
    pub(super) requests: fn(Op) -> &'static str,
    /// Where the id of a request may stand.
    pub(super) request_id_headers: &'static [&'static str],
    /// The storage's codes; a 403 is not asked for its code.
    pub(super) storage_codes: Table,
}

impl Words {
    /// The service's id of the request: from the headers, or else what the body says.
    pub(super) fn request_id<'a>(&self, answer: &'a Answer, body: impl IntoIterator<Item = &'a str>) -> Option<String> {
        self.request_id_headers.iter().filter_map(|name| answer.header(name)).chain(body).find_map(redact::label)
    }

    /// A refusal, told in our own words and what of the service's may be shown; `ids` are the ids of the request that the body says.
    pub(super) fn fault<'a>(
        &self,
        verdict: Verdict,
        op: Op,
        answer: &'a Answer,
        word: Option<&str>,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Fault {
        let who = if op == Op::Put { "the storage" } else { self.service };
        verdict.of(ErrorInfo {
            code: verdict.code(),
            detail: format!("{who} answered {} to {}", answer.status, (self.requests)(op)),
            http_status: Some(answer.status),
            service_code: word.and_then(redact::label),
            request_id: self.request_id(answer, ids),
            retry_after_ms: answer.retry_after_ms(),
        })
    }

    /// The same, told by `detail`, which is ours.
    pub(super) fn fault_as(&self, verdict: Verdict, op: Op, answer: &Answer, detail: String) -> Fault {
        let mut error = self.fault(verdict, op, answer, None, []).error().clone();
        error.detail = detail;
        verdict.of(error)
    }

    /// An answer that is not what the protocol says. `why` is ours.
    pub(super) fn malformed(&self, op: Op, answer: &Answer, why: &str) -> Fault {
        let detail = format!("the answer to {} can't be used: {why}", (self.requests)(op));
        self.fault_as(MALFORMED, op, answer, detail)
    }

    /// The fault in an answer of the storage.
    pub(super) fn of_storage(&self, answer: &Answer) -> Fault {
        let error = xml::read(&answer.body);
        let word = error.code.as_deref();
        let by_status = by_status(STORAGE_STATUSES, answer, word);
        // Any 403 is answered by one more renewal, whatever its words (smh §4.4, koodrive §4.3).
        let by_code = by_code(self.storage_codes, word).filter(|_| answer.status != 403);
        self.fault(by_code.unwrap_or(by_status), Op::Put, answer, word, error.request_id.as_deref())
    }
}

/// The verdict behind a fault.
#[cfg(test)]
pub(super) fn verdict(fault: &Fault) -> Verdict {
    let code = fault.error().code;
    match fault {
        Fault::Retry(_) => Verdict::Retry(code),
        Fault::LeaseStale(_) => Verdict::Stale,
        Fault::Misdated(_) => Verdict::Misdated,
        Fault::CredentialRefused(_) => Verdict::Credential,
        Fault::SessionGone(_) => Verdict::Gone,
        Fault::ParentMissing(_) => Verdict::Parent,
        Fault::Ask(_) => Verdict::Ask(code),
        Fault::Final(_) => Verdict::Final(code),
    }
}
