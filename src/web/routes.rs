//! Every address on one screen; those of the API stand in `api::ROUTES`.

use actix_web::{
    Route,
    http::Method,
    web::{ServiceConfig, method},
};

use super::{
    account, api, console, contacts, enrolment, key, landing, license_keys, machine, metrics, policy, progress, review,
    seats, sign_in, subscriptions, users, visit::page, webhook, withdrawal,
};

/// A route and its handler.
pub(super) struct Line {
    method: Method,
    path: &'static str,
    handle: fn(Route) -> Route,
}

pub(super) fn get(path: &'static str, handle: fn(Route) -> Route) -> Line {
    Line { method: Method::GET, path, handle }
}

pub(super) fn post(path: &'static str, handle: fn(Route) -> Route) -> Line {
    Line { method: Method::POST, path, handle }
}

/// The buyers' address.
pub(super) fn public(config: &mut ServiceConfig) {
    add(config, public_lines());
    api::configure(config);
    config.default_service(actix_web::web::to(page(landing::unknown)));
}

/// The management address.
pub(super) fn management(config: &mut ServiceConfig) {
    add(config, management_lines());
}

fn add(config: &mut ServiceConfig, lines: Vec<Line>) {
    for line in lines {
        config.route(line.path, (line.handle)(method(line.method)));
    }
}

/// Every route, as (method, path).
pub fn list_routes() -> Vec<(String, &'static str)> {
    let lines = public_lines().into_iter().chain(management_lines()).map(|line| (line.method, line.path));
    let of_programs = api::ROUTES.iter().map(|route| (route.method.clone(), route.path));
    lines.chain(of_programs).map(|(method, path)| (method.to_string(), path)).collect()
}

/// Whether the table of rights has a line for each.
///
/// # Errors
/// The first route without one.
pub(super) fn check() -> std::io::Result<()> {
    match list_routes().into_iter().find(|(method, path)| policy::find(method, path).is_none()) {
        None => Ok(()),
        Some((method, path)) => Err(std::io::Error::other(format!("nobody has said who may ask for {method} {path}"))),
    }
}

fn public_lines() -> Vec<Line> {
    let mut lines = vec![
        get("/", |to| to.to(page(landing::show))),
        get("/landing", |to| to.to(page(landing::show))),
        get("/sign-in", |to| to.to(page(sign_in::depart))),
        get("/sign-in/callback", |to| to.to(page(sign_in::arrive))),
        post("/sign-out", |to| to.to(page(sign_in::sign_out))),
        post("/webhook", |to| to.to(webhook::receive)),
        get("/api/v1/docs", |to| to.to(page(api::show_docs))),
        get("/.well-known/jwks.json", |to| to.to(machine::jwks)),
        get("/.well-known/license-revocations", |to| to.to(license_keys::revocations)),
        get("/assets/seatkey.css", |to| to.to(machine::stylesheet)),
        get("/assets/seatkey.js", |to| to.to(machine::script)),
        get("/assets/console.css", |to| to.to(machine::console_stylesheet)),
        get("/assets/console.js", |to| to.to(machine::console_script)),
        get("/assets/logo/{offer}", |to| to.to(machine::logo)),
        get("/healthz", |to| to.to(machine::healthz)),
        get("/readyz", |to| to.to(machine::readyz)),
    ];
    lines.extend(enrolment_lines());
    lines.extend(account_lines());
    lines.extend(console::lines());
    lines
}

fn enrolment_lines() -> Vec<Line> {
    vec![
        get("/subscriptions/{id}/enrol", |to| to.to(page(enrolment::show))),
        get("/subscriptions/{id}/enrol/projection", |to| to.to(page(enrolment::projection))),
        post("/subscriptions/{id}/enrol/review", |to| to.to(page(enrolment::submit))),
        get("/subscriptions/{id}/enrol/review/{quote}", |to| to.to(page(review::show))),
        post("/subscriptions/{id}/enrol/submit", |to| to.to(page(review::submit))),
        get("/subscriptions/{id}/progress", |to| to.to(page(progress::show))),
        get("/subscriptions/{id}/progress.json", |to| to.to(page(progress::json))),
    ]
}

/// What buyers do after the enrolment.
fn account_lines() -> Vec<Line> {
    vec![
        get("/subscriptions", |to| to.to(page(subscriptions::list))),
        get("/subscriptions/{id}", |to| to.to(page(account::show))),
        get("/subscriptions/{id}/state.json", |to| to.to(page(account::state))),
        post("/subscriptions/{id}/ask", |to| to.to(page(account::ask))),
        get("/subscriptions/{id}/license.lic", |to| to.to(page(key::download))),
        post("/subscriptions/{id}/key/resend", |to| to.to(page(key::resend))),
        get("/subscriptions/{id}/key/replace", |to| to.to(page(key::ask_replacement))),
        post("/subscriptions/{id}/key/replace", |to| to.to(page(key::replace))),
        get("/subscriptions/{id}/contacts", |to| to.to(page(contacts::show))),
        post("/subscriptions/{id}/contacts", |to| to.to(page(contacts::change))),
        post("/subscriptions/{id}/users", |to| to.to(page(users::review))),
        get("/subscriptions/{id}/users/preview", |to| to.to(page(users::preview))),
        get("/subscriptions/{id}/users/review/{change}", |to| to.to(page(users::show))),
        post("/subscriptions/{id}/users/submit", |to| to.to(page(users::submit))),
        post("/subscriptions/{id}/users/cancel-downgrade", |to| to.to(page(users::keep))),
        get("/subscriptions/{id}/users/progress", |to| to.to(page(seats::show))),
        get("/subscriptions/{id}/users/progress.json", |to| to.to(page(seats::json))),
        get("/subscriptions/{id}/withdraw", |to| to.to(page(withdrawal::ask))),
        post("/subscriptions/{id}/withdraw", |to| to.to(page(withdrawal::withdraw))),
    ]
}

fn management_lines() -> Vec<Line> {
    vec![
        get("/healthz", |to| to.to(machine::healthz)),
        get("/readyz", |to| to.to(machine::readyz_with_reasons)),
        get("/metrics", |to| to.to(metrics::show)),
    ]
}
