//! What Microsoft gave back of a charge, and the form of whoever enters a credit.

use serde::Serialize;

use super::table::{Cell, Column, Table};
use crate::{
    domain::{
        charge::State,
        credit::{CreditRefused, Credited},
        explanation::ExplainedCharge,
    },
    pages::words,
};

/// What was typed into the form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypedCredit<'a> {
    /// How much, or how many units.
    pub amount: &'a str,
    /// The case.
    pub case: &'a str,
    /// Why.
    pub reason: &'a str,
    /// What is wrong with it.
    pub error: &'a str,
}

/// The section of a charge's page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CreditSection {
    credits: Table,
    /// `1,256.71 EUR can still be credited.`, or why nothing can.
    left: String,
    /// Whether something can.
    is_open: bool,
    label: String,
    amount: String,
    case: String,
    reason: String,
    error: String,
    action: String,
}

impl CreditSection {
    /// Only what Microsoft has accepted can be given back.
    pub(super) fn of(
        charge: &ExplainedCharge,
        creditable: &Result<Credited, CreditRefused>,
        typed: TypedCredit<'_>,
        path: &str,
    ) -> Option<Self> {
        if charge.state != State::Accepted && charge.credits.is_empty() && typed.error.is_empty() {
            return None;
        }
        let (left, is_open, label) = match creditable {
            Ok(left) if left.is_nothing() => ("Nothing of it is left to be credited.".to_owned(), false, String::new()),
            Ok(left) => (format!("{} of it can still be credited.", left.told()), true, label(*left)),
            Err(refused) => (words::sentence(&refused.to_string()), false, String::new()),
        };
        Some(Self {
            credits: credits(charge),
            left,
            is_open,
            label,
            amount: typed.amount.to_owned(),
            case: typed.case.to_owned(),
            reason: typed.reason.to_owned(),
            error: typed.error.to_owned(),
            action: format!("{path}/credit"),
        })
    }
}

fn label(left: Credited) -> String {
    match left {
        Credited::Amount(amount) => format!("Amount in {}, without VAT", amount.currency),
        Credited::Units(_) => "Units (amounts of a reseller deal are told to nobody)".to_owned(),
    }
}

fn credits(charge: &ExplainedCharge) -> Table {
    let rows = charge.credits.iter().map(|credit| {
        vec![Cell::text(&credit.words), Cell::at(credit.at), Cell::text(&credit.case_number), Cell::id(credit.id)]
    });
    Table {
        caption: "What Microsoft gave back of it".to_owned(),
        columns: vec![Column::text("Credit"), Column::text("Entered"), Column::text("Case"), Column::text("Id")],
        rows: rows.collect(),
        empty: "Microsoft gave nothing of it back.",
    }
}
