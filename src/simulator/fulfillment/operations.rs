//! The operations API.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{
    exchange::{Reply, Request},
    operation::{Progress, Source},
    world::World,
};
use super::{
    error,
    wire::{OperationBody, OperationsBody},
};

/// Those in progress. An unknown subscription has none, it is not an error (authors of Microsoft's emulator).
pub(super) fn list(world: &World, id: Uuid) -> Reply {
    let state = world.settled(id);
    let Some(subscription) = state.find(id) else {
        return Reply::json(200, &OperationsBody { operations: Vec::new() });
    };
    let open = subscription.operations.iter().filter(|operation| operation.progress == Progress::InProgress);
    let operations = open.map(|operation| OperationBody::of(subscription, operation)).collect();
    Reply::json(200, &OperationsBody { operations })
}

fn unknown() -> Reply {
    // 404 by the documentation, 400 by the real service.
    error(400, "BadRequest", "The operation was not found.", "operationId")
}

pub(super) fn get(world: &World, id: Uuid, operation: &str) -> Reply {
    let mut state = world.settled(id);
    let Some(subscription) = state.find_mut(id) else { return unknown() };
    let wanted = Uuid::parse_str(operation).ok();
    let Some(found) = subscription.operations.iter().find(|found| Some(found.id) == wanted) else { return unknown() };
    let reply = Reply::json(200, &OperationBody::of(subscription, found));
    subscription.mark_seen();
    reply
}

pub(super) fn patch(world: &World, id: Uuid, operation: &str, request: &Request) -> Reply {
    let mut state = world.settled(id);
    let Some(subscription) = state.find(id) else { return unknown() };
    let wanted = Uuid::parse_str(operation).ok();
    let Some(found) = subscription.operations.iter().find(|found| Some(found.id) == wanted) else { return unknown() };
    let (found, source, is_open) = (found.id, found.source, found.is_open());
    let (now, ignore_failure) = (world.now(), state.switches.ignore_failure);
    let Some(status) = request.json::<Value>().ok().and_then(|body| body.get("status")?.as_str().map(str::to_owned))
    else {
        return error(400, "BadRequest", "The status is missing.", "status");
    };
    if source == Source::Partner {
        return Reply::empty(500);
    }
    if !is_open {
        // The real service's message is nothing but the request id.
        let request_id = request.header("x-ms-requestid").unwrap_or_default();
        return Reply::json(409, &json!({"code": "Conflict", "message": request_id}));
    }
    // Any text is answered with 200; a misspelt one changes nothing.
    if ["Success", "Failure"].contains(&status.as_str()) {
        let accepted = status == "Success" || ignore_failure;
        state.find_mut(id).map(|subscription| subscription.conclude(found, accepted, now));
        state.post_events(id);
    }
    Reply::empty(200)
}
