//! Values of `Authorization`, whose life slides (koodrive §8.1).

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// When each was used last; a new one has all its life before it.
    last_used_ms: BTreeMap<String, Option<i64>>,
}

impl Tokens {
    pub(crate) fn of(tokens: &[String]) -> Self {
        Self { last_used_ms: tokens.iter().map(|t| (t.clone(), None)).collect() }
    }

    pub(crate) fn add(&mut self, token: &str) {
        self.last_used_ms.insert(token.to_owned(), None);
    }

    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        self.last_used_ms.remove(token).is_some()
    }

    pub(crate) fn clear(&mut self) {
        self.last_used_ms.clear();
    }

    /// Whether a token lives; this use extends its life.
    pub(crate) fn used(&mut self, token: &str, now_ms: i64, idle_ms: Option<u64>) -> bool {
        let Some(last) = self.last_used_ms.get_mut(token) else { return false };
        let idle_ms = idle_ms.and_then(|ms| i64::try_from(ms).ok());
        if let (Some(last), Some(idle)) = (*last, idle_ms)
            && now_ms.saturating_sub(last) >= idle
        {
            self.last_used_ms.remove(token);
            return false;
        }
        *last = Some(now_ms);
        true
    }
}
