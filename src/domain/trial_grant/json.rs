//! A grant in the JSON of the API and of `seatkey trial list --json`.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::TrialGrant;

/// camelCase, instants in RFC 3339; absent is null. The key itself is in no list: it was mailed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrialGrantJson {
    id: Uuid,
    kind: &'static str,
    state: &'static str,
    offer_id: String,
    plan_id: String,
    tenant_id: Option<Uuid>,
    domain: Option<String>,
    organisation: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    days: u32,
    users: Option<u32>,
    reason: String,
    extends: Option<&'static str>,
    subscription_id: Option<Uuid>,
    granted_by: String,
    #[serde(with = "time::serde::rfc3339")]
    granted_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    revoked_at: Option<OffsetDateTime>,
    revoke_reason: Option<String>,
    license_id: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    ends_at: Option<OffsetDateTime>,
}

impl TrialGrantJson {
    /// As it stands at `now`.
    #[must_use]
    pub fn new(grant: &TrialGrant, now: OffsetDateTime) -> Self {
        let told = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            id: grant.id,
            kind: grant.kind.as_str(),
            state: grant.standing(now).as_str(),
            offer_id: grant.offer_id.clone(),
            plan_id: grant.plan_id.clone(),
            tenant_id: grant.tenant_id,
            domain: grant.domain.clone(),
            organisation: told(&grant.contact.organisation),
            contact_name: told(&grant.contact.name),
            contact_email: told(&grant.contact.email),
            days: grant.days,
            users: grant.users,
            reason: grant.reason.clone(),
            extends: grant.extends.map(super::Extends::as_str),
            subscription_id: grant.subscription_id,
            granted_by: grant.granted_by.name.clone(),
            granted_at: grant.granted_at,
            expires_at: grant.expires_at,
            used_at: grant.used_at,
            revoked_at: grant.taken_back.as_ref().map(|taken| taken.at),
            revoke_reason: grant.taken_back.as_ref().map(|taken| taken.reason.clone()),
            license_id: grant.license.as_ref().map(|license| license.license_id.clone()),
            ends_at: grant.license.as_ref().map(|license| license.ends_at),
        }
    }
}
