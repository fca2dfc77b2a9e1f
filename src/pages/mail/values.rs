//! Days, amounts and price lines without words: `mail/<language>/words.txt` says how its language writes them.

use serde::Serialize;
use time::{Date, OffsetDateTime, UtcOffset};

use crate::{
    domain::{
        money::Amount,
        pricing::{Item, Line},
        time::utc_day,
    },
    pages::{purchase::Purchase, table, words},
};

/// A day, or a minute of it in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct When {
    year: i32,
    month: u8,
    day: u8,
    /// `10:12`, where the minute counts.
    clock: Option<String>,
}

impl When {
    pub(super) fn on(day: Date) -> Self {
        Self { year: day.year(), month: day.month().into(), day: day.day(), clock: None }
    }

    pub(super) fn at(instant: OffsetDateTime) -> Self {
        let at = instant.to_offset(UtcOffset::UTC);
        Self { clock: Some(format!("{:02}:{:02}", at.hour(), at.minute())), ..Self::on(at.date()) }
    }

    /// The end of a span: the last whole day where it ends at midnight.
    pub(super) fn until(end: OffsetDateTime) -> Self {
        let midnight = end.to_offset(UtcOffset::UTC).time() == time::Time::MIDNIGHT;
        if midnight { Self::on(last_day(end)) } else { Self::at(end) }
    }
}

/// The day whose end an instant is, or within which it lies.
pub(super) fn last_day(end: OffsetDateTime) -> Date {
    utc_day(end.saturating_sub(time::Duration::MICROSECOND))
}

/// Fees that are not reported yet.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Held {
    /// The end of the time in which cancelling costs nothing.
    until: When,
    /// The day of the report.
    reported: When,
}

impl Held {
    pub(super) fn until(end: OffsetDateTime) -> Self {
        Self { until: When::until(end), reported: When::on(utc_day(end)) }
    }
}

/// An amount as a plain figure (`3660.00`).
#[derive(Debug, Clone, Serialize)]
pub(super) struct Money {
    figure: String,
    currency: &'static str,
}

impl Money {
    /// `None` where amounts may not be shown.
    pub(super) fn of(purchase: &Purchase<'_>, amount: Amount) -> Option<Self> {
        let shown = Self { figure: amount.to_string(), currency: amount.currency.code() };
        Some(shown).filter(|_| !purchase.is_reseller_deal())
    }
}

/// A price table.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Figures {
    rows: Vec<Row>,
    /// `None` = there are no prices, because they may not be shown or nothing is charged.
    currency: Option<&'static str>,
    total: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Row {
    item: String,
    part: Part,
    quantity: String,
    unit_price: Option<String>,
    price: Option<String>,
}

/// What of a segment or extra a line is for.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Part {
    BaseFee,
    /// How many, where that is known: the quantity of a part of a term does not tell it.
    AdditionalUsers {
        users: Option<u32>,
    },
    Once,
}

impl Figures {
    /// The lines, without those of quantity 0. `users` is the number in total.
    pub(super) fn of(purchase: &Purchase<'_>, lines: &[Line], users: Option<u32>) -> Self {
        let shown = !purchase.is_reseller_deal();
        let rows = lines.iter().filter(|line| !line.quantity.is_zero()).map(|line| Row {
            item: table::item(line).to_owned(),
            part: Part::of(&line.item, users),
            quantity: words::quantity(line.quantity),
            unit_price: shown.then(|| line.unit_price.to_string()),
            price: shown.then(|| line.amount.to_string()),
        });
        let currency = lines.first().filter(|_| shown).map(|line| line.amount.currency.code());
        Self { rows: rows.collect(), currency, total: None }
    }

    /// The same with a sum, where prices may be shown.
    pub(super) fn with_total(mut self, total: Option<Amount>) -> Self {
        self.total = total.filter(|_| self.currency.is_some()).map(|total| total.to_string());
        self
    }

    /// The same with the sum of these lines.
    pub(super) fn added_up(self, lines: &[Line]) -> Self {
        let zero = lines.first().map(|line| Amount::zero(line.amount.currency));
        let total = zero.and_then(|zero| lines.iter().try_fold(zero, |sum, line| sum.plus(line.amount)).ok());
        self.with_total(total)
    }
}

impl Part {
    fn of(item: &Item, users: Option<u32>) -> Self {
        match item {
            Item::BaseFee(_) => Self::BaseFee,
            Item::AdditionalUsers(segment) => {
                let users = users.and_then(|users| users.checked_sub(segment.included)).filter(|users| *users > 0);
                Self::AdditionalUsers { users }
            }
            Item::Extra { .. } => Self::Once,
        }
    }
}

/// A text from outside in one line: a line of a mail's words is a paragraph, a step or a date.
pub(super) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
