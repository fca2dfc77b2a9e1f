//! The sign-in page: which application asks, which person answers.

use serde::Serialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{
    super::{
        exchange::{Form, Reply, Request},
        seed::Application,
        world::{State, World},
    },
    Authority,
    token::Code,
};

/// A tenant on the account picker.
#[derive(Serialize)]
struct TenantChoice {
    name: String,
    users: Vec<UserChoice>,
}

#[derive(Serialize)]
struct UserChoice {
    oid: Uuid,
    name: String,
    upn: String,
    email: String,
    hinted: bool,
}

/// Why a request is not served.
enum Refusal {
    /// Shown here: nobody knows where to send the person.
    Page(u32, String),
    /// Sent back to the application.
    Back(&'static str, String),
}

pub(super) fn show(world: &World, authority: Authority, request: &Request) -> Reply {
    let query = request.query();
    let checked = check(&world.state(), authority, &query);
    match checked {
        Err(refusal) => refuse(world, &query, &refusal),
        Ok(_) => match query.get("sim_user") {
            Some(oid) => sign_in(world, authority, &query, oid),
            None if query.get("prompt") == Some("none") => {
                let message = "AADSTS50058: A silent sign-in request was sent but no user is signed in.".to_owned();
                refuse(world, &query, &Refusal::Back("login_required", message))
            }
            None => picker(world, authority, request, &query),
        },
    }
}

/// The picker's form posts to its own address, with the person in the body.
pub(super) fn pick(world: &World, authority: Authority, request: &Request) -> Reply {
    let query = request.query();
    let checked = check(&world.state(), authority, &query);
    match checked {
        Err(refusal) => refuse(world, &query, &refusal),
        Ok(_) => sign_in(world, authority, &query, request.form().text("sim_user")),
    }
}

fn check(state: &State, authority: Authority, query: &Form) -> Result<Application, Refusal> {
    let app = state.seed.application(query.text("client_id")).ok_or_else(|| {
        let message = "Application with that identifier was not found in the directory.";
        Refusal::Page(700_016, message.to_owned())
    })?;
    if !app.multi_tenant && authority != Authority::Tenant(state.seed.publisher.tenant_id) {
        let message = "The application is not configured as a multi-tenant application; /common is not supported.";
        return Err(Refusal::Page(50_194, message.to_owned()));
    }
    let redirect_uri = query.text("redirect_uri");
    if !state.registration.redirect_uris.iter().any(|known| known == redirect_uri) {
        let message = format!(
            "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured \
             for the application '{}'.",
            app.client_id
        );
        return Err(Refusal::Page(50_011, message));
    }
    let scope_has_openid = query.text("scope").split(' ').any(|scope| scope == "openid");
    let back = |code: &'static str, message: &str| Err(Refusal::Back(code, message.to_owned()));
    match () {
        () if query.text("response_type") != "code" => {
            back("unsupported_response_type", "AADSTS700054: response_type must be 'code' here.")
        }
        () if !scope_has_openid => back("invalid_scope", "AADSTS70011: The scope must contain 'openid'."),
        () if query.text("code_challenge").is_empty() || query.text("code_challenge_method") != "S256" => {
            back("invalid_request", "AADSTS9002325: Proof Key for Code Exchange (S256) is required.")
        }
        () if query.text("state").is_empty() || query.text("nonce").is_empty() => {
            back("invalid_request", "AADSTS900144: The request must contain state and nonce.")
        }
        () => Ok(app.clone()),
    }
}

fn refuse(world: &World, query: &Form, refusal: &Refusal) -> Reply {
    match refusal {
        Refusal::Page(code, message) => {
            let context = json!({"title": "Sign in", "code": code, "message": message});
            world.page(400, "sign-in-error.html", context)
        }
        Refusal::Back(error, message) => {
            back_to(query, &[("error", error), ("error_description", message), ("state", query.text("state"))])
        }
    }
}

fn back_to(query: &Form, parameters: &[(&str, &str)]) -> Reply {
    match Url::parse(query.text("redirect_uri")) {
        Ok(mut address) => {
            address.query_pairs_mut().extend_pairs(parameters);
            Reply::see_other(address.as_str())
        }
        Err(error) => Reply::text(400, &error.to_string()),
    }
}

fn picker(world: &World, authority: Authority, request: &Request, query: &Form) -> Reply {
    let hint = query.text("login_hint");
    let tenants: Vec<TenantChoice> = {
        let state = world.state();
        let admitted = state.seed.tenants.iter().filter(|tenant| authority.admits(tenant));
        admitted
            .map(|tenant| TenantChoice {
                name: tenant.name.clone(),
                users: tenant
                    .users
                    .iter()
                    .map(|user| UserChoice {
                        oid: user.oid,
                        name: user.name.clone(),
                        upn: user.upn.clone(),
                        email: user.email.clone().unwrap_or_default(),
                        hinted: !hint.is_empty() && user.upn.eq_ignore_ascii_case(hint),
                    })
                    .collect(),
            })
            .collect()
    };
    let action = format!("{}?{}", request.path, request.query);
    world.page(200, "sign-in.html", json!({"title": "Sign in", "tenants": tenants, "action": action}))
}

fn sign_in(world: &World, authority: Authority, query: &Form, oid: &str) -> Reply {
    let now = world.now();
    let mut state = world.state();
    let oid = Uuid::parse_str(oid).unwrap_or_default();
    let admitted = state.seed.user(oid).is_some_and(|(tenant, _)| authority.admits(tenant));
    if !admitted {
        drop(state);
        let message = "The user account does not exist in this tenant.".to_owned();
        return refuse(world, query, &Refusal::Page(50_020, message));
    }
    // The length and the prefix of Entra's codes do not matter to anybody; that they are opaque does.
    let text = format!("1.A{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    state.codes.push(Code {
        text: text.clone(),
        client_id: query.text("client_id").to_ascii_lowercase(),
        redirect_uri: query.text("redirect_uri").to_owned(),
        challenge: query.text("code_challenge").to_owned(),
        nonce: query.text("nonce").to_owned(),
        scope: query.text("scope").to_owned(),
        user: oid,
        issued: now,
    });
    drop(state);
    let session = Uuid::new_v4().to_string();
    back_to(query, &[("code", &text), ("state", query.text("state")), ("session_state", &session)])
}

/// There is no session to end: everybody chooses an account each time.
pub(super) fn logout(world: &World, request: &Request) -> Reply {
    let query = request.query();
    let target = query.text("post_logout_redirect_uri");
    let origin = |address: &str| Url::parse(address).ok().map(|url| url.origin());
    let known = {
        let state = world.state();
        state.registration.redirect_uris.iter().any(|uri| origin(uri).is_some() && origin(uri) == origin(target))
    };
    if known {
        return Reply::see_other(target);
    }
    world.page(200, "signed-out.html", json!({"title": "Signed out"}))
}
