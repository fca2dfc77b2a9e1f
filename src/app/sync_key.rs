//! A licensed product presents an older key and gets the newest one; and the list of revoked licenses, signed.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::{App, AppError, issue_key::trial_key};
use crate::{
    domain::{subscription::Stage, trial_grant::State},
    signing::verify_signature,
    store::LicenseKey,
};

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
    let Some(newest) = app.store.find_newest_key_of_license(&claims.jti).await? else {
        return sync_trial(app, &claims.jti).await;
    };
    let subscription = app.store.find_subscription(newest.subscription_id).await?;
    let ended = subscription.is_some_and(|subscription| matches!(subscription.stage, Stage::Ended { .. }));
    if ended && newest.expires_at <= app.clock.now() {
        return Ok(Synced::Gone);
    }
    Ok(Synced::Newest(newest))
}

/// A key without a purchase stays the newest one of its license until a purchase goes on with it.
async fn sync_trial(app: &App, license_id: &str) -> Result<Synced, AppError> {
    let Some(grant) = app.store.find_trial_of_license(license_id).await? else { return Ok(Synced::NotOurs) };
    let is_revoked = grant.state == State::Revoked;
    let running = trial_key(&grant).filter(|key| !is_revoked && key.expires_at > app.clock.now());
    Ok(running.map_or(Synced::Gone, Synced::Newest))
}

/// A list that was signed in a vault is given out so long: whoever asks for it again and again is not passed on to the vault.
const SIGNED_LIST_LASTS: i64 = 300;

/// The list of revoked licenses as it was signed last, where signing is a network call.
#[derive(Debug, Default)]
pub struct KnownRevocations(Mutex<Option<(RevocationList, String)>>);

/// The list of revoked licenses; times are seconds since 1970.
#[derive(Debug, Clone, Serialize)]
struct RevocationList {
    iss: String,
    iat: i64,
    revoked: Vec<Revoked>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    let of_subscriptions = app.store.list_revocations(now).await?.into_iter().map(|one| Revoked {
        jti: one.license_id,
        since: one.revoked_at.unix_timestamp(),
        reason: one.reason,
    });
    let trials = app.store.list_revoked_trials(now).await?;
    let of_trials = trials.into_iter().filter_map(|grant| {
        let since = grant.taken_back?.at.unix_timestamp();
        Some(Revoked { jti: grant.license?.license_id, since, reason: "revoked".to_owned() })
    });
    let mut revoked: Vec<Revoked> = of_subscriptions.chain(of_trials).collect();
    revoked.sort_by_key(|one| one.since);
    let list = RevocationList { iss: app.issuer().to_owned(), iat: now.unix_timestamp(), revoked };
    sign_list(app, list).await
}

/// Signs it. Where a vault does, one that says the same is given out again; when the vault is out of reach, also for longer.
async fn sign_list(app: &App, list: RevocationList) -> Result<String, AppError> {
    if app.keyring.signs_here() {
        return Ok(app.keyring.sign_revocations(&list).await?.compact);
    }
    let known = || app.revocations.0.lock().unwrap_or_else(PoisonError::into_inner);
    let before = known().clone().filter(|(before, _)| before.revoked == list.revoked);
    let is_young = |before: &RevocationList| list.iat - before.iat < SIGNED_LIST_LASTS;
    if let Some((_, compact)) = before.as_ref().filter(|(before, _)| is_young(before)) {
        return Ok(compact.clone());
    }
    match (app.keyring.sign_revocations(&list).await, before) {
        (Ok(signed), _) => {
            *known() = Some((list, signed.compact.clone()));
            Ok(signed.compact)
        }
        (Err(error), Some((_, compact))) => {
            tracing::warn!(%error, "the list of revoked licenses is the one that was signed before");
            Ok(compact)
        }
        (Err(error), None) => Err(error.into()),
    }
}
