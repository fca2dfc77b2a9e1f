//! The metering API: `usageEvent`, `batchUsageEvent` and `usageEvents` under `/api`.
//!
//! Owns: what usage was accepted, in which slot, and its daily sums. Does not own: what is sold and what is active, which
//! it reads from the seed and the subscriptions.

mod book;
pub(super) mod control;
mod days;
mod handle;
pub(super) mod invoice;
mod item;
mod rules;
mod wire;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use self::book::Book;
pub use self::book::ReceivedUsage;
use self::rules::Judged;
use super::{
    exchange::{Reply, Request},
    gate,
    switches::UsageTrick,
    world::World,
};

/// The largest batch (Microsoft's metering documentation).
const MOST_EVENTS: usize = 25;

/// Answers a request to one of the three operations.
pub(super) fn answer(world: &World, request: &Request, operation: &str) -> Reply {
    gate::pass(world, request, || match (request.method.as_str(), operation) {
        ("POST", "usageEvent") => single(world, request),
        ("POST", "batchUsageEvent") => batch(world, request),
        ("GET", "usageEvents") => days::list(world, &request.query()),
        _ => Reply::empty(405),
    })
}

fn single(world: &World, request: &Request) -> Reply {
    let Ok(raw) = serde_json::from_slice::<&RawValue>(&request.body) else {
        return wire::bad_request("usageEventRequest", "The request body is not JSON.");
    };
    let judged = world.receive_usage(raw.get());
    let trick = world.state().switches.usage_trick.clone();
    broken(wire::single(raw.get(), &judged), trick.as_ref())
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    request: Vec<&'a RawValue>,
}

fn batch(world: &World, request: &Request) -> Reply {
    const TARGET: &str = "batchUsageEventRequest";
    let Ok(batch) = serde_json::from_slice::<Batch<'_>>(&request.body) else {
        return wire::bad_request(TARGET, "The request body is not a list of usage events.");
    };
    if !(1..=MOST_EVENTS).contains(&batch.request.len()) {
        return wire::bad_request(TARGET, "The batch must contain between 1 and 25 usage events.");
    }
    let trick = world.state().switches.usage_trick.clone();
    let judged: Vec<Judged> = batch.request.iter().map(|raw| world.receive_usage(raw.get())).collect();
    let mut results: Vec<_> =
        batch.request.iter().zip(&judged).map(|(raw, judged)| wire::item(raw.get(), judged)).collect();
    match trick {
        Some(UsageTrick::Short) => drop(results.pop()),
        Some(UsageTrick::Reordered) => results.reverse(),
        Some(UsageTrick::Doubled) => results.extend(results.clone()),
        _ => {}
    }
    broken(wire::batch(&results), trick.as_ref())
}

/// Cut in the middle, if that is the trick.
fn broken(mut reply: Reply, trick: Option<&UsageTrick>) -> Reply {
    if trick == Some(&UsageTrick::Broken) {
        reply.body.truncate(reply.body.len() / 2);
    }
    reply
}
