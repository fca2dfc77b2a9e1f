//! The keys of the publisher's own systems: made, shown once, listed, revoked, recognised.

use std::collections::BTreeSet;

use time::Duration;
use uuid::Uuid;

use super::{App, AppError, converge::audit, random_token, token_digest};
use crate::{
    clock::new_id,
    domain::{
        api_key::{ApiKey, ApiKeyRefused},
        staff::{Actor, Scope},
    },
    store::HOUSE,
};

/// What every key begins with, so that scanners for leaked secrets find one.
const PREFIX: &str = "sk_";
/// The prefix, and 256 bits in base64url.
const KEY_LENGTH: usize = PREFIX.len() + 43;
/// A key is marked as used at most this often: not every question is a write.
const TOUCH_PAUSE: Duration = Duration::minutes(1);

/// A key that was just made: the only moment in which its text is known.
pub struct CreatedKey {
    /// The key, as it is kept.
    pub key: ApiKey,
    /// `sk_…`, to be handed to its program and forgotten.
    pub text: String,
}

/// Makes a key that expires after so many days.
///
/// # Errors
/// [`AppError::ApiKey`] with what to do; [`AppError::Store`].
pub async fn create_api_key(
    app: &App,
    actor: &Actor,
    name: &str,
    scopes: BTreeSet<Scope>,
    days: u32,
) -> Result<CreatedKey, AppError> {
    let now = app.clock.now();
    let by = actor.audit_word();
    let key = ApiKey::new((new_id(now), now), name, scopes, days, by.clone())?;
    let text = format!("{PREFIX}{}", random_token()?);
    let tx = app.store.begin().await?;
    tx.insert_api_key(&key, &token_digest(&text)).await?;
    let detail = serde_json::json!({
        "key": key.id, "name": key.name, "scopes": key.scope_words(), "expiresAt": key.expires_at.unix_timestamp(),
    });
    audit(&tx, HOUSE, &by, "api_key_created", &detail, now);
    tx.commit().await?;
    Ok(CreatedKey { key, text })
}

/// Revokes a key: from now on it counts no more.
///
/// # Errors
/// [`AppError::ApiKey`] when there is no such key, or it is revoked already; [`AppError::Store`].
pub async fn revoke_api_key(app: &App, actor: &Actor, id: Uuid) -> Result<ApiKey, AppError> {
    let now = app.clock.now();
    let by = actor.audit_word();
    let tx = app.store.begin().await?;
    let key = tx.find_api_key(id).await?.ok_or(ApiKeyRefused::Unknown(id))?;
    if key.revoked_at.is_some() {
        return Err(ApiKeyRefused::AlreadyRevoked(id).into());
    }
    tx.revoke_api_key(id, &by, now).await?;
    audit(&tx, HOUSE, &by, "api_key_revoked", &serde_json::json!({ "key": id, "name": key.name }), now);
    tx.commit().await?;
    Ok(ApiKey { revoked_at: Some(now), ..key })
}

/// The key behind a text, if it counts. An unknown one, an expired one and a revoked one are alike to whoever presents it.
///
/// # Errors
/// [`AppError::Store`].
pub async fn recognise_api_key(app: &App, presented: &str) -> Result<Option<ApiKey>, AppError> {
    // What cannot be a key is not looked for.
    if presented.len() != KEY_LENGTH || !presented.starts_with(PREFIX) {
        return Ok(None);
    }
    let now = app.clock.now();
    // The digest is compared by the database: how long that takes tells nothing about the text.
    let key = app.store.find_api_key_by_digest(&token_digest(presented)).await?;
    let Some(key) = key.filter(|key| key.is_valid(now)) else { return Ok(None) };
    if key.last_used_at.is_none_or(|last| now - last >= TOUCH_PAUSE) {
        app.store.touch_api_key(key.id, now, now - TOUCH_PAUSE).await?;
    }
    Ok(Some(key))
}
