//! The REST API of the publisher's own systems: `/api/v1/…`, JSON in camelCase, problems as RFC 9457 has them.
//!
//! Owns: authentication by API key, scopes, the pace of a key, the shape of requests and answers. Does not own: decisions.
//! Invariants: a route has one line in [`ROUTES`] and one in the table of rights, which names the scope that it needs; a key
//! never reaches a log or an answer; amounts of a reseller deal are null.

mod call;
mod charges;
mod docs;
mod pace;
mod problem;
mod quotes;
mod subscriptions;
mod trials;

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::{Method, StatusCode},
    web::{self, ServiceConfig},
};

pub(super) use call::Call;
pub(super) use docs::show as show_docs;
pub(super) use pace::KeyPace;
pub(super) use problem::{Kind, Problem};

use super::license_keys;
use call::Handler;

/// A route of the API.
pub(super) struct ApiRoute {
    /// The method.
    pub(super) method: Method,
    /// The path, with parameters in braces.
    pub(super) path: &'static str,
    handler: Handler,
}

/// Every route, on one screen. The readable page (`/api/v1/docs`) is a page like others.
pub(super) static ROUTES: [ApiRoute; 8] = [
    route(Method::GET, "/api/v1/subscriptions", |call| Box::pin(subscriptions::list(call))),
    route(Method::GET, "/api/v1/subscriptions/{id}", |call| Box::pin(subscriptions::show(call))),
    route(Method::GET, "/api/v1/subscriptions/{id}/charges", |call| Box::pin(charges::list(call))),
    route(Method::POST, "/api/v1/quotes", |call| Box::pin(quotes::quote(call))),
    route(Method::GET, "/api/v1/trials", |call| Box::pin(trials::list(call))),
    route(Method::POST, "/api/v1/trials", |call| Box::pin(trials::grant(call))),
    route(Method::POST, "/api/v1/license-keys/sync", |call| Box::pin(license_keys::sync(call))),
    route(Method::GET, "/api/v1/openapi.json", |call| Box::pin(docs::document(call))),
];

const fn route(method: Method, path: &'static str, handler: Handler) -> ApiRoute {
    ApiRoute { method, path, handler }
}

/// Adds the routes, and what is answered to everything else below `/api/`.
pub(super) fn configure(config: &mut ServiceConfig) {
    let mut known: Vec<&str> = Vec::new();
    for path in ROUTES.iter().map(|route| route.path) {
        if !known.contains(&path) {
            known.push(path);
            config.service(resource(path));
        }
    }
    config.service(web::resource("/api/{unknown:.*}").default_service(web::to(unknown)));
}

/// One path with all of its methods.
fn resource(path: &'static str) -> Resource {
    let own = || ROUTES.iter().filter(move |route| route.path == path);
    let methods: Vec<&str> = own().map(|route| route.method.as_str()).collect();
    let allowed = methods.join(", ");
    let other_method = move |request: HttpRequest| {
        let problem = Problem::new(Kind::MethodNotAllowed, format!("Use {allowed} here.")).allowing(&allowed);
        async move { call::refuse(&request, &problem) }
    };
    own()
        .fold(web::resource(path), |resource, route| {
            let answer = move |request, payload| call::answer(route, request, payload);
            resource.route(web::method(route.method.clone()).to(answer))
        })
        .default_service(web::to(other_method))
}

async fn unknown(request: HttpRequest) -> HttpResponse {
    let detail = "There is nothing at this address; /api/v1/docs lists every one.".to_owned();
    call::refuse(&request, &Problem::new(Kind::NotFound, detail))
}

/// An answer in JSON that no cache keeps.
fn json(status: StatusCode, body: &impl serde::Serialize) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::build(status).insert_header(("Cache-Control", "no-store")).json(body))
}

#[cfg(test)]
mod tests;
