//! The review: everything that is ordered, when it is charged, what cancelling costs. One click from here is binding.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Page,
    enrolment::Answers,
    frame::Frame,
    projection::{capital, first_noun, why_this_segment},
    purchase::{Priced, Purchase},
    samples,
    table::{self, Table},
    timeline::{self, Moment},
    words::{self, Fact, Prose},
};
use crate::domain::{
    money::{Amount, grouped},
    time::utc_day,
};

/// Something that differs from what the buyer saw last.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The price of a full term.
    Total {
        /// As it was shown.
        before: Amount,
        /// As it is.
        after: Amount,
    },
    /// The price of the first term.
    FirstTerm {
        /// As it was shown.
        before: Amount,
        /// As it is.
        after: Amount,
    },
    /// The cheapest segment.
    Segment {
        /// As it was shown.
        before: &'a str,
        /// As it is.
        after: &'a str,
    },
    /// Unit prices, in a way that the totals do not show.
    Prices,
    /// The dates, because a new day began or Microsoft gave others.
    Dates,
    /// The number of trial days.
    TrialDays {
        /// As it was shown.
        before: u32,
        /// As it is.
        after: u32,
    },
    /// The figures were older than they may be; nothing else changed.
    Expired,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    frame: Frame,
    title: String,
    path: String,
    quote_id: Uuid,
    changes: Vec<String>,
    facts: Vec<Fact>,
    buyer: String,
    email: String,
    technical_contact: String,
    charged: Table,
    charged_caption: String,
    charged_remark: Vec<String>,
    renewal_caption: String,
    renewal: String,
    timeline: Vec<Moment>,
    timeline_remark: String,
    cost: Table,
    then: Vec<Prose>,
    due_today: String,
    holds_until: String,
    reseller: bool,
}

impl Review {
    /// The page. `changes` is not empty when the buyer submitted and something was no longer so.
    #[must_use]
    pub fn new(
        frame: Frame,
        purchase: &Purchase<'_>,
        priced: &Priced<'_>,
        answers: &Answers,
        order: Order<'_>,
        now: OffsetDateTime,
    ) -> Self {
        let today = utc_day(now);
        let buyer = frame.person.as_ref().map(|person| person.name.clone()).unwrap_or_default();
        let first = capital(&first_noun(&purchase.plan.term_unit));
        let users = priced.quote.users;
        let charged = Table::of(purchase, &priced.charged, |line| table::part_detail(line, users));
        let reportable = utc_day(priced.first.reportable_from);
        let part = priced.first.part;
        Self {
            title: format!("Review your order of {}", purchase.offer.name),
            path: purchase.path(),
            quote_id: order.quote_id,
            changes: order.changes.iter().filter_map(|change| told(purchase, change)).collect(),
            facts: facts(purchase, priced, answers, now),
            buyer,
            email: answers.email.clone(),
            technical_contact: answers.technical_contact.clone(),
            charged: charged.with_total(&first, priced.first_total),
            charged_caption: format!("{}, for {} of {} days", words::day(reportable), part.days, part.of_days),
            charged_remark: charged_remark(purchase, priced),
            renewal_caption: renewal_caption(purchase, priced),
            renewal: renewal(purchase, priced),
            timeline: timeline::of_enrolment(purchase, priced.first, Some(priced), now),
            timeline_remark: timeline_remark(priced.estimated).to_owned(),
            cost: cost(purchase, priced, &first),
            then: then(purchase, priced),
            due_today: purchase.money(Amount::zero(priced.quote.total.currency)).unwrap_or_default(),
            holds_until: words::instant_near(order.holds_until, today),
            reseller: purchase.is_reseller_deal(),
            frame,
        }
    }
}

/// The quote that the page asks to accept.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Its id, which the form sends back.
    pub quote_id: Uuid,
    /// Until when it can be accepted.
    pub holds_until: OffsetDateTime,
    /// What differs from the one shown before.
    pub changes: &'a [Change<'a>],
}

fn told(purchase: &Purchase<'_>, change: &Change<'_>) -> Option<String> {
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

fn facts(purchase: &Purchase<'_>, priced: &Priced<'_>, answers: &Answers, now: OffsetDateTime) -> Vec<Fact> {
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

fn charged_remark(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<String> {
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

fn renewal_caption(purchase: &Purchase<'_>, priced: &Priced<'_>) -> String {
    let day = priced.first.term.renewal().map(words::day).unwrap_or_default();
    format!("{day}, and every {} after", purchase.noun())
}

fn renewal(purchase: &Purchase<'_>, priced: &Priced<'_>) -> String {
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

fn timeline_remark(estimated: bool) -> &'static str {
    if estimated {
        "Days begin and end at midnight UTC. Dates and first fees are estimates until Microsoft confirms the activation, normally within a minute. The mail has the final ones, and you never pay more than is shown here."
    } else {
        "Days begin and end at midnight UTC. The term is the one that Microsoft gave."
    }
}

fn cost(purchase: &Purchase<'_>, priced: &Priced<'_>, first: &str) -> Table {
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

fn then(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<Prose> {
    let from = priced.first.term.renewal().map(words::day).unwrap_or_default();
    let noun = purchase.noun();
    let fee = purchase.money(priced.quote.total);
    let fee = fee.map(|total| Prose::new(format!("**Then {total} a {noun}**, from {from} on and at today’s prices.")));
    fee.into_iter().chain([why_this_segment(purchase, priced)]).collect()
}

impl Page for Review {
    const TEMPLATE: &'static str = "review.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let total = deal.priced.quote.total;
            let changes = [
                Change::Total { before: deal.priced.first_total, after: total },
                Change::FirstTerm { before: total, after: deal.priced.first_total },
                Change::Segment { before: "KONNEKT 25", after: "KONNEKT 250" },
                Change::Prices,
                Change::Dates,
                Change::TrialDays { before: 30, after: 14 },
                Change::Expired,
            ];
            let answers = Answers {
                organisation: deal.purchase.organisation.to_owned(),
                email: "alex.weber@contoso.example".to_owned(),
                technical_contact: samples::HOSTILE.to_owned(),
                ..Answers::default()
            };
            let holds_until = deal.now.saturating_add(time::Duration::minutes(30));
            for changes in [&changes[..0], &changes] {
                let order = Order { quote_id: samples::ID, holds_until, changes };
                pages.push(Self::new(deal.frame.clone(), &deal.purchase, &deal.priced, &answers, order, deal.now));
            }
        });
        pages
    }
}
