//! Seats that Microsoft bills: asked for, and followed until Microsoft says how it ended.

use std::rc::Rc;

use actix_web::HttpResponse;
use time::Duration;

use super::{
    account::back,
    purchase::Shown,
    refusal::{Refusal, ok, see_other},
    users::refused,
    visit::Visit,
};
use crate::{
    app::{AppError, SEATS, SeatsAsked, SeatsWanted, change_seats},
    domain::subscription::Event,
    pages::seats::{SeatsProgress, SeatsStage},
    store::{ChangeState, StoreError},
};

const SLOW_AFTER: Duration = Duration::minutes(2);

/// Asks for other seats.
pub(super) async fn change(visit: &Visit, shown: &Shown<'_>, users: u32) -> Result<HttpResponse, Refusal> {
    let (id, subscription) = (shown.subscription.microsoft.id, &shown.subscription);
    let progress = format!("{}/users/progress", shown.path());
    if subscription.users.is_some_and(|now| users > now)
        && let Err(error) = subscription.stage.on(Event::UsersRaised, visit.now())
    {
        return refused(visit, visit.field("users"), error.into()).await;
    }
    match change_seats(&visit.app, shown.who(), id, users).await {
        Ok(SeatsAsked::Asked { .. }) => Ok(see_other(&progress)),
        Ok(SeatsAsked::Planned) => Ok(back(shown, "planned")),
        Err(AppError::Store(StoreError::Conflict(what))) => {
            // The same wish from two clicks at once is one; another one has to wait.
            let newest = visit.app.store.find_newest_change::<SeatsWanted>(id, SEATS).await?;
            match newest.filter(|change| change.state == ChangeState::Pending && change.body.to == users) {
                Some(_) => Ok(see_other(&progress)),
                None => refused(visit, visit.field("users"), StoreError::Conflict(what).into()).await,
            }
        }
        Err(error) => refused(visit, visit.field("users"), error).await,
    }
}

/// `GET /subscriptions/{id}/users/progress`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    ok(&visit, &progress(&visit).await?)
}

/// `GET /subscriptions/{id}/users/progress.json`
pub(super) async fn json(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(progress(&visit).await?.json()))
}

async fn progress(visit: &Visit) -> Result<SeatsProgress, Refusal> {
    let shown = Shown::for_buyer(visit).await?;
    let id = shown.subscription.microsoft.id;
    let newest = visit.app.store.find_newest_change::<SeatsWanted>(id, SEATS).await?;
    let change = newest.ok_or_else(|| Refusal::Elsewhere(shown.path()))?;
    let stage = match change.state {
        ChangeState::Done => SeatsStage::Done,
        ChangeState::Refused => SeatsStage::Refused(change.reason.as_deref().unwrap_or_default()),
        ChangeState::Shown | ChangeState::Pending if change.operation_id.is_none() => SeatsStage::Asked,
        ChangeState::Shown | ChangeState::Pending => SeatsStage::Working,
    };
    let slow = visit.now() - change.created_at > SLOW_AFTER;
    let email = shown.enrolment.as_ref().map_or("", |enrolment| enrolment.buyer_email.as_str());
    let SeatsWanted { from, to } = change.body;
    Ok(SeatsProgress::new(shown.frame(visit), &shown.purchase(""), (from, to), stage, slow, email))
}
