//! What licensed products ask for: the newest key for an older one, and the list of revoked licenses.

use std::rc::Rc;

use actix_web::{HttpResponse, http::header::CACHE_CONTROL, web::Data};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::api::{Call, Kind, Problem};
use crate::app::{App, Synced, list_revoked, sync_key};

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
pub(super) async fn sync(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let unreadable = |_| Problem::new(Kind::BadRequest, "Send {\"licenseKey\": \"eyJ…\"} as JSON.");
    let presented: Presented = serde_json::from_slice(&call.body).map_err(unreadable)?;
    match sync_key(&call.app, &presented.license_key).await? {
        Synced::Newest(key) => {
            let expires_at = key.expires_at.format(&Rfc3339).unwrap_or_default();
            let newest = Newest { license_key: &key.compact, id: &key.license_id, seq: key.seq, expires_at };
            Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(newest))
        }
        Synced::Gone => Err(Problem::new(Kind::Gone, "This license is revoked or has ended; there is no newer key.")),
        Synced::NotOurs => Err(Problem::new(Kind::Refused, "This is not a license key of this publisher.")),
    }
}

/// `GET /.well-known/license-revocations`: a compact JWS, to be verified with the published keys.
pub(super) async fn revocations(app: Data<App>) -> HttpResponse {
    match list_revoked(&app).await {
        Ok(list) => HttpResponse::Ok()
            .content_type("application/jose")
            .insert_header((CACHE_CONTROL, "public, max-age=300"))
            .body(list),
        Err(error) => Problem::from(error).answer("/.well-known/license-revocations", Uuid::new_v4()),
    }
}
