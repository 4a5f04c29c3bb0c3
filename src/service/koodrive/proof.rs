//! The proof that we hold the content whose SHA-256 we name (koodrive §3.4): a few bytes of it, from a place that the credential decides.

use crate::{
    hash::{Sha256, hex},
    model::http::ByteRange,
};

/// How many bytes prove it.
const PROOF_BYTES: u64 = 8;

/// The stretch that `origin` picks of a file; an empty file has none.
pub(super) fn range(origin: &str, size_bytes: u64) -> Option<ByteRange> {
    let seed = hex::encode(&Sha256::of(origin.as_bytes()));
    let digest = Sha256::of(seed.as_bytes());
    let picked = digest.last_chunk().map(|last| u64::from_be_bytes(*last) & (u64::MAX >> 1))?;
    let offset = picked.checked_rem(size_bytes)?;
    Some(ByteRange { offset, len: PROOF_BYTES.min(size_bytes - offset) })
}

/// `proofCode` of those bytes.
pub(super) fn code(bytes: &[u8]) -> String {
    hex::encode(&Sha256::of(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USER: &str = "1505084218764547200";
    const BEARER: &str = "Bearer 10f88d07fa44791e9ff0123456789abcdef0123456789abcd";

    /// koodrive §11: byte i is i % 251.
    fn bytes_of(range: ByteRange) -> Vec<u8> {
        (range.offset..range.offset + range.len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn the_vectors_hold() {
        let rows = [
            (USER, 20_971_520, 12_113_135, "eb36ddc5406663660adbdccb90115388538cb2e34486030c60056dfb3a1bbfbe"),
            (USER, 320, 175, "50d65fd024f5425a7f1e11ff51235881d4f76b65eac7d1084430356a652ffb3c"),
            (BEARER, 20_971_520, 18_164_925, "310924e1f56757cc34fea81acd536c6d37b3be0adb0f385e5af15e07a3092cdc"),
        ];
        for (origin, size, offset, wanted) in rows {
            let range = range(origin, size).expect("a range");
            assert_eq!(range, ByteRange { offset, len: 8 });
            assert_eq!(code(&bytes_of(range)), wanted);
        }
        assert_eq!(range(USER, 5), Some(ByteRange { offset: 0, len: 5 }));
        assert_eq!(code(b"hello"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!(range(USER, 0), None);
    }

    proptest! {
        #[test]
        fn it_lies_in_the_file(origin in ".{0,40}", size in 1u64..=200 << 30) {
            let range = range(&origin, size).expect("a range");
            prop_assert!(range.offset < size && range.len >= 1 && range.len <= 8 && range.offset + range.len <= size);
        }
    }
}
