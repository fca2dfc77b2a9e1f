//! What the sums do not show: it goes on, takes its own slot, or keeps the lock.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Look, Named, RestoreReport, adopt::freeze};
use crate::{
    app::AppError,
    clock::new_id,
    domain::{
        charge::{Charge, State},
        restore::{Rest, decide_rest},
        subscription::{MicrosoftStatus, Stage, Subscription},
        usage::{Slot, WINDOW, event_body, hour_of},
    },
    store::{NewUsageEvent, Tx},
};

/// Names what keeps the lock, or freezes it.
pub(super) async fn keep_or_freeze(look: &Look<'_>, report: &mut RestoreReport) -> Result<(), AppError> {
    let tx = look.app.store.begin().await?;
    let (_, charges, rests) = sort(&tx, look).await?;
    let waiting: Vec<&Charge> =
        charges.iter().filter(|charge| rests.get(&charge.id) == Some(&Rest::MayBeThere)).collect();
    let names = waiting.iter().map(|charge| Named::charge(look.id, charge));
    if !look.options.freeze {
        report.may_be_there.extend(names);
        return Ok(());
    }
    report.frozen.extend(names);
    freeze(&tx, look, &waiting, "it may have been reported after the backup, and Microsoft’s sums still lag").await?;
    Ok(tx.commit().await?)
}

/// Puts charges into their own slots, and says how many may be sent again.
pub(super) async fn take_own_slots(look: &Look<'_>) -> Result<u32, AppError> {
    let now = look.restored.now;
    let tx = look.app.store.begin().await?;
    let (subscription, charges, rests) = sort(&tx, look).await?;
    let mut events = Vec::new();
    let mut in_doubt = BTreeSet::new();
    for charge in &charges {
        match rests.get(&charge.id) {
            Some(Rest::OwnSlot(slot)) => events.push(event(&subscription, charge, *slot)?),
            Some(Rest::InDoubt) => {
                in_doubt.insert(charge.id);
            }
            _ => {}
        }
    }
    let count = u32::try_from(events.len() + in_doubt.len()).unwrap_or(u32::MAX);
    if count == 0 {
        return Ok(0);
    }
    let told = tx.list_told_usage(&[look.id], look.since).await?;
    let doubted: Vec<Uuid> =
        told.iter().filter(|event| in_doubt.contains(&event.charge_id)).map(|event| event.id).collect();
    tx.doubt_usage_events(&doubted).await?;
    // An owner that never comes back leaves an event in doubt: so they are from the first attempt on.
    tx.insert_usage_events(events, (new_id(now), now), now).await?;
    tx.commit().await?;
    Ok(count)
}

type Sorted = (Subscription, Vec<Charge>, BTreeMap<Uuid, Rest>);

async fn sort(tx: &Tx, look: &Look<'_>) -> Result<Sorted, AppError> {
    let subscription = tx.get_subscription(look.id).await?;
    let charges = tx.list_charges(look.id).await?;
    let taken = tx.list_taken_slots([look.id], look.restored.now - WINDOW * 2).await?;
    let taken: BTreeSet<(String, OffsetDateTime)> =
        taken.into_iter().map(|(_, dimension, hour)| (dimension, hour)).collect();
    let standing = standing(&subscription);
    let mut rests = BTreeMap::new();
    for charge in &charges {
        // Two that want one hour may have had it in the other order.
        let rivals = |hour: OffsetDateTime| {
            charges.iter().any(|other| {
                let wants = other.state.is_open() && hour_of(other.reportable_from) == hour;
                other.id != charge.id && other.dimension == charge.dimension && wants
            })
        };
        let is_taken = |hour| taken.contains(&(charge.dimension.clone(), hour)) || rivals(hour);
        rests.insert(charge.id, decide_rest(charge, standing, is_taken, look.restored));
    }
    Ok((subscription, charges, rests))
}

/// Whether usage can be told now, and until when Microsoft takes it.
fn standing(subscription: &Subscription) -> (bool, Option<OffsetDateTime>) {
    match subscription.stage {
        Stage::Active(_) => (subscription.microsoft.status == MicrosoftStatus::Subscribed, None),
        Stage::Ended { ended_at, .. } => (true, Some(ended_at)),
        _ => (false, None),
    }
}

fn event(subscription: &Subscription, charge: &Charge, slot: Slot) -> Result<NewUsageEvent, AppError> {
    let id = subscription.microsoft.id;
    let plan_id = charge.plan_id.as_deref().unwrap_or(&subscription.microsoft.plan_id);
    let body = event_body(id, &charge.dimension, plan_id, charge.quantity, slot).map_err(AppError::Internal)?;
    debug_assert_eq!(charge.state, State::Due, "only due charges take a slot");
    Ok(NewUsageEvent {
        charge_id: charge.id,
        subscription_id: id,
        dimension: charge.dimension.clone(),
        slot,
        quantity: charge.quantity,
        body,
    })
}
