//! The sentences of the account page.

use time::{Date, OffsetDateTime};

use super::{
    account::AccountFacts,
    charges::{self, ChargeReason, ChargeState, held_until},
    subscriptions::Standing,
    timeline::{self, Mark, Moment},
    words::{self, Fact, Prose},
};
use crate::domain::time::utc_day;

/// The first sentence under the heading; the state word stands before it.
pub(super) fn lead(told: &AccountFacts<'_>, now: OffsetDateTime) -> Prose {
    let users = told.users.map(|users| format!("for {}", words::users(users))).unwrap_or_default();
    let until = told.term.map(|term| words::day(term.end));
    Prose::new(match told.standing {
        Standing::Suspended => {
            format!(
                "{users}: Microsoft could not collect a payment. Put it right in the Azure portal, under Cost Management + Billing; then everything goes on as before."
            )
        }
        Standing::Unsubscribed => match told.key.filter(|key| key.expires > now) {
            Some(key) => {
                // The key of the rest of the term follows a provisional one.
                let end = until.filter(|_| key.provisional).unwrap_or_else(|| held_until(key.expires));
                format!("The license runs on {users} until {end}, then it ends. No more fees are charged.")
            }
            None => "The license has ended. No more fees are charged.".to_owned(),
        },
        Standing::Withdrawing => {
            format!("{users}; nothing is charged. This page follows it by itself.")
        }
        _ => {
            let unpaid = !told.charges.iter().any(|charge| charge.state.counts());
            let free = told.charges.iter().filter(|_| unpaid).find_map(|charge| match charge.state {
                ChargeState::HeldUntil(at) => Some(format!(" Until {} you can cancel for nothing.", held_until(at))),
                _ => None,
            });
            let fewer = told.planned.map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
            let term = until.map(|until| format!(". The term runs until {until} and renews by itself{fewer}"));
            let term = term.unwrap_or_default();
            format!("{users}{term}; there is nothing for you to do.{}", free.unwrap_or_default())
        }
    })
}

/// The list of facts; a looker is told no fee.
pub(super) fn facts(told: &AccountFacts<'_>, party: bool, today: Date) -> Vec<Fact> {
    let purchase = told.purchase;
    let mut facts = vec![Fact::new("Name in Azure", purchase.name), Fact::new("Product", &purchase.plan.name)];
    if let (Some(segment), Some(users)) = (told.segment, told.users) {
        let additional = users.saturating_sub(segment.included);
        let split = format!(
            "{} included in the base fee, {} additional",
            words::count(segment.included.min(users)),
            words::count(additional)
        );
        facts.push(Fact::with("Users", words::count(users), split));
        let unused = match segment.included.saturating_sub(users) {
            0 => "None".to_owned(),
            unused => words::users(unused),
        };
        facts.push(Fact::with("Unused", unused, "included users that cost nothing more"));
        let range = segment.maximum.map(|most| format!("up to {}", words::users(most))).unwrap_or_default();
        facts.push(Fact::with("Segment", &*segment.name, range));
    } else if let Some(users) = told.users {
        facts.push(Fact::with("Users", words::count(users), "the quantity at Microsoft"));
    }
    if let Some(term) = told.term {
        let left = format!("{} of {} days left", term.remaining(today), term.days());
        facts.push(Fact::with("This term", format!("{} to {}", words::day(term.start), words::day(term.end)), left));
    }
    if let Some(end) = told.first.and_then(|first| first.trial_end).filter(|end| *end >= today) {
        facts.push(Fact::new("Free trial", format!("until {}", words::day(end))));
    }
    if told.standing == Standing::Subscribed
        && let Some(day) = told.term.and_then(|term| term.renewal())
    {
        let fee = told.quote.filter(|_| party).and_then(|quote| purchase.money(quote.total));
        let fee = fee.map(|fee| format!("{fee} at today’s prices, without VAT")).unwrap_or_default();
        facts.push(Fact::with("Renewal", words::day(day), fee));
    }
    facts
}

/// `Next: the renewal on 15 January 2027, 3,660.00 EUR at today's prices.`
pub(super) fn renewal_sentence(told: &AccountFacts<'_>) -> String {
    let day = told.term.and_then(|term| term.renewal()).filter(|_| told.standing == Standing::Subscribed);
    let fee = told.quote.and_then(|quote| told.purchase.money(quote.total));
    let fee = fee.map(|fee| format!(", {fee} at today’s prices")).unwrap_or_default();
    day.map(|day| format!("Next: the renewal on {}{fee}.", words::day(day))).unwrap_or_default()
}

/// What has been, is and will be.
pub(super) fn moments(told: &AccountFacts<'_>, now: OffsetDateTime) -> Vec<Moment> {
    let today = utc_day(now);
    let mut moments = Vec::new();
    let mark = |at: OffsetDateTime| if at <= now { Mark::Done } else { Mark::Later };
    if let Some(first) = told.first {
        moments.push(Moment::on(mark(now), first.start_day, today, "Set up."));
        if first.part.days > 0 && told.purchase.plan.is_metered() {
            let at = first.reportable_from;
            moments.push(Moment::at(mark(at), at, today, first_report(told, at <= now)));
        }
    }
    let held = told.charges.iter().any(|charge| charge.state.is_held());
    let paid = told.charges.iter().any(|charge| charge.state.counts());
    let cost = match (held, paid) {
        (true, false) => "Cancelling today costs nothing.",
        (true, true) => "Cancelling drops what is still held; what was reported stays.",
        _ => "Cancelling costs nothing more and refunds nothing.",
    };
    moments.push(Moment::today(now, cost));
    if let Some(renewal) = told.term.and_then(|term| term.renewal()) {
        let fee = told.quote.and_then(|quote| told.purchase.money(quote.total));
        let fee = fee.map(|fee| format!(", **{fee}** at today’s prices")).unwrap_or_default();
        let announced = timeline::announcement(&told.purchase.plan.term_unit);
        let fewer = told.planned.map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
        let text = format!("Renewal for another {}{fewer}{fee}.{announced}", told.purchase.noun());
        moments.push(Moment::on(Mark::Later, renewal, today, text));
    }
    timeline::sorted(moments)
}

/// The first report: told by what happened, not by the calendar alone.
fn first_report(told: &AccountFacts<'_>, due: bool) -> &'static str {
    let accepted = told
        .charges
        .iter()
        .any(|charge| charge.reason == ChargeReason::FirstTerm && matches!(charge.state, ChargeState::Accepted(_)));
    match (accepted, due) {
        (true, _) => "First fees reported to Microsoft.",
        (false, true) => "From here on the first fees may be reported to Microsoft.",
        (false, false) => "We report the first fees to Microsoft. Until then cancelling costs nothing.",
    }
}

/// What becomes of the license (`product.md` §4.6): an unpaid enrolment or renewal ends it, an unpaid upgrade takes the
/// users back.
fn license(told: &AccountFacts<'_>) -> String {
    let held = || told.charges.iter().filter(|charge| charge.state.is_held());
    let until = told.term.map(|term| words::day(term.end));
    if held().any(|charge| !matches!(charge.reason, ChargeReason::Upgrade { .. })) {
        return "Ends at once, because its fees have not been reported yet.".to_owned();
    }
    let before = held().filter_map(|charge| match charge.reason {
        ChargeReason::Upgrade { from } => Some(from),
        _ => None,
    });
    let users = before.min().map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
    match until {
        Some(until) => format!("Runs on{users} until {until}, then ends."),
        None => "Runs to the end of what Microsoft has billed, then ends.".to_owned(),
    }
}

/// What a cancellation today would mean.
pub(super) fn cancelling(told: &AccountFacts<'_>) -> Vec<Fact> {
    let money = |amount: Option<crate::domain::money::Amount>| amount.and_then(|amount| told.purchase.money(amount));
    let held = charges::sum(told.charges, ChargeState::is_held);
    let paid = charges::sum(told.charges, ChargeState::counts);
    let dropped = match (held, money(held)) {
        (Some(_), Some(held)) => format!("The {held} that are held are dropped and never charged. "),
        (Some(_), None) => "What is held is dropped and never charged. ".to_owned(),
        (None, _) => String::new(),
    };
    let stays = match (paid, money(paid)) {
        (Some(_), Some(paid)) => format!("Nothing more. The {paid} stay."),
        (Some(_), None) => "Nothing more. What was reported stays.".to_owned(),
        (None, _) if held.is_some() => "You pay nothing.".to_owned(),
        (None, _) => "Nothing more from us.".to_owned(),
    };
    let mut facts = vec![Fact::new("License", license(told)), Fact::new("Fees", dropped + &stays)];
    if let Some(day) = told.term.and_then(|term| term.renewal()) {
        let saved = told.quote.and_then(|quote| told.purchase.money(quote.total));
        let saved = saved.map(|saved| format!(", so you save {saved} on {}", words::day(day))).unwrap_or_default();
        facts.push(Fact::new("Renewal", format!("None{saved}.")));
    }
    facts.push(Fact::new("Way back", "None: you would buy anew, without a trial."));
    facts
}
