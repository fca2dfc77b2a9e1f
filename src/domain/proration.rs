//! Parts of a term: upgrades (`product.md` §4.3), trials and late enrolments (§4.1, §4.4).

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use time::{Date, Duration, OffsetDateTime};

use super::{
    money::{Amount, Quantity, QuantityDecimals, TooLarge, UnitPrice},
    pricing::{Line, PricedPlan, QuoteRefused},
    time::{Term, end_of_day, plus_days, utc_day},
};

/// What an upgrade within a term costs now, and every full term afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpgradeQuote {
    /// Users before.
    pub from_users: u32,
    /// Users after.
    pub to_users: u32,
    /// Days of the term.
    pub term_days: u32,
    /// Days that are charged, today included.
    pub remaining_days: u32,
    /// The additional-users dimension of the segment after the upgrade.
    pub dimension: Arc<str>,
    /// What is reported in it.
    pub quantity: Quantity,
    /// The price of one additional user there.
    pub unit_price: UnitPrice,
    /// Quantity × price.
    pub amount: Amount,
    /// The fee of a full term after the upgrade.
    pub next_term_total: Amount,
}

/// Why an upgrade is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeRefused {
    /// Not more users than now.
    #[error("Must be more than the {0} users of today; fewer users can be planned for the next renewal.")]
    NotMore(u32),
    /// The term is over; first the renewal has to be seen.
    #[error("The term ended on {0}; an upgrade is possible as soon as its renewal is known.")]
    TermEnded(Date),
    /// The segment of today does not exist in this plan, or cannot hold the users of today.
    #[error("The segment \"{0}\" does not price {1} users.")]
    UnknownSegment(String, u32),
    /// No quote for the new number.
    #[error(transparent)]
    Quote(#[from] QuoteRefused),
    /// The figures do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Where the subscription stands before an upgrade.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeFrom<'a> {
    /// Users of today.
    pub users: u32,
    /// The segment that they are in.
    pub segment: &'a str,
    /// The current term.
    pub term: Term,
    /// The UTC day.
    pub today: Date,
    /// The first day that is charged: today, or the first day after a running trial.
    pub first_day: Date,
}

/// Prices an upgrade: the difference of the two full-term fees for the remaining days, as a quantity of additional users.
///
/// # Errors
/// [`UpgradeRefused`], in words for the buyer.
pub fn quote_upgrade(plan: &PricedPlan, from: UpgradeFrom<'_>, to_users: u32) -> Result<UpgradeQuote, UpgradeRefused> {
    if to_users <= from.users {
        return Err(UpgradeRefused::NotMore(from.users));
    }
    if from.term.remaining(from.today) == 0 {
        return Err(UpgradeRefused::TermEnded(from.term.end));
    }
    // None in a trial that is longer than the term: then the quantity is 0, recorded and never sent.
    let remaining_days = from.term.remaining(from.first_day);
    let unknown = || UpgradeRefused::UnknownSegment(from.segment.to_owned(), from.users);
    let before = plan.fee_in(from.segment, from.users)?.ok_or_else(unknown)?;
    let after = plan.quote(to_users)?;
    let unit_price = plan.additional_price(&after.segment.name).ok_or_else(unknown)?;
    let difference = after.total.value() - before.value();
    let numerator = difference.checked_mul(remaining_days.into()).ok_or(TooLarge)?;
    let denominator = unit_price.value().checked_mul(from.term.days().into()).ok_or(TooLarge)?;
    let quantity = Quantity::of_fraction(numerator, denominator, plan.quantity_decimals)?;
    Ok(UpgradeQuote {
        from_users: from.users,
        to_users,
        term_days: from.term.days(),
        remaining_days,
        dimension: Arc::clone(&after.segment.user_dimension),
        quantity,
        unit_price,
        amount: Amount::of_line(quantity, unit_price, plan.currency)?,
        next_term_total: after.total,
    })
}

/// The part of a term that is charged: `days / of_days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Charged days.
    pub days: u32,
    /// Days of the term.
    pub of_days: u32,
}

impl Part {
    /// Whether the whole term is charged.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.days == self.of_days
    }

    /// The part of a quantity, rounded toward zero to so many decimals.
    ///
    /// # Errors
    /// [`TooLarge`] when it does not fit.
    pub fn of(self, quantity: Quantity, decimals: QuantityDecimals) -> Result<Quantity, TooLarge> {
        if self.is_whole() {
            return Ok(quantity);
        }
        let product = quantity.value().checked_mul(self.days.into()).ok_or(TooLarge)?;
        Quantity::of_fraction(product, self.of_days.into(), decimals)
    }
}

/// When a first term becomes charged: the free days, the grace period, and the part of the term that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstTerm {
    /// The term, as Microsoft gives it or as an estimate.
    pub term: Term,
    /// The day from which users are in use: activation or enrolment, whichever is later.
    pub start_day: Date,
    /// Days of trial.
    pub trial_days: u32,
    /// The last day of the trial, where there is one.
    pub trial_end: Option<Date>,
    /// When the grace period is over.
    pub grace_end: OffsetDateTime,
    /// The moment from which charges may be reported: `max(start + grace, end of trial)`.
    pub reportable_from: OffsetDateTime,
    /// What is charged of the term.
    pub part: Part,
    /// How finely the part of a quantity is reckoned; six decimals where it was frozen before this was kept.
    #[serde(default)]
    pub quantity_decimals: QuantityDecimals,
}

impl FirstTerm {
    /// Works out the dates, with six decimals. `start` is the later of activation and enrolment.
    #[must_use]
    pub fn new(term: Term, start: OffsetDateTime, trial_days: u32, grace: Duration) -> Self {
        let start_day = utc_day(start).max(term.start);
        let trial_end = trial_days.checked_sub(1).map(|days| plus_days(start_day, days));
        let grace_end = start.saturating_add(grace);
        let reportable_from = trial_end.map_or(grace_end, |day| grace_end.max(end_of_day(day)));
        let first_charged_day = plus_days(start_day, trial_days);
        let part = Part { days: term.remaining(first_charged_day), of_days: term.days() };
        let quantity_decimals = QuantityDecimals::default();
        Self { term, start_day, trial_days, trial_end, grace_end, reportable_from, part, quantity_decimals }
    }

    /// The same with parts of quantities that are cut to so many decimals.
    #[must_use]
    pub fn cut_to(self, quantity_decimals: QuantityDecimals) -> Self {
        Self { quantity_decimals, ..self }
    }

    /// The charged part of each line. Extras are never prorated; lines of quantity 0 stay (they are recorded, never sent).
    ///
    /// # Errors
    /// [`TooLarge`] when an amount does not fit.
    pub fn charged_lines(&self, full: &[Line]) -> Result<Vec<Line>, TooLarge> {
        full.iter()
            .map(|line| {
                let whole = matches!(line.item, super::pricing::Item::Extra { .. });
                let quantity =
                    if whole { line.quantity } else { self.part.of(line.quantity, self.quantity_decimals)? };
                Line::new(line.item.clone(), &line.dimension, quantity, line.unit_price, line.amount.currency)
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "proration_tests.rs"]
mod tests;
