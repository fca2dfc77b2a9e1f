//! A line of the ledger as a row: a charge, or what Microsoft gave back of one.

use uuid::Uuid;

use super::{
    decision::decision_path,
    table::{Cell, Column, Row, subscription_path},
};
use crate::{
    domain::{
        charge::{Charge, State},
        credit::{self, Credit, Credited},
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
    Column::text("What"),
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

/// Whose line it is, as far as that is known.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The subscription's id.
    pub id: Uuid,
    /// The subscription.
    pub subscription: Option<&'a Subscription>,
    /// The organisation that enrolled.
    pub organisation: &'a str,
}

impl Whose<'_> {
    /// No price of a reseller deal is shown anywhere (`product.md` §3); whose line it is may be unknown.
    fn is_resold(self) -> bool {
        self.subscription.is_none_or(|one| one.microsoft.is_reseller_deal())
    }

    fn price(self, text: String) -> Cell {
        if self.is_resold() { Cell::text("") } else { Cell::text(text) }
    }

    fn marks(self) -> Cell {
        let mut marks = Vec::new();
        marks.extend(self.subscription.filter(|one| one.microsoft.is_test).map(|_| "test"));
        marks.extend(self.subscription.filter(|_| self.is_resold()).map(|_| "reseller"));
        Cell::text(marks.join(", "))
    }

    fn name(self) -> Cell {
        Cell::subscription(self.id, self.subscription.map_or("", |one| one.microsoft.name.as_str()))
    }
}

/// The row of a charge.
#[must_use]
pub fn row(charge: &Charge, whose: Whose<'_>) -> Row {
    vec![
        whose.name(),
        Cell::text(whose.organisation),
        Cell::text(charge.reason.as_str()),
        Cell::text(&charge.dimension),
        Cell::text(charge.quantity.to_string()),
        whose.price(charge.unit_price.to_string()),
        whose.price(charge.amount.to_string()),
        whose.price(charge.amount.currency.code().to_owned()),
        Cell::at(charge.reportable_from),
        Cell::state(charge.state.as_str().replace('_', " "), tone_of(charge.state)),
        Cell::at(charge.since),
        whose.marks(),
        Cell::text(&charge.description),
        Cell::Id { text: whose.id.to_string(), href: subscription_path(whose.id) },
        Cell::id(charge.id),
    ]
}

/// The row of a credit. Its figures are negative, so that a column adds up to what is left.
#[must_use]
pub fn credit_row(credit: &Credit, whose: Whose<'_>) -> Row {
    let (units, amount, currency) = match credit.credited {
        Credited::Amount(amount) => (String::new(), format!("-{amount}"), amount.currency.code()),
        Credited::Units(units) => (format!("-{units}"), String::new(), ""),
    };
    vec![
        whose.name(),
        Cell::text(whose.organisation),
        Cell::noted(credit::REASON, format!("case {}", credit.case.as_str())),
        Cell::text(&credit.dimension),
        Cell::text(units),
        Cell::text(""),
        whose.price(amount),
        whose.price(currency.to_owned()),
        Cell::text(""),
        Cell::state(credit::STATE, Tone::Calm),
        Cell::at(credit.at),
        whose.marks(),
        Cell::noted(credit.words(!whose.is_resold()), &credit.description),
        Cell::Id { text: whose.id.to_string(), href: subscription_path(whose.id) },
        Cell::Id { text: credit.id.to_string(), href: decision_path(credit.charge_id) },
    ]
}
