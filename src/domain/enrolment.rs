//! An enrolment: the order that a buyer reviews, the quote that is frozen with it, and what is charged in the end.
//!
//! Invariant: [`freeze`] makes the figures that are shown; [`FrozenQuote::at_activation`] runs the same functions with
//! Microsoft's dates and never gives anything higher.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    catalog::{FirstKey, Plan, PriceList},
    money::{Amount, TooLarge},
    pricing::{Line, PricedPlan, Quote, QuoteRefused, Unpriced},
    proration::FirstTerm,
    subscription::{MicrosoftStatus, Subscription},
    time::{Term, utc_day},
};

/// How long the figures of a review hold.
pub const QUOTE_LIFETIME: Duration = Duration::minutes(30);

/// What the buyer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Users in total; on plans that Microsoft bills, its own quantity where there is one.
    pub users: Option<u32>,
    /// Ids of the chosen one-time purchases.
    pub extras: Vec<String>,
    /// The organisation's name, as it will stand in the key.
    pub organisation: String,
    /// The buyer's name, from the sign-in.
    pub buyer_name: String,
    /// Where the buyer wants mail.
    pub buyer_email: String,
    /// The technical contact's mailbox.
    pub technical_contact: String,
    /// The language of mails, `en`.
    #[serde(default)]
    pub language: String,
}

/// Where prices came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// `listAvailablePlans` for this subscription.
    Microsoft,
    /// The catalog's price list of the market.
    Catalog,
}

/// Today's prices of one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodaysPrices {
    /// The prices.
    pub list: PriceList,
    /// Where they came from.
    pub source: PriceSource,
}

/// Everything that a review showed, with what it was derived from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenQuote {
    /// The order.
    pub order: Order,
    /// The priced full term; `None` where Microsoft bills.
    pub quote: Option<Quote>,
    /// The lines of the chosen extras.
    pub extras: Vec<Line>,
    /// The dates of the first term.
    pub first: FirstTerm,
    /// Whether the dates are an estimate, because Microsoft has given none yet.
    pub estimated: bool,
    /// Prices and their source; `None` where Microsoft bills.
    pub prices: Option<TodaysPrices>,
    /// The catalog in force.
    pub catalog_version: String,
    /// The UTC day.
    pub day: Date,
    /// The subscription's version.
    pub subscription_version: i64,
    /// Whether amounts may be shown to nobody.
    pub reseller_deal: bool,
    /// What the first key is good for.
    pub first_key: FirstKey,
    /// The grace period in seconds.
    pub grace_seconds: i64,
    /// The custom trials that the order uses up.
    #[serde(default)]
    pub trial_grants: Vec<Uuid>,
}

/// Why there is no quote for an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefused {
    /// The number of users, in the buyer's words.
    #[error(transparent)]
    Users(#[from] QuoteRefused),
    /// A price is missing; the publisher has to be told.
    #[error(transparent)]
    Unpriced(#[from] Unpriced),
    /// An extra that the plan does not offer.
    #[error("this plan does not offer \"{0}\"")]
    UnknownExtra(String),
    /// A term unit without dates and without a length.
    #[error("the term \"{0}\" has no dates yet, and its length is not known")]
    UnknownTerm(String),
    /// The figures do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What an order is derived from.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The subscription, as just read.
    pub subscription: &'a Subscription,
    /// Its plan in the catalog.
    pub plan: &'a Plan,
    /// Today's prices; `None` where Microsoft bills.
    pub prices: Option<&'a TodaysPrices>,
    /// Days of trial that this customer gets.
    pub trial_days: u32,
    /// The catalog in force.
    pub catalog_version: &'a str,
    /// The present instant.
    pub now: OffsetDateTime,
}

/// Derives every figure of an order.
///
/// # Errors
/// [`OrderRefused`].
pub fn freeze(basis: Basis<'_>, order: Order) -> Result<FrozenQuote, OrderRefused> {
    let Basis { subscription, plan, prices, trial_days, catalog_version, now } = basis;
    let priced = prices.map(|prices| PricedPlan::new(plan, &prices.list)).transpose()?;
    let quote = priced.as_ref().map(|priced| priced.quote(order.users.unwrap_or_default())).transpose()?;
    let extras = match &priced {
        Some(priced) => extra_lines(priced, &order.extras)?,
        None => Vec::new(),
    };
    let reseller_deal = subscription.microsoft.is_reseller_deal();
    let grace = plan.grace(reseller_deal);
    let (term, estimated) = first_term(subscription, plan, now)?;
    Ok(FrozenQuote {
        order,
        quote,
        extras,
        first: FirstTerm::new(term, now, trial_days, grace).cut_to(plan.quantity_decimals),
        estimated,
        prices: prices.cloned(),
        catalog_version: catalog_version.to_owned(),
        day: utc_day(now),
        subscription_version: subscription.version,
        reseller_deal,
        first_key: plan.first_key,
        grace_seconds: grace.whole_seconds(),
        trial_grants: Vec::new(),
    })
}

fn extra_lines(priced: &PricedPlan, ids: &[String]) -> Result<Vec<Line>, OrderRefused> {
    let line = |id: &String| priced.extra_line(id)?.ok_or_else(|| OrderRefused::UnknownExtra(id.clone()));
    let mut distinct: Vec<&String> = ids.iter().collect();
    distinct.sort();
    distinct.dedup();
    distinct.into_iter().map(line).collect()
}

/// Microsoft's dates where the subscription runs already, else what they would be if it were activated today.
fn first_term(subscription: &Subscription, plan: &Plan, now: OffsetDateTime) -> Result<(Term, bool), OrderRefused> {
    if let (MicrosoftStatus::Subscribed, Some(term)) = (&subscription.microsoft.status, subscription.microsoft.term) {
        return Ok((term, false));
    }
    let unit = subscription.microsoft.term_unit.as_ref().unwrap_or(&plan.term_unit);
    let estimate = Term::estimate(utc_day(now), unit);
    estimate.map(|term| (term, true)).ok_or_else(|| OrderRefused::UnknownTerm(unit.as_str().to_owned()))
}

impl FrozenQuote {
    /// All lines of a full first term, extras included.
    #[must_use]
    pub fn full_lines(&self) -> Vec<Line> {
        let of_quote = self.quote.iter().flat_map(|quote| quote.lines.iter());
        of_quote.chain(&self.extras).cloned().collect()
    }

    /// The lines that are charged for the first term, with the dates of the review.
    ///
    /// # Errors
    /// [`TooLarge`] when an amount does not fit.
    pub fn charged_lines(&self) -> Result<Vec<Line>, TooLarge> {
        self.first.charged_lines(&self.full_lines())
    }

    /// The segment, where the plan has them.
    #[must_use]
    pub fn segment(&self) -> Option<&Arc<str>> {
        self.quote.as_ref().map(|quote| &quote.segment.name)
    }

    /// Whether the same order, derived anew, still has the same figures and the same basis: then it may be submitted.
    #[must_use]
    pub fn promises_the_same_as(&self, fresh: &Self) -> bool {
        // The start of the grace period moves with every second; the day it is bound to does not.
        let basis = |frozen: &Self| {
            let FirstTerm { trial_days, quantity_decimals, .. } = frozen.first;
            let subscription = (frozen.subscription_version, frozen.estimated, frozen.reseller_deal);
            (subscription, frozen.day, trial_days, quantity_decimals, frozen.trial_grants.clone())
        };
        basis(self) == basis(fresh)
            && self.catalog_version == fresh.catalog_version
            && self.prices == fresh.prices
            && self.full_lines() == fresh.full_lines()
    }

    /// The first term with Microsoft's dates, and what is charged of it: line by line the lower of what the dates give and
    /// what was shown. `start` is the later of activation and enrolment.
    ///
    /// # Errors
    /// [`TooLarge`] when an amount does not fit.
    pub fn at_activation(&self, term: Term, start: OffsetDateTime) -> Result<(FirstTerm, Vec<Line>), TooLarge> {
        let first = FirstTerm::new(term, start, self.first.trial_days, Duration::seconds(self.grace_seconds))
            .cut_to(self.first.quantity_decimals);
        let real = first.charged_lines(&self.full_lines())?;
        let shown = self.charged_lines()?;
        let lower = |(real, shown): (Line, Line)| if real.amount.minor > shown.amount.minor { shown } else { real };
        Ok((first, real.into_iter().zip(shown).map(lower).collect()))
    }
}

/// The sum of lines; `None` where there are none.
///
/// # Errors
/// [`TooLarge`] when it does not fit.
pub fn sum(lines: &[Line]) -> Result<Option<Amount>, TooLarge> {
    let mut amounts = lines.iter().map(|line| line.amount);
    let Some(first) = amounts.next() else { return Ok(None) };
    amounts.try_fold(first, Amount::plus).map(Some)
}

#[cfg(test)]
#[path = "enrolment_tests.rs"]
mod tests;
