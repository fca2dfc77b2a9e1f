//! Why each charge, where it stands, and on which invoice it is: for buyer and staff, month by month.
//!
//! Owns: the words of a charge and of its state, which charges make up an invoice, the dates of a subscription, and what a
//! cancellation now would do. Does not own: the figures, which are the ledger's, and the decision what a cancellation
//! undoes (`charge::decide_end`).

mod ending;
mod json;
mod months;
#[cfg(test)]
mod tests;
mod timeline;
mod wording;

use std::sync::Arc;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    catalog::Plan,
    charge::{Charge, Reason, State},
    credit::{Credit, Credited},
    money::{Amount, Currency, Quantity, UnitPrice},
    pricing::Quote,
    proration::Part,
    subscription::{Stage, Subscription},
    usage::Slot,
};

pub use ending::Ending;
pub use json::{ChargeJson, ExplanationJson};
pub use months::{CostLine, Month, StateSum};
pub use timeline::{Point, PointKind};

/// What an explanation is made of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The subscription.
    pub subscription: &'a Subscription,
    /// Its plan, where the catalog still has it.
    pub plan: Option<&'a Plan>,
    /// All plans of its offer: a charge is told in the words of its own.
    pub plans: &'a [Arc<Plan>],
    /// Its ledger, oldest first.
    pub charges: &'a [Charge],
    /// Its charges in their slots, newest first.
    pub sent: &'a [Sent],
    /// Charges that Microsoft has on a day that no slot of theirs tells.
    pub adopted: &'a [(Uuid, Date)],
    /// Held charges whose price at Microsoft has risen: a person decides.
    pub price_risen: &'a [Uuid],
    /// Credits that Microsoft gave of its charges, oldest first.
    pub credits: &'a [Credit],
    /// Every step of its charges, oldest first.
    pub steps: &'a [Step],
    /// The next renewal at today's prices, the planned downgrade applied, where that is known.
    pub renewal: Option<&'a Quote>,
    /// The present instant.
    pub now: OffsetDateTime,
}

/// A charge in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The charge.
    pub charge_id: Uuid,
    /// The hour.
    pub slot: Slot,
    /// How often it was sent.
    pub attempts: u32,
}

/// A step of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The charge.
    pub charge_id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// Where it stands from then on.
    pub state: State,
    /// Why; where Microsoft answered, with its ids.
    pub reason: String,
}

/// A credit, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedCredit {
    /// Its id.
    pub id: Uuid,
    /// `Credit of 120.00 EUR given by Microsoft, case 2611150040001234`.
    pub words: String,
    /// How much money; `None` where it says units, and where amounts are told to nobody.
    pub amount: Option<Amount>,
    /// How many units, where amounts are told to nobody.
    pub units: Option<Quantity>,
    /// Microsoft's case.
    pub case_number: String,
    /// When it was entered.
    pub at: OffsetDateTime,
}

/// Who gets Microsoft's invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// The buyer.
    Buyer,
    /// The reseller, who bills the buyer at prices of its own: amounts are told to nobody (`product.md` §3).
    Reseller,
    /// Nobody: it is a test.
    Nobody,
}

/// A charge, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedCharge {
    /// Its id.
    pub id: Uuid,
    /// Why it exists.
    pub reason: Reason,
    /// `50 more users from 1 July, 198 of 365 days, 27.123287 × 12.0000 EUR = 325.48 EUR`.
    pub words: String,
    /// `from 1 July, 198 of 365 days`: the days that it is for.
    pub days: String,
    /// Users in total that it pays for.
    pub users: Option<u32>,
    /// Users before, of an upgrade.
    pub from_users: Option<u32>,
    /// The part of the term.
    pub part: Option<Part>,
    /// What the cost details call it.
    pub description: String,
    /// What it is reported in.
    pub dimension: String,
    /// How much of it.
    pub quantity: Quantity,
    /// The price of one; `None` where amounts are told to nobody.
    pub unit_price: Option<UnitPrice>,
    /// Quantity × price; `None` where amounts are told to nobody.
    pub amount: Option<Amount>,
    /// The currency of both.
    pub currency: Currency,
    /// The time from which it may be reported.
    pub reportable_from: OffsetDateTime,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: OffsetDateTime,
    /// The same in words, with what follows.
    pub standing: String,
    /// The hour in which Microsoft got it, or may have got it.
    pub slot: Option<Slot>,
    /// How often it was sent there.
    pub attempts: u32,
    /// Microsoft's id of it.
    pub usage_event_id: Option<Uuid>,
    /// The first day of the month of use, as far as it can be told.
    pub month: Date,
    /// The first day of the month of the invoice that it is on, or will be; `None` where there is none, or nobody knows.
    pub invoice: Option<Date>,
    /// How it came there, oldest first.
    pub steps: Vec<Step>,
    /// What Microsoft gave back of it, oldest first.
    pub credits: Vec<ExplainedCredit>,
}

/// A subscription's charges and dates, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Who gets the invoice.
    pub payer: Payer,
    /// By month of use, oldest first.
    pub months: Vec<Month>,
    /// What has been and will be, oldest first.
    pub timeline: Vec<Point>,
    /// What a cancellation now would do; `None` when it is over, or nobody has enrolled.
    pub ending: Option<Ending>,
}

/// Explains a subscription.
#[must_use]
pub fn explain(facts: Facts<'_>) -> Explanation {
    let payer = Payer::of(facts.subscription);
    let charges = facts.charges.iter().map(|charge| explain_charge(facts, payer, charge)).collect();
    Explanation {
        payer,
        months: months::by_month(charges, payer),
        timeline: timeline::points(facts, payer),
        ending: ending::decide(facts, payer),
    }
}

impl Payer {
    fn of(subscription: &Subscription) -> Self {
        match &subscription.microsoft {
            microsoft if microsoft.is_reseller_deal() => Self::Reseller,
            microsoft if microsoft.is_test => Self::Nobody,
            _ => Self::Buyer,
        }
    }

    fn may_see_amounts(self) -> bool {
        self != Self::Reseller
    }
}

fn explain_charge(facts: Facts<'_>, payer: Payer, charge: &Charge) -> ExplainedCharge {
    let steps: Vec<Step> = facts.steps.iter().filter(|step| step.charge_id == charge.id).cloned().collect();
    let sent = facts.sent.iter().find(|sent| sent.charge_id == charge.id && has_slot(charge.state));
    let adopted = facts.adopted.iter().find(|(id, _)| *id == charge.id && charge.state == State::Accepted);
    let used_at = sent.map_or_else(|| estimate(charge, facts.now), |sent| sent.slot.effective_start);
    let month = months::first_of_month(adopted.map_or(used_at, |(_, day)| day.midnight().assume_utc()));
    let price_risen = charge.state == State::Held && facts.price_risen.contains(&charge.id);
    let invoice = months::invoice_of(charge, month).filter(|_| payer == Payer::Buyer && !price_risen);
    let suspended = is_suspended(facts);
    let standing = wording::Standing { charge, sent, invoice, payer, suspended, price_risen, now: facts.now };
    let own_plan = facts.plans.iter().find(|plan| charge.plan_id.as_deref() == Some(&*plan.id));
    let plan = own_plan.map(|plan| &**plan).or(facts.plan);
    let shown = payer.may_see_amounts();
    ExplainedCharge {
        id: charge.id,
        reason: charge.reason,
        words: wording::words(charge, plan, month, shown),
        days: wording::days(charge, plan, month),
        users: charge.users,
        from_users: charge.from_users,
        part: charge.part,
        description: charge.description.clone(),
        dimension: charge.dimension.clone(),
        quantity: charge.quantity,
        unit_price: shown.then_some(charge.unit_price),
        amount: shown.then_some(charge.amount),
        currency: charge.amount.currency,
        reportable_from: charge.reportable_from,
        state: charge.state,
        since: charge.since,
        standing: standing.words(),
        slot: sent.map(|sent| sent.slot),
        attempts: sent.map_or(0, |sent| sent.attempts),
        usage_event_id: steps.iter().rev().find_map(|step| usage_event_id(&step.reason)),
        month,
        invoice,
        steps,
        credits: facts
            .credits
            .iter()
            .filter(|one| one.charge_id == charge.id)
            .map(|one| explain_credit(one, shown))
            .collect(),
    }
}

fn explain_credit(credit: &Credit, shown: bool) -> ExplainedCredit {
    let (amount, units) = match credit.credited {
        Credited::Amount(amount) => (Some(amount).filter(|_| shown), None),
        Credited::Units(quantity) => (None, Some(quantity)),
    };
    ExplainedCredit {
        id: credit.id,
        words: credit.words(shown),
        amount,
        units,
        case_number: credit.case.as_str().to_owned(),
        at: credit.at,
    }
}

/// Whether the newest slot is the one that counts. A charge that waits again was certainly not accepted in its last one.
fn has_slot(state: State) -> bool {
    match state {
        State::Sending | State::Accepted | State::Unknown | State::Conflict | State::Rejected | State::WrittenOff => {
            true
        }
        State::Held | State::Due | State::Expired | State::Cancelled | State::Frozen => false,
    }
}

/// When it will be used, as far as that can be told now.
fn estimate(charge: &Charge, now: OffsetDateTime) -> OffsetDateTime {
    match charge.state {
        State::Held | State::Due | State::Frozen => charge.reportable_from.max(now),
        _ => charge.reportable_from,
    }
}

fn is_suspended(facts: Facts<'_>) -> bool {
    matches!(facts.subscription.stage, Stage::Suspended { .. })
}

/// Microsoft's id in the words that are kept of its answer: `usage event 1f…, request …`, `already there as 1f… with …`.
fn usage_event_id(reason: &str) -> Option<Uuid> {
    let rest = reason.strip_prefix("usage event ").or_else(|| reason.strip_prefix("already there as "))?;
    rest.split([',', ' ']).next()?.parse().ok()
}

/// The sum; `None` where there is nothing to add up, or it cannot be told.
fn sum(amounts: impl IntoIterator<Item = Option<Amount>>) -> Option<Amount> {
    let mut amounts = amounts.into_iter();
    let first = amounts.next()??;
    amounts.try_fold(first, |sum, amount| {
        let amount = amount.filter(|amount| amount.currency == sum.currency)?;
        sum.plus(amount).ok()
    })
}
