//! Signing tokens, and the marketplace's check of a bearer token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::{exchange::Reply, world::World};

/// The application id of Microsoft's marketplace API.
pub(in super::super) const MARKETPLACE_RESOURCE: &str = "20e940b3-4c77-4b0b-9a53-9e16a1b010a7";

/// Signs the claims with the present key.
pub(in super::super) fn sign(world: &World, claims: &Map<String, Value>) -> Option<String> {
    let [key, _] = world.0.keys.published(world.state().key_rotations);
    assemble(&header(&key.kid), claims, |message| key.sign(message))
}

pub(super) fn header(kid: &str) -> Value {
    json!({"typ": "JWT", "alg": "RS256", "kid": kid, "x5t": kid})
}

/// A token out of its parts; nothing when it could not be signed.
pub(super) fn assemble(
    header: &Value,
    claims: &Map<String, Value>,
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(&Value::Object(claims.clone())));
    let signature = sign(message.as_bytes())?;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The claims of a token that one of the published keys signed.
pub(in super::super) fn verified_claims(world: &World, token: &str) -> Option<Value> {
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let kid = header.get("kid")?.as_str().filter(|_| header.get("alg") == Some(&json!("RS256")))?;
    let keys = world.0.keys.published(world.state().key_rotations);
    let key = keys.into_iter().find(|key| key.kid == kid)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !key.verifies(message.as_bytes(), &signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Refuses a call that is not the marketplace application's: 401 without a header, 403 with a bare JSON string
/// otherwise (field reports, SaaS-Accelerator issue 607).
pub(in super::super) fn check_marketplace_bearer(world: &World, header: Option<&str>) -> Result<(), Reply> {
    let Some(header) = header else { return Err(Reply::empty(401).header("www-authenticate", "Bearer")) };
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let claims = token.and_then(|(_, token)| verified_claims(world, token.trim()));
    if claims.is_some_and(|claims| is_marketplace_application(world, &claims)) {
        return Ok(());
    }
    Err(Reply::json(
        403,
        &"The authorization token is invalid, expired, missing or this request is attempting to access a SaaS \
          subscription for an offer that was published with a different Microsoft Entra App ID from the one used to \
          create the authorization token.",
    ))
}

fn is_marketplace_application(world: &World, claims: &Value) -> bool {
    let publisher = world.state().seed.publisher.clone();
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let is = |name: &str, wanted: Uuid| Uuid::parse_str(text(name)).is_ok_and(|id| id == wanted);
    let application = publisher.applications.marketplace.client_id;
    let audience = text("aud").trim_end_matches("/.default").trim_end_matches('/');
    let now = world.now().unix_timestamp();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    audience == MARKETPLACE_RESOURCE
        && (is("appid", application) || is("azp", application))
        && is("tid", publisher.tenant_id)
        && time("exp").is_some_and(|expiry| now < expiry)
        && time("nbf").is_some_and(|start| now >= start)
}
