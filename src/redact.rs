//! Secrets that can't be printed, because their type can't.
//!
//! Tokens, signed URLs and signed headers live in [`Secret`]: it has no `Display`, its `Debug` says only that something is there, and its memory
//! is wiped when it is dropped. Text that a server chose (error codes, request ids) passes [`label`] before it may reach an error.

use std::fmt;

use zeroize::Zeroize;

/// A text that must never reach a log, an error, a journal or a crash report.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for the socket, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True when there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(empty)" } else { "Secret(…)" })
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Longest label that is kept of what a server said.
pub const LABEL_CHARS_MAX: usize = 64;

/// What may be shown of a word that a server chose (an error code, a request id): letters, digits and `-_.:` of it, at most
/// [`LABEL_CHARS_MAX`]; anything else in it, and it is not shown at all.
pub fn label(text: &str) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= LABEL_CHARS_MAX;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    (fits && plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("canary-token");
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("canary"));
    }

    #[test]
    fn a_label_is_plain_and_short() {
        assert_eq!(label("QuotaLimitReached").as_deref(), Some("QuotaLimitReached"));
        assert_eq!(label("no blanks"), None);
        assert_eq!(label("https://x/?sign=1"), None);
        assert_eq!(label(&"a".repeat(65)), None);
        assert_eq!(label(""), None);
    }
}
