//! A subscription as a row.

use super::table::{Cell, Column, Row, subscription_path};
use crate::{
    domain::subscription::{Stage, Subscription},
    pages::words::{self, Tone},
};

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("Name"),
    Column::text("Organisation"),
    Column::text("Offer"),
    Column::text("Plan"),
    Column::text("State"),
    Column::number("Users"),
    Column::text("Segment"),
    Column::text("Term ends"),
    Column::text("Marks"),
    Column::text("Id"),
];

/// How a stage is told, with its tone.
#[must_use]
pub fn stage_told(stage: Stage) -> (&'static str, Tone) {
    match stage {
        Stage::AwaitingEnrolment => ("not configured", Tone::Warn),
        Stage::Activating { .. } => ("activating", Tone::Calm),
        Stage::Active(_) => ("active", Tone::Good),
        Stage::Suspended { .. } => ("suspended", Tone::Bad),
        Stage::Ended { .. } => ("ended", Tone::Calm),
    }
}

/// The row; `organisation` is empty before the enrolment.
#[must_use]
pub fn row(subscription: &Subscription, organisation: &str) -> Row {
    let microsoft = &subscription.microsoft;
    let (state, tone) = stage_told(subscription.stage);
    let term = subscription.term.or(microsoft.term);
    let mut marks = Vec::new();
    marks.extend(microsoft.is_test.then_some("test"));
    marks.extend(microsoft.is_reseller_deal().then_some("reseller"));
    marks.extend(subscription.planned.map(|_| "downgrade planned"));
    vec![
        Cell::subscription(microsoft.id, &microsoft.name),
        Cell::text(organisation),
        Cell::text(&microsoft.offer_id),
        Cell::text(&microsoft.plan_id),
        Cell::state(state, tone),
        Cell::text(subscription.users.map(words::count).unwrap_or_default()),
        Cell::text(subscription.segment.clone().unwrap_or_default()),
        term.map_or_else(|| Cell::text(""), |term| Cell::day(term.end)),
        Cell::text(marks.join(", ")),
        Cell::Id { text: microsoft.id.to_string(), href: subscription_path(microsoft.id) },
    ]
}
