//! Today's prices of one subscription (`product.md` §3): Microsoft's for this very customer, else the catalog's list for
//! their market, except in a private deal.
//!
//! A page asks at every keystroke, so what Microsoft said is kept for a minute. That is safe: a kept price is only shown,
//! never charged. The submit asks anew, and what differs from what was shown is shown first (`submit_order`).

use std::{collections::HashMap, sync::Mutex};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError, open_purchase::note_credential};
use crate::{
    domain::{
        catalog::{Plan, PriceList},
        enrolment::{PriceSource, TodaysPrices},
        pricing::PricedPlan,
        subscription::Snapshot,
    },
    marketplace::wire::AvailablePlan,
};

/// How long a price is shown without asking again.
const KEPT_FOR: Duration = Duration::minutes(1);
/// More buyers than this in one minute are asked for anew.
const MAX_KEPT: usize = 1_000;

/// How new the prices have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Good enough to be shown: at most a minute old.
    Shown,
    /// Good enough to be ordered: just said by Microsoft.
    Ordered,
}

/// What was found in the last minute, by subscription; each process has its own.
#[derive(Debug, Default)]
pub struct KnownPrices(Mutex<HashMap<Uuid, Known>>);

#[derive(Debug)]
struct Known {
    plan_id: String,
    found_at: OffsetDateTime,
    prices: TodaysPrices,
}

impl Known {
    fn is_fresh(&self, now: OffsetDateTime) -> bool {
        (Duration::ZERO..KEPT_FOR).contains(&(now - self.found_at))
    }
}

impl KnownPrices {
    fn find(&self, id: Uuid, plan: &Plan, now: OffsetDateTime) -> Option<TodaysPrices> {
        let known = self.0.lock().ok()?;
        let found = known.get(&id).filter(|known| known.is_fresh(now) && *known.plan_id == *plan.id);
        found.map(|known| known.prices.clone())
    }

    fn keep(&self, id: Uuid, plan: &Plan, prices: &TodaysPrices, found_at: OffsetDateTime) {
        let Ok(mut known) = self.0.lock() else { return };
        if known.len() >= MAX_KEPT {
            known.retain(|_, known| known.is_fresh(found_at));
        }
        if known.len() < MAX_KEPT {
            known.insert(id, Known { plan_id: plan.id.to_string(), found_at, prices: prices.clone() });
        }
    }
}

/// The prices, with a price for every dimension of the plan; `None` on plans that Microsoft bills.
///
/// # Errors
/// [`AppError::NoPrice`] when a price is missing: without every one there is no enrolment and no upgrade.
pub async fn find_prices(
    app: &App,
    snapshot: &Snapshot,
    plan: &Plan,
    freshness: Freshness,
) -> Result<Option<TodaysPrices>, AppError> {
    if !plan.is_metered() {
        return Ok(None);
    }
    if freshness == Freshness::Shown
        && let Some(prices) = app.prices.find(snapshot.id, plan, app.clock.now())
    {
        return Ok(Some(prices));
    }
    let prices = ask_for_prices(app, snapshot, plan).await?;
    app.prices.keep(snapshot.id, plan, &prices, app.clock.now());
    Ok(Some(prices))
}

async fn ask_for_prices(app: &App, snapshot: &Snapshot, plan: &Plan) -> Result<TodaysPrices, AppError> {
    // With the plan's id the answer names private offers, too; without it, it shows the market of a plan that is not listed.
    let answer = app.marketplace.list_available_plans(snapshot.id, Some(&plan.id)).await;
    note_credential(app, answer.as_ref().err());
    let mut plans = answer?.value;
    if !plans.iter().any(|found| *found.plan_id == *plan.id) {
        plans = app.marketplace.list_available_plans(snapshot.id, None).await?.value;
    }
    let own = plans.iter().find(|found| *found.plan_id == *plan.id);
    let reason = match own.and_then(|own| own.prices.as_ref()).map(|list| priced(plan, list, PriceSource::Microsoft)) {
        Some(Ok(prices)) => return Ok(prices),
        Some(Err(reason)) => reason,
        None => "Microsoft names none for this subscription".to_owned(),
    };
    let missing = |reason: String| AppError::NoPrice { plan_id: plan.id.to_string(), reason };
    if own.is_some_and(|own| own.is_private_deal) {
        return Err(missing(format!("{reason}, and in a private deal list prices do not apply")));
    }
    let list = fallback(app, plan, &plans).ok_or_else(|| missing(format!("{reason}, and the catalog has none")))?;
    tracing::warn!(subscription = %snapshot.id, plan = %plan.id, reason, "prices come from the catalog");
    priced(plan, list, PriceSource::Catalog).map_err(missing)
}

fn priced(plan: &Plan, list: &PriceList, source: PriceSource) -> Result<TodaysPrices, String> {
    PricedPlan::new(plan, list).map_err(|error| error.to_string())?;
    Ok(TodaysPrices { list: list.clone(), source })
}

/// The catalog's list for the customer's market. Where Microsoft names no market (an offer whose only plan is not listed),
/// it has to be clear all the same: every market that the catalog sells to has one currency.
fn fallback<'a>(app: &App, plan: &'a Plan, plans: &[AvailablePlan]) -> Option<&'a PriceList> {
    let markets = &app.catalog.markets;
    let currency = match plans.iter().find_map(|found| found.market.as_deref()) {
        Some(market) => *markets.get(market)?,
        None => {
            let mut currencies = markets.values();
            let first = *currencies.next()?;
            currencies.all(|other| *other == first).then_some(first)?
        }
    };
    plan.list_prices(currency)
}
