//! Segment pricing (`product.md` §3): what N users cost, why, and when the next segment pays.
//!
//! Invariant: the same [`PricedPlan::quote`] makes the preview, the charge and the forecast.

use std::sync::Arc;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use super::{
    catalog::{Extra, Plan, PriceList, Segment},
    money::{Amount, Currency, Quantity, QuantityDecimals, TooLarge, UnitPrice},
    time::TermUnit,
};

/// More users than any organisation has; larger numbers are a mistake or an attack.
pub const MAX_USERS: u32 = 10_000_000;

/// A plan with a price for each of its dimensions.
#[derive(Debug, Clone)]
pub struct PricedPlan {
    /// The plan's id.
    pub plan_id: Arc<str>,
    /// The length of a term.
    pub term_unit: TermUnit,
    /// The currency of all amounts.
    pub currency: Currency,
    /// How finely parts of quantities are reckoned.
    pub quantity_decimals: QuantityDecimals,
    segments: Vec<PricedSegment>,
    extras: Vec<(Extra, UnitPrice)>,
}

/// A segment with its two prices.
#[derive(Debug, Clone)]
struct PricedSegment {
    segment: Arc<Segment>,
    base: UnitPrice,
    additional: UnitPrice,
    base_fee: Amount,
}

/// One line of a quote: quantity × unit price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What is bought.
    pub item: Item,
    /// What it is reported in.
    pub dimension: Arc<str>,
    /// How much.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: UnitPrice,
    /// Quantity × price, rounded.
    pub amount: Amount,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// The base fee of a segment.
    BaseFee(Arc<Segment>),
    /// Users beyond the included ones.
    AdditionalUsers(Arc<Segment>),
    /// A one-time purchase.
    Extra {
        /// Its name in the catalog.
        name: String,
    },
}

impl Item {
    /// The wording of Microsoft's portal and of the invoice: `KONNEKT 250 | Base Fee`.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::BaseFee(segment) => format!("{} | Base Fee", segment.name),
            Self::AdditionalUsers(segment) => format!("{} | Additional Users", segment.name),
            Self::Extra { name } => name.clone(),
        }
    }
}

/// A segment's answer to "what would N users cost here".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The segment.
    pub segment: Arc<Segment>,
    /// Its total, or `None` when it does not admit that many.
    pub total: Option<Amount>,
    /// Whether it won.
    pub chosen: bool,
}

/// The smallest larger number of users for which another segment is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextBreak {
    /// That number.
    pub users: u32,
    /// The segment that wins there.
    pub segment: Arc<Segment>,
    /// What they cost there.
    pub total: Amount,
}

/// The priced and explained answer to "what do N users cost", for one full term.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The plan.
    pub plan_id: Arc<str>,
    /// The length of the term.
    pub term_unit: TermUnit,
    /// Users in total.
    pub users: u32,
    /// The cheapest segment.
    pub segment: Arc<Segment>,
    /// Base fee and additional users; none with quantity 0.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Amount,
    /// How many more users would cost nothing.
    pub unused_included_users: u32,
    /// Every segment's answer, smallest first.
    pub considered: Vec<Considered>,
    /// Where the next segment takes over; `None` where there is none.
    pub next_break: Option<NextBreak>,
}

/// Why there is no quote. The texts are shown to buyers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefused {
    /// Fewer users than the smallest segment includes.
    #[error("Must be at least {0}.")]
    TooFew(u32),
    /// More users than the largest segment admits.
    #[error("Must be at most {0}.")]
    TooMany(u32),
    /// The figures do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// A price list that does not price the whole plan. Without every price there is no enrolment and no upgrade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// Dimensions without a price.
    #[error("there is no {currency} price for {}", dimensions.join(", "))]
    Missing {
        /// The list's currency.
        currency: Currency,
        /// The dimensions.
        dimensions: Vec<String>,
    },
    /// An additional user for nothing could not be reported in an upgrade.
    #[error("the price of \"{0}\" is 0; an additional user must cost something")]
    FreeUsers(String),
    /// Fees of this plan are billed by Microsoft.
    #[error("the plan \"{0}\" has no segments; Microsoft bills it")]
    NotMetered(String),
    /// The figures do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl PricedPlan {
    /// Joins a plan with today's prices.
    ///
    /// # Errors
    /// [`Unpriced`] names what is missing.
    pub fn new(plan: &Plan, prices: &PriceList) -> Result<Self, Unpriced> {
        if plan.segments().is_empty() {
            return Err(Unpriced::NotMetered(plan.id.to_string()));
        }
        let missing: Vec<String> =
            plan.dimensions().filter(|dimension| prices.price(dimension).is_none()).map(ToString::to_string).collect();
        if !missing.is_empty() {
            return Err(Unpriced::Missing { currency: prices.currency, dimensions: missing });
        }
        let price = |dimension: &Arc<str>| prices.price(dimension);
        let segments = plan
            .segments()
            .iter()
            .filter_map(|segment| Some((segment, price(&segment.base_dimension)?, price(&segment.user_dimension)?)))
            .map(|(segment, base, additional)| PricedSegment::new(segment, base, additional, prices.currency))
            .collect::<Result<Vec<_>, _>>()?;
        let extras = plan.extras.iter().filter_map(|extra| Some((extra.clone(), price(&extra.dimension)?))).collect();
        Ok(Self {
            plan_id: Arc::clone(&plan.id),
            term_unit: plan.term_unit.clone(),
            currency: prices.currency,
            quantity_decimals: plan.quantity_decimals,
            segments,
            extras,
        })
    }

    /// Prices a full term of `users` in the cheapest segment, with the whole explanation.
    ///
    /// # Errors
    /// [`QuoteRefused`], in words for the buyer.
    pub fn quote(&self, users: u32) -> Result<Quote, QuoteRefused> {
        let chosen = self.choose(users)?;
        let mut considered = Vec::with_capacity(self.segments.len());
        for (index, priced) in self.segments.iter().enumerate() {
            let total = if priced.segment.admits(users) { Some(priced.fee(users)?) } else { None };
            considered.push(Considered { segment: Arc::clone(&priced.segment), total, chosen: index == chosen });
        }
        let winner = &self.segments[chosen];
        let lines = winner.lines(users)?;
        let next_break = self.next_break(chosen, users)?;
        Ok(Quote {
            plan_id: Arc::clone(&self.plan_id),
            term_unit: self.term_unit.clone(),
            users,
            segment: Arc::clone(&winner.segment),
            total: winner.fee(users)?,
            lines,
            unused_included_users: winner.segment.included.saturating_sub(users),
            considered,
            next_break,
        })
    }

    /// The cheapest segment for `users`, and the smallest larger number for which another one is chosen.
    ///
    /// # Errors
    /// As [`PricedPlan::quote`].
    pub fn segment_for(&self, users: u32) -> Result<(&Arc<Segment>, Option<u32>), QuoteRefused> {
        let chosen = self.choose(users)?;
        Ok((&self.segments[chosen].segment, self.break_after(chosen, users)?))
    }

    /// The fee of a full term of `users` in a named segment, whether it is the cheapest or not.
    ///
    /// # Errors
    /// [`TooLarge`]; `None` for a segment that the plan does not have or that does not admit so many.
    pub fn fee_in(&self, segment: &str, users: u32) -> Result<Option<Amount>, TooLarge> {
        let priced = self.segments.iter().find(|priced| *priced.segment.name == *segment);
        priced.filter(|priced| priced.segment.admits(users)).map(|priced| priced.fee(users)).transpose()
    }

    /// What an additional user costs in a named segment.
    #[must_use]
    pub fn additional_price(&self, segment: &str) -> Option<UnitPrice> {
        self.segments.iter().find(|priced| *priced.segment.name == *segment).map(|priced| priced.additional)
    }

    /// The line of a one-time purchase.
    ///
    /// # Errors
    /// [`TooLarge`]; `None` for an extra that the plan does not offer.
    pub fn extra_line(&self, extra_id: &str) -> Result<Option<Line>, TooLarge> {
        let Some((extra, unit_price)) = self.extras.iter().find(|(extra, _)| extra.id == extra_id) else {
            return Ok(None);
        };
        let item = Item::Extra { name: extra.name.clone() };
        Line::new(item, &extra.dimension, Quantity::ONE, *unit_price, self.currency).map(Some)
    }

    /// Segments for which, within their own range, a higher one is cheaper from some number of users on.
    #[must_use]
    pub fn dominated(&self) -> Vec<(Arc<Segment>, u32)> {
        let mut found = Vec::new();
        for (index, priced) in self.segments.iter().enumerate() {
            let segment = &priced.segment;
            let end = segment.maximum.unwrap_or(MAX_USERS);
            let beaten = self.segments[index + 1..]
                .iter()
                .filter_map(|higher| priced.first_beaten(higher, segment.included, end).ok().flatten())
                .min();
            found.extend(beaten.map(|users| (Arc::clone(segment), users)));
        }
        found
    }

    /// The cheapest segment that admits `users`; on a tie the one with more included users.
    fn choose(&self, users: u32) -> Result<usize, QuoteRefused> {
        if let Some(smallest) = self.segments.first()
            && users < smallest.segment.included
        {
            return Err(QuoteRefused::TooFew(smallest.segment.included));
        }
        let mut best: Option<(usize, Amount)> = None;
        for (index, priced) in self.segments.iter().enumerate().filter(|(_, priced)| priced.segment.admits(users)) {
            let fee = priced.fee(users)?;
            // Segments are sorted by included users, so a later one wins a tie.
            if users <= MAX_USERS && best.is_none_or(|(_, lowest)| fee.minor <= lowest.minor) {
                best = Some((index, fee));
            }
        }
        best.map(|(index, _)| index).ok_or_else(|| QuoteRefused::TooMany(self.most_users()))
    }

    fn most_users(&self) -> u32 {
        let most = self.segments.iter().map(|priced| priced.segment.maximum.unwrap_or(MAX_USERS)).max();
        most.unwrap_or(0).min(MAX_USERS)
    }

    fn next_break(&self, chosen: usize, users: u32) -> Result<Option<NextBreak>, QuoteRefused> {
        let Some(at) = self.break_after(chosen, users)? else { return Ok(None) };
        let winner = &self.segments[self.choose(at)?];
        Ok(Some(NextBreak { users: at, segment: Arc::clone(&winner.segment), total: winner.fee(at)? }))
    }

    fn break_after(&self, chosen: usize, users: u32) -> Result<Option<u32>, TooLarge> {
        let current = &self.segments[chosen];
        let end = current.segment.maximum.unwrap_or(MAX_USERS).min(self.most_users());
        let mut first: Option<u32> = None;
        for (index, other) in self.segments.iter().enumerate() {
            if index != chosen {
                let to = first.map_or(end, |found| found - 1);
                first = current.first_beaten(other, users + 1, to)?.or(first);
            }
        }
        Ok(first.or_else(|| (end < self.most_users()).then_some(end + 1)))
    }
}

impl PricedSegment {
    fn new(
        segment: &Arc<Segment>,
        base: UnitPrice,
        additional: UnitPrice,
        currency: Currency,
    ) -> Result<Self, Unpriced> {
        if additional.is_zero() {
            return Err(Unpriced::FreeUsers(segment.user_dimension.to_string()));
        }
        let base_fee = Amount::of_line(Quantity::ONE, base, currency)?;
        Ok(Self { segment: Arc::clone(segment), base, additional, base_fee })
    }

    fn additional_users(&self, users: u32) -> u32 {
        users.saturating_sub(self.segment.included)
    }

    /// `base + max(0, N − included) × additional`, as displayed: each line rounded, then added.
    fn fee(&self, users: u32) -> Result<Amount, TooLarge> {
        let additional = self.additional_users(users);
        if additional == 0 {
            return Ok(self.base_fee);
        }
        let additional = Quantity::whole(additional);
        self.base_fee.plus(Amount::of_line(additional, self.additional, self.base_fee.currency)?)
    }

    fn lines(&self, users: u32) -> Result<Vec<Line>, TooLarge> {
        let currency = self.base_fee.currency;
        let segment = &self.segment;
        let base =
            Line::new(Item::BaseFee(Arc::clone(segment)), &segment.base_dimension, Quantity::ONE, self.base, currency)?;
        let mut lines = vec![base];
        let additional = self.additional_users(users);
        if additional > 0 {
            let item = Item::AdditionalUsers(Arc::clone(segment));
            let quantity = Quantity::whole(additional);
            lines.push(Line::new(item, &segment.user_dimension, quantity, self.additional, currency)?);
        }
        Ok(lines)
    }

    /// Whether `other` would be chosen over this one.
    fn is_beaten(&self, other: &Self, users: u32) -> Result<bool, TooLarge> {
        let (mine, theirs) = (self.fee(users)?.minor, other.fee(users)?.minor);
        Ok(theirs < mine || (theirs == mine && other.segment.included > self.segment.included))
    }

    /// The smallest number in `from..=to` for which `other` would be chosen over this one.
    ///
    /// Both fees are straight lines with a bend at their included users, so each stretch between the bends is solved
    /// rather than scanned; only where rounding blurs the crossing are single numbers tried.
    fn first_beaten(&self, other: &Self, from: u32, to: u32) -> Result<Option<u32>, TooLarge> {
        let to = other.segment.maximum.map_or(to, |maximum| to.min(maximum));
        let mut bends = [self.segment.included, other.segment.included];
        bends.sort_unstable();
        let mut start = from;
        for end in [bends[0], bends[1], to] {
            let end = end.min(to);
            if start <= end {
                if let Some(found) = self.first_beaten_on_line(other, start, end)? {
                    return Ok(Some(found));
                }
                start = end + 1;
            }
        }
        Ok(None)
    }

    /// The same on a stretch on which both fees are straight lines.
    fn first_beaten_on_line(&self, other: &Self, from: u32, to: u32) -> Result<Option<u32>, TooLarge> {
        let lead = |users: u32| -> Decimal { self.exact_fee(users) - other.exact_fee(users) };
        let slope = if from < to { lead(from + 1) - lead(from) } else { Decimal::ZERO };
        let blur = self.blur().max(other.blur());
        let mut users = from;
        let mut last = to;
        if lead(from) < -blur {
            // Behind for certain: jump to where the exact lines come within the blur, or never.
            if slope <= Decimal::ZERO {
                return Ok(None);
            }
            let steps = ((-blur - lead(from)) / slope).floor().to_u32().unwrap_or(u32::MAX);
            users = from.saturating_add(steps);
        } else if slope.is_zero() {
            // Parallel lines: the rounding repeats itself, one round of it shows all that can happen.
            last = to.min(from.saturating_add(self.rounding_period().max(other.rounding_period())));
        }
        while users <= last {
            if self.is_beaten(other, users)? {
                return Ok(Some(users));
            }
            if slope < Decimal::ZERO && lead(users) < -blur {
                return Ok(None);
            }
            users += 1;
        }
        Ok(None)
    }

    fn exact_fee(&self, users: u32) -> Decimal {
        self.base.value() + Decimal::from(self.additional_users(users)) * self.additional.value()
    }

    /// How far rounding can move a difference of two fees: two minor units where prices have fractions of them.
    fn blur(&self) -> Decimal {
        let decimals = self.base_fee.currency.decimals();
        let fractional = self.base.decimals().max(self.additional.decimals()) > decimals;
        if fractional { Decimal::new(2, decimals) } else { Decimal::ZERO }
    }

    /// After how many users the rounding of the additional price repeats itself.
    fn rounding_period(&self) -> u32 {
        let excess = self.additional.decimals().saturating_sub(self.base_fee.currency.decimals());
        10_u32.saturating_pow(excess)
    }
}

impl Line {
    /// A line with its amount.
    ///
    /// # Errors
    /// [`TooLarge`] when the amount does not fit.
    pub fn new(
        item: Item,
        dimension: &Arc<str>,
        quantity: Quantity,
        unit_price: UnitPrice,
        currency: Currency,
    ) -> Result<Self, TooLarge> {
        let amount = Amount::of_line(quantity, unit_price, currency)?;
        Ok(Self { item, dimension: Arc::clone(dimension), quantity, unit_price, amount })
    }
}

#[cfg(test)]
#[path = "pricing_tests.rs"]
mod tests;
