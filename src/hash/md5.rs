//! MD5: only to compare a part with the tag that the data plane gave it (smh §4.2). It proves nothing against an attacker.

use md5::Digest as _;

/// A running MD5.
#[derive(Clone, Debug, Default)]
pub struct Md5 {
    inner: md5::Md5,
}

impl Md5 {
    /// Of no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// 16 bytes as lower-case hex: the tag without its quotes.
    pub fn finish_hex(self) -> String {
        super::hex::encode(&self.inner.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_1321() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ] {
            let mut whole = Md5::new();
            whole.update(text.as_bytes());
            assert_eq!(whole.finish_hex(), expected);
            let mut split = Md5::new();
            text.bytes().for_each(|byte| split.update(&[byte]));
            assert_eq!(split.finish_hex(), expected);
        }
    }
}
