//! The access token that Microsoft's marketplace sends with its webhook: whether it is genuine, ours and the marketplace's.
//!
//! Owns: reading the header, the claims, Entra's keys for our tenant and when to fetch them. Does not own: what the call
//! says (the claims speak about the caller only), and the status code (`web`).
//! Invariants: one signature check, RS256, with a key from our tenant's key documents and never from the token; everything
//! that costs nothing is checked before a key is looked for, so that only somebody who knows our application and tenant can
//! make us fetch keys; nothing of a token is in an error or a log line.
//! Traps that this file answers: a 4xx answer rejects the change that Microsoft asks about, so whatever may be Entra's or
//! our own trouble is told apart ([`TokenRefused::is_unavailable`]); Microsoft sends tokens of version 1 or 2, as the
//! app registration says; an ID token of our own application has our audience, tenant and issuer, too.

mod cache;
mod claims;
mod jose;
mod json;
mod keys;
mod refused;

use serde_json::Value;
use url::Url;
use uuid::Uuid;

pub use claims::TokenVersion;
pub use refused::TokenRefused;

use crate::clock::SharedClock;
use cache::KeyCache;
use claims::Expected;
use keys::KeySource;

/// The check of webhook tokens; made once and shared, because it keeps Entra's keys.
#[derive(Debug)]
pub struct WebhookTokens {
    expected: Expected,
    tenant_id: Uuid,
    pub(super) keys: KeyCache,
    pub(super) clock: SharedClock,
}

/// A caller whose token is genuine: the marketplace, calling us.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedCaller {
    /// The version of the token.
    pub version: TokenVersion,
    /// The claims, an object: what proves later who called. Neither the token nor its signature.
    pub claims: Value,
}

impl std::fmt::Debug for VerifiedCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedCaller").field("version", &self.version).finish_non_exhaustive()
    }
}

impl WebhookTokens {
    /// Prepares; nothing is fetched before the first token comes.
    ///
    /// `authority` is Entra's address (scheme and host), `tenant_id` and `audience` are the tenant and the application
    /// of the offer's technical configuration.
    #[must_use]
    pub fn new(authority: Url, tenant_id: Uuid, audience: Uuid, http: reqwest::Client, clock: SharedClock) -> Self {
        let source = KeySource::new(authority, tenant_id, http);
        let keys = KeyCache::new(source, SharedClock::clone(&clock));
        Self { expected: Expected::new(tenant_id, audience), tenant_id, keys, clock }
    }

    /// The tenant of the offer's technical configuration.
    #[must_use]
    pub fn tenant_id(&self) -> Uuid {
        self.tenant_id
    }

    /// Checks the raw value of the `Authorization` header, if there was one.
    ///
    /// # Errors
    /// [`TokenRefused`]; ask it whether that is for good.
    pub async fn verify(&self, authorization: Option<&str>) -> Result<VerifiedCaller, TokenRefused> {
        let token = jose::read(authorization)?;
        let version = self.expected.check(&token.claims, self.clock.now())?;
        let keys = self.keys.knowing(&token.kid).await?;
        // To the letter, as the standard asks.
        if token.claims.get("iss").and_then(Value::as_str) != Some(keys.issuer(version)) {
            return Err(TokenRefused::Issuer);
        }
        if !keys.has_signed(&token) {
            return Err(TokenRefused::Signature);
        }
        Ok(VerifiedCaller { version, claims: Value::Object(token.claims) })
    }
}
