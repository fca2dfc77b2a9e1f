//! A charge in words, and where it stands.

use time::{Date, Duration, OffsetDateTime};

use super::{Payer, Sent};
use crate::domain::{
    catalog::Plan,
    charge::{Charge, Reason, State},
    money::{Quantity, QuantityDecimals, grouped},
    pricing::Item,
    proration::Part,
    words,
};

/// `50 more users from 1 July, 198 of 365 days, 27.123287 × 12.0000 EUR = 325.48 EUR`. The year is left out where it is the
/// one of the month.
pub(super) fn words(charge: &Charge, plan: Option<&Plan>, month: Date, shown: bool) -> String {
    let again = if charge.reason == Reason::Correction { "Reported again: " } else { "" };
    let item = plan.and_then(|plan| charge.line(plan)).map(|line| line.item);
    let what = what(charge, item.as_ref());
    let days = days(charge, plan, month);
    let joint = if days.is_empty() || !days.starts_with("from") { ", " } else { " " };
    let days = if days.is_empty() { String::new() } else { format!("{joint}{days}") };
    let quantity = words::quantity(charge.quantity);
    let figures = if shown {
        let price = grouped(&charge.unit_price.to_string());
        format!("{} × {price} {} = {}", grouped(&quantity), charge.amount.currency, words::money(charge.amount))
    } else {
        format!("{} × {}", grouped(&quantity), charge.description)
    };
    format!("{again}{what}{days}, {figures}{}", difference(charge, item.as_ref()))
}

fn what(charge: &Charge, item: Option<&Item>) -> String {
    let more = charge.users.zip(charge.from_users).map(|(to, from)| to.saturating_sub(from));
    match (more, item) {
        (_, Some(Item::Extra { name })) => name.clone(),
        (Some(more), _) => format!("{} more {}", words::count(more), if more == 1 { "user" } else { "users" }),
        (None, Some(Item::BaseFee(segment))) => format!("Base fee of {}", segment.name),
        (None, Some(Item::AdditionalUsers(segment))) => match charge.users {
            Some(users) => {
                let additional = words::counted(users.saturating_sub(segment.included), "additional user");
                format!("{additional} of {}", segment.name)
            }
            None => format!("Additional users of {}", segment.name),
        },
        (None, None) => charge.description.clone(),
    }
}

/// `from 1 July, 198 of 365 days`; extras are never for a part.
pub(super) fn days(charge: &Charge, plan: Option<&Plan>, month: Date) -> String {
    match charge.part {
        Some(part) if part.days == 0 => format!("none of {} days", part.of_days),
        Some(part) => {
            let from = words::day_near(first_day(charge, part), month);
            if part.is_whole() {
                format!("from {from}, a full term of {}", words::counted(part.of_days, "day"))
            } else {
                format!("from {from}, {} of {}", part.days, words::counted(part.of_days, "day"))
            }
        }
        None if plan.is_some_and(|plan| charge.is_extra(plan)) => "once".to_owned(),
        None => String::new(),
    }
}

/// The charged days are the last ones of the term.
fn first_day(charge: &Charge, part: Part) -> Date {
    charge.term_start.saturating_add(Duration::days(i64::from(part.of_days.saturating_sub(part.days))))
}

/// An upgrade is the difference of two fees, told as a quantity of additional users. Within a segment that is what one
/// expects; into another one it is not, and has to be said.
fn difference(charge: &Charge, item: Option<&Item>) -> String {
    let expected = || -> Option<Quantity> {
        let more = charge.users?.checked_sub(charge.from_users?)?;
        charge.part?.of(Quantity::whole(more), QuantityDecimals::default()).ok()
    };
    // A part may have been cut to two decimals.
    let differs = |expected: Quantity| expected.millionths().abs_diff(charge.quantity.millionths()) >= 10_000;
    match (expected(), item) {
        (Some(expected), Some(Item::AdditionalUsers(segment))) if differs(expected) => {
            format!(" (the difference of the two full fees, counted in additional users of {})", segment.name)
        }
        _ => String::new(),
    }
}

/// Where a charge stands, with everything that has to be known to say it.
pub(super) struct Standing<'a> {
    pub(super) charge: &'a Charge,
    pub(super) sent: Option<&'a Sent>,
    pub(super) invoice: Option<Date>,
    pub(super) payer: Payer,
    pub(super) suspended: bool,
    pub(super) price_risen: bool,
    pub(super) now: OffsetDateTime,
}

impl Standing<'_> {
    pub(super) fn words(&self) -> String {
        let charge = self.charge;
        let since = words::instant(charge.since);
        match charge.state {
            State::Held if charge.reportable_from > self.now => {
                let until = words::until(charge.reportable_from);
                format!("Held until {until}; cancelled until then, it is never charged{}", self.bill("then "))
            }
            State::Held | State::Due if self.suspended => {
                "Held while the subscription is suspended; reported when it is reinstated".to_owned()
            }
            State::Held if self.price_risen => {
                "Held; the price at Microsoft has risen, the publisher decides".to_owned()
            }
            State::Held | State::Due => format!("Being reported{}", self.bill("")),
            State::Sending => format!("Sent {}; the answer is still to come{}", self.hour(), self.bill("then ")),
            State::Accepted if charge.quantity.is_zero() => "Nothing to report".to_owned(),
            State::Accepted => format!("Accepted by Microsoft on {since}{}", self.bill("")),
            State::Unknown => {
                format!("Sent {}; nobody knows whether it arrived, a person at the publisher decides", self.hour())
            }
            State::Conflict => {
                format!("Sent {}; Microsoft has another quantity there, a person at the publisher decides", self.hour())
            }
            State::Rejected => {
                format!("Sent {}; Microsoft refused it, a person at the publisher decides", self.hour())
            }
            State::Expired => format!("Not charged: since {since} Microsoft does not take it any more"),
            State::WrittenOff => format!("Not charged: given up by the publisher on {since}"),
            State::Cancelled => format!("Dropped on {since}; never reported, never charged"),
            State::Frozen => format!("Stopped on {since}; a person at the publisher decides whether it is reported"),
        }
    }

    /// `for the hour of 1 July 2026, 09:00 UTC`
    fn hour(&self) -> String {
        let attempts = match self.sent.map_or(0, |sent| sent.attempts) {
            0 | 1 => String::new(),
            attempts => format!(" ({attempts} times)"),
        };
        let hour = self.sent.map_or(self.charge.since, |sent| sent.slot.hour);
        format!("for the hour of {}{attempts}", words::instant(hour))
    }

    fn bill(&self, then: &str) -> String {
        match (self.payer, self.invoice) {
            (Payer::Buyer, Some(invoice)) => format!("; {then}on the invoice of {}", words::month(invoice)),
            (Payer::Buyer, None) => String::new(),
            (Payer::Reseller, _) => format!("; {then}billed to the reseller"),
            (Payer::Nobody, _) => "; a test, billed to nobody".to_owned(),
        }
    }
}
