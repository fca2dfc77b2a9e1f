//! The mail with the first license key: what to do next, the dates, the final costs.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    Mail,
    letter::{Key, Letter},
    values::{Figures, Money, When},
};
use crate::{
    domain::{
        money::Amount,
        time::{Term, end_of_day, utc_day},
    },
    pages::{
        purchase::{Priced, Purchase},
        samples,
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

/// A date of the list. The words for each `what` are the language's.
#[derive(Debug, Clone, Serialize)]
struct DateLine {
    what: &'static str,
    when: When,
    #[serde(skip)]
    at: OffsetDateTime,
}

/// The context of `mail/<language>/welcome/`.
#[derive(Debug, Clone, Serialize)]
pub struct Welcome {
    #[serde(flatten)]
    letter: Letter,
    /// `None` on a flat plan.
    users: Option<u32>,
    devices: u32,
    test: bool,
    trial_days: u32,
    /// The last day on which cancelling is free; `None` where the fees are not ours.
    free_until: Option<When>,
    /// When the next key comes, if one does.
    next_key: Option<When>,
    term_end: When,
    dates: Vec<DateLine>,
    days: u32,
    of_days: u32,
    nothing: Option<Money>,
    full: Option<Money>,
}

impl Welcome {
    /// The mail after an activation. `priced` has Microsoft's own dates: these are the final figures.
    #[must_use]
    pub fn new(purchase: &Purchase<'_>, priced: &Priced<'_>, mail: &KeyMail<'_>) -> Self {
        let first = priced.first;
        let users = Some(priced.quote.users);
        let figures = Figures::of(purchase, &priced.charged, users).with_total(Some(priced.first_total));
        let plain = Self::billed_by_microsoft(purchase, users, first.term, mail);
        Self {
            letter: plain.letter.with(Some(mail.copied()), figures),
            trial_days: first.trial_days,
            free_until: Some(free_until(priced)),
            next_key: mail.provisional.then(|| When::on(utc_day(first.reportable_from))),
            dates: dates(purchase, priced),
            days: first.part.days,
            of_days: first.part.of_days,
            nothing: Money::of(purchase, Amount::zero(priced.quote.total.currency)),
            full: Money::of(purchase, priced.quote.total),
            ..plain
        }
    }

    /// The mail of a plan whose fees are not ours: no costs, no trial.
    #[must_use]
    pub fn billed_by_microsoft(purchase: &Purchase<'_>, users: Option<u32>, term: Term, mail: &KeyMail<'_>) -> Self {
        let letter = Letter::new(purchase, mail.page_url).to(mail.buyer_email, mail.technical_contact);
        let start = purchase.activated.unwrap_or(term.start);
        let renewal = term.renewal().map(|day| DateLine::on("renewal", day));
        Self {
            letter: letter.with(Some(mail.copied()), Figures::default()),
            users,
            devices: purchase.plan.devices_per_user,
            test: mail.test,
            trial_days: 0,
            free_until: None,
            next_key: None,
            term_end: When::on(term.end),
            dates: [DateLine::on("activated", start)].into_iter().chain(renewal).collect(),
            days: 0,
            of_days: 0,
            nothing: None,
            full: None,
        }
    }
}

impl KeyMail<'_> {
    fn copied(self) -> Key {
        Key::new(self.key, self.expires, self.provisional)
    }
}

impl DateLine {
    fn on(what: &'static str, day: Date) -> Self {
        Self { what, when: When::on(day), at: OffsetDateTime::new_utc(day, time::Time::MIDNIGHT) }
    }
}

/// Until when cancelling is free: a whole day where the trial decides, a minute where the grace period does.
fn free_until(priced: &Priced<'_>) -> When {
    match priced.first.trial_end {
        Some(day) if end_of_day(day) >= priced.first.grace_end => When::on(day),
        _ => When::at(priced.first.reportable_from),
    }
}

fn dates(purchase: &Purchase<'_>, priced: &Priced<'_>) -> Vec<DateLine> {
    let first = priced.first;
    let line = DateLine::on;
    let reported = utc_day(first.reportable_from);
    let mut lines = vec![line("activated", purchase.activated.unwrap_or(first.term.start))];
    let trial_decides = first.trial_end.is_some_and(|day| end_of_day(day) >= first.grace_end);
    if !trial_decides {
        lines.push(DateLine { what: "grace_end", when: When::at(first.grace_end), at: first.grace_end });
    }
    lines.extend(first.trial_end.map(|day| line("trial_end", day)));
    if first.part.days > 0 {
        lines.push(DateLine { at: first.reportable_from, ..line("reported", reported) });
        // Microsoft bills a month's usage in the next one.
        let invoice = DateLine { at: first.reportable_from, ..line("invoice", in_next_month(reported)) };
        lines.extend(Some(invoice).filter(|_| !purchase.is_reseller_deal()));
    }
    lines.extend(first.term.renewal().map(|day| line("renewal", day)));
    lines.sort_by_key(|line| line.at);
    lines
}

/// The first day of the month after.
fn in_next_month(day: Date) -> Date {
    let last = day.replace_day(day.month().length(day.year())).unwrap_or(day);
    last.next_day().unwrap_or(last)
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
        let mail = Welcome::samples().remove(0).render(&templates, &super::super::Language::ENGLISH).unwrap();
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
