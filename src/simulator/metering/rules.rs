//! How Microsoft judges a usage event (reference: the metering documentation, item statuses and constraints).

use std::{borrow::Cow, sync::Arc};

use time::{Duration, OffsetDateTime};

use super::{
    super::{
        seed::Plan,
        subscription::{Status, Subscription},
        world::State,
    },
    book::{ReceivedUsage, Slot},
    item::{Complete, Facts, Item},
    wire,
};

/// Usage that is older than this is not taken.
const WINDOW: Duration = Duration::hours(24);

/// What is wrong with one field.
pub(super) struct Problem {
    pub(super) target: &'static str,
    pub(super) message: String,
}

/// Why a usage event is not accepted.
pub(super) struct Refusal {
    /// The item status.
    pub(super) status: Cow<'static, str>,
    /// At least one.
    pub(super) problems: Vec<Problem>,
    /// The event that has the slot already.
    pub(super) accepted: Option<Arc<ReceivedUsage>>,
}

/// What became of a usage event.
pub(super) struct Judged {
    pub(super) received: Arc<ReceivedUsage>,
    pub(super) refusal: Option<Refusal>,
    /// The ARM name of the subscription; empty when it is not known.
    pub(super) resource_uri: String,
}

/// What is known of an event that is accepted.
pub(super) struct Passed {
    /// What a unit costs the customer, as decimal text; nothing where the plan is not sold in the market.
    pub(super) unit_price: Option<String>,
}

impl Refusal {
    pub(super) fn new(status: impl Into<Cow<'static, str>>, target: &'static str, message: &str) -> Self {
        let problems = vec![Problem { target, message: message.to_owned() }];
        Self { status: status.into(), problems, accepted: None }
    }

    fn bad_arguments(problems: Vec<Problem>) -> Self {
        Self { status: "BadArgument".into(), problems, accepted: None }
    }

    fn duplicate(accepted: &Arc<ReceivedUsage>) -> Self {
        let refusal = Self::new("Duplicate", "usageEventRequest", wire::ALREADY_THERE);
        Self { accepted: Some(Arc::clone(accepted)), ..refusal }
    }
}

/// Judges an event. The first rule that it breaks decides.
pub(super) fn judge(state: &State, item: &Item<'_>, facts: &Facts, now: OffsetDateTime) -> Result<Passed, Refusal> {
    let event = item.complete(facts).map_err(Refusal::bad_arguments)?;
    if event.effective_start > now {
        let message = "The effectiveStartTime is in the future.";
        return Err(Refusal::new("BadArgument", "EffectiveStartTime", message));
    }
    let subscription = state.find(event.resource_id);
    let subscription = subscription
        .ok_or_else(|| Refusal::new("ResourceNotFound", "ResourceId", "The usage resource was not found."))?;
    if event.quantity <= rust_decimal::Decimal::ZERO {
        return Err(Refusal::new("InvalidQuantity", "Quantity", "The quantity must be greater than zero."));
    }
    let plan = check_plan(state, subscription, &event)?;
    if !state.switches.accept_all_usage {
        check_time(subscription, event.effective_start, now)?;
        if let Some(first) = state.usage.in_slot(&Slot::of(&event)) {
            return Err(Refusal::duplicate(first));
        }
    }
    Ok(Passed { unit_price: subscription.unit_price(plan, event.dimension).map(str::to_owned) })
}

/// The plan that it names. One that the subscription had before is taken, too: what was used before the change belongs
/// to the old plan (Microsoft's questions and answers of 2023).
fn check_plan<'a>(state: &'a State, subscription: &Subscription, event: &Complete<'_>) -> Result<&'a Plan, Refusal> {
    let plan = state.seed.plan(&subscription.offer_id, event.plan_id);
    let plan = plan.ok_or_else(|| Refusal::new("BadArgument", "PlanId", "The planId is unknown."))?;
    let is_own = plan.id == subscription.plan_id || subscription.former_plans.contains(&plan.id);
    let is_enabled = plan.dimensions.iter().any(|dimension| dimension.id == event.dimension);
    if is_own && is_enabled {
        return Ok(plan);
    }
    Err(Refusal::new("InvalidDimension", "Dimension", "The dimension is not enabled for this plan of the resource."))
}

/// Whether there is still, or already, something that could be used.
fn check_time(subscription: &Subscription, used: OffsetDateTime, now: OffsetDateTime) -> Result<(), Refusal> {
    if now - used > WINDOW {
        let message = "The effectiveStartTime is more than 24 hours ago.";
        return Err(Refusal::new("Expired", "EffectiveStartTime", message));
    }
    // What was used before the end can be reported after it (Microsoft's questions and answers of 2023).
    let is_active = match subscription.status {
        Status::Subscribed => true,
        Status::Unsubscribed => subscription.term.is_some() && subscription.ended_at.is_some_and(|end| used < end),
        Status::Pending | Status::Suspended => false,
    };
    if is_active {
        return Ok(());
    }
    Err(Refusal::new("ResourceNotActive", "ResourceId", "The usage resource is not active."))
}
