//! Charges whose hold is over become due: after Microsoft has said that the subscription is `Subscribed`, and if the meter
//! does not cost more than what was shown (`product.md` §4, *Reporting*).

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError, Freshness, Step,
    converge::{ask_and_converge, find_out},
    find_prices,
};
use crate::{
    domain::{
        charge::{Charge, State},
        enrolment::TodaysPrices,
        subscription::{MicrosoftStatus, Stage, Subscription},
    },
    store::{JobKind, Lease, Tx},
};

/// So many subscriptions are asked for at once.
const AT_ONCE: u64 = 500;
/// What is still held after a look is looked at again after so long; an event (a reinstatement) comes sooner by itself.
const PUT_OFF: Duration = Duration::hours(1);
/// The kind of finding: the meter of a charge costs more than what was shown; its cause is the charge.
pub const PRICE_RISEN: &str = "price_risen";
/// The kind of finding: Microsoft does not delete what a buyer withdrew from.
pub(super) const WITHDRAWAL_REFUSED: &str = "withdrawal_refused";

/// Asks for a release of everything whose hold is over.
pub(super) async fn ask_for_releases(app: &App, now: OffsetDateTime) -> Result<(), AppError> {
    let ids = app.store.list_subscriptions_with_ended_holds(AT_ONCE, now).await?;
    if ids.is_empty() {
        return Ok(());
    }
    let tx = app.store.begin().await?;
    tx.put_off_holds(&ids, now + PUT_OFF).await?;
    tx.schedule_jobs(JobKind::ReleaseCharges, ids, now, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// The job: releases what is over of one subscription.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn release_charges(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    // What follows from a suspension or an end is written by this, too.
    let converged = ask_and_converge(app, id, None).await?;
    let subscription = converged.subscription;
    // An answer that nobody understands, or an old one, leaves the row as it was: the word itself counts.
    if converged.told != MicrosoftStatus::Subscribed || !may_be_told(&subscription) {
        return Ok(Step::Done);
    }
    let prices = prices(app, &subscription).await?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    if may_be_told(&subscription) {
        release(&tx, &subscription, prices.as_ref(), now).await?;
        tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?;
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Step::Done)
}

/// Whether anything may be told of it: it runs, and nobody has withdrawn.
fn may_be_told(subscription: &Subscription) -> bool {
    subscription.microsoft.status == MicrosoftStatus::Subscribed
        && matches!(subscription.stage, Stage::Active(_))
        && subscription.withdrawn_at.is_none()
}

/// Today's prices of the plan; `None` where nobody names any: then there is nothing to compare with.
async fn prices(app: &App, subscription: &Subscription) -> Result<Option<TodaysPrices>, AppError> {
    let microsoft = &subscription.microsoft;
    let Some((_, plan)) = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id) else { return Ok(None) };
    match find_prices(app, microsoft, plan, Freshness::Ordered).await {
        Err(AppError::NoPrice { reason, .. }) => {
            tracing::warn!(subscription = %microsoft.id, reason, "released without a price to compare with");
            Ok(None)
        }
        other => other,
    }
}

async fn release(
    tx: &Tx,
    subscription: &Subscription,
    prices: Option<&TodaysPrices>,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let id = subscription.microsoft.id;
    // The buyer wanted to withdraw, and Microsoft refused: a person decides.
    let findings = tx.list_findings(id).await?;
    if findings.iter().any(|finding| finding.kind == WITHDRAWAL_REFUSED) {
        return Ok(());
    }
    let charges = tx.list_charges(id).await?;
    let over = charges.iter().filter(|charge| charge.state == State::Held && charge.reportable_from <= now);
    let (own, former): (Vec<&Charge>, Vec<&Charge>) = over.partition(|charge| is_of_plan(charge, subscription));
    if !former.is_empty() {
        // What is held is told under the new plan.
        tx.schedule_job(JobKind::RewriteCharges, id, now, now).await?;
    }
    let over = own.into_iter();
    let (risen, free): (Vec<&Charge>, Vec<&Charge>) = over.partition(|charge| has_risen(charge, prices));
    let ids: Vec<Uuid> = free.iter().map(|charge| charge.id).collect();
    tx.move_charges(&ids, (State::Held, State::Due), "its hold is over", now).await?;
    for charge in free {
        // The price may have come back.
        tx.resolve_charge_findings(id, charge.id, now).await?;
    }
    for charge in risen {
        let today = prices.and_then(|prices| prices.list.price(&charge.dimension));
        let detail = format!(
            "{} was shown at {} and costs {} now: Microsoft would charge more than was shown. It stays held until the price \
             is back or somebody decides (`seatkey ledger resolve`).",
            charge.description,
            charge.unit_price,
            today.map_or_else(String::new, |price| price.to_string()),
        );
        find_out(tx, subscription, PRICE_RISEN, &charge.id.to_string(), &detail, now).await?;
    }
    Ok(())
}

fn is_of_plan(charge: &Charge, subscription: &Subscription) -> bool {
    charge.plan_id.as_ref().is_none_or(|plan_id| *plan_id == *subscription.microsoft.plan_id)
}

fn has_risen(charge: &Charge, prices: Option<&TodaysPrices>) -> bool {
    let today = prices.and_then(|prices| prices.list.price(&charge.dimension));
    today.is_some_and(|today| today.value() > charge.unit_price.value())
}
