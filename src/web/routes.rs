//! Every address on one screen.

use actix_web::web::{ServiceConfig, get, post};

use super::{
    account, enrolment, landing, license_keys, machine, progress, review, sign_in, subscriptions, visit::page, webhook,
};

/// The buyers' address.
pub(super) fn public(config: &mut ServiceConfig) {
    config
        .route("/", get().to(page(landing::show)))
        .route("/landing", get().to(page(landing::show)))
        .route("/sign-in", get().to(page(sign_in::depart)))
        .route("/sign-in/callback", get().to(page(sign_in::arrive)))
        .route("/sign-out", post().to(page(sign_in::sign_out)))
        .route("/subscriptions", get().to(page(subscriptions::list)))
        .route("/subscriptions/{id}", get().to(page(account::show)))
        .route("/subscriptions/{id}/ask", post().to(page(account::ask)))
        .route("/subscriptions/{id}/license.lic", get().to(page(account::download)))
        .route("/subscriptions/{id}/enrol", get().to(page(enrolment::show)))
        .route("/subscriptions/{id}/enrol/projection", get().to(page(enrolment::projection)))
        .route("/subscriptions/{id}/enrol/review", post().to(page(enrolment::submit)))
        .route("/subscriptions/{id}/enrol/review/{quote}", get().to(page(review::show)))
        .route("/subscriptions/{id}/enrol/submit", post().to(page(review::submit)))
        .route("/subscriptions/{id}/progress", get().to(page(progress::show)))
        .route("/subscriptions/{id}/progress.json", get().to(page(progress::json)))
        .route("/webhook", post().to(webhook::receive))
        .route("/api/v1/license-keys/sync", post().to(license_keys::sync))
        .route("/.well-known/jwks.json", get().to(machine::jwks))
        .route("/.well-known/license-revocations", get().to(license_keys::revocations))
        .route("/assets/seatkey.css", get().to(machine::stylesheet))
        .route("/assets/seatkey.js", get().to(machine::script))
        .route("/assets/logo/{offer}", get().to(machine::logo))
        .route("/healthz", get().to(machine::healthz))
        .route("/readyz", get().to(machine::readyz))
        .default_service(actix_web::web::to(page(landing::unknown)));
}

/// The management address.
pub(super) fn health(config: &mut ServiceConfig) {
    config.route("/healthz", get().to(machine::healthz)).route("/readyz", get().to(machine::readyz_with_reasons));
}
