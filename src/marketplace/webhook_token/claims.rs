//! What the claims of a webhook token must say (Microsoft's page on securing webhooks; Entra's access token reference).

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::TokenRefused;

/// Microsoft's marketplace, as the application that calls.
const MARKETPLACE: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";
/// For all times of a token alike: what Microsoft's own libraries allow. A refusal rejects a customer's change, so a clock
/// that is a little wrong must not cause one.
const LEEWAY: Duration = Duration::minutes(5);
/// Entra's longest access tokens live 28 hours (continuous access evaluation). One that lives for years is none of them.
const LONGEST_LIFE: Duration = Duration::hours(48);
/// These are in ID tokens only.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// The version of an access token of Entra's; which one comes is a setting of our app registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `ver` 1.0: the caller is in `appid`.
    V1,
    /// `ver` 2.0: the caller is in `azp`.
    V2,
}

/// Whom a token must be for.
#[derive(Debug)]
pub(super) struct Expected {
    tenant_id: String,
    audience: String,
}

impl Expected {
    pub(super) fn new(tenant_id: Uuid, audience: Uuid) -> Self {
        Self { tenant_id: tenant_id.to_string(), audience: audience.to_string() }
    }

    /// Everything but the issuer, for which Entra's documents are needed.
    pub(super) fn check(&self, claims: &Map<String, Value>, now: OffsetDateTime) -> Result<TokenVersion, TokenRefused> {
        let (version, caller, other) = match claims.get("ver").and_then(Value::as_str) {
            Some("1.0") => (TokenVersion::V1, "appid", "azp"),
            Some("2.0") => (TokenVersion::V2, "azp", "appid"),
            _ => return Err(TokenRefused::Version),
        };
        check_kind(claims)?;
        if !is_id(claims.get("aud"), &self.audience) {
            return Err(TokenRefused::Audience);
        }
        if !is_id(claims.get("tid"), &self.tenant_id) {
            return Err(TokenRefused::Tenant);
        }
        let contradicts = claims.get(other).is_some_and(|other| !is_id(Some(other), MARKETPLACE));
        if !is_id(claims.get(caller), MARKETPLACE) || contradicts {
            return Err(TokenRefused::Caller);
        }
        check_times(claims, now.unix_timestamp())?;
        Ok(version)
    }
}

/// Only an application's access token. An ID token of our own application has its audience, tenant and issuer in common
/// with it, and lacks the caller; what else it has is refused by name.
fn check_kind(claims: &Map<String, Value>) -> Result<(), TokenRefused> {
    if OF_ID_TOKENS.iter().any(|name| claims.contains_key(*name)) {
        return Err(TokenRefused::IdToken);
    }
    if claims.contains_key("scp") || claims.get("idtyp").is_some_and(|kind| kind != "app") {
        return Err(TokenRefused::UserToken);
    }
    Ok(())
}

/// Whether a claim is this id. Upper case means the same id; braces, prefixes and lists do not.
fn is_id(claim: Option<&Value>, id: &str) -> bool {
    claim.and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(id))
}

/// `nbf` may be missing: the one list of a real token's claims that is public has none (commercial-marketplace-client-dotnet,
/// issue 70), and `iat` says the same.
fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), TokenRefused> {
    let time =
        |name: &str| claims.get(name).map(|time| time.as_i64().filter(|time| *time >= 0).ok_or(TokenRefused::Times));
    let ends = time("exp").ok_or(TokenRefused::Times)??;
    let issued = time("iat").ok_or(TokenRefused::Times)??;
    let begins = time("nbf").transpose()?.unwrap_or(issued);
    // None of the three is negative, so no difference overflows.
    if issued >= ends || begins >= ends || ends - issued > LONGEST_LIFE.whole_seconds() {
        return Err(TokenRefused::Times);
    }
    let leeway = LEEWAY.whole_seconds();
    if now - ends >= leeway {
        return Err(TokenRefused::Expired);
    }
    if begins - now > leeway || issued - now > leeway {
        return Err(TokenRefused::NotYet);
    }
    Ok(())
}
