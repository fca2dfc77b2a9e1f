//! Azure Key Vault, as far as signing keys need it: versions, public keys, secrets, `sign` (data plane, `api-version=7.4`).
//! Keys and secrets are made by the control interface; faults are set like everywhere else.

mod shelf;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    control::{done, problem, with},
    entra::jwt::verified_claims,
    exchange::{Reply, Request, encode},
    world::{World, WorldError},
};
pub(super) use shelf::Shelf;
use shelf::{Content, Version};

/// What a token has to be for.
const RESOURCE: &str = "https://vault.azure.net";
const PAGE: usize = 25;

/// Whether a path belongs to the vault.
pub(super) fn is_vault(segments: &[&str]) -> bool {
    matches!(segments.first(), Some(&("keys" | "secrets")))
}

/// Answers a request below `/keys` or `/secrets`.
pub(super) fn answer(world: &World, request: &Request, segments: &[&str]) -> Reply {
    if let Err(reply) = check_bearer(world, request) {
        return reply;
    }
    if request.query().text("api-version").is_empty() {
        return error(400, "BadParameter", "api-version must be specified", None);
    }
    let (Some(&kind), Some(&name)) = (segments.first(), segments.get(1)) else { return Reply::empty(405) };
    let rest = segments.get(2..).unwrap_or_default();
    let state = world.state();
    let versions = state.vault.versions(kind, name);
    if versions.is_empty() {
        let code = if kind == "keys" { "KeyNotFound" } else { "SecretNotFound" };
        let message =
            format!("A {} with (name/id) {name} was not found in this key vault.", kind.trim_end_matches('s'));
        return error(404, code, &message, None);
    }
    match (request.method.as_str(), rest) {
        ("GET", ["versions"]) => list(world, request, (kind, name), versions),
        ("GET", []) => versions.last().map_or(Reply::empty(404), |newest| show(world, (kind, name), newest)),
        ("GET", [version]) => find(versions, version, |found| show(world, (kind, name), found)),
        ("POST", [version, "sign"]) if kind == "keys" => {
            find(versions, version, |found| sign(world, name, found, request))
        }
        _ => Reply::empty(405),
    }
}

fn find(versions: &[Version], id: &str, then: impl FnOnce(&Version) -> Reply) -> Reply {
    let missing = || error(404, "KeyNotFound", &format!("The version {id} was not found in this key vault."), None);
    versions.iter().find(|version| version.id == id).map_or_else(missing, then)
}

/// The challenge tells a client whom the vault trusts.
fn check_bearer(world: &World, request: &Request) -> Result<(), Reply> {
    let publisher = world.state().seed.publisher.clone();
    let refused = |message: &str| {
        let tenant = format!("{}{}", world.0.base_url, publisher.tenant_id);
        let challenge = format!("Bearer authorization=\"{tenant}\", resource=\"{RESOURCE}\"");
        Err(error(401, "Unauthorized", message, None).header("www-authenticate", &challenge))
    };
    let Some(token) = request.header("authorization").and_then(|header| header.strip_prefix("Bearer ")) else {
        return refused("AKV10000: Request is missing a Bearer or PoP token.");
    };
    let Some(claims) = verified_claims(world, token) else {
        return refused("AKV10032: Invalid issuer or signature.");
    };
    let audience = claims.get("aud").and_then(Value::as_str).unwrap_or_default();
    let now = world.now().unix_timestamp();
    if audience.trim_end_matches('/') != RESOURCE {
        return refused(&format!("AKV10022: Invalid audience. Expected {RESOURCE}, found: {audience}."));
    }
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= now) {
        return refused("AKV10023: The token has expired.");
    }
    Ok(())
}

fn list(world: &World, request: &Request, of: (&str, &str), versions: &[Version]) -> Reply {
    let query = request.query();
    let page = query.text("maxresults").parse().unwrap_or(PAGE).clamp(1, PAGE);
    let from: usize = query.text("$skiptoken").parse().unwrap_or(0);
    let shown = versions.iter().skip(from).take(page);
    let field = if of.0 == "keys" { "kid" } else { "id" };
    let value: Vec<Value> =
        shown.map(|version| json!({ field: address(world, of, version), "attributes": attributes(version) })).collect();
    let next = from + value.len();
    let link = (next < versions.len()).then(|| {
        let (base, token) = (&world.0.base_url, encode(&next.to_string()));
        format!("{base}{}/{}/versions?api-version=7.4&$skiptoken={token}&maxresults={page}", of.0, of.1)
    });
    Reply::json(200, &json!({ "value": value, "nextLink": link }))
}

fn show(world: &World, of: (&str, &str), version: &Version) -> Reply {
    if !version.enabled {
        return disabled("get", of.0);
    }
    let id = address(world, of, version);
    match &version.content {
        Content::Key(key) => {
            let (x, y) = shelf::coordinates(key);
            let key = json!({
                "kid": id, "kty": "EC", "crv": "P-256", "key_ops": ["sign", "verify"],
                "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            });
            Reply::json(200, &json!({ "key": key, "attributes": attributes(version) }))
        }
        Content::Secret(value) => {
            Reply::json(200, &json!({ "value": value, "id": id, "attributes": attributes(version) }))
        }
    }
}

#[derive(Deserialize)]
struct ToSign {
    alg: String,
    value: String,
}

fn sign(world: &World, name: &str, version: &Version, request: &Request) -> Reply {
    let now = world.now();
    let not_allowed = |why: &str, code: &str| {
        error(403, "Forbidden", &format!("Operation sign is not allowed on {why}."), Some(code))
    };
    if !version.enabled {
        return disabled("sign", "keys");
    }
    if version.not_before.is_some_and(|from| now < from) {
        return not_allowed("a key that is not yet valid", "KeyNotYetValid");
    }
    if version.expires.is_some_and(|end| now >= end) {
        return not_allowed("an expired key", "KeyExpired");
    }
    let bad = |message: &str| error(400, "BadParameter", message, None);
    let Ok(wanted) = request.json::<ToSign>() else { return bad("The request body is not as expected.") };
    let digest = URL_SAFE_NO_PAD.decode(&wanted.value).ok().filter(|digest| digest.len() == 32);
    let (Content::Key(key), Some(digest)) = (&version.content, digest) else {
        return bad("Invalid length of 'value': 32 bytes are required.");
    };
    if wanted.alg != "ES256" {
        return bad(&format!("Key and signing algorithm are incompatible: {}.", wanted.alg));
    }
    match shelf::sign(key, &digest) {
        Some(signature) => {
            let kid = address(world, ("keys", name), version);
            Reply::json(200, &json!({ "kid": kid, "value": URL_SAFE_NO_PAD.encode(signature) }))
        }
        None => Reply::empty(500),
    }
}

fn disabled(operation: &str, kind: &str) -> Reply {
    let (thing, code) = if kind == "keys" { ("key", "KeyDisabled") } else { ("secret", "SecretDisabled") };
    error(403, "Forbidden", &format!("Operation {operation} is not allowed on a disabled {thing}."), Some(code))
}

fn address(world: &World, (kind, name): (&str, &str), version: &Version) -> String {
    format!("{}{kind}/{name}/{}", world.0.base_url, version.id)
}

fn attributes(version: &Version) -> Value {
    let seconds = |at: Option<OffsetDateTime>| at.map(OffsetDateTime::unix_timestamp);
    let mut fields = json!({
        "enabled": version.enabled, "created": version.created.unix_timestamp(),
        "updated": version.created.unix_timestamp(), "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
    });
    for (name, at) in [("nbf", version.not_before), ("exp", version.expires)] {
        if let (Some(fields), Some(at)) = (fields.as_object_mut(), seconds(at)) {
            fields.insert(name.to_owned(), json!(at));
        }
    }
    fields
}

fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Reply {
    let inner = inner.map(|code| json!({ "code": code }));
    let mut body = json!({ "code": code, "message": message });
    if let (Some(fields), Some(inner)) = (body.as_object_mut(), inner) {
        fields.insert("innererror".to_owned(), inner);
    }
    Reply::json(status, &json!({ "error": body }))
}

/// Attributes of a version that are set; those that are absent stay.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VaultChange {
    /// Whether it may be used.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// From when on.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub not_before: Option<OffsetDateTime>,
    /// Until when.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub expires: Option<OffsetDateTime>,
}

impl World {
    /// A new version of an EC key on P-256; gives the version.
    ///
    /// # Errors
    /// [`WorldError`] when there are too many.
    pub fn create_vault_key(&self, name: &str) -> Result<String, WorldError> {
        let now = self.now();
        self.state().vault.add_key(name, now)
    }

    /// A new version of a secret; gives the version.
    ///
    /// # Errors
    /// [`WorldError`] when there are too many.
    pub fn set_vault_secret(&self, name: &str, value: &str) -> Result<String, WorldError> {
        let now = self.now();
        self.state().vault.add_secret(name, value, now)
    }

    /// Sets attributes of a version; `kind` is `keys` or `secrets`. `false` when there is none.
    pub fn change_vault_version(&self, kind: &str, name: &str, version: &str, change: &VaultChange) -> bool {
        self.state().vault.change(kind, name, version, change)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    name: String,
    #[serde(default)]
    value: Option<String>,
}

/// Answers a request below `/control/vault`.
pub(super) fn control(world: &World, request: &Request, segments: &[&str]) -> Reply {
    let made = |version: Result<String, WorldError>| match version {
        Ok(version) => Reply::json(200, &json!({ "version": version })),
        Err(error) => problem(409, &error.to_string()),
    };
    match (request.method.as_str(), segments) {
        ("POST", ["keys"]) => with(request, |new: NewVersion| made(world.create_vault_key(&new.name))),
        ("POST", ["secrets"]) => with(request, |new: NewVersion| {
            made(world.set_vault_secret(&new.name, new.value.as_deref().unwrap_or_default()))
        }),
        ("POST", [kind @ ("keys" | "secrets"), name, version]) => with(request, |change: VaultChange| {
            if world.change_vault_version(kind, name, version, &change) {
                done()
            } else {
                problem(404, "the vault has no such version")
            }
        }),
        _ => problem(404, "unknown; GET /control/help lists what there is"),
    }
}
