//! What the pages are told: a purchase, and its priced answer. Borrowed from the caller, never shown as they are.

use time::{Date, Duration};
use uuid::Uuid;

use crate::domain::{
    catalog::{Offer, Plan},
    money::{Amount, TooLarge},
    pricing::{Line, PricedPlan, Quote},
    proration::FirstTerm,
    quote_json::Amounts,
};

/// A subscription as its buyer knows it.
#[derive(Debug, Clone, Copy)]
pub struct Purchase<'a> {
    /// Microsoft's id.
    pub id: Uuid,
    /// The name that the buyer gave it in the portal.
    pub name: &'a str,
    /// Who uses it.
    pub organisation: &'a str,
    /// What was bought.
    pub offer: &'a Offer,
    /// In which plan.
    pub plan: &'a Plan,
    /// Hidden in a reseller deal.
    pub amounts: Amounts,
    /// When it was bought, where that is known.
    pub bought: Option<Date>,
    /// When Microsoft activated it, if it already has.
    pub activated: Option<Date>,
}

impl Purchase<'_> {
    /// The address of the subscription's pages.
    pub(crate) fn path(&self) -> String {
        format!("/subscriptions/{}", self.id)
    }

    pub(crate) fn is_reseller_deal(&self) -> bool {
        self.amounts == Amounts::Hidden
    }

    pub(crate) fn grace(&self) -> Duration {
        self.plan.grace(self.is_reseller_deal())
    }

    /// An amount in words, unless it may not be shown.
    pub(crate) fn money(&self, amount: Amount) -> Option<String> {
        (!self.is_reseller_deal()).then(|| super::words::money(amount))
    }

    /// `year`, `month` or `term`.
    pub(crate) fn noun(&self) -> &'static str {
        self.plan.term_unit.noun()
    }

    /// `in the Azure portal, bought today`: how the subscription came about.
    pub(crate) fn origin(&self, today: Date) -> String {
        let when =
            |date: Date| if date == today { "today".to_owned() } else { format!("on {}", super::words::day(date)) };
        match (self.activated, self.bought) {
            (Some(date), _) => format!("activated {} by Microsoft", when(date)),
            (None, Some(date)) => format!("bought {} in the Azure portal", when(date)),
            (None, None) => "bought in the Azure portal".to_owned(),
        }
    }
}

/// A quote together with the dates and lines of the first term.
#[derive(Debug, Clone)]
pub struct Priced<'a> {
    pub(crate) plan: &'a PricedPlan,
    pub(crate) quote: &'a Quote,
    pub(crate) extras: &'a [Line],
    pub(crate) first: &'a FirstTerm,
    pub(crate) charged: Vec<Line>,
    pub(crate) extras_total: Amount,
    pub(crate) first_total: Amount,
    /// Whether the dates are ours, not yet Microsoft's.
    pub(crate) estimated: bool,
}

impl<'a> Priced<'a> {
    /// Joins them: the charged lines are those of [`FirstTerm::charged_lines`], for the quote's lines and the extras.
    ///
    /// # Errors
    /// [`TooLarge`] when a sum does not fit.
    pub fn new(
        plan: &'a PricedPlan,
        quote: &'a Quote,
        extras: &'a [Line],
        first: &'a FirstTerm,
        estimated: bool,
    ) -> Result<Self, TooLarge> {
        let mut charged = first.charged_lines(&quote.lines)?;
        charged.extend(first.charged_lines(extras)?);
        Ok(Self { estimated, ..Self::charged(plan, quote, extras, first, charged)? })
    }

    /// The same with the lines that are really charged, on Microsoft's own dates.
    ///
    /// # Errors
    /// [`TooLarge`] when a sum does not fit.
    pub fn charged(
        plan: &'a PricedPlan,
        quote: &'a Quote,
        extras: &'a [Line],
        first: &'a FirstTerm,
        charged: Vec<Line>,
    ) -> Result<Self, TooLarge> {
        let zero = Amount::zero(quote.total.currency);
        let sum = |lines: &[Line]| lines.iter().try_fold(zero, |sum, line| sum.plus(line.amount));
        let (extras_total, first_total) = (sum(extras)?, sum(&charged)?);
        Ok(Self { plan, quote, extras, first, charged, extras_total, first_total, estimated: false })
    }

    /// The names of the extras.
    pub(crate) fn extra_names(&self) -> Vec<String> {
        self.extras.iter().map(|line| line.item.description()).collect()
    }

    /// What the free days save of the first full term; nothing when the whole term is charged.
    pub(crate) fn saved(&self) -> Option<Amount> {
        let full = self.quote.total.plus(self.extras_total).ok()?;
        let minor = full.minor.checked_sub(self.first_total.minor).filter(|minor| *minor > 0)?;
        Some(Amount { minor, currency: full.currency })
    }
}
