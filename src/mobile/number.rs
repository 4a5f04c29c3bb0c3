//! Unsigned there, signed here.

use super::{ErrorInfo, NativeError};
use crate::error::{Code, ErrorInfo as Error};

/// Saturates: nothing that is counted here comes near.
pub(super) fn long(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Saturates.
pub(super) fn int(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A number that the host gave; `what` names it if it is negative.
pub(super) fn unsigned<T: TryFrom<V>, V>(what: &str, value: V) -> Result<T, NativeError> {
    T::try_from(value).map_err(|_| {
        let info = Error::new(Code::InvalidArgument, format!("{what} can't be that number"));
        NativeError::Failed { info: ErrorInfo::from(info) }
    })
}

/// The same for one that may be left out.
pub(super) fn unsigned_or_none<T: TryFrom<V>, V>(what: &str, value: Option<V>) -> Result<Option<T>, NativeError> {
    value.map(|value| unsigned(what, value)).transpose()
}

/// For calls that can't fail: a negative time or bound is none at all.
pub(super) fn floored(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
