//! Why a page is not shown, and the page that says so.

use super::{follow, sent::Sent, visit::Visit};
use crate::{
    app::AppError,
    domain::{change::ChangeRefused, subscription::NotEnrollable},
    identity::SignInError,
    marketplace::{Fault, MarketplaceError},
    pages::{
        Page,
        frame::OfferFace,
        sentence,
        trouble::{Dead, Trouble},
    },
    store::StoreError,
};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Somebody has to sign in first.
    SignIn { return_to: String },
    /// Another page is the right one.
    Elsewhere(String),
    /// A dead end, explained.
    Dead(Dead),
    /// The same, in the colours of an offer.
    DeadAt(Box<OfferFace>, Dead),
    /// Something went wrong; which page says so depends on what.
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Refusal {
    /// The answer for this visit.
    pub(super) fn answer(self, visit: &Visit) -> HttpResponse {
        match self {
            Self::SignIn { return_to } => {
                let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", &return_to).finish();
                see_other(&format!("/sign-in?{query}"))
            }
            Self::Elsewhere(path) => see_other(&path),
            Self::Dead(dead) => dead_end(visit, OfferFace::neutral(support(visit)), &dead),
            Self::DeadAt(face, dead) => dead_end(visit, *face, &dead),
            Self::Failed(error) => dead_end(visit, OfferFace::neutral(support(visit)), &explain(&error)),
        }
    }
}

/// The general support address: that of the first offer, where no offer is known yet.
fn support(visit: &Visit) -> Option<&str> {
    visit.app.catalog.offers.first().map(|offer| offer.support_email.as_str())
}

/// The public face of an error; the private one goes to the log.
fn explain(error: &AppError) -> Dead {
    let dead = match error {
        AppError::Forbidden | AppError::Marketplace(MarketplaceError::BadPurchaseToken(_)) => Dead::LinkExpired,
        AppError::Marketplace(MarketplaceError::NotFound(_)) => Dead::LinkExpired,
        AppError::Marketplace(error) => match error.fault() {
            Fault::Publisher => Dead::PublisherTold,
            Fault::Microsoft | Fault::Buyer => Dead::MicrosoftSilent,
        },
        AppError::SignIn(SignInError::Registration(_)) => Dead::PublisherTold,
        AppError::SignIn(SignInError::Unreachable(_)) => Dead::MicrosoftSilent,
        AppError::SignIn(SignInError::Untrusted(_)) => Dead::SignInFailed {
            reason:
                "The answer from Microsoft could not be used. It may have been too old, or opened in another browser."
                    .to_owned(),
        },
        AppError::NoPrice { .. } | AppError::Change(ChangeRefused::Unpriced(_)) => Dead::NoPrice,
        AppError::Change(reason) => Dead::NotNow { reason: sentence(&reason.to_string()) },
        AppError::Seats(reason) => Dead::NotNow { reason: sentence(&reason.to_string()) },
        AppError::NoMailbox(_) => Dead::NotNow { reason: "That is not the address of a mailbox.".to_owned() },
        AppError::Key(error) if error.is_passing() => Dead::NotNow {
            reason:
                "Our key store does not answer at the moment, so nothing was changed. Please try again in a minute."
                    .to_owned(),
        },
        AppError::TermDiffers { .. } | AppError::Key(_) => Dead::PublisherTold,
        AppError::NotOffered { .. } => Dead::NotOffered,
        AppError::NotEnrollable(NotEnrollable::AlreadyEnrolled) | AppError::Order(_) => Dead::FormExpired,
        AppError::Store(StoreError::Conflict(_)) => Dead::FormExpired,
        AppError::Store(error) if error.is_outage() => Dead::DatabaseSilent,
        _ => Dead::Internal { reference: follow::request_id().to_string() },
    };
    match &dead {
        Dead::Internal { reference } => tracing::error!(reference, %error, "a page failed"),
        Dead::PublisherTold | Dead::NoPrice | Dead::NotOffered | Dead::DatabaseSilent => {
            tracing::error!(%error, "a buyer is stopped by us");
        }
        _ => tracing::info!(%error, "a page was refused"),
    }
    dead
}

fn dead_end(visit: &Visit, face: OfferFace, dead: &Dead) -> HttpResponse {
    let page = Trouble::new(visit.frame(face), dead, visit.now()).with_reference(&follow::request_id().to_string());
    let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match page.render(&visit.app.templates) {
        Ok(html) => {
            let mut answer = html_answer(visit, status, html);
            if let Some(seconds) = dead.retry_after_seconds() {
                answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "the page for a dead end failed");
            HttpResponse::InternalServerError().content_type("text/plain").body("Something failed. Please try again.")
        }
    }
}

/// A page that was found.
pub(super) fn ok(visit: &Visit, page: &impl Page) -> Result<HttpResponse, Refusal> {
    Ok(html_answer(visit, StatusCode::OK, page.render(&visit.app.templates)?))
}

/// A page that shows the form again, with what is wrong.
pub(super) fn form_again(visit: &Visit, page: &impl Page) -> Result<HttpResponse, Refusal> {
    Ok(html_answer(visit, StatusCode::UNPROCESSABLE_ENTITY, page.render(&visit.app.templates)?))
}

/// Go on with a GET.
pub(super) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// A page of ours: nothing from elsewhere runs in it, and nobody keeps it.
pub(super) fn html_answer(sent: &Sent, status: StatusCode, html: String) -> HttpResponse {
    let nonce = &sent.nonce;
    let policy = format!(
        "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src 'self' https: data:; \
         connect-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        sent.app.sign_in.authority_origin()
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(html)
}
