//! Entra: discovery, keys, sign-in and tokens.

mod authorize;
mod client;
mod discovery;
pub(super) mod federated;
pub(super) mod jwt;
pub(super) mod keys;
pub(super) mod token;
pub(super) mod webhook_token;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    exchange::{Reply, Request},
    seed::{PERSONAL_TENANT, Seed, Tenant},
    terms,
    world::World,
};

/// The tenant part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    Common,
    Organizations,
    Consumers,
    Tenant(Uuid),
}

impl Authority {
    /// A tenant is named by its id or by one of its domains.
    fn parse(text: &str, seed: &Seed) -> Option<Self> {
        match text {
            "common" => Some(Self::Common),
            "organizations" => Some(Self::Organizations),
            "consumers" => Some(Self::Consumers),
            domain if domain.contains('.') => seed.tenant_of_domain(domain).map(|tenant| Self::Tenant(tenant.id)),
            other => Uuid::parse_str(other).ok().map(Self::Tenant),
        }
    }

    /// What stands in the issuer: the template where the tenant is not known before somebody signs in.
    fn issuer_tenant(self) -> String {
        match self {
            Self::Common | Self::Organizations => "{tenantid}".to_owned(),
            Self::Consumers => PERSONAL_TENANT.to_string(),
            Self::Tenant(id) => id.to_string(),
        }
    }

    /// Whether people of this tenant may sign in here.
    fn admits(self, tenant: &Tenant) -> bool {
        match self {
            Self::Common => true,
            Self::Organizations => !tenant.personal,
            Self::Consumers => tenant.personal,
            Self::Tenant(id) => tenant.id == id,
        }
    }

    fn exists(self, seed: &Seed) -> bool {
        match self {
            Self::Tenant(id) => seed.tenants.iter().any(|tenant| tenant.id == id) || seed.publisher.tenant_id == id,
            _ => true,
        }
    }
}

/// Answers an address of Entra; nothing when it is none.
pub(super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Option<Reply> {
    if let ["metadata", "identity", "oauth2", "token"] = segments {
        return Some(token::managed_identity(world, request));
    }
    let (&first, rest) = segments.split_first()?;
    let authority = Authority::parse(first, &world.state().seed);
    let is_known = authority.is_some_and(|authority| authority.exists(&world.state().seed));
    if !is_known && (authority.is_some() || (first.contains('.') && rest.contains(&"openid-configuration"))) {
        let message = format!("Tenant '{first}' not found. Check to make sure you have the correct tenant ID.");
        return Some(refusal(world, 400, "invalid_tenant", 90_002, &message));
    }
    let authority = authority?;
    let method = request.method.as_str();
    Some(match (method, rest) {
        ("GET", ["v2.0", ".well-known", "openid-configuration"]) => discovery::document(world, authority, true),
        ("GET", [".well-known", "openid-configuration"]) => discovery::document(world, authority, false),
        ("GET", ["discovery", "v2.0", "keys"] | ["discovery", "keys"]) => discovery::keys(world, authority),
        ("GET", ["oauth2", "v2.0", "authorize"]) => authorize::show(world, authority, request),
        ("POST", ["oauth2", "v2.0", "authorize"]) => authorize::pick(world, authority, request),
        ("POST", ["oauth2", "v2.0", "token"]) => token::issue(world, authority, request, token::Version::V2),
        ("POST", ["oauth2", "token"]) => token::issue(world, authority, request, token::Version::V1),
        (_, ["oauth2", "v2.0", "logout"]) => authorize::logout(world, request),
        _ => return None,
    })
}

/// An error of the token endpoint, with the line breaks inside the description that the real one has.
fn refusal(world: &World, status: u16, error: &str, code: u32, message: &str) -> Reply {
    let (trace, correlation, at) = (Uuid::new_v4(), Uuid::new_v4(), terms::readable(world.now()));
    let description =
        format!("AADSTS{code}: {message}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}");
    let body = json!({
        "error": error, "error_description": description, "error_codes": [code], "timestamp": at,
        "trace_id": trace, "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    Reply::json(status, &body).header("cache-control", "no-store, no-cache").header("pragma", "no-cache")
}

/// The issuer of version 2 tokens of a tenant.
fn issuer(world: &World, tenant: &str) -> String {
    format!("{}{tenant}/v2.0", world.0.base_url)
}

/// A JSON object out of pairs, leaving out those without a value.
fn object(pairs: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Map<String, Value> {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
