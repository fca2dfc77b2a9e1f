//! The buyer, or staff on the buyer's behalf, changes the number of users of a plan with segments: an upgrade, a lowering while the first charges are held,
//! a planned downgrade. Shown first, derived again on submit; what differs is shown once more.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Deed, Freshness,
    converge::{ask_and_converge, queue, write_subscription},
    find_prices,
    issue_key::issue_key,
    life_mail::Letter,
    review_order::check_term,
};
use crate::{
    clock::new_id,
    domain::{
        change::{ChangeKind, FrozenChange, freeze_change, may_lower},
        charge::{Charge, Reason, State},
        enrolment::{Basis, QUOTE_LIFETIME},
        subscription::{Event, PlannedDowngrade, Subscription},
    },
    pages::mail::life::LifeEvent,
    store::{ChangeState, Enrolment, JobKind, NewChange, NewCharges, StoreError, StoredChange, Tx},
};

/// What became of a submitted change.
#[derive(Debug)]
pub enum ChangeSubmitted {
    /// It is in force, or planned.
    Accepted(Box<FrozenChange>),
    /// It was submitted before: a double click, a second tab, a reload.
    AlreadyAccepted,
    /// Something is different now; the new figures wait for review.
    Changed {
        /// The new change.
        change_id: Uuid,
    },
}

/// Prices a change, keeping nothing.
///
/// # Errors
/// [`AppError::Change`] with the reason in the buyer's words; [`AppError::NoPrice`]; [`AppError::Marketplace`].
pub async fn preview_change(app: &App, subscription: &Subscription, to_users: u32) -> Result<FrozenChange, AppError> {
    price_change(app, subscription, to_users, Freshness::Shown).await
}

async fn price_change(
    app: &App,
    subscription: &Subscription,
    to_users: u32,
    freshness: Freshness,
) -> Result<FrozenChange, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    check_term(microsoft, plan)?;
    let prices = find_prices(app, microsoft, plan, freshness).await?;
    let charges = app.store.list_charges(microsoft.id).await?;
    let basis = Basis {
        subscription,
        plan,
        prices: prices.as_ref(),
        trial_days: 0,
        catalog_version: &app.catalog.version,
        now: app.clock.now(),
    };
    Ok(freeze_change(basis, &charges, to_users)?)
}

/// Freezes a change for its review; it may be submitted by the same person for half an hour.
///
/// # Errors
/// As [`preview_change`].
pub async fn review_change(
    app: &App,
    deed: impl Into<Deed>,
    subscription: &Subscription,
    to_users: u32,
) -> Result<Uuid, AppError> {
    let deed = deed.into();
    let frozen = preview_change(app, subscription, to_users).await?;
    keep(app, &deed, subscription, frozen).await
}

async fn keep(app: &App, deed: &Deed, subscription: &Subscription, frozen: FrozenChange) -> Result<Uuid, AppError> {
    let now = app.clock.now();
    let id = new_id(now);
    let change = NewChange {
        id,
        subscription_id: subscription.microsoft.id,
        kind: frozen.kind.as_str(),
        cause: format!("shown:{id}"),
        body: frozen,
        state: ChangeState::Shown,
        shown_to: Some(deed.identity()?),
        expires_at: now + QUOTE_LIFETIME,
    };
    let tx = app.store.begin().await?;
    tx.insert_change(&change, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Submits a reviewed change.
///
/// # Errors
/// [`AppError::Forbidden`] for a change of another person or subscription; [`AppError::Store`] with a conflict when
/// somebody else changed the subscription in the same moment; else as [`preview_change`].
pub async fn submit_change(
    app: &App,
    deed: impl Into<Deed>,
    subscription: &Subscription,
    change_id: Uuid,
) -> Result<ChangeSubmitted, AppError> {
    let deed = deed.into();
    let id = subscription.microsoft.id;
    let change: StoredChange<FrozenChange> = app.store.find_change(change_id).await?.ok_or(AppError::Forbidden)?;
    if change.subscription_id != id || change.shown_to != Some(deed.identity()?) {
        return Err(AppError::Forbidden);
    }
    if change.state != ChangeState::Shown {
        return Ok(ChangeSubmitted::AlreadyAccepted);
    }
    // Microsoft may have renewed, suspended or ended it since the review was shown.
    let subscription = ask_and_converge(app, id, None).await?.subscription;
    let fresh = price_change(app, &subscription, change.body.to_users, Freshness::Ordered).await;
    // The same change may have been submitted by another click in the meantime: then its own effect is what differs.
    if is_done(app, change_id).await? {
        return Ok(ChangeSubmitted::AlreadyAccepted);
    }
    let fresh = fresh?;
    let expired = app.clock.now() >= change.expires_at;
    if expired || !change.body.promises_the_same_as(&fresh) {
        return Ok(ChangeSubmitted::Changed { change_id: keep(app, &deed, &subscription, fresh).await? });
    }
    match accept(app, &deed, subscription, change_id, &fresh).await {
        Ok(()) => Ok(ChangeSubmitted::Accepted(Box::new(fresh))),
        // The row version, or the change's own state, says that somebody else submitted in the same moment.
        Err(AppError::Store(StoreError::Conflict(_))) => after_conflict(app, change_id).await,
        Err(error) => Err(error),
    }
}

async fn after_conflict(app: &App, change_id: Uuid) -> Result<ChangeSubmitted, AppError> {
    if is_done(app, change_id).await? {
        return Ok(ChangeSubmitted::AlreadyAccepted);
    }
    Err(StoreError::Conflict("subscription").into())
}

async fn is_done(app: &App, change_id: Uuid) -> Result<bool, AppError> {
    let change = app.store.find_change::<FrozenChange>(change_id).await?;
    Ok(change.is_some_and(|change| change.state == ChangeState::Done))
}

/// One transaction: users, charges, key, mail, audit entry.
async fn accept(
    app: &App,
    deed: &Deed,
    mut subscription: Subscription,
    change_id: Uuid,
    frozen: &FrozenChange,
) -> Result<(), AppError> {
    let now = app.clock.now();
    let id = subscription.microsoft.id;
    let tx = app.store.begin().await?;
    // Of clicks at the same moment, each waits for its turn here, and not for the others at the commit.
    tx.lock_subscriptions([id]).await?;
    // A release in the same moment does not change the subscription's version.
    if frozen.kind == ChangeKind::Lowering && !may_lower(&subscription, &tx.list_charges(id).await?, now) {
        return Err(StoreError::Conflict("charge").into());
    }
    tx.decide_change(change_id, (ChangeState::Shown, ChangeState::Done), None, now).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let had_planned = subscription.planned.is_some();
    match frozen.kind {
        ChangeKind::Upgrade => {
            subscription.stage = subscription.stage.on(Event::UsersRaised, now)?;
            write_charges(&tx, &subscription, change_id, frozen, now).await?;
            set_users(&mut subscription, frozen);
        }
        ChangeKind::Lowering => {
            subscription.stage = subscription.stage.on(Event::UsersLowered, now)?;
            drop_held(app, &tx, &subscription, now).await?;
            write_charges(&tx, &subscription, change_id, frozen, now).await?;
            set_users(&mut subscription, frozen);
        }
        ChangeKind::Downgrade => {
            subscription.stage = subscription.stage.on(Event::DowngradePlanned, now)?;
            subscription.planned = Some(PlannedDowngrade { users: frozen.to_users, planned_at: now });
        }
        ChangeKind::Renewal => return Err(AppError::Internal("a renewal is nobody's to submit".to_owned())),
    }
    let key = issue_key(app, &tx, &subscription, &enrolment, now).await?;
    write_subscription(app, &tx, &mut subscription, now).await?;
    let cause = change_id.to_string();
    let key = key.as_ref().filter(|_| frozen.kind != ChangeKind::Downgrade);
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key, cause: &cause };
    queue(app, &tx, letter, &event(frozen, had_planned, now), now).await?;
    let detail = serde_json::json!({ "change": change_id, "from": frozen.from_users, "to": frozen.to_users });
    deed.record(&tx, id, audit_word(frozen.kind), detail, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

fn audit_word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Upgrade => "users_raised",
        ChangeKind::Lowering => "users_lowered",
        ChangeKind::Downgrade => "downgrade_planned",
        ChangeKind::Renewal => "subscription_renewed",
    }
}

/// An upgrade cancels a planned downgrade, and says so (`product.md` §4.3).
fn set_users(subscription: &mut Subscription, frozen: &FrozenChange) {
    subscription.users = Some(frozen.to_users);
    subscription.segment = Some(frozen.next.segment.name.to_string());
    subscription.planned = None;
}

async fn write_charges(
    tx: &Tx,
    subscription: &Subscription,
    change_id: Uuid,
    frozen: &FrozenChange,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let upgrade = frozen.kind == ChangeKind::Upgrade;
    let charges = NewCharges {
        subscription_id: subscription.microsoft.id,
        cause_id: change_id,
        reason: if upgrade { Reason::Upgrade } else { Reason::Enrolment },
        plan_id: &subscription.microsoft.plan_id,
        term_start: frozen.term.start,
        lines: &frozen.lines,
        part: frozen.part,
        users: Some(frozen.to_users),
        from_users: upgrade.then_some(frozen.from_users),
        reportable_from: frozen.held_until.unwrap_or(now),
        state: if frozen.held_until.is_some() { State::Held } else { State::Due },
    };
    tx.insert_charges(charges, now).await?;
    Ok(tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?)
}

/// What the new quote replaces: everything that is held, but the one-time purchases.
async fn drop_held(app: &App, tx: &Tx, subscription: &Subscription, now: OffsetDateTime) -> Result<(), AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let charges = tx.list_charges(microsoft.id).await?;
    let replaced = |charge: &&Charge| charge.state == State::Held && !charge.is_extra(plan);
    let ids: Vec<Uuid> = charges.iter().filter(replaced).map(|charge| charge.id).collect();
    tx.move_charges(&ids, (State::Held, State::Cancelled), "the users were lowered", now).await?;
    Ok(())
}

fn event(frozen: &FrozenChange, cancelled_plan: bool, now: OffsetDateTime) -> LifeEvent<'_> {
    let (from, to) = (frozen.from_users, frozen.to_users);
    match frozen.kind {
        ChangeKind::Lowering => {
            let held_until = frozen.held_until.unwrap_or(now);
            LifeEvent::Lowered { from, to, lines: &frozen.lines, held_until }
        }
        ChangeKind::Downgrade => LifeEvent::DowngradePlanned {
            from,
            to,
            effective: frozen.term.renewal().unwrap_or(frozen.term.end),
            segment: Some(&frozen.next.segment.name),
            next_term_total: Some(frozen.next.total),
        },
        ChangeKind::Upgrade | ChangeKind::Renewal => LifeEvent::Upgraded {
            from,
            to,
            line: frozen.lines.first(),
            remaining_days: frozen.part.days,
            term_days: frozen.part.of_days,
            held_until: frozen.held_until,
            next_term_total: Some(frozen.next.total),
            cancelled_plan,
        },
    }
}

/// Takes a planned downgrade back. Taking back what is not planned changes nothing.
///
/// # Errors
/// [`AppError::Change`] when the stage does not admit it; [`AppError::Store`] with a conflict.
pub async fn cancel_downgrade(app: &App, deed: impl Into<Deed>, id: Uuid) -> Result<(), AppError> {
    let deed = deed.into();
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    let Some(planned) = subscription.planned.take() else { return Ok(()) };
    subscription.stage = subscription.stage.on(Event::DowngradeCancelled, now)?;
    let enrolment: Enrolment = tx.get_enrolment(id).await?;
    issue_key(app, &tx, &subscription, &enrolment, now).await?;
    write_subscription(app, &tx, &mut subscription, now).await?;
    let cause = subscription.version.to_string();
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: None, cause: &cause };
    let event = LifeEvent::DowngradeCancelled { users: subscription.users.unwrap_or_default(), was: planned.users };
    queue(app, &tx, letter, &event, now).await?;
    deed.record(&tx, id, "downgrade_cancelled", serde_json::json!({ "was": planned.users }), now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}
