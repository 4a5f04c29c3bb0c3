//! CRC-64/XZ of whole blocks by the processor's carry-less multiplication, where it has one: 8 blocks of 128 bits at once are carried over the next 8.
//!
//! A register of 64 bits meets the next eight bytes by XOR. A block B that D bits of message follow is worth `B · x^D` modulo the polynomial, and its two
//! halves can be multiplied apart: what comes of it is a block again, to be added to the one D bits on. No tables of 32 kB, as the crates have
//! (docs/adr/0017).

#![allow(unsafe_code)]

use processor::{add, carry, load, store};

use super::crc64::{POLYNOMIAL, by_table};

const BLOCK_BYTES: usize = 16;
/// Blocks that are carried at once: as many multiplications are under way as a processor has room for.
const LANES: usize = 8;

/// `x^exponent` modulo the polynomial; the highest bit is the coefficient of x^0.
const fn power(exponent: u32) -> u64 {
    let mut product = 1_u64 << 63;
    let mut left = exponent;
    while left > 0 {
        product = product >> 1 ^ POLYNOMIAL & (product & 1).wrapping_neg();
        left -= 1;
    }
    product
}

/// What the halves of a block are multiplied by to carry it so many blocks on. The first half stands 64 bits before the second; and a product of two
/// reflected words is one bit short, so each has one power less.
const fn carry_by(blocks: usize) -> [u64; 2] {
    let bits = blocks as u32 * BLOCK_BYTES as u32 * 8;
    [power(bits + 63), power(bits - 1)]
}

/// As a block has them.
const fn block_of(halves: [u64; 2]) -> [u8; BLOCK_BYTES] {
    (halves[0] as u128 | (halves[1] as u128) << 64).to_le_bytes()
}

const BY_ONE: [u8; BLOCK_BYTES] = block_of(carry_by(1));
const BY_ALL: [u8; BLOCK_BYTES] = block_of(carry_by(LANES));

/// What the register holds after more bytes.
pub(super) fn update(register: u64, bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks();
    match blocks.split_first() {
        // SAFETY: the processor can.
        Some((first, more)) if processor::can() => by_table(unsafe { whole_blocks(register, first, more) }, rest),
        _ => by_table(register, bytes),
    }
}

/// The same for each lane, its number a constant: built for size, no loop would be unrolled, and the lanes would be in memory.
macro_rules! each_lane {
    ($lane:ident, $work:expr) => { each_lane!($lane, $work, 0 1 2 3 4 5 6 7) };
    ($lane:ident, $work:expr, $($number:literal)*) => { $({ const $lane: usize = $number; $work; })* };
}

#[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon,aes"))]
#[cfg_attr(target_arch = "x86_64", target_feature(enable = "pclmulqdq"))]
fn whole_blocks(register: u64, first: &[u8; BLOCK_BYTES], more: &[[u8; BLOCK_BYTES]]) -> u64 {
    let by_one = load(&BY_ONE);
    let mut sum = add(load(first), load(&block_of([register, 0])));
    let (groups, rest) = more.as_chunks::<LANES>();
    if !groups.is_empty() {
        let by_all = load(&BY_ALL);
        // Nothing but the last lane, which is the block before the first group.
        let mut lanes = [load(&[0; BLOCK_BYTES]); LANES];
        lanes[LANES - 1] = sum;
        for group in groups {
            each_lane!(LANE, lanes[LANE] = add(carry(lanes[LANE], by_all), load(&group[LANE])));
        }
        sum = load(&[0; BLOCK_BYTES]);
        each_lane!(LANE, sum = add(carry(sum, by_one), lanes[LANE]));
    }
    for block in rest {
        sum = add(carry(sum, by_one), load(block));
    }
    by_table(0, &store(sum))
}

#[cfg(target_arch = "aarch64")]
mod processor {
    use std::arch::aarch64::{
        uint8x16_t, veorq_u8, vgetq_lane_u64, vld1q_u8, vmull_p64, vreinterpretq_u8_p128, vreinterpretq_u64_u8,
        vst1q_u8,
    };

    pub(super) type Block = uint8x16_t;

    pub(super) fn can() -> bool {
        std::arch::is_aarch64_feature_detected!("aes")
    }

    #[inline]
    #[target_feature(enable = "neon,aes")]
    pub(super) fn load(bytes: &[u8; super::BLOCK_BYTES]) -> Block {
        // SAFETY: sixteen bytes can be read there, and a load of bytes asks for no alignment.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "neon,aes")]
    pub(super) fn store(block: Block) -> [u8; super::BLOCK_BYTES] {
        let mut bytes = [0; super::BLOCK_BYTES];
        // SAFETY: sixteen bytes can be written there, and a store of bytes asks for no alignment.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), block) };
        bytes
    }

    #[inline]
    #[target_feature(enable = "neon,aes")]
    pub(super) fn add(a: Block, b: Block) -> Block {
        veorq_u8(a, b)
    }

    /// Each half of the block times its factor, added.
    #[inline]
    #[target_feature(enable = "neon,aes")]
    pub(super) fn carry(block: Block, by: Block) -> Block {
        let (block, by) = (vreinterpretq_u64_u8(block), vreinterpretq_u64_u8(by));
        let first = vmull_p64(vgetq_lane_u64::<0>(block), vgetq_lane_u64::<0>(by));
        let second = vmull_p64(vgetq_lane_u64::<1>(block), vgetq_lane_u64::<1>(by));
        veorq_u8(vreinterpretq_u8_p128(first), vreinterpretq_u8_p128(second))
    }
}

#[cfg(target_arch = "x86_64")]
mod processor {
    use std::arch::x86_64::{__m128i, _mm_clmulepi64_si128, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128};

    pub(super) type Block = __m128i;

    pub(super) fn can() -> bool {
        std::arch::is_x86_feature_detected!("pclmulqdq")
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn load(bytes: &[u8; super::BLOCK_BYTES]) -> Block {
        // SAFETY: sixteen bytes can be read there, and this load asks for no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn store(block: Block) -> [u8; super::BLOCK_BYTES] {
        let mut bytes = [0; super::BLOCK_BYTES];
        // SAFETY: sixteen bytes can be written there, and this store asks for no alignment.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), block) };
        bytes
    }

    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn add(a: Block, b: Block) -> Block {
        _mm_xor_si128(a, b)
    }

    /// Each half of the block times its factor, added.
    #[inline]
    #[target_feature(enable = "pclmulqdq")]
    pub(super) fn carry(block: Block, by: Block) -> Block {
        add(_mm_clmulepi64_si128::<0x00>(block, by), _mm_clmulepi64_si128::<0x11>(block, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a processor computes it that can't multiply without carrying.
    #[test]
    fn the_table_comes_to_the_same() {
        assert!(processor::can(), "this processor can't: the way of others is tested elsewhere");
        let content: Vec<u8> = (0..4_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for (from, to) in (0..2_000).map(|at| (at % 17, at.max(17))).chain([(5, 4_000)]) {
            let bytes = &content[from..to];
            assert_eq!(update(0x0123_4567_89AB_CDEF, bytes), by_table(0x0123_4567_89AB_CDEF, bytes), "{from}..{to}");
        }
    }
}
