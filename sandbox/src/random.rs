//! Names that nobody guesses by accident, and hex.

use std::hash::{BuildHasher, Hasher, RandomState};

/// This many random bytes in hex.
pub(crate) fn hex(bytes: usize) -> String {
    let words = bytes.div_ceil(8);
    let mut text: String = (0..words).map(|_| format!("{:016x}", RandomState::new().build_hasher().finish())).collect();
    text.truncate(bytes * 2);
    text
}

/// A random number.
pub(crate) fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
