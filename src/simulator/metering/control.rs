//! Usage in the control interface.

use serde::Deserialize;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::super::{
    control::{done, problem, with},
    exchange::{Reply, Request},
    world::World,
};

/// Answers a request below `/control/usage`.
pub(in super::super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    match (request.method.as_str(), segments) {
        ("GET", []) => match request.query().get("subscription").map(Uuid::parse_str) {
            None => Reply::json(200, &world.usage()),
            Some(Ok(id)) => Reply::json(200, &world.usage_of(id)),
            Some(Err(_)) => problem(400, "the subscription id is not a GUID"),
        },
        ("POST", ["foreign"]) => with(request, |body| foreign(world, &body)),
        ("POST", ["verdict"]) => with(request, |body| verdict(world, &body)),
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Foreign {
    subscription_id: Uuid,
    dimension: String,
    quantity: String,
    #[serde(with = "time::serde::rfc3339")]
    effective_start_time: OffsetDateTime,
}

fn foreign(world: &World, body: &Foreign) -> Reply {
    match world.post_foreign_usage(body.subscription_id, &body.dimension, &body.quantity, body.effective_start_time) {
        Ok(received) => Reply::json(200, &received),
        Err(error) => problem(400, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Said {
    subscription_id: Uuid,
    dimension: String,
    day: Date,
    recon_status: String,
    processed_quantity: String,
}

fn verdict(world: &World, said: &Said) -> Reply {
    let (status, quantity) = (&said.recon_status, &said.processed_quantity);
    match world.set_usage_verdict(said.subscription_id, &said.dimension, said.day, status, quantity) {
        Ok(()) => done(),
        Err(error) => problem(400, &error.to_string()),
    }
}
