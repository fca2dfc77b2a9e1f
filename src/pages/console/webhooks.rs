//! A webhook as a row.

use time::OffsetDateTime;
use uuid::Uuid;

use super::table::{Cell, Column, Row, subscription_path};
use crate::pages::words::Tone;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("Received"),
    Column::text("Action"),
    Column::text("Subscription"),
    Column::text("Operation"),
    Column::text("State"),
    Column::text("Handled at"),
    Column::text("Outcome"),
    Column::text("Body"),
    Column::text("Subscription id"),
    Column::text("Webhook id"),
];

/// What is told of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct WebhookFacts<'a> {
    /// Its id here.
    pub id: Uuid,
    /// When it came first.
    pub received_at: OffsetDateTime,
    /// Microsoft's word.
    pub action: &'a str,
    /// Whose it is, with the name where there is one.
    pub subscription: Option<(Uuid, &'a str)>,
    /// Microsoft's id.
    pub operation_id: &'a str,
    /// When it was acted upon.
    pub handled_at: Option<OffsetDateTime>,
    /// What came of it.
    pub outcome: Option<&'a str>,
    /// Why the catalog alone refused it.
    pub refusal: Option<&'a str>,
    /// The body as it came.
    pub body: &'a str,
}

/// The row.
#[must_use]
pub fn row(facts: &WebhookFacts<'_>) -> Row {
    let (state, tone) = match (facts.handled_at, facts.refusal) {
        (None, _) => ("waiting", Tone::Warn),
        (Some(_), Some(_)) => ("refused", Tone::Bad),
        (Some(_), None) => ("handled", Tone::Good),
    };
    let told: Vec<&str> = facts.outcome.into_iter().chain(facts.refusal).collect();
    let id = facts.subscription.map(|(id, _)| id);
    vec![
        Cell::at(facts.received_at),
        Cell::text(facts.action),
        facts.subscription.map_or_else(|| Cell::text(""), |(id, name)| Cell::subscription(id, name)),
        Cell::Id { text: facts.operation_id.to_owned(), href: String::new() },
        Cell::state(state, tone),
        Cell::maybe_at(facts.handled_at),
        Cell::text(told.join(": ")),
        Cell::Long { text: facts.body.to_owned() },
        id.map_or_else(|| Cell::text(""), |id| Cell::Id { text: id.to_string(), href: subscription_path(id) }),
        Cell::id(facts.id),
    ]
}
