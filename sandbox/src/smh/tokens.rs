//! Access tokens: fixed ones, and ones whose life slides (smh §10).

use std::collections::{BTreeMap, BTreeSet};

use super::refusal::Refusal;

/// What a token may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Token {
    /// Empty: every space.
    pub(crate) spaces: Vec<String>,
    pub(crate) user: String,
    pub(crate) client: String,
    pub(crate) grants: BTreeSet<String>,
    pub(crate) period_ms: i64,
    /// `None`: never.
    pub(crate) expires_ms: Option<i64>,
}

impl Token {
    fn fixed() -> Self {
        Self { grants: BTreeSet::from(["admin".to_owned()]), ..Self::default() }
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.grants.contains("admin")
    }

    pub(crate) fn allows(&self, any_of: &[&str]) -> bool {
        self.is_admin() || self.grants.contains("space_admin") || any_of.iter().any(|g| self.grants.contains(*g))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    all: BTreeMap<String, Token>,
}

impl Tokens {
    pub(crate) fn fixed(tokens: &[String]) -> Self {
        Self { all: tokens.iter().map(|t| (t.clone(), Token::fixed())).collect() }
    }

    pub(crate) fn add(&mut self, text: String, token: Token) {
        self.all.insert(text, token);
    }

    pub(crate) fn add_fixed(&mut self, text: String) {
        self.all.insert(text, Token::fixed());
    }

    pub(crate) fn revoke(&mut self, text: &str) -> bool {
        self.all.remove(text).is_some()
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Token) -> bool) {
        self.all.retain(|_, token| keep(token));
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    /// A living token, whose life this use extends.
    pub(crate) fn used(&mut self, text: &str, now_ms: i64) -> Result<&Token, Refusal> {
        if text.is_empty() {
            return Err(Refusal::new(400, "EmptyAccessToken", "access_token is missing"));
        }
        if self.all.get(text).and_then(|t| t.expires_ms).is_some_and(|expires| expires <= now_ms) {
            self.all.remove(text);
        }
        let Some(token) = self.all.get_mut(text) else { return Err(invalid_access_token()) };
        if token.expires_ms.is_some() {
            token.expires_ms = Some(now_ms.saturating_add(token.period_ms));
        }
        Ok(token)
    }
}

pub(crate) fn invalid_access_token() -> Refusal {
    Refusal::new(403, "InvalidAccessToken", "the access token is unknown or over")
}
