//! The OpenID configuration and the published keys.

use serde_json::{Value, json};

use super::{
    super::{exchange::Reply, world::World},
    Authority, issuer,
};

pub(super) fn document(world: &World, authority: Authority, version_2: bool) -> Reply {
    let base = &world.0.base_url;
    let tenant = match authority {
        Authority::Common => "common".to_owned(),
        Authority::Organizations => "organizations".to_owned(),
        Authority::Consumers => "consumers".to_owned(),
        Authority::Tenant(id) => id.to_string(),
    };
    let (path, issuer) = if version_2 {
        ("v2.0/", issuer(world, &authority.issuer_tenant()))
    } else {
        // The real one is on another host, sts.windows.net.
        ("", format!("{base}{}/", authority.issuer_tenant()))
    };
    let body = json!({
        "token_endpoint": format!("{base}{tenant}/oauth2/{path}token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}{tenant}/discovery/{path}keys"),
        "response_modes_supported": ["query"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{base}{tenant}/oauth2/v2.0/authorize"),
        "end_session_endpoint": format!("{base}{tenant}/oauth2/v2.0/logout"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email",
        ],
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
    });
    Reply::json(200, &body).header("cache-control", "max-age=86400, private")
}

/// Each key names the issuer that it is good for, as Entra's do.
pub(super) fn keys(world: &World, authority: Authority) -> Reply {
    let issuer = issuer(world, &authority.issuer_tenant());
    let published = world.0.keys.published(world.state().key_rotations);
    let keys: Vec<Value> = published
        .into_iter()
        .map(|key| {
            let (modulus, exponent) = key.public_parts();
            json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key.kid, "x5t": key.kid,
                "n": modulus, "e": exponent, "issuer": issuer,
            })
        })
        .collect();
    Reply::json(200, &json!({ "keys": keys }))
}
