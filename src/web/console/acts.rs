//! What the staff do about a subscription. What is not right is said at the form, with what was typed; all else leads back
//! to the page, which says what was done.

use std::rc::Rc;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::{
    stop::Stop,
    subscription,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{AppError, Contacts, DeskRefused, SalesDesk, SupportDesk},
    domain::{policy::Identity, staff::Role, subscription::Subscription},
    pages::{
        console::{subscription::Typed, table::subscription_path, trouble::Stopped},
        sentence,
    },
    store::StoreError,
    web::refusal::see_other,
};

/// Every field of these forms.
const FIELDS: [&str; 13] = [
    "text",
    "reason",
    "consent",
    "users",
    "email",
    "technical_contact",
    "language",
    "tenant_id",
    "object_id",
    "webhook",
    "job",
    "extends",
    "days",
];

/// `POST /console/subscriptions/{id}/notes`
pub(super) async fn note(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let result = visit.desk()?.add_note(id, visit.field("text")).await;
    finish(&visit, id, ("notes", "noted"), result).await
}

/// `POST /console/subscriptions/{id}/key/resend`
pub(super) async fn resend_key(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let result = support(&visit)?.resend_key(id, visit.field("reason")).await;
    finish(&visit, id, ("key/resend", "resent"), result).await
}

/// `POST /console/subscriptions/{id}/key/rotate`: the form names the key, so that a second click replaces nothing more.
pub(super) async fn rotate_key(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let result = match visit.field("seq").parse() {
        Ok(seq) => support(&visit)?.rotate_key(id, seq, visit.field("reason")).await,
        Err(_) => Err(DeskRefused::OtherKey.into()),
    };
    finish(&visit, id, ("key/rotate", "rotated"), result).await
}

/// `POST /console/subscriptions/{id}/contacts`
pub(super) async fn change_contacts(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let field = |name: &str| visit.field(name).to_owned();
    let contacts = Contacts {
        buyer_email: field("email"),
        technical_contact: field("technical_contact"),
        language: field("language"),
    };
    let result = support(&visit)?.change_contacts(id, contacts, visit.field("reason")).await;
    finish(&visit, id, ("contacts", "contacts"), result).await
}

/// `POST /console/subscriptions/{id}/person`
pub(super) async fn bind_person(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let field = |name: &str| Uuid::parse_str(visit.field(name)).ok();
    let result = match (field("tenant_id"), field("object_id")) {
        (Some(tenant_id), Some(object_id)) => {
            let who = Identity { tenant_id, object_id };
            support(&visit)?.bind_person(id, who, visit.field("reason")).await
        }
        _ => return again(&visit, id, "person", "Enter two ids, like 9b3a60e7-52c4-4d1f-a8b6-07d2c5e91a34.").await,
    };
    finish(&visit, id, ("person", "bound"), result).await
}

/// `POST /console/subscriptions/{id}/webhooks/replay`
pub(super) async fn replay_webhook(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let webhook_id = named(&visit, "webhook")?;
    let result = support(&visit)?.replay_webhook(id, webhook_id, visit.field("reason")).await;
    finish(&visit, id, ("webhooks/replay", "replayed"), result).await
}

/// `POST /console/subscriptions/{id}/jobs/retry`
pub(super) async fn retry_job(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let job_id = named(&visit, "job")?;
    let result = support(&visit)?.retry_job(id, job_id, visit.field("reason")).await;
    finish(&visit, id, ("jobs/retry", "retried"), result).await
}

/// `POST /console/subscriptions/{id}/reconcile`
pub(super) async fn reconcile(visit: Rc<StaffVisit>) -> Answer {
    let id = checked(&visit).await?.microsoft.id;
    let result = support(&visit)?.reconcile(id, visit.field("reason")).await;
    finish(&visit, id, ("reconcile", "reconciling"), result).await
}

/// What sales may do.
pub(super) fn sales(visit: &StaffVisit) -> Result<SalesDesk<'_>, Stop> {
    visit.desk()?.sales().ok_or_else(|| not_yours(Role::Sales))
}

fn support(visit: &StaffVisit) -> Result<SupportDesk<'_>, Stop> {
    visit.desk()?.support().ok_or_else(|| not_yours(Role::Support))
}

/// The page that says whose it is.
pub(super) fn not_yours(role: Role) -> Stop {
    Stop::Here(Stopped::NotYourRole { roles: role.as_str().to_owned() })
}

/// The subscription of a form that really comes from a page of this session.
pub(super) async fn checked(visit: &StaffVisit) -> Result<Subscription, Stop> {
    visit.check_form()?;
    subscription::find(visit).await
}

/// An id in a field; anything else names nothing.
fn named(visit: &StaffVisit, name: &str) -> Result<Uuid, Stop> {
    Uuid::parse_str(visit.field(name)).map_err(|_| Stop::Here(Stopped::NotFound))
}

/// Back to the page, or the form again.
pub(super) async fn finish(
    visit: &StaffVisit,
    id: Uuid,
    (act, word): (&'static str, &str),
    result: Result<(), AppError>,
) -> Answer {
    match result {
        Ok(()) => Ok(back(id, word)),
        Err(AppError::Store(StoreError::Conflict(_))) => Ok(back(id, "overtaken")),
        Err(error @ (AppError::Desk(_) | AppError::Change(_) | AppError::Seats(_) | AppError::NoPrice { .. })) => {
            again(visit, id, act, &sentence(&error.to_string())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The page, with what was done.
pub(super) fn back(id: Uuid, word: &str) -> HttpResponse {
    see_other(&format!("{}?done={word}", subscription_path(id)))
}

/// The page with the form as it was sent, and what is wrong with it.
pub(super) async fn again(visit: &StaffVisit, id: Uuid, act: &'static str, error: &str) -> Answer {
    let values = FIELDS.iter().map(|name| ((*name).to_owned(), visit.field(name).to_owned())).collect();
    subscription::page(visit, id, Typed { act, values, error: error.to_owned() }).await
}
