//! The buyer withdraws while the first charges are held: the subscription is deleted at Microsoft, and when Microsoft says
//! that it has ended, held charges are cancelled and the license is revoked (`product.md` §4.1).

use time::Duration;
use uuid::Uuid;

use super::{
    App, AppError, Deed, Step,
    converge::{ask_and_converge, find_out, write_subscription},
    open_purchase::note_credential,
};
use crate::{
    domain::{
        change::{ChangeRefused, may_lower},
        policy::Identity,
        subscription::{Event, Stage},
    },
    marketplace::MarketplaceError,
    store::{JobKind, Lease},
};

/// Microsoft takes moments, sometimes minutes, from "received" to `Unsubscribed`.
const POLL: Duration = Duration::seconds(3);
/// What is kept of a deletion that Microsoft has taken, before the id of its operation.
const ACCEPTED: &str = "accepted";
/// "Received" without an effect for so long: ask again.
const RECEIVED_IS_STALE: Duration = Duration::minutes(10);

/// Accepts a withdrawal. A second one changes nothing.
///
/// # Errors
/// [`AppError::Change`] when it is too late for it; [`AppError::Store`] with a conflict.
pub async fn ask_withdrawal(app: &App, who: Identity, id: Uuid) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    if subscription.withdrawn_at.is_some() {
        return Ok(());
    }
    subscription.stage = subscription.stage.on(Event::WithdrawalAsked, now)?;
    if !may_lower(&subscription, &tx.list_charges(id).await?, now) {
        return Err(ChangeRefused::TooLate.into());
    }
    subscription.withdrawn_at = Some(now);
    write_subscription(app, &tx, &mut subscription, now).await?;
    tx.schedule_job(JobKind::WithdrawSubscription, id, now, now).await?;
    Deed::from(who).record(&tx, id, "withdrawal_asked", serde_json::json!({}), now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// The job that brings it to its end.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn withdraw_subscription(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(known) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    let Some(withdrawn_at) = known.withdrawn_at else { return Ok(Step::Done) };
    let subscription = ask_and_converge(app, id, Some(withdrawn_at)).await?.subscription;
    if matches!(subscription.stage, Stage::Ended { .. }) {
        return Ok(Step::Done);
    }
    let now = app.clock.now();
    let last = app.store.find_newest_call(id, "cancel").await?;
    // What was taken before this withdrawal was asked for belongs to another one.
    let accepted = last.filter(|call| call.intended_at >= withdrawn_at).and_then(|call| {
        let operation_id = call.outcome?.strip_prefix(ACCEPTED)?.trim_start_matches(' ').to_owned();
        Some((operation_id, call.intended_at))
    });
    if let Some((operation_id, intended_at)) = accepted {
        match how_it_went(app, id, &operation_id).await? {
            Some(reason) => return give_back(app, lease, id, &reason).await,
            None if now - intended_at < RECEIVED_IS_STALE => return Ok(Step::Again(POLL)),
            None => {}
        }
    }
    let call_id = app.store.record_intent(id, "cancel", now).await?;
    let answer = app.marketplace.cancel(id).await;
    note_credential(app, answer.as_ref().err());
    let now = app.clock.now();
    match answer {
        Ok(answer) => {
            let ids = Some((answer.request_id.as_str(), answer.correlation_id.as_str()));
            let outcome = format!("{ACCEPTED} {}", answer.value.operation_id);
            app.store.record_answer(call_id, &outcome, ids, now).await?;
            Ok(Step::Again(Duration::SECOND))
        }
        // It has ended already: the next look says so.
        Err(MarketplaceError::Refused { status: 200, .. }) => {
            app.store.record_answer(call_id, ACCEPTED, None, now).await?;
            Ok(Step::Again(Duration::SECOND))
        }
        Err(MarketplaceError::Refused { message, .. }) => {
            app.store.record_answer(call_id, &message, None, now).await?;
            give_back(app, lease, id, &message).await
        }
        Err(error @ MarketplaceError::NoAnswer(_)) => Err(error.into()),
        Err(error) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            Err(error.into())
        }
    }
}

/// Why an accepted deletion came to nothing; `None` while that is not known. Microsoft refuses some after their first three
/// days only then (reference, 2.7).
async fn how_it_went(app: &App, id: Uuid, operation_id: &str) -> Result<Option<String>, AppError> {
    if operation_id.is_empty() {
        return Ok(None);
    }
    let answer = app.marketplace.get_operation(id, operation_id).await;
    note_credential(app, answer.as_ref().err());
    match answer {
        Ok(answer) if matches!(answer.value.status.as_str(), "Failed" | "Conflict") => {
            let words = answer.value.error_message();
            Ok(Some(if words.is_empty() { "the operation failed".to_owned() } else { words.to_owned() }))
        }
        Ok(_) | Err(MarketplaceError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Microsoft will not delete it: the subscription goes on, and a person looks after the buyer.
async fn give_back(app: &App, lease: Lease, id: Uuid, reason: &str) -> Result<Step, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    let cause = subscription.withdrawn_at.take().map_or_else(String::new, |at| at.to_string());
    write_subscription(app, &tx, &mut subscription, now).await?;
    let detail = format!(
        "the buyer withdrew, and Microsoft refuses to delete the subscription ({reason}); help them to cancel it in the \
         Azure portal. Nothing is reported meanwhile; write the held charges off (`seatkey ledger resolve`)"
    );
    find_out(&tx, &subscription, super::release_charges::WITHDRAWAL_REFUSED, &cause, &detail, now).await?;
    tx.finish_job(lease).await?;
    tx.commit().await?;
    Ok(Step::Done)
}
