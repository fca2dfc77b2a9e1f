//! Webhooks in the control interface.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        exchange::{Reply, Request},
        world::{World, WorldError},
    },
    WebhookAnswer,
};

/// Answers a request below `/control/webhooks`.
pub(in super::super) async fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    let method = request.method.as_str();
    match (method, segments) {
        ("GET", []) => list(world, request),
        ("POST", ["deliver-due"]) => Reply::json(200, &json!({"tried": world.deliver_due().await})),
        ("POST", ["release"]) => match request.json::<Release>() {
            Ok(body) => Reply::json(200, &json!({"released": world.release_webhooks(body.seed)})),
            Err(error) => problem(400, &error),
        },
        (_, [id, rest @ ..]) => match id.parse() {
            Ok(id) => one(world, request, id, rest).await,
            Err(_) => problem(400, "the id of a webhook is a number"),
        },
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    #[serde(default)]
    seed: Option<u64>,
}

fn problem(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}

fn list(world: &World, request: &Request) -> Reply {
    match request.query().get("subscription").map(Uuid::parse_str) {
        None => Reply::json(200, &world.webhooks()),
        Some(Ok(id)) => Reply::json(200, &world.webhooks_of(id)),
        Some(Err(_)) => problem(400, "the subscription id is not a GUID"),
    }
}

async fn one(world: &World, request: &Request, id: u64, verb: &[&str]) -> Reply {
    match (request.method.as_str(), verb) {
        ("GET", []) => match world.webhook_request(id) {
            Ok(sent) => Reply::json(200, &sent),
            Err(error) => problem(404, &error.to_string()),
        },
        ("POST", ["deliver"]) => delivered(world.deliver(id).await),
        ("POST", ["deliver-as"]) => match request.json::<serde_json::Map<String, Value>>() {
            Ok(other) => delivered(world.deliver_as(id, |body| replace(body, other)).await),
            Err(error) => problem(400, &error),
        },
        ("POST", ["lose"]) if world.lose_webhook(id) => Reply::json(200, &json!({"done": true})),
        ("POST", ["lose"]) => problem(409, "there is no such webhook that waits"),
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}

fn replace(body: &mut Value, other: serde_json::Map<String, Value>) {
    if let Some(fields) = body.as_object_mut() {
        fields.extend(other);
    }
}

fn delivered(answer: Result<WebhookAnswer, WorldError>) -> Reply {
    match answer {
        Ok(answer) => Reply::json(200, &answer),
        Err(error) => problem(404, &error.to_string()),
    }
}
