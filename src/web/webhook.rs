//! `POST /webhook`: Microsoft tells that something has changed. Checked, stored, answered; acted upon by a job.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderValue, RETRY_AFTER},
    },
    web::{Bytes, Data},
};

use crate::app::{App, Received, receive_webhook};

/// The status is what Microsoft acts upon: 2xx is received, 4xx rejects a change, 5xx is sent again for eight hours.
pub(super) async fn receive(request: HttpRequest, body: Bytes, app: Data<App>) -> HttpResponse {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let authorization = headers.next().and_then(|value| value.to_str().ok());
    if headers.next().is_some() {
        app.meters.webhook(None, "token_refused");
        return refuse(StatusCode::UNAUTHORIZED, "more than one Authorization header");
    }
    let caller = match app.webhook_tokens.verify(authorization).await {
        Ok(caller) => caller,
        Err(refused) if refused.is_unavailable() => {
            tracing::warn!(%refused, "a webhook's token cannot be checked now");
            app.meters.webhook(None, "token_unchecked");
            return later("the token cannot be checked now; please send it again");
        }
        Err(refused) => {
            tracing::warn!(%refused, "a webhook's token is refused");
            app.meters.webhook(None, "token_refused");
            return refuse(StatusCode::UNAUTHORIZED, "the token is refused");
        }
    };
    match receive_webhook(&app, &body, &caller.claims).await {
        Ok(Received::Stored) => HttpResponse::Ok().finish(),
        Ok(Received::Refused(reason)) => refuse(StatusCode::BAD_REQUEST, &reason),
        Ok(Received::Unreadable(reason)) => refuse(StatusCode::BAD_REQUEST, reason),
        Err(error) => {
            tracing::error!(%error, "a webhook could not be stored");
            later("it could not be stored; please send it again")
        }
    }
}

fn later(reason: &str) -> HttpResponse {
    let mut answer = refuse(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    answer
}

fn refuse(status: StatusCode, reason: &str) -> HttpResponse {
    HttpResponse::build(status).json(serde_json::json!({ "message": reason }))
}
