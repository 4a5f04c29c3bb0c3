//! Error tables: which refusal asks what of us, by code first, then by status.

use crate::{
    error::{Code, ErrorInfo},
    service::Fault,
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
    (404..=404, Gone),
    (407..=407, Retry(Code::ProxyFailed)),
    (408..=408, Retry(Code::Stalled)),
    (413..=413, Final(Code::PartSizeUnusable)),
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

/// The row of that status.
pub(super) fn by_status(table: StatusTable, status: u16) -> Verdict {
    table
        .iter()
        .find(|(range, _)| range.contains(&status))
        .map_or(Verdict::Retry(Code::AnswerMalformed), |(_, verdict)| *verdict)
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
