//! Federated credentials: the registrations of the publisher trust its managed identity and a service account of a cluster.

use serde_json::{Map, Value, json};
use time::Duration;

use super::{
    super::{
        exchange::{Form, Reply, Request},
        world::World,
    },
    issuer, jwt, object,
};

/// For whom such a token has to be.
pub(super) const AUDIENCE: &str = "api://AzureADTokenExchange";
/// Whom Kubernetes says that our pods are.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:seatkey:seatkey";
const LIFE: Duration = Duration::hours(1);

/// What is wrong with an assertion: Entra's code and its words.
pub(super) type Refused = (u32, String);

/// Whether the registrations take the assertion of a request; nothing when there is none.
pub(super) fn check(world: &World, form: &Form) -> Option<Result<(), Refused>> {
    let assertion = form.get("client_assertion")?;
    let is_jwt = form.text("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    if !is_jwt {
        return Some(Err((50_027, "JWT token is invalid or malformed.".to_owned())));
    }
    let claims = jwt::verified_claims(world, assertion);
    Some(claims.map_or_else(
        || Err((50_013, "Assertion failed signature validation.".to_owned())),
        |claims| trusted(world, &claims),
    ))
}

/// In Entra's order: the issuer, the subject, the audience, the time.
fn trusted(world: &World, claims: &Value) -> Result<(), Refused> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let unknown = |what: &str, value: &str| {
        format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated \
             identity credential Subject, Audience and Issuer against the presented assertion."
        )
    };
    let publisher = world.state().seed.publisher.clone();
    let identity = (issuer(world, &publisher.tenant_id.to_string()), publisher.managed_identity.object_id.to_string());
    let trust = [identity, (cluster(world), SERVICE_ACCOUNT.to_owned())];
    let of_issuer = trust.iter().find(|(issuer, _)| issuer == text("iss"));
    let (_, subject) = of_issuer.ok_or_else(|| (700_211, unknown("issuer", text("iss"))))?;
    if subject != text("sub") {
        return Err((700_213, unknown("subject", text("sub"))));
    }
    let audience = claims.get("aud").map(|audience| audience.get(0).unwrap_or(audience).clone()).unwrap_or_default();
    if audience != json!(AUDIENCE) {
        return Err((700_212, unknown("audience", audience.as_str().unwrap_or_default())));
    }
    let (now, time) = (world.now().unix_timestamp(), |name: &str| claims.get(name).and_then(Value::as_i64));
    if time("exp").is_none_or(|end| now >= end) || time("nbf").is_some_and(|start| now < start) {
        return Err((700_024, "Client assertion is not within its valid time range.".to_owned()));
    }
    Ok(())
}

/// The issuer of the cluster's tokens.
fn cluster(world: &World) -> String {
    format!("{}cluster", world.0.base_url)
}

/// `GET /control/service-account-token`
pub(in super::super) fn show_service_account_token(world: &World, request: &Request) -> Reply {
    match world.service_account_token(request.query().get("audience").unwrap_or(AUDIENCE)) {
        Some(token) => Reply::text(200, &token),
        None => Reply::empty(500),
    }
}

impl World {
    /// The token that Kubernetes writes into a pod's file, for this audience; good for an hour. Nothing when it cannot be signed.
    #[must_use]
    pub fn service_account_token(&self, audience: &str) -> Option<String> {
        let now = self.now().unix_timestamp();
        let claims: Map<String, Value> = object([
            ("aud", Some(json!([audience]))),
            ("iss", Some(json!(cluster(self)))),
            ("sub", Some(json!(SERVICE_ACCOUNT))),
            ("iat", Some(json!(now))),
            ("nbf", Some(json!(now))),
            ("exp", Some(json!(now + LIFE.whole_seconds()))),
        ]);
        jwt::sign(self, &claims)
    }
}
