//! SMH's own digest of a file: SHA-256 over 1 MiB blocks, each behind the digest of the one before (smh §9.1).

use serde::Serialize;
use serde_json::Value;

use super::{
    hex,
    sha256::{Sha256, StateInvalid},
};
use crate::from_json::{FromJson, from_json};

/// The length of a block, and of the shortest file that has these digests (smh §9.1).
pub const CHAIN_BLOCK_BYTES: u64 = 1 << 20;

/// A running chain. It is its own journal form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    size_bytes: u64,
    /// Of the first block, once it is whole.
    #[serde(serialize_with = "hex::optional_digest")]
    beginning: Option<[u8; 32]>,
    /// Of the last block that is whole.
    #[serde(serialize_with = "hex::optional_digest")]
    last: Option<[u8; 32]>,
    /// The block that is not whole yet, behind `last`; `None` at a block boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<Sha256>,
}

/// A [`Chain`] as it was read, not yet believed.
struct ChainState {
    size_bytes: u64,
    /// In hex, as `last`.
    beginning: Option<String>,
    last: Option<String>,
    block: Option<Sha256>,
}

from_json!(struct ChainState { size_bytes, beginning, last, block });

impl FromJson for Chain {
    fn from_json(value: Value) -> Option<Self> {
        ChainState::from_json(value)?.try_into().ok()
    }
}

from_json!(serde Chain);

impl TryFrom<ChainState> for Chain {
    type Error = StateInvalid;

    fn try_from(state: ChainState) -> Result<Self, StateInvalid> {
        let ChainState { size_bytes, beginning, last, block } = state;
        let digest = |text: Option<String>| -> Result<Option<[u8; 32]>, StateInvalid> {
            let Some(text) = text else { return Ok(None) };
            hex::decode(&text).and_then(|bytes| bytes.try_into().ok()).map(Some).ok_or(StateInvalid)
        };
        let (beginning, last) = (digest(beginning)?, digest(last)?);
        let whole = size_bytes >= CHAIN_BLOCK_BYTES;
        let in_block = size_bytes % CHAIN_BLOCK_BYTES;
        let in_digest = if whole { in_block + 32 } else { in_block };
        let block_fits = match &block {
            Some(block) => in_block > 0 && block.len_bytes() == in_digest,
            None => in_block == 0,
        };
        if beginning.is_some() != whole || last.is_some() != whole || !block_fits {
            return Err(StateInvalid);
        }
        Ok(Self { size_bytes, beginning, last, block })
    }
}

impl Chain {
    /// Of no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes were taken.
    pub fn len_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Takes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = CHAIN_BLOCK_BYTES - self.size_bytes % CHAIN_BLOCK_BYTES;
            let (now, rest) = bytes.split_at(usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len()));
            let last = &self.last;
            let block = self.block.get_or_insert_with(|| {
                let mut block = Sha256::new();
                // 32 raw bytes, not their hex (smh §9.1).
                last.iter().for_each(|last| block.update(last));
                block
            });
            block.update(now);
            self.size_bytes += now.len() as u64;
            if self.size_bytes.is_multiple_of(CHAIN_BLOCK_BYTES) {
                let digest = block.finish();
                self.block = None;
                self.last = Some(digest);
                self.beginning.get_or_insert(digest);
            }
            bytes = rest;
        }
    }

    /// `beginningHash`, lower-case hex; `None` below 1 MiB. Known as soon as the first MiB was taken.
    pub fn beginning_hash(&self) -> Option<String> {
        self.beginning.map(|digest| hex::encode(&digest))
    }

    /// `fullHash` of all bytes so far, lower-case hex; `None` below 1 MiB. The stream can go on.
    pub fn full_hash(&self) -> Option<String> {
        let last = self.last?;
        let digest = self.block.as_ref().map_or(last, Sha256::finish);
        Some(hex::encode(&digest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1 << 20;

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| i as u8).collect()
    }

    /// The definition of smh §9.1, in one shot.
    fn one_shot(bytes: &[u8]) -> Option<(String, String)> {
        use sha2::Digest as _;
        let mut blocks = bytes.chunks(MIB);
        let first = blocks.next().filter(|first| first.len() == MIB)?;
        let beginning: [u8; 32] = sha2::Sha256::digest(first).into();
        let full = blocks.fold(beginning, |h, block| sha2::Sha256::digest([h.as_slice(), block].concat()).into());
        Some((hex::encode(&beginning), hex::encode(&full)))
    }

    fn both(chain: &Chain) -> Option<(String, String)> {
        chain.beginning_hash().zip(chain.full_hash())
    }

    #[test]
    fn vectors() {
        const BEGINNING: &str = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83";
        let bytes = content(2 * MIB);
        let mut chain = Chain::new();
        chain.update(&bytes[..MIB - 1]);
        assert_eq!((chain.beginning_hash(), chain.full_hash()), (None, None));
        // What it would be if it were eligible.
        assert_eq!(
            chain.block.as_ref().map(Sha256::finish_hex).as_deref(),
            Some("d8222d77ac43a9391cb348ce3a3bb3c0221a4a666e907b5bc77de56a41f37848")
        );
        chain.update(&bytes[MIB - 1..MIB]);
        assert_eq!(both(&chain), Some((BEGINNING.into(), BEGINNING.into())));
        chain.update(&bytes[MIB..]);
        let full = "1265d50fb492427896c2dbd7250cca60f30440769b086cf7e74a540a2e514744";
        assert_eq!(both(&chain), Some((BEGINNING.into(), full.into())));
    }

    #[test]
    fn a_state_that_does_not_fit_is_refused() {
        let mut chain = Chain::new();
        chain.update(&content(MIB + 5));
        let good = serde_json::to_value(&chain).expect("a state");
        assert!(serde_json::from_value::<Chain>(good.clone()).is_ok());
        for (field, bad) in [
            ("size_bytes", serde_json::json!(MIB + 6)),
            ("size_bytes", serde_json::json!(5)),
            ("size_bytes", serde_json::json!(MIB)),
            ("last", serde_json::Value::Null),
            ("beginning", serde_json::json!("00")),
            ("block", serde_json::Value::Null),
        ] {
            let mut state = good.clone();
            state[field] = bad;
            assert!(serde_json::from_value::<Chain>(state).is_err(), "{field}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_split_journalled_at_every_cut_is_the_whole(
            len in prop_oneof![0..MIB, MIB - 2..MIB + 3, 2 * MIB - 2..2 * MIB + 3, MIB..3 * MIB],
            cuts in prop::collection::vec(prop_oneof![0..3 * MIB, MIB - 2..MIB + 3], 0..6),
        ) {
            let bytes = content(len);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(len)).collect();
            cuts.sort_unstable();
            let mut chain = Chain::new();
            let mut at = 0;
            for cut in cuts.into_iter().chain([len]) {
                chain.update(&bytes[at..cut]);
                at = cut;
                let journalled = serde_json::to_string(&chain).expect("text");
                chain = serde_json::from_str(&journalled).expect("the same");
            }
            prop_assert_eq!(chain.len_bytes(), len as u64);
            prop_assert_eq!(both(&chain), one_shot(&bytes));
        }
    }
}
