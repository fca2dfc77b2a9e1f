//! Why each charge of a subscription, where it stands, on which invoice it is: gathered for `domain/explanation`.

use super::{App, AppError};
use crate::{
    domain::{
        charge::Charge,
        explanation::{Explanation, Facts, Sent, explain},
        pricing::Quote,
        subscription::Subscription,
    },
    store::UsageEvent,
};

/// Explains a subscription with its ledger. `renewal`: what the next one costs at today's prices, where that is known.
///
/// # Errors
/// [`AppError::Store`].
pub async fn explain_charges(
    app: &App,
    subscription: &Subscription,
    charges: &[Charge],
    renewal: Option<&Quote>,
) -> Result<Explanation, AppError> {
    let microsoft = &subscription.microsoft;
    let events = app.store.list_usage_events(microsoft.id).await?;
    let steps = app.store.list_charge_steps(microsoft.id).await?;
    let sent = |event: &UsageEvent| Sent { charge_id: event.charge_id, slot: event.slot, attempts: event.attempts };
    let sent: Vec<Sent> = events.iter().map(sent).collect();
    let plan = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id).map(|(_, plan)| &**plan);
    let now = app.clock.now();
    Ok(explain(Facts { subscription, plan, charges, sent: &sent, steps: &steps, renewal, now }))
}
