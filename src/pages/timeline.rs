//! Dates told from top to bottom: what happens when, and what a cancellation costs at each point.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    purchase::{Priced, Purchase},
    words::{self, Prose},
};
use crate::domain::{
    proration::FirstTerm,
    time::{TermUnit, end_of_day, utc_day},
};

/// A point in time.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Whether it has been.
    pub mark: Mark,
    /// For machines.
    pub iso: String,
    /// For people.
    pub when: String,
    /// What happens.
    pub text: Prose,
    #[serde(skip)]
    at: OffsetDateTime,
}

/// Before, now or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It has been.
    Done,
    /// It is.
    Now,
    /// It will be.
    Later,
}

impl Moment {
    /// A day, told with its year where that is not this one.
    pub(crate) fn on(mark: Mark, date: Date, today: Date, text: impl Into<String>) -> Self {
        let when = words::day_near(date, today);
        Self {
            mark,
            iso: words::iso(date),
            when,
            text: Prose::new(text),
            at: OffsetDateTime::new_utc(date, time::Time::MIDNIGHT),
        }
    }

    /// An hour of a day.
    pub(crate) fn at(mark: Mark, at: OffsetDateTime, today: Date, text: impl Into<String>) -> Self {
        let when = words::instant_near(at, today);
        Self { mark, iso: words::iso(utc_day(at)), when, text: Prose::new(text), at }
    }

    /// The end of something: at midnight, of the day before.
    pub(crate) fn end(mark: Mark, at: OffsetDateTime, today: Date, text: impl Into<String>) -> Self {
        let moment = Self::at(mark, at, today, text);
        match utc_day(at).previous_day().filter(|_| at == OffsetDateTime::new_utc(utc_day(at), time::Time::MIDNIGHT)) {
            Some(day) => Self { iso: words::iso(day), when: words::day_near(day, today), ..moment },
            None => moment,
        }
    }

    /// This day.
    pub(crate) fn today(now: OffsetDateTime, text: impl Into<String>) -> Self {
        let today = utc_day(now);
        let when = format!("Today, {}", words::day(today));
        Self { mark: Mark::Now, iso: words::iso(today), when, text: Prose::new(text), at: now }
    }
}

/// Puts moments in order.
pub(crate) fn sorted(mut moments: Vec<Moment>) -> Vec<Moment> {
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// `We write to you 30 and 7 days before.`; short terms renew too often for that.
pub(crate) fn announcement(unit: &TermUnit) -> &'static str {
    if unit.months().is_some_and(|months| months >= 3) { " We write to you 30 and 7 days before." } else { "" }
}

/// The dates of an enrolment that has not been submitted. `cost` names what a cancellation costs at each point, and the
/// fees; without it (nobody has asked for a number of users yet) only the dates are told.
pub(crate) fn of_enrolment(
    purchase: &Purchase<'_>,
    first: &FirstTerm,
    cost: Option<&Priced<'_>>,
    now: OffsetDateTime,
) -> Vec<Moment> {
    let today = utc_day(now);
    let free = cost.and_then(|priced| purchase.money(crate::domain::money::Amount::zero(priced.quote.total.currency)));
    let costs = |zero: &str| if cost.is_some() { format!(" {zero}") } else { String::new() };
    let nothing = free.map_or("nothing".to_owned(), |zero| format!("**{zero}**"));
    let mut moments = Vec::new();
    if let Some(date) = purchase.activated {
        moments.push(Moment::on(Mark::Done, date, today, "Microsoft activated the subscription."));
    }
    let submit = "You submit. The license key arrives by mail and works at once.";
    moments.push(Moment::today(now, submit.to_owned() + &costs(&format!("Cancelling costs {nothing}."))));
    if let Some(trial_end) = first.trial_end {
        moments.push(Moment {
            at: end_of_day(trial_end).saturating_sub(time::Duration::SECOND),
            ..Moment::on(Mark::Later, trial_end, today, trial_text(cost.is_some(), &nothing))
        });
    }
    let report = report_text(purchase, first, cost);
    let reported = match grace_text(purchase, first, &nothing) {
        // Where the grace period decides, its end and the report are one moment.
        Some(text) if first.grace_end == first.reportable_from => {
            Moment::at(Mark::Later, first.grace_end, today, format!("{text} {report}"))
        }
        text => {
            moments.extend(text.map(|text| Moment::at(Mark::Later, first.grace_end, today, text)));
            let day = Moment::on(Mark::Later, utc_day(first.reportable_from), today, report);
            Moment { at: first.reportable_from, ..day }
        }
    };
    moments.push(reported);
    moments.extend(renewal(purchase, first, cost, today));
    sorted(moments)
}

fn trial_text(detailed: bool, nothing: &str) -> String {
    if detailed {
        format!(
            "Last day of the trial. Until its end you can lower the users or cancel for {nothing}; the license then ends."
        )
    } else {
        "Your free trial ends. Cancel in the Azure portal until then, and you pay nothing.".to_owned()
    }
}

fn grace_text(purchase: &Purchase<'_>, first: &FirstTerm, nothing: &str) -> Option<String> {
    let grace = purchase.grace();
    let span = words::span(grace);
    let trial_is_longer = first.trial_end.is_some_and(|day| end_of_day(day) >= first.grace_end);
    grace.is_positive().then(|| {
        if trial_is_longer {
            format!("The grace period of {span} ends. Your trial runs longer, so cancelling still costs {nothing}.")
        } else {
            format!("The grace period of {span} ends. Until then you can lower the users or cancel for {nothing}.")
        }
    })
}

fn report_text(purchase: &Purchase<'_>, first: &FirstTerm, cost: Option<&Priced<'_>>) -> String {
    let part = first.part;
    if part.days == 0 {
        return format!("The trial covers the rest of this {}: nothing of it is charged.", purchase.noun());
    }
    let days = format!("{} of {} days", part.days, part.of_days);
    let month = words::invoice_month(utc_day(first.reportable_from));
    let billed = if purchase.is_reseller_deal() {
        "Microsoft bills them to your reseller.".to_owned()
    } else {
        format!("They are on your Azure invoice in {month}.")
    };
    let end = words::day(first.term.end);
    let stays = match cost.map(|priced| purchase.money(priced.first_total)) {
        Some(Some(total)) => {
            format!(" From now on cancelling refunds nothing: the **{total}** stay, and the license runs until {end}.")
        }
        Some(None) => format!(" From now on cancelling refunds nothing, and the license runs until {end}."),
        None => String::new(),
    };
    format!("We report the first fees to Microsoft, for {days}. {billed}{stays}")
}

fn renewal(purchase: &Purchase<'_>, first: &FirstTerm, cost: Option<&Priced<'_>>, today: Date) -> Option<Moment> {
    let fee = cost.and_then(|priced| purchase.money(priced.quote.total));
    let fee = fee.map(|fee| format!(", **{fee}** at today’s prices")).unwrap_or_default();
    let announced = announcement(&purchase.plan.term_unit);
    let stop = if cost.is_some() { " Stop it in the Azure portal until the day before." } else { "" };
    let text = format!("Renewal for another {}{fee}.{announced}{stop}", purchase.noun());
    first.term.renewal().map(|date| Moment::on(Mark::Later, date, today, text))
}
