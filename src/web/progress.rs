//! After the submit: how far it is, for people and for the page's script.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    purchase::Shown,
    refusal::{Refusal, ok},
    visit::Visit,
};
use crate::{
    domain::subscription::{MicrosoftStatus, Stage as Enrolled},
    pages::progress::{Pace, Progress, Stage},
    store::MailState,
};

const SLOW_AFTER: time::Duration = time::Duration::minutes(2);

/// `GET /subscriptions/{id}/progress`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    ok(&visit, &progress(&visit).await?)
}

/// `GET /subscriptions/{id}/progress.json`
pub(super) async fn json(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(progress(&visit).await?.json()))
}

async fn progress(visit: &Visit) -> Result<Progress, Refusal> {
    let shown = Shown::for_buyer(visit).await?;
    let enrolment = shown.enrolment.as_ref().ok_or_else(|| Refusal::Elsewhere(shown.path()))?;
    let ended = shown.subscription.microsoft.status == MicrosoftStatus::Unsubscribed;
    let stage = match shown.subscription.stage {
        Enrolled::Active { .. } => {
            let id = shown.subscription.microsoft.id;
            let is_signed = visit.app.store.find_newest_key(id).await?.is_some();
            let mails = visit.app.store.list_mails(id).await?;
            let sent = mails.iter().all(|mail| mail.state == MailState::Sent);
            // A failing mail server delays only the mail: the key is on the page.
            let waits = mails.iter().any(|mail| mail.last_error.is_some());
            if !is_signed {
                // A vault signs it after the activation.
                Stage::Activated
            } else if sent || waits {
                Stage::Finished
            } else {
                Stage::Signed
            }
        }
        _ if shown.subscription.microsoft.status == MicrosoftStatus::Subscribed => Stage::Activated,
        _ => Stage::Ordered,
    };
    let pace = match visit.now() - enrolment.submitted_at {
        _ if ended => Pace::Stuck,
        waited if waited > SLOW_AFTER => Pace::Slow,
        _ => Pace::Normal,
    };
    let purchase = shown.purchase(&enrolment.organisation);
    Ok(Progress::new(shown.frame(visit), &purchase, &enrolment.buyer_email, stage, pace))
}
