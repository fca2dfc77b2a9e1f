//! What both APIs of the marketplace do before and after they answer: the caller, the version, the ids of the request.

use serde_json::json;
use uuid::Uuid;

use super::{
    entra::jwt,
    exchange::{Reply, Request},
    world::World,
};

/// The one version that there is.
pub(super) const API_VERSION: &str = "2018-08-31";

/// Lets the request through to `answer`, or refuses it; the reply names the request either way.
pub(super) fn pass(world: &World, request: &Request, answer: impl FnOnce() -> Reply) -> Reply {
    let mut reply = guarded(world, request, answer);
    let set = |reply: &Reply, name: &str| reply.headers.iter().any(|(key, _)| key == name);
    let fresh = Uuid::new_v4().to_string();
    let request_id = request.header("x-ms-requestid").unwrap_or(&fresh);
    let correlation_id = request.header("x-ms-correlationid").unwrap_or(request_id);
    for (name, value) in [("x-ms-requestid", request_id), ("x-ms-correlationid", correlation_id)] {
        if !set(&reply, name) {
            reply = reply.header(name, value);
        }
    }
    reply.header("x-ms-activityid", &Uuid::new_v4().to_string())
}

fn guarded(world: &World, request: &Request, answer: impl FnOnce() -> Reply) -> Reply {
    if let Err(refusal) = jwt::check_marketplace_bearer(world, request.header("authorization")) {
        return refusal;
    }
    match request.query().get("api-version") {
        Some(API_VERSION) => answer(),
        None => version_error("ApiVersionUnspecified", "An API version is required, but was not specified."),
        Some(other) => version_error(
            "UnsupportedApiVersion",
            &format!("The HTTP resource that matches the request URI does not support the API version '{other}'."),
        ),
    }
}

/// These two have capital letters, unlike all other errors (seen by the authors of Microsoft's emulator).
fn version_error(code: &str, message: &str) -> Reply {
    Reply::json(400, &json!({"Error": {"Code": code, "Message": message}}))
}

/// The usual shape of an error.
pub(super) fn error(status: u16, code: &str, message: &str, target: &str) -> Reply {
    Reply::json(status, &json!({"code": code, "message": message, "target": target, "details": []}))
}
