//! Usage that arrives after it was set aside: `restore finish --freeze` leaves to a person what Microsoft may have without
//! showing it. Shown at last, it is no reason to lock the reporter.

use std::collections::BTreeSet;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError};
use crate::{
    domain::{
        charge::{Charge, State},
        restore::{Candidate, decide_adoption, earliest_day, unexplained},
        subscription::Subscription,
        time::utc_day,
        usage_sums::{Place, Sums},
    },
    store::{AdoptedUsage, Finding, Tx},
};

/// The kind of finding: a frozen charge that Microsoft shows.
const ARRIVED: &str = "charge_arrived";

/// Finds what is set aside in what Microsoft has more, and gives what is left. A frozen charge becomes a finding; one that
/// a person has called accepted is adopted.
pub(super) async fn place_late(app: &App, id: Uuid, excess: Sums, now: OffsetDateTime) -> Result<Sums, AppError> {
    if excess.is_empty() {
        return Ok(excess);
    }
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    let charges = tx.list_charges(id).await?;
    let frozen = charges.iter().filter(|charge| charge.state == State::Frozen);
    let late: Vec<&Charge> = frozen.chain(list_unplaced(&tx, id, &charges).await?).collect();
    let candidates: Vec<Candidate> = late.iter().map(|charge| late_candidate(&subscription, charge)).collect();
    let adoption = decide_adoption(&excess, &candidates);
    for charge in late {
        let place = adoption.adopted.iter().find(|(adopted, _)| *adopted == charge.id).map(|(_, place)| place);
        match (charge.state, place) {
            (State::Frozen, Some(place)) => tx.record_finding(&arrived(id, charge, place, now)).await?,
            (_, Some(place)) => tx.adopt_usage(&shown(id, charge, place), now).await?,
            (_, None) => {}
        }
    }
    tx.commit().await?;
    Ok(unexplained(&adoption, &candidates))
}

/// Charges that a person has called accepted, and nothing says where Microsoft has them.
pub(super) async fn list_unplaced<'a>(
    tx: &Tx,
    id: Uuid,
    charges: &'a [Charge],
) -> Result<impl Iterator<Item = &'a Charge>, AppError> {
    let accepted = || charges.iter().filter(|charge| charge.state == State::Accepted);
    // An event or a sum is never older than the charge.
    let since = accepted().map(earliest_day).min().unwrap_or(Date::MAX);
    let mut placed = BTreeSet::new();
    if since < Date::MAX {
        placed.extend(tx.list_told_usage(&[id], since).await?.into_iter().map(|event| event.charge_id));
        let adopted = tx.list_adopted_usage(&[id], since).await?;
        placed.extend(adopted.iter().filter_map(|one| one.cause.parse::<Uuid>().ok()));
    }
    Ok(accepted().filter(move |charge| !placed.contains(&charge.id)))
}

/// It was told, if at all, before it was set aside.
pub(super) fn late_candidate(subscription: &Subscription, charge: &Charge) -> Candidate {
    Candidate {
        charge_id: charge.id,
        dimension: charge.dimension.clone(),
        plan_id: charge.plan_id.clone().unwrap_or_else(|| subscription.microsoft.plan_id.clone()),
        quantity: charge.quantity,
        earliest: earliest_day(charge),
        latest: Some(utc_day(charge.since)),
        told_on: None,
    }
}

fn arrived(subscription_id: Uuid, charge: &Charge, place: &Place, found_at: OffsetDateTime) -> Finding {
    let Charge { id, description, quantity, dimension, .. } = charge;
    Finding {
        subscription_id,
        kind: ARRIVED.to_owned(),
        cause: format!("{id}/arrived"),
        detail: format!(
            "{description}, {quantity} of {dimension}, is frozen, and Microsoft shows it on {}: it has arrived. Do not release \
             it (`seatkey ledger resolve {id} accepted`)",
            place.day
        ),
        found_at,
    }
}

fn shown(subscription_id: Uuid, charge: &Charge, place: &Place) -> AdoptedUsage {
    AdoptedUsage {
        subscription_id,
        place: place.clone(),
        quantity: charge.quantity.value(),
        cause: charge.id.to_string(),
        reason: "Microsoft shows what a person has called accepted".to_owned(),
    }
}
