//! The buyer submits what they reviewed. Everything is derived again; what differs is shown first. What is accepted becomes
//! one enrolment and one activation job, in one transaction.

use uuid::Uuid;

use super::{
    App, AppError, Freshness,
    converge::{ask_and_converge, write_subscription},
    review_order::{keep, price_order},
    use_trial::use_up_trial,
};
use crate::{
    domain::{
        policy::Identity,
        subscription::{Event, NotEnrollable, Stage, Subscription},
    },
    store::{AuditEntry, Enrolment, JobKind, StoreError, StoredQuote},
};

/// What became of a submit.
#[derive(Debug)]
pub enum Submitted {
    /// The order is accepted; activation is on its way.
    Accepted,
    /// It was accepted before: a double click, a second tab, a reload.
    AlreadyAccepted,
    /// Something is different now; the new figures wait for review.
    Changed {
        /// The new quote.
        quote_id: Uuid,
    },
}

/// Submits a reviewed order.
///
/// # Errors
/// [`AppError::Forbidden`] for a quote of another person or subscription; else as [`preview_order`](super::preview_order).
pub async fn submit_order(
    app: &App,
    who: Identity,
    subscription: &Subscription,
    quote_id: Uuid,
) -> Result<Submitted, AppError> {
    let id = subscription.microsoft.id;
    let quote = app.store.find_quote(quote_id).await?.ok_or(AppError::Forbidden)?;
    if quote.subscription_id != id || quote.shown_to != who {
        return Err(AppError::Forbidden);
    }
    if is_enrolled(subscription) {
        return Ok(Submitted::AlreadyAccepted);
    }
    // Microsoft may have activated, changed or ended it since the review was shown.
    let subscription = ask_and_converge(app, id, None).await?.subscription;
    let order = quote.frozen.order.clone();
    let fresh = match price_order(app, &subscription, order, Freshness::Ordered).await {
        Err(AppError::NotEnrollable(NotEnrollable::AlreadyEnrolled)) => return Ok(Submitted::AlreadyAccepted),
        other => other?,
    };
    let expired = app.clock.now() >= quote.expires_at;
    if expired || !quote.frozen.promises_the_same_as(&fresh) {
        let quote_id = keep(app, who, &subscription, fresh).await?;
        return Ok(Submitted::Changed { quote_id });
    }
    match accept(app, who, subscription, &quote).await {
        Ok(()) => Ok(Submitted::Accepted),
        // A unique key or a row version says that somebody else submitted in the same moment, or used the trial up.
        Err(AppError::Store(StoreError::Conflict(_))) => after_conflict(app, who, &quote).await,
        Err(error) => Err(error),
    }
}

fn is_enrolled(subscription: &Subscription) -> bool {
    !matches!(subscription.stage, Stage::AwaitingEnrolment)
}

/// Somebody else ordered this subscription: then that counts. Somebody else used what this order was priced with: then the
/// new figures are shown first.
async fn after_conflict(app: &App, who: Identity, quote: &StoredQuote) -> Result<Submitted, AppError> {
    let known = app.store.find_subscription(quote.subscription_id).await?;
    let Some(subscription) = known else { return Err(StoreError::Conflict("subscription").into()) };
    if is_enrolled(&subscription) {
        return Ok(Submitted::AlreadyAccepted);
    }
    let fresh = price_order(app, &subscription, quote.frozen.order.clone(), Freshness::Ordered).await?;
    if quote.frozen.promises_the_same_as(&fresh) {
        return Err(StoreError::Conflict("subscription").into());
    }
    let quote_id = keep(app, who, &subscription, fresh).await?;
    Ok(Submitted::Changed { quote_id })
}

/// One transaction: the order, the stage, the trial, the audit entry and the job.
async fn accept(app: &App, who: Identity, mut subscription: Subscription, quote: &StoredQuote) -> Result<(), AppError> {
    let now = app.clock.now();
    let id = subscription.microsoft.id;
    let order = &quote.frozen.order;
    let tx = app.store.begin().await?;
    subscription.stage = subscription.stage.on(Event::OrderSubmitted, now)?;
    subscription.users = order.users;
    subscription.segment = quote.frozen.segment().map(ToString::to_string);
    write_subscription(app, &tx, &mut subscription, now).await?;
    tx.insert_enrolment(&Enrolment {
        subscription_id: id,
        quote_id: quote.id,
        organisation: order.organisation.clone(),
        buyer_name: order.buyer_name.clone(),
        buyer_email: order.buyer_email.clone(),
        technical_contact: order.technical_contact.clone(),
        submitted_at: now,
        language: order.language.clone(),
    })
    .await?;
    use_up_trial(app, &tx, &subscription, &quote.frozen, now).await?;
    let actor = format!("buyer:{}/{}", who.tenant_id, who.object_id);
    let detail = serde_json::json!({
        "quote": quote.id, "users": order.users, "trialDays": quote.frozen.first.trial_days,
        "trials": quote.frozen.trial_grants,
    })
    .to_string();
    let entry = AuditEntry { subscription_id: id, actor: &actor, action: "order_submitted", detail: &detail };
    tx.record_audit(entry, now);
    tx.insert_job(JobKind::ActivateSubscription, id, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}
