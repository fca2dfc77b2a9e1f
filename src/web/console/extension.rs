//! A longer trial or grace period: what it would mean, and then the deed.

use std::rc::Rc;

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::{
    acts::{again, back, checked, sales},
    subscription,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{AppError, ExtensionPreview, TrialExtension},
    domain::trial_grant::{Extends, State, TrialRefused},
    pages::{
        Page as _,
        console::{
            extension::{ExtensionFacts, ExtensionPage},
            frame::Room,
            table::subscription_path,
            trials::trial_path,
        },
    },
    web::refusal::{html_answer, see_other},
};

/// `POST /console/subscriptions/{id}/extension`: to what it would mean, unless nothing can be longer.
pub(super) async fn review(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let Some((extends, days)) = wish(visit.field("extends"), visit.field("days")) else {
        return again(&visit, id, "extension", "Enter a whole number of days.").await;
    };
    match sales(&visit)?.preview_extension(extension(id, (extends, days), "")).await {
        Ok(_) => {
            let query = format!("extends={}&days={days}", extends.as_str());
            Ok(see_other(&format!("{}/extension/review?{query}", subscription_path(id))))
        }
        Err(AppError::Trial(refused)) => again(&visit, id, "extension", &refused.to_string()).await,
        Err(error) => Err(error.into()),
    }
}

/// `GET /console/subscriptions/{id}/extension/review?extends=…&days=…`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let id = subscription::find(&visit).await?.microsoft.id;
    let query = |name| visit.query(name).unwrap_or_default();
    let Some(wish) = wish(query("extends"), query("days")) else { return Ok(see_other(&subscription_path(id))) };
    let preview = sales(&visit)?.preview_extension(extension(id, wish, "")).await?;
    page(&visit, &preview, wish.1, "").await
}

/// `POST /console/subscriptions/{id}/extension/submit`
pub(super) async fn submit(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let Some(wish) = wish(visit.field("extends"), visit.field("days")) else {
        return Ok(see_other(&subscription_path(id)));
    };
    let desk = sales(&visit)?;
    match desk.extend_trial(extension(id, wish, visit.field("reason")), visit.field("shown")).await {
        Ok(grant) if grant.state == State::Proposed => Ok(see_other(&format!("{}?done=granted", trial_path(grant.id)))),
        Ok(_) => Ok(back(id, "extended")),
        Err(AppError::Trial(refused)) => refuse(&visit, id, wish, &refused).await,
        Err(error) => Err(error.into()),
    }
}

/// What is wrong, beside what it would mean now; where nothing can be longer any more, on the page of the subscription.
async fn refuse(visit: &StaffVisit, id: Uuid, wish: (Extends, u32), refused: &TrialRefused) -> Answer {
    match sales(visit)?.preview_extension(extension(id, wish, "")).await {
        Ok(preview) => page(visit, &preview, wish.1, &refused.to_string()).await,
        Err(AppError::Trial(refused)) => again(visit, id, "extension", &refused.to_string()).await,
        Err(error) => Err(error.into()),
    }
}

fn wish(extends: &str, days: &str) -> Option<(Extends, u32)> {
    Some((Extends::from_word(extends)?, days.trim().parse().ok()?))
}

fn extension(subscription_id: Uuid, (extends, days): (Extends, u32), reason: &str) -> TrialExtension<'_> {
    TrialExtension { subscription_id, extends, days, reason }
}

/// The same in the terms of the page.
pub(super) fn told(preview: &ExtensionPreview, days: u32) -> ExtensionFacts<'_> {
    ExtensionFacts {
        subscription: &preview.subscription,
        organisation: &preview.organisation,
        extended: preview.extended,
        days,
        charges: preview.charges.iter().map(|(old, new)| (old, &new.line)).collect(),
        takes_two: preview.takes_two,
        fingerprint: preview.fingerprint(),
    }
}

async fn page(visit: &StaffVisit, preview: &ExtensionPreview, days: u32, error: &str) -> Answer {
    let frame = visit.frame(Room::Subscriptions).await?;
    let page = ExtensionPage::new(frame, &told(preview, days), (visit.field("reason"), error));
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(html_answer(visit, status, page.render(&visit.app.templates)?))
}
