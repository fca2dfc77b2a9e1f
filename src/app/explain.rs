//! Why each charge of a subscription, where it stands, on which invoice it is: gathered for `domain/explanation`.

use time::Date;
use uuid::Uuid;

use super::{App, AppError, PRICE_RISEN};
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
    let credits = app.store.list_credits(microsoft.id).await?;
    let sent = |event: &UsageEvent| Sent { charge_id: event.charge_id, slot: event.slot, attempts: event.attempts };
    let sent: Vec<Sent> = events.iter().map(sent).collect();
    let adopted = app.store.list_adopted_usage(&[microsoft.id], Date::MIN).await?;
    let adopted: Vec<(Uuid, Date)> =
        adopted.iter().filter_map(|one| Some((one.cause.parse().ok()?, one.place.day))).collect();
    let findings = app.store.list_findings(microsoft.id).await?;
    let risen = findings.iter().filter(|finding| finding.kind == PRICE_RISEN);
    let price_risen: Vec<Uuid> = risen.filter_map(|finding| finding.cause.parse().ok()).collect();
    let plans = app.catalog.find_offer(&microsoft.offer_id).map_or(&[][..], |offer| &offer.plans);
    let plan = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id).map(|(_, plan)| &**plan);
    let now = app.clock.now();
    Ok(explain(Facts {
        subscription,
        plan,
        plans,
        charges,
        sent: &sent,
        adopted: &adopted,
        price_risen: &price_risen,
        credits: &credits,
        steps: &steps,
        renewal,
        now,
    }))
}
