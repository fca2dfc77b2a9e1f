//! The sentences and tables of the review.

use time::OffsetDateTime;

use super::{
    enrolment::Answers,
    projection::why_this_segment,
    purchase::{Priced, Purchase},
    review::Change,
    table::{self, Table},
    words::{self, Fact, Prose},
};
use crate::domain::{money::grouped, time::utc_day};

pub(super) fn told(purchase: &Purchase<'_>, change: &Change<'_>) -> Option<String> {
    let noun = purchase.noun();
    Some(match change {
        Change::Total { before, after } => {
            format!("A full {noun} is now {} instead of {}.", purchase.money(*after)?, purchase.money(*before)?)
        }
        Change::FirstTerm { before, after } => {
            format!("The first {noun} is now {} instead of {}.", purchase.money(*after)?, purchase.money(*before)?)
        }
        Change::Segment { before, after } => format!("The cheapest segment is now {after} instead of {before}."),
        Change::Prices if purchase.is_reseller_deal() => return None,
        Change::Prices => "Microsoft’s price list has changed.".to_owned(),
        Change::Dates => "The dates have moved, and with them the days that are charged.".to_owned(),
        Change::TrialDays { before, after } => {
            format!("The trial now has {} instead of {before}.", words::counted(*after, "day"))
        }
        Change::Expired => {
            "The figures were older than 30 minutes. We worked them out again; nothing has changed.".to_owned()
        }
    })
}

pub(super) fn facts(purchase: &Purchase<'_>, priced: &Priced<'_>, answers: &Answers, now: OffsetDateTime) -> Vec<Fact> {
    let quote = priced.quote;
    let term = priced.first.term;
    let included = quote.segment.included.min(quote.users);
    let additional = quote.users.saturating_sub(quote.segment.included);
    let unused =
        if quote.unused_included_users == 0 { "none".to_owned() } else { words::count(quote.unused_included_users) };
    let split =
        format!("{} included, {} additional, {unused} unused", words::count(included), words::count(additional));
    let devices = format!("up to {} each", words::counted(purchase.plan.devices_per_user, "device"));
    let estimated = if priced.estimated { "estimate" } else { "" };
    let mut facts = vec![
        Fact::new("Organisation", &answers.organisation),
        Fact::new("Product", &purchase.plan.name),
        Fact::with("Subscription", purchase.name, purchase.origin(utc_day(now))),
        Fact::with("Users", words::count(quote.users), devices),
        Fact::with("Segment", &*quote.segment.name, split),
        Fact::with("First term", format!("{} to {}", words::day(term.start), words::day(term.end)), estimated),
    ];
    if !priced.extras.is_empty() {
        facts.push(Fact::with("Once", words::listed(&priced.extra_names()), "charged with the first fees"));
    }
    if let Some(end) = priced.first.trial_end {
        let days = words::counted(priced.first.trial_days, "day");
        facts.push(Fact::new("Free trial", format!("{days}, until {}", words::day(end))));
    }
    facts
}

/// The facts where Microsoft bills: no segment, no fees.
pub(super) fn plain_facts(
    purchase: &Purchase<'_>,
    seats: Option<u32>,
    answers: &Answers,
    now: OffsetDateTime,
) -> Vec<Fact> {
    let devices = format!("up to {} each", words::counted(purchase.plan.devices_per_user, "device"));
    let facts = [
        Fact::new("Organisation", &answers.organisation),
        Fact::new("Product", &purchase.plan.name),
        Fact::with("Subscription", purchase.name, purchase.origin(utc_day(now))),
    ];
    let users = seats.map(|users| Fact::with("Users", words::count(users), devices));
    facts.into_iter().chain(users).collect()
}

pub(super) fn charged_remark(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<String> {
    let part = priced.first.part;
    let noun = purchase.noun();
    let mut remark = Vec::new();
    if purchase.is_reseller_deal() {
        remark.push("Microsoft bills your reseller, who sets your prices.".to_owned());
    } else {
        let month = words::invoice_month(utc_day(priced.first.reportable_from));
        remark.push(format!("On your Azure invoice in {month}."));
    }
    if !part.is_whole() {
        let why = if priced.first.trial_days > 0 { " after your trial" } else { " that is left" };
        remark.push(format!(
            "The quantities are the part of the {noun}{why}: {}/{} of each full line.",
            part.days, part.of_days
        ));
    }
    remark
}

pub(super) fn renewal_caption(purchase: &Purchase<'_>, priced: &Priced<'_>) -> String {
    let day = priced.first.term.renewal().map(words::day).unwrap_or_default();
    format!("{day}, and every {} after", purchase.noun())
}

pub(super) fn renewal(purchase: &Purchase<'_>, priced: &Priced<'_>) -> String {
    let lines = priced.quote.lines.iter().map(|line| {
        let quantity = grouped(&line.quantity.to_string());
        format!("{quantity} × {}", table::full_detail(line).split(',').next().unwrap_or_default().to_lowercase())
    });
    let lines = words::listed(&lines.collect::<Vec<_>>());
    match purchase.money(priced.quote.total) {
        Some(total) => format!("{lines}: {total} at today’s prices."),
        None => format!("{lines}."),
    }
}

pub(super) fn timeline_remark(estimated: bool) -> &'static str {
    if estimated {
        "Days begin and end at midnight UTC. Dates and first fees are estimates until Microsoft confirms the activation, normally within a minute. The mail has the final ones, and you never pay more than is shown here."
    } else {
        "Days begin and end at midnight UTC. The term is the one that Microsoft gave."
    }
}

pub(super) fn cost(purchase: &Purchase<'_>, priced: &Priced<'_>, first: &str) -> Table {
    let mut lines = priced.quote.lines.clone();
    lines.extend(priced.extras.iter().cloned());
    let mut table = Table::of(purchase, &lines, table::full_detail);
    if let Some(saved) = priced.saved() {
        let part = priced.first.part;
        let free = part.of_days - part.days;
        let why = if priced.first.trial_days >= free { "Free trial" } else { "Days that are not charged" };
        table.push_summary(why, &format!("{free} of {} days", part.of_days), format!("-{saved}"));
    }
    table.with_total(first, priced.first_total)
}

pub(super) fn then(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<Prose> {
    let from = priced.first.term.renewal().map(words::day).unwrap_or_default();
    let noun = purchase.noun();
    let fee = purchase.money(priced.quote.total);
    let fee = fee.map(|total| Prose::new(format!("**Then {total} a {noun}**, from {from} on and at today’s prices.")));
    fee.into_iter().chain([why_this_segment(purchase, priced)]).collect()
}
