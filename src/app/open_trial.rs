//! A grant takes effect: at once, or when a second person has approved it. A prospect's key is signed and mailed, an
//! extension is carried out; a trial ahead of a purchase waits for the order.

use time::OffsetDateTime;

use super::{
    App, AppError,
    extend_trial::carry_out,
    issue_key::new_license_id,
    trial_mail::{key_mail, queue_trial_mail},
};
use crate::{
    domain::{
        catalog::{Plan, Segment},
        license::{Claims, Organisation},
        staff::Actor,
        time::utc_day,
        trial_grant::{Kind, State, TrialGrant, TrialLicense, next_trial_appointment, trial_end},
    },
    signing::SignedKey,
    store::{JobKind, Tx},
};

/// Opens a grant. The caller writes the row, and has had a prospect's key signed ([`sign_trial_key`]).
pub(super) async fn open_trial(
    app: &App,
    tx: &Tx,
    grant: &mut TrialGrant,
    (actor, license): (&Actor, Option<TrialLicense>),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    (grant.state, grant.opened_at) = (State::Open, Some(now));
    match grant.kind {
        Kind::Ahead => Ok(()),
        Kind::Extension => {
            carry_out(app, tx, grant, actor, now).await?;
            (grant.state, grant.used_at) = (State::Used, Some(now));
            Ok(())
        }
        Kind::OffMarket => {
            let unsigned = || AppError::Internal(format!("the key of the trial {} was not signed", grant.id));
            let license = license.ok_or_else(unsigned)?;
            grant.expires_at = license.ends_at;
            grant.license = Some(license);
            use_first_trial(tx, grant, now).await?;
            queue_trial_mail(tx, key_mail(app, grant)?, now).await
        }
    }
}

/// Any trial uses the first-time trial up, once its tenant is known.
pub(super) async fn use_first_trial(tx: &Tx, grant: &TrialGrant, now: OffsetDateTime) -> Result<(), AppError> {
    let Some(customer) = grant.tenant_id.map(|tenant| tenant.to_string()) else { return Ok(()) };
    if !tx.is_trial_used(&grant.trial_group, &customer).await? {
        tx.insert_trial_use(&grant.trial_group, &customer, grant.id, grant.days, now).await?;
    }
    Ok(())
}

/// Sees to it that reminders and the erasure happen.
pub(super) async fn schedule_trial(
    app: &App,
    tx: &Tx,
    grant: &TrialGrant,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    if let Some(at) = next_trial_appointment(grant, app.retention, now) {
        tx.schedule_job(JobKind::KeepTrial, grant.id, at, now).await?;
    }
    Ok(())
}

/// The key of a prospect; `None` where there is none. It may be a network call, and is made before the transaction.
pub(super) async fn sign_trial_key(
    app: &App,
    grant: &TrialGrant,
    now: OffsetDateTime,
) -> Result<Option<TrialLicense>, AppError> {
    if grant.kind != Kind::OffMarket {
        return Ok(None);
    }
    let (offer, plan) = app.find_plan(&grant.offer_id, &grant.plan_id)?;
    let ends_at = trial_end(now, grant.days);
    let (license_id, seq) = (new_license_id(now), 1);
    let claims = Claims {
        iss: app.issuer().to_owned(),
        jti: license_id.clone(),
        seq,
        product: offer.id.clone(),
        plan: plan.id.to_string(),
        segment: grant.users.and_then(|users| segment_of(plan, users)).map(|segment| segment.name.to_string()),
        org: Organisation { name: grant.contact.organisation.trim().to_owned(), tid: grant.tenant_id },
        users: grant.users,
        devices_per_user: plan.devices_per_user,
        trial: true,
        provisional: true,
        test: false,
        nbf: utc_day(now).midnight().assume_utc().unix_timestamp(),
        exp: ends_at.unix_timestamp(),
        iat: now.unix_timestamp(),
        planned_change: None,
    };
    let SignedKey { compact, .. } = app.keyring.sign(&claims).await?;
    Ok(Some(TrialLicense { license_id, seq, key: compact, ends_at }))
}

/// The segment that so many users begin in. Nobody has priced anything yet: which one is cheapest is not known.
fn segment_of(plan: &Plan, users: u32) -> Option<&Segment> {
    let admitted = plan.segments().iter().filter(|segment| segment.included <= users && segment.admits(users));
    admitted.max_by_key(|segment| segment.included).map(std::convert::AsRef::as_ref)
}
