//! The token endpoints.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    super::{
        exchange::{Form, Reply, Request},
        seed::Application,
        world::World,
    },
    Authority,
    client::authenticate,
    federated::AUDIENCE,
    issuer, jwt, object, refusal,
};

const LIFE: Duration = Duration::hours(1);
const CODE_LIFE: Duration = Duration::minutes(10);

/// Which of the two token endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// An authorization code, bound to what asked for it.
#[derive(Debug)]
pub(in super::super) struct Code {
    pub(super) text: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: String,
    pub(super) scope: String,
    pub(super) user: Uuid,
    pub(super) issued: OffsetDateTime,
}

pub(super) fn issue(world: &World, authority: Authority, request: &Request, version: Version) -> Reply {
    let form = request.form();
    match (form.text("grant_type"), version) {
        ("client_credentials", _) => client_credentials(world, authority, request, &form, version),
        ("authorization_code", Version::V2) => redeem(world, authority, request, &form),
        (other, _) => {
            let message = format!("The app requested an unsupported grant type '{other}'.");
            refusal(world, 400, "unsupported_grant_type", 70_003, &message)
        }
    }
}

fn client_credentials(world: &World, authority: Authority, request: &Request, form: &Form, version: Version) -> Reply {
    let app = match authenticate(world, authority, request, form) {
        Ok(app) => app,
        Err(reply) => return reply,
    };
    let Authority::Tenant(tenant) = authority else {
        let message = "Endpoint '/common' is not supported for this grant type. Use a tenant-specific endpoint.";
        return refusal(world, 400, "invalid_request", 50_059, message);
    };
    let resource = match version {
        Version::V1 => form.get("resource"),
        Version::V2 => form.get("scope").and_then(|scope| scope.strip_suffix("/.default")),
    };
    let Some(resource) = resource.filter(|resource| !resource.is_empty()) else {
        let message = "The provided value for scope is not valid. Client credential flows must have a scope value \
                       with /.default suffixed to the resource identifier.";
        return refusal(world, 400, "invalid_scope", 1_002_012, message);
    };
    let caller = Caller { tenant, application: app.client_id, object_id: app.object_id };
    let Some(token) = jwt::sign(world, &app_claims(world, &caller, resource, version)) else {
        return Reply::empty(500);
    };
    token_reply(world, version, resource, &token)
}

/// Who an application's token is for.
pub(super) struct Caller {
    pub(super) tenant: Uuid,
    pub(super) application: Uuid,
    pub(super) object_id: Uuid,
}

pub(super) fn app_claims(world: &World, caller: &Caller, resource: &str, version: Version) -> Map<String, Value> {
    let now = world.now().unix_timestamp();
    let v1 = version == Version::V1;
    let issuer =
        if v1 { format!("{}{}/", world.0.base_url, caller.tenant) } else { issuer(world, &caller.tenant.to_string()) };
    let application = json!(caller.application);
    object([
        ("aud", Some(json!(resource))),
        ("iss", Some(json!(issuer))),
        ("iat", Some(json!(now))),
        ("nbf", Some(json!(now))),
        ("exp", Some(json!(now + LIFE.whole_seconds()))),
        ("appid", v1.then(|| application.clone())),
        ("appidacr", v1.then(|| json!("1"))),
        ("azp", (!v1).then_some(application)),
        ("azpacr", (!v1).then(|| json!("1"))),
        ("idtyp", Some(json!("app"))),
        ("oid", Some(json!(caller.object_id))),
        ("sub", Some(json!(caller.object_id))),
        ("tid", Some(json!(caller.tenant))),
        ("uti", Some(json!(token_id(&format!("{} {resource} {now} {v1}", caller.application))))),
        ("ver", Some(json!(if v1 { "1.0" } else { "2.0" }))),
    ])
}

/// The same for the same question at the same moment: Entra keeps the tokens that it gives, and so does an identity's endpoint.
fn token_id(question: &str) -> String {
    let hash = digest(&SHA256, question.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default())
}

/// The older endpoint writes its numbers as text.
fn token_reply(world: &World, version: Version, resource: &str, token: &str) -> Reply {
    let life = LIFE.whole_seconds();
    let now = world.now().unix_timestamp();
    let body = match version {
        Version::V2 => json!({
            "token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token,
        }),
        Version::V1 => json!({
            "token_type": "Bearer", "expires_in": life.to_string(), "ext_expires_in": life.to_string(),
            "expires_on": (now + life).to_string(), "not_before": now.to_string(), "resource": resource,
            "access_token": token,
        }),
    };
    Reply::json(200, &body).header("cache-control", "no-store, no-cache").header("pragma", "no-cache")
}

/// The address that a virtual machine asks for its identity's token.
pub(super) fn managed_identity(world: &World, request: &Request) -> Reply {
    let query = request.query();
    let resource = query.text("resource").trim_end_matches("/.default");
    let bad = |message: &str| Reply::json(400, &json!({"error": "invalid_request", "error_description": message}));
    if request.header("metadata") != Some("true") {
        return bad("Required metadata header not specified");
    }
    if resource.is_empty() {
        return bad("Required resource parameter not specified");
    }
    let publisher = world.state().seed.publisher.clone();
    let identity = publisher.managed_identity;
    let wanted = query.get("client_id").map(Uuid::parse_str);
    if wanted.is_some_and(|wanted| wanted != Ok(identity.client_id)) {
        return bad("Identity not found");
    }
    let caller = Caller { tenant: publisher.tenant_id, application: identity.client_id, object_id: identity.object_id };
    // What a registration is to trust is of the newer version, whatever the endpoint is.
    let version = if resource == AUDIENCE { Version::V2 } else { Version::V1 };
    match jwt::sign(world, &app_claims(world, &caller, resource, version)) {
        Some(token) => token_reply(world, Version::V1, resource, &token),
        None => Reply::empty(500),
    }
}

fn redeem(world: &World, authority: Authority, request: &Request, form: &Form) -> Reply {
    let app = match authenticate(world, authority, request, form) {
        Ok(app) => app,
        Err(reply) => return reply,
    };
    let text = form.text("code");
    // Taken out before any other check: a code that was tried once is gone.
    let taken = world.state().codes.take(|code| code.text == text);
    let invalid = |code: u32, message: &str| refusal(world, 400, "invalid_grant", code, message);
    let Some(code) = taken else {
        return invalid(54_005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code.");
    };
    if world.now() >= code.issued + CODE_LIFE {
        return invalid(70_008, "The provided authorization code or refresh token has expired due to inactivity.");
    }
    if code.client_id != app.client_id.to_string() {
        return invalid(70_000, "Provided grant is invalid or malformed.");
    }
    if code.redirect_uri != form.text("redirect_uri") {
        return invalid(
            500_112,
            "The reply address does not match the one given when requesting the authorization code.",
        );
    }
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form.text("code_verifier").as_bytes()));
    if challenge != code.challenge {
        return invalid(501_481, "The Code_Verifier does not match the code_challenge supplied in the request.");
    }
    let claims = id_claims(world, &app, &code);
    let Some(id_token) = claims.and_then(|claims| jwt::sign(world, &claims)) else { return Reply::empty(500) };
    let life = LIFE.whole_seconds();
    // The access token is for Microsoft Graph and opaque to the application.
    let access_token = format!("EwB{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let body = json!({
        "token_type": "Bearer", "scope": code.scope, "expires_in": life, "ext_expires_in": life,
        "access_token": access_token, "id_token": id_token,
    });
    Reply::json(200, &body).header("cache-control", "no-store, no-cache").header("pragma", "no-cache")
}

fn id_claims(world: &World, app: &Application, code: &Code) -> Option<Map<String, Value>> {
    let now = world.now().unix_timestamp();
    let state = world.state();
    let (tenant, user) = state.seed.user(code.user)?;
    // Pairwise: another application sees another subject.
    let subject = digest(&SHA256, format!("{}/{}", app.client_id, user.oid).as_bytes());
    let roles = (app.app_roles && !user.roles.is_empty()).then(|| json!(user.roles));
    Some(object([
        ("aud", Some(json!(app.client_id))),
        ("iss", Some(json!(issuer(world, &tenant.id.to_string())))),
        ("iat", Some(json!(now))),
        ("nbf", Some(json!(now))),
        ("exp", Some(json!(now + LIFE.whole_seconds()))),
        ("email", user.email.as_ref().map(|email| json!(email))),
        ("name", Some(json!(user.name))),
        ("nonce", Some(json!(code.nonce))),
        ("oid", Some(json!(user.oid))),
        ("preferred_username", Some(json!(user.upn))),
        ("roles", roles),
        ("sub", Some(json!(URL_SAFE_NO_PAD.encode(subject)))),
        ("tid", Some(json!(tenant.id))),
        ("uti", Some(json!(Uuid::new_v4().simple().to_string()))),
        ("ver", Some(json!("2.0"))),
    ]))
}
