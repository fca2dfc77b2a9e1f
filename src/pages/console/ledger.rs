//! A charge as a row.

use uuid::Uuid;

use super::table::{Cell, Column, Row, plain_price, subscription_path};
use crate::{
    domain::{
        charge::{Charge, State},
        subscription::Subscription,
    },
    pages::words::Tone,
};

/// The columns. Figures are plain, so that a spreadsheet reads them; currencies stand beside them.
pub const COLUMNS: &[Column] = &[
    Column::text("Subscription"),
    Column::text("Organisation"),
    Column::text("Reason"),
    Column::text("Dimension"),
    Column::number("Quantity"),
    Column::number("Unit price"),
    Column::number("Amount"),
    Column::text("Currency"),
    Column::text("Reportable from"),
    Column::text("State"),
    Column::text("Since"),
    Column::text("Marks"),
    Column::text("Subscription id"),
    Column::text("Charge id"),
];

/// How things stand with a charge in this state.
#[must_use]
pub fn tone_of(state: State) -> Tone {
    match state {
        State::Accepted => Tone::Good,
        State::Due | State::Sending => Tone::Warn,
        State::Held | State::WrittenOff | State::Cancelled => Tone::Calm,
        State::Unknown | State::Conflict | State::Rejected | State::Expired | State::Frozen => Tone::Bad,
    }
}

/// The row. No price of a reseller deal is shown anywhere (`product.md` §3); whose charge it is may be unknown.
#[must_use]
pub fn row(charge: &Charge, whose: (Uuid, Option<&Subscription>), organisation: &str) -> Row {
    let (id, subscription) = whose;
    let is_resold = subscription.is_none_or(|one| one.microsoft.is_reseller_deal());
    let price = |text: String| if is_resold { Cell::text("") } else { Cell::text(text) };
    let mut marks = Vec::new();
    marks.extend(subscription.filter(|one| one.microsoft.is_test).map(|_| "test"));
    marks.extend(subscription.filter(|_| is_resold).map(|_| "reseller"));
    vec![
        Cell::subscription(id, subscription.map_or("", |one| one.microsoft.name.as_str())),
        Cell::text(organisation),
        Cell::text(charge.reason.as_str()),
        Cell::text(&charge.dimension),
        Cell::text(charge.quantity.to_string()),
        price(plain_price(charge.unit_price)),
        price(charge.amount.to_string()),
        price(charge.amount.currency.code().to_owned()),
        Cell::at(charge.reportable_from),
        Cell::state(charge.state.as_str().replace('_', " "), tone_of(charge.state)),
        Cell::at(charge.since),
        Cell::text(marks.join(", ")),
        Cell::Id { text: id.to_string(), href: subscription_path(id) },
        Cell::id(charge.id),
    ]
}
