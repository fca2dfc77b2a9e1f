//! Staff names the tenant of a prospect whose key was mailed without one: a later purchase of that tenant goes on with it.

use uuid::Uuid;

use super::{
    App, AppError,
    converge::audit,
    grant_trial::{NamedTenant, resolve},
    open_trial::use_first_trial,
};
use crate::{
    domain::{
        staff::Actor,
        trial_grant::{Kind, State, TrialGrant, TrialRefused, check_granter, check_tenant},
    },
    store::HOUSE,
};

/// Binds a prospect's trial to a tenant, and gives it as it stands then. It uses the tenant's first-time trial up.
///
/// # Errors
/// [`AppError::Trial`] when it has a tenant, is no prospect's, or the tenant is the one of all personal accounts;
/// [`AppError::SignIn`] when Entra does not say whose a domain is; [`AppError::Store`].
pub async fn bind_trial(app: &App, actor: &Actor, id: Uuid, tenant: NamedTenant<'_>) -> Result<TrialGrant, AppError> {
    check_granter(actor)?;
    let (tenant_id, domain) = resolve(app, Some(tenant)).await?;
    let tenant_id = tenant_id.ok_or(TrialRefused::Nobody)?;
    check_tenant(tenant_id)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut grant = tx.find_trial_grant(id).await?.ok_or(TrialRefused::Unknown(id))?;
    let is_bindable = grant.kind == Kind::OffMarket && grant.tenant_id.is_none();
    if !is_bindable || !matches!(grant.state, State::Open | State::Proposed) {
        return Err(TrialRefused::NotBindable.into());
    }
    (grant.tenant_id, grant.domain) = (Some(tenant_id), domain);
    if grant.state == State::Open {
        use_first_trial(&tx, &grant, now).await?;
    }
    tx.update_trial_grant(&mut grant).await?;
    let detail = serde_json::json!({ "trial": id, "tenant": tenant_id });
    audit(&tx, HOUSE, &actor.audit_word(), "trial_bound", &detail, now);
    tx.commit().await?;
    Ok(grant)
}
