//! The mail with the first license key: what to do next, the dates, the final costs.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::Mail;
use crate::{
    domain::{
        money::Amount,
        time::{Term, end_of_day, utc_day},
    },
    pages::{
        colour::Accent,
        purchase::{Priced, Purchase},
        samples,
        table::{self, Table},
        words,
    },
};

/// A key and where to find it again.
#[derive(Debug, Clone, Copy)]
pub struct KeyMail<'a> {
    /// The signed text.
    pub key: &'a str,
    /// When it ends.
    pub expires: OffsetDateTime,
    /// Whether another key follows by itself when the fees are accepted.
    pub provisional: bool,
    /// Whether the purchase is a test.
    pub test: bool,
    /// The buyer's page of the subscription, complete with host.
    pub page_url: &'a str,
    /// Who ordered.
    pub buyer_email: &'a str,
    /// Whom the buyer named; the same address as the buyer's is told once.
    pub technical_contact: &'a str,
}

/// A date of the list. The template has the words for each `what`.
#[derive(Debug, Clone, Serialize)]
struct DateLine {
    what: &'static str,
    when: String,
    #[serde(skip)]
    at: OffsetDateTime,
}

/// The context of `mail/<language>/welcome/`.
#[derive(Debug, Clone, Serialize)]
pub struct Welcome {
    offer: String,
    plan: String,
    organisation: String,
    subscription: String,
    /// `None` on a flat plan.
    users: Option<u32>,
    devices: u32,
    noun: &'static str,
    accent: Accent,
    key: String,
    key_ends: String,
    test: bool,
    trial_days: u32,
    /// The last day on which cancelling is free, or nothing.
    free_until: String,
    /// When the next key comes, or nothing.
    next_key: String,
    announced: bool,
    term_end: String,
    dates: Vec<DateLine>,
    costs: Table,
    days: u32,
    of_days: u32,
    nothing: String,
    full: String,
    reseller: bool,
    metered: bool,
    page_url: String,
    help_url: String,
    support_email: String,
    buyer_email: String,
    technical_contact: String,
}

impl Welcome {
    /// The mail after an activation. `priced` has Microsoft's own dates: these are the final figures.
    #[must_use]
    pub fn new(purchase: &Purchase<'_>, priced: &Priced<'_>, mail: &KeyMail<'_>) -> Self {
        let first = priced.first;
        let users = priced.quote.users;
        let costs = Table::of(purchase, &priced.charged, |line| table::part_detail(line, users).to_lowercase());
        let next_key = if mail.provisional { words::day(utc_day(first.reportable_from)) } else { String::new() };
        Self {
            trial_days: first.trial_days,
            free_until: free_until(priced),
            next_key,
            dates: dates(purchase, priced),
            costs: costs.with_total("", priced.first_total),
            days: first.part.days,
            of_days: first.part.of_days,
            nothing: purchase.money(Amount::zero(priced.quote.total.currency)).unwrap_or_default(),
            full: purchase.money(priced.quote.total).unwrap_or_default(),
            metered: true,
            ..Self::billed_by_microsoft(purchase, Some(users), first.term, mail)
        }
    }

    /// The mail of a plan whose fees are not ours: no costs, no trial.
    #[must_use]
    pub fn billed_by_microsoft(purchase: &Purchase<'_>, users: Option<u32>, term: Term, mail: &KeyMail<'_>) -> Self {
        let technical = if mail.technical_contact == mail.buyer_email { "" } else { mail.technical_contact };
        let start = purchase.activated.unwrap_or(term.start);
        let renewal = term.renewal().map(|day| DateLine::on("renewal", day));
        Self {
            offer: purchase.offer.name.clone(),
            plan: purchase.plan.name.clone(),
            organisation: purchase.organisation.to_owned(),
            subscription: purchase.name.to_owned(),
            users,
            devices: purchase.plan.devices_per_user,
            noun: purchase.noun(),
            accent: Accent::of(&purchase.offer.accent_color),
            key: mail.key.to_owned(),
            key_ends: words::day(last_day(mail.expires)),
            test: mail.test,
            trial_days: 0,
            free_until: String::new(),
            next_key: String::new(),
            announced: purchase.plan.term_unit.months().is_some_and(|months| months >= 3),
            term_end: words::day(term.end),
            dates: [DateLine::on("activated", start)].into_iter().chain(renewal).collect(),
            costs: Table { rows: Vec::new(), currency: None, total: None },
            days: 0,
            of_days: 0,
            nothing: String::new(),
            full: String::new(),
            reseller: purchase.is_reseller_deal(),
            metered: false,
            page_url: mail.page_url.to_owned(),
            help_url: purchase.offer.support_url.clone(),
            support_email: purchase.offer.support_email.clone(),
            buyer_email: mail.buyer_email.to_owned(),
            technical_contact: technical.to_owned(),
        }
    }
}

impl DateLine {
    fn on(what: &'static str, day: Date) -> Self {
        Self { what, when: words::day(day), at: OffsetDateTime::new_utc(day, time::Time::MIDNIGHT) }
    }
}

/// The day whose end an instant is, or within which it lies.
fn last_day(end: OffsetDateTime) -> Date {
    utc_day(end.saturating_sub(time::Duration::MICROSECOND))
}

/// Until when cancelling is free: a whole day where the trial decides, an hour where the grace period does.
fn free_until(priced: &Priced<'_>) -> String {
    match priced.first.trial_end {
        Some(day) if end_of_day(day) >= priced.first.grace_end => words::day(day),
        _ => words::instant(priced.first.reportable_from),
    }
}

fn dates(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<DateLine> {
    let first = priced.first;
    let line = DateLine::on;
    let reported = utc_day(first.reportable_from);
    let mut lines = vec![line("activated", purchase.activated.unwrap_or(first.term.start))];
    let trial_decides = first.trial_end.is_some_and(|day| end_of_day(day) >= first.grace_end);
    if !trial_decides {
        lines.push(DateLine { what: "grace_end", when: words::instant(first.grace_end), at: first.grace_end });
    }
    lines.extend(first.trial_end.map(|day| line("trial_end", day)));
    if first.part.days > 0 {
        lines.push(DateLine { at: first.reportable_from, ..line("reported", reported) });
        let month = DateLine { what: "invoice", when: words::invoice_month(reported), at: first.reportable_from };
        lines.extend(Some(month).filter(|_| !purchase.is_reseller_deal()));
    }
    lines.extend(first.term.renewal().map(|day| line("renewal", day)));
    lines.sort_by_key(|line| line.at);
    lines
}

impl Mail for Welcome {
    const NAME: &'static str = "welcome";

    fn samples() -> Vec<Self> {
        let mut mails = Vec::new();
        samples::each_deal(|deal| {
            for (provisional, technical_contact) in
                [(true, "jo.brandt@contoso.example"), (false, "alex.weber@contoso.example")]
            {
                let term_end = end_of_day(deal.priced.first.term.end);
                let leeway = time::Duration::days(14);
                let held = deal.priced.first.reportable_from.saturating_add(leeway);
                let expires = if provisional { held } else { term_end };
                let mail = sample_key(expires, provisional, technical_contact);
                mails.push(Self::new(&deal.purchase, &deal.priced, &mail));
            }
        });
        samples::with_seats(|_, purchase| {
            let term = Term::estimate(utc_day(samples::NOW), &purchase.plan.term_unit);
            let mail = sample_key(end_of_day(utc_day(samples::NOW)), false, "jo.brandt@contoso.example");
            let users = [Some(40), None];
            mails.extend(
                term.into_iter()
                    .flat_map(|term| users.map(|users| Self::billed_by_microsoft(purchase, users, term, &mail))),
            );
        });
        mails
    }
}

fn sample_key(expires: OffsetDateTime, provisional: bool, technical_contact: &str) -> KeyMail<'_> {
    KeyMail {
        key: samples::KEY,
        expires,
        provisional,
        test: !provisional,
        page_url: "https://licenses.konnekt.example/subscriptions/8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915",
        buyer_email: "alex.weber@contoso.example",
        technical_contact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Templates;

    #[test]
    fn the_text_has_lines_of_72_columns_and_the_final_figures() {
        let templates = Templates::load(None).unwrap();
        let mail = Welcome::samples().remove(0).render(&templates, super::super::Language::English).unwrap();
        assert_eq!(mail.subject, "Your KONNEKT license key for 300 users");
        for line in mail.text.lines().filter(|line| line.contains(' ')) {
            assert!(line.chars().count() <= 72, "too wide: {line}");
        }
        for figure in ["3,028.77", "330.41", "3,359.18", "3,660.00 EUR"] {
            assert!(mail.text.contains(figure) && mail.html.contains(figure), "{figure} is missing");
        }
        assert!(mail.text.contains(&format!("\n{}\n", samples::KEY)), "the key stands in one line of its own");
    }
}
