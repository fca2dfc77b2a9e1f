//! The bearer token of the webhook, and those that only look like it.

use ring::hmac;
use serde_json::{Map, Value, json};
use uuid::{Uuid, uuid};

use super::{
    super::{
        switches::{HostileToken, TokenVersion},
        world::World,
    },
    jwt, token,
};

/// The marketplace's service principal in the publisher's tenant.
const PRINCIPAL: Uuid = uuid!("6f3b0c52-9a1d-4e27-b8c4-0d5e7f912a36");
/// A tenant that is not the publisher's.
const FOREIGN_TENANT: Uuid = uuid!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44");
const HOUR_SECONDS: i64 = 3_600;

/// A token as Microsoft sends it: from the marketplace, for the publisher's application, good for an hour. Nothing when
/// the system has no randomness.
pub(in super::super) fn mint(world: &World, version: TokenVersion) -> Option<String> {
    jwt::sign(world, &claims(world, version))
}

/// A token that has to be refused.
pub(in super::super) fn mint_hostile(world: &World, version: TokenVersion, kind: HostileToken) -> Option<String> {
    let mut claims = claims(world, version);
    spoil(world, kind, &mut claims);
    let rotations = world.state().key_rotations;
    let [key, _] = world.0.keys.published(rotations);
    let mut header = jwt::header(&key.kid);
    match kind {
        HostileToken::None => {
            set(&mut header, "alg", json!("none"));
            jwt::assemble(&header, &claims, |_| Some(Vec::new()))
        }
        HostileToken::Hs256WithPublicKey => {
            set(&mut header, "alg", json!("HS256"));
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public_pem().as_bytes());
            jwt::assemble(&header, &claims, |message| Some(hmac::sign(&secret, message).as_ref().to_vec()))
        }
        HostileToken::WrongKey => {
            let other = world.0.keys.unpublished(rotations);
            jwt::assemble(&header, &claims, |message| other.sign(message))
        }
        HostileToken::UnknownKid => {
            let unknown = world.0.keys.unpublished(rotations).kid.clone();
            set(&mut header, "kid", json!(unknown));
            set(&mut header, "x5t", json!(unknown));
            jwt::assemble(&header, &claims, |message| key.sign(message))
        }
        HostileToken::Truncated => {
            let mut token = jwt::sign(world, &claims)?;
            token.truncate(token.len().saturating_sub(10));
            Some(token)
        }
        _ => jwt::sign(world, &claims),
    }
}

fn claims(world: &World, version: TokenVersion) -> Map<String, Value> {
    let publisher = world.state().seed.publisher.clone();
    let application = Uuid::parse_str(jwt::MARKETPLACE_RESOURCE).unwrap_or_default();
    let caller = token::Caller { tenant: publisher.tenant_id, application, object_id: PRINCIPAL };
    let version = if version == TokenVersion::V1 { token::Version::V1 } else { token::Version::V2 };
    let audience = publisher.applications.marketplace.client_id.to_string();
    let mut claims = token::app_claims(world, &caller, &audience, version);
    // As in the one list of claims that was published: no idtyp, but these two, whose contents mean nothing outside.
    claims.remove("idtyp");
    claims.insert("uti".to_owned(), json!(Uuid::new_v4().simple().to_string()));
    claims.insert("aio".to_owned(), json!(Uuid::new_v4().simple().to_string()));
    claims.insert("rh".to_owned(), json!("0.AAAA."));
    claims
}

/// Makes one claim wrong.
fn spoil(world: &World, kind: HostileToken, claims: &mut Map<String, Value>) {
    let now = world.now().unix_timestamp();
    let apps = world.state().seed.publisher.applications.clone();
    let caller = if claims.contains_key("azp") { "azp" } else { "appid" };
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match kind {
        HostileToken::Expired => {
            put("iat", json!(now - 2 * HOUR_SECONDS));
            put("nbf", json!(now - 2 * HOUR_SECONDS));
            put("exp", json!(now - HOUR_SECONDS));
        }
        HostileToken::NotYet => {
            put("nbf", json!(now + HOUR_SECONDS));
            put("exp", json!(now + 2 * HOUR_SECONDS));
        }
        HostileToken::WrongAudience => drop(put("aud", json!(apps.sign_in.client_id))),
        HostileToken::WrongTenant => drop(put("tid", json!(FOREIGN_TENANT))),
        HostileToken::WrongIssuer => {
            let version_2 = format!("{}{FOREIGN_TENANT}/v2.0", world.0.base_url);
            let version_1 = format!("{}{FOREIGN_TENANT}/", world.0.base_url);
            put("iss", json!(if caller == "azp" { version_2 } else { version_1 }));
        }
        HostileToken::WrongCaller => drop(put(caller, json!(apps.sign_in.client_id))),
        HostileToken::IdToken => {
            put("name", json!("Ada Admin"));
            put("preferred_username", json!("ada.admin@seatkey.example"));
            put("nonce", json!(Uuid::new_v4().simple().to_string()));
            claims.retain(|name, _| !["azp", "azpacr", "appid", "appidacr"].contains(&name.as_str()));
        }
        _ => {}
    }
}

fn set(header: &mut Value, name: &str, value: Value) {
    if let Some(fields) = header.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
