//! How a subscription's charges appear on the buyer's Azure invoices: one line in the PDF, separate ones in the portal's cost
//! details, and both come to the same.

use serde::Serialize;

use super::{charges::credit_told, words};
use crate::domain::explanation::{CostLine, Explanation, Month, Payer};

/// So many invoices stand open; older ones are folded away.
const OPEN: usize = 2;

/// The section.
#[derive(Debug, Clone, Serialize)]
pub struct Invoices {
    /// It is a test: there are no invoices.
    test: bool,
    /// The newest ones.
    open: Vec<Invoice>,
    /// The ones before.
    older: Vec<Invoice>,
}

/// An invoice, as far as it comes from this subscription.
#[derive(Debug, Clone, Serialize)]
struct Invoice {
    /// `March 2026`
    month: String,
    /// The month of use, which the portal goes by: `February 2026`
    used: String,
    currency: &'static str,
    lines: Vec<CostRow>,
    /// The one line of the PDF: a plain decimal.
    saas: Option<String>,
    /// What Microsoft gave back of it since.
    credits: Vec<String>,
    /// What is still on its way to it, with its currency.
    expected: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct CostRow {
    name: String,
    quantity: String,
    amount: String,
}

impl Invoices {
    /// Newest first. `None` for a reseller's customers: their invoice is the reseller's.
    pub(crate) fn of(explanation: &Explanation) -> Option<Self> {
        if explanation.payer == Payer::Reseller {
            return None;
        }
        let mut open: Vec<Invoice> = explanation.months.iter().rev().filter_map(invoice).collect();
        let older = open.split_off(open.len().min(OPEN));
        Some(Self { test: explanation.payer == Payer::Nobody, open, older })
    }
}

fn invoice(month: &Month) -> Option<Invoice> {
    let currency = month.saas.or(month.expected)?.currency.code();
    let line = |line: &CostLine| CostRow {
        name: line.description.clone(),
        quantity: words::quantity(line.quantity),
        amount: line.amount.map(|amount| amount.to_string()).unwrap_or_default(),
    };
    Some(Invoice {
        month: words::month(month.invoice?),
        used: words::month(month.first),
        currency,
        lines: month.cost_details.iter().map(line).collect(),
        credits: month.charges.iter().flat_map(|charge| &charge.credits).map(credit_told).collect(),
        saas: month.saas.map(|sum| sum.to_string()),
        expected: month.expected.map(words::money),
    })
}
