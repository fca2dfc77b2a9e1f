//! The JSON that the webhook carries.

use serde_json::{Value, json};

use super::super::{event::Event, fulfillment::wire::SubscriptionBody, seed::Seed, switches::Switches, terms};

/// The body of an event. Outer plan and seats are those that are asked for; of a plan without seats the quantity is
/// null, unlike in the API's answers.
pub(super) fn of(seed: &Seed, event: &Event, switches: &Switches) -> Value {
    let subscription = event.snapshot(switches.stale_snapshots);
    let (id, source, at) = (event.operation_id, event.source.name(), terms::instant(event.at));
    if switches.minimal_bodies {
        return json!({
            "id": id, "activityId": id, "operationRequestSource": source, "subscriptionId": subscription.id,
            "timeStamp": at, "action": event.action,
        });
    }
    let mut snapshot = serde_json::to_value(SubscriptionBody::of(seed, subscription)).unwrap_or_default();
    if let Some(fields) = snapshot.as_object_mut() {
        fields.entry("quantity").or_insert(Value::Null);
    }
    json!({
        "id": id, "activityId": id, "publisherId": subscription.publisher_id, "offerId": subscription.offer_id,
        "planId": event.plan_id, "quantity": event.quantity, "subscriptionId": subscription.id, "timeStamp": at,
        "action": event.action, "status": event.progress.name(), "operationRequestSource": source,
        "subscription": snapshot, "purchaseToken": null,
    })
}
