//! CRC-64/XZ: what SMH calls `crc64` and its data plane `x-cos-hash-crc64ecma` (smh §7.2).

use serde::Serialize;
use serde_json::Value;

#[cfg(all(target_endian = "little", any(target_arch = "aarch64", target_arch = "x86_64")))]
use super::crc64_blocks::update;
use crate::from_json::{FromJson, from_json};

/// The polynomial 0x42F0E1EBA9EA3693 in reflected form (smh §7.2): the highest bit is the coefficient of x^0.
pub(super) const POLYNOMIAL: u64 = 0xC96C_5795_D787_0F42;

/// A running CRC-64/XZ. Eight bytes, so a copy of it is the whole state; journalled as its decimal wire form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Crc64 {
    value: u64,
}

impl Crc64 {
    /// Of no bytes: value 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on after bytes whose CRC is `value`.
    pub fn from_value(value: u64) -> Self {
        Self { value }
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.value = !update(!self.value, bytes);
    }

    /// Of all bytes so far.
    pub fn value(&self) -> u64 {
        self.value
    }
}

impl From<Crc64> for String {
    fn from(crc: Crc64) -> String {
        decimal(crc.value)
    }
}

impl FromJson for Crc64 {
    fn from_json(value: Value) -> Option<Self> {
        from_decimal(value.as_str()?).map(Self::from_value)
    }
}

from_json!(serde Crc64);

/// What the register holds after each byte alone.
static TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut register = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            register = register >> 1 ^ POLYNOMIAL & (register & 1).wrapping_neg();
            bit += 1;
        }
        table[byte] = register;
        byte += 1;
    }
    table
};

/// What the register holds after more bytes, byte by byte: what is shorter than a block, and everything on a processor that can't multiply without carrying.
pub(super) fn by_table(register: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(register, |register, byte| register >> 8 ^ TABLE[usize::from(register as u8 ^ byte)])
}

#[cfg(not(all(target_endian = "little", any(target_arch = "aarch64", target_arch = "x86_64"))))]
use by_table as update;

/// The CRC of `a` followed by `b`, from the CRC of each and the length of `b` in bytes; any length is right, 0 and beyond 4 GiB too.
///
/// Initial value and final XOR of CRC-64/XZ cancel out, so it is `a · x^(8·len) + b` modulo the polynomial, two multiplications a bit of
/// the length: a microsecond for a part, a hundredth of what matrices take, so 10,000 parts can be combined anew at any time.
pub fn combine(crc_a: u64, crc_b: u64, len_b_bytes: u64) -> u64 {
    const X_TO_THE_8: u64 = 1 << (63 - 8);
    let mut shift = X_TO_THE_8;
    let mut crc = crc_a;
    let mut len = len_b_bytes;
    while len > 0 {
        if len & 1 == 1 {
            crc = multiply(crc, shift);
        }
        len >>= 1;
        shift = multiply(shift, shift);
    }
    crc ^ crc_b
}

/// The product of two polynomials modulo [`POLYNOMIAL`], all reflected. Without branches: their pattern would be random.
fn multiply(a: u64, b: u64) -> u64 {
    let mut product = 0;
    let mut a_shifted = a;
    for power in (0..64).rev() {
        product ^= a_shifted & (b >> power & 1).wrapping_neg();
        a_shifted = a_shifted >> 1 ^ POLYNOMIAL & (a_shifted & 1).wrapping_neg();
    }
    product
}

/// The wire form: unsigned decimal (smh §7.2).
pub fn decimal(crc: u64) -> String {
    crc.to_string()
}

/// Reads the wire form; `None` for a sign, a space, nothing, or more than 64 bits.
pub fn from_decimal(text: &str) -> Option<u64> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits_only)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn crc(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.value()
    }

    /// The definition, bit by bit.
    fn crc_bitwise(bytes: &[u8]) -> u64 {
        let mut register = !0u64;
        for byte in bytes {
            register ^= u64::from(*byte);
            for _ in 0..8 {
                register = if register & 1 == 1 { register >> 1 ^ POLYNOMIAL } else { register >> 1 };
            }
        }
        !register
    }

    #[test]
    fn the_other_implementation_agrees_on_all_that_a_buffer_can_be() {
        let content: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for (from, to) in (0..600).map(|at| (at % 37, at)).chain([(3, 65_539), (0, 131_072), (1, 300_000)]) {
            let Some(bytes) = content.get(from..to) else { continue };
            assert_eq!(crc(bytes), crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes), "{from}..{to}");
        }
    }

    fn combine_by_crate(a: u64, b: u64, len: u64) -> u64 {
        crc_fast::checksum_combine(crc_fast::CrcAlgorithm::Crc64Xz, a, b, len)
    }

    #[test]
    fn check_values() {
        assert_eq!(crc(b"123456789"), 11051210869376104954);
        assert_eq!(crc(b"123456789"), 0x995D_C9BB_DF19_39FA);
        assert_eq!(crc(b""), 0);
        assert_eq!(crc(&[0]), 2282658103124508505);
    }

    #[test]
    fn counted_bytes() {
        let content: Vec<u8> = (0..2097152u32).map(|i| i as u8).collect();
        for (size, expected) in
            [(1048575, 12045489742535302112), (1048576, 12198584541786614250), (2097152, 5365644779456185847)]
        {
            assert_eq!(crc(&content[..size]), expected);
        }
    }

    #[test]
    fn the_wire_form_is_strict() {
        assert_eq!(decimal(u64::MAX), "18446744073709551615");
        assert_eq!(from_decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616"] {
            assert_eq!(from_decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn combining_with_nothing_changes_nothing() {
        assert_eq!(combine(77, 0, 0), 77);
        assert_eq!(combine(0, 77, 12345), 77);
    }

    #[test]
    fn combining_agrees_with_the_other_implementation_at_every_length() {
        let lengths = (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + 1]).chain([u64::MAX]);
        for len in lengths {
            let (a, b) = (0x0123_4567_89AB_CDEF ^ len, len.rotate_left(17));
            assert_eq!(combine(a, b, len), combine_by_crate(a, b, len), "{len}");
        }
    }

    #[test]
    fn lengths_add_up_beyond_4_gib() {
        // Appending m and then n bytes is appending m + n: ties the large lengths to the small ones that are proven by bytes.
        let (b, c) = (crc(b"b"), crc(b"c"));
        for (m, n) in [(1u64 << 32, 1), ((1 << 32) - 1, 1 << 33), (214_727_393_280, 5_242_880)] {
            let one_by_one = combine(combine(99, b, m), c, n);
            assert_eq!(one_by_one, combine(99, combine(b, c, n), m + n));
        }
    }

    proptest! {
        #[test]
        fn any_split_is_the_whole(bytes in prop::collection::vec(any::<u8>(), 0..3000), cuts in prop::collection::vec(0usize..3000, 0..6)) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut running = Crc64::new();
            let mut at = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                running.update(&bytes[at..cut]);
                at = cut;
                let journalled = serde_json::to_string(&running).expect("text");
                running = serde_json::from_str(&journalled).expect("the same");
            }
            prop_assert_eq!(running.value(), crc_bitwise(&bytes));
        }

        #[test]
        fn two_halves_combine(a: Vec<u8>, b in prop::collection::vec(any::<u8>(), 0..3000)) {
            let whole = [a.as_slice(), b.as_slice()].concat();
            prop_assert_eq!(combine(crc_bitwise(&a), crc_bitwise(&b), b.len() as u64), crc_bitwise(&whole));
        }

        #[test]
        fn parts_that_finish_in_any_order_combine_to_the_full_pass(
            bytes in prop::collection::vec(any::<u8>(), 1..5000), part_size in 1usize..700, seed: u64,
        ) {
            let mut parts: Vec<_> = bytes.chunks(part_size).enumerate().collect();
            fastrand::Rng::with_seed(seed).shuffle(&mut parts);
            // Each as it finishes, merged with whichever neighbours are there: the runs are (first part, crc, bytes).
            let mut runs: Vec<(usize, usize, u64, u64)> = Vec::new();
            for (index, part) in parts {
                let mut run = (index, index + 1, crc(part), part.len() as u64);
                while let Some(found) = runs.iter().position(|other| other.1 == run.0 || other.0 == run.1) {
                    let other = runs.swap_remove(found);
                    let (left, right) = if other.1 == run.0 { (other, run) } else { (run, other) };
                    run = (left.0, right.1, combine(left.2, right.2, right.3), left.3 + right.3);
                }
                runs.push(run);
            }
            prop_assert_eq!(runs.len(), 1);
            prop_assert_eq!(runs[0].2, crc(&bytes));
        }
    }
}
