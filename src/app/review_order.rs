//! An order is priced for the page, and frozen for its review.

use uuid::Uuid;

use super::{App, AppError, Freshness, find_prices, use_trial::find_trial};
use crate::{
    clock::new_id,
    domain::{
        catalog::Plan,
        enrolment::{Basis, FrozenQuote, Order, QUOTE_LIFETIME, TodaysPrices, freeze},
        policy::Identity,
        subscription::{Snapshot, Subscription},
        trial_grant::TrialOfOrder,
    },
    store::StoredQuote,
};

/// A stored review.
#[derive(Debug)]
pub struct Reviewed {
    /// The quote's id, for the review's address.
    pub quote_id: Uuid,
}

/// Derives every figure of an order to be shown, keeping nothing. Its prices are at most a minute old.
///
/// # Errors
/// [`AppError::Order`] with the reason in the buyer's words; [`AppError::NoPrice`]; [`AppError::Marketplace`].
pub async fn preview_order(app: &App, subscription: &Subscription, order: Order) -> Result<FrozenQuote, AppError> {
    price_order(app, subscription, order, Freshness::Shown).await
}

/// The same with prices that are good enough to be ordered.
pub(super) async fn price_order(
    app: &App,
    subscription: &Subscription,
    order: Order,
    freshness: Freshness,
) -> Result<FrozenQuote, AppError> {
    subscription.check_enrollable()?;
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    check_term(microsoft, plan)?;
    let order = if plan.is_metered() { order } else { Order { users: microsoft.quantity, ..order } };
    let prices = find_prices(app, microsoft, plan, freshness).await?;
    let trial = find_trial(app, (offer, plan), subscription, order.users).await?;
    derive(app, subscription, plan, prices.as_ref(), trial, order)
}

/// Fees are those of one term of the plan: another term would be charged with the wrong ones.
pub(super) fn check_term(microsoft: &Snapshot, plan: &Plan) -> Result<(), AppError> {
    match &microsoft.term_unit {
        Some(unit) if plan.is_metered() && *unit != plan.term_unit => Err(AppError::TermDiffers {
            subscription: microsoft.id,
            plan_id: plan.id.to_string(),
            expected: plan.term_unit.as_str().to_owned(),
            found: unit.as_str().to_owned(),
        }),
        _ => Ok(()),
    }
}

fn derive(
    app: &App,
    subscription: &Subscription,
    plan: &Plan,
    prices: Option<&TodaysPrices>,
    trial: TrialOfOrder,
    order: Order,
) -> Result<FrozenQuote, AppError> {
    let TrialOfOrder { days: trial_days, grants: trial_grants } = trial;
    let (catalog_version, now) = (app.catalog.version.as_str(), app.clock.now());
    let basis = Basis { subscription, plan, prices, trial_days, catalog_version, now };
    Ok(FrozenQuote { trial_grants, ..freeze(basis, order)? })
}

/// Freezes an order for its review; it may be submitted by the same person for half an hour.
///
/// # Errors
/// As [`preview_order`].
pub async fn review_order(
    app: &App,
    who: Identity,
    subscription: &Subscription,
    order: Order,
) -> Result<Reviewed, AppError> {
    let frozen = preview_order(app, subscription, order).await?;
    Ok(Reviewed { quote_id: keep(app, who, subscription, frozen).await? })
}

pub(super) async fn keep(
    app: &App,
    who: Identity,
    subscription: &Subscription,
    frozen: FrozenQuote,
) -> Result<Uuid, AppError> {
    let now = app.clock.now();
    let quote = StoredQuote {
        id: new_id(now),
        subscription_id: subscription.microsoft.id,
        frozen,
        shown_to: who,
        created_at: now,
        expires_at: now + QUOTE_LIFETIME,
    };
    let tx = app.store.begin().await?;
    tx.insert_quote(&quote).await?;
    tx.commit().await?;
    Ok(quote.id)
}
