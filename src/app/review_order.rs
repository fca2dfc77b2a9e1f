//! An order is priced for the page, and frozen for its review.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{App, AppError, Freshness, find_prices};
use crate::{
    clock::new_id,
    domain::{
        catalog::{Offer, Plan},
        enrolment::{Basis, FrozenQuote, Order, QUOTE_LIFETIME, TodaysPrices, freeze},
        policy::{Identity, trial_customer},
        subscription::{Snapshot, Subscription},
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
    let trial_days = default_trial_days(app, offer, plan, subscription).await?;
    derive(app, subscription, plan, prices.as_ref(), trial_days, order, app.clock.now())
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

/// The days of the default trial, for a first-time customer of the offer's trial group.
pub(super) async fn default_trial_days(
    app: &App,
    offer: &Offer,
    plan: &Plan,
    subscription: &Subscription,
) -> Result<u32, AppError> {
    if !plan.is_metered() || plan.trial_days == 0 {
        return Ok(0);
    }
    let Some(customer) = trial_customer(&subscription.microsoft.beneficiary) else { return Ok(0) };
    let used = app.store.is_trial_used(&offer.trial_group, &customer).await?;
    Ok(if used { 0 } else { plan.trial_days })
}

pub(super) fn derive(
    app: &App,
    subscription: &Subscription,
    plan: &Plan,
    prices: Option<&TodaysPrices>,
    trial_days: u32,
    order: Order,
    now: OffsetDateTime,
) -> Result<FrozenQuote, AppError> {
    let basis = Basis { subscription, plan, prices, trial_days, catalog_version: &app.catalog.version, now };
    Ok(freeze(basis, order)?)
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
