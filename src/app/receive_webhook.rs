//! A webhook comes in: its token is checked, its raw body is stored with the job that acts on it, and only then Microsoft
//! reads 200. What the catalog alone refuses is answered with a 4xx at once, the rejection that Microsoft honours.

use super::{App, AppError, token_digest};
use crate::{
    domain::{
        catalog::Model,
        change::{PlanChangeRefused, SeatsRefused, check_plan_change, check_seats},
        subscription::{Stage, Subscription},
    },
    marketplace::WebhookBody,
    store::NewWebhook,
};
use serde_json::Value;

/// What Microsoft is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Stored; it is acted upon after the answer.
    Stored,
    /// Stored, and refused by the catalog alone; the reason is in the buyer's words.
    Refused(String),
    /// Nobody can read it; the reason is for Microsoft's log.
    Unreadable(&'static str),
}

/// Stores a webhook whose token is verified. `claims` are those of the token.
///
/// # Errors
/// [`AppError::Store`]: nothing is stored, and Microsoft has to send it again.
pub async fn receive_webhook(app: &App, body: &[u8], claims: &Value) -> Result<Received, AppError> {
    let Some((text, webhook)) = read(body) else {
        let count = app.meters.unreadable_webhook();
        app.meters.webhook(None, "unreadable");
        tracing::warn!(bytes = body.len(), count, "a webhook with a verified token cannot be read");
        return Ok(Received::Unreadable("the body is no JSON object with an action and a subscriptionId"));
    };
    let stored = store(app, text, &webhook, claims).await;
    let outcome = match &stored {
        Ok((_, Some(_))) => "refused",
        Ok((true, None)) => "stored",
        Ok((false, None)) => "repeated",
        Err(_) => "not_stored",
    };
    app.meters.webhook(Some(&webhook.action), outcome);
    let (is_new, refusal) = stored?;
    if is_new {
        app.wake.notify_one();
    }
    Ok(refusal.map_or(Received::Stored, Received::Refused))
}

/// Says whether it was new, and why it is refused, where it is.
async fn store(
    app: &App,
    text: &str,
    webhook: &WebhookBody,
    claims: &Value,
) -> Result<(bool, Option<String>), AppError> {
    let refusal = early_refusal(app, webhook).await?.map(|refusal| refusal.to_string());
    // Old forms name no operation: then the body itself tells whether it came before.
    let operation_id = webhook.operation_id.clone().unwrap_or_else(|| token_digest(text));
    let claims = claims.to_string();
    let new = NewWebhook {
        operation_id: &operation_id,
        action: &webhook.action,
        subscription_id: Some(webhook.subscription_id),
        body: text,
        claims: &claims,
        refusal: refusal.as_deref(),
    };
    let tx = app.store.begin().await?;
    let is_new = tx.insert_webhook(new, app.clock.now()).await?;
    tx.commit().await?;
    Ok((is_new, refusal))
}

fn read(body: &[u8]) -> Option<(&str, WebhookBody)> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))?;
    Some((text, WebhookBody::read(text)?))
}

/// Why the catalog alone refuses a change that the customer asks for in Microsoft's portals.
async fn early_refusal(app: &App, webhook: &WebhookBody) -> Result<Option<ChangeNotTaken>, AppError> {
    let changes = matches!(webhook.action.as_str(), "ChangePlan" | "ChangeQuantity");
    if !changes || webhook.is_ours() || webhook.is_revert() {
        return Ok(None);
    }
    let known = app.store.find_subscription(webhook.subscription_id).await?;
    Ok(known.and_then(|known| refusal_of(app, &known, &webhook.action, webhook.plan_id.as_deref(), webhook.quantity)))
}

/// Why the catalog refuses a change that the customer asks for in Microsoft's portals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ChangeNotTaken {
    /// Another plan.
    #[error(transparent)]
    Plan(#[from] PlanChangeRefused),
    /// Another number of seats.
    #[error(transparent)]
    Seats(#[from] SeatsRefused),
}

/// Why the catalog refuses a change of plan or seats; `None` when it does not. What has ended or was never enrolled has
/// nothing to lose.
pub(super) fn refusal_of(
    app: &App,
    known: &Subscription,
    action: &str,
    plan_id: Option<&str>,
    quantity: Option<u32>,
) -> Option<ChangeNotTaken> {
    if matches!(known.stage, Stage::AwaitingEnrolment | Stage::Ended { .. }) {
        return None;
    }
    let (offer, plan) = app.catalog.find_plan(&known.microsoft.offer_id, &known.microsoft.plan_id)?;
    match (action, plan_id, quantity) {
        ("ChangePlan", Some(to), _) => check_plan_change(offer, &plan.id, to).err().map(Into::into),
        ("ChangeQuantity", _, Some(seats)) if plan.model == Model::PerUser => {
            check_seats(plan, seats).err().map(Into::into)
        }
        _ => None,
    }
}
