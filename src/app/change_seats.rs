//! Seats that Microsoft bills are changed at Microsoft: asked for by a job with a stored intent, followed until Microsoft
//! says how it ended. Fewer seats are planned, and asked for on the last day of the term: Microsoft changes them at once.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Deed, Step,
    converge::{ask_and_converge, audit, queue, write_subscription},
    issue_key::issue_key,
    life_mail::Letter,
    open_purchase::note_credential,
};
use crate::{
    clock::new_id,
    domain::{
        catalog::Model,
        change::{ChangeRefused, check_seats, open_term},
        policy::Identity,
        pricing::MAX_USERS,
        subscription::{PlannedDowngrade, Subscription},
    },
    marketplace::{MarketplaceError, wire::Operation},
    pages::mail::life::{LifeEvent, RefusalReason, RefusedChange},
    store::{ChangeState, JobKind, Lease, NewChange, StoreError, StoredChange, Tx},
};

/// The kind of these changes in the database.
pub const SEATS: &str = "seats";
/// Microsoft answers `Retry-After: 10`; most changes are done sooner.
const POLL: Duration = Duration::seconds(3);

/// A change that Microsoft says is carried out is there within this time.
const VISIBLE_WITHIN: Duration = Duration::minutes(10);

/// Other seats, asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsWanted {
    /// Seats before.
    pub from: u32,
    /// Seats after.
    pub to: u32,
}

/// What became of the wish for other seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatsAsked {
    /// On its way to Microsoft; the change can be followed.
    Asked {
        /// The change.
        change_id: Uuid,
    },
    /// Planned for the next renewal.
    Planned,
}

/// Asks for other seats: more at once, fewer with the next renewal.
///
/// # Errors
/// [`AppError::Change`] or [`AppError::Seats`] with the reason in the buyer's words; [`AppError::Store`] with a conflict
/// when another change is on its way.
pub async fn change_seats(app: &App, deed: impl Into<Deed>, id: Uuid, to: u32) -> Result<SeatsAsked, AppError> {
    let deed = deed.into();
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    let from = check(app, &subscription, to, now)?;
    let newest = tx.find_newest_change::<SeatsWanted>(id, SEATS).await?;
    // Microsoft carries out one change at a time; the same wish again is the first one.
    match newest.filter(|change| change.state == ChangeState::Pending) {
        Some(pending) if pending.body.to == to => return Ok(SeatsAsked::Asked { change_id: pending.id }),
        Some(_) => return Err(StoreError::Conflict("change").into()),
        None => {}
    }
    if to > from {
        let cause = format!("seats:{}", subscription.version);
        subscription.planned = None;
        let change_id = ask(&tx, &subscription, SeatsWanted { from, to }, (cause, Some(deed.identity()?)), now).await?;
        write_subscription(app, &tx, &mut subscription, now).await?;
        deed.record(&tx, id, "seats_asked", serde_json::json!({ "from": from, "to": to }), now).await?;
        tx.commit().await?;
        app.wake.notify_one();
        return Ok(SeatsAsked::Asked { change_id });
    }
    plan_fewer(app, &tx, &mut subscription, (from, to), &deed, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(SeatsAsked::Planned)
}

fn check(app: &App, subscription: &Subscription, to: u32, now: OffsetDateTime) -> Result<u32, AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    open_term(subscription, now)?;
    if plan.model != Model::PerUser {
        return Err(ChangeRefused::NotSeats.into());
    }
    let from = subscription.users.unwrap_or_default();
    if to == from {
        return Err(ChangeRefused::Same(from).into());
    }
    if to == 0 || to > MAX_USERS {
        return Err(ChangeRefused::OutOfRange(MAX_USERS).into());
    }
    check_seats(plan, to)?;
    Ok(from)
}

async fn plan_fewer(
    app: &App,
    tx: &Tx,
    subscription: &mut Subscription,
    (from, to): (u32, u32),
    deed: &Deed,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let id = subscription.microsoft.id;
    let enrolment = tx.get_enrolment(id).await?;
    subscription.planned = Some(PlannedDowngrade { users: to, planned_at: now });
    issue_key(app, tx, subscription, &enrolment, now).await?;
    write_subscription(app, tx, subscription, now).await?;
    let Some(effective) = subscription.term.and_then(|term| term.renewal()) else { return Ok(()) };
    let cause = subscription.version.to_string();
    let letter = Letter { subscription, enrolment: Some(&enrolment), key: None, cause: &cause };
    let event = LifeEvent::DowngradePlanned { from, to, effective, segment: None, next_term_total: None };
    queue(app, tx, letter, &event, now).await?;
    deed.record(tx, id, "downgrade_planned", serde_json::json!({ "from": from, "to": to }), now).await
}

/// Writes the wish and its job. A second wish for the same version of the subscription is the first one.
async fn ask(
    tx: &Tx,
    subscription: &Subscription,
    wanted: SeatsWanted,
    (cause, shown_to): (String, Option<Identity>),
    now: OffsetDateTime,
) -> Result<Uuid, AppError> {
    let change = NewChange {
        id: new_id(now),
        subscription_id: subscription.microsoft.id,
        kind: SEATS,
        cause,
        body: wanted,
        state: ChangeState::Pending,
        shown_to,
        expires_at: now,
    };
    if !tx.insert_change(&change, now).await? {
        return Err(StoreError::Conflict("change").into());
    }
    tx.insert_job(JobKind::ChangeSeats, change.id, now).await?;
    Ok(change.id)
}

/// Asks for planned seats on the last day of the term; for plans with segments the renewal does it by itself.
///
/// # Errors
/// [`AppError`]; can be run again.
pub(super) async fn request_planned_seats(
    app: &App,
    subscription: &Subscription,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let (Model::PerUser, Some(planned), Some(term)) = (&plan.model, subscription.planned, subscription.term) else {
        return Ok(());
    };
    let wanted = SeatsWanted { from: subscription.users.unwrap_or_default(), to: planned.users };
    let cause = format!("planned:{}:{}", term.end, planned.planned_at.unix_timestamp());
    let tx = app.store.begin().await?;
    match ask(&tx, subscription, wanted, (cause, None), now).await {
        // Asked for before.
        Err(AppError::Store(StoreError::Conflict(_))) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(tx.commit().await?),
    }
}

/// The job that brings the wish to its end.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn carry_out_seats(app: &App, lease: Lease, change_id: Uuid) -> Result<Step, AppError> {
    let Some(change) = app.store.find_change::<SeatsWanted>(change_id).await? else { return Ok(Step::Done) };
    if change.state != ChangeState::Pending {
        return Ok(Step::Done);
    }
    let Some(operation_id) = &change.operation_id else { return request(app, lease, &change).await };
    let answer = app.marketplace.get_operation(change.subscription_id, operation_id).await;
    note_credential(app, answer.as_ref().err());
    let operation = match answer {
        // Over, and forgotten: what is there now tells.
        Err(MarketplaceError::NotFound(_)) => None,
        other => Some(other?.value),
    };
    if operation.as_ref().is_some_and(Operation::is_open) {
        return Ok(Step::Again(POLL));
    }
    let converged = ask_and_converge(app, change.subscription_id, None).await?;
    if converged.subscription.users == Some(change.body.to) {
        return finish(app, lease, &change, None).await;
    }
    let done = operation.as_ref().is_none_or(|operation| operation.status == "Succeeded");
    let waited = app.clock.now() - change.created_at;
    match operation {
        _ if done && waited < VISIBLE_WITHIN => Ok(Step::Again(POLL)),
        // Carried out, and changed again since: what is there now is what the customer wanted last.
        Some(_) if done => finish(app, lease, &change, None).await,
        operation => {
            let words = operation.as_ref().map_or("", Operation::error_message);
            let reason = if words.is_empty() { "Microsoft did not carry it out" } else { words };
            finish(app, lease, &change, Some(reason)).await
        }
    }
}

/// Asks Microsoft. Without an answer nobody knows whether it was heard: the subscription tells before it is asked again.
async fn request(app: &App, lease: Lease, change: &StoredChange<SeatsWanted>) -> Result<Step, AppError> {
    let id = change.subscription_id;
    let subscription = ask_and_converge(app, id, None).await?.subscription;
    if subscription.users == Some(change.body.to) {
        return finish(app, lease, change, None).await;
    }
    let planned = subscription.planned.map(|planned| planned.users);
    if change.shown_to.is_none() && planned != Some(change.body.to) {
        return finish(app, lease, change, Some("the planned downgrade was taken back")).await;
    }
    let call_id = app.store.record_intent(id, "change_quantity", app.clock.now()).await?;
    let answer = app.marketplace.change_quantity(id, change.body.to).await;
    note_credential(app, answer.as_ref().err());
    let now = app.clock.now();
    match answer {
        Ok(answer) => {
            let ids = Some((answer.request_id.as_str(), answer.correlation_id.as_str()));
            app.store.record_answer(call_id, "accepted", ids, now).await?;
            let tx = app.store.begin().await?;
            tx.record_operation(change.id, &answer.value.operation_id).await?;
            tx.commit().await?;
            Ok(Step::Again(Duration::SECOND))
        }
        Err(MarketplaceError::Refused { message, .. }) => {
            app.store.record_answer(call_id, &message, None, now).await?;
            // Microsoft says 400, too, while another operation is open; it may be our own, whose answer was lost.
            if app.marketplace.list_operations(id).await?.value.iter().any(Operation::is_open) {
                return Ok(Step::Again(POLL));
            }
            finish(app, lease, change, Some(&message)).await
        }
        Err(error @ MarketplaceError::NoAnswer(_)) => Err(error.into()),
        Err(error) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            Err(error.into())
        }
    }
}

async fn finish(
    app: &App,
    lease: Lease,
    change: &StoredChange<SeatsWanted>,
    refusal: Option<&str>,
) -> Result<Step, AppError> {
    let now = app.clock.now();
    let id = change.subscription_id;
    let tx = app.store.begin().await?;
    let state = if refusal.is_some() { ChangeState::Refused } else { ChangeState::Done };
    tx.decide_change(change.id, (ChangeState::Pending, state), refusal, now).await?;
    if let Some(reason) = refusal.filter(|_| change.shown_to.is_some()) {
        let subscription = tx.get_subscription(id).await?;
        let enrolment = tx.find_enrolment(id).await?;
        let cause = change.id.to_string();
        let letter = Letter { subscription: &subscription, enrolment: enrolment.as_ref(), key: None, cause: &cause };
        let event = LifeEvent::ChangeRefused {
            reason: RefusalReason::Microsoft(reason),
            what: RefusedChange::Seats { to: change.body.to, in_portal: false },
        };
        queue(app, &tx, letter, &event, now).await?;
        audit(&tx, id, "microsoft", "seats_refused", &serde_json::json!({ "reason": reason }), now);
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}
