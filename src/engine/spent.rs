//! The budget of an upload as a whole: what is spent without getting any further is bounded, whatever the mix of causes.

use crate::{
    error::{Code, ErrorInfo},
    model::PartPlan,
};

/// Bytes that may be sent in vain: so many times the file, and this beside.
pub(super) const VAIN_FILES_MAX: u64 = 4;
/// See [`VAIN_FILES_MAX`].
pub(super) const VAIN_BYTES_MAX: u64 = 64 << 20;
/// Requests that may reach the service in vain: these, and so many for each part.
pub(super) const VAIN_REQUESTS_MAX: u64 = 200;
/// See [`VAIN_REQUESTS_MAX`].
pub(super) const VAIN_REQUESTS_A_PART_MAX: u64 = 8;
/// After a spent budget it is tried again only this much later, unless the host says so.
pub(super) const SPENT_RETRY_MS: u64 = 24 * 3_600_000;

/// What was spent since there was more proven than ever before, in this process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    bytes: u64,
    requests: u64,
    /// The most that was ever proven of this content.
    proven_bytes: u64,
}

impl Spent {
    pub(super) fn sent(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    pub(super) fn asked(&mut self) {
        self.requests += 1;
    }

    /// So much is proven now. True when that is more than ever.
    pub(super) fn proven(&mut self, bytes: u64) -> bool {
        let more = bytes > self.proven_bytes;
        if more {
            *self = Spent { proven_bytes: bytes, ..Spent::default() };
        }
        more
    }

    /// The host says that things changed.
    pub(super) fn again(&mut self) {
        (self.bytes, self.requests) = (0, 0);
    }

    /// Why it may not go on like this.
    pub(super) fn exhausted(&self, plan: Option<PartPlan>) -> Option<ErrorInfo> {
        let (size, parts) = plan.map_or((0, 1), |plan| (plan.size_bytes, u64::from(plan.parts_total())));
        let what = if self.bytes > VAIN_BYTES_MAX + VAIN_FILES_MAX * size {
            "bytes are sent"
        } else if self.requests > VAIN_REQUESTS_MAX + VAIN_REQUESTS_A_PART_MAX * parts {
            "requests are made"
        } else {
            return None;
        };
        let detail = format!("{what} again and again, and nothing comes of it: the upload's budget is spent");
        Some(ErrorInfo::new(Code::ServiceError, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: PartPlan = PartPlan { size_bytes: 100 << 20, part_size_bytes: 10 << 20 };

    #[test]
    fn bytes_in_vain_are_bounded_and_progress_forgives_them() {
        let mut spent = Spent::default();
        spent.sent((400 << 20) + VAIN_BYTES_MAX);
        assert!(spent.exhausted(Some(PLAN)).is_none());
        spent.sent(1);
        assert!(spent.exhausted(Some(PLAN)).is_some());
        spent.proven(10 << 20);
        assert!(spent.exhausted(Some(PLAN)).is_none());
        spent.sent(500 << 20);
        spent.proven(10 << 20);
        assert!(spent.exhausted(Some(PLAN)).is_some(), "the same parts once more are no progress");
        spent.again();
        assert!(spent.exhausted(Some(PLAN)).is_none());
    }

    #[test]
    fn requests_in_vain_are_bounded() {
        let mut spent = Spent::default();
        (0..280).for_each(|_| spent.asked());
        assert!(spent.exhausted(Some(PLAN)).is_none());
        spent.asked();
        assert!(spent.exhausted(Some(PLAN)).is_some() && spent.exhausted(None).is_some());
    }
}
