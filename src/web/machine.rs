//! What machines ask for: health, published keys, stylesheet and script.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{Data, Path},
};

use super::server::Readiness;
use crate::{
    app::App,
    templates::{CONSOLE_SCRIPT, CONSOLE_STYLESHEET, SCRIPT, STYLESHEET},
};

/// `GET /healthz`: the process runs.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// `GET /readyz`: whether it can do its work. Why not is nothing for everybody.
pub(super) async fn readyz(app: Data<App>, readiness: Data<Readiness>) -> HttpResponse {
    readiness_answer(&troubles(&app, &readiness).await, "not ready\n".to_owned())
}

/// `GET /readyz` of the management address: the same with what is wrong, one line each.
pub(super) async fn readyz_with_reasons(app: Data<App>, readiness: Data<Readiness>) -> HttpResponse {
    let troubles = troubles(&app, &readiness).await;
    readiness_answer(&troubles, troubles.join("\n") + "\n")
}

fn readiness_answer(troubles: &[String], not_ready: String) -> HttpResponse {
    if troubles.is_empty() {
        return HttpResponse::Ok().content_type("text/plain").body("ready\n");
    }
    HttpResponse::ServiceUnavailable().content_type("text/plain").body(not_ready)
}

async fn troubles(app: &App, readiness: &Readiness) -> Vec<String> {
    let mut wrong = Vec::new();
    if readiness.is_stopping() {
        wrong.push("stopping".to_owned());
    }
    if let Err(error) = app.store.ping().await {
        wrong.push(format!("database: {error}"));
    }
    wrong.extend(app.health.troubles());
    match app.store.count_dead_jobs().await {
        Ok(0) | Err(_) => {}
        Ok(count) => wrong.push(format!("{count} jobs wait for a person")),
    }
    wrong
}

/// `GET /.well-known/jwks.json`: the keys that license keys are verified with.
pub(super) async fn jwks(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=3600")).json(app.keyring.jwks())
}

/// `GET /assets/console.css`
pub(super) async fn console_stylesheet() -> HttpResponse {
    asset("text/css; charset=utf-8", CONSOLE_STYLESHEET)
}

/// `GET /assets/console.js`
pub(super) async fn console_script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", CONSOLE_SCRIPT)
}

/// `GET /assets/seatkey.css`
pub(super) async fn stylesheet() -> HttpResponse {
    asset("text/css; charset=utf-8", STYLESHEET)
}

/// `GET /assets/seatkey.js`
pub(super) async fn script() -> HttpResponse {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /assets/logo/{offer}`
pub(super) async fn logo(app: Data<App>, offer: Path<String>) -> HttpResponse {
    match app.logos.get(offer.as_str()) {
        Some(logo) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, logo.kind))
            .insert_header((CACHE_CONTROL, "public, max-age=3600"))
            .body(logo.bytes.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

fn asset(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .body(text)
}
