//! What machines ask for: health, published keys, stylesheet and script.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{Data, Path},
};

use super::server::Readiness;
use crate::{
    app::App,
    store::StoreError,
    templates::{CONSOLE_SCRIPT, CONSOLE_STYLESHEET, SCRIPT, STYLESHEET},
};

/// A probe waits for a few seconds.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process runs.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// `GET /readyz`: whether this process can take requests. Why not is nothing for everybody.
pub(super) async fn readyz(app: Data<App>, readiness: Data<Readiness>) -> HttpResponse {
    match obstacles(&app, &readiness).await[..] {
        [] => ready("ready\n".to_owned()),
        _ => not_ready("not ready\n".to_owned()),
    }
}

/// `GET /readyz` of the management address: the same with what is wrong, one line each; also what is wrong with the whole
/// installation and no reason to send requests elsewhere.
pub(super) async fn readyz_with_reasons(app: Data<App>, readiness: Data<Readiness>) -> HttpResponse {
    let obstacles = obstacles(&app, &readiness).await;
    if !obstacles.is_empty() {
        return not_ready(obstacles.join("\n") + "\n");
    }
    let mut lines = vec!["ready".to_owned()];
    lines.extend(app.health.troubles());
    match app.store.count_dead_jobs().await {
        Ok(0) | Err(_) => {}
        Ok(count) => lines.push(format!("{count} jobs wait for a person")),
    }
    ready(lines.join("\n") + "\n")
}

fn ready(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body(text)
}

fn not_ready(text: String) -> HttpResponse {
    HttpResponse::ServiceUnavailable().content_type("text/plain").body(text)
}

/// Why no requests should come here: what another process may not have. A credential that Entra refuses is refused
/// everywhere; webhooks are stored without it, and no process at all would be worse.
async fn obstacles(app: &App, readiness: &Readiness) -> Vec<String> {
    let mut wrong = Vec::new();
    if readiness.is_stopping() {
        wrong.push("stopping".to_owned());
    }
    let read = async {
        app.store.check_writable().await?;
        app.store.list_missing_steps().await
    };
    let read = tokio::time::timeout(READ_WITHIN, read).await;
    if let Ok(read) = &read {
        app.health.note_database(read.as_ref().err());
    }
    match read {
        Err(_) => wrong.push("database: it takes too long".to_owned()),
        // Another process has migrated to a newer version, which this one can work with until it is replaced.
        Ok(Err(StoreError::Newer(_))) => {}
        Ok(Err(error)) => wrong.push(format!("database: {error}")),
        Ok(Ok(missing)) => {
            wrong.extend(missing.iter().map(|name| format!("migrations: {name} is missing; seatkey migrate")));
        }
    }
    if app.keyring.jwks().keys.is_empty() {
        wrong.push("signing: no key is loaded".to_owned());
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
