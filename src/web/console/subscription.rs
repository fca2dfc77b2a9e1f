//! Everything about one subscription.

use std::rc::Rc;

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::{
    stop::Stop,
    subscription_facts::Known,
    visit::{Answer, StaffVisit},
};
use crate::{
    domain::subscription::Subscription,
    pages::{
        Page as _,
        console::{
            frame::{ConsoleFrame, Room},
            subscription::{SubscriptionPage, Typed, done},
            trouble::Stopped,
        },
    },
    web::refusal::html_answer,
};

/// `GET /console/subscriptions/{id}[?done=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let id = find(&visit).await?.microsoft.id;
    page(&visit, id, Typed::default()).await
}

/// The subscription of the path.
pub(super) async fn find(visit: &StaffVisit) -> Result<Subscription, Stop> {
    let id = visit.path_id("id")?;
    visit.app.store.find_subscription(id).await?.ok_or(Stop::Here(Stopped::NotFound))
}

/// The page as it is now, with a form that is not right where there is one.
pub(super) async fn page(visit: &StaffVisit, id: Uuid, typed: Typed) -> Answer {
    let status = if typed.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let roles = &visit.signed_in()?.member.roles;
    let known = Known::gather(&visit.app, visit.desk()?, id).await?;
    let (told, acts) = known.told(&visit.app, roles, typed, visit.now());
    let frame = frame(visit, known.users()).await?;
    let html = SubscriptionPage::new(frame, &told, &acts).render(&visit.app.templates)?;
    Ok(html_answer(visit, status, html))
}

async fn frame(visit: &StaffVisit, users: Option<u32>) -> Result<ConsoleFrame, Stop> {
    let frame = visit.frame(Room::Subscriptions).await?;
    Ok(match visit.query("done").and_then(|word| done(word, users)) {
        Some((tone, text)) => frame.with_flash(tone, &text),
        None => frame,
    })
}
