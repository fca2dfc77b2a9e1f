//! The trial of an order: the default one of a first-time customer, or what sales-ops granted to its tenant; the longest
//! counts, and what is used is used up (`product.md` §6).

use time::OffsetDateTime;
use uuid::Uuid;

use super::{App, AppError, converge::audit};
use crate::{
    domain::{
        catalog::{Offer, Plan},
        enrolment::FrozenQuote,
        policy::{PERSONAL_ACCOUNTS, trial_customer},
        subscription::{Party, Subscription},
        time::utc_day,
        trial_grant::{Kind, OrderedPlan, State, TrialGrant, TrialOfOrder, decide_trial},
    },
    store::{HOUSE, StoreError, Tx},
};

/// What an order of so many users gets.
pub(super) async fn find_trial(
    app: &App,
    (offer, plan): (&Offer, &Plan),
    subscription: &Subscription,
    users: Option<u32>,
) -> Result<TrialOfOrder, AppError> {
    if !plan.is_metered() {
        return Ok(TrialOfOrder::default());
    }
    let beneficiary = &subscription.microsoft.beneficiary;
    let default_days = default_days(app, (offer, plan), beneficiary).await?;
    // Nothing is granted to the tenant of all personal accounts, and a test uses up nothing that was granted.
    let may_use = |tenant: &Uuid| *tenant != PERSONAL_ACCOUNTS && !subscription.microsoft.is_test;
    let Some(tenant_id) = beneficiary.tenant_id.filter(may_use) else {
        return Ok(TrialOfOrder { days: default_days, grants: Vec::new() });
    };
    let grants = app.store.list_open_trials(tenant_id, &offer.trial_group).await?;
    let order = OrderedPlan { offer_id: &offer.id, plan, users: users.unwrap_or_default() };
    Ok(decide_trial(&grants, order, default_days, app.clock.now()))
}

/// The days of the default trial, for a first-time customer of the offer's trial group.
async fn default_days(app: &App, (offer, plan): (&Offer, &Plan), beneficiary: &Party) -> Result<u32, AppError> {
    let Some(customer) = trial_customer(beneficiary).filter(|_| plan.trial_days > 0) else { return Ok(0) };
    let used = app.store.is_trial_used(&offer.trial_group, &customer).await?;
    Ok(if used { 0 } else { plan.trial_days })
}

/// Uses up what the order was priced with. Whoever was overtaken gets a conflict, and is shown new figures.
pub(super) async fn use_up_trial(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    frozen: &FrozenQuote,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let microsoft = &subscription.microsoft;
    let mut granted_days = 0;
    for id in &frozen.trial_grants {
        let grant = tx.find_trial_grant(*id).await?.ok_or(StoreError::Conflict("trial_grant"))?;
        granted_days = granted_days.max(grant.days_on(utc_day(now)));
        use_grant(tx, grant, subscription, now).await?;
    }
    let days = frozen.first.trial_days;
    let Some(customer) = trial_customer(&microsoft.beneficiary).filter(|_| days > 0) else { return Ok(()) };
    let (offer, _) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    // Where the default trial gives more days than the grants, it must not be used by now; its unique key says so.
    if days > granted_days || !tx.is_trial_used(&offer.trial_group, &customer).await? {
        tx.insert_trial_use(&offer.trial_group, &customer, microsoft.id, days, now).await?;
    }
    Ok(())
}

async fn use_grant(
    tx: &Tx,
    mut grant: TrialGrant,
    subscription: &Subscription,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let is_over = grant.kind == Kind::Ahead && grant.expires_at <= now;
    if grant.state != State::Open || is_over {
        return Err(StoreError::Conflict("trial_grant").into());
    }
    let id = subscription.microsoft.id;
    (grant.state, grant.used_at, grant.subscription_id) = (State::Used, Some(now), Some(id));
    tx.update_trial_grant(&mut grant).await?;
    tx.move_trial_use(grant.id, id).await?;
    let detail = serde_json::json!({ "trial": grant.id, "kind": grant.kind.as_str(), "subscription": id });
    audit(tx, HOUSE, "seatkey", "trial_used", &detail, now);
    Ok(())
}
