//! The months of use, each with the invoice that follows it: Microsoft bills metered usage monthly in arrears, on annual
//! plans, too (marketplace-api.md §7). The invoice lumps it into one line, the portal's cost details show a line for each
//! dimension.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use super::{ExplainedCharge, Payer, sum};
use crate::domain::{
    charge::{Charge, State},
    money::{Amount, Quantity},
    time::utc_day,
};

/// A month of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// Its first day.
    pub first: Date,
    /// The first day of the month of its invoice.
    pub invoice: Option<Date>,
    /// Its charges, in the order of the ledger.
    pub charges: Vec<ExplainedCharge>,
    /// How much stands where.
    pub sums: Vec<StateSum>,
    /// The invoice's one line "SaaS", as far as it comes from this subscription: everything that Microsoft has accepted.
    pub saas: Option<Amount>,
    /// What Microsoft gave back of that with credits. The invoice stays as it is; when they are paid is Microsoft's to say.
    pub credited: Option<Amount>,
    /// What is on its way to the same invoice.
    pub expected: Option<Amount>,
    /// The lines of the portal's cost details, which add up to `saas`; none of a test.
    pub cost_details: Vec<CostLine>,
}

/// The charges of a month that stand alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSum {
    /// Where.
    pub state: State,
    /// How many.
    pub count: usize,
    /// How much; `None` where amounts are told to nobody.
    pub amount: Option<Amount>,
}

/// A line of the portal's cost details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostLine {
    /// The meter.
    pub dimension: String,
    /// Its name.
    pub description: String,
    /// How much of it.
    pub quantity: Quantity,
    /// For how much; `None` where amounts are told to nobody.
    pub amount: Option<Amount>,
}

pub(super) fn first_of_month(at: OffsetDateTime) -> Date {
    let day = utc_day(at);
    day.replace_day(1).unwrap_or(day)
}

fn next_month(first: Date) -> Option<Date> {
    let year = if first.month() == time::Month::December { first.year().checked_add(1)? } else { first.year() };
    Date::from_calendar_date(year, first.month().next(), 1).ok()
}

/// The invoice that a charge of this month of use is on, or will be.
pub(super) fn invoice_of(charge: &Charge, month: Date) -> Option<Date> {
    let billed = match charge.state {
        State::Held | State::Due | State::Sending | State::Accepted => !charge.quantity.is_zero(),
        State::Unknown | State::Conflict | State::Rejected | State::Frozen => false,
        State::Expired | State::WrittenOff | State::Cancelled => false,
    };
    next_month(month).filter(|_| billed)
}

pub(super) fn by_month(charges: Vec<ExplainedCharge>, payer: Payer) -> Vec<Month> {
    let mut months: BTreeMap<Date, Vec<ExplainedCharge>> = BTreeMap::new();
    for charge in charges {
        months.entry(charge.month).or_default().push(charge);
    }
    months.into_iter().map(|(first, charges)| month(first, charges, payer)).collect()
}

fn month(first: Date, charges: Vec<ExplainedCharge>, payer: Payer) -> Month {
    let sum_of = |admitted: &[State]| {
        sum(charges.iter().filter(|charge| admitted.contains(&charge.state)).map(|charge| charge.amount))
    };
    let sums = State::ALL.into_iter().filter_map(|state| {
        let count = charges.iter().filter(|charge| charge.state == state).count();
        (count > 0).then(|| StateSum { state, count, amount: sum_of(&[state]) })
    });
    let billed = payer == Payer::Buyer;
    let on_its_way = |charge: &&ExplainedCharge| {
        let moves = matches!(charge.state, State::Held | State::Due | State::Sending);
        moves && (charge.invoice.is_some() || charge.quantity.is_zero())
    };
    let expected = sum(charges.iter().filter(on_its_way).map(|charge| charge.amount));
    Month {
        first,
        invoice: next_month(first).filter(|_| billed),
        sums: sums.collect(),
        saas: sum_of(&[State::Accepted]).filter(|_| billed),
        credited: sum(charges.iter().flat_map(|charge| &charge.credits).map(|credit| credit.amount)).filter(|_| billed),
        expected: expected.filter(|_| billed),
        cost_details: if payer == Payer::Nobody { Vec::new() } else { cost_details(&charges) },
        charges,
    }
}

fn cost_details(charges: &[ExplainedCharge]) -> Vec<CostLine> {
    let mut lines: Vec<CostLine> = Vec::new();
    let accepted = |charge: &&ExplainedCharge| charge.state == State::Accepted && !charge.quantity.is_zero();
    for charge in charges.iter().filter(accepted) {
        let Some(line) = lines.iter_mut().find(|line| line.dimension == charge.dimension) else {
            lines.push(CostLine {
                dimension: charge.dimension.clone(),
                description: charge.description.clone(),
                quantity: charge.quantity,
                amount: charge.amount,
            });
            continue;
        };
        let millionths = line.quantity.millionths().saturating_add(charge.quantity.millionths());
        line.quantity = Quantity::from_millionths(millionths).unwrap_or(line.quantity);
        line.amount = sum([line.amount, charge.amount]);
    }
    lines
}
