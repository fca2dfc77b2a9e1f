//! What licensed products ask for: the newest key for an older one, and the list of revoked licenses.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
    web::{Bytes, Data},
};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;

use crate::app::{App, AppError, Synced, list_revoked, sync_key};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Presented {
    license_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Newest<'a> {
    license_key: &'a str,
    id: &'a str,
    seq: u32,
    expires_at: String,
}

/// `POST /api/v1/license-keys/sync`: `{"licenseKey":"eyJ…"}` in, the newest one out. The older key is the credential.
pub(super) async fn sync(app: Data<App>, body: Bytes) -> HttpResponse {
    let Ok(presented) = serde_json::from_slice::<Presented>(&body) else {
        return problem(StatusCode::BAD_REQUEST, "Not readable", "Send {\"licenseKey\": \"eyJ…\"} as JSON.");
    };
    match sync_key(&app, &presented.license_key).await {
        Ok(Synced::Newest(key)) => {
            let expires_at = key.expires_at.format(&Rfc3339).unwrap_or_default();
            let newest = Newest { license_key: &key.compact, id: &key.license_id, seq: key.seq, expires_at };
            HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(newest)
        }
        Ok(Synced::Gone) => {
            problem(StatusCode::GONE, "License ended", "This license is revoked or has ended; there is no newer key.")
        }
        Ok(Synced::NotOurs) => problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Not a license key",
            "This is not a license key of this publisher.",
        ),
        Err(error) => failed(&error),
    }
}

/// `GET /.well-known/license-revocations`: a compact JWS, to be verified with the published keys.
pub(super) async fn revocations(app: Data<App>) -> HttpResponse {
    match list_revoked(&app).await {
        Ok(list) => HttpResponse::Ok()
            .content_type("application/jose")
            .insert_header((CACHE_CONTROL, "public, max-age=300"))
            .body(list),
        Err(error) => failed(&error),
    }
}

fn failed(error: &AppError) -> HttpResponse {
    tracing::error!(%error, "a product could not be answered");
    problem(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The service cannot answer now; please try again in a minute.")
}

/// An error as RFC 9457 writes it.
fn problem(status: StatusCode, title: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail }))
}
