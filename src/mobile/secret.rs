//! Texts that must not be printed, on the other side either.

/// A token or a key. The languages have a type of their own for it that does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) crate::redact::Secret);

uniffi::custom_type!(Secret, String, {
    lower: |secret| secret.0.expose().to_owned(),
    try_lift: |text| Ok(Secret(text.into())),
});

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
