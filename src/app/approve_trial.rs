//! A second person approves a trial above what one person may grant alone; only then it takes effect.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    grant_trial::audit_grant,
    open_trial::{open_trial, schedule_trial},
};
use crate::{
    domain::{
        staff::{Actor, Role, member_named},
        trial_grant::{Standing, TrialGrant, TrialRefused, check_approver},
    },
    store::Tx,
};

/// Approves a proposed trial, and gives it as it stands then.
///
/// # Errors
/// [`AppError::Trial`] for the same person, a program, somebody without the role, an offer whose time is over, or a grant
/// that does not wait; [`AppError::Store`].
pub async fn approve_trial(app: &App, approver: &Actor, id: Uuid) -> Result<TrialGrant, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let grant = approve_within(app, &tx, approver, id, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(grant)
}

/// The same within a transaction of the caller's.
pub(super) async fn approve_within(
    app: &App,
    tx: &Tx,
    approver: &Actor,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<TrialGrant, AppError> {
    let mut grant = tx.find_trial_grant(id).await?.ok_or(TrialRefused::Unknown(id))?;
    check_approver(&grant, approver)?;
    check_granter_still(tx, &grant).await?;
    if grant.standing(now) == Standing::Expired {
        return Err(TrialRefused::Expired.into());
    }
    open_trial(app, tx, &mut grant, approver, now).await?;
    tx.update_trial_grant(&mut grant).await?;
    schedule_trial(app, tx, &grant, now).await?;
    audit_grant(tx, &grant, approver, "trial_approved", now);
    Ok(grant)
}

/// Whoever of the staff has granted it has the role still, as of their last sign-in.
async fn check_granter_still(tx: &Tx, grant: &TrialGrant) -> Result<(), AppError> {
    let Some(who) = member_named(&grant.granted_by.word) else { return Ok(()) };
    let granter = tx.find_staff_by_identity(who).await?;
    if granter.is_some_and(|granter| granter.roles.include(Role::Sales)) {
        Ok(())
    } else {
        Err(TrialRefused::GranterWithoutRole.into())
    }
}
