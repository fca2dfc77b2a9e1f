//! `listAvailablePlans`.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::super::{
    exchange::Reply,
    seed::{MarketPrices, Plan},
    subscription::{Status, Subscription},
    terms,
    world::World,
};
use super::wire::{BillingTermBody, ComponentsBody, MeterBody, PlanBody, PlansBody, SourceOfferBody};

pub(super) fn list(world: &World, id: Uuid, only: Option<&str>) -> Reply {
    let state = world.settled(id);
    let Some(subscription) = state.find(id) else { return super::no_subscription(404) };
    if subscription.status == Status::Unsubscribed {
        return Reply::json(403, &"The subscription is unsubscribed.");
    }
    let plans = state.seed.offer(&subscription.offer_id).map(|offer| offer.plans.as_slice()).unwrap_or_default();
    let shown = plans.iter().filter(|plan| only.is_none_or(|only| only == plan.id));
    let plans = shown.filter_map(|plan| body(subscription, plan, only)).collect();
    Reply::json(200, &PlansBody { plans })
}

/// Nothing where the plan is not sold in the market, or was taken out of the list for this subscription.
fn body<'a>(subscription: &'a Subscription, plan: &'a Plan, only: Option<&str>) -> Option<PlanBody<'a>> {
    let is_current = plan.id == subscription.plan_id;
    if is_current && subscription.plan_missing {
        return None;
    }
    let prices = plan.markets.get(&subscription.market)?;
    // Only with the filter set to the bought plan does the answer name the private offer (documentation of 2023).
    let private_offer = subscription.private_offer_id.as_deref().filter(|_| is_current && only.is_some());
    Some(PlanBody {
        plan_id: &plan.id,
        display_name: &plan.name,
        is_private: plan.is_private,
        description: &plan.description,
        min_quantity: plan.min_quantity.filter(|_| plan.per_seat),
        max_quantity: plan.max_quantity.filter(|_| plan.per_seat),
        has_free_trials: false,
        is_price_per_seat: plan.per_seat,
        is_stop_sell: plan.is_stop_sell || (is_current && subscription.stop_sell),
        market: &subscription.market,
        plan_components: ComponentsBody {
            recurrent_billing_terms: [BillingTermBody {
                currency: &prices.currency,
                price: number(&prices.price)?,
                term_unit: &plan.term_unit,
                term_description: term_description(&plan.term_unit),
            }],
            metering_dimensions: meters(subscription, plan, prices),
        },
        source_offers: private_offer.map(|external_id| [SourceOfferBody { external_id }]),
    })
}

fn meters<'a>(subscription: &Subscription, plan: &'a Plan, prices: &'a MarketPrices) -> Vec<MeterBody<'a>> {
    let meter = |dimension: &'a super::super::seed::Dimension| {
        Some(MeterBody {
            id: &dimension.id,
            currency: &prices.currency,
            price_per_unit: number(subscription.unit_price(plan, &dimension.id)?)?,
            unit_of_measure: &dimension.unit_of_measure,
            display_name: &dimension.display_name,
        })
    };
    plan.dimensions.iter().filter_map(meter).collect()
}

/// The price as a JSON number with exactly these digits.
fn number(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

fn term_description(term_unit: &str) -> String {
    let months = terms::months(term_unit);
    match (months % 12, months / 12) {
        (0, years) => format!("{years} Year Subscription"),
        _ => format!("{months} Month Subscription"),
    }
}
