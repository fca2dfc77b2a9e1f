//! The keys of the publisher's own systems: what one may be made for, for how long, and when it counts.
//!
//! Invariant: the key's text is nowhere in here; it is shown once, and only its digest is kept.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::staff::Scope;

/// No key lives longer: whoever forgot one is reminded by its end.
pub const MAX_DAYS: u32 = 365;
/// No name is longer, in characters.
pub const MAX_NAME: usize = 100;

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, as in the audit log.
    pub id: Uuid,
    /// What it is for, in the words of whoever made it.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// Who made it, as the audit log names them.
    pub created_by: String,
    /// When.
    pub created_at: OffsetDateTime,
    /// From then on it counts no more.
    pub expires_at: OffsetDateTime,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was used last, to the minute; `None` = never.
    pub last_used_at: Option<OffsetDateTime>,
}

/// Why a key is not made, or not revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyRefused {
    /// It has no name, or not one that fits in a line.
    #[error("name the key by what will use it, in one line of at most {MAX_NAME} characters")]
    Name,
    /// It would be good for nothing.
    #[error("name at least one scope")]
    NoScope,
    /// It would live too long, or not at all.
    #[error("a key expires after 1 to {MAX_DAYS} days")]
    Lifetime,
    /// There is no such key.
    #[error("there is no API key {0}")]
    Unknown(Uuid),
    /// Somebody has revoked it before.
    #[error("the API key {0} is revoked already")]
    AlreadyRevoked(Uuid),
}

impl ApiKey {
    /// A new key, created at `now` by `created_by`.
    ///
    /// # Errors
    /// [`ApiKeyRefused`], with what to do.
    pub fn new(
        (id, now): (Uuid, OffsetDateTime),
        name: &str,
        scopes: BTreeSet<Scope>,
        days: u32,
        created_by: String,
    ) -> Result<Self, ApiKeyRefused> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            return Err(ApiKeyRefused::Name);
        }
        if scopes.is_empty() {
            return Err(ApiKeyRefused::NoScope);
        }
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(ApiKeyRefused::Lifetime);
        }
        let expires_at = now.saturating_add(Duration::days(days.into()));
        let name = name.to_owned();
        Ok(Self { id, name, scopes, created_by, created_at: now, expires_at, revoked_at: None, last_used_at: None })
    }

    /// Whether it counts.
    #[must_use]
    pub fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// The words of its scopes, `quotes:read subscriptions:read`.
    #[must_use]
    pub fn scope_words(&self) -> String {
        let words: Vec<&str> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);

    fn made(name: &str, scopes: &[Scope], days: u32) -> Result<ApiKey, ApiKeyRefused> {
        let scopes = scopes.iter().copied().collect();
        ApiKey::new((Uuid::nil(), NOW), name, scopes, days, "operator:anna".to_owned())
    }

    #[test]
    fn a_key_has_a_name_a_scope_and_an_end() {
        let read = [Scope::QuotesRead];
        let table = [
            ("", &read[..], 30, Err(ApiKeyRefused::Name)),
            ("two\nlines", &read, 30, Err(ApiKeyRefused::Name)),
            (&"x".repeat(101), &read, 30, Err(ApiKeyRefused::Name)),
            ("CRM", &[], 30, Err(ApiKeyRefused::NoScope)),
            ("CRM", &read, 0, Err(ApiKeyRefused::Lifetime)),
            ("CRM", &read, 366, Err(ApiKeyRefused::Lifetime)),
            (" CRM ", &read, 365, Ok("CRM")),
        ];
        for (name, scopes, days, expected) in table {
            let key = made(name, scopes, days).map(|key| key.name);
            assert_eq!(key.as_deref(), expected.as_ref().copied(), "{name:?} for {days} days");
        }
    }

    #[test]
    fn it_counts_until_its_end_or_its_revocation() {
        let key = made("CRM", &[Scope::SubscriptionsRead, Scope::QuotesRead], 1).unwrap();
        assert!(key.is_valid(NOW) && key.is_valid(NOW + Duration::seconds(86_399)));
        assert!(!key.is_valid(NOW + Duration::DAY));
        assert!(!ApiKey { revoked_at: Some(NOW), ..key.clone() }.is_valid(NOW));
        assert_eq!(key.scope_words(), "subscriptions:read quotes:read");
    }
}
