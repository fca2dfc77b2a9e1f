//! A grant is taken back before it is used. A prospect's key is on the list of revoked licenses from then on.

use uuid::Uuid;

use super::{App, AppError, converge::audit};
use crate::{
    domain::{
        staff::Actor,
        trial_grant::{Kind, TakenBack, TrialGrant, TrialRefused, check_granter, check_reason},
    },
    store::HOUSE,
};

/// Takes a grant back, and gives it as it stands then.
///
/// # Errors
/// [`AppError::Trial`] when it is used or revoked already, or the reason explains nothing; [`AppError::Store`].
pub async fn revoke_trial(app: &App, actor: &Actor, id: Uuid, reason: &str) -> Result<TrialGrant, AppError> {
    check_granter(actor)?;
    check_reason(reason)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut grant = tx.find_trial_grant(id).await?.ok_or(TrialRefused::Unknown(id))?;
    grant.take_back(TakenBack { at: now, by: actor.audit_word(), reason: reason.trim().to_owned() })?;
    tx.update_trial_grant(&mut grant).await?;
    let detail = serde_json::json!({ "trial": id, "kind": grant.kind.as_str(), "reason": reason.trim() });
    let chain = grant.subscription_id.filter(|_| grant.kind == Kind::Extension).unwrap_or(HOUSE);
    audit(&tx, chain, &actor.audit_word(), "trial_revoked", &detail, now);
    tx.commit().await?;
    Ok(grant)
}
