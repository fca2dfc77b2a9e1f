//! Errors as RFC 9457 has them: what happened, whose fault it is, what to do.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    app::AppError,
    domain::trial_grant::TrialRefused,
    identity::SignInError,
    marketplace::{Fault, MarketplaceError},
    pages::sentence,
    store::StoreError,
};

/// What kind of problem. Each has a place of its own on the readable page, which its `type` points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Kind {
    /// The request is not what the route takes.
    BadRequest,
    /// No key, or none that counts.
    Unauthorized,
    /// The key may not be used for this.
    Forbidden,
    /// Nothing is there.
    NotFound,
    /// Another method is.
    MethodNotAllowed,
    /// It contradicts what was done before.
    Conflict,
    /// The license is revoked or has ended.
    Gone,
    /// The body is too large.
    TooLarge,
    /// It is understood, and refused for a reason of the business.
    Refused,
    /// The key asks too often.
    TooManyRequests,
    /// Our own fault.
    Internal,
    /// The service, or something that it needs, does not answer now.
    Unavailable,
    /// Microsoft does not answer now.
    MicrosoftUnavailable,
}

impl Kind {
    /// All of them.
    #[cfg(test)]
    pub(super) const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Gone,
        Self::TooLarge,
        Self::Refused,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        Self::MicrosoftUnavailable,
    ];

    /// Status, name in addresses, title, and whose fault it is.
    pub(super) fn facts(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "Not readable", "caller"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "No valid API key", "caller"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not with this API key", "caller"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found", "caller"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Another method", "caller")
            }
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "Not as it was", "caller"),
            Self::Gone => (StatusCode::GONE, "gone", "License ended", "caller"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", "caller"),
            Self::Refused => (StatusCode::UNPROCESSABLE_ENTITY, "refused", "Refused", "caller"),
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", "caller")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Our fault", "publisher"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not now", "publisher"),
            Self::MicrosoftUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "microsoft-unavailable", "Microsoft does not answer", "microsoft")
            }
        }
    }
}

/// A problem of one request.
#[derive(Debug)]
pub(in crate::web) struct Problem {
    kind: Kind,
    detail: String,
    retry_after_seconds: Option<i64>,
    allow: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    request_id: Uuid,
    fault: &'a str,
}

impl Problem {
    /// A problem; `detail` says in a sentence what to do.
    pub(in crate::web) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after_seconds: None, allow: None }
    }

    /// The same, to be tried again after so many seconds.
    pub(super) fn after(self, seconds: i64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// The same, with the methods that there are.
    pub(super) fn allowing(self, methods: &str) -> Self {
        Self { allow: Some(methods.to_owned()), ..self }
    }

    /// There is no such thing.
    pub(super) fn unknown(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("There is no such {what}."))
    }

    /// The answer to one request.
    pub(in crate::web) fn answer(&self, path: &str, request_id: Uuid) -> HttpResponse {
        let (status, name, title, fault) = self.kind.facts();
        let mut answer = HttpResponse::build(status);
        answer.content_type("application/problem+json").insert_header((CACHE_CONTROL, "no-store"));
        if self.kind == Kind::Unauthorized {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"seatkey\""));
        }
        if let Some(seconds) = self.retry_after_seconds {
            answer.insert_header((RETRY_AFTER, seconds));
        }
        if let Some(methods) = &self.allow {
            answer.insert_header((ALLOW, methods.as_str()));
        }
        tracing::info!(%request_id, status = status.as_u16(), problem = name, "an API request was refused");
        answer.json(Document {
            r#type: format!("/api/v1/docs#{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            instance: path,
            request_id,
            fault,
        })
    }
}

fn silent() -> Problem {
    Problem::new(Kind::MicrosoftUnavailable, "Microsoft does not answer now; please try again in a minute.").after(60)
}

/// The public face of an error; the private one goes to the log.
impl<E: Into<AppError>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        let problem = match &error {
            AppError::Change(reason) => Self::new(Kind::Refused, sentence(&reason.to_string())),
            AppError::Order(reason) => Self::new(Kind::Refused, sentence(&reason.to_string())),
            AppError::NoPrice { .. } => {
                let detail =
                    "There is no price for this plan in the customer’s market; the publisher has to repair that.";
                Self::new(Kind::Refused, detail)
            }
            AppError::Trial(TrialRefused::NoSubscription(_)) => Self::unknown("subscription"),
            AppError::Trial(reason) => Self::new(Kind::Refused, sentence(&reason.to_string())),
            AppError::NotOffered { offer_id, plan_id } => {
                Self::new(Kind::Refused, format!("The catalog has no plan \"{plan_id}\" of an offer \"{offer_id}\"."))
            }
            AppError::TermDiffers { .. } => {
                let detail =
                    "The catalog does not have the plan as Microsoft sells it; the publisher has to repair that.";
                Self::new(Kind::Refused, detail)
            }
            AppError::AnotherRequest => {
                let detail = "This Idempotency-Key stands for another request: use a new one for each request.";
                Self::new(Kind::Conflict, detail)
            }
            AppError::Marketplace(MarketplaceError::NotFound(_)) => {
                Self::new(Kind::Refused, "Microsoft does not know this subscription any more.")
            }
            AppError::Marketplace(error) if error.fault() != Fault::Publisher => silent(),
            AppError::SignIn(SignInError::Unreachable(_)) => silent(),
            AppError::Marketplace(_) => {
                let detail = "Microsoft refuses the publisher’s credential; the publisher has been told.";
                Self::new(Kind::Unavailable, detail)
            }
            AppError::Store(StoreError::Conflict(_)) => {
                let detail = "Somebody else changed the same thing in this moment; look at it again, then try again.";
                Self::new(Kind::Conflict, detail)
            }
            error if error.is_retryable() => {
                Self::new(Kind::Unavailable, "The service cannot answer now; please try again in a minute.").after(60)
            }
            _ => Self::new(Kind::Internal, "Something failed here; tell the publisher the request id."),
        };
        tracing::warn!(%error, "an API request failed");
        problem
    }
}
