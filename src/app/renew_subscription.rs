//! The job that writes a new term: planned downgrade, cheapest segment, charges, key and mail, once for each term
//! (`product.md` §4.2).

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Freshness, Step,
    converge::{audit, find_out, has_ended, queue, write_subscription},
    find_prices,
    issue_key::issue_key,
    life_mail::Letter,
    review_order::check_term,
};
use crate::{
    clock::new_id,
    domain::{
        change::{FrozenChange, freeze_renewal},
        charge::{Reason, State},
        enrolment::{Basis, TodaysPrices},
        subscription::{Event, Stage, Subscription},
        time::{Term, plus_days},
    },
    pages::mail::life::LifeEvent,
    store::{ChangeState, Enrolment, JobKind, Lease, NewChange, NewCharges, Tx},
};

/// Writes the new term that Microsoft has begun, if it is not written yet.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn renew_subscription(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(subscription) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    if subscription.unwritten_renewal().is_none() {
        return Ok(Step::Done);
    }
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    check_term(microsoft, plan)?;
    let prices = find_prices(app, microsoft, plan, Freshness::Ordered).await;
    if prices.is_err() && has_ended(app, id).await? {
        return Ok(Step::Done);
    }
    let prices = prices?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    if let (Some(term), Some(enrolment)) = (subscription.unwritten_renewal(), tx.find_enrolment(id).await?) {
        renew(app, &tx, subscription, (term, prices.as_ref()), &enrolment, now).await?;
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

async fn renew(
    app: &App,
    tx: &Tx,
    mut subscription: Subscription,
    (term, prices): (Term, Option<&TodaysPrices>),
    enrolment: &Enrolment,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    subscription.stage = subscription.stage.on(Event::Renewed, now)?;
    note_skipped_terms(tx, &subscription, term, now).await?;
    let before = subscription.users;
    let frozen = match prices {
        Some(_) => Some(write_charges(app, tx, &subscription, (term, prices), now).await?),
        None => None,
    };
    subscription.term = Some(term);
    if let Some(frozen) = &frozen {
        subscription.users = Some(frozen.to_users);
        subscription.segment = Some(frozen.next.segment.name.to_string());
        subscription.planned = None;
    } else if subscription.planned.is_some_and(|planned| subscription.users.is_some_and(|users| users <= planned.users))
    {
        // Microsoft bills these seats; its own number tells whether the downgrade has come.
        subscription.planned = None;
    }
    let key = issue_key(app, tx, &subscription, enrolment, now).await?;
    write_subscription(app, tx, &mut subscription, now).await?;
    let event = LifeEvent::Renewed {
        term,
        lines: frozen.as_ref().map_or(&[], |frozen| &frozen.lines),
        total: frozen.as_ref().map(total).transpose()?.flatten(),
        downgraded_from: before.filter(|before| subscription.users.is_some_and(|users| users < *before)),
        held_until: frozen.as_ref().and_then(|frozen| frozen.held_until),
    };
    let cause = term.start.to_string();
    let letter = Letter { subscription: &subscription, enrolment: Some(enrolment), key: key.as_ref(), cause: &cause };
    queue(app, tx, letter, &event, now).await?;
    let detail = serde_json::json!({ "term": cause, "users": subscription.users });
    audit(tx, subscription.microsoft.id, "seatkey", "subscription_renewed", &detail, now);
    Ok(())
}

/// What the lines come to, where amounts may be shown.
pub(super) fn total(frozen: &FrozenChange) -> Result<Option<crate::domain::money::Amount>, AppError> {
    Ok(crate::domain::enrolment::sum(&frozen.lines)?)
}

/// A term that nobody was told of was not charged, and cannot be any more.
async fn note_skipped_terms(
    tx: &Tx,
    subscription: &Subscription,
    term: Term,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let expected = subscription.term.map(|known| plus_days(known.end, 1));
    match expected.filter(|expected| *expected < term.start) {
        Some(expected) => {
            let detail = format!(
                "the term of {} began, but the one before should have begun on {expected}: nothing was charged for the \
                 time between; decide whether to bill it",
                term.start
            );
            find_out(tx, subscription, "terms_skipped", &term.start.to_string(), &detail, now).await
        }
        None => Ok(()),
    }
}

async fn write_charges(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    (term, prices): (Term, Option<&TodaysPrices>),
    now: OffsetDateTime,
) -> Result<FrozenChange, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let basis = Basis { subscription, plan, prices, trial_days: 0, catalog_version: &app.catalog.version, now };
    let frozen = freeze_renewal(basis, term)?;
    let change = NewChange {
        id: new_id(now),
        subscription_id: microsoft.id,
        kind: frozen.kind.as_str(),
        cause: format!("renewal:{}", term.start),
        body: &frozen,
        state: ChangeState::Done,
        shown_to: None,
        expires_at: now,
    };
    tx.insert_change(&change, now).await?;
    let suspended = matches!(subscription.stage, Stage::Suspended { .. });
    let charges = NewCharges {
        subscription_id: microsoft.id,
        cause_id: change.id,
        reason: Reason::Renewal,
        plan_id: &plan.id,
        term_start: term.start,
        lines: &frozen.lines,
        part: frozen.part,
        users: Some(frozen.to_users),
        from_users: None,
        reportable_from: frozen.held_until.unwrap_or(now),
        state: if suspended || frozen.held_until.is_some() { State::Held } else { State::Due },
    };
    tx.insert_charges(charges, now).await?;
    tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?;
    Ok(frozen)
}
