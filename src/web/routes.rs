//! Every address on one screen; those of the API stand in `api::ROUTES`.

use actix_web::web::{ServiceConfig, get, post};

use super::{
    account, api, contacts, enrolment, key, landing, license_keys, machine, metrics, progress, review, seats, sign_in,
    subscriptions, users, visit::page, webhook, withdrawal,
};

/// The buyers' address.
pub(super) fn public(config: &mut ServiceConfig) {
    config
        .configure(buyers)
        .configure(api::configure)
        .route("/", get().to(page(landing::show)))
        .route("/landing", get().to(page(landing::show)))
        .route("/sign-in", get().to(page(sign_in::depart)))
        .route("/sign-in/callback", get().to(page(sign_in::arrive)))
        .route("/sign-out", post().to(page(sign_in::sign_out)))
        .route("/subscriptions/{id}/enrol", get().to(page(enrolment::show)))
        .route("/subscriptions/{id}/enrol/projection", get().to(page(enrolment::projection)))
        .route("/subscriptions/{id}/enrol/review", post().to(page(enrolment::submit)))
        .route("/subscriptions/{id}/enrol/review/{quote}", get().to(page(review::show)))
        .route("/subscriptions/{id}/enrol/submit", post().to(page(review::submit)))
        .route("/subscriptions/{id}/progress", get().to(page(progress::show)))
        .route("/subscriptions/{id}/progress.json", get().to(page(progress::json)))
        .route("/webhook", post().to(webhook::receive))
        .route("/.well-known/jwks.json", get().to(machine::jwks))
        .route("/.well-known/license-revocations", get().to(license_keys::revocations))
        .route("/assets/seatkey.css", get().to(machine::stylesheet))
        .route("/assets/seatkey.js", get().to(machine::script))
        .route("/assets/logo/{offer}", get().to(machine::logo))
        .route("/healthz", get().to(machine::healthz))
        .route("/readyz", get().to(machine::readyz))
        .default_service(actix_web::web::to(page(landing::unknown)));
}

/// What buyers do after the enrolment.
fn buyers(config: &mut ServiceConfig) {
    config
        .route("/subscriptions", get().to(page(subscriptions::list)))
        .route("/subscriptions/{id}", get().to(page(account::show)))
        .route("/subscriptions/{id}/state.json", get().to(page(account::state)))
        .route("/subscriptions/{id}/ask", post().to(page(account::ask)))
        .route("/subscriptions/{id}/license.lic", get().to(page(key::download)))
        .route("/subscriptions/{id}/key/resend", post().to(page(key::resend)))
        .route("/subscriptions/{id}/key/replace", get().to(page(key::ask_replacement)))
        .route("/subscriptions/{id}/key/replace", post().to(page(key::replace)))
        .route("/subscriptions/{id}/contacts", get().to(page(contacts::show)))
        .route("/subscriptions/{id}/contacts", post().to(page(contacts::change)))
        .route("/subscriptions/{id}/users", post().to(page(users::review)))
        .route("/subscriptions/{id}/users/preview", get().to(page(users::preview)))
        .route("/subscriptions/{id}/users/review/{change}", get().to(page(users::show)))
        .route("/subscriptions/{id}/users/submit", post().to(page(users::submit)))
        .route("/subscriptions/{id}/users/cancel-downgrade", post().to(page(users::keep)))
        .route("/subscriptions/{id}/users/progress", get().to(page(seats::show)))
        .route("/subscriptions/{id}/users/progress.json", get().to(page(seats::json)))
        .route("/subscriptions/{id}/withdraw", get().to(page(withdrawal::ask)))
        .route("/subscriptions/{id}/withdraw", post().to(page(withdrawal::withdraw)));
}

/// The management address.
pub(super) fn health(config: &mut ServiceConfig) {
    config
        .route("/healthz", get().to(machine::healthz))
        .route("/readyz", get().to(machine::readyz_with_reasons))
        .route("/metrics", get().to(metrics::show));
}
