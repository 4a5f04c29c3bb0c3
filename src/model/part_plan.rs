//! How a file is cut into parts: decided once, frozen in the journal.

use serde::Serialize;

use crate::{
    error::{Code, ErrorInfo},
    from_json::from_json,
};

/// A cut that is ours is a multiple of this at every service: hashes take blocks of so many bytes.
const GROWN_ALIGN_BYTES: u64 = 64;

/// What a service demands of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartRules {
    /// What we cut by default.
    pub part_size_bytes_default: u64,
    /// The least size of a part that is not the last.
    pub part_size_bytes_min: u64,
    /// The greatest size of a part.
    pub part_size_bytes_max: u64,
    /// The greatest number of parts.
    pub parts_max: u32,
    /// A part that is not the last is a multiple of this.
    pub part_align_bytes: u64,
    /// The greatest file.
    pub size_bytes_max: u64,
}

/// The frozen cut of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartPlan {
    /// The file.
    pub size_bytes: u64,
    /// Every part but the last.
    pub part_size_bytes: u64,
}

from_json!(struct PartPlan { size_bytes, part_size_bytes });

/// One part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Part {
    /// From 1.
    pub part_number: u32,
    /// Of its first byte in the file.
    pub offset: u64,
    /// Its length.
    pub size_bytes: u64,
}

from_json!(struct Part { part_number, offset, size_bytes });

impl Part {
    /// The byte after its last one.
    pub fn end(&self) -> u64 {
        self.offset + self.size_bytes
    }
}

impl PartPlan {
    /// Cuts `size_bytes` by the rules. A `wanted` part size that can't work is refused with the least that can; without one the default is
    /// grown until the parts are few enough.
    pub fn new(size_bytes: u64, wanted: Option<u64>, rules: &PartRules) -> Result<PartPlan, ErrorInfo> {
        if size_bytes > rules.size_bytes_max {
            return Err(ErrorInfo::new(
                Code::SourceTooLarge,
                format!("the file has {size_bytes} bytes, the service takes at most {}", rules.size_bytes_max),
            ));
        }
        let align = rules.part_align_bytes.max(1);
        let least =
            size_bytes.div_ceil(u64::from(rules.parts_max)).max(rules.part_size_bytes_min).next_multiple_of(align);
        let part_size_bytes = match wanted {
            None => rules.part_size_bytes_default.max(least).next_multiple_of(GROWN_ALIGN_BYTES),
            Some(wanted) if wanted >= least && wanted % align == 0 && wanted <= rules.part_size_bytes_max => wanted,
            Some(wanted) => {
                let why = match wanted {
                    _ if wanted < least => "too small",
                    _ if wanted > rules.part_size_bytes_max => "too large",
                    _ => "not aligned",
                };
                return Err(ErrorInfo::new(
                    Code::PartSizeUnusable,
                    format!(
                        "a part size of {wanted} bytes is {why} for {size_bytes} bytes; the least that works is {least}, in multiples of {align}, up to {}",
                        rules.part_size_bytes_max
                    ),
                ));
            }
        };
        Ok(PartPlan { size_bytes, part_size_bytes })
    }

    /// The number of parts; an empty file is one empty part.
    pub fn parts_total(&self) -> u32 {
        u32::try_from(self.size_bytes.div_ceil(self.part_size_bytes.max(1)).max(1)).unwrap_or(u32::MAX)
    }

    /// The part of that number, if the plan has it.
    pub fn part(&self, part_number: u32) -> Option<Part> {
        if part_number == 0 || part_number > self.parts_total() {
            return None;
        }
        let offset = u64::from(part_number - 1) * self.part_size_bytes;
        Some(Part { part_number, offset, size_bytes: self.part_size_bytes.min(self.size_bytes - offset) })
    }

    /// All of them, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let plan = *self;
        (1..=plan.parts_total()).filter_map(move |number| plan.part(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: PartRules = PartRules {
        part_size_bytes_default: 4 << 20,
        part_size_bytes_min: 1 << 20,
        part_size_bytes_max: 5 << 30,
        parts_max: 10_000,
        part_align_bytes: 64,
        size_bytes_max: 50_000 << 30,
    };

    #[test]
    fn an_empty_file_is_one_empty_part() {
        let plan = PartPlan::new(0, None, &RULES).expect("a plan");
        assert_eq!(plan.parts().collect::<Vec<_>>(), [Part { part_number: 1, offset: 0, size_bytes: 0 }]);
    }

    #[test]
    fn a_part_size_that_cannot_work_is_refused_with_the_least_that_can() {
        let refused = PartPlan::new(100 << 30, Some(1 << 20), &RULES).expect_err("10,000 MiB at most");
        assert_eq!(refused.code, Code::PartSizeUnusable);
        assert!(refused.detail.contains("10737472"), "{}", refused.detail);
        assert!(PartPlan::new(100 << 30, Some(10_737_472), &RULES).is_ok());
        assert_eq!(PartPlan::new(5 << 20, Some((1 << 20) + 1), &RULES).expect_err("odd").code, Code::PartSizeUnusable);
        assert_eq!(PartPlan::new(5 << 20, Some(6 << 30), &RULES).expect_err("huge").code, Code::PartSizeUnusable);
    }

    #[test]
    fn a_cut_that_is_given_is_as_odd_as_the_service_allows_and_ours_is_even() {
        let odd = PartRules { part_align_bytes: 1, ..RULES };
        assert_eq!(PartPlan::new(5 << 20, Some((1 << 20) + 1), &odd).expect("a plan").part_size_bytes, (1 << 20) + 1);
        assert!(PartPlan::new(100 << 30, Some(10_737_418), &odd).is_err());
        assert!(PartPlan::new(100 << 30, Some(10_737_419), &odd).is_ok());
        assert_eq!(PartPlan::new(100 << 30, None, &odd).expect("a plan").part_size_bytes, 10_737_472);
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        assert_eq!(PartPlan::new((50_000 << 30) + 1, None, &RULES).expect_err("too large").code, Code::SourceTooLarge);
    }

    proptest! {
        #[test]
        fn parts_cover_the_file_once(size in prop_oneof![0u64..(64 << 20), 0u64..(200 << 30)], wanted in prop::option::of(1u64..64)) {
            let wanted = wanted.map(|mib| mib << 20);
            let Ok(plan) = PartPlan::new(size, wanted, &RULES) else { return Ok(()) };
            prop_assert!(plan.parts_total() <= RULES.parts_max);
            prop_assert!(plan.part_size_bytes % 64 == 0 && plan.part_size_bytes >= RULES.part_size_bytes_min);
            let mut offset = 0;
            for part in plan.parts() {
                prop_assert_eq!(part.offset, offset);
                prop_assert!(part.size_bytes == plan.part_size_bytes || part.part_number == plan.parts_total());
                offset = part.end();
            }
            prop_assert_eq!(offset, size);
            prop_assert_eq!(plan.part(0), None);
            prop_assert_eq!(plan.part(plan.parts_total() + 1), None);
        }
    }
}
