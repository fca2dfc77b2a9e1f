//! How an application proves at the token endpoint that it is the one.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    super::{
        exchange::{Form, Reply, Request, percent_decode},
        seed::Application,
        world::World,
    },
    Authority, federated, refusal,
};

/// The application that the request proves to be.
pub(super) fn authenticate(
    world: &World,
    authority: Authority,
    request: &Request,
    form: &Form,
) -> Result<Application, Reply> {
    let basic = request.header("authorization").and_then(basic_credentials);
    let (client_id, secret) = match &basic {
        Some((id, secret)) => (id.as_str(), Some(secret.as_str())),
        None => (form.text("client_id"), form.get("client_secret")),
    };
    let (app, publisher, expired) = {
        let state = world.state();
        let app = state.seed.application(client_id).cloned();
        let expired = app.as_ref().is_some_and(|app| state.expired_secrets.contains(&app.client_id));
        (app, state.seed.publisher.tenant_id, expired)
    };
    let Some(app) = app.filter(|app| app.multi_tenant || authority == Authority::Tenant(publisher)) else {
        let message = format!("Application with identifier '{client_id}' was not found in the directory.");
        return Err(refusal(world, 400, "unauthorized_client", 700_016, &message));
    };
    let id = app.client_id;
    match secret {
        Some(secret) if secret == app.secret && expired => {
            let message = format!("The provided client secret keys for app '{id}' are expired.");
            Err(refusal(world, 401, "invalid_client", 7_000_222, &message))
        }
        Some(secret) if secret == app.secret => Ok(app),
        Some(_) => {
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{id}'."
            );
            Err(refusal(world, 401, "invalid_client", 7_000_215, &message))
        }
        None => match federated::check(world, form) {
            Some(Ok(())) => Ok(app),
            Some(Err((code, message))) => Err(refusal(world, 401, "invalid_client", code, &message)),
            None => {
                let message = "The request body must contain the following parameter: \
                               'client_assertion' or 'client_secret'.";
                Err(refusal(world, 401, "invalid_client", 7_000_218, message))
            }
        },
    }
}

/// User name and password of HTTP Basic; both are form-encoded inside (RFC 6749, 2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |part: &str| percent_decode(&part.replace('+', " "));
    Some((decode(id), decode(secret)))
}
