//! The job that does what the calendar asks for: reminders, announcements, a planned change of seats that Microsoft bills,
//! and the erasure of personal data after the retention time.

use std::collections::BTreeSet;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Freshness, Step,
    change_seats::request_planned_seats,
    converge::{audit, has_ended, queue},
    end_subscription::lines_of,
    find_prices,
    life_mail::Letter,
    trial_mail::{notice_mail, queue_trial_mail},
};
use crate::{
    domain::{
        change::{first_term, freeze_renewal},
        charge::{Charge, State},
        enrolment::Basis,
        subscription::{
            MICROSOFT_DROPS_AFTER_DAYS, Notice, Stage, Subscription, due_notice, erasure_due, is_dropped_by_microsoft,
            next_appointment, unbilled_change_due,
        },
        time::{Term, end_of_day, plus_days, utc_day},
        trial_grant::State as TrialState,
    },
    pages::mail::{life::LifeEvent, trial::NoticeOf},
    store::{Enrolment, Tx},
};

/// Does what is due, and says when it is to be looked at again.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn keep_appointment(app: &App, id: Uuid) -> Result<Step, AppError> {
    let Some(subscription) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    let now = app.clock.now();
    for notice in due_notice(&subscription, now) {
        send_notice(app, &subscription, notice, now).await?;
    }
    if unbilled_change_due(&subscription).is_some_and(|at| at <= now) {
        request_planned_seats(app, &subscription, now).await?;
    }
    if erasure_due(&subscription, app.retention).is_some_and(|at| at <= now) {
        erase(app, &subscription, now).await?;
    }
    app.wake.notify_one();
    let next = next_appointment(&subscription, app.retention, now);
    Ok(next.map_or(Step::Done, |at| Step::Again(at - now)))
}

async fn send_notice(
    app: &App,
    subscription: &Subscription,
    notice: Notice,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let ahead = match notice {
        Notice::RenewalAhead { .. } => {
            let forecast = forecast(app, subscription, now).await;
            if forecast.is_err() && has_ended(app, subscription.microsoft.id).await? {
                return Ok(());
            }
            Some(forecast?)
        }
        Notice::SetUpReminder { .. } | Notice::TrialEnds { .. } => None,
    };
    let tx = app.store.begin().await?;
    let enrolment = tx.find_enrolment(subscription.microsoft.id).await?;
    let sending = Sending { subscription, enrolment: enrolment.as_ref(), now };
    match notice {
        Notice::SetUpReminder { days } => remind(app, &tx, sending, days).await?,
        Notice::TrialEnds { days } => announce_trial_end(app, &tx, sending, days).await?,
        Notice::RenewalAhead { days } => {
            if let Some((term, lines)) = ahead.flatten() {
                announce_renewal(app, &tx, sending, (days, term, &lines)).await?;
            }
        }
    }
    Ok(tx.commit().await?)
}

#[derive(Clone, Copy)]
struct Sending<'a> {
    subscription: &'a Subscription,
    enrolment: Option<&'a Enrolment>,
    now: OffsetDateTime,
}

impl<'a> Sending<'a> {
    fn letter(self, cause: &'a str) -> Letter<'a> {
        Letter { subscription: self.subscription, enrolment: self.enrolment, key: None, cause }
    }
}

async fn remind(app: &App, tx: &Tx, sending: Sending<'_>, days: u32) -> Result<(), AppError> {
    let bought = utc_day(sending.subscription.seen_at);
    let configure_url = format!("{}/landing", app.issuer());
    let event = LifeEvent::SetUpReminder {
        bought,
        dropped_on: is_dropped_by_microsoft(sending.subscription)
            .then(|| plus_days(bought, MICROSOFT_DROPS_AFTER_DAYS)),
        configure_url: &configure_url,
    };
    queue(app, tx, sending.letter(&format!("day-{days}")), &event, sending.now).await
}

async fn announce_trial_end(app: &App, tx: &Tx, sending: Sending<'_>, days: u32) -> Result<(), AppError> {
    let subscription = sending.subscription;
    let Some(first) = first_term(subscription) else { return Ok(()) };
    let Some(last_day) = first.trial_end else { return Ok(()) };
    let charges = tx.list_charges(subscription.microsoft.id).await?;
    let held: Vec<&Charge> = charges.iter().filter(|charge| charge.state == State::Held).collect();
    let lines = lines_of(app, subscription, &held);
    let event = LifeEvent::TrialEnds { days, last_day, first_report: first.reportable_from, lines: &lines };
    queue(app, tx, sending.letter(&format!("{last_day}.{days}")), &event, sending.now).await?;
    remind_granters(app, tx, subscription, (days, last_day), sending.now).await
}

/// Whoever granted the trial, or made it longer, is told, too, each once.
async fn remind_granters(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    (days, last_day): (u32, Date),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let mut told = BTreeSet::new();
    for grant in tx.list_trials_of_subscription(subscription.microsoft.id).await? {
        if grant.state == TrialState::Used && told.insert(grant.granted_by.email.clone()) {
            let mail = notice_mail(app, &grant, NoticeOf::Trial, (days, end_of_day(last_day)))?;
            queue_trial_mail(tx, mail, now).await?;
        }
    }
    Ok(())
}

async fn announce_renewal(
    app: &App,
    tx: &Tx,
    sending: Sending<'_>,
    (days, term, lines): (u32, Term, &[crate::domain::pricing::Line]),
) -> Result<(), AppError> {
    let subscription = sending.subscription;
    let event = LifeEvent::RenewalAhead {
        days,
        on: term.start,
        lines,
        total: crate::domain::enrolment::sum(lines)?,
        planned: subscription.planned.map(|planned| planned.users),
        auto_renew: subscription.microsoft.auto_renew,
    };
    queue(app, tx, sending.letter(&format!("{}.{days}", term.start)), &event, sending.now).await
}

/// The next term, estimated, and its fees at today's prices: the same function as the renewal's own.
pub(super) async fn forecast(
    app: &App,
    subscription: &Subscription,
    now: OffsetDateTime,
) -> Result<Option<(Term, Vec<crate::domain::pricing::Line>)>, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let Some(start) = subscription.term.and_then(|term| term.renewal()) else { return Ok(None) };
    let Some(term) = Term::estimate(start, &plan.term_unit) else { return Ok(None) };
    let Some(prices) = find_prices(app, microsoft, plan, Freshness::Shown).await? else {
        return Ok(Some((term, Vec::new())));
    };
    let catalog_version = &app.catalog.version;
    let basis = Basis { subscription, plan, prices: Some(&prices), trial_days: 0, catalog_version, now };
    Ok(Some((term, freeze_renewal(basis, term)?.lines)))
}

/// Personal data goes; the ledger stays, and the first-time trial is remembered by a digest alone.
async fn erase(app: &App, subscription: &Subscription, now: OffsetDateTime) -> Result<(), AppError> {
    if !matches!(subscription.stage, Stage::Ended { .. }) {
        return Ok(());
    }
    let id = subscription.microsoft.id;
    let tx = app.store.begin().await?;
    if tx.erase_personal_data(id, now).await? {
        audit(&tx, id, "seatkey", "personal_data_erased", &serde_json::json!({}), now);
    }
    Ok(tx.commit().await?)
}
