//! The job that acts on a stored webhook. Its body is only a hint: the operation decides where there is one, the
//! subscription everywhere else. Every step may run twice, so the inbox can be replayed.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{
    App, AppError, Step,
    converge::{Converged, ask_and_converge, audit, queue},
    life_mail::Letter,
    open_purchase::note_credential,
    receive_webhook::{ChangeNotTaken, refusal_of},
};
use crate::{
    domain::{
        change::SeatsRefused,
        subscription::{Event, Snapshot, Subscription},
    },
    marketplace::{MarketplaceError, WebhookBody, wire::Operation},
    pages::mail::life::{LifeEvent, RefusalReason, RefusedChange},
    store::{ChangeState, JobKind, Lease, NewChange, Tx, Webhook},
};

/// An accepted change is not always there at the next look.
const SECOND_LOOK: Duration = Duration::seconds(30);

/// Acts on a webhook; the lease ends together with the note of what came of it.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn handle_webhook(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(webhook) = app.store.find_webhook(id).await?.filter(|webhook| webhook.outcome.is_none()) else {
        return Ok(Step::Done);
    };
    let (Some(subscription_id), Some(body)) = (webhook.subscription_id, WebhookBody::read(&webhook.body)) else {
        return Ok(Step::Done);
    };
    let answered = match body.action.as_str() {
        "ChangePlan" | "ChangeQuantity" | "Reinstate" => answer_operation(app, subscription_id, &webhook).await?,
        _ => Answered::NotifyOnly,
    };
    let ended_at = (body.action == "Unsubscribe").then(|| time_stamp(&body)).flatten();
    let converged = match ask_and_converge(app, subscription_id, ended_at).await {
        // A body that names what Microsoft does not know: there is nothing to follow.
        Err(AppError::Marketplace(MarketplaceError::NotFound(_))) => None,
        other => Some(other?),
    };
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    if let Some(converged) = &converged {
        follow_up(app, &tx, &webhook, &answered, converged, now).await?;
    }
    tx.record_webhook_handled(webhook.id, &outcome(&answered, converged.as_ref()), now).await?;
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

fn time_stamp(body: &WebhookBody) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(body.time_stamp.as_deref()?, &Rfc3339).ok()
}

/// What was said to an operation.
#[derive(Debug)]
enum Answered {
    /// There is none to answer.
    NotifyOnly,
    /// Microsoft does not know it.
    Unknown,
    /// It is our own, or over already.
    Nothing(Operation),
    /// Yes.
    Accepted(Operation),
    /// No, with the reason in the buyer's words.
    Refused(Operation, ChangeNotTaken),
}

/// Asks Microsoft what the operation really is, and answers that.
async fn answer_operation(app: &App, id: Uuid, webhook: &Webhook) -> Result<Answered, AppError> {
    let answer = app.marketplace.get_operation(id, &webhook.operation_id).await;
    note_credential(app, answer.as_ref().err());
    let operation = match answer {
        Err(MarketplaceError::NotFound(_)) => return Ok(Answered::Unknown),
        other => other?.value,
    };
    let known = app.store.find_subscription(id).await?;
    let refusal = known.and_then(|known| {
        refusal_of(app, &known, &operation.action, operation.plan_id.as_deref(), operation.quantity())
    });
    if !operation.is_open() || operation.is_ours() {
        // A 4xx may have rejected it already: the buyer is to read why.
        return Ok(match refusal.filter(|_| webhook.refusal.is_some()) {
            Some(reason) => Answered::Refused(operation, reason),
            None => Answered::Nothing(operation),
        });
    }
    let accept = refusal.is_none();
    let word = if accept { "accept_operation" } else { "refuse_operation" };
    let call_id = app.store.record_intent(id, word, app.clock.now()).await?;
    let answer = app.marketplace.update_operation(id, &webhook.operation_id, accept).await;
    note_credential(app, answer.as_ref().err());
    let now = app.clock.now();
    match answer {
        Ok(answer) => {
            let ids = Some((answer.request_id.as_str(), answer.correlation_id.as_str()));
            app.store.record_answer(call_id, "accepted", ids, now).await?;
        }
        Err(error @ MarketplaceError::NoAnswer(_)) => return Err(error.into()),
        // Decided already, by its ten seconds or by another worker: the subscription tells what is true.
        Err(error @ (MarketplaceError::Conflict(_) | MarketplaceError::Refused { .. })) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
        }
        Err(error) => {
            app.store.record_answer(call_id, &error.to_string(), None, now).await?;
            return Err(error.into());
        }
    }
    Ok(match refusal {
        None => Answered::Accepted(operation),
        Some(reason) => Answered::Refused(operation, reason),
    })
}

/// What the buyer and the next look have to know.
async fn follow_up(
    app: &App,
    tx: &Tx,
    webhook: &Webhook,
    answered: &Answered,
    converged: &Converged,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let subscription = &converged.subscription;
    match answered {
        Answered::Accepted(operation) if !is_visible(operation, &subscription.microsoft) => {
            look_again(tx, subscription, now).await
        }
        // Where Microsoft did it all the same, a person has been told, and the buyer sees what is.
        Answered::Refused(operation, _) if is_visible(operation, &subscription.microsoft) => Ok(()),
        Answered::Refused(operation, _) if operation.status == "Succeeded" => look_again(tx, subscription, now).await,
        Answered::Refused(operation, refusal) => note_refusal(app, tx, subscription, operation, refusal, now).await,
        _ if webhook.refusal.is_some() => {
            let detail = serde_json::json!({ "operation": webhook.operation_id, "reason": webhook.refusal });
            audit(tx, subscription.microsoft.id, "seatkey", "change_refused", &detail, now);
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn look_again(tx: &Tx, subscription: &Subscription, now: OffsetDateTime) -> Result<(), AppError> {
    let (id, at) = (subscription.microsoft.id, now.saturating_add(SECOND_LOOK));
    Ok(tx.schedule_job(JobKind::ReconcileSubscription, id, at, now).await?)
}

fn is_visible(operation: &Operation, snapshot: &Snapshot) -> bool {
    match operation.action.as_str() {
        "ChangePlan" => operation.plan_id.as_ref() == Some(&snapshot.plan_id),
        "ChangeQuantity" => operation.quantity() == snapshot.quantity,
        _ => snapshot.status == crate::domain::subscription::MicrosoftStatus::Subscribed,
    }
}

/// Keeps the reason for the account page, and writes to the buyer.
async fn note_refusal(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    operation: &Operation,
    refusal: &ChangeNotTaken,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let id = subscription.microsoft.id;
    let body =
        serde_json::json!({ "action": operation.action, "plan": operation.plan_id, "seats": operation.quantity() });
    let change = NewChange {
        id: crate::clock::new_id(now),
        subscription_id: id,
        kind: REFUSED_CHANGE,
        cause: format!("operation:{}", operation.id),
        body,
        state: ChangeState::Pending,
        shown_to: None,
        expires_at: now,
    };
    if !tx.insert_change(&change, now).await? {
        return Ok(());
    }
    tx.decide_change(change.id, (ChangeState::Pending, ChangeState::Refused), Some(&refusal.to_string()), now).await?;
    let plan_id = operation.plan_id.as_deref().unwrap_or_default();
    let plan = app.catalog.find_plan(&subscription.microsoft.offer_id, plan_id);
    let name = plan.map_or(plan_id, |(_, plan)| &plan.name);
    let what = match operation.quantity().filter(|_| operation.action == "ChangeQuantity") {
        Some(to) => RefusedChange::Seats { to, in_portal: true },
        None => RefusedChange::Plan { to: name },
    };
    let reason = match refusal {
        ChangeNotTaken::Plan(_) => RefusalReason::NotASuccessor,
        ChangeNotTaken::Seats(SeatsRefused::TooFew(minimum)) => RefusalReason::TooFew(*minimum),
    };
    let enrolment = tx.find_enrolment(id).await?;
    let letter = Letter { subscription, enrolment: enrolment.as_ref(), key: None, cause: &operation.id };
    queue(app, tx, letter, &LifeEvent::ChangeRefused { reason, what }, now).await?;
    let detail = serde_json::json!({ "operation": operation.id, "reason": refusal.to_string() });
    audit(tx, id, "seatkey", "change_refused", &detail, now);
    Ok(())
}

/// The kind of a change that somebody asked for at Microsoft and that was refused.
pub const REFUSED_CHANGE: &str = "refused_at_microsoft";

fn outcome(answered: &Answered, converged: Option<&Converged>) -> String {
    let said = match answered {
        Answered::NotifyOnly => "no operation to answer".to_owned(),
        Answered::Unknown => "Microsoft does not know the operation".to_owned(),
        Answered::Nothing(operation) => format!("the operation is {}", operation.status),
        Answered::Accepted(_) => "accepted".to_owned(),
        Answered::Refused(_, reason) => format!("refused: {reason}"),
    };
    let found = match converged {
        None => "Microsoft does not know the subscription".to_owned(),
        Some(converged) if converged.is_new => "the subscription is new".to_owned(),
        Some(converged) if converged.events.is_empty() => "nothing was new".to_owned(),
        Some(converged) => converged.events.iter().copied().map(Event::name).collect::<Vec<_>>().join(", "),
    };
    format!("{said}; {found}")
}
