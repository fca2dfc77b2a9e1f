//! Subscriptions, as the publisher's own systems read them.

use std::{collections::BTreeMap, rc::Rc};

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    call::Call,
    json,
    problem::{Kind, Problem},
};
use crate::{
    domain::{
        subscription::{MicrosoftStatus, Subscription},
        time::end_of_day,
    },
    store::{NewestKey, SubscriptionQuery},
};

/// Entries of a page, unless fewer or more are asked for.
pub(super) const PAGE: u64 = 50;
/// No page is longer.
const MAX_PAGE: u64 = 100;
const STATUSES: [MicrosoftStatus; 4] = [
    MicrosoftStatus::PendingFulfillmentStart,
    MicrosoftStatus::Subscribed,
    MicrosoftStatus::Suspended,
    MicrosoftStatus::Unsubscribed,
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PageJson {
    items: Vec<SubscriptionJson>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SubscriptionJson {
    id: Uuid,
    name: String,
    status: String,
    offer_id: String,
    plan_id: String,
    users: Option<u32>,
    segment: Option<String>,
    term: Option<TermJson>,
    #[serde(with = "time::serde::rfc3339::option")]
    trial_ends_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    grace_ends_at: Option<OffsetDateTime>,
    planned_change: Option<PlannedJson>,
    license: Option<LicenseJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TermJson {
    start_date: String,
    end_date: String,
    term_unit: Option<String>,
}

#[derive(Debug, Serialize)]
struct PlannedJson {
    users: u32,
    effective: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LicenseJson {
    id: String,
    seq: u32,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

impl SubscriptionJson {
    fn new(subscription: &Subscription, key: Option<&NewestKey>) -> Self {
        let microsoft = &subscription.microsoft;
        let term = subscription.term.or(microsoft.term);
        let renewal = subscription.term.and_then(|term| term.renewal());
        Self {
            id: microsoft.id,
            name: microsoft.name.clone(),
            status: microsoft.status.as_str().to_owned(),
            offer_id: microsoft.offer_id.clone(),
            plan_id: microsoft.plan_id.clone(),
            users: subscription.users,
            segment: subscription.segment.clone(),
            term: term.map(|term| TermJson {
                start_date: term.start.to_string(),
                end_date: term.end.to_string(),
                term_unit: microsoft.term_unit.as_ref().map(|unit| unit.as_str().to_owned()),
            }),
            trial_ends_at: subscription.trial_end.map(end_of_day),
            grace_ends_at: subscription.grace_end,
            planned_change: subscription
                .planned
                .map(|planned| PlannedJson { users: planned.users, effective: renewal.map(|day| day.to_string()) }),
            license: key.map(|key| LicenseJson {
                id: key.license_id.clone(),
                seq: key.seq,
                expires_at: key.expires_at,
            }),
        }
    }
}

/// `GET /api/v1/subscriptions[?status=&offerId=&cursor=&limit=]`: ordered by id; the cursor is the last one of a page.
pub(super) async fn list(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [status, offer_id, cursor, limit] = call.query(["status", "offerId", "cursor", "limit"])?;
    if status.as_deref().is_some_and(|status| !STATUSES.iter().any(|known| known.as_str() == status)) {
        let words = STATUSES.map(|status| status.as_str().to_owned()).join(", ");
        return Err(Problem::new(Kind::BadRequest, format!("The parameter status is one of {words}.")));
    }
    let after = cursor.as_deref().map(read_cursor).transpose()?;
    let limit = limit.as_deref().map_or(Ok(PAGE), read_limit)?;
    let filter = SubscriptionQuery { status: status.as_deref(), offer_id: offer_id.as_deref() };
    // One more than the page tells whether there is another one.
    let mut found = call.app.store.list_subscription_page(filter, after, limit + 1).await?;
    let has_more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let ids: Vec<Uuid> = found.iter().map(|subscription| subscription.microsoft.id).collect();
    let keys: BTreeMap<Uuid, NewestKey> = call.app.store.list_newest_keys(&ids).await?;
    let item = |one: &Subscription| SubscriptionJson::new(one, keys.get(&one.microsoft.id));
    let next_cursor = ids.last().filter(|_| has_more).map(|id| id.simple().to_string());
    json(StatusCode::OK, &PageJson { items: found.iter().map(item).collect(), next_cursor })
}

pub(super) fn read_cursor(text: &str) -> Result<Uuid, Problem> {
    let detail = "The cursor is the nextCursor of the page before, as it was given.";
    Uuid::try_parse(text).map_err(|_| Problem::new(Kind::BadRequest, detail))
}

pub(super) fn read_limit(text: &str) -> Result<u64, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit
        .ok_or_else(|| Problem::new(Kind::BadRequest, format!("The parameter limit is a number from 1 to {MAX_PAGE}.")))
}

/// `GET /api/v1/subscriptions/{id}`
pub(super) async fn show(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [] = call.query([])?;
    let subscription = find(&call).await?;
    let keys = call.app.store.list_newest_keys(&[subscription.microsoft.id]).await?;
    json(StatusCode::OK, &SubscriptionJson::new(&subscription, keys.get(&subscription.microsoft.id)))
}

/// The subscription of the path.
pub(super) async fn find(call: &Call) -> Result<Subscription, Problem> {
    let id = call.path_id("subscription")?;
    call.app.store.find_subscription(id).await?.ok_or_else(|| Problem::unknown("subscription"))
}
