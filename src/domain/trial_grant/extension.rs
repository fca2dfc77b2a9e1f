//! A running trial, or grace period, is made longer while nothing is reported: its dates, and the held charges anew, by the
//! functions of the enrolment (`product.md` §4.4, §6).

use time::{Date, Duration, OffsetDateTime};

use super::{Extends, TrialRefused};
use crate::domain::{
    catalog::Plan,
    change::FrozenChange,
    charge::{Charge, Reason, State},
    money::{Quantity, TooLarge},
    pricing::{Item, Line, PricedPlan},
    proration::{Part, UpgradeFrom, quote_upgrade},
    subscription::{Stage, Subscription},
    time::{Term, end_of_day, plus_days, utc_day},
};

/// The dates after an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended {
    /// What was made longer.
    pub extends: Extends,
    /// The last day of the trial, where there is one.
    pub trial_end: Option<Date>,
    /// When the grace period is over.
    pub grace_end: Option<OffsetDateTime>,
    /// `max(start + grace, end of trial)`.
    pub reportable_from: OffsetDateTime,
}

/// A held charge with its next figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The line.
    pub line: Line,
    /// The part of its term.
    pub part: Part,
}

/// The dates of a subscription whose trial or grace period gets `days` more.
///
/// # Errors
/// [`TrialRefused`]: it does not run, nothing could be longer, or something is reported.
pub fn decide_extension(
    subscription: &Subscription,
    charges: &[Charge],
    (extends, days): (Extends, u32),
    now: OffsetDateTime,
) -> Result<Extended, TrialRefused> {
    let Stage::Active(_) = subscription.stage else {
        return Err(TrialRefused::NotActive(subscription.stage.name()));
    };
    if subscription.withdrawn_at.is_some() {
        return Err(TrialRefused::Withdrawing);
    }
    if subscription.unwritten_renewal().is_some() {
        return Err(TrialRefused::TermEnded);
    }
    let mut standing = charges.iter().filter(|charge| charge.state != State::Cancelled).peekable();
    if standing.peek().is_none() || !standing.all(|charge| charge.state == State::Held && charge.reportable_from > now)
    {
        return Err(TrialRefused::Reported);
    }
    let (mut trial_end, mut grace_end) = (subscription.trial_end, subscription.grace_end);
    match extends {
        Extends::Trial => {
            let running = trial_end.filter(|end| *end >= utc_day(now)).ok_or(TrialRefused::NoTrial)?;
            trial_end = Some(plus_days(running, days));
        }
        Extends::Grace => {
            let running = grace_end.filter(|end| *end > now).ok_or(TrialRefused::NoGrace)?;
            grace_end = Some(running.saturating_add(Duration::days(i64::from(days))));
        }
    }
    let reportable_from = trial_end.map(end_of_day).max(grace_end).ok_or(TrialRefused::NoGrace)?;
    Ok(Extended { extends, trial_end, grace_end, reportable_from })
}

/// A held charge after the extension: its part of the term begins on the first day after the trial. Never more than before.
/// `upgrade` is what an upgrade was frozen as, with the plan that it was priced in.
///
/// # Errors
/// [`TrialRefused::Underivable`] when the figures of before do not come out of the same functions.
pub fn rewrite_charge(
    charge: &Charge,
    plan: &Plan,
    upgrade: Option<(&FrozenChange, &Plan)>,
    extended: Extended,
) -> Result<Rewritten, TrialRefused> {
    let underivable = || TrialRefused::Underivable(charge.description.clone());
    let line = charge.line(plan).ok_or_else(underivable)?;
    let (Some(part), Some(trial_end), Extends::Trial) = (charge.part, extended.trial_end, extended.extends) else {
        let part = charge.part.unwrap_or(Part { days: 1, of_days: 1 });
        return Ok(Rewritten { line, part });
    };
    let first_day = plus_days(trial_end, 1);
    let (quantity, part) = match charge.reason {
        Reason::Enrolment | Reason::Renewal => {
            prorated_anew(charge, &line, plan, (part, first_day)).ok_or_else(underivable)?
        }
        Reason::Upgrade => upgrade.and_then(|frozen| upgraded_anew(frozen, first_day)).ok_or_else(underivable)?,
        Reason::Correction => return Err(underivable()),
    };
    let quantity = if quantity.millionths() > charge.quantity.millionths() { charge.quantity } else { quantity };
    let currency = charge.amount.currency;
    let line =
        Line::new(line.item, &line.dimension, quantity, line.unit_price, currency).map_err(|TooLarge| underivable())?;
    Ok(Rewritten { line, part })
}

/// The part of the full quantity, which the users of the charge and its segment give. `None` where the part of before would
/// have been less than what is held: then the catalog says something else by now.
fn prorated_anew(
    charge: &Charge,
    line: &Line,
    plan: &Plan,
    (before, first_day): (Part, Date),
) -> Option<(Quantity, Part)> {
    let full = match &line.item {
        Item::BaseFee(_) => Quantity::whole(1),
        Item::AdditionalUsers(segment) => Quantity::whole(charge.users?.checked_sub(segment.included)?),
        Item::Extra { .. } => return Some((charge.quantity, before)),
    };
    let term = Term { start: charge.term_start, end: plus_days(charge.term_start, before.of_days.checked_sub(1)?) };
    let derived = before.of(full, plan.quantity_decimals).ok()?;
    // A part that was cut to fewer decimals than those of today is less, too.
    if derived.millionths() < charge.quantity.millionths() {
        return None;
    }
    let part = Part { days: term.remaining(first_day), of_days: before.of_days };
    Some((part.of(full, plan.quantity_decimals).ok()?, part))
}

fn upgraded_anew((frozen, plan): (&FrozenChange, &Plan), first_day: Date) -> Option<(Quantity, Part)> {
    let priced = PricedPlan::new(plan, &frozen.prices.list).ok()?;
    let segment = frozen.from_segment.as_deref()?;
    let (users, term, today) = (frozen.from_users, frozen.term, frozen.day);
    let from = UpgradeFrom { users, segment, term, today, first_day: first_day.max(today) };
    let quote = quote_upgrade(&priced, from, frozen.to_users).ok()?;
    Some((quote.quantity, Part { days: quote.remaining_days, of_days: quote.term_days }))
}

/// Which of a subscription's charges an extension has to look at: those that are held.
pub fn held(charges: &[Charge]) -> impl Iterator<Item = &Charge> {
    charges.iter().filter(|charge| charge.state == State::Held)
}

/// Whether anything of a charge changes.
#[must_use]
pub fn changes(charge: &Charge, rewritten: &Rewritten, extended: Extended) -> bool {
    let same_part = charge.part.is_none_or(|part| part == rewritten.part);
    !(same_part && charge.quantity == rewritten.line.quantity && charge.reportable_from == extended.reportable_from)
}

#[cfg(test)]
#[path = "extension_tests.rs"]
mod tests;
