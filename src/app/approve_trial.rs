//! A second person approves a trial above what one person may grant alone; only then it takes effect.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError,
    grant_trial::audit_grant,
    open_trial::{open_trial, schedule_trial, sign_trial_key},
};
use crate::{
    domain::{
        staff::{Actor, Role, member_named},
        trial_grant::{Standing, TrialGrant, TrialLicense, TrialRefused, check_approver},
    },
    store::{StoreError, Tx},
};

/// Approves a proposed trial, and gives it as it stands then.
///
/// # Errors
/// [`AppError::Trial`] for the same person, a program, somebody without the role, an offer whose time is over, or a grant
/// that does not wait; [`AppError::Store`].
pub async fn approve_trial(app: &App, approver: &Actor, id: Uuid) -> Result<TrialGrant, AppError> {
    let now = app.clock.now();
    let unknown = || TrialRefused::Unknown(id);
    let seen = app.store.find_trial_grant(id).await?.ok_or_else(unknown)?;
    // Nothing is signed for a grant that is not approved.
    check(&seen, approver, now)?;
    let license = sign_trial_key(app, &seen, now).await?;
    let tx = app.store.begin().await?;
    let grant = tx.find_trial_grant(id).await?.ok_or_else(unknown)?;
    check(&grant, approver, now)?;
    if grant.version != seen.version {
        return Err(StoreError::Conflict("trial_grant").into());
    }
    let grant = approve_within(app, &tx, grant, (approver, license), now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(grant)
}

fn check(grant: &TrialGrant, approver: &Actor, now: OffsetDateTime) -> Result<(), TrialRefused> {
    check_approver(grant, approver)?;
    if grant.standing(now) == Standing::Expired { Err(TrialRefused::Expired) } else { Ok(()) }
}

async fn approve_within(
    app: &App,
    tx: &Tx,
    mut grant: TrialGrant,
    (approver, license): (&Actor, Option<TrialLicense>),
    now: OffsetDateTime,
) -> Result<TrialGrant, AppError> {
    check_granter_still(tx, &grant).await?;
    open_trial(app, tx, &mut grant, (approver, license), now).await?;
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
