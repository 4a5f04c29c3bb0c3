//! Texts that must not be printed, on the other side either.

/// A token or a key. The languages have a type of their own for it that does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(pub(super) crate::redact::Secret);

uniffi::custom_type!(SecretText, String, {
    lower: |secret| secret.0.expose().to_owned(),
    try_lift: |text| Ok(SecretText(text.into())),
});

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
