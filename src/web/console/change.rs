//! Another number of users on the buyer's behalf: reviewed, then submitted with a recorded consent.

use std::rc::Rc;

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::{
    acts::{again, back, checked, finish, sales},
    stop::Stop,
    subscription,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{AppError, ChangeSubmitted},
    domain::{
        change::{ChangeKind, FrozenChange},
        pricing::MAX_USERS,
        subscription::Subscription,
    },
    pages::{
        Page as _,
        change::Proposal,
        console::{change::ChangeOnBehalf, frame::Room, table::subscription_path, trouble::Stopped},
        differences, sentence,
    },
    store::{ChangeState, StoredChange},
    web::{
        purchase::purchase_of,
        refusal::{html_answer, see_other},
        users::tell_change,
    },
};

/// `POST /console/subscriptions/{id}/users`
pub(super) async fn review(visit: Rc<StaffVisit>) -> Answer {
    let subscription = checked(&visit).await?;
    let id = subscription.microsoft.id;
    let users = visit.field("users").replace(',', "").parse().ok().filter(|users| (1..=MAX_USERS).contains(users));
    let Some(users) = users else { return again(&visit, id, "users", "Enter a whole number.").await };
    match sales(&visit)?.review_change(&subscription, users).await {
        Ok(change_id) => Ok(see_other(&format!("{}/users/review/{change_id}", subscription_path(id)))),
        Err(error) => finish(&visit, id, ("users", ""), Err(error)).await,
    }
}

/// `GET /console/subscriptions/{id}/users/review/{change}[?instead_of=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let subscription = subscription::find(&visit).await?;
    let change_id = visit.path_id("change")?;
    let change = own_change(&visit, &subscription, change_id).await?;
    if change.state != ChangeState::Shown {
        return Ok(back(subscription.microsoft.id, "already"));
    }
    let before = match visit.query("instead_of").and_then(|text| Uuid::parse_str(text).ok()) {
        Some(id) => Some(own_change(&visit, &subscription, id).await?.body),
        None => None,
    };
    page(&visit, &subscription, &change, before.as_ref(), "").await
}

/// `POST /console/subscriptions/{id}/users/submit`
pub(super) async fn submit(visit: Rc<StaffVisit>) -> Answer {
    let subscription = checked(&visit).await?;
    let id = subscription.microsoft.id;
    let change_id = Uuid::parse_str(visit.field("change")).map_err(|_| Stop::Here(Stopped::NotFound))?;
    let change = own_change(&visit, &subscription, change_id).await?;
    match sales(&visit)?.submit_change(&subscription, change_id, visit.field("consent")).await {
        Ok(ChangeSubmitted::Accepted(frozen)) => Ok(back(id, word(frozen.kind))),
        Ok(ChangeSubmitted::AlreadyAccepted) => Ok(back(id, "already")),
        // The figures are other ones: the consent was to those before, and is asked for anew.
        Ok(ChangeSubmitted::Changed { change_id: fresh }) => {
            Ok(see_other(&format!("{}/users/review/{fresh}?instead_of={change_id}", subscription_path(id))))
        }
        Err(AppError::Desk(refused)) => {
            page(&visit, &subscription, &change, None, &sentence(&refused.to_string())).await
        }
        Err(error) => finish(&visit, id, ("users", ""), Err(error)).await,
    }
}

/// `POST /console/subscriptions/{id}/users/cancel-downgrade`
pub(super) async fn keep(visit: Rc<StaffVisit>) -> Answer {
    let subscription = checked(&visit).await?;
    let result = sales(&visit)?.cancel_downgrade(&subscription, visit.field("consent")).await;
    finish(&visit, subscription.microsoft.id, ("users/cancel-downgrade", "kept"), result).await
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Upgrade | ChangeKind::Lowering => "changed",
        ChangeKind::Downgrade | ChangeKind::Renewal => "planned",
    }
}

async fn own_change(
    visit: &StaffVisit,
    subscription: &Subscription,
    id: Uuid,
) -> Result<StoredChange<FrozenChange>, Stop> {
    let found = sales(visit)?.find_change(subscription, id).await?;
    found.ok_or(Stop::Here(Stopped::NotFound))
}

async fn page(
    visit: &StaffVisit,
    subscription: &Subscription,
    change: &StoredChange<FrozenChange>,
    before: Option<&FrozenChange>,
    error: &str,
) -> Answer {
    let microsoft = &subscription.microsoft;
    let (offer, plan) = visit.app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let enrolment = visit.app.store.find_enrolment(microsoft.id).await?;
    let organisation = enrolment.as_ref().map_or("", |enrolment| enrolment.organisation.as_str());
    let purchase = purchase_of(subscription, (offer, plan), organisation);
    let changes = before.map_or_else(Vec::new, |before| differences(&purchase, before, &change.body));
    let proposal = Proposal { change_id: change.id, holds_until: change.expires_at, changes: &changes };
    let (frame, now) = (visit.frame(Room::Subscriptions).await?, visit.now());
    let typed = (visit.field("consent"), error);
    let page = tell_change(&visit.app, subscription, &purchase, &change.body, |told| {
        Ok(ChangeOnBehalf::new(frame, told, proposal, typed, now)?)
    });
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(html_answer(visit, status, page.await?.render(&visit.app.templates)?))
}
