//! Error tables: which refusal asks what of us, by code first, then by status.

use crate::{
    error::{Code, ErrorInfo},
    service::Fault,
};

/// The variant of [`Fault`], and the error's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Retry(Code),
    Stale,
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
            Verdict::Credential => Code::CredentialRefused,
            Verdict::Gone => Code::SessionGone,
            Verdict::Parent => Code::ParentMissing,
        }
    }

    pub(super) fn of(self, error: ErrorInfo) -> Fault {
        match self {
            Verdict::Retry(_) => Fault::Retry(error),
            Verdict::Stale => Fault::LeaseStale(error),
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
        Fault::CredentialRefused(_) => Verdict::Credential,
        Fault::SessionGone(_) => Verdict::Gone,
        Fault::ParentMissing(_) => Verdict::Parent,
        Fault::Ask(_) => Verdict::Ask(code),
        Fault::Final(_) => Verdict::Final(code),
    }
}
