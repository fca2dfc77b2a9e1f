//! The mails of a subscription's life in every form that they can take.

use time::{Date, Duration, OffsetDateTime, macros::date};

use super::{
    Language,
    life::{About, LifeEvent, LifeMail, NewKey, RefusalReason, RefusedChange},
};
use crate::{
    domain::{
        money::{Amount, Quantity},
        pricing::Line,
        time::{Term, end_of_day, utc_day},
    },
    pages::{
        purchase::Purchase,
        samples::{self, Deal},
    },
    templates::{TemplateError, Templates},
};

/// Renders every sample in one language.
pub(super) fn tried(templates: &Templates, language: &Language) -> Result<(), TemplateError> {
    let samples = samples(language);
    if samples.is_empty() {
        return Err(TemplateError::Untried { name: format!("mail/{}", language.as_str()) });
    }
    samples.iter().try_for_each(|mail| mail.render(templates).map(drop))
}

/// Every event of every deal: direct, a hostile name, a reseller's, monthly with an extra, seats billed by Microsoft.
pub(super) fn samples(language: &Language) -> Vec<LifeMail> {
    let mut all = Vec::new();
    let mut deals = 0;
    samples::each_deal(|deal| {
        let about = about(&deal.purchase, deal.priced.quote.users, Some(deal.priced.first.term));
        let about = About { segment: Some(&deal.priced.quote.segment.name), ..about };
        let nothing: Option<Line> = deal.priced.charged.last().map(nothing);
        let free = upgraded(deal, nothing.as_ref(), None, false);
        for events in [charged(deal), planned(deal), unpriced(), vec![free]] {
            all.extend(mails(&about, deals, &events, language));
        }
        deals += 1;
    });
    samples::with_seats(|_, purchase| {
        let term = Term::estimate(utc_day(samples::NOW), &purchase.plan.term_unit);
        let about = about(purchase, 40, term);
        for events in [seats(), unpriced()] {
            all.extend(mails(&about, deals, &events, language));
        }
        // Nobody has enrolled yet.
        let unknown = Purchase { organisation: "", ..*purchase };
        let flat = About { purchase: &unknown, users: None, term: None, ..about };
        all.extend(mails(&flat, deals, &unpriced(), language));
    });
    all
}

fn about<'a>(purchase: &'a Purchase<'a>, users: u32, term: Option<Term>) -> About<'a> {
    About {
        purchase,
        users: Some(users),
        segment: None,
        term,
        page_url: "https://licenses.konnekt.example/subscriptions/8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915",
        buyer_email: "alex.weber@contoso.example",
        technical_contact: "jo.brandt@contoso.example",
        key: None,
        now: samples::NOW,
    }
}

/// Each event once. One mail in three goes to two people without a key, the others to one with a provisional or a full
/// key; `deal` turns them, so that an event has each form in one deal or another.
fn mails<'a>(
    about: &'a About<'_>,
    deal: usize,
    events: &'a [LifeEvent<'_>],
    language: &'a Language,
) -> impl Iterator<Item = LifeMail> + 'a {
    let key = |provisional| {
        let expires = about.now.saturating_add(Duration::days(if provisional { 43 } else { 365 }));
        Some(NewKey { compact: samples::KEY, expires, provisional })
    };
    let alone = About { technical_contact: about.buyer_email, ..*about };
    let forms = [*about, About { key: key(true), ..alone }, About { key: key(false), ..alone }];
    events.iter().zip(forms.into_iter().cycle().skip(deal)).map(|(event, form)| LifeMail::new(&form, event, language))
}

/// A line of nothing: an upgrade within the included users.
fn nothing(line: &Line) -> Line {
    Line { quantity: Quantity::ZERO, amount: Amount::zero(line.amount.currency), ..line.clone() }
}

fn upgraded<'a>(
    deal: &Deal<'_>,
    line: Option<&'a Line>,
    held_until: Option<OffsetDateTime>,
    cancelled_plan: bool,
) -> LifeEvent<'a> {
    LifeEvent::Upgraded {
        from: deal.priced.quote.users / 2,
        to: deal.priced.quote.users,
        line,
        remaining_days: 198,
        term_days: 365,
        held_until,
        next_term_total: Some(deal.priced.quote.total),
        cancelled_plan,
    }
}

/// The events with figures of the running term.
fn charged<'a>(deal: &'a Deal<'_>) -> Vec<LifeEvent<'a>> {
    let (first, users) = (deal.priced.first, deal.priced.quote.users);
    let lines = deal.priced.charged.as_slice();
    let held_until = first.reportable_from;
    let trial_end = first.trial_end.unwrap_or(utc_day(held_until));
    let cancelled = |license_until, dropped| LifeEvent::Cancelled { license_until, users: Some(users), dropped };
    vec![
        upgraded(deal, lines.last(), None, true),
        upgraded(deal, lines.last(), Some(held_until), false),
        LifeEvent::Lowered { from: users + 50, to: users, lines, held_until },
        LifeEvent::TrialEnds { days: 7, last_day: trial_end, first_report: held_until, lines },
        LifeEvent::TrialEnds { days: 1, last_day: trial_end, first_report: held_until, lines },
        LifeEvent::Extended { trial_end: Some(trial_end), days: 14, held_until, lines },
        LifeEvent::Extended { trial_end: None, days: 1, held_until, lines },
        LifeEvent::Withdrawn { dropped: lines },
        cancelled(None, lines),
        cancelled(Some(end_of_day(first.term.end)), lines),
        cancelled(Some(end_of_day(first.term.end)), &[]),
    ]
}

/// The events around a renewal.
fn planned<'a>(deal: &'a Deal<'_>) -> Vec<LifeEvent<'a>> {
    let (quote, term) = (deal.priced.quote, deal.priced.first.term);
    let (lines, total) = (quote.lines.as_slice(), Some(quote.total));
    let on = renewal(Some(term));
    let ahead = |days, planned, auto_renew| LifeEvent::RenewalAhead { days, on, lines, total, planned, auto_renew };
    let renewed = |downgraded_from, held_until| LifeEvent::Renewed { term, lines, total, downgraded_from, held_until };
    vec![
        LifeEvent::DowngradePlanned {
            from: quote.users + 50,
            to: quote.users,
            effective: on,
            segment: Some(&quote.segment.name),
            next_term_total: total,
        },
        ahead(30, None, true),
        ahead(7, Some(quote.users - 10), true),
        ahead(1, Some(quote.users - 10), false),
        renewed(None, None),
        renewed(Some(quote.users + 50), None),
        renewed(None, Some(samples::NOW)),
    ]
}

/// The events of seats that Microsoft bills.
fn seats<'a>() -> Vec<LifeEvent<'a>> {
    let on = renewal(None);
    let (lines, total): (&[Line], Option<Amount>) = (&[], None);
    let ahead = |planned, auto_renew| LifeEvent::RenewalAhead { days: 30, on, lines, total, planned, auto_renew };
    let term = Term { start: on, end: on };
    vec![
        LifeEvent::Upgraded {
            from: 30,
            to: 40,
            line: None,
            remaining_days: 198,
            term_days: 365,
            held_until: None,
            next_term_total: None,
            cancelled_plan: false,
        },
        LifeEvent::DowngradePlanned { from: 40, to: 30, effective: on, segment: None, next_term_total: None },
        ahead(None, true),
        ahead(Some(30), true),
        ahead(None, false),
        LifeEvent::Renewed { term, lines, total, downgraded_from: Some(50), held_until: None },
        LifeEvent::SeatsChanged { from: Some(30), to: 40 },
        LifeEvent::SeatsChanged { from: None, to: 1 },
    ]
}

/// The events that say the same in every plan.
fn unpriced<'a>() -> Vec<LifeEvent<'a>> {
    let dropped_on = Some(renewal(None));
    let set_up = |bought, configure_url| LifeEvent::SetUpReminder { bought, dropped_on, configure_url };
    let refused = |reason, what| LifeEvent::ChangeRefused { reason, what };
    let seats = |to, in_portal| RefusedChange::Seats { to, in_portal };
    vec![
        LifeEvent::DowngradeCancelled { users: 300, was: 250 },
        LifeEvent::Suspended,
        LifeEvent::Reinstated,
        LifeEvent::Withdrawn { dropped: &[] },
        LifeEvent::Cancelled { license_until: None, users: None, dropped: &[] },
        LifeEvent::Cancelled { license_until: Some(samples::NOW), users: None, dropped: &[] },
        set_up(utc_day(samples::NOW), "https://licenses.konnekt.example/landing"),
        refused(RefusalReason::NotASuccessor, RefusedChange::Plan { to: samples::HOSTILE }),
        refused(RefusalReason::TooFew(5), seats(1, true)),
        refused(RefusalReason::Microsoft(samples::HOSTILE), seats(1_200, false)),
        LifeEvent::SetUpReminder {
            bought: utc_day(samples::NOW),
            dropped_on: None,
            configure_url: "https://licenses.example/landing",
        },
        LifeEvent::KeyReady,
        LifeEvent::KeyAgain,
        LifeEvent::KeyReplaced,
    ]
}

fn renewal(term: Option<Term>) -> Date {
    term.and_then(|term| term.renewal()).unwrap_or(date!(2027 - 01 - 15))
}
