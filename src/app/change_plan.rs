//! A change of plan at Microsoft (`product.md` §4.8): to the successor, held charges are written anew; to anything else,
//! everything that is not reported yet is frozen, and a person decides.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, AppError, Freshness, Step,
    converge::{audit, find_out, has_ended, write_subscription},
    find_prices,
    issue_key::issue_key,
};
use crate::{
    clock::new_id,
    domain::{
        catalog::{Plan, PriceList},
        change::check_plan_change,
        charge::{Charge, State},
        money::Amount,
        pricing::Line,
        subscription::Subscription,
    },
    store::{ChangeState, JobKind, Lease, NewChange, NewCharges, Tx},
};

/// What follows from another plan at Microsoft.
pub(super) async fn plan_changed(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    before: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let microsoft = &subscription.microsoft;
    let offer = app.catalog.find_offer(&microsoft.offer_id);
    let refused = match offer {
        Some(offer) => check_plan_change(offer, before, &microsoft.plan_id).err().map(|refused| refused.to_string()),
        None => Some(format!("the catalog has no offer \"{}\"", microsoft.offer_id)),
    };
    match refused {
        None => Ok(tx.schedule_job(JobKind::RewriteCharges, microsoft.id, now, now).await?),
        Some(reason) => {
            freeze_charges(tx, subscription, &reason, now).await?;
            let detail = format!(
                "Microsoft changed the plan from {before} to {} although it was refused ({reason}). Nothing more is \
                 reported until somebody decides.",
                microsoft.plan_id
            );
            find_out(tx, subscription, "plan_changed", &microsoft.plan_id, &detail, now).await
        }
    }
}

/// Sets everything that is not reported yet aside.
async fn freeze_charges(
    tx: &Tx,
    subscription: &Subscription,
    reason: &str,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let charges = tx.list_charges(subscription.microsoft.id).await?;
    for from in [State::Held, State::Due] {
        let ids: Vec<Uuid> = charges.iter().filter(|charge| charge.state == from).map(|charge| charge.id).collect();
        tx.move_charges(&ids, (from, State::Frozen), reason, now).await?;
    }
    Ok(())
}

/// The job that writes held charges anew for the successor plan: the same quantities in its dimensions, at its prices, and
/// never more than what was shown.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn rewrite_charges(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    let Some(subscription) = app.store.find_subscription(id).await? else { return Ok(Step::Done) };
    let microsoft = &subscription.microsoft;
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let prices = find_prices(app, microsoft, plan, Freshness::Ordered).await;
    if prices.is_err() && has_ended(app, id).await? {
        return Ok(Step::Done);
    }
    let Some(prices) = prices? else { return Ok(Step::Done) };
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    if subscription.microsoft.plan_id == *plan.id {
        for charge in tx.list_charges(id).await?.iter().filter(|charge| charge.state == State::Held) {
            rewrite(app, &tx, &subscription, charge, (plan, &prices.list), now).await?;
        }
        subscription.segment = segment_in(app, &subscription, plan);
        let enrolment = tx.find_enrolment(id).await?;
        if let Some(enrolment) = &enrolment {
            issue_key(app, &tx, &subscription, enrolment, now).await?;
        }
        // The row's version keeps a change of users in the same moment apart from this.
        write_subscription(app, &tx, &mut subscription, now).await?;
        audit(&tx, id, "seatkey", "charges_rewritten", &serde_json::json!({ "plan": &*plan.id }), now);
    }
    tx.finish_job(lease).await?;
    tx.commit().await?;
    Ok(Step::Done)
}

async fn rewrite(
    app: &App,
    tx: &Tx,
    subscription: &Subscription,
    charge: &Charge,
    (plan, prices): (&Plan, &PriceList),
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let under_it = charge.plan_id.as_deref() == Some(&*plan.id);
    let unchanged =
        |line: &Line| under_it && *line.dimension == *charge.dimension && line.unit_price == charge.unit_price;
    match line_in(app, subscription, charge, plan, prices) {
        Some(line) if unchanged(&line) => Ok(()),
        Some(line) if line.amount.minor <= charge.amount.minor => {
            tx.move_charges(&[charge.id], (State::Held, State::Cancelled), "written anew for another plan", now)
                .await?;
            let new = NewCharges {
                subscription_id: subscription.microsoft.id,
                cause_id: record_rewrite(tx, subscription, charge, plan, now).await?,
                reason: charge.reason,
                plan_id: &plan.id,
                term_start: charge.term_start,
                lines: &[line],
                part: charge.part.unwrap_or_else(|| whole(subscription)),
                users: charge.users,
                from_users: charge.from_users,
                reportable_from: charge.reportable_from,
                state: State::Held,
            };
            Ok(tx.insert_charges(new, now).await?)
        }
        found => {
            let what = if found.is_some() { "would cost more than what was shown" } else { "has no counterpart" };
            let detail = format!("{} {what} in plan {}; decide what is reported", charge.description, plan.id);
            tx.move_charges(&[charge.id], (State::Held, State::Frozen), &detail, now).await?;
            find_out(tx, subscription, "charge_frozen", &charge.id.to_string(), &detail, now).await
        }
    }
}

/// The rewriting as a cause of its own, with the frozen figures of the first one: they say what an upgrade came from.
async fn record_rewrite(
    tx: &Tx,
    subscription: &Subscription,
    charge: &Charge,
    plan: &Plan,
    now: OffsetDateTime,
) -> Result<Uuid, AppError> {
    let first = tx.find_change::<serde_json::Value>(charge.cause_id).await?;
    let change = NewChange {
        id: new_id(now),
        subscription_id: subscription.microsoft.id,
        kind: "rewriting",
        cause: format!("rewriting:{}:{}", plan.id, charge.id),
        body: first.map_or(serde_json::Value::Null, |first| first.body),
        state: ChangeState::Done,
        shown_to: None,
        expires_at: now,
    };
    tx.insert_change(&change, now).await?;
    Ok(change.id)
}

/// The segment of the new plan that includes as many users as the present one.
fn segment_in(app: &App, subscription: &Subscription, plan: &Plan) -> Option<String> {
    let offer = app.catalog.find_offer(&subscription.microsoft.offer_id)?;
    let name = subscription.segment.as_deref()?;
    let segments = || offer.plans.iter().flat_map(|plan| plan.segments());
    let included = segments().find(|segment| *segment.name == *name)?.included;
    let same = plan.segments().iter().find(|segment| segment.included == included);
    Some(same.map_or_else(|| name.to_owned(), |segment| segment.name.to_string()))
}

fn whole(subscription: &Subscription) -> crate::domain::proration::Part {
    let days = subscription.term.map_or(1, |term| term.days());
    crate::domain::proration::Part { days, of_days: days }
}

/// A charge in another plan of the offer: in the segment that includes as many users, or the extra of the same name.
fn line_in(app: &App, subscription: &Subscription, charge: &Charge, plan: &Plan, prices: &PriceList) -> Option<Line> {
    let offer = app.catalog.find_offer(&subscription.microsoft.offer_id)?;
    let position = |dimension: &str| {
        offer.plans.iter().filter(|old| *old.id != *plan.id).find_map(|old| {
            let segments = old.segments().iter();
            let base = segments.clone().find(|segment| *segment.base_dimension == *dimension);
            let user = segments.clone().find(|segment| *segment.user_dimension == *dimension);
            base.map(|segment| (segment.included, true)).or_else(|| user.map(|segment| (segment.included, false)))
        })
    };
    let dimension = match (charge.line(plan), position(&charge.dimension)) {
        (Some(line), _) => line.dimension,
        (None, Some((included, is_base))) => {
            let segment = plan.segments().iter().find(|segment| segment.included == included)?;
            if is_base { segment.base_dimension.clone() } else { segment.user_dimension.clone() }
        }
        (None, None) => return None,
    };
    let unit_price = prices.price(&dimension)?;
    let amount = Amount::of_line(charge.quantity, unit_price, prices.currency).ok()?;
    Charge { dimension: dimension.to_string(), unit_price, amount, ..charge.clone() }.line(plan)
}
