//! The job that brings an accepted order to its end: activate, ask until it is true, then charges, key and mail in one
//! transaction. Every step may run twice.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Step,
    converge::{Seen, audit, converge, write_subscription},
    issue_key::{claims_of, issue_key},
    open_purchase::note_credential,
    review_order::check_term,
    welcome_mail::{Activated, welcome_mail},
};
use crate::{
    domain::{
        charge::{Reason, State},
        enrolment::FrozenQuote,
        pricing::Line,
        proration::FirstTerm,
        subscription::{Event, MicrosoftStatus, Snapshot, Stage, Subscription},
        time::Term,
    },
    marketplace::MarketplaceError,
    store::{Enrolment, Lease, LicenseKey, NewCharges, NewMail, Tx},
};

/// Microsoft takes up to a minute from "received" to `Subscribed`.
const POLL: Duration = Duration::seconds(2);
/// What takes longer than that is not waited for by the second.
const LATE_POLL: Duration = Duration::minutes(5);
/// "Received" without an effect for so long: ask again.
const RECEIVED_IS_STALE: Duration = Duration::minutes(2);
const SUSPENDED_PAUSE: Duration = Duration::minutes(15);

/// Runs one step; the lease ends together with its effect.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn activate_subscription(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(subscription) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    let Stage::Activating { enrolled_at } = subscription.stage else { return Ok(Step::Done) };
    let asked_at = app.clock.now();
    let answer = app.marketplace.get_subscription(id).await;
    note_credential(app, answer.as_ref().err());
    let snapshot = answer?.value;
    match (&snapshot.status, snapshot.term) {
        (MicrosoftStatus::Subscribed, Some(term)) => {
            let (_, plan) = app.find_plan(&snapshot.offer_id, &snapshot.plan_id)?;
            check_term(&snapshot, plan)?;
            complete(app, lease, snapshot, term).await
        }
        // Dates come some moments after the status.
        (MicrosoftStatus::Subscribed, None) | (MicrosoftStatus::Unknown(_), _) => {
            let late = app.clock.now() - enrolled_at > RECEIVED_IS_STALE;
            Ok(Step::Again(if late { LATE_POLL } else { POLL }))
        }
        (MicrosoftStatus::PendingFulfillmentStart, _) => activate(app, &snapshot).await,
        (MicrosoftStatus::Suspended, _) => Ok(Step::Again(SUSPENDED_PAUSE)),
        (MicrosoftStatus::Unsubscribed, _) => {
            converge(app, Seen { snapshot: &snapshot, asked_at, ended_at: None }).await?;
            Ok(Step::Done)
        }
    }
}

/// Asks Microsoft to activate, unless it has just said that it will. The intent is committed before the call.
async fn activate(app: &App, snapshot: &Snapshot) -> Result<Step, AppError> {
    let now = app.clock.now();
    let last = app.store.find_newest_call(snapshot.id, "activate").await?;
    let received = last
        .is_some_and(|call| call.outcome.as_deref() == Some("accepted") && now - call.intended_at < RECEIVED_IS_STALE);
    if received {
        return Ok(Step::Again(POLL));
    }
    let call_id = app.store.record_intent(snapshot.id, "activate", now).await?;
    let answer = app.marketplace.activate(snapshot.id, &snapshot.plan_id, snapshot.quantity).await;
    note_credential(app, answer.as_ref().err());
    let now = app.clock.now();
    match answer {
        Ok(answer) => {
            let ids = Some((answer.request_id.as_str(), answer.correlation_id.as_str()));
            app.store.record_answer(call_id, "accepted", ids, now).await?;
            Ok(Step::Again(Duration::milliseconds(300)))
        }
        // Refused because it is active already (a lost race with auto-activation): the next look at it tells.
        Err(error @ MarketplaceError::Refused { .. }) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            let fresh = app.marketplace.get_subscription(snapshot.id).await?.value;
            if fresh.status == MicrosoftStatus::Subscribed { Ok(Step::Again(POLL)) } else { Err(error.into()) }
        }
        // No answer is not a no: the intent stays open.
        Err(error @ MarketplaceError::NoAnswer(_)) => Err(error.into()),
        Err(error) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            Err(error.into())
        }
    }
}

/// One transaction: stage, charges, key, mail, audit entry. `lease` ends with it.
async fn complete(app: &App, lease: Lease, snapshot: Snapshot, term: Term) -> Result<Step, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(snapshot.id).await?;
    if let Stage::Activating { enrolled_at } = subscription.stage {
        let enrolment = tx.get_enrolment(snapshot.id).await?;
        let frozen = tx.get_quote(enrolment.quote_id).await?.frozen;
        check_plan(&snapshot, &frozen)?;
        // Activated by Microsoft before the order: then the order is what starts the clock.
        let activated_at = if frozen.estimated { now } else { enrolled_at };
        let stage = subscription.stage.on(Event::Activated, activated_at)?;
        // Where Microsoft bills seats, its own number is the truth.
        let users = snapshot.quantity.filter(|_| frozen.quote.is_none()).or(subscription.users);
        let microsoft = snapshot.with_people_of(&subscription.microsoft);
        let subscription = Subscription { microsoft, stage, users, ..subscription };
        let (first, charges) = frozen.at_activation(term, activated_at.max(enrolment.submitted_at))?;
        let completion = Completion { enrolment: &enrolment, frozen: &frozen, first: &first, charges: &charges };
        write(app, &tx, subscription, completion, now).await?;
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

fn check_plan(snapshot: &Snapshot, frozen: &FrozenQuote) -> Result<(), AppError> {
    match frozen.quote.as_ref().filter(|quote| *quote.plan_id != *snapshot.plan_id) {
        Some(quote) => Err(AppError::Internal(format!(
            "{} was ordered in plan {} and is now in {}",
            snapshot.id, quote.plan_id, snapshot.plan_id
        ))),
        None => Ok(()),
    }
}

/// What is written when Microsoft says `Subscribed`.
#[derive(Clone, Copy)]
struct Completion<'a> {
    enrolment: &'a Enrolment,
    frozen: &'a FrozenQuote,
    first: &'a FirstTerm,
    charges: &'a [Line],
}

async fn write(
    app: &App,
    tx: &Tx,
    mut subscription: Subscription,
    completion: Completion<'_>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let Completion { enrolment, frozen, first, charges } = completion;
    let id = subscription.microsoft.id;
    subscription.term = Some(first.term);
    subscription.trial_end = first.trial_end;
    subscription.grace_end = Some(first.grace_end);
    write_subscription(app, tx, &mut subscription, now).await?;
    let new = NewCharges {
        subscription_id: id,
        cause_id: enrolment.quote_id,
        reason: Reason::Enrolment,
        plan_id: &subscription.microsoft.plan_id,
        term_start: first.term.start,
        lines: charges,
        part: first.part,
        users: subscription.users,
        from_users: None,
        reportable_from: first.reportable_from,
        state: State::Held,
    };
    tx.insert_charges(new, now).await?;
    let key = issue_key(app, tx, &subscription, enrolment, now).await?;
    match &key {
        Some(key) => {
            let activated = Activated { subscription: &subscription, enrolment, frozen, first };
            let mail = welcome_mail(app, activated, charges, key, claims_of(key)?.provisional)?;
            tx.queue_mail(&mail, now).await?;
        }
        // A vault signs it, and the mail goes with it.
        None if !app.keyring.signs_here() => {}
        None => return Err(AppError::Internal(format!("{id} was activated and has no first key"))),
    }
    let detail = serde_json::json!({
        "users": frozen.order.users, "charges": charges.len(),
        "license": key.as_ref().map(|key| &key.license_id), "seq": key.as_ref().map(|key| key.seq),
    });
    audit(tx, id, "seatkey", "subscription_activated", &detail, now);
    Ok(())
}

/// The welcome mail of an activation whose first key was signed after it; `None` where there is no activation.
pub(super) async fn late_welcome(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    enrolment: &Enrolment,
    key: &LicenseKey,
) -> Result<Option<NewMail>, AppError> {
    let Some((enrolled, term)) = subscription.stage.enrolled().zip(subscription.term) else { return Ok(None) };
    let frozen: FrozenQuote = tx.get_quote(enrolment.quote_id).await?.frozen;
    let (first, charges) = frozen.at_activation(term, enrolled.activated_at.max(enrolment.submitted_at))?;
    let activated = Activated { subscription, enrolment, frozen: &frozen, first: &first };
    welcome_mail(app, activated, &charges, key, claims_of(key)?.provisional).map(Some)
}
