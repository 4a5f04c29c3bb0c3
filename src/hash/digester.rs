//! One pass over a file, every digest that is wanted of it.

use serde::Serialize;
use serde_json::Value;

use super::{
    Chain, Crc64, Sha256, decimal, hex,
    sha256::{BLOCK_BYTES, StateInvalid},
};
use crate::{
    error::{Code, ErrorInfo},
    from_json::{FromJson, from_json},
};

/// How much of a file its `preHash` covers: its first KiB, or all of a shorter one (koodrive §3.5).
pub const PRE_HASH_BYTES: u64 = 1024;

/// How much each digest takes in its turn: what the first one read is still in the cache for the others.
const SLICE_BYTES: u64 = 64 << 10;

/// What a pass is to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wants {
    /// SHA-256 of the whole.
    pub sha256: bool,
    /// With SHA-256 also its midstate at each multiple of this, in bytes; a multiple of 64 itself.
    pub part_size_bytes: Option<u64>,
    /// SMH's chained digest (smh §9.1).
    pub chain: bool,
    /// CRC-64/XZ (smh §7.2).
    pub crc64: bool,
    /// SHA-256 of the first KiB (koodrive §3.5).
    pub pre_hash: bool,
}

from_json!(struct Wants { sha256, part_size_bytes, chain, crc64, pre_hash });

/// The midstate of SHA-256 before the first byte of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartMidstate {
    /// From 2: part 1 begins with no state.
    pub part_number: u32,
    /// Of the part's first byte.
    pub offset: u64,
    /// The eight words (koodrive §4.2).
    pub h: [u32; 8],
}

from_json!(struct PartMidstate { part_number, offset, h });

/// What a pass computed; its JSON is what `partway digest` prints. What was not wanted is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digests {
    /// Of the file.
    #[serde(rename = "size")]
    pub size_bytes: u64,
    /// SMH's digest of the first MiB; `None` below 1 MiB.
    pub beginning_hash: Option<String>,
    /// SMH's chained digest; `None` below 1 MiB.
    pub full_hash: Option<String>,
    /// Lower-case hex.
    pub sha256: Option<String>,
    /// Decimal.
    pub crc64: Option<String>,
    /// Lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_hash: Option<String>,
    /// One for each part but the first, in order, less those that [`Digester::take_midstates`] took.
    pub midstates: Vec<PartMidstate>,
}

/// A pass under way. It is its own journal form; take the midstates out first to keep that small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digester(Pass);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Pass {
    size_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc64: Option<Crc64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_hash: Option<Sha256>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    midstates: Vec<PartMidstate>,
}

from_json!(struct Pass { size_bytes, sha256, part_size_bytes, chain, crc64, pre_hash, midstates = default });

impl FromJson for Digester {
    fn from_json(value: Value) -> Option<Self> {
        Pass::from_json(value)?.try_into().ok()
    }
}

from_json!(serde Digester);

impl TryFrom<Pass> for Digester {
    type Error = StateInvalid;

    fn try_from(pass: Pass) -> Result<Self, StateInvalid> {
        let fits = pass.sha256.as_ref().is_none_or(|sha256| sha256.len_bytes() == pass.size_bytes)
            && pass.chain.as_ref().is_none_or(|chain| chain.len_bytes() == pass.size_bytes)
            && pass.pre_hash.as_ref().is_none_or(|hash| hash.len_bytes() == pass.size_bytes.min(PRE_HASH_BYTES))
            && pass.part_size_bytes.is_none_or(has_midstates)
            && pass.midstates.iter().all(|found| found.offset < pass.size_bytes);
        fits.then_some(Self(pass)).ok_or(StateInvalid)
    }
}

impl Digester {
    /// A pass at its beginning. A part size that is no multiple of 64 has no midstates and is refused.
    pub fn new(wants: Wants) -> Result<Self, ErrorInfo> {
        if let Some(bytes) = wants.part_size_bytes.filter(|&bytes| !has_midstates(bytes)) {
            return Err(ErrorInfo::new(
                Code::PartSizeUnusable,
                format!("a part size of {bytes} bytes is not a multiple of {BLOCK_BYTES}"),
            ));
        }
        Ok(Self(Pass {
            size_bytes: 0,
            sha256: wants.sha256.then(Sha256::new),
            part_size_bytes: wants.part_size_bytes,
            chain: wants.chain.then(Chain::new),
            crc64: wants.crc64.then(Crc64::new),
            pre_hash: wants.pre_hash.then(Sha256::new),
            midstates: Vec::new(),
        }))
    }

    /// How many bytes were taken: where a pass that was killed goes on reading.
    pub fn len_bytes(&self) -> u64 {
        self.0.size_bytes
    }

    /// Takes the next bytes of the file.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.note_midstate();
            let room =
                self.0.part_size_bytes.map_or(SLICE_BYTES, |size| size - self.0.size_bytes % size).min(SLICE_BYTES);
            let (now, rest) = bytes.split_at(bytes.len().min(room as usize));
            if let Some(pre_hash) = &mut self.0.pre_hash {
                let room = PRE_HASH_BYTES.saturating_sub(self.0.size_bytes);
                pre_hash.update(&now[..now.len().min(room as usize)]);
            }
            if let Some(sha256) = &mut self.0.sha256 {
                sha256.update(now);
            }
            if let Some(chain) = &mut self.0.chain {
                chain.update(now);
            }
            if let Some(crc64) = &mut self.0.crc64 {
                crc64.update(now);
            }
            self.0.size_bytes += now.len() as u64;
            bytes = rest;
        }
    }

    /// The midstates found since the last call: to be journalled once each. What is taken is no longer part of [`Digests`].
    pub fn take_midstates(&mut self) -> Vec<PartMidstate> {
        std::mem::take(&mut self.0.midstates)
    }

    /// SHA-256's eight state words after what was taken, if that is a whole number of blocks.
    pub fn midstate(&self) -> Option<[u32; 8]> {
        self.0.sha256.as_ref().and_then(Sha256::midstate).map(|midstate| midstate.h)
    }

    /// SMH's digest of the first MiB as soon as that was read: a begin may ask with it alone (smh §9.2).
    pub fn beginning_hash(&self) -> Option<String> {
        self.0.chain.as_ref().and_then(Chain::beginning_hash)
    }

    /// The pass has reached the end of the file.
    pub fn finish(self) -> Digests {
        let beginning_hash = self.beginning_hash();
        let Pass { size_bytes, sha256, chain, crc64, pre_hash, midstates, .. } = self.0;
        Digests {
            size_bytes,
            beginning_hash,
            full_hash: chain.as_ref().and_then(Chain::full_hash),
            sha256: sha256.as_ref().map(Sha256::finish_hex),
            crc64: crc64.map(|crc64| decimal(crc64.value())),
            pre_hash: pre_hash.map(|pre_hash| hex::encode(&pre_hash.finish())),
            midstates,
        }
    }

    /// Called before a byte is taken, so that the end of the file, which begins no part, leaves none.
    fn note_midstate(&mut self) {
        let Some(part_size_bytes) = self.0.part_size_bytes else { return };
        if self.0.size_bytes == 0 || !self.0.size_bytes.is_multiple_of(part_size_bytes) {
            return;
        }
        let Some(midstate) = self.0.sha256.as_ref().and_then(Sha256::midstate) else { return };
        let part_number = u32::try_from(self.0.size_bytes / part_size_bytes + 1).unwrap_or(u32::MAX);
        self.0.midstates.push(PartMidstate { part_number, offset: midstate.offset, h: midstate.h });
    }
}

fn has_midstates(part_size_bytes: u64) -> bool {
    part_size_bytes > 0 && part_size_bytes.is_multiple_of(BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Wants = Wants { sha256: true, part_size_bytes: None, chain: true, crc64: true, pre_hash: true };

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    fn digests(bytes: &[u8], wants: Wants) -> Digests {
        let mut digester = Digester::new(wants).expect("wants");
        digester.update(bytes);
        digester.finish()
    }

    #[test]
    fn vector_a() {
        let digests = digests(&content(20_971_520), Wants { part_size_bytes: Some(5_242_880), ..ALL });
        assert_eq!(digests.sha256.as_deref(), Some("99254018a4506cae413a471f8b9d968a1ab1771565f3247b6e1c3f927e9a572f"));
        assert_eq!(
            digests.pre_hash.as_deref(),
            Some("2bce1ba628720664be4b9fdd77aae0678e5f0f3f02fc6ff641ec879094f6a404")
        );
        let places: Vec<_> = digests.midstates.iter().map(|found| (found.part_number, found.offset)).collect();
        assert_eq!(places, [(2, 5242880), (3, 10485760), (4, 15728640)], "the end of the file begins no part");
        assert_eq!(
            digests.midstates[1].h,
            [1744763919, 1351919588, 2915394129, 3958360420, 846895982, 2808795539, 1859941231, 608676324]
        );
    }

    #[test]
    fn what_the_command_prints() {
        let wants = Wants { part_size_bytes: Some(128), pre_hash: false, ..ALL };
        let text = serde_json::to_string(&digests(&content(320), wants)).expect("text");
        let crc64 = decimal({
            let mut crc64 = Crc64::new();
            crc64.update(&content(320));
            crc64.value()
        });
        assert_eq!(
            text,
            format!(
                r#"{{"size":320,"beginning_hash":null,"full_hash":null,"sha256":"7f2fcab03c5e118e07abe79b7db86af8a7e78d2e312b68e58e1d262c7de84f39","crc64":"{crc64}","midstates":[{{"part_number":2,"offset":128,"h":[1496470445,4216111128,3194033045,1214138305,1515923229,4220363087,3908534196,3495865532]}},{{"part_number":3,"offset":256,"h":[3988410824,3511626862,814913539,1355693776,3223782481,2126284843,2048371916,785544109]}}]}}"#
            )
        );
    }

    #[test]
    fn an_empty_file_and_no_wants() {
        let empty = digests(b"", Wants { part_size_bytes: Some(64), ..ALL });
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(empty.sha256.as_deref(), Some(nothing));
        assert_eq!(empty.pre_hash.as_deref(), Some(nothing));
        assert_eq!(empty.crc64.as_deref(), Some("0"));
        assert_eq!((empty.size_bytes, empty.full_hash, empty.midstates.len()), (0, None, 0));

        let unwanted = digests(&content(2000), Wants::default());
        assert_eq!(unwanted.size_bytes, 2000);
        assert_eq!((unwanted.sha256, unwanted.crc64, unwanted.pre_hash, unwanted.full_hash), (None, None, None, None));
    }

    #[test]
    fn a_part_size_without_midstates_is_refused() {
        for bytes in [0, 1, 63, 65, 1 << 20 | 32] {
            let refused = Digester::new(Wants { part_size_bytes: Some(bytes), ..ALL }).expect_err("refused");
            assert_eq!(refused.code, Code::PartSizeUnusable, "{bytes}");
        }
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let mut digester = Digester::new(Wants { part_size_bytes: Some(128), ..ALL }).expect("wants");
        digester.update(&content(320));
        let good = serde_json::to_value(&digester).expect("a state");
        assert_eq!(serde_json::from_value::<Digester>(good.clone()).ok(), Some(digester));
        for (field, bad) in [("size_bytes", 321), ("size_bytes", 256), ("part_size_bytes", 0), ("part_size_bytes", 65)]
        {
            let mut state = good.clone();
            state[field] = bad.into();
            assert!(serde_json::from_value::<Digester>(state).is_err(), "{field} {bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_split_journalled_at_every_cut_is_the_whole(
            len in prop_oneof![0usize..3000, (1usize << 20) - 2..(1usize << 20) + 200_000],
            part_blocks in prop_oneof![1u64..40, 1000u64..3000],
            cuts in prop::collection::vec(0usize..1_300_000, 0..5),
        ) {
            // Small parts of a large file would journal thousands of midstates a cut.
            let part_blocks = if len > 3000 { part_blocks.max(500) } else { part_blocks };
            let wants = Wants { part_size_bytes: Some(part_blocks * 64), ..ALL };
            let bytes = content(len);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % (len + 1)).collect();
            cuts.sort_unstable();
            let mut running = Digester::new(wants).expect("wants");
            let mut taken = Vec::new();
            for (index, cut) in cuts.into_iter().chain([len]).enumerate() {
                running.update(&bytes[running.len_bytes() as usize..cut]);
                if index % 2 == 1 {
                    taken.append(&mut running.take_midstates());
                }
                let journalled = serde_json::to_string(&running).expect("text");
                running = serde_json::from_str(&journalled).expect("the same");
            }
            let mut result = running.finish();
            taken.append(&mut result.midstates);
            result.midstates = taken;
            prop_assert_eq!(result.midstates.len() as u64, (len as u64).saturating_sub(1) / (part_blocks * 64));
            for found in &result.midstates {
                let before = &bytes[..found.offset as usize];
                let mut sha256 = Sha256::new();
                sha256.update(before);
                prop_assert_eq!(sha256.midstate().map(|state| state.h), Some(found.h));
            }
            prop_assert_eq!(result, digests(&bytes, wants));
        }
    }
}
