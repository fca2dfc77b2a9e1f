//! The JSON of usage events, in the order and spelling of the recorded traffic.

use serde::Serialize;
use serde_json::{json, value::RawValue};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    super::{exchange::Reply, seed::Seed, subscription::Subscription, terms},
    book::ReceivedUsage,
    item::Item,
    rules::{Judged, Refusal},
};

/// Microsoft's sentence about a slot that is taken.
pub(super) const ALREADY_THERE: &str = "This usage event already exist.";

/// The message time of an event that was not recorded (Microsoft's examples), without a zone.
const NEVER: &str = "0001-01-01T00:00:00";

/// One result; also the accepted message inside a duplicate.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_event_id: Option<Uuid>,
    status: &'a str,
    message_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_uri: Option<UriBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_start_time: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_id: Option<&'a RawValue>,
}

/// Refused events echo the address that was sent; accepted ones carry Microsoft's own.
#[derive(Clone, Serialize)]
#[serde(untagged)]
enum UriBody<'a> {
    Sent(&'a RawValue),
    Known(&'a str),
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<InfoBody<'a>>,
    message: &'a str,
    code: &'a str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoBody<'a> {
    accepted_message: Box<ItemBody<'a>>,
}

#[derive(Serialize)]
struct BatchBody<'a> {
    result: &'a [ItemBody<'a>],
    count: usize,
}

/// One result of a batch.
pub(super) fn item<'a>(raw: &'a str, judged: &'a Judged) -> ItemBody<'a> {
    let sent = Item::read(raw);
    match &judged.refusal {
        None => accepted(&judged.received, "Accepted", &judged.resource_uri),
        Some(refusal) => ItemBody {
            usage_event_id: None,
            status: &refusal.status,
            message_time: message_time(refusal, judged.received.at),
            error: Some(error(refusal, &judged.resource_uri)),
            resource_uri: sent.resource_uri.map(UriBody::Sent),
            ..echo(sent)
        },
    }
}

/// The event that was accepted, under the id and time that it got then.
fn accepted<'a>(usage: &'a ReceivedUsage, status: &'a str, resource_uri: &'a str) -> ItemBody<'a> {
    ItemBody {
        usage_event_id: usage.usage_event_id,
        status,
        message_time: terms::shortest(usage.at),
        resource_uri: Some(UriBody::Known(resource_uri)),
        ..echo(Item::read(&usage.bytes))
    }
}

fn echo(sent: Item<'_>) -> ItemBody<'_> {
    ItemBody {
        usage_event_id: None,
        status: "",
        message_time: String::new(),
        error: None,
        resource_id: sent.resource_id,
        resource_uri: None,
        quantity: sent.quantity,
        dimension: sent.dimension,
        effective_start_time: sent.effective_start_time,
        plan_id: sent.plan_id,
    }
}

/// Duplicates are recorded with the present; of all others there are the examples only.
fn message_time(refusal: &Refusal, at: OffsetDateTime) -> String {
    if refusal.accepted.is_some() { terms::shortest(at) } else { NEVER.to_owned() }
}

fn error<'a>(refusal: &'a Refusal, resource_uri: &'a str) -> ErrorBody<'a> {
    let message = refusal.problems.first().map_or("", |problem| problem.message.as_str());
    let code = if refusal.accepted.is_some() { "Conflict" } else { &refusal.status };
    ErrorBody { additional_info: refusal.accepted.as_ref().map(|first| info(first, resource_uri)), message, code }
}

/// The status inside is that of the duplicate, too (recorded).
fn info<'a>(first: &'a ReceivedUsage, resource_uri: &'a str) -> InfoBody<'a> {
    InfoBody { accepted_message: Box::new(accepted(first, "Duplicate", resource_uri)) }
}

/// The answer to a batch: 200, even where all events were refused.
pub(super) fn batch(results: &[ItemBody<'_>]) -> Reply {
    Reply::json(200, &BatchBody { result: results, count: results.len() })
}

/// The answer to a single event.
pub(super) fn single(raw: &str, judged: &Judged) -> Reply {
    match &judged.refusal {
        None => Reply::json(200, &item(raw, judged)),
        Some(refusal) if refusal.accepted.is_some() => Reply::json(409, &error(refusal, &judged.resource_uri)),
        Some(refusal) => {
            let problems = refusal.problems.iter();
            let details = problems.map(|problem| (problem.target, problem.message.as_str(), refusal.status.as_ref()));
            bad(400, "usageEventRequest", details)
        }
    }
}

/// A request that cannot be read at all.
pub(super) fn bad_request(target: &str, message: &str) -> Reply {
    bad(400, target, [(target, message, "BadArgument")])
}

fn bad<'a>(status: u16, target: &str, details: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Reply {
    let detail = |(target, message, code)| json!({"message": message, "target": target, "code": code});
    let details: Vec<_> = details.into_iter().map(detail).collect();
    Reply::json(
        status,
        &json!({
            "message": "One or more errors have occurred.", "target": target, "details": details, "code": "BadArgument",
        }),
    )
}

/// The Azure subscription that pays: the simulated tenants have one each.
pub(super) fn azure_subscription(seed: &Seed, subscription: &Subscription) -> Uuid {
    const OWN: u128 = 0x0000_0000_0000_0000_0000_a2be_5ab5_0001;
    let tenant = seed.user(subscription.purchaser).map_or(Uuid::nil(), |(tenant, _)| tenant.id);
    Uuid::from_u128(tenant.as_u128() ^ OWN)
}

/// The name of the purchase in Azure.
pub(super) fn resource_uri(seed: &Seed, subscription: &Subscription) -> String {
    let payer = azure_subscription(seed, subscription);
    let name = &subscription.name;
    format!("/subscriptions/{payer}/resourceGroups/saas/providers/Microsoft.SaaS/resources/{name}")
}
