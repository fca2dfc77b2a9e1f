//! Why a page of the console is not shown, and the page that says so.

use super::visit::StaffVisit;
use crate::{
    app::AppError,
    identity::SignInError,
    pages::{
        Page,
        console::{
            frame::Room,
            trouble::{ConsoleTrouble, Stopped},
        },
    },
    store::StoreError,
    web::{
        follow,
        refusal::{html_answer, see_other},
    },
};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

/// Why a page is not shown.
#[derive(Debug)]
pub(in crate::web) enum Stop {
    /// Somebody has to sign in first.
    SignIn { return_to: String },
    /// A dead end, explained.
    Here(Stopped),
    /// Something went wrong; which page says so depends on what.
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// The public face of an error; the private one goes to the log.
fn explain(error: &AppError) -> Stopped {
    let stopped = match error {
        AppError::Forbidden => Stopped::NotFound,
        AppError::Marketplace(_) | AppError::SignIn(SignInError::Unreachable(_)) => {
            Stopped::Later { reason: format!("Microsoft did not do it: {error}") }
        }
        AppError::SignIn(error) => Stopped::SignInFailed { reason: error.to_string() },
        AppError::Store(StoreError::NotFound { .. }) => Stopped::NotFound,
        AppError::Store(StoreError::Conflict(_)) => Stopped::NotNow {
            reason: "Somebody else has just changed it; open it again to see how it stands".to_owned(),
        },
        AppError::Store(error) if error.is_outage() => {
            Stopped::Later { reason: "The database does not answer".to_owned() }
        }
        AppError::Change(_)
        | AppError::Seats(_)
        | AppError::Decision(_)
        | AppError::Desk(_)
        | AppError::Credit(_)
        | AppError::Trial(_)
        | AppError::Approval(_)
        | AppError::NoMailbox(_)
        | AppError::NotOffered { .. }
        | AppError::NoPrice { .. } => Stopped::NotNow { reason: error.to_string() },
        _ => Stopped::Internal { reference: follow::request_id().to_string() },
    };
    match &stopped {
        Stopped::Internal { reference } => tracing::error!(reference, %error, "a page of the console failed"),
        _ => tracing::info!(%error, "a page of the console was refused"),
    }
    stopped
}

/// The answer for this visit.
pub(super) fn answer(visit: &StaffVisit, stop: Stop) -> HttpResponse {
    let stopped = match stop {
        Stop::SignIn { return_to } => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", &return_to).finish();
            return see_other(&format!("/console/sign-in?{query}"));
        }
        Stop::Here(stopped) => stopped,
        Stop::Failed(error) => explain(&error),
    };
    // What waits is not counted: a database that cannot must not hide what went wrong.
    let page = ConsoleTrouble::new(visit.bare_frame(Room::None, 0), &stopped);
    let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match page.render(&visit.app.templates) {
        Ok(html) => {
            let mut answer = html_answer(visit, status, html);
            if let Stopped::TooMany { retry_after_seconds } = stopped {
                answer.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "the page for a dead end failed");
            HttpResponse::InternalServerError().content_type("text/plain").body("Something failed. Please try again.")
        }
    }
}
