//! A licensed product presents an older key and gets the newest one; and the list of revoked licenses, signed.

use serde::Serialize;

use super::{App, AppError};
use crate::{domain::subscription::Stage, signing::verify_signature, store::LicenseKey};

/// What a product is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Synced {
    /// The newest key of its license.
    Newest(LicenseKey),
    /// The license is revoked, or ended: the product must not go on with it.
    Gone,
    /// No key of ours.
    NotOurs,
}

/// Finds the newest key for the bearer of an older one. An older key stays genuine, whatever its dates.
///
/// # Errors
/// [`AppError::Store`].
pub async fn sync_key(app: &App, presented: &str) -> Result<Synced, AppError> {
    let Ok(claims) = verify_signature(presented, &app.keyring.jwks()) else { return Ok(Synced::NotOurs) };
    if claims.iss != app.issuer() {
        return Ok(Synced::NotOurs);
    }
    if app.store.find_revocation(&claims.jti).await?.is_some() {
        return Ok(Synced::Gone);
    }
    let Some(newest) = app.store.find_newest_key_of_license(&claims.jti).await? else { return Ok(Synced::NotOurs) };
    let subscription = app.store.find_subscription(newest.subscription_id).await?;
    let ended = subscription.is_some_and(|subscription| matches!(subscription.stage, Stage::Ended { .. }));
    if ended && newest.expires_at <= app.clock.now() {
        return Ok(Synced::Gone);
    }
    Ok(Synced::Newest(newest))
}

/// The list of revoked licenses; times are seconds since 1970.
#[derive(Debug, Serialize)]
struct RevocationList {
    iss: String,
    iat: i64,
    revoked: Vec<Revoked>,
}

#[derive(Debug, Serialize)]
struct Revoked {
    jti: String,
    since: i64,
    reason: String,
}

/// The signed list: a compact JWS with `typ: "license-revocations+jwt"`.
///
/// # Errors
/// [`AppError::Store`], [`AppError::Key`].
pub async fn list_revoked(app: &App) -> Result<String, AppError> {
    let now = app.clock.now();
    let revoked = app.store.list_revocations(now).await?;
    let list = RevocationList {
        iss: app.issuer().to_owned(),
        iat: now.unix_timestamp(),
        revoked: revoked
            .into_iter()
            .map(|one| Revoked { jti: one.license_id, since: one.revoked_at.unix_timestamp(), reason: one.reason })
            .collect(),
    };
    Ok(app.keyring.sign_revocations(&list)?.compact)
}
