//! The sentences of the account page.

use time::{Date, OffsetDateTime};

use super::{
    account::AccountFacts,
    charges::ChargeState,
    subscriptions::Standing,
    timeline::{self, Mark, Moment},
    words::{self, Fact, Prose},
};
use crate::domain::{
    explanation::{Point, PointKind},
    time::utc_day,
};

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
                let end = until.filter(|_| key.provisional).unwrap_or_else(|| words::until(key.expires));
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
                ChargeState::HeldUntil(at) => Some(format!(" Until {} you can cancel for nothing.", words::until(at))),
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
    let mut moments: Vec<Moment> = told.explanation.timeline.iter().map(|point| moment(told, point, now)).collect();
    if let Some(ending) = &told.explanation.ending {
        moments.push(Moment::today(now, ending.cost_words()));
    }
    timeline::sorted(moments)
}

fn moment(told: &AccountFacts<'_>, point: &Point, now: OffsetDateTime) -> Moment {
    let today = utc_day(now);
    let mark = if point.at <= now { Mark::Done } else { Mark::Later };
    match point.kind {
        PointKind::Renewal => {
            let fee = told.quote.and_then(|quote| told.purchase.money(quote.total));
            let fee = fee.map(|fee| format!(", **{fee}** at today’s prices")).unwrap_or_default();
            let announced = timeline::announcement(&told.purchase.plan.term_unit);
            let fewer = told.planned.map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
            let text = format!("Renewal for another {}{fewer}{fee}.{announced}", told.purchase.noun());
            Moment::on(mark, utc_day(point.at), today, text)
        }
        PointKind::SetUp | PointKind::TermEnds => Moment::on(mark, utc_day(point.at), today, &*point.words),
        PointKind::TrialEnds | PointKind::GraceEnds => Moment::end(mark, point.at, today, &*point.words),
        PointKind::FirstReport | PointKind::Ended => Moment::at(mark, point.at, today, &*point.words),
    }
}

/// What a cancellation today would mean.
pub(super) fn cancelling(told: &AccountFacts<'_>) -> Vec<Fact> {
    let Some(ending) = &told.explanation.ending else { return Vec::new() };
    let mut facts = vec![Fact::new("License", ending.license_words()), Fact::new("Fees", ending.fees_words())];
    if let Some(day) = told.term.and_then(|term| term.renewal()) {
        let saved = told.quote.and_then(|quote| told.purchase.money(quote.total));
        let saved = saved.map(|saved| format!(", so you save {saved} on {}", words::day(day))).unwrap_or_default();
        facts.push(Fact::new("Renewal", format!("None{saved}.")));
    }
    facts.push(Fact::new("Way back", "None: you would buy anew, without a trial."));
    facts
}
