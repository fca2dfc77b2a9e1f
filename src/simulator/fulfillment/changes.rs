//! Changes that the publisher asks for: another plan, another quantity, the end.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{
    exchange::{Reply, Request},
    operation::{Change, Operation, Source},
    purchase::fits,
    seed::Seed,
    subscription::{Status, Subscription},
    world::World,
};
use super::{API_VERSION, INTERNAL_HOST, error, no_subscription};

pub(super) fn patch(world: &World, id: Uuid, request: &Request) -> Reply {
    let Ok(body) = request.json::<Value>() else {
        return error(400, "BadRequest", "The request body is not JSON.", "body");
    };
    let now = world.now();
    let mut state = world.settled(id);
    let Some(subscription) = state.find(id) else { return no_subscription(404) };
    let change = match wanted(&state.seed, subscription, &body) {
        Ok(change) => change,
        Err(message) => return error(400, "BadRequest", message, "subscription"),
    };
    let operation = Operation::new(change, Source::Partner, now);
    let reply = accepted(id, operation.id);
    if let Some(subscription) = state.find_mut(id) {
        subscription.operations.push(operation);
    }
    reply
}

/// The change, or why not.
fn wanted(seed: &Seed, subscription: &Subscription, body: &Value) -> Result<Change, &'static str> {
    let (plan_id, quantity) = (body.get("planId"), body.get("quantity"));
    if plan_id.is_some() && quantity.is_some() {
        return Err("Cannot patch more than one field in the same request");
    }
    if subscription.status != Status::Subscribed {
        return Err("The subscription is not in state Subscribed.");
    }
    if !subscription.allowed_operations().contains(&"Update") {
        return Err("Update is not among the allowed customer operations of the subscription.");
    }
    if subscription.pending_operation().is_some() {
        return Err("The subscription is locked due to pending operations.");
    }
    match (plan_id, quantity) {
        (Some(plan_id), None) => other_plan(seed, subscription, plan_id),
        (None, Some(quantity)) => other_quantity(seed, subscription, quantity),
        _ => Err("Either planId or quantity is required."),
    }
}

fn other_plan(seed: &Seed, subscription: &Subscription, plan_id: &Value) -> Result<Change, &'static str> {
    let plan = plan_id.as_str().and_then(|plan_id| seed.plan(&subscription.offer_id, plan_id));
    let plan = plan.filter(|plan| !plan.is_stop_sell && plan.markets.contains_key(&subscription.market));
    let plan = plan.ok_or("The plan is unknown or not available to this subscription.")?;
    if plan.id == subscription.plan_id {
        return Err("The subscription is already on this plan.");
    }
    Ok(Change::Plan { plan_id: plan.id.clone(), term_unit: plan.term_unit.clone() })
}

fn other_quantity(seed: &Seed, subscription: &Subscription, quantity: &Value) -> Result<Change, &'static str> {
    let plan = seed.plan(&subscription.offer_id, &subscription.plan_id).filter(|plan| plan.per_seat);
    let plan = plan.ok_or("The plan is not billed by seats.")?;
    let quantity = quantity.as_u64().and_then(|quantity| u32::try_from(quantity).ok());
    let quantity = quantity.filter(|quantity| fits(plan, *quantity));
    let quantity = quantity.ok_or("The quantity is outside the limits of the plan.")?;
    if subscription.quantity == Some(quantity) {
        return Err("The subscription already has this quantity.");
    }
    Ok(Change::Quantity(quantity))
}

pub(super) fn delete(world: &World, id: Uuid) -> Reply {
    let now = world.now();
    let mut state = world.settled(id);
    let Some(subscription) = state.find_mut(id) else { return no_subscription(404) };
    if subscription.status == Status::Unsubscribed {
        return Reply::empty(200);
    }
    if !subscription.allowed_operations().contains(&"Delete") {
        let message = "Delete is not among the allowed customer operations of the subscription.";
        return error(400, "BadRequest", message, "subscription");
    }
    // A reinstatement is refused by ending the subscription (documentation of 2023), so it does not lock.
    if subscription.pending_operation().is_some_and(|pending| pending.change != Change::Reinstate) {
        let message = "The subscription is locked due to pending operations.";
        return Reply::json(409, &json!({"code": "Conflict", "message": message}));
    }
    let operation = Operation::new(Change::Unsubscribe, Source::Partner, now);
    let reply = accepted(id, operation.id);
    subscription.operations.push(operation);
    reply
}

/// 202 as recorded: the request id equals the operation's, and the address is on the internal host.
fn accepted(subscription: Uuid, operation: Uuid) -> Reply {
    let location = format!(
        "{INTERNAL_HOST}/api/saas/subscriptions/{subscription}/operations/{operation}?api-version={API_VERSION}"
    );
    let operation = operation.to_string();
    Reply::empty(202)
        .header("operation-id", &operation)
        .header("operation-location", &location)
        .header("retry-after", "10")
        .header("x-ms-requestid", &operation)
        .header("x-ms-correlationid", &operation)
}
