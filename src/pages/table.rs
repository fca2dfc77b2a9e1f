//! The price table: items, quantities, unit prices, prices. In a reseller deal the last two are missing.

use serde::Serialize;

use super::{purchase::Purchase, words};
use crate::domain::{
    money::Amount,
    pricing::{Item, Line},
};

/// A row of the table. Figures are plain decimals (`3300.0000`); the templates group them with the filter `money`.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The segment or extra.
    pub item: String,
    /// What of it.
    pub detail: String,
    /// How much.
    pub quantity: Option<String>,
    /// Price of one, unless hidden.
    pub unit_price: Option<String>,
    /// The price, unless hidden.
    pub price: Option<String>,
    /// Whether it is a sum or a deduction, not a line.
    pub summary: bool,
}

/// A price table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its rows.
    pub rows: Vec<Row>,
    /// The currency of its prices; `None` = prices may not be shown.
    pub currency: Option<&'static str>,
    /// The words before the sum, and the sum itself.
    pub total: Option<Total>,
}

/// The sum of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Total {
    /// Of what.
    pub label: String,
    /// The plain figure.
    pub figure: String,
}

impl Table {
    /// The lines, without those of quantity 0.
    pub(crate) fn of(purchase: &Purchase<'_>, lines: &[Line], detail: impl Fn(&Line) -> String) -> Self {
        let shown = !purchase.is_reseller_deal();
        let rows = lines.iter().filter(|line| !line.quantity.is_zero()).map(|line| Row {
            item: item(line).to_owned(),
            detail: detail(line),
            quantity: Some(words::quantity(line.quantity)),
            unit_price: shown.then(|| line.unit_price.to_string()),
            price: shown.then(|| line.amount.to_string()),
            summary: false,
        });
        let currency = lines.first().filter(|_| shown).map(|line| line.amount.currency.code());
        Self { rows: rows.collect(), currency, total: None }
    }

    /// The same with a sum, where prices may be shown.
    pub(crate) fn with_total(mut self, label: &str, total: Amount) -> Self {
        self.total = self.currency.map(|_| Total { label: label.to_owned(), figure: total.to_string() });
        self
    }

    /// A row without quantity, where prices may be shown.
    pub(crate) fn push_summary(&mut self, item: &str, detail: &str, price: String) {
        if self.currency.is_some() {
            let (item, detail) = (item.to_owned(), detail.to_owned());
            self.rows.push(Row { item, detail, quantity: None, unit_price: None, price: Some(price), summary: true });
        }
    }
}

/// `KONNEKT 250`
pub(crate) fn item(line: &Line) -> &str {
    match &line.item {
        Item::BaseFee(segment) | Item::AdditionalUsers(segment) => &segment.name,
        Item::Extra { name } => name,
    }
}

/// `Base fee, 250 users included`: for a full term.
pub(crate) fn full_detail(line: &Line) -> String {
    match &line.item {
        Item::BaseFee(segment) => format!("Base fee, {} included", words::users(segment.included)),
        Item::AdditionalUsers(_) => "Additional users".to_owned(),
        Item::Extra { .. } => "Once".to_owned(),
    }
}

/// `50 additional users`: beside a quantity that is a part of them. `users` is the number in total.
pub(crate) fn part_detail(line: &Line, users: u32) -> String {
    match &line.item {
        Item::BaseFee(_) => "Base fee".to_owned(),
        Item::AdditionalUsers(segment) => words::counted(users.saturating_sub(segment.included), "additional user"),
        Item::Extra { .. } => "Once, never in parts".to_owned(),
    }
}
